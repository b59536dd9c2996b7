"""The sample company with one more tool that a test declares: a return, for whoever is signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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


def return_tool(argument: Mapping[str, JsonValue], question: str, done: str) -> ToolSpec:
    """A write that takes one argument."""
    return ToolSpec.model_validate(
        {
            "id": "return_items",
            "title": {"en": "Return items"},
            "description": "Returns items.",
            "access": "write",
            "reversible": False,
            "sensitivity": "low",
            "idempotent": True,
            "requires_customer": True,
            "arguments": [argument],
            "question": {"en": question},
            "done": {"en": done},
            "minimise": ["returned"],
        }
    )


async def stand_of(
    stands: Stands, shipped: Bundle, tool: ToolSpec, items: JsonValue, returned: JsonValue
) -> tuple[Stand, list[ToolCall]]:
    """A service whose model proposes to return `items`, and the calls that the company's system carried out."""
    permit = next(rule for rule in shipped.policy.rules if rule.id == "tools.status")
    returns = replace(permit, id="tools.returns", subjects=frozenset({tool.id}))
    policy = PolicySet((*shipped.policy.rules, returns), shipped.revision, shipped.policy.shadows)
    bundle = replace(shipped, tools={**shipped.tools, tool.id: tool}, policy=policy)
    (argument,) = tool.arguments
    model = Scripted(text="Is there anything else?", calls=((tool.id, {argument.name: items}),))
    stand = await stands(model=model, customer="dana", bundle=bundle)
    ran: list[ToolCall] = []

    async def execute(call: ToolCall, customer_id: str, key: str) -> JsonValue:
        ran.append(call)
        return {"returned": returned}

    stand.toolbox.replaced["execute"] = cast(AnyMethod, execute)
    return stand, ran
