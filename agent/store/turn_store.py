"""Turns: received and leased, journalled, finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from handrail.agent.audit.anchor import Anchor
from handrail.agent.audit.chain import Entry
from handrail.agent.bell import Ring
from handrail.agent.conversation import AuditEvent, FinishedTurn, Granted, JournalEntry, Received
from handrail.agent.feed import MessageDelta
from handrail.agent.store import anchoring, claims, journal, releases, turns
from handrail.agent.store.claims import Busy, Claim
from handrail.agent.store.conversations import LONGEST_KEY, Lease, Place, Standing, checked, new_id
from handrail.agent.store.ledger import append
from handrail.agent.store.means import Means
from handrail.agent.store.turn_rows import CONTINUED_KEY, CUSTOMER_KEY, OPERATOR_KEY
from handrail.agent.store.turns import Arrival
from handrail.agent.store_port import LeaseLost, StoreError
from handrail.guardrails.vocabulary import Role, Turn

logger = logging.getLogger(__name__)


class TurnStore(Means):
    """The part of the store that turns go through, and the audit chains with them."""

    _anchor_every = 0
    _since_anchor = 0
    _begun: set[str]
    """Turns of this process whose reply has begun to leave, as far as is known."""

    async def receive(
        self, site: str, conversation_id: str, customer_id: str | None, key: str, text: str, at: datetime
    ) -> Received:
        """Store a customer's message and lease the conversation for its turn."""
        stored_key = f"{CUSTOMER_KEY}{checked('idempotency key', key, LONGEST_KEY)}"
        arrival = Arrival(Place(site, conversation_id), Role.CUSTOMER, stored_key, text, at)
        return self._noted(await self._arrived(arrival, customer_id))

    async def continue_turn(
        self, site: str, conversation_id: str, customer_id: str | None, key: str, text: str, at: datetime
    ) -> Received:
        """Open and lease a turn that goes on with the customer's newest message."""
        stored_key = f"{CONTINUED_KEY}{checked('idempotency key', key, LONGEST_KEY)}"
        return await self._arrived(Arrival(Place(site, conversation_id), Role.BOT, stored_key, text, at), customer_id)

    async def begin_operator_turn(self, site: str, conversation_id: str, note: str, at: datetime) -> Received:
        """Open and lease a turn that an operator's decision causes."""
        key = f"{OPERATOR_KEY}{new_id('t')}"
        return await self._arrived(Arrival(Place(site, conversation_id), Role.OPERATOR, key, note, at), None)

    async def _arrived(self, arrival: Arrival, customer_id: str | None) -> Received:
        return await self._leases.take(
            arrival.place, lambda c, claim: turns.arrive(c, self._scribe, claim, arrival, customer_id)
        )

    async def resume(self, turn: Turn) -> Received | None:
        """Lease the conversation of an interrupted turn; None when it is finished or runs elsewhere."""

        def attempt(connection: Connection, claim: Claim) -> Received | Busy | None:
            return turns.resume(connection, claim, turn)

        received = await self._leases.take(Place(turn.site, turn.conversation_id), attempt)
        return None if received is None else self._noted(received)

    def _noted(self, received: Received) -> Received:
        """Take note of a turn whose reply an interrupted run has begun: its end has to go on from there."""
        if received.released:
            self._begun.add(received.turn.turn_id)
        return received

    async def interrupted(self) -> tuple[Turn, ...]:
        """Turns received but never finished, whose worker is gone; oldest first."""
        claim = self._leases.claim()
        return await self._workers.read(lambda c: turns.interrupted(c, claim))

    async def intend(
        self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent], seen: Granted | None = None
    ) -> None:
        """Journal a write call before it runs, with the audit events that led to it."""
        await self._within(turn, events, lambda c, standing: journal.intend(c, standing.place, entry, seen))

    async def granted(self, site: str, customer_id: str, tools: Sequence[str], since: datetime, but: str) -> Granted:
        """What a customer was granted since an instant, by whatever conversation."""
        return await self._workers.read(lambda c: journal.granted(c, site, customer_id, tools, since, but))

    async def conclude(self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent]) -> None:
        """Journal how a write call ended."""
        await self._within(turn, events, lambda c, standing: journal.conclude(c, standing.place, entry))

    async def release(self, turn: Turn, piece: MessageDelta, events: Sequence[AuditEvent]) -> None:
        """Add the next piece of the turn's reply to the feed, with its audit events."""
        now = self._clock.now()
        self._begun.add(turn.turn_id)
        await self._within(turn, events, lambda c, standing: releases.tell(c, standing, piece, now))
        self._bell.ring(Ring(turn.site, turn.conversation_id))

    async def may_write(self, turn: Turn) -> bool:
        """Whether the machine may go on with this turn's reply."""
        try:
            lease = self._leases.of(turn)
        except LeaseLost:
            return False
        return await self._workers.read(lambda c: releases.may_write(c, lease, turn))

    async def _within(
        self, turn: Turn, events: Sequence[AuditEvent], work: Callable[[Connection, Standing], None]
    ) -> None:
        """Run `work` and chain `events` in one transaction under the turn's lease, which is extended."""
        lease, place, until = self._leases.of(turn), Place(turn.site, turn.conversation_id), self._leases.until()

        def write(connection: Connection, entries: tuple[Entry, ...]) -> None:
            work(connection, claims.owned(connection, lease, turn))
            append(connection, place.site, place.conversation_id, entries)
            claims.extend(connection, place, until)

        # Shielded: a caller that is cancelled here must find later that the call was journalled, and not maybe.
        await asyncio.shield(
            self._workers.write_prepared(lambda: self._scribe.seal(turn.site, turn.customer_id, events), write)
        )

    async def finish(self, finished: FinishedTurn) -> None:
        """Write everything a turn leaves behind, in one transaction, and release the lease."""
        turn, now = finished.turn, self._clock.now()

        def write(connection: Connection, lease: Lease, entries: tuple[Entry, ...]) -> None:
            if turn.turn_id in self._begun:
                releases.completed(connection, finished)
            turns.finish(connection, lease, finished, entries, now)

        await self._leases.end(turn, lambda: self._scribe.seal(turn.site, turn.customer_id, finished.events), write)
        self._begun.discard(turn.turn_id)
        await self._anchor_sometimes()

    async def abandon(self, turn: Turn) -> None:
        """Release the lease without finishing, so that recovery finds the turn."""

        def write(connection: Connection, lease: Lease, _: None) -> None:
            claims.release(connection, Place(turn.site, turn.conversation_id), lease.token)

        self._begun.discard(turn.turn_id)
        await self._leases.end(turn, lambda: None, write)

    async def anchor(self, site: str) -> Anchor | None:
        """Anchor the chains of a site that grew since the last anchor; None when none did."""
        now = self._clock.now()
        return await self._workers.write(lambda c: anchoring.anchor_site(c, site, now))

    async def close(self) -> None:
        """Give back the leases of unfinished turns, finish running transactions and close the database."""
        for place, lease in self._leases.held():
            await self._workers.write(partial(claims.release, place=place, token=lease.token))
        if self._anchor_every and self._since_anchor:
            await self._anchor_all()
        await self._workers.close()

    async def _anchor_sometimes(self) -> None:
        self._since_anchor += 1
        if self._anchor_every and self._since_anchor >= self._anchor_every:
            await self._anchor_all()

    async def _anchor_all(self) -> None:
        try:
            for site in await self._workers.read(anchoring.unanchored_sites):
                await self.anchor(site)
            self._since_anchor = 0
        except StoreError:
            # The turn is finished and stays so; the next one tries to anchor again.
            logger.exception("audit chains could not be anchored")
