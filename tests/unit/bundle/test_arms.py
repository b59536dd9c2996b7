"""Holdouts and shadow rules of a loaded bundle: what applies in which arm, and what is only recorded."""

from __future__ import annotations

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.facts import Facts, fact, ignorable
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.vocabulary import Decision, FactContent, FactUsed, Obligation, RiskTier, Stage
from tests.unit.bundle.conftest import Folder
from tests.unit.bundle.test_shipped import CALM, facts_of, in_turn

HELD = "holdout:trial"
ENTRY = (
    "holdouts:\n  - {{id: trial, meaning: x, status: {status}, share: 0.5, without: [{without}], owner: x,"
    " review_by: 2027-03-31}}\n"
)


def arms(quick: Folder, without: str, status: str = "active") -> Bundle:
    """The shipped bundle with one holdout, over `without`."""
    (quick.path / "experiments.yaml").write_text(ENTRY.format(status=status, without=without), encoding="utf-8")
    return load(quick.path)


def policy_with(bundle: Bundle, facts: Facts, arm: FactUsed | None) -> Decision:
    """The decision at apply_policy of a message, in an arm."""
    return bundle.policy.decide(Stage.APPLY_POLICY, facts if arm is None else facts.with_facts([arm]))


def frustrated(bundle: Bundle) -> Facts:
    """A how-to question of somebody who is angry."""
    return in_turn(bundle, signals=("FRUSTRATION",))[3]


def obliged(decision: Decision) -> bool:
    """Whether the how-to segment and the offer to the frustrated both apply."""
    return {Obligation.CITE_SOURCES, Obligation.OFFER_HUMAN} <= set(decision.obligations)


@pytest.mark.parametrize("status", ["active", "ready"])
def test_in_the_arm_the_rules_do_not_apply(quick: Folder, status: str) -> None:
    """A rule and a whole segment are switched off; what else is decided stays. Who stands in no arm gets everything."""
    bundle = arms(quick, "turn.offer_frustrated, segment.how_to", status)
    facts = frustrated(bundle)
    inside = policy_with(bundle, facts, fact(HELD, True, "draw"))
    outside = policy_with(bundle, facts, fact(HELD, False, "draw"))
    assert obliged(outside)
    assert not {Obligation.CITE_SOURCES, Obligation.OFFER_HUMAN} & set(inside.obligations)
    assert "how_to" not in inside.dimensions.tags
    assert inside.effect is outside.effect
    assert inside.dimensions.queue == outside.dimensions.queue
    for arm in (None, fact(HELD, None, "draw")):
        assert policy_with(bundle, facts, arm).obligations == outside.obligations


@pytest.mark.parametrize("unknown", [None, fact(HELD, None, "draw"), ignorable(HELD, "draw", "nobody drew")])
def test_an_unknown_arm_enforces_everything(quick: Folder, unknown: FactUsed | None) -> None:
    """Nobody was assigned, so nobody is held out: permits and selections too, and the decision is not doubtful."""
    bundle = arms(quick, "turn.serve_need, turn.offer_frustrated, segment.how_to")
    found = policy_with(bundle, frustrated(bundle), unknown)
    assert found.allowed
    assert obliged(found)
    assert "how_to" in found.dimensions.tags
    assert "POLICY_UNKNOWN_FACT" not in found.reasons


@pytest.mark.parametrize("nonsense", ["true", 1, ("true",)])
def test_an_arm_that_is_nonsense_is_in_nobodys_favour(quick: Folder, nonsense: FactContent) -> None:
    """Restrictions apply, what has to be true does not, and the decision says that something was unknown."""
    bundle = arms(quick, "turn.serve_need, turn.offer_frustrated, segment.how_to")
    found = policy_with(bundle, frustrated(bundle), fact(HELD, nonsense, "draw"))
    assert not found.allowed
    assert obliged(found)
    assert "how_to" not in found.dimensions.tags
    assert "POLICY_UNKNOWN_FACT" in found.reasons


def test_a_permit_may_be_held_out_which_only_allows_less(quick: Folder) -> None:
    """Without the rule that serves, nothing permits."""
    bundle = arms(quick, "turn.serve_need")
    facts = frustrated(bundle)
    assert policy_with(bundle, facts, fact(HELD, False, "draw")).allowed
    assert not policy_with(bundle, facts, fact(HELD, True, "draw")).allowed


def test_the_arm_is_evidence_of_every_rule_that_hangs_on_it(quick: Folder) -> None:
    """The record holds the draw, so that a replay decides in the same arm; rules that do not hang on it do not ask."""
    bundle = arms(quick, "segment.how_to")
    facts = frustrated(bundle).with_facts([fact(HELD, True, "draw")])
    found = bundle.policy.decide(Stage.APPLY_POLICY, facts)
    assert fact(HELD, True, "draw") in found.facts
    assert bundle.policy.decide(Stage.APPLY_POLICY, Facts.of(found.facts)) == found
    assert HELD not in {one.name for one in bundle.policy.decide(Stage.GATE_RISK, facts).facts}


def test_two_holdouts_over_one_rule_each_switch_it_off(quick: Folder) -> None:
    """It applies only outside both."""
    first, second = (ENTRY.format(status="active", without="turn.offer_frustrated") for _ in range(2))
    second = second.removeprefix("holdouts:\n").replace("id: trial", "id: other")
    (quick.path / "experiments.yaml").write_text(first + second, encoding="utf-8")
    bundle = load(quick.path)
    for one in (True, False):
        for other in (True, False):
            arm = [fact(HELD, one, "draw"), fact("holdout:other", other, "draw")]
            found = bundle.policy.decide(Stage.APPLY_POLICY, frustrated(bundle).with_facts(arm))
            assert (Obligation.OFFER_HUMAN in found.obligations) is (not one and not other)


SHADOW = (
    "  - {id: trial.grave, status: shadow, stage: gate_risk, reason: ESC_CRITICAL_RISK, why: x,"
    " when: {person_offered: true}, risk: critical, obligations: [person_decides]}\n"
)


@pytest.fixture
def tried(quick: Folder) -> Bundle:
    """The shipped bundle with one shadow rule at the risk gate."""
    quick.edit("rules/risk.yaml", "  - id: risk.legal\n", f"{SHADOW}  - id: risk.legal\n")
    return load(quick.path)


def test_a_shadow_rule_is_recorded_and_changes_nothing(tried: Bundle, shipped: Bundle) -> None:
    """The decision is the shipped one; beside it stands what would have been, and by which rules."""
    facts = facts_of({**CALM, "person_offered": True}, tried)
    found = tried.policy.decide(Stage.GATE_RISK, facts)
    plain = shipped.policy.decide(Stage.GATE_RISK, facts)
    bare = {"facts": (), "revision": "", "shadow": None}
    assert found.model_copy(update=bare) == plain.model_copy(update=bare)
    assert found.dimensions.risk is RiskTier.LOW
    assert found.shadow is not None
    assert found.shadow.rules == ("trial.grave",)
    assert found.shadow.dimensions.risk is RiskTier.CRITICAL
    assert Obligation.PERSON_DECIDES in found.shadow.obligations
    assert Obligation.PERSON_DECIDES not in found.obligations


def test_the_record_holds_what_only_a_shadow_rule_reads(tried: Bundle, shipped: Bundle) -> None:
    """No enforced rule of the gate asks whether a person was offered; a replay of the trial needs it all the same."""
    facts = facts_of({**CALM, "person_offered": True}, tried)
    assert "person_offered" not in {one.name for one in shipped.policy.decide(Stage.GATE_RISK, facts).facts}
    found = tried.policy.decide(Stage.GATE_RISK, facts)
    assert fact("person_offered", True, "test") in found.facts
    assert tried.policy.decide(Stage.GATE_RISK, Facts.of(found.facts)) == found


def test_where_no_shadow_rule_applies_there_is_no_shadow(tried: Bundle) -> None:
    """Not at another stage, and not when its condition is false; an open one restricts, as if enforced."""
    calm = facts_of({**CALM, "person_offered": True, "risk": "low"}, tried)
    for stage in (Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.GUARD_OUTPUT):
        assert tried.policy.decide(stage, calm, TURN).shadow is None
    refused = calm.with_facts([fact("person_offered", False, "test")])
    assert tried.policy.decide(Stage.GATE_RISK, refused).shadow is None
    unknown = tried.policy.decide(Stage.GATE_RISK, calm.with_facts([fact("person_offered", None, "test")]))
    assert unknown.shadow is not None
    assert "POLICY_UNKNOWN_FACT" in unknown.shadow.reasons
    assert "POLICY_UNKNOWN_FACT" not in unknown.reasons
