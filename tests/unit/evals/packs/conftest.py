"""Packs that a test may spoil, and the small shop."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handrail.evals.packs.loader import load_pack
from handrail.evals.packs.pack import Pack, RecordsFile
from handrail.guardrails.errors import ConfigError
from tests.support.edited_folder import EditedFolder
from tests.unit.evals.packs.shop import RETAIL, retail, shop_folder


class Folder(EditedFolder):
    """A copy of the retail pack with edits."""

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
