"""Ablation of the tool gate: each rule is left out, and a conversation that ends safely with it does not any more.

The company's own systems read a call again and refuse most of what must not be. What counts here is what the gate lets
through to them; where they are the ones who refuse then, they are seen to do it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import pytest
from pydantic import JsonValue
from sqlalchemy import text as sql

from handrail.agent.conversation import ApprovalState
from handrail.agent.ports import Toolbox, ToolRefused
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Stage, ToolCall
from tests.flow.ablated import permitting, without
from tests.flow.gate_cases import CASES, Case
from tests.flow.stand import SITE, Scripted, Stand

Stands = Callable[..., Awaitable[Stand]]


@dataclass
class Door:
    """Stands before the company and counts the calls that come through to it, and those that it refuses."""

    inner: Toolbox
    came: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Let the call through."""
        self.came[call.tool] += 1
        try:
            return await self.inner.execute(call, customer_id, key)
        except ToolRefused:
            self.refused[call.tool] += 1
            raise


async def take(step: str, case: Case, stand: Stand) -> None:
    """One step of the conversation."""
    match step:
        case "ask":
            await stand.say(case.asks)
        case "code":
            await stand.say(await stand.code())
        case "yes":
            await stand.say("yes")
        case "new":
            await stand.open(case.customer)
        case _:
            by = "operator-2" if step == "approve too" else "operator-1"
            approval = await stand.pending_approval()
            await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, by)


async def played(stands: Stands, case: Case, bundle: Bundle) -> tuple[int, int]:
    """How often the call came to the company in the conversation, and how often it was refused there."""
    model = Scripted(calls=((case.tool, dict(case.arguments)),))
    stand = await stands(model=model, customer=case.customer, bundle=bundle)
    door = Door(cast(Toolbox, stand.toolbox.real))
    stand.toolbox.replaced["execute"] = door.execute  # type: ignore[assignment]
    for record in case.records:
        await stand.company.write(lambda connection, record=record: connection.execute(sql(record)))  # type: ignore[misc]
    for step in case.steps:
        # Nobody was asked for this step, because the conversation took a safer way.
        with suppress(AssertionError, ValueError):
            await take(step, case, stand)
    return door.came[case.tool], door.refused[case.tool]


def test_every_rule_of_the_gate_has_a_conversation(shipped: Bundle) -> None:
    """A new rule must be placed."""
    of_gate = {rule.id for rule in shipped.policy.rules if rule.stage is Stage.AUTHORIZE_TOOLS}
    permits = {rule.id for rule in shipped.policy.rules if rule.permits is not None}
    assert of_gate - permits == set(CASES)


@pytest.mark.parametrize("rule", CASES)
async def test_without_its_rule_a_call_comes_through(stands: Stands, shipped: Bundle, rule: str) -> None:
    """With the rule it does not; nor without what stands beside it: the rule is what holds."""
    case = CASES[rule]
    spoken = without(shipped, case.flows)
    assert await played(stands, case, spoken) == (case.allowed, 0)
    ajar = permitting(without(spoken, case.beside), case.permits)
    if case.beside or case.permits:
        assert await played(stands, case, ajar) == (case.allowed, 0)
    came, refused = await played(stands, case, without(ajar, [rule]))
    assert came > case.allowed
    assert refused == (came if case.refused_there else 0)
