"""Where a turn and an agent's loop meet: nothing is taken twice, and nothing comes too late."""

from __future__ import annotations

import asyncio

import pytest

from handrail.agent.guest.exchange import Exchange, Over, WantsDraft, WantsRun
from handrail.agent.guest.guest import GUEST, GuestModel, GuestToolbox, plain
from handrail.agent.nocompany import NoCompany
from handrail.agent.ports import PortError, Prompt, ToolRefused
from handrail.guardrails.vocabulary import ConversationStatus, Depth, Draft, Tone, ToolCall, TurnResult

CALL = ToolCall(call_id="c1", tool="get_invoice", arguments={"invoice_id": "INV-1"})
PROMPT = Prompt(
    template="t", system="s", history=(), message="m", need_state=None, intent=None, tone=Tone.PLAIN,
    depth=Depth.STANDARD, obligations=(), passages=(), tools=(), results=(),
)  # fmt: skip


async def test_a_draft_is_brought_to_who_waits_for_it() -> None:
    """And one that nobody waits for is dropped."""
    exchange = Exchange("agent:x")
    exchange.propose(Draft(text="too early", author="model:x"))
    asked = asyncio.create_task(exchange.complete(PROMPT, 1.0))
    await asyncio.sleep(0)
    assert exchange.wanted == WantsDraft(prompt=PROMPT)
    exchange.propose(Draft(text="now", author="model:x"))
    exchange.propose(Draft(text="too late", author="model:x"))
    assert (await asked).text == "now"
    assert exchange.wanted is None


async def test_a_call_is_taken_once_and_by_its_id() -> None:
    """Two wrappers of one id cannot both run it."""
    exchange = Exchange("agent:x")
    asked = asyncio.create_task(exchange.execute(CALL))
    await asyncio.sleep(0)
    assert exchange.wanted == WantsRun(call=CALL)
    assert exchange.take("c2") is None
    assert exchange.take("c1") == CALL
    assert exchange.take("c1") is None
    exchange.ran({"amount": "1.00"})
    assert await asked == {"amount": "1.00"}


async def test_what_fails_is_told_and_the_end_stays_the_end() -> None:
    """Nothing is wanted after the turn is over."""
    exchange = Exchange("agent:x")
    asked = asyncio.create_task(exchange.execute(CALL))
    await asyncio.sleep(0)
    exchange.failed(PortError("broken"))
    with pytest.raises(PortError):
        await asked
    result = TurnResult(turn_id="t", reply="r", status=ConversationStatus.BOT, decisions=(), reasons=("X",))
    exchange.end(result)
    exchange.propose(Draft(text="x", author="model:x"))
    assert exchange.wanted == Over(result=result)


async def test_without_a_guest_there_is_no_model_and_no_tool() -> None:
    """Unless the tool is known here; its facts come from the company all the same."""
    assert GUEST.get() is None
    with pytest.raises(PortError):
        await GuestModel().complete(PROMPT, 1.0)
    toolbox = GuestToolbox(NoCompany())
    with pytest.raises(ToolRefused):
        await toolbox.execute(CALL, "dana", "k")

    class Tool:
        async def ainvoke(self, arguments: dict[str, object]) -> object:
            return {"read": arguments["invoice_id"]}

    toolbox.know("get_invoice", Tool())  # type: ignore[arg-type]
    assert await toolbox.execute(CALL, "dana", "k") == {"read": "INV-1"}
    assert await toolbox.outcome("k") is None
    assert (await toolbox.call_facts(CALL, "dana")).values == {}


def test_what_a_tool_answers_is_json_where_it_is() -> None:
    """Else it is a text."""
    assert plain('{"a": 1}') == {"a": 1}
    assert plain("no json") == "no json"
    assert plain({"a": {1, 2} and "x"}) == {"a": "x"}
    assert isinstance(plain("[" * 100_000), str)


def test_no_depth_breaks_a_reader() -> None:
    """What lies too deep is left out."""
    deep = plain("[" * 500 + '"far down"' + "]" * 500)
    assert deep != []
    assert "far down" not in str(deep)
