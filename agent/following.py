"""Following conversations live: what was stored first, then everything as it happens, for as many as want to know.

The store is the only memory: a follower knows the number of the last item it told, and reads on from there. So a
slow client holds no items, an item is told once and in order, and other processes' writes are no special case.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from handrail.agent.bell import Ring
from handrail.agent.feed import Entry, HandoffQueued, Passing, StatusChanged, Typing
from handrail.agent.pieces import deltas
from handrail.agent.ports import Clock
from handrail.agent.store_port import Store
from handrail.guardrails.vocabulary import ConversationStatus

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""How often other processes' writes are looked for, and places in line: one question for all followed conversations."""
PAGE = 100
"""Items read at once."""

Wait = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""


class _Place(NamedTuple):
    site: str
    conversation_id: str


@dataclass(eq=False, slots=True)
class _Follower:
    """One client: the last item it was told, and what it believes of that which passes."""

    after: int
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    typing: bool = False
    position: int | None = None


@dataclass(eq=False, slots=True)
class _Followed:
    """A conversation with followers, and what passes in it now. `asks`: whether it may stand in line.

    `newest` is the highest number anybody was told, `changes` counts what was told of people up to there.
    """

    followers: set[_Follower] = field(default_factory=set)
    queued: HandoffQueued | None = None
    asks: bool = True
    newest: int = 0
    changes: int = 0
    gone: bool = False

    def saw(self, entry: Entry) -> None:
        """Take note of an item: whoever is no longer queued stands in no line, whatever was true a moment ago."""
        if entry.seq <= self.newest:
            return
        self.newest = entry.seq
        if isinstance(entry.item, StatusChanged | HandoffQueued):
            self.changes += 1
            self.asks = True
        if isinstance(entry.item, StatusChanged) and entry.item.status is not ConversationStatus.QUEUED:
            self.queued = None

    def stands(self, queued: HandoffQueued | None) -> None:
        """Take note of the place in line, None for none, and wake whom it is news to."""
        self.queued = queued
        self.asks = queued is not None
        for follower in self.followers:
            if queued is not None and queued.position != follower.position:
                follower.woken.set()

    def wake(self) -> None:
        """Let every follower look again."""
        for follower in self.followers:
            follower.woken.set()


class Following:
    """The live feeds of one process. For one event loop."""

    def __init__(self, store: Store, clock: Clock, wait: Wait = asyncio.sleep) -> None:
        """Follow what `store` holds; `wait` lets the seconds between two polls pass."""
        self._store = store
        self._clock = clock
        self._wait = wait
        self._followed: dict[_Place, _Followed] = {}
        self._typing: set[_Place] = set()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        store.bell.listen(self._hear)

    async def follow(self, site: str, conversation_id: str, after: int) -> AsyncIterator[Entry | Passing]:
        """Everything told in a conversation after item `after`: what is stored, then what happens, as it happens.

        A live reply comes in pieces before it comes whole; what was stored before comes whole only. Ends when the
        conversation is erased, or unknown, or this process stops following. Raises StoreError.
        """
        place, follower = _Place(site, conversation_id), _Follower(after)
        followed = self._join(place, follower)
        live = False
        try:
            while not (self._closed or followed.gone):
                # INVARIANT: cleared before reading. What is stored from here on wakes; what was, is read.
                follower.woken.clear()
                for ended in self._typing_news(place, follower, begins=False):
                    yield ended
                entries = await self._store.feed(site, conversation_id, follower.after, PAGE)
                for entry in entries:
                    for piece in deltas(entry.item) if live else ():
                        yield piece
                    _note(entry, followed, follower)
                    yield entry
                if len(entries) == PAGE:
                    continue
                live = True
                for begun in self._typing_news(place, follower, begins=True):
                    yield begun
                for moved in _line_news(followed, follower):
                    yield moved
                await follower.woken.wait()
        finally:
            self._leave(place, followed, follower)

    def close(self) -> None:
        """End everybody's following; whoever comes later is told nothing."""
        if self._closed:
            return
        self._closed = True
        self._store.bell.leave(self._hear)
        if self._poller is not None:
            self._poller.cancel()
        for followed in self._followed.values():
            followed.wake()

    def _join(self, place: _Place, follower: _Follower) -> _Followed:
        followed = self._followed.setdefault(place, _Followed())
        followed.followers.add(follower)
        # Somebody new may not know where they stand.
        followed.asks = True
        if self._poller is None:
            self._poller = asyncio.get_running_loop().create_task(self._poll())
        return followed

    def _leave(self, place: _Place, followed: _Followed, follower: _Follower) -> None:
        followed.followers.discard(follower)
        if not followed.followers and self._followed.get(place) is followed:
            del self._followed[place]
        if not self._followed and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    def _hear(self, ring: Ring) -> None:
        place = _Place(ring.site, ring.conversation_id)
        if ring.typing is not None:
            (self._typing.add if ring.typing else self._typing.discard)(place)
        if place in self._followed:
            self._followed[place].wake()

    def _typing_news(self, place: _Place, follower: _Follower, *, begins: bool) -> Iterator[Typing]:
        if follower.typing is not begins and (place in self._typing) is begins:
            follower.typing = begins
            yield Typing(active=begins)

    async def _poll(self) -> None:
        failing = False
        while True:
            await self._wait(POLL_SECONDS)
            by_site: dict[str, list[str]] = defaultdict(list)
            for place in self._followed:
                by_site[place.site].append(place.conversation_id)
            try:
                for site, names in by_site.items():
                    await self._look(site, names)
                failing = False
            except Exception as error:  # noqa: BLE001 - the next poll may go well
                if not failing:
                    log.error("feeds not polled", extra={"error": type(error).__name__})
                failing = True

    async def _look(self, site: str, names: Sequence[str]) -> None:
        """Wake those for whom there is news."""
        heads = await self._store.heads(site, names)
        for name in names:
            followed = self._followed.get(_Place(site, name))
            if followed is None:
                continue
            followed.gone = name not in heads
            for follower in followed.followers:
                if followed.gone or heads[name] > follower.after:
                    follower.woken.set()
        await self._look_at_lines(site, names)

    async def _look_at_lines(self, site: str, names: Sequence[str]) -> None:
        """Find where those stand who wait for a person, as far as anybody may wait at all."""
        asked = {name: place for name in names if (place := self._followed.get(_Place(site, name))) and place.asks}
        if not asked:
            return
        before = {name: followed.changes for name, followed in asked.items()}
        standings = await self._store.standings(site, tuple(asked))
        for name, followed in asked.items():
            # Where something was told of people meanwhile, this answer may be older: it is asked for again.
            if followed.changes == before[name]:
                followed.stands(self._of_now(standings.get(name)))

    def _of_now(self, queued: HandoffQueued | None) -> HandoffQueued | None:
        """A team whose opening hour has come is there."""
        if queued is None or queued.opens_at is None or queued.opens_at > self._clock.now():
            return queued
        return queued.model_copy(update={"opens_at": None})


def _note(entry: Entry, followed: _Followed, follower: _Follower) -> None:
    follower.after = entry.seq
    followed.saw(entry)
    if isinstance(entry.item, HandoffQueued):
        follower.position = entry.item.position


def _line_news(followed: _Followed, follower: _Follower) -> Iterator[HandoffQueued]:
    queued = followed.queued
    if queued is not None and queued.position != follower.position:
        follower.position = queued.position
        yield queued
