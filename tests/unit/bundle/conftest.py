"""A copy of the shipped bundle that a test may spoil."""

import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from handrail.guardrails import yamlsource
from handrail.guardrails.bundle import loader
from handrail.guardrails.bundle import reading as bundle_reading
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import Document, Problem
from tests.support.edited_folder import EditedFolder

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))


class Folder(EditedFolder):
    """A bundle folder with edits."""

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the bundle; none when it loads."""
        try:
            loader.load(self.path)
        except ConfigError as error:
            return error.problems
        return ()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for the whole run, so that nobody changes the bundle under a test."""
    return Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("bundle") / "policies"))


@pytest.fixture(scope="session")
def shipped(pristine: Path) -> Bundle:
    """The shipped bundle, loaded."""
    return loader.load(pristine)


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Folder:
    """A fresh copy, read in full."""
    return Folder(Path(shutil.copytree(pristine, tmp_path / "policies")))


@pytest.fixture
def quick(
    folder: Folder,
    shipped: Bundle,
    reading: Callable[[Path, str, list[Problem]], Document | None],
    monkeypatch: pytest.MonkeyPatch,
) -> Folder:
    """A fresh copy whose detection and output folders count as read, and whose unchanged files are parsed once."""
    monkeypatch.setattr(bundle_reading, "read", reading)
    monkeypatch.setattr(loader, "load_detection", _always(shipped.detection))
    monkeypatch.setattr(loader, "load_wording", _always(shipped.wording))
    return folder


@pytest.fixture(scope="session")
def reading() -> Callable[[Path, str, list[Problem]], Document | None]:
    """`yamlsource.read` that parses equal files once a run; parsing takes most of a load."""
    seen: dict[tuple[str, bytes], tuple[Document | None, tuple[Problem, ...]]] = {}

    def read(path: Path, shown_as: str, problems: list[Problem]) -> Document | None:
        key = (shown_as, path.read_bytes())
        if key not in seen:
            found: list[Problem] = []
            seen[key] = (yamlsource.read(path, shown_as, found), tuple(found))
        problems.extend(seen[key][1])
        return seen[key][0]

    return read


def _always(value: object) -> Callable[[Path], object]:
    return lambda _: value
