"""Invariants of a bundle, compiled: what they are about, with every name checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from handrail.guardrails.bundle.claims import Claim, Growth, InvariantEntry, InvariantsFile
from handrail.guardrails.bundle.compiler import DECIDING_STAGES, Vocabulary
from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.bundle.sections import Attribute, ScopeFamily
from handrail.guardrails.policy.condition import ConditionReader, nearest
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.matcher import ALWAYS, Matcher
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.scope import Authority
from handrail.guardrails.vocabulary import NeedState, Stage
from handrail.guardrails.yamlsource import PathKey, Problem

FOLLOWING = frozenset({"risk", "tool", "tool_access", "tool_sensitivity", "tool_reversible", "tool_needs_customer"})
"""Facts that are no inputs: the risk gate finds the tier, and a tool's declaration says the rest."""


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
        blind_to = _blind_to(entry, attributes)
        wrong = (*_wrong(entry, words), *_misnamed_classes(entry, attributes if words.complete else {}))
        problems.extend(document.problem((*path, *key), message) for key, message in wrong)
        if entry.unaffected_by is not None and not blind_to and words.complete:
            message = "no attribute is of these families, so nothing would be proved; name others, or facts"
            problems.append(document.problem((*path, "unaffected_by", "families"), message))
        when: Matcher = ALWAYS
        if entry.when is not None and entry.stage in DECIDING_STAGES:
            when = reader.read(entry.when, (*path, "when"), entry.stage, tools)
        of_tools = entry.stage is Stage.AUTHORIZE_TOOLS
        subjects = tuple(sorted(tools if tools is not None else words.tools)) if of_tools else (TURN,)
        where = f"{document.file}:{document.line(path)}"
        found.append(Invariant(entry, when, subjects, blind_to, where))
    return tuple(found)


def classes_of(family: ScopeFamily, attributes: Mapping[str, Attribute]) -> frozenset[str] | None:
    """The classes that documents of a family can have; None where any word may be one."""
    if family == "authority":
        return frozenset(Authority)
    if family == "need_state":
        return frozenset(NeedState)
    declared = [one.values for one in attributes.values() if one.scope_family == family]
    if not declared or None in declared:
        return None
    return frozenset(word for values in declared for word in values or ())


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
        for name in entry.unaffected_by.facts:
            yield from _absent(("unaffected_by", "facts"), name, entry.stage, words)
            if name in FOLLOWING:
                # Two inputs that differ in it alone do not exist, so anything at all could be claimed of them.
                yield ("unaffected_by", "facts"), f"{name} follows from other facts; name those"
    if entry.never_relaxed_by is not None:
        yield from _growth(entry, entry.never_relaxed_by, words)


def _misnamed_classes(entry: InvariantEntry, attributes: Mapping[str, Attribute]) -> Iterator[tuple[PathKey, str]]:
    """Classes that no document has: what is never granted can be claimed of every decision."""
    for name, claim in (("always", entry.always), ("never", entry.never)):
        for family, classes in () if claim is None else claim.scope.items():
            known = classes_of(family, attributes)
            if known is not None:
                yield from _unknown((name, "scope", family), classes, known, f"class of {family}")


def _growth(entry: InvariantEntry, growth: Growth, words: Vocabulary) -> Iterator[tuple[PathKey, str]]:
    yield from _absent(("never_relaxed_by", "fact"), growth.fact, entry.stage, words)
    spec = words.facts.get(growth.fact)
    if spec is None:
        return
    if spec.kind is not FactKind.SET:
        yield ("never_relaxed_by", "fact"), f"{growth.fact} is no set; name a fact that holds a set"
    elif spec.values is not None:
        yield from _unknown(("never_relaxed_by", "members"), growth.members, spec.values, f"member of {spec.name}")


def _absent(path: PathKey, name: str, stage: Stage, words: Vocabulary) -> Iterator[tuple[PathKey, str]]:
    """A fact that no decision of the stage can read would make the invariant say nothing."""
    spec = words.facts.get(name)
    if spec is not None and not spec.exists_at(stage):
        yield path, f"the fact {name} does not exist at stage {stage.value}"
    elif spec is None and words.complete:
        yield path, f"there is no fact {name!r}{nearest(name, words.facts)}"


def _unknown(path: PathKey, names: Iterable[str], known: frozenset[str], kind: str) -> Iterator[tuple[PathKey, str]]:
    for name in names:
        if name not in known:
            yield path, f"there is no {kind} {name!r}{nearest(name, known)}"
