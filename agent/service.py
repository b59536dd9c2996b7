"""The service: one turn from event to stored result, whoever calls it (HTTP, command line, scenarios)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from handrail.agent.channels import (
    CAUSE,
    JOURNAL,
    PENDING,
    RESULT,
    RESULTS,
    SNAPSHOT,
    TURN,
    TurnState,
    View,
    advanced,
)
from handrail.agent.conversation import (
    Approval,
    ApprovalState,
    AuditEvent,
    EventKind,
    FinishedTurn,
    JournalEntry,
    JournalState,
    Received,
    Snapshot,
)
from handrail.agent.fallback import fallback_result
from handrail.agent.memory import remembering
from handrail.agent.nodes.execution import IN_DOUBT, outcome_event
from handrail.agent.room import ResultT, Room, bounded, sensible
from handrail.agent.store_port import LeaseLost, Store, StoreError, UnknownConversation
from handrail.agent.summary import summed_up
from handrail.agent.turns import Cause, CauseKind
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import (
    IdentityLevel,
    Message,
    Role,
    ToolOutcome,
    ToolResult,
    TurnResult,
)

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

log = logging.getLogger(__name__)
PERSON_TEXT = "I would like to talk to a person."
GRACE = 3.0
"""Seconds of a turn's deadline kept for writing what it came to."""


class MessageTooLong(HandrailError):
    """The message is longer than the bundle allows; it was not stored."""


class ApprovalNotPending(HandrailError):
    """The approval does not exist, or somebody has decided it already."""


class Service:
    """Runs turns. Holds no state of its own: any worker can continue any conversation."""

    def __init__(self, room: Room, graph: CompiledStateGraph[TurnState, None, TurnState, TurnState]) -> None:
        """Serve with the ports of `room` through the compiled `graph`."""
        self._room = room
        self._graph = graph

    @property
    def bundle(self) -> Bundle:
        """The bundle that decides."""
        return self._room.bundle

    @property
    def store(self) -> Store:
        """The store behind the service."""
        return self._room.store

    async def open(self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel) -> str:
        """Open a conversation and return its id."""
        return await self.store.open_conversation(site, channel, customer_id, identity, self._room.clock.now())

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        """Take one customer message through the whole turn.

        Raises MessageTooLong, and what `Store.receive` raises. Everything else becomes a safe reply or a person.
        """
        limit = self.bundle.manifest.limits.message_characters
        if len(text) > limit:
            raise MessageTooLong(f"the message has {len(text)} characters; at most {limit} are read: shorten it")
        return await self._message(site, conversation_id, customer_id, text, key, Cause())

    async def ask_for_person(self, site: str, conversation_id: str, customer_id: str | None, key: str) -> TurnResult:
        """The button for a person: works always, the first time, whatever detection thinks (S5.3)."""
        cause = Cause(kind=CauseKind.PERSON_BUTTON)
        return await self._message(site, conversation_id, customer_id, PERSON_TEXT, key, cause)

    async def decide(self, site: str, approval_id: str, decision: ApprovalState, by: str) -> TurnResult:
        """An operator's decision on a pending call; an approved call is decided again on fresh facts, then runs."""
        now = self._room.clock.now()
        held = await self._stored(self._existing(site, approval_id), Approval)
        if held.state is ApprovalState.PENDING:
            reached = ApprovalState.EXPIRED if now >= held.expires_at else decision
            held = await self._stored(self.store.decide_approval(site, approval_id, reached, by, now), Approval)
        elif held.state is not decision or not await self._untold(site, held):
            raise ApprovalNotPending("the approval was decided before, or its time ran out")
        note = f"{held.state.value}: {held.call.tool}"
        received = await self._stored(self.store.begin_operator_turn(site, held.conversation_id, note, now), Received)
        cause = Cause(
            kind=CauseKind.OPERATOR_DECISION, approval=held.state, approval_id=approval_id, operator=held.decided_by
        )
        return await self._turn(received, cause)

    async def _existing(self, site: str, approval_id: str) -> Approval | None:
        found = await self.store.approval(site, approval_id)
        if found is None:
            raise ApprovalNotPending("there is no approval of that id")
        return found

    async def _untold(self, site: str, held: Approval) -> bool:
        """Whether a decision was stored whose turn never began, so that the same decision may come again."""
        pending = (await self.store.snapshot(site, held.conversation_id)).state.pending
        return pending is not None and pending.approval_id == held.approval_id

    async def snapshot(self, site: str, conversation_id: str, customer_id: str | None) -> Snapshot:
        """The conversation now; UnknownConversation when it is not this customer's."""
        found = await self.store.snapshot(site, conversation_id)
        if found.customer_id != customer_id:
            raise UnknownConversation("there is no such conversation")
        return found

    async def messages(
        self, site: str, conversation_id: str, customer_id: str | None, after: int, limit: int
    ) -> tuple[Message, ...]:
        """Messages after a sequence number; UnknownConversation when they are not this customer's."""
        await self.snapshot(site, conversation_id, customer_id)
        return await self.store.messages(site, conversation_id, after, limit)

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of the documents a reply cites, as far as the live base still has them."""
        if not doc_ids:
            return {}
        try:
            return dict(await bounded(self._room.retriever.titles(doc_ids), self._room.patience.retrieval))
        except Exception as error:  # noqa: BLE001 - a reply without the titles of its sources is still a reply
            log.error("titles not read", extra={"error": type(error).__name__})
            return {}

    async def recover(self) -> int:
        """Finish turns whose worker died in the middle; returns how many. Called at start."""
        resumed = 0
        for turn in await self.store.interrupted():
            try:
                received = await self.store.resume(turn)
                if received is not None:
                    await self._turn(received, await self._cause_of(received))
                    resumed += 1
            except Exception as error:  # noqa: BLE001 - one turn that cannot be resumed must not keep the others waiting
                log.error("turn not resumed", extra={"turn": turn.turn_id, "error": type(error).__name__})
        return resumed

    async def tend(self) -> None:
        """What has to be looked at from time to time: interrupted turns, and approvals that nobody decided in time."""
        await self.recover()
        now = self._room.clock.now()
        for site in self._room.sites:
            for held in await self.store.approvals(site, ApprovalState.PENDING):
                if now >= held.expires_at:
                    with suppress(HandrailError):
                        await self.decide(site, held.approval_id, ApprovalState.EXPIRED, "time")

    async def close(self) -> None:
        """Close what the service holds."""
        await self.store.close()

    async def _message(
        self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str, cause: Cause
    ) -> TurnResult:
        now = self._room.clock.now()
        received = await self._stored(self.store.receive(site, conversation_id, customer_id, key, text, now), Received)
        if received.finished is not None:
            return received.finished
        return await self._turn(received, cause)

    async def _stored(self, asking: Awaitable[ResultT | None], kind: type[ResultT]) -> ResultT:
        """What the store answers, in time; StoreError when it fails in a way that it does not name itself."""
        # The store itself waits for another turn of the conversation, which may take its whole deadline.
        seconds = self._room.patience.store + self.bundle.manifest.limits.turn_seconds
        try:
            return sensible(await bounded(asking, seconds), kind, "the store")
        except HandrailError:
            raise
        except Exception as error:
            raise StoreError("the store did not answer; try again in a moment, a message under the same key") from error

    async def _cause_of(self, received: Received) -> Cause:
        """What an interrupted turn was about, from what it stored."""
        text, turn = received.turn.text, received.turn
        if turn.sender is not Role.OPERATOR:
            # Whoever writes the words of the button gets what the button gives; no customer can speak as an operator.
            kind = CauseKind.PERSON_BUTTON if text == PERSON_TEXT else CauseKind.MESSAGE
            return Cause(kind=kind, resumed=True)
        pending = received.snapshot.state.pending
        approval = pending.approval_id if pending is not None else None
        held = await self.store.approval(turn.site, approval) if approval is not None else None
        if held is not None and text == f"{held.state.value}: {held.call.tool}":
            return Cause(
                kind=CauseKind.OPERATOR_DECISION,
                approval=held.state,
                approval_id=approval,
                operator=held.decided_by,
                resumed=True,
            )
        # The call was replaced or settled meanwhile: the decision has nothing to carry out any more.
        return Cause(kind=CauseKind.OPERATOR_DECISION, approval=ApprovalState.EXPIRED, resumed=True)

    async def _turn(self, received: Received, cause: Cause) -> TurnResult:
        """Run the graph within the deadline and store everything in one transaction."""
        # A turn that runs again later is judged by the clock, not by when it was sent: what had expired has expired.
        cause = cause.model_copy(update={"overtaken": received.later_messages > 0})
        at = max(received.turn.at, self._room.clock.now())
        received = received.model_copy(update={"turn": received.turn.model_copy(update={"at": at})})
        try:
            with remembering():
                state = await self._through_graph(received, cause)
                finished = self._finished_safely(View(state), received)
        except BaseException:
            # A caller that goes away must not leave the conversation locked; recovery finishes the turn.
            with suppress(Exception):
                await asyncio.shield(self.store.abandon(received.turn))
            raise
        try:
            await self._write(finished)
        except Exception as error:  # noqa: BLE001 - the reply may only leave when its record is written
            log.error("turn not stored", extra={"turn": received.turn.turn_id, "error": type(error).__name__})
            with suppress(Exception):
                await bounded(self.store.abandon(received.turn), self._room.patience.handoff)
            text = self.bundle.text("system_down", None)
            return finished.result.model_copy(
                update={
                    "reply": text,
                    "reasons": ("SYS_STORE",),
                    "handoff": None,
                    "citations": (),
                    "quick_replies": (),
                    "confirmation": None,
                    "status": received.snapshot.state.status,
                }
            )
        return finished.result

    async def _write(self, finished: FinishedTurn) -> None:
        """Store the turn; a store that stumbles is asked once more, because a reply without its record cannot leave."""
        try:
            await bounded(self.store.finish(finished), self._room.patience.store)
        except (LeaseLost, TimeoutError):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the second try decides
            await bounded(self.store.finish(finished), self._room.patience.store)

    async def _through_graph(self, received: Received, cause: Cause) -> TurnState:
        start: TurnState = {
            "cause": CAUSE.put(cause).content,
            "turn": TURN.put(received.turn).content,
            "snapshot": SNAPSHOT.put(received.snapshot).content,
            "journal": JOURNAL.put(received.journal).content,
            "trail": [],
            "audit": [],
        }
        if any(entry.state is JournalState.INTENDED for entry in received.journal):
            start = await self._settle(start, received)
        seconds = max(1.0, self.bundle.manifest.limits.turn_seconds - GRACE)
        reached: TurnState = start
        reason = "SYS_BUG"
        begun: list[JournalEntry] = []
        IN_DOUBT.set(begun)
        try:
            async with asyncio.timeout(seconds):
                async for updates in self._graph.astream(start, stream_mode="updates"):
                    for update in updates.values():
                        reached = advanced(reached, cast(TurnState, update))
        except TimeoutError:
            reason = "SYS_DEADLINE"
        except Exception as error:  # noqa: BLE001 - the last line: no bug may leave a customer unanswered
            log.error("turn failed", extra={"turn": received.turn.turn_id, "error": type(error).__name__})
        if "result" in reached:
            return reached
        return await self._broken_off(reached, received, reason, begun)

    async def _broken_off(
        self, reached: TurnState, received: Received, reason: str, begun: list[JournalEntry]
    ) -> TurnState:
        """A person takes over a turn that the graph did not end, and learns which writes are in doubt (S7.4)."""
        if not begun:
            return self._fallback(reached, received, reason)
        view = View(reached)
        results = [*view[RESULTS]] if view.has(RESULTS) else []
        for entry in begun:
            doubt = entry.model_copy(update={"state": JournalState.UNKNOWN, "at": self._room.clock.now()})
            with suppress(Exception):
                event = outcome_event(received.turn.turn_id, doubt)
                await bounded(self.store.conclude(received.turn, doubt, [event]), self._room.patience.handoff)
            results.append(ToolResult(call=entry.call, outcome=ToolOutcome.UNKNOWN, reasons=("SYS_TOOL_UNKNOWN",)))
        state: TurnState = {
            **reached,
            "results": RESULTS.put(tuple(results)).content,
            "pending": PENDING.put(None).content,
        }
        return self._fallback(state, received, reason, "SYS_TOOL_UNKNOWN")

    async def _settle(self, start: TurnState, received: Received) -> TurnState:
        """Find out what became of writes that a dead worker had begun: known ones become results (S7.4)."""
        settled = []
        for entry in received.journal:
            if entry.state is not JournalState.INTENDED:
                settled.append(entry)
                continue
            found = None
            with suppress(Exception):
                found = await bounded(self._room.toolbox.outcome(entry.key), self._room.patience.tool)
            # The worker is dead and its key unknown to the system: nothing happened, and the call may run again
            # under the same key. A tool that cannot answer for its keys stays in doubt.
            if found is None:
                settled.append(entry)
                continue
            known = entry.model_copy(
                update={"state": JournalState.SUCCEEDED, "content": found, "at": self._room.clock.now()}
            )
            with suppress(Exception):
                event = outcome_event(received.turn.turn_id, known)
                await bounded(self.store.conclude(received.turn, known, [event]), self._room.patience.store)
            settled.append(known)
        return {**start, "journal": JOURNAL.put(tuple(settled)).content}

    def _fallback(self, reached: TurnState, received: Received, *reasons: str) -> TurnState:
        result = fallback_result(View(reached), self.bundle, received, reasons, self._room.clock.now())
        return {**reached, "result": RESULT.put(result).content}

    def _finished_safely(self, view: View, received: Received) -> FinishedTurn:
        """Everything the turn leaves behind; where that cannot be put together, a handoff and the state before."""
        try:
            return summed_up(view, received, self._room)
        except Exception as error:  # noqa: BLE001 - a bug after the graph must not leave the customer unanswered
            log.error("turn not summed up", extra={"turn": received.turn.turn_id, "error": type(error).__name__})
        now = self._room.clock.now()
        result = fallback_result(view, self.bundle, received, ("SYS_BUG",), now)
        before = received.snapshot.state
        return FinishedTurn(
            turn=received.turn,
            state=before.model_copy(update={"status": result.status, "turns": before.turns + 1, "pending": None}),
            result=result,
            events=(
                AuditEvent(
                    kind=EventKind.TURN_FINISHED,
                    turn_id=received.turn.turn_id,
                    at=now,
                    payload={"status": result.status.value, "reasons": list(result.reasons)},
                ),
            ),
            handoff=result.handoff,
        )
