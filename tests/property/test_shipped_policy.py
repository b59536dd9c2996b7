"""Properties of the shipped rules over every combination of facts: order, risk signals, unknown facts, obligations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.facts import Facts, OnUnknown, fact, ignorable
from handrail.guardrails.policy.policyset import DEFAULTS, NO_RULE, TURN, PolicySet
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import Decision, Effect, FactContent, FactUsed, Stage
from tests.unit.bundle.test_shipped import contents_at, facts_of

BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT)
RISKY = (
    "RISK_FRAUD", "RISK_CHARGEBACK", "RISK_CHARGE_DISPUTE", "RISK_TAKEOVER", "RISK_LEGAL", "RISK_SAFETY",
    "RISK_REGULATED", "RISK_IRREVERSIBLE", "RISK_DELETION", "VULNERABILITY", "INJECTION_SUSPECTED", "FRUSTRATION",
    "ABUSE", "CHURN_THREAT",
)  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


def questions(bundle: Bundle) -> list[tuple[Stage, str]]:
    """Everything that is decided on, a tool that nobody declared too."""
    return [
        (stage, subject)
        for stage in STAGES
        for subject in ((*sorted(bundle.tools), "format_disk") if stage is Stage.AUTHORIZE_TOOLS else (TURN,))
    ]


def drawn(bundle: Bundle, data: st.DataObject, stage: Stage, subject: str = TURN) -> dict[str, FactContent]:
    """Contents of the facts that exist at a stage, with segments; as a bundle's own holdouts, those are drawn too."""
    contents = data.draw(contents_at(bundle, stage, subject))
    arms = {f"holdout:{one.id}": st.booleans() for one in bundle.holdouts}
    return contents | data.draw(st.fixed_dictionaries({}, optional=arms))


def favourable(bundle: Bundle, tool: str) -> dict[str, FactContent]:
    """What stands in no call's way, so that much is allowed and a property about allowing says something."""
    spec = bundle.tools[tool]
    return {
        "identity": "verified", "risk": "low", "tool": tool, "tool_access": spec.access.value,
        "tool_sensitivity": spec.sensitivity.value, "tool_reversible": spec.reversible,
        "tool_needs_customer": spec.requires_customer, "call_schema_valid": True, "call_provenance_ok": True,
        "call_confirmed": True, "call_approvals": 2, "call_repeated": False, "call_over_rate": False,
        "call_edit": "none", "call_owned": True, "call_role_allows": True, "signals": (), "intent": "unknown",
        **{window.fact: 0 for window in bundle.amounts},
    }  # fmt: skip


def same(one: Decision, other: Decision) -> bool:
    """Whether two decisions agree in everything but the facts they record."""
    bare = {"facts": ()}
    return one.model_copy(update=bare) == other.model_copy(update=bare)


@BOUNDED
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_the_shipped_rules_is_irrelevant(shipped: Bundle, data: st.DataObject, random: Random) -> None:
    """The files may be read in any order: the same decisions to the last field, and again when asked again."""
    rules = list(shipped.policy.rules)
    random.shuffle(rules)
    shuffled = PolicySet(rules, shipped.revision)
    stage, subject = data.draw(st.sampled_from(questions(shipped)))
    facts = facts_of(drawn(shipped, data, stage, subject), shipped)
    found = shipped.policy.decide(stage, facts, subject)
    assert shuffled.decide(stage, facts, subject) == found
    assert shipped.policy.decide(stage, facts, subject) == found


def lost(bundle: Bundle, contents: Mapping[str, FactContent], names: Iterable[str], how: str) -> Facts:
    """The facts when `names` are unknown: absent, unknown, or unknown in the way that the bundle declares."""
    gone = set(names)
    left = Facts.of(fact(name, content, "test") for name, content in contents.items() if name not in gone)
    if how == "absent":
        return left
    declared = {name for name, spec in bundle.facts.items() if spec.on_unknown is OnUnknown.IGNORE}
    unknown: list[FactUsed] = [
        ignorable(name, "test", "missing") if how == "declared" and name in declared else fact(name, None, "test")
        for name in sorted(gone | (declared - set(contents)))
    ]
    return left.with_facts(unknown)


@settings(parent=BOUNDED, max_examples=400)
@given(st.data(), st.sampled_from(("absent", "unknown", "declared")))
def test_an_unknown_fact_never_allows(shipped: Bundle, data: st.DataObject, how: str) -> None:
    """Whatever becomes unknown, whether it is ignored then or not: what was not allowed is not allowed now.

    Rules that ask whether a fact is known are among the shipped ones; none of them opens a way either.
    """
    stage, subject = data.draw(st.sampled_from(questions(shipped)))
    contents = drawn(shipped, data, stage, subject)
    if subject in shipped.tools and data.draw(st.booleans()):
        contents |= favourable(shipped, subject)
    names = data.draw(st.sets(st.sampled_from(sorted(contents) or ["plan"])))
    before = shipped.policy.decide(stage, facts_of(contents, shipped), subject)
    after = shipped.policy.decide(stage, lost(shipped, contents, names, how), subject)
    assert before.allowed or not after.allowed, (names, before.rules, after.rules)
    if before.effect is not Effect.NOT_YET:
        assert before.allowed or after.effect is not Effect.NOT_YET, (names, before.rules, after.rules)


@settings(parent=BOUNDED, max_examples=150)
@given(st.data(), st.sampled_from(("absent", "unknown", "declared")))
def test_a_turn_of_which_less_is_known_is_not_allowed_more(shipped: Bundle, data: st.DataObject, how: str) -> None:
    """Facts lost before segments are assigned: gate, policy and every tool allow nothing that they did not allow."""
    contents = {
        name: content
        for name, content in drawn(shipped, data, Stage.GATE_RISK).items()
        if not name.startswith("segment:")
    }
    names = data.draw(st.sets(st.sampled_from(sorted(contents) or ["plan"]), max_size=4))
    full = in_turn(shipped, facts_of(contents, shipped))
    less = in_turn(shipped, lost(shipped, contents, names, how))
    for question, before in full.items():
        assert before.allowed or not less[question].allowed, (question, names, before.rules, less[question].rules)


def in_turn(bundle: Bundle, facts: Facts) -> dict[tuple[Stage, str], Decision]:
    """Gate, policy and every tool as the flow asks them: segments are assigned, and the tier becomes a fact."""
    facts = facts.with_facts(assign(bundle.segments, facts, {}).facts)
    gate = bundle.policy.decide(Stage.GATE_RISK, facts)
    facts = facts.with_facts([fact("risk", gate.dimensions.risk.value, "gate_risk")])
    found = {(Stage.GATE_RISK, TURN): gate, (Stage.APPLY_POLICY, TURN): bundle.policy.decide(Stage.APPLY_POLICY, facts)}
    for tool in sorted(bundle.tools):
        fine = {name: value for name, value in favourable(bundle, tool).items() if name.startswith(("tool", "call"))}
        calling = facts.with_facts(fact(name, content, "test") for name, content in fine.items())
        calling = calling.with_facts(fact(name, content, "test") for name, content in GRANTED.get(tool, {}).items())
        found[Stage.AUTHORIZE_TOOLS, tool] = bundle.policy.decide(Stage.AUTHORIZE_TOOLS, calling, tool)
    return found


GRANTED: Mapping[str, Mapping[str, FactContent]] = {
    "issue_refund": {"call_invoice_status": "paid", "call_amount_within_paid": True, "call_duplicate_payment": True,
                     "call_cycle": "annual", "call_days_since_payment": 2, "call_already_refunded": False},
    "cancel_subscription": {"call_plan": "team", "call_date_possible": True, "call_subscription_status": "active"},
    "change_plan": {"call_current_plan": "team", "call_direction": "upgrade", "call_seats_fit": True,
                    "call_subscription_status": "active"},
    "delete_data": {"call_workspace_status": "active"},
    "reset_mfa": {"call_device_status": "active"},
}  # fmt: skip
"""What each tool's own facts are where its call is in order."""


@settings(parent=BOUNDED, max_examples=250)
@given(st.data(), st.sampled_from(RISKY))
def test_one_more_risk_signal_relaxes_nothing(shipped: Bundle, data: st.DataObject, signal: str) -> None:
    """Through the whole turn: segments, gate, the tier that it finds, policy, and every tool."""
    contents = {
        name: content
        for name, content in drawn(shipped, data, Stage.GATE_RISK).items()
        if not name.startswith("segment:")
    }
    contents["identity"] = data.draw(st.sampled_from(("verified", "identified")))
    signals = contents.get("signals", ())
    assert isinstance(signals, tuple)
    contents["signals"] = tuple(sorted(set(signals) - {signal}))
    before = in_turn(shipped, facts_of(contents, shipped))
    contents["signals"] = tuple(sorted({*signals, signal}))
    after = in_turn(shipped, facts_of(contents, shipped))
    for question, one in before.items():
        other = after[question]
        assert other.effect >= one.effect, (question, one.rules, other.rules)
        assert other.dimensions.risk >= one.dimensions.risk
        assert other.dimensions.automation >= one.dimensions.automation
        assert set(one.obligations) <= set(other.obligations), (question, one, other)


@BOUNDED
@given(st.data(), st.randoms(use_true_random=False))
def test_obligations_are_a_union(shipped: Bundle, data: st.DataObject, random: Random) -> None:
    """Rules in two heaps, anyhow: all of them together ask for exactly what the heaps ask for, no more and no less."""
    stage, subject = data.draw(st.sampled_from(questions(shipped)))
    facts = facts_of(drawn(shipped, data, stage, subject), shipped)
    one = [rule for rule in shipped.policy.rules if random.random() < 0.5]
    other = [rule for rule in shipped.policy.rules if rule not in one]
    heaps = [PolicySet(heap, "r").decide(stage, facts, subject) for heap in (one, other)]
    whole = shipped.policy.decide(stage, facts, subject)
    assert set(whole.obligations) == {duty for heap in heaps for duty in heap.obligations}
    assert whole.dimensions.risk == max(heap.dimensions.risk for heap in heaps)
    assert whole.dimensions.automation == max(heap.dimensions.automation for heap in heaps)


@BOUNDED
@given(st.data())
def test_without_rules_nothing_is_allowed_whatever_is_known(shipped: Bundle, data: st.DataObject) -> None:
    """The facts alone, all of them, permit nothing: neither with no rule at all nor with the restrictions alone."""
    stage, subject = data.draw(st.sampled_from(questions(shipped)))
    facts = facts_of(drawn(shipped, data, stage, subject), shipped)
    empty = PolicySet((), "r").decide(stage, facts, subject)
    assert (empty.effect, empty.reasons, empty.rules) == (DEFAULTS[stage], (NO_RULE,), ())
    strict = [rule for rule in shipped.policy.rules if rule.permits is None]
    assert not PolicySet(strict, "r").decide(stage, facts, subject).allowed


@BOUNDED
@given(st.data())
def test_a_segment_of_the_holdouts_changes_nothing_for_who_is_not_held_out(
    shipped: Bundle, data: st.DataObject
) -> None:
    """Outside every arm, and where nobody was assigned to any, the decisions are those of an unknown arm too."""
    stage, subject = data.draw(st.sampled_from(questions(shipped)))
    contents = data.draw(contents_at(shipped, stage, subject))
    arms = [f"holdout:{one.id}" for one in shipped.holdouts]
    nobody = shipped.policy.decide(stage, facts_of(contents, shipped), subject)
    outside = shipped.policy.decide(stage, facts_of({**contents, **dict.fromkeys(arms, False)}, shipped), subject)
    assert same(nobody, outside)


def test_the_properties_are_about_something(shipped: Bundle) -> None:
    """In the turns above much is allowed: every tool in order, and a plain question."""
    allowed: set[str] = set()
    for need in ("how_to", "access_restore", "billing_charges", "account_changes"):
        contents: dict[str, FactContent] = {
            "need_state": need, "need_states": (need,), "signals": (), "intent": "unknown", "confidence": 0.9,
            "language": "en", "identity": "verified", "channel": "widget", "conversation": "bot",
            "unresolved_turns": 1, "clarifications": 0, "failed_attempts": 0, "in_flow": False,
            "earlier_risk": "low", "pending": "nothing", "assistance": "accepted", "company_open": True,
            "person_offered": False, **{window.fact: 0 for window in shipped.windows},
        }  # fmt: skip
        found = in_turn(shipped, facts_of(contents, shipped))
        allowed |= {subject for (_, subject), decision in found.items() if decision.allowed}
    assert allowed >= {TURN, *GRANTED}
