"""Policy tests beside the policies: the cases of a bundle folder, with every mistake in them by file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handrail.evals.policy.case_shapes import Case, CasesFile, Stated
from handrail.evals.policy.case_words import wrong
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import FactContent
from handrail.guardrails.yamlsource import Problem, read

FOLDER = "tests"


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case with the facts of its file beneath, and where it stands."""

    case: Case
    base: Mapping[str, Stated]
    where: str

    def stated(self) -> dict[str, FactContent | None]:
        """All facts that the file and the case give."""
        return {**self.base, **self.case.facts}


def load_cases(folder: Path, bundle: Bundle) -> tuple[PlacedCase, ...]:
    """The cases in `folder`/tests, checked against the bundle. ConfigError lists everything that is wrong."""
    problems: list[Problem] = []
    found: list[PlacedCase] = []
    for path in sorted((folder / FOLDER).rglob("*.yaml")):
        document = read(path, path.relative_to(folder).as_posix(), problems)
        content = None if document is None else document.parse(CasesFile, problems)
        if document is None or content is None:
            continue
        problems.extend(wrong(document, content, bundle))
        for index, case in enumerate(content.cases):
            where = f"{document.file}:{document.line(('cases', index))}"
            found.append(PlacedCase(case, content.base, where))
    names: dict[str, str] = {}
    for one in found:
        if one.case.name in names:
            file, _, line = one.where.rpartition(":")
            message = f"the name {one.case.name!r} is taken by {names[one.case.name]}; choose another one"
            problems.append(Problem(file, int(line), message))
        names.setdefault(one.case.name, one.where)
    if problems:
        raise ConfigError([str(problem) for problem in sorted(set(problems))])
    return tuple(found)
