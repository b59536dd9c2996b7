"""What the shipped bundle promises, on its decisions: the templates, the floor, and what no fact can change."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import SegmentEntry, Tier
from handrail.guardrails.policy.facts import FactKind, Facts, FactSpec, OnUnknown, fact, ignorable
from handrail.guardrails.segments import Assignment, assign
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Automation, Decision, Effect, FactContent, Obligation, RiskTier, Stage

BOUNDED = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
HIGH = ("issue_refund", "cancel_subscription", "change_plan", "delete_data", "reset_mfa")
CALM: Mapping[str, FactContent] = {
    "need_state": "how_to",
    "need_states": ("how_to",),
    "intent": "unknown",
    "confidence": 0.9,
    "signals": (),
    "language": "en",
    "identity": "identified",
    "channel": "widget",
    "conversation": "bot",
    "unresolved_turns": 1,
    "clarifications": 0,
    "failed_attempts": 0,
    "in_flow": False,
    "earlier_risk": "low",
    "pending": "nothing",
    "assistance": "accepted",
    "company_open": True,
}


def in_turn(bundle: Bundle, **contents: FactContent) -> tuple[Decision, Decision, Assignment, Facts]:
    """Gate and policy for a message with these facts; counts are 0 and attributes unknown unless they are given."""
    counts = {window.fact: 0 for window in bundle.windows}
    known = {**CALM, **counts, **contents}
    facts = facts_of(known, bundle)
    members = assign(bundle.segments, facts, {})
    facts = facts.with_facts(members.facts)
    gate = bundle.policy.decide(Stage.GATE_RISK, facts)
    facts = facts.with_facts([fact("risk", gate.dimensions.risk.value, "gate_risk")])
    return gate, bundle.policy.decide(Stage.APPLY_POLICY, facts), members, facts


def tool(bundle: Bundle, facts: Facts, name: str, **contents: FactContent) -> Decision:
    """The decision about a call of a tool, all its own facts in order unless they are given."""
    spec = bundle.tools[name]
    fine: dict[str, FactContent] = {
        "tool": name,
        "tool_access": spec.access.value,
        "tool_sensitivity": spec.sensitivity.value,
        "tool_reversible": spec.reversible,
        "tool_needs_customer": spec.requires_customer,
        "call_schema_valid": True,
        "call_provenance_ok": True,
        "call_confirmed": True,
        "call_approvals": 1,
        "call_repeated": False,
        "call_over_rate": False,
        "call_edit": "none",
    }
    stated = {**fine, **contents}
    return bundle.policy.decide(
        Stage.AUTHORIZE_TOOLS, facts.with_facts(fact(one, content, "test") for one, content in stated.items()), name
    )


def values(spec: FactSpec) -> st.SearchStrategy[FactContent]:
    """Anything that a fact can hold."""
    if spec.kind is FactKind.BOOLEAN:
        return st.booleans()
    if spec.kind is FactKind.NUMBER:
        return st.integers(0, 400)
    words = st.sampled_from(sorted(spec.values)) if spec.values else st.sampled_from(("en", "de", "x"))
    if spec.kind is FactKind.WORD:
        return words
    return st.lists(words, max_size=3, unique=True).map(lambda some: tuple(sorted(some)))


def contents_at(bundle: Bundle, stage: Stage, subject: str | None = None) -> st.SearchStrategy[dict[str, FactContent]]:
    """Any combination of the facts that exist at a stage, each known or not, segments too."""
    asked = {
        name: values(spec)
        for name, spec in bundle.facts.items()
        if spec.exists_at(stage) and (spec.tools is None or subject in spec.tools)
    }
    segments = {f"segment:{segment.id}": st.booleans() for segment in bundle.segments}
    return st.fixed_dictionaries({}, optional={**asked, **segments})


def facts_of(contents: Mapping[str, FactContent], bundle: Bundle) -> Facts:
    """These facts; what is missing may be ignored where it is declared so."""
    left_out = {name for name, spec in bundle.facts.items() if spec.on_unknown is OnUnknown.IGNORE} - set(contents)
    known = (fact(name, content, "test") for name, content in contents.items())
    return Facts.of((*(ignorable(name, "test", "missing") for name in sorted(left_out)), *known))


# ------------------------------------------------------------------------------------------- the registry


def test_at_most_ten_run_time_segments_are_active(shipped: Bundle) -> None:
    """S4.2: ten, and the others stand ready."""
    running = [entry for entry in shipped.entries.values() if entry.tier is Tier.RUNTIME]
    assert len([entry for entry in running if entry.status == "active"]) <= 10
    assert any(entry.status == "ready" for entry in running)
    assert shipped.manifest.limits.runtime_segments == 10


def test_every_segment_has_every_field(shipped: Bundle) -> None:
    """S4.3: nothing is left to a default, and nothing is empty that has to say something."""
    for entry in shipped.entries.values():
        assert entry.model_fields_set >= set(SegmentEntry.model_fields) - {"hold_minutes", "floor", "waive"}, entry.id
        assert entry.title, entry.id
        assert entry.purpose, entry.id
        assert entry.owner, entry.id
        assert entry.metrics, entry.id


def test_every_need_state_is_served_by_a_segment(shipped: Bundle) -> None:
    """Each of the six need states is in an active segment of its own."""
    for need in shipped.manifest.need_states:
        _, _, members, _ = in_turn(shipped, need_state=need.value, need_states=(need.value,))
        assert set(members.members) & {"billing_charges", need.value}, need


# ------------------------------------------------------------------------------------------ the templates

BILLING: Mapping[str, FactContent] = {"need_state": "billing_charges", "need_states": ("billing_charges",)}
ACCESS: Mapping[str, FactContent] = {"need_state": "access_restore", "need_states": ("access_restore",)}


def test_a_disputed_charge_is_restricted_and_collects_the_details(shipped: Bundle) -> None:
    """S4.4: not escalated yet; restricted, no commitments, and the flow that asks for what a person needs."""
    gate, policy, members, _ = in_turn(shipped, **BILLING, signals=("RISK_CHARGE_DISPUTE",))
    assert "billing_dispute" in members.members
    assert gate.dimensions.risk is RiskTier.HIGH
    assert policy.allowed
    assert policy.dimensions.automation is Automation.RESTRICTED
    assert policy.dimensions.queue == "billing_disputes"
    assert Obligation.NO_COMMITMENTS in policy.obligations
    assert policy.dimensions.flow == "billing_dispute_details"
    asked = {field.name for step in shipped.flows["billing_dispute_details"].steps if step.kind == "collect"
             for field in step.fields}  # fmt: skip
    for wanted in ("invoice", "date", "amount", "four", "screenshot"):
        assert any(wanted in name for name in asked), (wanted, asked)


def test_a_refund_is_not_made_in_a_dispute(shipped: Bundle) -> None:
    """S4.4: even confirmed, approved and verified, the call is refused or goes to a person."""
    _, _, _, facts = in_turn(shipped, **BILLING, signals=("RISK_CHARGE_DISPUTE",), identity="verified")
    found = tool(shipped, facts, "issue_refund", call_owned=True, call_role_allows=True, call_invoice_status="paid",
                 call_amount_within_paid=True, call_duplicate_payment=True, call_cycle="annual",
                 call_days_since_payment=2, call_already_refunded=False)  # fmt: skip
    assert not found.allowed
    assert "SEG_BILLING_DISPUTE" in found.reasons or found.effect is Effect.ESCALATE


@pytest.mark.parametrize("signal", ["RISK_FRAUD", "RISK_CHARGEBACK"])
def test_fraud_and_chargeback_go_to_a_person_at_once(shipped: Bundle, signal: str) -> None:
    """S4.4: nothing is collected first."""
    gate, policy, members, _ = in_turn(shipped, **BILLING, signals=(signal,))
    assert {"billing_dispute", "always_human"} <= set(members.members)
    assert policy.effect is Effect.ESCALATE
    assert "ESC_FRAUD_OR_CHARGEBACK" in policy.reasons
    assert gate.dimensions.automation is Automation.HUMAN_FIRST


@pytest.mark.parametrize(
    ("contents", "inside"),
    [
        ({"payment_failures_30d": 1, "signals": ("FRUSTRATION",)}, True),
        ({"signals": ("FRUSTRATION", "PAYMENT_FAILURE")}, True),
        ({"payment_failures_30d": 1}, False),
        ({"payment_failures_30d": 0, "signals": ("FRUSTRATION",)}, False),
    ],
)
def test_payment_failure_with_anger_is_a_dispute(
    shipped: Bundle, contents: dict[str, FactContent], inside: bool
) -> None:
    """S4.4: the optional entry needs both."""
    _, _, members, _ = in_turn(shipped, **{**BILLING, **contents})
    assert ("billing_dispute" in members.members) is inside


def test_access_is_restored_by_a_guided_checklist(shipped: Bundle) -> None:
    """S4.4: guided, and the outcome is verified before anything is closed."""
    _, policy, members, _ = in_turn(shipped, **ACCESS)
    assert "need_states has access_restore" in members.members["access_restore"]
    assert policy.allowed
    assert policy.dimensions.automation is Automation.GUIDED
    assert policy.dimensions.flow == "access_restore"
    assert Obligation.VERIFY_OUTCOME in policy.obligations


@pytest.mark.parametrize(
    ("contents", "effect", "reason"),
    [
        ({"failed_attempts": 1}, Effect.ALLOW, "OFFER_AFTER_FAILED_ATTEMPT"),
        ({"failed_attempts": 2}, Effect.ESCALATE, "ESC_ATTEMPTS_USED"),
        ({"signals": ("RISK_TAKEOVER",)}, Effect.ESCALATE, "ESC_TAKEOVER_SUSPECTED"),
        ({"need_states": ("access_restore", "account_takeover")}, Effect.ESCALATE, "ESC_TAKEOVER_SUSPECTED"),
    ],
)
def test_access_restore_brings_a_person(
    shipped: Bundle, contents: dict[str, FactContent], effect: Effect, reason: str
) -> None:
    """S4.4: one failed attempt offers a person, the second brings one, and a suspected takeover does at once."""
    _, policy, _, _ = in_turn(shipped, **{**ACCESS, **contents})
    assert policy.effect is effect
    assert reason in policy.reasons


@pytest.mark.parametrize(
    ("articles", "same_intent", "reopened", "unresolved", "inside"),
    [
        (2, 2, 0, False, True),
        (2, 0, 1, False, True),
        (2, 0, 0, True, True),
        (0, 2, 0, True, True),
        (2, 1, 0, False, False),
        (1, 2, 0, False, False),
        (0, 1, 1, True, False),
        (2, 2, 1, True, True),
    ],
)
def test_self_serve_failed_is_entered_by_two_of_three(
    shipped: Bundle, articles: int, same_intent: int, reopened: int, unresolved: bool, inside: bool
) -> None:
    """S4.4: articles before the chat, the same intent again, reopened or still unresolved; any two of them."""
    _, policy, members, _ = in_turn(
        shipped,
        articles_before_chat=articles,
        same_intent_7d=same_intent,
        tickets_reopened_7d=reopened,
        tickets_reopened_30d=reopened,
        signals=("STILL_UNRESOLVED",) if unresolved else (),
    )
    assert ("self_serve_failed" in members.members) is inside
    if inside:
        assert {Obligation.SKIP_BASICS, Obligation.OFFER_HUMAN} <= set(policy.obligations)
        assert policy.dimensions.automation >= Automation.GUIDED


# ---------------------------------------------------------------------------------- what no fact can change


@BOUNDED
@given(st.data())
def test_no_attribute_changes_a_risk_decision(shipped: Bundle, data: st.DataObject) -> None:
    """S5.2: whatever plan, value, region or any other attribute is, known or not, the gate decides the same."""
    message = {
        name: content
        for name, content in data.draw(contents_at(shipped, Stage.GATE_RISK)).items()
        if name not in shipped.attributes and not name.startswith("segment:")
    }
    optional = {name: values(shipped.facts[name]) for name in shipped.attributes}
    attributes = data.draw(st.fixed_dictionaries({}, optional=optional))
    plain = shipped.policy.decide(Stage.GATE_RISK, facts_of(message, shipped))
    assert shipped.policy.decide(Stage.GATE_RISK, facts_of({**message, **attributes}, shipped)) == plain


@BOUNDED
@given(st.data())
def test_a_request_for_a_person_is_never_refused(shipped: Bundle, data: st.DataObject) -> None:
    """S5.3: whatever else is known, it escalates."""
    contents = data.draw(contents_at(shipped, Stage.APPLY_POLICY))
    if data.draw(st.booleans()):
        contents["need_state"] = "human_request"
    else:
        signals = contents.get("signals", ())
        assert isinstance(signals, tuple)
        contents["signals"] = tuple(sorted({*signals, "HUMAN_REQUESTED"}))
    found = shipped.policy.decide(Stage.APPLY_POLICY, facts_of(contents, shipped))
    assert found.effect is Effect.ESCALATE
    assert "HUMAN_REQUESTED" in found.reasons


@BOUNDED
@given(st.data())
def test_what_is_always_for_people_always_escalates(shipped: Bundle, data: st.DataObject) -> None:
    """S5.2: fraud, chargeback, takeover, law, safety and regulated topics are answered by nobody else."""
    always = ("RISK_FRAUD", "RISK_CHARGEBACK", "RISK_TAKEOVER", "RISK_LEGAL", "RISK_SAFETY", "RISK_REGULATED")
    contents = data.draw(contents_at(shipped, Stage.APPLY_POLICY))
    contents["signals"] = (data.draw(st.sampled_from(always)),)
    assert shipped.policy.decide(Stage.APPLY_POLICY, facts_of(contents, shipped)).effect is Effect.ESCALATE


@BOUNDED
@given(st.data())
def test_no_write_is_allowed_without_the_agreement_it_needs(shipped: Bundle, data: st.DataObject) -> None:
    """S7: every write is confirmed; the five that do harm are also approved, and the customer is verified."""
    name = data.draw(st.sampled_from([one.id for one in shipped.tools.values() if one.access is Access.WRITE]))
    missing = ["call_confirmed", *(("call_approvals", "identity") if name in HIGH else ())]
    lacking = data.draw(st.sampled_from(missing))
    contents = data.draw(contents_at(shipped, Stage.AUTHORIZE_TOOLS, name))
    # As favourable as it gets, so that only what is lacking can stand in the way.
    good: dict[str, FactContent] = dict.fromkeys(
        (
            "call_owned",
            "call_role_allows",
            "call_confirmed",
            "call_schema_valid",
            "call_provenance_ok",
        ),
        True,
    )
    good |= {"identity": "verified", "risk": "low", "tool_access": "write", "call_approvals": 2}
    contents = {**contents, **(good if data.draw(st.booleans()) else {"tool_access": "write"})}
    nothing: Mapping[str, FactContent] = {"identity": "identified", "call_approvals": 0}
    less: dict[str, FactContent | None] = {lacking: nothing.get(lacking, False)}
    if data.draw(st.booleans()):
        less = {lacking: None}
    seen = facts_of(contents, shipped).with_facts(fact(one, content, "test") for one, content in less.items())
    found = shipped.policy.decide(Stage.AUTHORIZE_TOOLS, seen, name)
    assert not found.allowed, found.reasons


@pytest.mark.parametrize("name", HIGH)
def test_the_five_that_do_harm_can_be_allowed_at_all(shipped: Bundle, name: str) -> None:
    """The property above is not true by accident: with everything in order each of them runs."""
    need = {"issue_refund": "billing_charges", "reset_mfa": "access_restore"}.get(name, "account_changes")
    _, _, _, facts = in_turn(shipped, need_state=need, need_states=(need,), identity="verified")
    found = tool(shipped, facts, name, **FINE[name])
    assert found.allowed, (found.rules, found.reasons)


FINE: Mapping[str, Mapping[str, FactContent]] = {
    "issue_refund": {"call_owned": True, "call_role_allows": True, "call_invoice_status": "paid",
                     "call_amount_within_paid": True, "call_duplicate_payment": True, "call_cycle": "annual",
                     "call_days_since_payment": 2, "call_already_refunded": False,
                     "call_amount_minor": 5200, "call_refunded_30d": 5200},
    "cancel_subscription": {"call_owned": True, "call_role_allows": True, "call_plan": "team",
                            "call_date_possible": True, "call_subscription_status": "active"},
    "change_plan": {"call_owned": True, "call_role_allows": True, "call_current_plan": "team",
                    "call_direction": "upgrade", "call_seats_fit": True, "call_subscription_status": "active"},
    "delete_data": {"call_owned": True, "call_role_allows": True, "call_workspace_status": "active"},
    "reset_mfa": {"call_owned": True, "call_device_status": "active"},
}  # fmt: skip


@BOUNDED
@given(st.data())
def test_an_undeclared_tool_is_refused(shipped: Bundle, data: st.DataObject) -> None:
    """S7.1: denied until a rule grants it."""
    contents = data.draw(contents_at(shipped, Stage.AUTHORIZE_TOOLS))
    found = shipped.policy.decide(Stage.AUTHORIZE_TOOLS, facts_of(contents, shipped), "format_disk")
    assert not found.allowed
