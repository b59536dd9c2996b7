"""Hearing one turn's reply while it is written: the pieces that have left, for whoever waits for the turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import NamedTuple, Protocol, TypeVar

from handrail.agent.bell import Bell, Ring
from handrail.agent.conversation import LatestTurn
from handrail.agent.feed import Entry, MessageDelta
from handrail.agent.store_port import StoreError
from handrail.agent.unheard import Feeds

ResultT = TypeVar("ResultT")

PAGE = 500
"""Items of a feed that are read at once; the reply of a turn that runs is among the latest so many."""


class Recorded(Feeds, Protocol):
    """The parts of the store that a turn is heard by; `Store` has the details."""

    @property
    def bell(self) -> Bell:
        """Rings when something was stored."""
        ...

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        """The customer's newest message with its idempotency key."""
        ...


class _Begun(NamedTuple):
    """The turn that is heard, and the last item that was read."""

    turn_id: str
    after: int


async def overheard(
    store: Recorded, site: str, conversation_id: str, key: str, turn: asyncio.Future[ResultT]
) -> AsyncGenerator[Entry, None]:
    """The pieces of the reply to the message under `key`, numbered, as they leave, until `turn` is done.

    Together they are the beginning of the reply, also of a turn that was interrupted and runs again. None of a reply
    that leaves as a whole, and none of one that was given before.
    """
    woken = asyncio.Event()

    def hear(ring: Ring) -> None:
        if (ring.site, ring.conversation_id) == (site, conversation_id):
            woken.set()

    store.bell.listen(hear)
    turn.add_done_callback(lambda _: woken.set())
    begun: _Begun | None = None
    try:
        while not turn.done():
            # INVARIANT: cleared before reading. What is stored from here on wakes; what was, is read.
            woken.clear()
            entries: tuple[Entry, ...] = ()
            # A store that stumbles costs a piece its early arrival; the turn tells the whole.
            with suppress(StoreError):
                begun = begun or await _beginning(store, site, conversation_id, key)
                if begun is not None:
                    entries = await store.feed(site, conversation_id, begun.after, PAGE)
            for entry in entries:
                begun = None if begun is None else begun._replace(after=entry.seq)
                if begun is not None and isinstance(entry.item, MessageDelta) and entry.item.turn_id == begun.turn_id:
                    yield entry
            if not turn.done():
                await woken.wait()
    finally:
        store.bell.leave(hear)


async def _beginning(store: Recorded, site: str, conversation_id: str, key: str) -> _Begun | None:
    """The turn under `key`, if it is the newest: of a conversation no other can run."""
    latest = await store.latest_turn(site, conversation_id)
    if latest is None or latest.key != key:
        return None
    head = (await store.heads(site, [conversation_id])).get(conversation_id, 0)
    return _Begun(latest.turn_id, max(0, head - PAGE))
