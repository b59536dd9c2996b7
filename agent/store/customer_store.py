"""What is known about customers, and their rights: a copy of it, and its erasure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handrail.agent.export import CustomerExport
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.store import customers, erasure
from handrail.agent.store.conversations import Place
from handrail.agent.store.means import Means


class CustomerStore(Means):
    """The part of the store that is about customers and not about one conversation."""

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

    async def erase_conversation(self, site: str, conversation_id: str) -> None:
        """Erase one conversation; its audit chain stays whole."""
        place, now = Place(site, conversation_id), self._clock.now()
        await self._tell(place, lambda c: erasure.erase_conversation(c, self._scribe, place, now))
