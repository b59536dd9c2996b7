"""Reads scenario files; everything wrong is reported at once, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from handrail.evals.scenario import ANONYMOUS, Expect, HandoffExpect, Scenario
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import Document, PathKey, Problem, read

FOLDER = Path(__file__).parent / "scenarios"
"""The shipped scenarios."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario and where it stands."""

    scenario: Scenario
    document: Document


@dataclass(frozen=True, slots=True)
class Known:
    """All the names that a scenario may refer to. An empty set of customers or documents is not checked."""

    reasons: AbstractSet[str]
    segments: Mapping[str, str]
    queues: AbstractSet[str]
    tools: AbstractSet[str]
    attributes: AbstractSet[str]
    documents: AbstractSet[str] = frozenset()
    customers: AbstractSet[str] = frozenset()

    @classmethod
    def of(
        cls, bundle: Bundle, documents: AbstractSet[str] = frozenset(), customers: AbstractSet[str] = frozenset()
    ) -> Known:
        """The names of `bundle`, of the documents of a knowledge base and of a sample company's customers."""
        return cls(
            reasons=frozenset(bundle.reasons),
            segments={entry.id: entry.reason for entry in bundle.entries.values()},
            queues=frozenset(bundle.queues),
            tools=frozenset(bundle.tools),
            attributes=frozenset(bundle.attributes),
            documents=documents,
            customers=customers,
        )


def load(paths: Sequence[Path] = (FOLDER,), known: Known | None = None) -> tuple[ScenarioFile, ...]:
    """The scenarios of files and folders (`*.yaml`), by id; ConfigError with every problem when one cannot be used.

    With `known`, a name that does not exist is a problem too: a misspelt code under `reasons_exclude` would hold for
    ever and test nothing.
    """
    problems: list[Problem] = []
    found: list[ScenarioFile] = []
    for path, shown in _files(paths, problems):
        document = read(path, shown, problems)
        scenario = None if document is None else document.parse(Scenario, problems)
        if document is not None and scenario is not None:
            found.append(ScenarioFile(scenario, document))
    problems.extend(_taken(found))
    if known is not None:
        for file in found:
            problems.extend(dangling(file, known))
    if problems:
        raise ConfigError([str(problem) for problem in sorted(set(problems))])
    return tuple(sorted(found, key=lambda file: file.scenario.id))


def dangling(file: ScenarioFile, known: Known) -> Iterator[Problem]:
    """Every name of a scenario that does not exist, with its line."""
    scenario, document = file.scenario, file.document
    if known.customers and scenario.customer != ANONYMOUS and scenario.customer not in known.customers:
        yield document.problem(("customer",), f"the sample company has no customer {scenario.customer!r}")
    for name in scenario.attributes:
        if name not in known.attributes:
            yield document.problem(("attributes", name), f"no attribute is called {name!r}")
    for index, turn in enumerate(scenario.turns):
        if turn.expect is not None:
            for path, message in _names(turn.expect, known):
                yield document.problem(("turns", index, "expect", *path), message)


@dataclass(frozen=True, slots=True)
class _Named:
    """A field of an expectation that holds names, and the names that exist."""

    path: PathKey
    names: Sequence[str]
    existing: AbstractSet[str]
    what: str


def _names(expect: Expect, known: Known) -> Iterator[tuple[PathKey, str]]:
    for field in (*_turn_names(expect, known), *_handoff_names(expect, known)):
        for index, name in enumerate(field.names):
            if name not in field.existing and (field.existing or field.what != "document"):
                yield (*field.path, index), f"there is no {field.what} {name!r}"


def _turn_names(expect: Expect, known: Known) -> Iterator[_Named]:
    for path, codes in (
        ("reasons_include", expect.reasons_include),
        ("reasons_any", expect.reasons_any),
        ("reasons_exclude", expect.reasons_exclude),
    ):
        yield _Named((path,), codes, known.reasons, "reason code")
    for path, segments in (
        ("segments_include", expect.segments_include),
        ("segments_exclude", expect.segments_exclude),
    ):
        yield _Named((path,), segments, known.segments.keys(), "segment")
    for path, documents in (
        ("sources_include", expect.sources_include),
        ("sources_any", expect.sources_any),
        ("sources_exclude", expect.sources_exclude),
    ):
        yield _Named((path,), documents, known.documents, "document")
    for path, tools in (("tools_ran", expect.tools_ran), ("tools_not_ran", expect.tools_not_ran)):
        yield _Named((path,), tools, known.tools, "tool")
    if expect.confirmation is not None and expect.confirmation != "none":
        yield _Named(("confirmation",), (expect.confirmation,), known.tools, "tool")


def _handoff_names(expect: Expect, known: Known) -> Iterator[_Named]:
    if expect.route is not None and expect.route.queue is not None:
        yield _Named(("route", "queue"), (expect.route.queue,), known.queues, "queue")
    packet = expect.handoff
    if isinstance(packet, HandoffExpect):
        if packet.queue is not None:
            yield _Named(("handoff", "queue"), (packet.queue,), known.queues, "queue")
        yield _Named(("handoff", "reasons_include"), packet.reasons_include, known.reasons, "reason code")
        yield _Named(("handoff", "segments_include"), packet.segments_include, known.segments.keys(), "segment")


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.yaml"))
            if not inside:
                problems.append(Problem(str(path), 1, "the folder holds no *.yaml file"))
            yield from ((file, f"{path.name}/{file.name}") for file in inside)
        elif path.is_file():
            yield path, path.name
        else:
            problems.append(Problem(str(path), 1, "there is no such file or folder"))


def _taken(files: Sequence[ScenarioFile]) -> Iterator[Problem]:
    places: dict[str, str] = {}
    for file in files:
        name = file.scenario.id
        if name in places:
            yield file.document.problem(("id",), f"the id {name} is taken by {places[name]}")
        places.setdefault(name, file.document.file)
