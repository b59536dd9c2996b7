"""The conversation store on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.bell import Bell
from handrail.agent.ports import Clock
from handrail.agent.store.case_store import CaseStore
from handrail.agent.store.conversation_store import ConversationStore
from handrail.agent.store.customer_store import CustomerStore
from handrail.agent.store.leases import Leases, Patience
from handrail.agent.store.ledger import Mask, Scribe
from handrail.agent.store.lines import Wait
from handrail.agent.store.opening import open_database
from handrail.agent.store.turn_store import TurnStore
from handrail.agent.store.workers import Workers


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What can be tuned. `anchor_every` counts finished turns of this process; 0 anchors on demand only."""

    patience: Patience = field(default_factory=Patience)
    wait: Wait = asyncio.sleep
    threads: int = 4
    anchor_every: int = 256


class SqlStore(TurnStore, ConversationStore, CaseStore, CustomerStore):
    """Implements `Store` (see there for what each method promises) with SQLAlchemy Core."""

    def __init__(self, workers: Workers, clock: Clock, scribe: Scribe, options: StoreOptions) -> None:
        bell = Bell()
        leases = Leases(workers, clock, options.patience, options.wait, bell)
        super().__init__(workers, clock, scribe, leases, bell)
        self._anchor_every = options.anchor_every
        self._begun: set[str] = set()

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
