"""Which of two decisions is the more permissive."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from handrail.evals.policy.direction import Direction
from handrail.evals.policy.replay_outcome import ORDER, Outcome, difference, plain
from handrail.guardrails.vocabulary import (
    Automation,
    Dimensions,
    Effect,
    Obligation,
    Priority,
    RiskTier,
    Shadow,
    Stage,
    Tone,
)


def outcome(effect: Effect = Effect.ALLOW, *obligations: Obligation, **dimensions: object) -> Outcome:
    """A decision about a turn."""
    return Outcome(
        stage=Stage.APPLY_POLICY,
        subject="turn",
        effect=effect,
        reasons=("POLICY_NEED_SERVED",),
        rules=("turn.serve_need",),
        obligations=obligations,
        dimensions=Dimensions.model_validate(dimensions),
    )


def direction(before: Outcome, after: Outcome) -> Direction | None:
    """The direction of a change."""
    found = difference(before, after)
    return None if found is None else found.direction


PERMISSIVE = [
    (outcome(Effect.ESCALATE), outcome(Effect.REFUSE)),
    (outcome(Effect.REFUSE), outcome(Effect.NOT_YET, Obligation.CONFIRM)),
    (outcome(Effect.ALLOW, Obligation.CITE_SOURCES), outcome(Effect.ALLOW)),
    (outcome(Effect.NOT_YET, Obligation.CONFIRM, Obligation.APPROVE), outcome(Effect.NOT_YET, Obligation.CONFIRM)),
    (outcome(automation=Automation.RESTRICTED), outcome(automation=Automation.GUIDED)),
    (outcome(risk=RiskTier.HIGH), outcome(risk=RiskTier.MEDIUM)),
    (outcome(scope={"role": ("admin",)}), outcome(scope={"role": ("admin", "it")})),
    (outcome(), outcome(scope={"role": ("admin",)})),
]
"""Pairs of which the second is the more permissive."""


@pytest.mark.parametrize(("before", "after"), PERMISSIVE)
def test_what_is_relaxed_is_more_permissive_and_its_opposite_stricter(before: Outcome, after: Outcome) -> None:
    """A lower effect, a duty less, less automation held back, a lower risk, a wider scope."""
    assert direction(before, after) is Direction.MORE_PERMISSIVE
    assert direction(after, before) is Direction.STRICTER


def test_one_relaxation_among_restrictions_is_more_permissive() -> None:
    """Somebody has to look at it: a duty is gone, whatever else was added."""
    before = outcome(Effect.ALLOW, Obligation.CITE_SOURCES, automation=Automation.ANSWER)
    after = outcome(Effect.ALLOW, Obligation.OFFER_HUMAN, automation=Automation.RESTRICTED)
    assert direction(before, after) is Direction.MORE_PERMISSIVE
    assert direction(before, outcome(Effect.NOT_YET, Obligation.CONFIRM)) is Direction.MORE_PERMISSIVE


def test_a_turn_that_goes_to_a_person_is_stricter_whatever_went_along() -> None:
    """Duties of a reply that is not written were not relaxed."""
    before = outcome(Effect.ALLOW, Obligation.CITE_SOURCES, scope={"role": ("admin",)})
    for effect in (Effect.REFUSE, Effect.ESCALATE):
        assert direction(before, outcome(effect)) is Direction.STRICTER


def test_routing_and_manner_are_neither() -> None:
    """Queue, skills, priority, tone and reasons restrict nothing."""
    before = outcome()
    for after in (
        outcome(queue="billing"),
        outcome(skills=("billing",)),
        outcome(priority=Priority.URGENT),
        outcome(tone=Tone.WARM),
        outcome(first_response_minutes=5),
        replace(before, reasons=("POLICY_CONTINUES",)),
    ):
        assert direction(before, after) is Direction.OTHERWISE


def test_the_same_decision_by_other_rules_is_only_explained_otherwise() -> None:
    """So is another shadow decision: nothing that is enforced differs."""
    before = outcome()
    shadow = Shadow(rules=("turn.tried",), effect=Effect.ESCALATE, reasons=("HUMAN_REQUESTED",))
    for after in (replace(before, rules=("turn.other",)), replace(before, shadow=shadow)):
        assert direction(before, after) is Direction.EXPLAINED
    assert direction(outcome(determined_by={"risk": ("a",)}), outcome()) is Direction.EXPLAINED
    assert direction(before, outcome()) is None


def test_a_lower_effect_is_always_more_permissive() -> None:
    """Whatever duties it comes with."""
    for one, other in product(Effect, Effect):
        if one < other:
            found = direction(outcome(other), outcome(one, Obligation.CONFIRM))
            assert found is Direction.MORE_PERMISSIVE


def test_the_words_name_everything_that_changed() -> None:
    """Effect, duties, dimensions, scope and reasons, each with what it was and is."""
    before = outcome(Effect.ESCALATE, Obligation.APPROVE, queue="billing", skills=("a",), scope={"role": ("it",)})
    after = outcome(Effect.ALLOW, Obligation.CONFIRM, risk=RiskTier.HIGH, skills=("b",), scope={"role": ("admin",)})
    after = replace(after, reasons=("POLICY_CONTINUES",))
    found = difference(before, after)
    assert found is not None
    assert found.words == (
        "apply_policy: escalate -> allow, -approve, +confirm, queue billing -> none, risk low -> high, skills -a, "
        "skills +b, scope role -it, scope role +admin, reasons -POLICY_NEED_SERVED +POLICY_CONTINUES"
    )
    assert (found.added, found.removed) == (("POLICY_CONTINUES",), ("POLICY_NEED_SERVED",))


def test_another_order_of_reasons_is_told() -> None:
    """The first reason chooses the words of a refusal, so it is a change, and named as what it is."""
    before = replace(outcome(Effect.REFUSE), reasons=("POLICY_CONTINUES", "POLICY_NEED_SERVED"))
    found = difference(before, replace(before, reasons=before.reasons[::-1]))
    assert found is not None
    assert (found.direction, found.words) == (Direction.OTHERWISE, "apply_policy: reasons in another order")


def test_directions_are_ordered() -> None:
    """The more permissive ones come first."""
    assert min(ORDER, key=ORDER.__getitem__) is Direction.MORE_PERMISSIVE


def test_plain_dimensions_are_what_the_log_holds() -> None:
    """Every dimension, spelt as in the JSON of a decision; a new one would be missed by this test and nowhere else."""
    dimensions = Dimensions(
        queue="billing",
        skills=("a",),
        scope={"role": ("it",)},
        determined_by={"queue": ("r",)},
        risk=RiskTier.HIGH,
        first_response_minutes=5,
    )
    assert plain(dimensions) == dimensions.model_dump(mode="json")
    assert plain(Dimensions()) == Dimensions().model_dump(mode="json")
