"""A tool that takes objects, through the whole service: asked about, agreed to, and run as it was agreed to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from pydantic import JsonValue

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from tests.flow.ports import AnyMethod
from tests.flow.stand import Scripted, Stand

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
        ],
        "question": {"en": "Return {items}?"},
        "done": {"en": "On their way back: {items}."},
        "minimise": ["returned"],
    }
)
ASKED = "Can I get the money back for item 001, two pieces, on invoice INV-2041?"


async def stand_of(stands: Stands, shipped: Bundle, items: JsonValue) -> tuple[Stand, list[ToolCall]]:
    """A service whose model proposes to return `items`, and the calls that the company's system carried out."""
    permit = next(rule for rule in shipped.policy.rules if rule.id == "tools.status")
    returns = replace(permit, id="tools.returns", subjects=frozenset({RETURN.id}))
    policy = PolicySet((*shipped.policy.rules, returns), shipped.revision, shipped.policy.shadows)
    bundle = replace(shipped, tools={**shipped.tools, RETURN.id: RETURN}, policy=policy)
    model = Scripted(text="Is there anything else?", calls=((RETURN.id, {"items": items}),))
    stand = await stands(model=model, customer="dana", bundle=bundle)
    ran: list[ToolCall] = []

    async def execute(call: ToolCall, customer_id: str, key: str) -> JsonValue:
        ran.append(call)
        return {"returned": "IT-001"}

    stand.toolbox.replaced["execute"] = cast(AnyMethod, execute)
    return stand, ran


async def test_objects_run_as_they_were_agreed_to(stands: Stands, shipped: Bundle) -> None:
    """Every field stands in the question, and exactly these objects run, once."""
    stand, ran = await stand_of(stands, shipped, [{"pieces": "2", "item": "it-001"}])
    asked = await stand.say(ASKED)
    assert "Return (item IT-001, pieces 2)?" in asked.reply
    assert ran == []
    done = await stand.say("yes")
    assert "On their way back: (item IT-001, pieces 2)." in done.reply
    assert [call.arguments for call in ran] == [{"items": [{"pieces": 2, "item": "IT-001"}]}]


async def test_a_field_that_nobody_named_is_enough(stands: Stands, shipped: Bundle) -> None:
    """The customer is not even asked."""
    stand, ran = await stand_of(stands, shipped, [{"item": "IT-003", "pieces": 1}])
    result = await stand.say(ASKED)
    assert "TOOL_BAD_PROVENANCE" in result.reasons
    await stand.say("yes")
    assert ran == []
