"""Packs that a test may spoil, and the small shop."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handrail.evals.packs.loader import load_pack
from handrail.evals.packs.pack import Pack, RecordsFile
from handrail.guardrails.errors import ConfigError
from tests.unit.evals.packs.shop import RETAIL, retail, shop_folder


class Folder:
    """A copy of the retail pack with edits; every edit must find exactly what it replaces."""

    def __init__(self, path: Path) -> None:
        """Stand for the pack in `path`."""
        self.path = path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace `old`, which must stand in `file` once."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, text: str) -> None:
        """Append to `file`, or create it."""
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def line(self, file: str, text: str) -> int:
        """The number of the last line of `file` that holds `text`."""
        lines = (self.path / file).read_text(encoding="utf-8").splitlines()
        return max(number for number, line in enumerate(lines, start=1) if text in line)

    def problems(self) -> list[str]:
        """What is wrong with the pack, with its files seen from its folder; none when it loads."""
        try:
            load_pack(self.path)
        except ConfigError as error:
            return [problem.removeprefix(f"{self.path}/") for problem in error.problems]
        return []


@pytest.fixture
def pack_folder(tmp_path: Path) -> Folder:
    """A copy of the retail pack."""
    return Folder(Path(shutil.copytree(RETAIL, tmp_path / "pack", ignore=shutil.ignore_patterns("__pycache__"))))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, RecordsFile]:
    """The shipped pack over the small shop."""
    return retail(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with the database of the small shop."""
    return shop_folder(tmp_path / "data")
