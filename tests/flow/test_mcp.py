"""Tools of an MCP server under the gate: a hostile model, a hostile server, and what the customer gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from handrail.agent.mcp.toolbox import McpToolbox
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import ToolOutcome
from tests.flow.found import finding, page
from tests.flow.stand import Scripted, Stand
from tests.support.bundles import edited
from tests.support.mcp import EDITS, RAW, SHOP, STDIO, Served, served, toolbox
from tests.support.mcp_shop import POISON

ASKS = "How do I add a member to a project? And about my order ORD-1001."
MASKED = "[masked]"


class Shops(Protocol):
    """Opens services with a shop."""

    def __call__(self, model: Scripted, variant: str = "", module: str = SHOP) -> Awaitable[tuple[Stand, Served]]:
        """The service, and the server."""
        ...


@pytest.fixture(scope="module")
def with_shop(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped bundle with the example's tools and rules."""
    return edited(tmp_path_factory.mktemp("bundle") / "policies", *EDITS)


@pytest.fixture
async def shops(stands: Callable[..., Awaitable[Stand]], tmp_path: Path, with_shop: Bundle) -> AsyncIterator[Shops]:
    """Opens services with the example's tools on a real server."""
    async with AsyncExitStack() as until:

        async def opened(model: Scripted, variant: str = "", module: str = SHOP) -> tuple[Stand, Served]:
            reached = await until.enter_async_context(served(tmp_path, STDIO, module, variant))
            specs = (with_shop.tools["get_order"], with_shop.tools["cancel_order"])
            box: McpToolbox = await until.enter_async_context(toolbox(reached, *specs))
            stand = await stands(model=model, bundle=with_shop, remote=box)
            finding(stand, page(1, "Open the project and choose Members."))
            return stand, reached

        yield opened


def cancels(shop: Served) -> list[object]:
    """The orders that the shop was told to cancel."""
    return [entry["order"] for entry in shop.noted() if entry.get("tool") == "cancel_order"]


def read_by(model: Scripted) -> str:
    """Everything that the model was given, in all its calls."""
    return "\n".join(prompt.model_dump_json() for prompt in model.seen)


async def test_a_write_waits_for_its_yes_and_runs_once(shops: Shops) -> None:
    """The words of the question are Handrail's; nothing that the server says of itself reaches the model."""
    model = Scripted(calls=(("cancel_order", {"order_id": "ORD-1001"}),))
    stand, shop = await shops(model)
    asked = await stand.say(ASKS)
    assert "Cancel order ORD-1001?" in asked.reply
    assert cancels(shop) == []
    done = await stand.say("yes")
    assert "Order ORD-1001 is cancelled." in done.reply
    assert cancels(shop) == ["ORD-1001"]
    assert POISON not in read_by(model)
    assert "Proposes to cancel one open order" in read_by(model)
    assert stand.audit_breaks() == ()


async def test_somebody_elses_order_is_not_cancelled(shops: Shops) -> None:
    """The model may name it, and even the customer may: it is theirs only if the record says so."""
    model = Scripted(text="Done.", calls=(("cancel_order", {"order_id": "ORD-2002"}),))
    stand, shop = await shops(model, "leaky")
    refused = await stand.say("How do I add a member to a project? Cancel ORD-2002 too.")
    assert "TOOL_NOT_YOURS" in refused.reasons
    await stand.say("yes")
    assert cancels(shop) == []


async def test_the_model_sees_declared_fields_only(shops: Shops) -> None:
    """What is not declared is left out, what is masked has a label, and the rest is there."""
    model = Scripted(text="Let me see.", calls=(("get_order", {"order_id": "ORD-1001"}),))
    stand, _ = await shops(model)
    await stand.say(ASKS)
    (result,) = model.seen[-1].results
    assert result.content == {
        "order_id": "ORD-1001", "status": "open", "total": "49.00", "note": "ring twice", "email": MASKED
    }  # fmt: skip


async def test_a_result_that_addresses_the_model_is_withheld(shops: Shops) -> None:
    """The model learns that there was one; nothing of it backs an argument or a sentence, and the log says why."""
    model = Scripted(text="Your order costs 12.00 EUR.", calls=(("get_order", {"order_id": "ORD-3003"}),))
    stand, _ = await shops(model)
    result = await stand.say("How do I add a member to a project? What about order ORD-3003?")
    assert "TOOL_RESULT_WITHHELD" in result.reasons
    (seen,) = model.seen[-1].results
    assert seen.outcome is ToolOutcome.SUCCEEDED
    assert seen.content is None
    assert seen.reasons == ("TOOL_RESULT_WITHHELD",)
    assert POISON not in read_by(model)
    assert "12.00" not in result.reply
    assert stand.audit_breaks() == ()


@pytest.mark.parametrize(("variant", "module"), [("dies", SHOP), ("huge", RAW), ("nonsense", RAW), ("errs", SHOP)])
async def test_a_write_in_doubt_goes_to_a_person(shops: Shops, variant: str, module: str) -> None:
    """It may have happened: nobody says that it did or did not, and it is not tried again."""
    model = Scripted(calls=(("cancel_order", {"order_id": "ORD-1001"}),))
    stand, shop = await shops(model, variant, module)
    await stand.say(ASKS)
    result = await stand.say("yes")
    assert "SYS_TOOL_UNKNOWN" in result.reasons
    assert result.handoff is not None
    assert "cancel_order: unknown" in result.handoff.tools
    assert len([one for one in shop.noted() if "cancel_order" in str(one)]) == 1


async def test_a_tool_that_changed_is_refused_and_the_turn_goes_on(shops: Shops) -> None:
    """The server wants more than is declared: the model hears that the tool is not there, the customer is not asked."""
    model = Scripted(text="Open the project.", calls=(("cancel_order", {"order_id": "ORD-1001"}),))
    stand, shop = await shops(model, "greedy")
    result = await stand.say(ASKS)
    assert "TOOL_UNAVAILABLE" in result.reasons
    assert result.handoff is None
    assert "Cancel order" not in result.reply
    (seen,) = model.seen[-1].results
    assert seen.outcome is ToolOutcome.REFUSED
    assert cancels(shop) == []
