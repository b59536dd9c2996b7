"""Customer context from our own store, where the company's systems put it (spec S13.5)."""

from __future__ import annotations

from datetime import datetime

from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.store_port import Store


class StoredContext:
    """Implements `CustomerContext` over the store."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """The latest value of every attribute known."""
        return await self._store.attributes(site, customer_id)

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """Events at or after `since`, oldest first, at most 500."""
        return await self._store.events(site, customer_id, since)
