"""The turn's benchmark measures one and the same turn, whatever stands before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from handrail.agent.service import Service
from handrail.evals.bench.turn import SMALL_TALK, _Meter, _Turns
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, TurnResult

ANSWERED = ("DRAFT_MODEL", "OUTPUT_CLEAN", "REPLY_RELEASED")


@dataclass
class _Service:
    """Remembers what is said in which conversation; answers with `reasons`."""

    reasons: tuple[str, ...]
    said: dict[str, list[str]] = field(default_factory=dict)

    async def open(self, site: str, channel: str, customer: str | None, identity: IdentityLevel) -> str:
        conversation = f"c{len(self.said)}"
        self.said[conversation] = []
        return conversation

    async def say(self, site: str, conversation: str, customer: str | None, text: str, key: str) -> TurnResult:
        self.said[conversation].append(text)
        return TurnResult(turn_id="t", reply="ok", status=ConversationStatus.BOT, decisions=(), reasons=self.reasons)


async def test_every_call_has_a_conversation_and_a_text_of_its_own() -> None:
    """Otherwise the second call meets a longer conversation, and an embedding that is remembered."""
    service = _Service(ANSWERED)
    turns, meter = _Turns(cast(Service, service), "site"), _Meter(2)
    await meter.measure("short", await turns.after(0, meter.calls))
    await meter.measure("long", await turns.after(4, meter.calls))
    lengths = [len(texts) for texts in service.said.values()]
    assert lengths == [1] * meter.calls + [3] * meter.calls
    questions = [texts[-1] for texts in service.said.values()]
    assert len({*questions}) == 2 * meter.calls
    assert all(texts[:-1] == [SMALL_TALK] * (len(texts) - 1) for texts in service.said.values())


async def test_a_turn_that_is_not_the_measured_one_ends_the_benchmark() -> None:
    """A conversation that is with a person costs less, and would flatter the figure."""
    turns = _Turns(cast(Service, _Service(("POLICY_WITH_PERSON", "REPLY_RELEASED"))), "site")
    run = await turns.after(0, 1)
    with pytest.raises(RuntimeError, match="POLICY_WITH_PERSON"):
        await run(0)
