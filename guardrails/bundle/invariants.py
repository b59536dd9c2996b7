"""Invariants of a bundle, compiled: what they are about, with every name checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from handrail.guardrails.bundle.compiler import DECIDING_STAGES, Vocabulary
from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.bundle.sections import Attribute, Claim, InvariantEntry, InvariantsFile
from handrail.guardrails.policy.condition import ConditionReader, nearest
from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.policy.matcher import ALWAYS, Matcher
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.vocabulary import Stage
from handrail.guardrails.yamlsource import PathKey, Problem


@dataclass(frozen=True, slots=True)
class Invariant:
    """An invariant with its condition. `subjects` are the tools it is about, or the turn; `blind_to` are fact names."""

    entry: InvariantEntry
    when: Matcher
    subjects: tuple[str, ...]
    blind_to: frozenset[str]
    where: str


def compiled(
    parsed: Parsed[InvariantsFile],
    words: Vocabulary,
    attributes: Mapping[str, Attribute],
    problems: list[Problem],
) -> tuple[Invariant, ...]:
    """The invariants of the file; problems are collected, never raised."""
    document = parsed.document
    reader = ConditionReader(document, words.facts, words.segments, problems, words.complete)
    found: list[Invariant] = []
    for index, entry in enumerate(parsed.content.invariants):
        path: PathKey = ("invariants", index)
        tools = frozenset(entry.tools) if entry.tools is not None else None
        problems.extend(document.problem((*path, *key), message) for key, message in _wrong(entry, words))
        when: Matcher = ALWAYS
        if entry.when is not None and entry.stage in DECIDING_STAGES:
            when = reader.read(entry.when, (*path, "when"), entry.stage, tools)
        of_tools = entry.stage is Stage.AUTHORIZE_TOOLS
        subjects = tuple(sorted(tools if tools is not None else words.tools)) if of_tools else (TURN,)
        where = f"{document.file}:{document.line(path)}"
        found.append(Invariant(entry, when, subjects, _blind_to(entry, attributes), where))
    return tuple(found)


def _blind_to(entry: InvariantEntry, attributes: Mapping[str, Attribute]) -> frozenset[str]:
    if entry.unaffected_by is None:
        return frozenset()
    families = frozenset(entry.unaffected_by.families)
    of_families = {name for name, attribute in attributes.items() if attribute.family in families}
    return frozenset((*entry.unaffected_by.facts, *of_families))


def _wrong(entry: InvariantEntry, words: Vocabulary) -> Iterator[tuple[PathKey, str]]:
    if entry.stage not in DECIDING_STAGES:
        yield ("stage",), f"decisions are made at {', '.join(stage.value for stage in DECIDING_STAGES)}"
    if entry.tools is not None and entry.stage is not Stage.AUTHORIZE_TOOLS:
        yield ("tools",), "only decisions at authorize_tools are about tools"
    yield from _unknown(("tools",), entry.tools or (), words.tools, "tool")
    for name in ("always", "never"):
        claim: Claim | None = getattr(entry, name)
        if claim is not None:
            yield from _unknown((name, "reasons"), claim.reasons, words.reasons, "reason code")
            yield from _unknown((name, "queue"), claim.queue or (), words.queues | {"none"}, "queue")
            yield from _unknown((name, "flow"), claim.flow or (), words.flows | {"none"}, "flow")
    if entry.unaffected_by is not None:
        yield from _unknown(("unaffected_by", "facts"), entry.unaffected_by.facts, frozenset(words.facts), "fact")
    if entry.never_relaxed_by is not None:
        yield from _growth(entry, words.facts)


def _growth(entry: InvariantEntry, facts: Mapping[str, FactSpec]) -> Iterator[tuple[PathKey, str]]:
    growth = entry.never_relaxed_by
    if growth is None:
        return
    spec = facts.get(growth.fact)
    if spec is None or spec.kind is not FactKind.SET:
        yield ("never_relaxed_by", "fact"), f"{growth.fact} is no set; name a fact that holds a set"
    elif spec.values is not None:
        yield from _unknown(("never_relaxed_by", "members"), growth.members, spec.values, f"member of {spec.name}")


def _unknown(path: PathKey, names: Iterable[str], known: frozenset[str], kind: str) -> Iterator[tuple[PathKey, str]]:
    for name in names:
        if name not in known:
            yield path, f"there is no {kind} {name!r}{nearest(name, known)}"
