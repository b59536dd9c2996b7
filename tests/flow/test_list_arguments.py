"""A tool that takes a list, through the whole service: asked about, agreed to, and run as it was agreed to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from pydantic import JsonValue

from handrail.agent.conversation import PendingCall
from handrail.agent.feed import ConfirmationRequested
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from tests.flow.people import feed, head, only
from tests.flow.ports import AnyMethod
from tests.flow.stand import SITE, Scripted, Stand

Stands = Callable[..., Awaitable[Stand]]
RETURN = ToolSpec.model_validate(
    {
        "id": "return_items",
        "title": {"en": "Return items"},
        "description": "Returns items.",
        "access": "write",
        "reversible": False,
        "sensitivity": "low",
        "idempotent": True,
        "requires_customer": True,
        "arguments": [
            {
                "name": "item_ids",
                "type": "text",
                "description": "The items.",
                "pattern": "IT-[0-9]{3}",
                "spoken": ["item"],
                "many": {"at_most": 5},
                "sensitive": True,
                "origin": ["customer_words", "verified_record"],
            }
        ],
        "question": {"en": "Return {item_ids}?"},
        "done": {"en": "{item_ids} are on their way back."},
        "minimise": ["returned"],
    }
)
ASKED = "Can I get the money back for item 001 and IT-002 on invoice INV-2041?"


def with_returns(shipped: Bundle) -> Bundle:
    """The shipped bundle with one more tool, which may be called by whoever is signed in."""
    permit = next(rule for rule in shipped.policy.rules if rule.id == "tools.status")
    returns = replace(permit, id="tools.returns", subjects=frozenset({RETURN.id}))
    policy = PolicySet((*shipped.policy.rules, returns), shipped.revision, shipped.policy.shadows)
    return replace(shipped, tools={**shipped.tools, RETURN.id: RETURN}, policy=policy)


async def stand_of(stands: Stands, shipped: Bundle, items: JsonValue) -> tuple[Stand, list[ToolCall]]:
    """A service whose model proposes to return `items`, and the calls that the company's system carried out."""
    model = Scripted(text="Is there anything else?", calls=((RETURN.id, {"item_ids": items}),))
    stand = await stands(model=model, customer="dana", bundle=with_returns(shipped))
    ran: list[ToolCall] = []

    async def execute(call: ToolCall, customer_id: str, key: str) -> JsonValue:
        ran.append(call)
        return {"returned": call.arguments["item_ids"]}

    stand.toolbox.replaced["execute"] = cast(AnyMethod, execute)
    return stand, ran


async def pending(stand: Stand) -> PendingCall | None:
    """What waits in the conversation."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.pending


async def test_a_list_runs_as_it_was_agreed_to(stands: Stands, shipped: Bundle) -> None:
    """Every value stands in the question and on the card, and exactly this list runs, once."""
    stand, ran = await stand_of(stands, shipped, ["it-001", "IT-002"])
    after = await head(stand)
    asked = await stand.say(ASKED)
    assert "Return IT-001, IT-002?" in asked.reply
    card = only(await feed(stand, after), ConfirmationRequested)
    assert [(one.name, one.content) for one in card.arguments] == [("item_ids", ["IT-001", "IT-002"])]
    assert ran == []
    done = await stand.say("yes")
    assert "IT-001, IT-002 are on their way back." in done.reply
    assert [call.arguments for call in ran] == [{"item_ids": ["IT-001", "IT-002"]}]
    assert await pending(stand) is None


async def test_one_value_that_nobody_named_is_enough(stands: Stands, shipped: Bundle) -> None:
    """The customer is not even asked about a list that holds something of the model's own."""
    stand, ran = await stand_of(stands, shipped, ["IT-001", "IT-003"])
    result = await stand.say(ASKED)
    assert "TOOL_BAD_PROVENANCE" in result.reasons
    assert await pending(stand) is None
    await stand.say("yes")
    assert ran == []
