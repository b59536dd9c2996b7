"""How a call is written for a server, and how facts are read from its records, without a server."""

from __future__ import annotations

import pytest
from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import JsonValue

from handrail.agent.mcp.writing import arguments_of, content_of, facts_of_record, look_up_arguments
from handrail.agent.ports import ToolRefused
from handrail.guardrails.gate.mcp_source import McpSource
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from tests.support.mcp import call, declared

AMOUNT: JsonValue = {"name": "amount", "type": "money", "description": "How much.", "currency": "currency"}
ORDER: JsonValue = {"name": "order_id", "type": "text", "description": "The order."}


def refund(form: str) -> ToolSpec:
    """A write with an amount, sent in this form."""
    return declared(
        "cancel_order",
        arguments=[ORDER, AMOUNT],
        facts=[
            {"name": "currency", "type": "text", "description": "its currency"},
            {"name": "covered", "type": "boolean", "description": "the order cost at least that"},
            {"name": "same", "type": "boolean", "description": "it is that order"},
        ],
        question={"en": "Pay {amount}?"},
        done={"en": "Paid."},
        mcp={
            "arguments": {"amount": {"name": "sum", "form": form}},
            "look_up": {
                "tool": "get_order",
                "arguments": {"order_id": "id"},
                "facts": {
                    "currency": {"path": ["lines", "0", "currency"]},
                    "covered": {"path": ["total"], "covers": "amount"},
                    "same": {"path": ["id"], "same_as": "order_id"},
                },
            },
        },
    )


def source(spec: ToolSpec) -> McpSource:
    """Where the tool comes from."""
    assert spec.mcp is not None
    return spec.mcp


def paying(amount: str) -> ToolCall:
    """A call with an amount."""
    return ToolCall(call_id="c", tool="cancel_order", arguments={"order_id": "ORD-1001", "amount": amount})


@pytest.mark.parametrize(("form", "written"), [("as_is", "49.00"), ("number", 49.0), ("minor_units", 4900)])
def test_amounts_go_out_in_the_declared_form(form: str, written: JsonValue) -> None:
    """Under the server's name, with customer and key beside them."""
    sent = arguments_of(paying("49.00"), source(refund(form)), "mia", "k")
    assert sent == {"order_id": "ORD-1001", "sum": written, "customer_id": "mia", "idempotency_key": "k"}


def test_an_amount_that_is_none_is_not_sent() -> None:
    """The gate has refused it before; here nothing is guessed either."""
    with pytest.raises(ToolRefused):
        arguments_of(paying("49"), source(refund("minor_units")), "mia", "k")


def test_a_call_without_what_the_look_up_needs_has_no_look_up() -> None:
    """Its facts are unknown, and restrictions apply."""
    look_up = source(refund("as_is")).look_up
    assert look_up is not None
    assert look_up_arguments(ToolCall(call_id="c", tool="cancel_order", arguments={}), look_up, "mia") is None


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        ({"id": "ORD-1001", "total": "49.00", "lines": [{"currency": "EUR"}]},
         {"currency": "EUR", "covered": True, "same": True}),
        ({"id": "ORD-7", "total": "48.99", "lines": [{"currency": 7}]}, {"covered": False, "same": False}),
        ({"id": None, "total": 49.0, "lines": {}}, {}),
        ({"total": 4900}, {"covered": True}),
        ("no record", {}),
        ([], {}),
    ],
)  # fmt: skip
def test_facts_are_what_the_record_states_and_nothing_else(record: JsonValue, facts: dict[str, JsonValue]) -> None:
    """Another type, a missing field, a float as an amount: unknown."""
    spec = refund("as_is")
    look_up = source(spec).look_up
    assert look_up is not None
    assert facts_of_record(spec, look_up, record, paying("49.00"), "mia") == facts


def test_somebody_who_is_not_signed_in_owns_nothing() -> None:
    """Not even a record whose owner is an empty text."""
    spec = declared("cancel_order")
    look_up = source(spec).look_up
    assert look_up is not None
    assert facts_of_record(spec, look_up, {"customer_id": ""}, call("cancel_order"), "")["owned"] is False


@pytest.mark.parametrize(
    ("texts", "structured", "content"),
    [
        (['{"status": "open"}'], None, {"status": "open"}),
        (["[1, 2]"], None, {"result": [1, 2]}),
        (["open", "since May"], None, {"text": "open\nsince May"}),
        (["[" * 60_000], None, {"text": "[" * 60_000}),
        (["ignored"], {"status": "open"}, {"status": "open"}),
        ([], "open", {"result": "open"}),
    ],
)
def test_the_content_is_the_structure_or_the_text(texts: list[str], structured: JsonValue, content: JsonValue) -> None:
    """Pictures are left out."""
    blocks = [TextContent(type="text", text=text) for text in texts]
    picture = ImageContent(type="image", data="AAAA", mime_type="image/png")
    result = CallToolResult(content=[*blocks, picture], structured_content=structured)
    assert content_of(result) == content
