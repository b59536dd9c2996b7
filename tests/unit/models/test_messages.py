"""How a prompt becomes messages: what stands where."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from handrail.agent.models.blocks import block, result_block
from handrail.agent.models.messages import CUSTOMER, MAY_PROMISE, PROMISED, REFERENCE, REPAIR, rendered, wire_messages
from handrail.agent.ports import Prompt
from handrail.guardrails.vocabulary import Depth, Tone, ToolCall, ToolOutcome, ToolResult


def prompt(**changed: object) -> Prompt:
    """A bare prompt."""
    return Prompt(
        template="answer@1.0.0",
        system="Rules.",
        history=(),
        message="Where is my invoice?",
        need_state=None,
        intent=None,
        tone=Tone.PLAIN,
        depth=Depth.STANDARD,
        obligations=(),
        passages=(),
        tools=(),
        results=(),
    ).model_copy(update=changed)


def test_without_reference_material_the_message_stands_alone() -> None:
    """No heading announces an empty block."""
    assert rendered(prompt()) == [SystemMessage("Rules."), HumanMessage("Where is my invoice?")]


def test_records_stand_in_a_block_in_front_of_the_message() -> None:
    """Verified records are reference material, in a fixed order."""
    text = str(rendered(prompt(known={"plan": "team", "name": "Ana"}))[1].content)
    expected = block("record", "verified, about this customer", "name: Ana\nplan: team")
    assert text == f"{REFERENCE}\n\n{expected}\n\n{CUSTOMER}\n\nWhere is my invoice?"


def test_a_refusal_goes_back_as_a_typed_outcome() -> None:
    """The model sees that the call was refused and why, by code."""
    call = ToolCall(call_id="any", tool="get_invoice", arguments={"invoice_id": "INV-1"})
    refused = ToolResult(call=call, outcome=ToolOutcome.REFUSED, reasons=("TOOL_NOT_OWNED",))
    asked, answered = rendered(prompt(results=(refused,)))[2:]
    assert isinstance(asked, AIMessage)
    assert asked.tool_calls[0]["args"] == {"invoice_id": "INV-1"}
    assert isinstance(answered, ToolMessage)
    assert str(answered.content).startswith("outcome: refused\nreasons: TOOL_NOT_OWNED\n")


def test_repeated_call_ids_are_told_apart() -> None:
    """Two calls with the same id get ids of their own on the wire."""
    call = ToolCall(call_id="same", tool="get_status", arguments={})
    result = ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content={})
    messages = wire_messages(prompt(results=(result, result)))
    assert [message["tool_call_id"] for message in messages if message["role"] == "tool"] == ["call_1", "call_2"]


def test_promises_stand_before_the_message_and_never_in_the_rules() -> None:
    """What may be promised and what was promised come from the company, in a part of their own."""
    system, asked = rendered(prompt(allowed=("we will write",), promised=("We will call.",)))
    assert system == SystemMessage("Rules.")
    parts = str(asked.content).split("\n\n")
    assert parts == [MAY_PROMISE, "- we will write", PROMISED, "- We will call.", CUSTOMER, "Where is my invoice?"]


def test_guidance_comes_last() -> None:
    """What a repair must mend is the last thing the model reads, and never a system message."""
    alone = rendered(prompt(guidance=("Drop the promise.",)))
    assert str(alone[-1].content).endswith(f"{REPAIR}\n\n- Drop the promise.")
    call = ToolCall(call_id="c", tool="get_status", arguments={})
    result = ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED)
    behind = rendered(prompt(guidance=("Drop the promise.",), results=(result,)))
    assert isinstance(behind[-1], HumanMessage)
    assert sum(isinstance(message, SystemMessage) for message in behind) == 1


def test_a_result_that_is_withheld_says_so() -> None:
    """The call succeeded, there is nothing to read, and the model learns why."""
    withheld = ToolResult(
        call=ToolCall(call_id="c", tool="get_invoice", arguments={}),
        outcome=ToolOutcome.SUCCEEDED,
        reasons=("TOOL_RESULT_WITHHELD",),
    )
    assert result_block(withheld).startswith("outcome: succeeded\nreasons: TOOL_RESULT_WITHHELD\n")
