"""A tool that takes a list, through the whole service: asked about, agreed to, and run as it was agreed to."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.conversation import PendingCall
from handrail.agent.feed import ConfirmationRequested
from handrail.guardrails.bundle.bundle import Bundle
from tests.flow.people import feed, head, only
from tests.flow.returning import Stands, return_tool, stand_of
from tests.flow.stand import SITE, Stand

ITEMS: dict[str, JsonValue] = {
    "name": "item_ids",
    "type": "text",
    "description": "The items.",
    "pattern": "IT-[0-9]{3}",
    "spoken": ["item"],
    "many": {"at_most": 5},
    "sensitive": True,
    "origin": ["customer_words", "verified_record"],
}
RETURN = return_tool(ITEMS, "Return {item_ids}?", "{item_ids} are on their way back.")
BOTH: list[JsonValue] = ["IT-001", "IT-002"]
ASKED = "Can I get the money back for item 001 and IT-002 on invoice INV-2041?"


async def pending(stand: Stand) -> PendingCall | None:
    """What waits in the conversation."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.pending


async def test_a_list_runs_as_it_was_agreed_to(stands: Stands, shipped: Bundle) -> None:
    """Every value stands in the question and on the card, and exactly this list runs, once."""
    stand, ran = await stand_of(stands, shipped, RETURN, ["it-001", "IT-002"], BOTH)
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
    stand, ran = await stand_of(stands, shipped, RETURN, ["IT-001", "IT-003"], BOTH)
    result = await stand.say(ASKED)
    assert "TOOL_BAD_PROVENANCE" in result.reasons
    assert await pending(stand) is None
    await stand.say("yes")
    assert ran == []
