"""The reply of a turn on its way out: what has left of it, and each next piece, recorded before it leaves (S8.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from handrail.agent.conversation import AuditEvent
from handrail.agent.feed import MessageDelta
from handrail.agent.room import Room, bounded, sensible
from handrail.agent.turns import reply_id_of
from handrail.guardrails.vocabulary import Turn

LOOK_SECONDS = 0.5
"""How often a model that writes is asked for: whether a person wants the conversation meanwhile."""

GAP = "\n\n"
"""What stands between a text that has left and another that follows it."""


class Releasing:
    """The one way in which text leaves before its turn is over.

    INVARIANT: `said` is what the store holds as having left, and only grows. A turn that is broken off keeps it.
    """

    def __init__(self, turn: Turn, room: Room, said: str) -> None:
        """Go on from `said`, which an interrupted run of the turn has let out; mostly nothing."""
        self._turn = turn
        self._room = room
        self.said = said

    async def let_out(self, text: str, events: Sequence[AuditEvent]) -> None:
        """Record the next piece of the reply, with what led to it; clients hear of it then.

        Once begun it is known how it ended, also when the caller is cancelled. Raises what the store raises.
        """
        turn = self._turn
        piece = MessageDelta(message_id=reply_id_of(turn.turn_id), text=text, turn_id=turn.turn_id)
        patience = self._room.patience
        storing = asyncio.ensure_future(bounded(self._room.store.release(turn, piece, events), patience.store))
        storing.add_done_callback(lambda done: self._stored(text, done))
        try:
            await asyncio.shield(storing)
        except asyncio.CancelledError:
            await asyncio.wait({storing}, timeout=patience.handoff)
            raise

    def _stored(self, text: str, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.said += text

    async def called_off(self) -> None:
        """Returns when the machine may not go on writing. A store that cannot tell is asked again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                asking = bounded(self._room.store.may_write(self._turn), self._room.patience.store)
                may = sensible(await asking, bool, "the store")
            except Exception:  # noqa: BLE001, S112 - nothing leaves that the store does not take; the next look may go well
                continue
            if not may:
                return


RELEASING: ContextVar[Releasing | None] = ContextVar("RELEASING", default=None)
"""The way out of the turn that this process runs; a graph that runs without one lets nothing out before its end."""


@contextmanager
def releasing(turn: Turn, room: Room, said: str) -> Iterator[None]:
    """Run one turn with a way out of its own."""
    token = RELEASING.set(Releasing(turn, room, said))
    try:
        yield
    finally:
        RELEASING.reset(token)


def left() -> str:
    """What has left of the reply of the turn that runs."""
    way = RELEASING.get()
    return "" if way is None else way.said


def after(said: str, text: str) -> str:
    """`text` as the whole reply when `said` has left: the same text, if it begins so, else what follows it."""
    if text.startswith(said):
        return text
    return f"{said}{GAP}{text}" if text else said
