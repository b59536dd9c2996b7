"""A tool that takes objects, through the whole service: asked about, agreed to, and run as it was agreed to."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.guardrails.bundle.bundle import Bundle
from tests.flow.returning import Stands, return_tool, stand_of

ITEMS: dict[str, JsonValue] = {
    "name": "items",
    "type": "object",
    "description": "The items.",
    "many": {"at_most": 5},
    "fields": [
        {
            "name": "item",
            "type": "text",
            "description": "Which one.",
            "pattern": "IT-[0-9]{3}",
            "spoken": ["item"],
            "sensitive": True,
            "origin": ["customer_words", "verified_record"],
        },
        {"name": "pieces", "type": "integer", "description": "How many.", "minimum": 1},
    ],
}
RETURN = return_tool(ITEMS, "Return {items}?", "On their way back: {items}.")
ASKED = "Can I get the money back for item 001, two pieces, on invoice INV-2041?"


async def test_objects_run_as_they_were_agreed_to(stands: Stands, shipped: Bundle) -> None:
    """Every field stands in the question, and exactly these objects run, once."""
    stand, ran = await stand_of(stands, shipped, RETURN, [{"pieces": "2", "item": "it-001"}], "IT-001")
    asked = await stand.say(ASKED)
    assert "Return (item IT-001, pieces 2)?" in asked.reply
    assert ran == []
    done = await stand.say("yes")
    assert "On their way back: (item IT-001, pieces 2)." in done.reply
    assert [call.arguments for call in ran] == [{"items": [{"pieces": 2, "item": "IT-001"}]}]


async def test_a_field_that_nobody_named_is_enough(stands: Stands, shipped: Bundle) -> None:
    """The customer is not even asked."""
    stand, ran = await stand_of(stands, shipped, RETURN, [{"item": "IT-003", "pieces": 1}], "IT-001")
    result = await stand.say(ASKED)
    assert "TOOL_BAD_PROVENANCE" in result.reasons
    await stand.say("yes")
    assert ran == []
