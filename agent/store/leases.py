"""Taking and giving back leases from the async side: which turns this process holds, and waiting for the others."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from handrail.agent.bell import Bell, Ring
from handrail.agent.case import Case
from handrail.agent.conversation import Received
from handrail.agent.ports import Clock
from handrail.agent.standing import WITH_A_PERSON
from handrail.agent.store import claims
from handrail.agent.store.claims import Busy, Claim
from handrail.agent.store.conversations import Lease, Place
from handrail.agent.store.lines import Lines, Wait
from handrail.agent.store.processes import is_gone, this_process
from handrail.agent.store.workers import Workers
from handrail.agent.store_port import LeaseLost
from handrail.guardrails.vocabulary import Role, Turn

P = TypeVar("P")
R = TypeVar("R", bound=Received | Case | None)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lease lasts without a sign of life, and how long one waits for somebody else's; seconds."""

    lease_seconds: float = 60.0
    busy_seconds: float = 25.0


class Leases:
    """The leases of this process, by turn."""

    def __init__(self, workers: Workers, clock: Clock, patience: Patience, wait: Wait, bell: Bell) -> None:
        self._workers = workers
        self._clock = clock
        self._patience = patience
        self._lines = Lines(wait)
        self._owner = this_process()
        self._bell = bell
        self._held: dict[str, tuple[Place, Lease]] = {}
        self._typing: set[str] = set()

    def claim(self) -> Claim:
        """A wish for a lease from now on, with a token of its own."""
        return Claim(self._owner, secrets.token_hex(16), self._clock.now(), self.until(), is_gone)

    def of(self, turn: Turn) -> Lease:
        """The lease under which this process runs `turn`. Raises LeaseLost when it has none."""
        held = self._held.get(turn.turn_id)
        if held is None:
            raise LeaseLost(f"turn {turn.turn_id} is not leased by this worker: receive or resume it first")
        return held[1]

    def until(self) -> datetime:
        """When a lease that is taken or extended now runs out."""
        return self._clock.now() + timedelta(seconds=self._patience.lease_seconds)

    def held(self) -> tuple[tuple[Place, Lease], ...]:
        """Every lease of this process."""
        return tuple(self._held.values())

    async def take(self, place: Place, attempt: Callable[[Connection, Claim], R | Busy]) -> R:
        """Repeat `attempt` until the conversation is free; in order of arrival within this process.

        Raises ConversationBusy when it is not free in time.
        """
        async with self._lines.front(place, self._patience.busy_seconds) as front:
            while True:
                front.look()
                outcome = await self._attempt(place, attempt)
                if not isinstance(outcome, Busy):
                    return outcome
                await front.pause()

    async def _attempt(self, place: Place, attempt: Callable[[Connection, Claim], R | Busy]) -> R | Busy:
        claim = self.claim()
        running = self._workers.write(lambda connection: attempt(connection, claim))
        running.add_done_callback(lambda done: self._attempted(place, done))
        try:
            outcome = await asyncio.shield(running)
        except asyncio.CancelledError:
            # The transaction goes on in its thread; what it takes must not stay taken by nobody.
            running.add_done_callback(lambda done: self._give_back(place, claim, done))
            raise
        if isinstance(outcome, Received) and outcome.finished is None:
            self._held[outcome.turn.turn_id] = (place, claim.taken(outcome.turn.turn_id))
            if _is_answered(outcome):
                self._typing.add(outcome.turn.turn_id)
                self._bell.ring(Ring(*place, typing=True))
        return outcome

    def _attempted(self, place: Place, done: asyncio.Future[R | Busy]) -> None:
        if not done.cancelled() and done.exception() is None and not isinstance(done.result(), Busy):
            self._bell.ring(Ring(*place))

    def _give_back(self, place: Place, claim: Claim, done: asyncio.Future[R | Busy]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        if isinstance(done.result(), Received):
            release = self._workers.write(lambda connection: claims.release(connection, place, claim.token))
            release.add_done_callback(lambda _: self._lines.freed(place))

    async def end(self, turn: Turn, prepare: Callable[[], P], work: Callable[[Connection, Lease, P], None]) -> None:
        """Run the transaction that ends a lease, and wake whoever waits for the conversation.

        Once begun it runs to its end, also when the caller is cancelled: a turn is finished or not, never in doubt.
        """
        lease, place = self.of(turn), Place(turn.site, turn.conversation_id)
        running = self._workers.write_prepared(prepare, lambda connection, ready: work(connection, lease, ready))
        running.add_done_callback(lambda done: self._ended(turn, place, lease, done))
        await asyncio.shield(running)

    def _ended(self, turn: Turn, place: Place, lease: Lease, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        held = self._held.get(turn.turn_id)
        # After a failed write the lease is still ours: the flow tries again, or abandons the turn.
        if (error is None or isinstance(error, LeaseLost)) and held is not None and held[1].token == lease.token:
            del self._held[turn.turn_id]
        if turn.turn_id in self._typing:
            self._typing.discard(turn.turn_id)
            self._bell.ring(Ring(*place, typing=False))
        if error is None and not done.cancelled():
            self._bell.ring(Ring(*place))
        self._lines.freed(place)


def _is_answered(received: Received) -> bool:
    """Whether the machine writes an answer now, as far as can be told before: not while a person speaks."""
    by_machine = received.snapshot.state.status not in WITH_A_PERSON and not received.snapshot.refused
    return by_machine and received.turn.sender is Role.CUSTOMER
