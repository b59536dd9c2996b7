"""Running policy tests: the facts of a case through segments and decisions, and what differs from what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handrail.agent.facts import attribute_facts, message_facts, window_facts
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.evals.policy.case_shapes import Case, Expected
from handrail.evals.policy.cases import PlacedCase
from handrail.evals.policy.play import Opening, completed, given, of_tool, opened, ordinary
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.gate.amounts import Amount, Grant, amounts_of, total, windows_of
from handrail.guardrails.policy.builtin import NO_FLOW, UNKNOWN_NEED
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.policy.policyset import TURN, Resolution
from handrail.guardrails.vocabulary import Detection, Dimensions, FactContent, Stage

Detect = Callable[[str], Detection]

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
"""When every case takes place: within opening hours of a working day."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a case; `expected` when the case looks at it."""

    stage: Stage
    subject: str
    resolution: Resolution
    facts: Facts
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a case: what differs, in words; empty when it passed."""

    placed: PlacedCase
    opening: Opening
    decided: tuple[Decided, ...]
    failures: tuple[str, ...]


def case_facts(bundle: Bundle, placed: PlacedCase) -> Facts:
    """The facts of a case: what it states, over an ordinary turn.

    Windows count the events that are given, attributes are unknown. A main need state that is named is the only one,
    and the number of findings is counted, unless the case says more.
    """
    stated = placed.stated()
    intent = stated.get("intent")
    counted = _counted(bundle, placed.case, None if intent in (None, UNKNOWN_NEED) else str(intent))
    summed = _summed(bundle, placed.case, stated)
    return _aged(bundle, placed.case, given(bundle, completed({**ordinary(bundle), **counted, **summed, **stated})))


def _counted(bundle: Bundle, case: Case, intent: str | None) -> dict[str, FactContent | None]:
    if not case.events:
        return {}
    events = [
        CustomerEvent(
            event_id=f"{position}.{number}",
            kind=event.kind,
            at=NOW - timedelta(minutes=event.minutes_ago + number * event.apart),
            source="case",
            details={} if event.intent is None else {"intent": event.intent},
        )
        for position, event in enumerate(case.events)
        for number in range(event.count)
    ]
    opened_at = NOW - timedelta(minutes=case.opened_minutes_ago)
    return {one.name: one.content for one in window_facts(bundle.windows, intent, opened_at, events, NOW)}


def _summed(bundle: Bundle, case: Case, stated: Mapping[str, FactContent | None]) -> dict[str, FactContent | None]:
    """The sums over the earlier calls that are given, and the call of the case, whose amount its facts state."""
    spec = bundle.tools.get(case.tool or "")
    if spec is None or not case.granted:
        return {}
    said = {one.name: content for one in spec.facts if (content := stated.get(f"call_{one.name}")) is not None}
    return {
        window.fact: total(window, amounts_of(spec, said), _grants(case, window.of), NOW)
        for window in windows_of(bundle.amounts, spec)
    }


def _grants(case: Case, of: str) -> list[Grant]:
    return [
        Grant(
            key=str(number),
            tool=one.tool,
            at=NOW - timedelta(minutes=one.minutes_ago),
            amounts=() if one.minor is None else (Amount(fact=of, minor=one.minor, currency=one.currency),),
        )
        for number, one in enumerate(case.granted)
    ]


def _aged(bundle: Bundle, case: Case, facts: Facts) -> Facts:
    """Attributes that the case gives an age, as the flow takes them: too old ones are unknown (S3.3)."""
    values = [
        AttributeValue(name=name, content=content, source="case", observed_at=NOW - timedelta(days=days))
        for name, days in case.ages.items()
        if (content := facts.content(name)) is not None
    ]
    known, _ = attribute_facts([bundle.attributes[name] for name in case.ages], values, NOW)
    return facts.with_facts(known)


def run_case(bundle: Bundle, placed: PlacedCase, detect: Detect | None = None) -> CaseResult:
    """Play one case. A case with a message needs `detect`; RuntimeError without it."""
    case = placed.case
    facts = case_facts(bundle, placed)
    if case.message is not None:
        if detect is None:
            raise RuntimeError(f"{placed.where}: a case with a message needs detection")
        facts = facts.with_facts(message_facts(detect(case.message)))
    opening = opened(bundle, facts, {name: minutes * 60 for name, minutes in case.earlier.items()})
    decided = tuple(_decided(bundle, placed, opening, facts))
    failures = [f"segments: {line}" for line in _members(placed, opening)]
    for one in decided:
        if one.expected is not None:
            failures += [f"{one.stage.value}: {line}" for line in differences(one.expected, one.resolution)]
    return CaseResult(placed, opening, decided, tuple(failures))


def _decided(bundle: Bundle, placed: PlacedCase, opening: Opening, raw: Facts) -> Iterator[Decided]:
    case, policy = placed.case, bundle.policy
    flow: str | None = None
    for stage in DECIDING_STAGES:
        facts, subject = opening.facts, TURN
        if stage is Stage.AUTHORIZE_TOOLS:
            if case.tool is None:
                continue
            subject = case.tool
            facts = facts.with_facts(of_tool(bundle, case.tool))
        if stage not in (Stage.GATE_RISK, Stage.APPLY_POLICY) and "flow" not in raw.used:
            facts = facts.with_facts([fact("flow", flow or NO_FLOW, "policy")])
        found = policy.resolve(stage, facts, subject)
        if stage is Stage.APPLY_POLICY:
            flow = found.dimensions().flow
        yield Decided(stage, subject, found, facts, case.expect.at(stage))


def _members(placed: PlacedCase, opening: Opening) -> Iterator[str]:
    wanted = placed.case.expect.segments
    if wanted is None:
        return
    members = opening.assignment.members
    for name in wanted.inside:
        if name not in members:
            yield f"not in {name} (in: {', '.join(members) or 'none'})"
    for name in wanted.outside:
        if name in members:
            yield f"in {name}, because {members[name]}"


def differences(expected: Expected, found: Resolution) -> Iterator[str]:
    """What of a decision is not as expected, in words."""
    dimensions = found.dimensions()
    if expected.effect is not None and found.effect is not expected.effect:
        yield f"effect is {found.effect}, not {expected.effect} ({', '.join(found.reasons)})"
    yield from _lists("reason", expected.reasons, expected.reasons_not, found.reasons)
    yield from _lists("determining rule", expected.rules, (), found.rules)
    yield from _lists("obligation", expected.obligations, expected.obligations_not, found.obligations)
    yield from _lists("skill", expected.skills, expected.skills_not, dimensions.skills)
    yield from _lists("tag", expected.tags, expected.tags_not, dimensions.tags)
    yield from _lists("commitment", expected.commitments, expected.commitments_not, dimensions.commitments)
    yield from _single(expected, dimensions)
    for family, classes in expected.scope.items():
        yield from _lists(f"{family} in scope", classes, (), dimensions.scope.get(family, ()))
    for family, classes in expected.scope_not.items():
        yield from _lists(f"{family} in scope", (), classes, dimensions.scope.get(family, ()))


SINGLE = ("risk", "automation", "priority", "first_response_minutes", "queue", "flow", "tone", "depth")


def _single(expected: Expected, dimensions: Dimensions) -> Iterator[str]:
    for name in SINGLE:
        wanted, held = getattr(expected, name), getattr(dimensions, name)
        shown = "none" if held is None else held
        if wanted is not None and shown != wanted:
            yield f"{name} is {shown}, not {wanted}"


def _lists(kind: str, wanted: Iterable[str], unwanted: Iterable[str], held: Iterable[str]) -> Iterator[str]:
    found = set(held)
    for word in wanted:
        if word not in found:
            yield f"the {kind} {word} is missing (there: {', '.join(sorted(found)) or 'none'})"
    for word in unwanted:
        if word in found:
            yield f"the {kind} {word} is there and must not be"
