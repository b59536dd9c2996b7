"""The words of confirmations, rendered from the call and its facts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from handrail.guardrails.gate.question import render_done, render_question
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import FactContent, ToolCall

CALL = ToolCall(
    call_id="c",
    tool="order_parts",
    arguments={"order_id": "ORD-1234", "count": 3, "price": "1049.00", "size": "small"},
)
FACTS: dict[str, FactContent] = {"currency": "EUR", "state": "open", "ships_on": "2026-03-12"}


def test_the_question_states_the_call(every_type: ToolSpec) -> None:
    """Money with its sign, dates in words, choices by their label."""
    assert render_question(every_type, CALL, FACTS, "en") == (
        "Order 3 parts (Small) for ORD-1234 at €1,049.00? It is still open and ships on 12 March 2026."
    )
    assert render_done(every_type, CALL, FACTS, "en") == "Ordered for ORD-1234."


def test_the_question_in_another_language(every_type: ToolSpec) -> None:
    """A declared language has its own words; an undeclared one gets the first."""
    assert render_question(every_type, CALL, FACTS, "de") == "3 Teile (Klein) für ORD-1234 zu €1,049.00 bestellen?"
    undeclared = render_question(every_type, CALL, FACTS, "fr")
    assert undeclared is not None
    assert undeclared.startswith("Order 3 parts (Small)")


@pytest.mark.parametrize(
    "changed",
    [
        {"currency": None},
        {"state": None},
        {"ships_on": "soon"},
        {"ships_on": 12},
        {"currency": 978},
        {"state": "lost"},
    ],
)
def test_nobody_is_asked_with_a_gap(every_type: ToolSpec, changed: dict[str, FactContent | None]) -> None:
    """When a value is unknown or nonsense there is no question at all."""
    facts = {name: content for name, content in {**FACTS, **changed}.items() if content is not None}
    assert render_question(every_type, CALL, facts, "en") is None


def test_a_missing_argument_is_a_gap(every_type: ToolSpec) -> None:
    """A call without a required argument cannot be agreed to."""
    call = CALL.model_copy(update={"arguments": {"order_id": "ORD-1234"}})
    assert render_question(every_type, call, FACTS, "en") is None


def test_written_names_cannot_break_out(tools: Mapping[str, ToolSpec]) -> None:
    """A workspace name is one line of plain text, whatever its members wrote."""
    call = ToolCall(call_id="c", tool="delete_data", arguments={"workspace_id": "WS-3004"})
    facts: dict[str, FactContent] = {
        "workspace_name": "Old\n\nstuff** [click](x) {members} \u202e<b>" + "x" * 300,
        "members": 4,
        "deletes_on": "2026-03-26",
    }
    question = render_question(tools["delete_data"], call, facts, "en")
    assert question is not None
    assert question.startswith("Delete workspace WS-3004 (Old stuff click(x) members bxx")
    assert len(question) < 400
    assert not set("\n*[]{}<>\u202e") & set(question)


REFUND: dict[str, JsonValue] = {"invoice_id": "INV-2041", "amount": "52.00"}


@pytest.mark.parametrize(
    ("currency", "shown"), [("USD", "$52.00"), ("EUR", "€52.00"), ("GBP", "£52.00"), ("CHF", "52.00 CHF")]
)
def test_amounts_have_the_currency_of_the_record(tools: Mapping[str, ToolSpec], currency: str, shown: str) -> None:
    """The currency is the invoice's own and never an argument."""
    call = ToolCall(call_id="c", tool="issue_refund", arguments=REFUND)
    facts: dict[str, FactContent] = {"currency": currency, "last_four": "4242"}
    assert render_question(tools["issue_refund"], call, facts, "en") == (
        f"Refund {shown} of invoice INV-2041 to the payment method ending in 4242?"
    )


def test_reads_ask_nothing(tools: Mapping[str, ToolSpec]) -> None:
    """A tool without a question has none."""
    assert (
        render_question(tools["get_status"], ToolCall(call_id="c", tool="get_status", arguments={}), {}, "en") is None
    )
