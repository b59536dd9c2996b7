"""Runs received turns: through the graph within the deadline, then everything into the store in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, cast

from handrail.agent.channels import (
    CAUSE,
    JOURNAL,
    PENDING,
    RESULT,
    RESULTS,
    SNAPSHOT,
    TURN,
    USED_APPROVAL,
    TurnState,
    View,
    advanced,
)
from handrail.agent.conversation import AuditEvent, EventKind, FinishedTurn, JournalEntry, Received
from handrail.agent.doubt import doubted, left_open, never_given, ours, settled, used_up
from handrail.agent.fallback import fallback_result
from handrail.agent.memory import remembering
from handrail.agent.nodes.execution import IN_DOUBT
from handrail.agent.releasing import after, left, releasing
from handrail.agent.room import ResultT, Room, bounded, sensible
from handrail.agent.store_port import LeaseLost, StoreError
from handrail.agent.summary import summed_up
from handrail.agent.telling import reply_id, told
from handrail.agent.turns import Cause
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import TurnResult

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

log = logging.getLogger(__name__)
GRACE = 3.0
"""Seconds of a turn's deadline kept for writing what it came to."""


async def stored(room: Room, asking: Awaitable[ResultT | None], kind: type[ResultT]) -> ResultT:
    """What the store answers, in time; StoreError when it fails in a way that it does not name itself."""
    with _faults_named():
        return sensible(await bounded(asking, _patience(room)), kind, "the store")


async def done(room: Room, asking: Awaitable[object]) -> None:
    """Let the store do what it answers nothing to; StoreError as in `stored`."""
    with _faults_named():
        await bounded(asking, _patience(room))


def _patience(room: Room) -> float:
    # The store itself waits for another turn of the conversation, which may take its whole deadline.
    return room.patience.store + room.bundle.manifest.limits.turn_seconds


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except HandrailError:
        raise
    except Exception as error:
        raise StoreError("the store did not answer; try again in a moment, a message under the same key") from error


class Runs(Protocol):
    """Runs turns that are received."""

    async def run(self, received: Received, cause: Cause) -> TurnResult:
        """Run the turn and store what it comes to."""
        ...


class Turning:
    """Runs turns. Holds no state of its own: any worker can continue any conversation."""

    def __init__(self, room: Room, graph: CompiledStateGraph[TurnState, None, TurnState, TurnState]) -> None:
        """Run with the ports of `room` through the compiled `graph`."""
        self._room = room
        self._graph = graph

    async def run(self, received: Received, cause: Cause) -> TurnResult:
        """Run the graph within the deadline and store everything in one transaction."""
        # A turn that runs again later is judged by the clock, not by when it was sent: what had expired has expired.
        told = received.snapshot.history[-1].at if received.snapshot.history else received.turn.at
        early = received.unseen or received.turn.at < told
        seen = {"overtaken": received.later_messages > 0, "early": early}
        cause = cause.model_copy(update=seen)
        at = max(received.turn.at, self._room.clock.now())
        received = received.model_copy(update={"turn": received.turn.model_copy(update={"at": at})})
        try:
            with remembering(), releasing(received.turn, self._room, received.released):
                state = await self._through_graph(received, cause)
                finished = self._finished_safely(View(state), received)
        except BaseException:
            # A caller that goes away must not leave the conversation locked; recovery finishes the turn.
            with suppress(Exception):
                await asyncio.shield(self._room.store.abandon(received.turn))
            raise
        try:
            await self._write(finished)
        except Exception as error:  # noqa: BLE001 - the reply may only leave when its record is written
            log.error("turn not stored", extra={"turn": received.turn.turn_id, "error": type(error).__name__})
            with suppress(Exception):
                await bounded(self._room.store.abandon(received.turn), self._room.patience.handoff)
            text = self._room.bundle.text("system_down", None)
            return finished.result.model_copy(
                update={
                    "reply": text,
                    "reasons": ("SYS_STORE",),
                    "handoff": None,
                    "citations": (),
                    "quick_replies": (),
                    "checklist": (),
                    "confirmation": None,
                    "status": received.snapshot.state.status,
                }
            )
        return finished.result

    async def _write(self, finished: FinishedTurn) -> None:
        """Store the turn; a store that stumbles is asked once more, because a reply without its record cannot leave."""
        try:
            await bounded(self._room.store.finish(finished), self._room.patience.store)
        except (LeaseLost, TimeoutError):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the second try decides
            await bounded(self._room.store.finish(finished), self._room.patience.store)

    async def _through_graph(self, received: Received, cause: Cause) -> TurnState:
        start = _start(received, cause)
        if received.journal:
            start["journal"] = JOURNAL.put(await settled(received, self._room)).content
        seconds = max(1.0, self._room.bundle.manifest.limits.turn_seconds - GRACE)
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
        ended = "result" in reached
        doubts = await self._doubts(View(reached), received, () if ended else begun)
        if ended and not doubts:
            return reached
        return await self._broken_off(reached, received, doubts, () if ended else (reason,))

    async def _doubts(self, view: View, received: Received, begun: Iterable[JournalEntry]) -> tuple[JournalEntry, ...]:
        """Writes that have begun, in this run or an earlier one, and would end with the turn without anybody's notice.

        INVARIANT: no turn ends with such a write.
        """
        before = left_open(view)
        if not ours(received, self._room):
            await never_given(before, received, self._room)
            before = ()
        return tuple({entry.key: entry for entry in (*before, *begun)}.values())

    async def _broken_off(
        self, reached: TurnState, received: Received, doubts: tuple[JournalEntry, ...], reasons: tuple[str, ...]
    ) -> TurnState:
        """A person takes over a turn that cannot end by itself, and learns which writes are in doubt (S7.4)."""
        if not doubts:
            return self._fallback(reached, received, *reasons)
        results = (*View(reached).get(RESULTS, ()), *await doubted(doubts, received, self._room))
        state: TurnState = {
            **reached,
            "results": RESULTS.put(results).content,
            "pending": PENDING.put(None).content,
        }
        approval = await used_up(doubts, received, self._room)
        if approval is not None:
            state["used_approval"] = USED_APPROVAL.put(approval).content
        return self._fallback(state, received, *reasons, "SYS_TOOL_UNKNOWN")

    def _fallback(self, reached: TurnState, received: Received, *reasons: str) -> TurnState:
        result = fallback_result(View(reached), self._room.bundle, received, reasons, self._room.clock.now())
        return {**reached, "result": RESULT.put(result).content}

    def _finished_safely(self, view: View, received: Received) -> FinishedTurn:
        """Everything the turn leaves behind; where that cannot be put together, a handoff and the state before."""
        try:
            return summed_up(view, received, self._room)
        except Exception as error:  # noqa: BLE001 - a bug after the graph must not leave the customer unanswered
            log.error("turn not summed up", extra={"turn": received.turn.turn_id, "error": type(error).__name__})
        now = self._room.clock.now()
        result = fallback_result(view, self._room.bundle, received, ("SYS_BUG",), now)
        result = result.model_copy(update={"reply": after(left(), result.reply)})
        before = received.snapshot.state
        state = before.model_copy(update={"status": result.status, "turns": before.turns + 1, "pending": None})
        return FinishedTurn(
            turn=received.turn,
            state=state,
            result=result,
            # Of the turn itself nothing is read here: it could not be summed up.
            feed=told(View(_start(received, Cause())), self._room.bundle, result, before, state, now),
            reply_id=reply_id(result),
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


def _start(received: Received, cause: Cause) -> TurnState:
    """The state that the graph starts from."""
    return {
        "cause": CAUSE.put(cause).content,
        "turn": TURN.put(received.turn).content,
        "snapshot": SNAPSHOT.put(received.snapshot).content,
        "journal": JOURNAL.put(received.journal).content,
        "trail": [],
        "audit": [],
    }
