"""One conversation over the JSON API, as a widget and an operator would have it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import TypeAdapter

from handrail.agent.server.views import TurnView
from handrail.evals.api import Api, ServerAnswer
from handrail.evals.company_call import CompanyCall
from handrail.evals.observed import Observed, observe
from handrail.evals.operator_api import OperatorApi
from handrail.evals.record_changes import RecordChange
from handrail.evals.target import StepImpossible
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import ConversationStatus, Decision, Handoff, ToolCall, TurnResult

_TURN = TypeAdapter(TurnView)


class Codes(Protocol):
    """Where the codes can be read that the company sent."""

    async def latest_code(self, customer_id: str) -> str | None:
        """The code that the customer got last."""
        ...


class DecisionLog(Protocol):
    """Where the decisions of a turn can be read with everything that the API does not show."""

    async def decisions(self, turn_id: str) -> tuple[Decision, ...]:
        """Every decision of the turn, in order."""
        ...


async def nothing_known() -> tuple[RecordChange, ...]:
    """Of records that are out of reach."""
    return ()


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What can be known of a turn beside what the server says of it; None is out of reach.

    Attributes:
        codes: The codes that the company sent.
        log: The decisions with risk, queue and priority.
        calls: The calls that reached the company's own system since it was last asked.
        changes: What has changed in the company's records since the conversation began.
    """

    codes: Codes | None = None
    log: DecisionLog | None = None
    calls: Callable[[], tuple[CompanyCall, ...]] = tuple
    changes: Callable[[], Awaitable[tuple[RecordChange, ...]]] = nothing_known


@dataclass(frozen=True, slots=True)
class HttpDialogue:
    """One open conversation. `headers` hold the customer's credential and the right to see reasons."""

    api: Api
    operator: OperatorApi
    bundle: Bundle
    witnesses: Witnesses
    conversation_id: str
    customer: str | None
    headers: Mapping[str, str]

    async def say(self, text: str) -> Observed:
        """The customer writes."""
        return await self._turn("messages", {"text": text})

    async def press(self) -> Observed:
        """The customer presses the button for a person."""
        return await self._turn("handoff", None)

    async def decide(self, decision: Literal["approve", "deny"]) -> Observed:
        """An operator decides on the call that waits in this conversation."""
        waiting = await self.operator.waiting(self.conversation_id)
        if waiting is None:
            raise StepImpossible("no call waits for approval, so there is nothing to decide")
        return await self._observed(await self.operator.decide(waiting, decision))

    async def code(self) -> str:
        """The code that was sent last."""
        codes, found = self.witnesses.codes, None
        if codes is not None and self.customer is not None:
            found = await codes.latest_code(self.customer)
        if found is None:
            raise StepImpossible("no code was sent to the customer")
        return found

    async def changes(self) -> tuple[RecordChange, ...]:
        """What has changed in the company's records, as far as they can be looked at."""
        return await self.witnesses.changes()

    async def _turn(self, route: str, body: Mapping[str, object] | None) -> Observed:
        headers = {**self.headers, "Idempotency-Key": secrets.token_hex(16)}
        path = f"/v1/conversations/{self.conversation_id}/{route}?debug=true"
        return await self._observed(await self.api.ask(_TURN, "POST", path, headers, body))

    async def _observed(self, turn: TurnView) -> Observed:
        asked_for = turn.status is ConversationStatus.QUEUED
        packet = await self.operator.packet(self.conversation_id) if asked_for else None
        shown = _shown(turn)
        logged = None if self.witnesses.log is None else await self.witnesses.log.decisions(turn.turn_id)
        if logged is not None and _essence(logged) != _essence(shown):
            raise ServerAnswer(f"the audit log tells other decisions of the turn {turn.turn_id} than the API")
        segments = {entry.id: entry.reason for entry in self.bundle.entries.values()}
        result = _result(turn, shown if logged is None else logged, packet)
        seen = observe(result, segments, write_tools(self.bundle), self.witnesses.calls())
        if logged is not None:
            return seen
        # What the API shows of a decision has no dimensions; the packet of a handoff has its own risk.
        risk = None if packet is None else packet.risk
        return seen.model_copy(update={"risk": risk, "queue": None, "priority": None})


def _shown(turn: TurnView) -> tuple[Decision, ...]:
    """The decisions as far as the API shows them. Raises ServerAnswer when it shows none."""
    debug = turn.debug
    if debug is None:
        raise ServerAnswer("the server shows no reasons; its server key is needed for that")
    return tuple(
        Decision(
            stage=one.stage,
            subject=one.subject,
            effect=one.effect,
            reasons=one.reasons,
            rules=one.rules,
            obligations=one.obligations,
            revision=debug.revision,
        )
        for one in debug.decisions
    )


def _essence(decisions: Sequence[Decision]) -> list[str]:
    """What must be the same in the log and on the wire."""
    return [
        f"{one.stage.value} {one.subject} {one.effect.value} {one.reasons} {one.rules} {one.revision}"
        for one in decisions
    ]


def _result(turn: TurnView, decisions: tuple[Decision, ...], packet: Handoff | None) -> TurnResult:
    """The view of a turn as the result it was made from, as far as it can be known."""
    call = turn.confirmation
    return TurnResult(
        turn_id=turn.turn_id,
        reply=turn.reply,
        status=turn.status,
        decisions=decisions,
        reasons=turn.debug.reasons if turn.debug is not None else (),
        citations=tuple(one.doc_id for one in turn.citations),
        quick_replies=turn.quick_replies,
        confirmation=None if call is None else ToolCall(call_id="shown", tool=call.tool, arguments=call.arguments),
        handoff=packet,
    )
