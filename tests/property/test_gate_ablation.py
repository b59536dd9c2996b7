"""Each rule of the gate is all that stands between one bad fact and an allowed call (spec S7.2)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.vocabulary import FactContent, Stage
from tests.property.test_shipped_policy import drawn, favourable
from tests.unit.bundle.test_shipped import facts_of

GOOD: dict[str, dict[str, FactContent]] = {
    "get_invoice": {"segment:billing_charges": True},
    "issue_refund": {
        "segment:billing_charges": True, "call_invoice_status": "paid", "call_amount_within_paid": True,
        "call_duplicate_payment": True, "call_already_refunded": False, "call_cycle": "annual",
        "call_days_since_payment": 3,
    },
    "cancel_subscription": {
        "segment:account_changes": True, "call_plan": "team", "call_date_possible": True,
        "call_subscription_status": "active",
    },
    "change_plan": {
        "segment:account_changes": True, "call_current_plan": "team", "call_direction": "upgrade",
        "call_seats_fit": True, "call_subscription_status": "active",
    },
    "delete_data": {"segment:account_changes": True, "call_workspace_status": "active"},
    "reset_mfa": {"segment:access_restore": True, "call_device_status": "active"},
    "resend_code": {"segment:access_restore": True, "call_channel_available": True, "call_codes_last_hour": 0},
}  # fmt: skip
"""By tool, what besides the favourable facts has to hold."""

NO_SEGMENT: dict[str, FactContent] = {"segment:always_human": False, "segment:billing_dispute": False}

SPOILT: dict[str, tuple[str, dict[str, FactContent]]] = {
    "tools.anonymous": ("resend_code", {"identity": "anonymous"}),
    "tools.schema": ("get_invoice", {"call_schema_valid": False}),
    "tools.provenance": ("issue_refund", {"call_provenance_ok": False}),
    "tools.repeated": ("resend_code", {"call_repeated": True}),
    "tools.rate": ("resend_code", {"call_over_rate": True}),
    "tools.high_risk": ("reset_mfa", {"risk": "high"}),
    "tools.verify": ("delete_data", {"identity": "identified"}),
    "tools.confirm": ("change_plan", {"call_confirmed": False}),
    "tools.approve": ("cancel_subscription", {"call_approvals": 0}),
    "tools.second_approval": ("issue_refund", {"call_amount_minor": 20_100, "call_approvals": 1}),
    "tools.refund_sum": ("issue_refund", {"call_refunded_30d": 30_100}),
    "tools.owned": ("get_invoice", {"call_owned": False}),
    "tools.role": ("delete_data", {"call_role_allows": False}),
    "tools.contract": ("cancel_subscription", {"call_plan": "enterprise"}),
    "tools.contract_plan": ("change_plan", {"call_current_plan": "enterprise"}),
    "tools.cancel_possible": ("cancel_subscription", {"call_date_possible": False}),
    "tools.change_possible": ("change_plan", {"call_seats_fit": False}),
    "tools.delete_possible": ("delete_data", {"call_workspace_status": "deletion_scheduled"}),
    "tools.refund_possible": ("issue_refund", {"call_invoice_status": "open"}),
    "tools.refund_exception": ("issue_refund", {"call_duplicate_payment": False, "call_cycle": "monthly"}),
    "tools.refund_twice": ("issue_refund", {"call_already_refunded": True}),
    "tools.reset_possible": ("reset_mfa", {"call_device_status": "removed"}),
    "tools.code_possible": ("resend_code", {"call_channel_available": False}),
    "tools.code_rate": ("resend_code", {"call_codes_last_hour": 5}),
    "segment.always_human.deny": ("reset_mfa", {"segment:always_human": True}),
    "segment.billing_dispute.deny": ("issue_refund", {"segment:billing_dispute": True}),
}
"""By restricting rule, a tool and the one thing that is wrong."""


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


def allows(bundle: Bundle, policy: PolicySet, tool: str, contents: dict[str, FactContent]) -> bool:
    """Whether the call goes ahead."""
    return policy.decide(Stage.AUTHORIZE_TOOLS, facts_of(contents, bundle), tool).allowed


def test_every_rule_of_the_gate_is_switched_off_here(shipped: Bundle) -> None:
    """A new one must be placed."""
    of_gate = {rule.id for rule in shipped.policy.rules if rule.stage is Stage.AUTHORIZE_TOOLS}
    permits = {rule.id for rule in shipped.policy.rules if rule.permits is not None}
    assert of_gate - permits == set(SPOILT)


@pytest.mark.parametrize("rule", SPOILT)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_bad_fact_forbids_a_call_whatever_else_holds(shipped: Bundle, rule: str, data: st.DataObject) -> None:
    """Over everything that can be known beside it."""
    tool, bad = SPOILT[rule]
    beside = drawn(shipped, data, Stage.AUTHORIZE_TOOLS, tool)
    good = {**favourable(shipped, tool), **GOOD[tool], **NO_SEGMENT}
    contents = {**beside, **(good if data.draw(st.booleans()) else {}), **bad}
    if rule == "tools.refund_exception":
        contents["call_days_since_payment"] = 30
    assert not allows(shipped, shipped.policy, tool, contents)


@pytest.mark.parametrize("rule", SPOILT)
def test_without_its_rule_the_bad_fact_forbids_nothing(shipped: Bundle, rule: str) -> None:
    """So the property above turns red as soon as the rule is gone, and the call is allowed when nothing is wrong."""
    tool, bad = SPOILT[rule]
    good = {**favourable(shipped, tool), **GOOD[tool], **NO_SEGMENT}
    ablated = PolicySet([one for one in shipped.policy.rules if one.id != rule], shipped.revision)
    assert allows(shipped, shipped.policy, tool, good)
    assert not allows(shipped, shipped.policy, tool, {**good, **bad})
    assert allows(shipped, ablated, tool, {**good, **bad})
