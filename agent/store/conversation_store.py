"""Conversations between turns: opened, read, followed, and given things to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from handrail.agent.audit.chain import SITE_CHAIN
from handrail.agent.conversation import AuditEvent, LatestTurn, Snapshot
from handrail.agent.export import Rating
from handrail.agent.feed import Entry, HandoffQueued, Item
from handrail.agent.files import FileContent, StoredFile
from handrail.agent.store import attachments, belongings, conversations, feeds, turn_rows
from handrail.agent.store.conversations import LONGEST_NAME, Place, checked, find, new_id
from handrail.agent.store.ledger import append
from handrail.agent.store.means import Means
from handrail.guardrails.vocabulary import IdentityLevel, Message, TurnResult

LONGEST_CONVERSATION = 64


class ConversationStore(Means):
    """The part of the store that customers' clients read, and write to beside their messages."""

    async def open_conversation(
        self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel, at: datetime
    ) -> str:
        """Create an empty conversation and return its unguessable id."""
        place = Place(checked("site", site, LONGEST_NAME), new_id("c"))
        if customer_id is not None:
            checked("customer id", customer_id)
        await self._workers.write(lambda c: conversations.create(c, place, channel, customer_id, identity, at))
        return place.conversation_id

    async def ensure_conversation(
        self,
        site: str,
        conversation_id: str,
        channel: str,
        customer_id: str | None,
        identity: IdentityLevel,
        at: datetime,
    ) -> None:
        """Create an empty conversation with this id unless it is there."""
        place = Place(
            checked("site", site, LONGEST_NAME), checked("conversation id", conversation_id, LONGEST_CONVERSATION)
        )
        if customer_id is not None:
            checked("customer id", customer_id)

        def is_there(connection: Connection) -> bool:
            return conversations.belongs(connection, place, customer_id)

        def create(connection: Connection) -> None:
            if not is_there(connection):
                conversations.create(connection, place, channel, customer_id, identity, at)

        # Most are there: looking does not stand in line with the writes.
        if not await self._workers.read(is_there):
            await self._workers.write(create)

    async def snapshot(self, site: str, conversation_id: str) -> Snapshot:
        """The conversation now, without a lease."""
        place = Place(site, conversation_id)
        return await self._workers.read(lambda c: conversations.snapshot(c, find(c, place)))

    async def messages(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Message, ...]:
        """Messages with sequence number above `after`, oldest first; none for an unknown conversation."""
        return await self._workers.read(lambda c: conversations.listed(c, Place(site, conversation_id), after, limit))

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        """The customer's newest message with its idempotency key; None when nothing was said."""
        return await self._workers.read(lambda c: turn_rows.latest(c, Place(site, conversation_id)))

    async def results(self, site: str, conversation_id: str, limit: int) -> tuple[TurnResult, ...]:
        """The results of the latest `limit` finished turns, oldest first."""
        return await self._workers.read(lambda c: turn_rows.results(c, Place(site, conversation_id), limit))

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        """At most `limit` items of a conversation's feed numbered above `after`, in order."""
        return await self._workers.read(lambda c: feeds.listed(c, Place(site, conversation_id), after, limit))

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest item of each conversation's feed; unknown ones are left out."""
        return await self._workers.read(lambda c: feeds.heads(c, site, conversation_ids))

    async def standings(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, HandoffQueued]:
        """Where those of the conversations that wait for a person stand in line now."""
        return await self._workers.read(lambda c: feeds.standings(c, site, conversation_ids))

    async def put_rating(
        self, site: str, conversation_id: str, score: int, comment: str | None, item: Item, events: Sequence[AuditEvent]
    ) -> None:
        """Store the customer's rating, with its feed item and audit events."""
        place, at = Place(site, conversation_id), self._clock.now()

        def write(connection: Connection) -> None:
            standing = find(connection, place, lock=True)
            belongings.rate(connection, place, Rating(score=score, comment=comment, at=at))
            self._told(connection, standing, item, events, at)

        await self._tell(place, write)

    async def put_consent(
        self, site: str, conversation_id: str, purpose: str, given: bool, events: Sequence[AuditEvent], at: datetime
    ) -> None:
        """Store what the customer agrees to or refuses, with its audit events."""
        place = Place(site, conversation_id)

        def write(connection: Connection) -> None:
            standing = find(connection, place, lock=True)
            belongings.consent(connection, place, purpose, given, at)
            append(connection, site, conversation_id, self._scribe.seal(site, standing.customer_id, events))

        await self._workers.write(write)

    async def put_file(
        self, site: str, conversation_id: str, content: FileContent, item: Item, events: Sequence[AuditEvent]
    ) -> StoredFile:
        """Store an attached file, with its feed item and audit events."""
        place, at = Place(site, conversation_id), self._clock.now()

        def write(connection: Connection) -> StoredFile:
            standing = find(connection, place, lock=True)
            stored = attachments.put(connection, place, content)
            self._told(connection, standing, item, events, at)
            return stored

        return await self._tell(place, write)

    async def file(self, site: str, conversation_id: str, file_id: str) -> FileContent | None:
        """One attached file with its bytes."""
        return await self._workers.read(lambda c: attachments.one(c, Place(site, conversation_id), file_id))

    async def record(self, site: str, conversation_id: str | None, events: Sequence[AuditEvent]) -> None:
        """Append audit events outside a turn; None is the site's own chain."""
        checked("site", site, LONGEST_NAME)

        def write(connection: Connection) -> None:
            customer_id = None
            if conversation_id is not None:
                customer_id = find(connection, Place(site, conversation_id), lock=True).customer_id
            append(connection, site, conversation_id or SITE_CHAIN, self._scribe.seal(site, customer_id, events))

        await self._workers.write(write)

    def _told(
        self,
        connection: Connection,
        standing: conversations.Standing,
        item: Item,
        events: Sequence[AuditEvent],
        at: datetime,
    ) -> None:
        """Write the feed item and the audit events of something the customer gave to a locked conversation."""
        place = standing.place
        told = feeds.add(connection, standing, [item], at)
        conversations.change(connection, place, {"last_item": told})
        entries = self._scribe.seal(place.site, standing.customer_id, events)
        append(connection, place.site, place.conversation_id, entries)
