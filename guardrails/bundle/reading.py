"""Reads the files of a bundle folder once, remembering the revision and what could not be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import Document, PathKey, Problem, read

ModelT = TypeVar("ModelT", bound=BaseModel)
PartT = TypeVar("PartT")
ItemT = TypeVar("ItemT")

TESTS = "tests"
"""The folder of policy tests, which are no part of the policy."""

_PLACED = re.compile(r"^(?P<file>[^\s:]+\.yaml)(:(?P<line>\d+))?: (?P<message>.*)$", re.DOTALL)


class OpenNames(frozenset[str]):
    """Names of which some could not be read, so that any name may be one of them.

    Without it one unreadable file would be reported once for itself and once for everything that refers to it.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __or__(self, more: Set[str]) -> OpenNames:  # type: ignore[override]  # names stay names
        return OpenNames(frozenset(self).union(more))


@dataclass(frozen=True, slots=True)
class Parsed(Generic[ModelT]):
    """One file: where everything in it stands, and what it says."""

    document: Document
    content: ModelT


@dataclass(slots=True)
class FolderReader:
    """Reads one bundle folder. `unread` holds the patterns of which at least one file is missing or unusable."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    _digests: dict[str, str] = field(default_factory=dict)

    def one(self, name: str, model: type[ModelT]) -> Parsed[ModelT] | None:
        """The file `name`, which must exist."""
        path = self.folder / name
        if not path.is_file():
            self.problems.append(Problem(name, 1, "this file is missing from the bundle; add it"))
            self.unread.add(name)
            return None
        return self._parse(path, model, name)

    def perhaps(self, name: str, model: type[ModelT]) -> Parsed[ModelT] | None:
        """The file `name`, if the bundle has it."""
        path = self.folder / name
        return self._parse(path, model, name) if path.is_file() else None

    def many(self, pattern: str, model: type[ModelT]) -> tuple[Parsed[ModelT], ...]:
        """All files that match `pattern`, by name; at least one must exist."""
        paths = sorted(self.folder.glob(pattern))
        if not paths:
            self.problems.append(Problem(pattern, 1, "no file of the bundle matches this pattern; add one"))
            self.unread.add(pattern)
        parsed = (self._parse(path, model, pattern) for path in paths)
        return tuple(one for one in parsed if one is not None)

    def part(self, name: str, loader: Callable[[Path], PartT]) -> PartT | None:
        """A sub-folder that its own loader reads; its problems join the others."""
        for path in sorted((self.folder / name).rglob("*.yaml")):
            self._digest(path)
        try:
            return loader(self.folder / name)
        except ConfigError as error:
            self.problems.extend(_placed(name, problem) for problem in error.problems)
            return None

    def names(self, known: Collection[str], *patterns: str) -> frozenset[str]:
        """`known` as names of which none is missing, unless a file of `patterns` could not be read."""
        return OpenNames(known) if self.unread.intersection(patterns) else frozenset(known)

    def leftovers(self) -> None:
        """Report files that nothing reads: a misplaced rule must not be a rule that silently is not there."""
        for path in sorted((*self.folder.rglob("*.yaml"), *self.folder.rglob("*.yml"))):
            name = path.relative_to(self.folder).as_posix()
            if name not in self._digests and not name.startswith(f"{TESTS}/"):
                message = "nothing reads this file; move it to the folder of its kind, end it in .yaml, or remove it"
                self.problems.append(Problem(name, 1, message))

    def revision(self) -> str:
        """SHA-256 over paths and contents, in path order; 16 hex digits."""
        whole = hashlib.sha256()
        for name, digest in sorted(self._digests.items()):
            whole.update(f"{name}\0{digest}\n".encode())
        return whole.hexdigest()[:16]

    def _parse(self, path: Path, model: type[ModelT], pattern: str) -> Parsed[ModelT] | None:
        self._digest(path)
        document = read(path, path.relative_to(self.folder).as_posix(), self.problems)
        content = None if document is None else document.parse(model, self.problems)
        if document is None or content is None:
            self.unread.add(pattern)
            return None
        return Parsed(document, content)

    def _digest(self, path: Path) -> None:
        self._digests[path.relative_to(self.folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()


def by_id(
    problems: list[Problem],
    places: dict[str, str],
    kind: str,
    entries: Iterable[tuple[Parsed[ModelT], PathKey, str, ItemT]],
) -> dict[str, ItemT]:
    """Entries by id, their places under "kind:id"; a second entry of the same id is a problem."""
    found: dict[str, ItemT] = {}
    for parsed, path, name, entry in entries:
        document = parsed.document
        if name in found:
            message = f"the id {name} is taken by {places[f'{kind}:{name}']}; choose another one"
            problems.append(document.problem(path, message))
            continue
        found[name] = entry
        places[f"{kind}:{name}"] = document.place(path)
    return found


def _placed(part: str, problem: str) -> Problem:
    """A problem as another loader words it, with its file seen from the bundle folder."""
    match = _PLACED.match(problem)
    if match is None:
        return Problem(part, 1, problem)
    file = match["file"] if match["file"].startswith(f"{part}/") else f"{part}/{match['file']}"
    return Problem(file, int(match["line"] or 1), match["message"])
