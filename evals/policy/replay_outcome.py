"""How two decisions about the same question differ, and which of them is the more permissive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from handrail.agent.audit.recorded import PlainDecision, PlainShadow, RecordedDecision, Unreadable
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.replay import Answer
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.vocabulary import Decision, Dimensions, Effect, Obligation, Shadow, Stage

ORDER = {direction: place for place, direction in enumerate(Direction)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision without the facts that led to it."""

    stage: Stage
    subject: str
    effect: Effect
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    dimensions: Dimensions
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two decisions that are not the same."""

    before: Outcome
    after: Outcome
    direction: Direction

    @property
    def added(self) -> tuple[str, ...]:
        """Reasons that are given now."""
        return tuple(code for code in self.after.reasons if code not in self.before.reasons)

    @property
    def removed(self) -> tuple[str, ...]:
        """Reasons that are no longer given."""
        return tuple(code for code in self.before.reasons if code not in self.after.reasons)

    @property
    def words(self) -> str:
        """The change in one line: what it was and what it is."""
        parts = list(_words(self.before, self.after))
        return f"{_about(self.after)}: {', '.join(parts) or 'other rules or shadow rules, the same decision'}"


def same(recorded: PlainDecision, answer: Answer) -> bool:
    """Whether an answer is the recorded decision in everything but the revision. Plain values; nothing is validated."""
    found = answer.resolution
    return (
        recorded["effect"] == answer.effect
        and recorded["reasons"] == [*found.reasons]
        and recorded["rules"] == [*found.rules]
        and recorded["obligations"] == [*found.obligations]
        and recorded["dimensions"] == plain(answer.dimensions)
        and _same_shadow(recorded.get("shadow"), answer.shadow)
    )


def plain(dimensions: Dimensions) -> dict[str, JsonValue]:
    """Dimensions as they stand in the log; words of the vocabulary are equal to their text."""
    return {
        "queue": dimensions.queue,
        "skills": [*dimensions.skills],
        "tags": [*dimensions.tags],
        "commitments": [*dimensions.commitments],
        "priority": dimensions.priority,
        "first_response_minutes": dimensions.first_response_minutes,
        "automation": dimensions.automation,
        "risk": dimensions.risk,
        "scope": {family: [*classes] for family, classes in dimensions.scope.items()},
        "tone": dimensions.tone,
        "depth": dimensions.depth,
        "flow": dimensions.flow,
        "determined_by": {name: [*rules] for name, rules in dimensions.determined_by.items()},
    }


def _same_shadow(recorded: PlainShadow | None, shadow: Shadow | None) -> bool:
    if recorded is None or shadow is None:
        return recorded is None and shadow is None
    return recorded == shadow.model_dump(mode="json")


def of_record(decision: RecordedDecision) -> Outcome:
    """The recorded outcome, validated. Raises Unreadable for a decision of another version."""
    try:
        found = Decision.model_validate({**decision.plain, "facts": ()})
    except ValidationError as error:
        raise Unreadable("a decision was written by another version") from error
    return Outcome(
        stage=found.stage,
        subject=found.subject,
        effect=found.effect,
        reasons=found.reasons,
        rules=found.rules,
        obligations=found.obligations,
        dimensions=found.dimensions,
        shadow=found.shadow,
    )


def of_answer(answer: Answer) -> Outcome:
    """The outcome of a replayed decision."""
    found = answer.resolution
    return Outcome(
        stage=answer.stage,
        subject=answer.subject,
        effect=answer.effect,
        reasons=found.reasons,
        rules=found.rules,
        obligations=answer.obligations,
        dimensions=answer.dimensions,
        shadow=answer.shadow,
    )


def difference(before: Outcome, after: Outcome) -> Difference | None:
    """How two outcomes differ; None when they do not."""
    return None if before == after else Difference(before, after, _direction(before, after))


def _direction(before: Outcome, after: Outcome) -> Direction:
    ends = after.effect in (Effect.REFUSE, Effect.ESCALATE)
    if after.effect < before.effect:
        return Direction.MORE_PERMISSIVE
    if after.effect > before.effect and ends:
        # Nothing is done by the machine, so nothing that went along with it can have been relaxed.
        return Direction.STRICTER
    if _relaxed(before, after):
        return Direction.MORE_PERMISSIVE
    if after.effect > before.effect or _relaxed(after, before):
        return Direction.STRICTER
    kept = {**plain(before.dimensions), "determined_by": None} == {**plain(after.dimensions), "determined_by": None}
    return Direction.EXPLAINED if kept and before.reasons == after.reasons else Direction.OTHERWISE


def _relaxed(before: Outcome, after: Outcome) -> bool:
    """Whether something that restricted `before` restricts `after` less, such as a class that may be read now."""
    old, new = before.dimensions, after.dimensions
    return (
        not set(before.obligations) <= set(after.obligations)
        or new.automation < old.automation
        or new.risk < old.risk
        or any(not set(classes) <= set(old.scope.get(family, ())) for family, classes in new.scope.items())
        or not set(new.commitments) <= set(old.commitments)
    )


def _about(outcome: Outcome) -> str:
    return outcome.stage.value if outcome.stage is not Stage.AUTHORIZE_TOOLS else f"{outcome.stage} {outcome.subject}"


def _words(before: Outcome, after: Outcome) -> Iterable[str]:
    if before.effect is not after.effect:
        yield f"{before.effect} -> {after.effect}"
    for sign, one, other in (("-", before, after), ("+", after, before)):
        yield from (f"{sign}{duty}" for duty in one.obligations if duty not in other.obligations)
    old, new = plain(before.dimensions), plain(after.dimensions)
    for name, content in new.items():
        if name not in ("determined_by", "scope", *ADDING) and content != old[name]:
            yield f"{name} {old[name] or 'none'} -> {content or 'none'}"
    for name in ADDING:
        yield from _members(name, getattr(before.dimensions, name), getattr(after.dimensions, name))
    for family in sorted({*before.dimensions.scope, *after.dimensions.scope}):
        held, granted = before.dimensions.scope.get(family, ()), after.dimensions.scope.get(family, ())
        yield from _members(f"scope {family}", held, granted)
    gone = [f"-{code}" for code in before.reasons if code not in after.reasons]
    new_ones = [f"+{code}" for code in after.reasons if code not in before.reasons]
    if gone or new_ones:
        yield f"reasons {' '.join((*gone, *new_ones))}"
    elif before.reasons != after.reasons:
        yield "reasons in another order"


def _members(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterable[str]:
    yield from (f"{name} -{one}" for one in before if one not in after)
    yield from (f"{name} +{one}" for one in after if one not in before)
