"""The conversation store on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from handrail.agent.audit.anchor import Anchor
from handrail.agent.audit.chain import SITE_CHAIN, Entry
from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.conversation import (
    Approval,
    ApprovalState,
    AuditEvent,
    CustomerExport,
    EventKind,
    FinishedTurn,
    JournalEntry,
    QueuedHandoff,
    Received,
    Snapshot,
)
from handrail.agent.ports import AttributeValue, Clock, CustomerEvent
from handrail.agent.store import anchoring, approvals, conversations, customers, erasure, handoffs, journal, turns
from handrail.agent.store.conversations import LONGEST_KEY, LONGEST_NAME, Lease, Place, checked, new_id
from handrail.agent.store.leases import Leases, Patience
from handrail.agent.store.ledger import Mask, Scribe, append
from handrail.agent.store.lines import Wait
from handrail.agent.store.opening import open_database
from handrail.agent.store.turns import Arrival, Busy, Claim
from handrail.agent.store.workers import Workers
from handrail.agent.store_port import ApprovalClosed, StoreError
from handrail.guardrails.vocabulary import IdentityLevel, Message, Role, Turn

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What can be tuned. `anchor_every` counts finished turns of this process; 0 anchors on demand only."""

    patience: Patience = field(default_factory=Patience)
    wait: Wait = asyncio.sleep
    threads: int = 4
    anchor_every: int = 256


class SqlStore:
    """Implements `Store` (see there for what each method promises) with SQLAlchemy Core."""

    def __init__(self, workers: Workers, clock: Clock, scribe: Scribe, options: StoreOptions) -> None:
        self._workers = workers
        self._clock = clock
        self._scribe = scribe
        self._options = options
        self._leases = Leases(workers, clock, options.patience, options.wait)
        self._since_anchor = 0

    @classmethod
    async def open(
        cls, url: str, clock: Clock, *, mask: Mask, pseudonyms: Pseudonyms, options: StoreOptions | None = None
    ) -> SqlStore:
        """Open the database at `url`, creating or migrating it where needed.

        Every audit payload goes through `mask` and `pseudonyms` before it is hashed. Raises StoreError with one
        message for a database that is damaged, foreign, newer or not writable; then nothing was changed.
        """
        chosen = options or StoreOptions()
        database = await asyncio.to_thread(open_database, url, chosen.threads)
        return cls(Workers(database, chosen.threads), clock, Scribe(mask, pseudonyms), chosen)

    async def close(self) -> None:
        """Give back the leases of unfinished turns, finish running transactions and close the database."""
        for place, lease in self._leases.held():
            await self._workers.write(partial(turns.release, place=place, token=lease.token))
        if self._options.anchor_every and self._since_anchor:
            await self._anchor_all()
        await self._workers.close()

    # ------------------------------------------------------------------------------------------ turns

    async def open_conversation(
        self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel, at: datetime
    ) -> str:
        """Create an empty conversation and return its unguessable id."""
        place = Place(checked("site", site, LONGEST_NAME), new_id("c"))
        if customer_id is not None:
            checked("customer id", customer_id)
        await self._workers.write(lambda c: conversations.create(c, place, channel, customer_id, identity, at))
        return place.conversation_id

    async def receive(
        self, site: str, conversation_id: str, customer_id: str | None, key: str, text: str, at: datetime
    ) -> Received:
        """Store a customer's message and lease the conversation for its turn."""
        place = Place(site, conversation_id)
        arrival = Arrival(place, Role.CUSTOMER, f"c:{checked('idempotency key', key, LONGEST_KEY)}", text, at)
        return await self._leases.take(
            place, lambda c, claim: turns.arrive(c, self._scribe, claim, arrival, customer_id)
        )

    async def begin_operator_turn(self, site: str, conversation_id: str, note: str, at: datetime) -> Received:
        """Open and lease a turn that an operator's decision causes."""
        place = Place(site, conversation_id)
        arrival = Arrival(place, Role.OPERATOR, f"o:{new_id('t')}", note, at)
        return await self._leases.take(place, lambda c, claim: turns.arrive(c, self._scribe, claim, arrival, None))

    async def resume(self, turn: Turn) -> Received | None:
        """Lease the conversation of an interrupted turn; None when it is finished or runs elsewhere."""

        def attempt(connection: Connection, claim: Claim) -> Received | Busy | None:
            return turns.resume(connection, claim, turn)

        return await self._leases.take(Place(turn.site, turn.conversation_id), attempt)

    async def interrupted(self) -> tuple[Turn, ...]:
        """Turns received but never finished, whose worker is gone; oldest first."""
        claim = self._leases.claim()
        return await self._workers.read(lambda c: turns.interrupted(c, claim))

    async def intend(self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent]) -> None:
        """Journal a write call before it runs, with the audit events that led to it."""
        await self._within(turn, events, lambda c, place: journal.intend(c, place, entry))

    async def conclude(self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent]) -> None:
        """Journal how a write call ended."""
        await self._within(turn, events, lambda c, place: journal.conclude(c, place, entry))

    async def _within(
        self, turn: Turn, events: Sequence[AuditEvent], work: Callable[[Connection, Place], None]
    ) -> None:
        """Run `work` and chain `events` in one transaction under the turn's lease, which is extended."""
        lease, place, until = self._leases.of(turn), Place(turn.site, turn.conversation_id), self._leases.until()

        def write(connection: Connection, entries: tuple[Entry, ...]) -> None:
            turns.owned(connection, lease, turn)
            work(connection, place)
            append(connection, place.site, place.conversation_id, entries)
            turns.extend(connection, place, until)

        # Shielded: a caller that is cancelled here must find later that the call was journalled, and not maybe.
        await asyncio.shield(
            self._workers.write_prepared(lambda: self._scribe.seal(turn.site, turn.customer_id, events), write)
        )

    async def finish(self, finished: FinishedTurn) -> None:
        """Write everything a turn leaves behind, in one transaction, and release the lease."""
        turn, now = finished.turn, self._clock.now()

        def write(connection: Connection, lease: Lease, entries: tuple[Entry, ...]) -> None:
            turns.finish(connection, lease, finished, entries, now)

        await self._leases.end(turn, lambda: self._scribe.seal(turn.site, turn.customer_id, finished.events), write)
        await self._anchor_sometimes()

    async def abandon(self, turn: Turn) -> None:
        """Release the lease without finishing, so that recovery finds the turn."""

        def write(connection: Connection, lease: Lease, _: None) -> None:
            turns.release(connection, Place(turn.site, turn.conversation_id), lease.token)

        await self._leases.end(turn, lambda: None, write)

    # -------------------------------------------------------------------------------- conversations

    async def snapshot(self, site: str, conversation_id: str) -> Snapshot:
        """The conversation now, without a lease."""
        place = Place(site, conversation_id)
        return await self._workers.read(lambda c: conversations.snapshot(c, conversations.find(c, place)))

    async def messages(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Message, ...]:
        """Messages with sequence number above `after`, oldest first; none for an unknown conversation."""
        return await self._workers.read(lambda c: conversations.listed(c, Place(site, conversation_id), after, limit))

    async def add_operator_message(self, site: str, conversation_id: str, text: str, by: str, at: datetime) -> Message:
        """Store an operator's message to the customer, with its audit event."""
        place = Place(site, conversation_id)

        def write(connection: Connection) -> Message:
            standing = conversations.find(connection, place, lock=True)
            message = conversations.add_message(connection, standing, Role.OPERATOR, text, at)
            conversations.change(connection, place, {"last_message": standing.last_message + 1})
            event = AuditEvent(
                kind=EventKind.OPERATOR_DECISION,
                turn_id="",
                at=at,
                payload={
                    "action": "message",
                    "message_id": message.message_id,
                    "characters": len(message.text),
                    "by": by,
                },
            )
            append(connection, site, conversation_id, self._scribe.seal(site, standing.customer_id, [event]))
            return message

        return await self._workers.write(write)

    async def record(self, site: str, conversation_id: str | None, events: Sequence[AuditEvent]) -> None:
        """Append audit events outside a turn; None is the site's own chain."""
        checked("site", site, LONGEST_NAME)

        def write(connection: Connection) -> None:
            customer_id = None
            if conversation_id is not None:
                customer_id = conversations.find(connection, Place(site, conversation_id), lock=True).customer_id
            append(connection, site, conversation_id or SITE_CHAIN, self._scribe.seal(site, customer_id, events))

        await self._workers.write(write)

    # -------------------------------------------------------------------------------------- people

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """One request for approval."""
        return await self._workers.read(lambda c: approvals.one(c, site, approval_id))

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval, oldest first."""
        return await self._workers.read(lambda c: approvals.listed(c, site, state))

    async def decide_approval(
        self, site: str, approval_id: str, state: ApprovalState, by: str, at: datetime
    ) -> Approval:
        """Move a pending request to approved, denied or expired, with its audit event."""

        def write(connection: Connection) -> approvals.Decided:
            decided = approvals.decide(connection, site, approval_id, state, by, at)
            if decided.event is not None:
                entries = self._scribe.seal(site, decided.customer_id, [decided.event])
                append(connection, site, decided.approval.conversation_id, entries)
            return decided

        decided = await self._workers.write(write)
        if decided.event is None or decided.approval.state is not state:
            raise ApprovalClosed(f"this request for approval is {decided.approval.state} already")
        return decided.approval

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        """Open handoffs, most urgent first, then oldest first."""
        return await self._workers.read(lambda c: handoffs.waiting(c, site))

    # ----------------------------------------------------------------------------------- customers

    async def put_attributes(self, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
        """Store attribute values; an older observation never replaces a newer one."""
        return await self._workers.write(lambda c: customers.put_attributes(c, site, customer_id, values))

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """The latest value of every attribute known."""
        return await self._workers.read(lambda c: customers.known_attributes(c, site, customer_id))

    async def put_events(self, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
        """Store customer events idempotently by event id; returns how many were new."""
        return await self._workers.write(lambda c: customers.put_events(c, site, customer_id, events))

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """Events at or after `since`, oldest first; of more than 500, the latest 500."""
        return await self._workers.read(lambda c: customers.events_since(c, site, customer_id, since))

    async def export_customer(self, site: str, customer_id: str) -> CustomerExport:
        """Everything stored about a customer."""
        return await self._workers.read(lambda c: erasure.export(c, site, customer_id))

    async def erase_customer(self, site: str, customer_id: str) -> int:
        """Erase a customer; the audit chains stay whole."""
        now = self._clock.now()
        return await self._workers.write(lambda c: erasure.erase(c, self._scribe, site, customer_id, now))

    # --------------------------------------------------------------------------------------- audit

    async def anchor(self, site: str) -> Anchor | None:
        """Anchor the chains of a site that grew since the last anchor; None when none did."""
        now = self._clock.now()
        return await self._workers.write(lambda c: anchoring.anchor_site(c, site, now))

    async def _anchor_sometimes(self) -> None:
        self._since_anchor += 1
        if self._options.anchor_every and self._since_anchor >= self._options.anchor_every:
            await self._anchor_all()

    async def _anchor_all(self) -> None:
        try:
            for site in await self._workers.read(anchoring.unanchored_sites):
                await self.anchor(site)
            self._since_anchor = 0
        except StoreError:
            # The turn is finished and stays so; the next one tries to anchor again.
            logger.exception("audit chains could not be anchored")
