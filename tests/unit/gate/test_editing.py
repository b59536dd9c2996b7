"""An operator's edit of a call that waits for approval (spec S7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from handrail.guardrails.gate.argument import Argument, Origin
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.gate.editing import Edit, changed, edit_of, edit_problems, edited_call, kept
from handrail.guardrails.gate.facts import Standing, gate_facts
from handrail.guardrails.gate.inspection import Sources, inspect
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from tests.unit.gate.conftest import shipped_tools

REFUND: dict[str, JsonValue] = {"invoice_id": "INV-2041", "amount": "49.00"}


def call(arguments: Mapping[str, JsonValue], tool: str = "issue_refund") -> ToolCall:
    """A call with these arguments."""
    return ToolCall(call_id="c", tool=tool, arguments=dict(arguments))


@pytest.fixture
def refund(tools: Mapping[str, ToolSpec]) -> ToolSpec:
    """The tool that gives money back."""
    return tools["issue_refund"]


@pytest.mark.parametrize(
    ("amount", "meaning"),
    [("49.01", Edit.FAVOURABLE), ("120.00", Edit.FAVOURABLE), ("48.99", Edit.ADVERSE), ("0.01", Edit.ADVERSE)],
)
def test_more_money_back_is_in_the_customers_favour(refund: ToolSpec, amount: str, meaning: Edit) -> None:
    """And less is not, by a cent or by all of it."""
    before = call(REFUND)
    assert edit_of(refund, before, edited_call(refund, before, {"amount": amount})) is meaning


def test_the_same_amount_written_otherwise_is_no_edit(refund: ToolSpec) -> None:
    """There is one way to write a call."""
    before = call(REFUND)
    after = edited_call(refund, before, {"amount": "€49"})
    assert digest(after) == digest(before)
    assert edit_of(refund, before, after) is Edit.NONE
    assert edit_problems(refund, before, after) == ("nothing is changed: approve the call as it is",)


def test_what_is_not_declared_to_favour_anybody_is_against_the_customer(tools: Mapping[str, ToolSpec]) -> None:
    """A day moved either way: the customer is asked."""
    spec = tools["cancel_subscription"]
    before = call({"subscription_id": "SUB-1001", "effective_on": "2026-12-01"}, spec.id)
    for day in ("2026-11-30", "2026-12-02"):
        after = edited_call(spec, before, {"effective_on": day})
        assert edit_problems(spec, before, after) == ()
        assert edit_of(spec, before, after) is Edit.ADVERSE


def test_one_adverse_change_among_favourable_ones_counts(every_type: ToolSpec) -> None:
    """The customer has to agree to the whole."""
    arguments = tuple(
        one.model_copy(update={"favours": "more"}) if one.name == "price" else one for one in every_type.arguments
    )
    spec = every_type.model_copy(update={"arguments": arguments})
    before = call({"order_id": "ORD-1234", "count": 3, "price": "49.00", "size": "small"}, spec.id)
    assert edit_of(spec, before, edited_call(spec, before, {"price": "50.00", "count": 4})) is Edit.ADVERSE


def test_an_argument_that_does_not_name_the_operator_cannot_be_changed(refund: ToolSpec) -> None:
    """The invoice is the customer's: another one is another request."""
    before = call(REFUND)
    (problem,) = edit_problems(refund, before, edited_call(refund, before, {"invoice_id": "INV-2042"}))
    assert "invoice_id" in problem
    assert "deny" in problem


def test_all_problems_are_listed_together(refund: ToolSpec) -> None:
    """What is missing, what does not fit and what there is not."""
    before = call(REFUND)
    problems = edit_problems(refund, before, edited_call(refund, before, {"amount": "lots", "to": "me"}))
    assert len(problems) >= 2
    assert any("amount" in problem for problem in problems)


def test_taking_a_required_argument_away_is_a_problem(refund: ToolSpec) -> None:
    """Null leaves an argument out."""
    before = call(REFUND)
    after = edited_call(refund, before, {"amount": None})
    assert changed(before, after) == {"amount": None}
    assert "amount is missing" in edit_problems(refund, before, after)
    assert edit_of(refund, before, after) is Edit.ADVERSE


@given(
    st.dictionaries(st.sampled_from(["invoice_id", "amount"]), st.none() | st.booleans() | st.integers() | st.text())
)
def test_changed_and_kept_make_the_call(changes: dict[str, JsonValue]) -> None:
    """Whatever an operator sends, nothing of the call is in both or in neither."""
    spec, before = shipped_tools()["issue_refund"], call(REFUND)
    after = edited_call(spec, before, changes)
    assert {name: value for name, value in changed(before, after).items() if value is not None} | kept(
        before, after
    ) == after.arguments
    assert set(changed(before, after)).isdisjoint(kept(before, after))


def test_a_value_that_an_operator_set_comes_from_the_operator(refund: ToolSpec) -> None:
    """It stands nowhere else, and that is enough; what they left alone had its origins checked before."""
    after = call({**REFUND, "amount": "20.00"})
    held = Sources(operator={"amount": "20.00"}, kept={"invoice_id": "INV-2041"})
    inspection = inspect(after, refund, held)
    assert inspection.unvouched == ()
    assert {one.argument: one.origins for one in inspection.provenance}["amount"] == (Origin.OPERATOR,)


@pytest.mark.parametrize(
    "held",
    [
        Sources(),
        Sources(operator={"amount": "21.00"}, kept={"invoice_id": "INV-2041"}),
        Sources(operator={"invoice_id": "20.00"}, kept={"invoice_id": "INV-2041"}),
        Sources(kept={"invoice_id": "INV-2041", "amount": "49.00"}),
    ],
)
def test_any_other_value_does_not(refund: ToolSpec, held: Sources) -> None:
    """Not another value, not another argument, not one that was only kept."""
    assert "amount" in inspect(call({**REFUND, "amount": "20.00"}), refund, held).unvouched


def test_an_operator_is_no_origin_where_the_declaration_does_not_say_so(refund: ToolSpec) -> None:
    """The rule stands in the bundle, argument by argument."""
    held = Sources(operator={"invoice_id": "INV-2042"}, kept={"amount": "49.00"})
    assert inspect(call({**REFUND, "invoice_id": "INV-2042"}), refund, held).unvouched == ("invoice_id",)


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "text", "favours": "more"},
        {"type": "money", "currency": "currency", "favours": "more", "origin": ["customer_words"]},
        {"type": "money", "currency": "currency", "favours": "sideways"},
    ],
)
def test_favours_needs_something_that_an_operator_can_measure(broken: dict[str, JsonValue]) -> None:
    """It is a load error everywhere else."""
    with pytest.raises(ValidationError):
        Argument.model_validate({"name": "amount", "description": "x", **broken})


@pytest.mark.parametrize("edit", list(Edit))
def test_policy_is_told_what_an_edit_means(refund: ToolSpec, edit: Edit) -> None:
    """As a fact about the call, which rules may ask."""
    inspection = inspect(call(REFUND), refund, Sources())
    standing = Standing(now=datetime(2026, 5, 4, tzinfo=UTC), edit=edit)
    assert gate_facts(refund, inspection, standing, {})["call_edit"] == edit.value
