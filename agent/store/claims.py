"""Claims on conversations: who works on one, whether somebody else may, and the end of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import Connection, update

from handrail.agent.store.conversations import Lease, Place, Standing, change, find
from handrail.agent.store.tables import conversations
from handrail.agent.store_port import LeaseLost, UnknownConversation
from handrail.guardrails.vocabulary import Turn

NO_LEASE: Final = {"lease_owner": None, "lease_token": None, "lease_turn": None, "lease_until": None}
"""The columns of a conversation that nobody works on."""


class Busy(Enum):
    """The answer of a claim while somebody else's turn runs."""

    BUSY = "busy"


BUSY: Final = Busy.BUSY


class Claim(NamedTuple):
    """A worker's wish for a lease. `gone` tells whether the process that holds one no longer runs."""

    owner: str
    token: str
    now: datetime
    until: datetime
    gone: Callable[[str], bool]

    def may_take(self, lease: Lease | None) -> bool:
        """Whether nobody works under `lease` any more."""
        return lease is None or lease.until <= self.now or self.gone(lease.owner)

    def taken(self, turn_id: str) -> Lease:
        """The lease that this claim becomes."""
        return Lease(self.owner, self.token, turn_id, self.until)


def take(connection: Connection, place: Place, lease: Lease, counted: Mapping[str, int]) -> None:
    """Lease a locked conversation, and count its messages and items."""
    change(
        connection,
        place,
        {
            "lease_owner": lease.owner,
            "lease_token": lease.token,
            "lease_turn": lease.turn_id,
            "lease_until": lease.until,
            **counted,
        },
    )


def owned(connection: Connection, lease: Lease, turn: Turn) -> Standing:
    """The locked conversation of `turn` when `lease` still holds it. Raises LeaseLost."""
    try:
        standing = find(connection, Place(turn.site, turn.conversation_id), lock=True)
    except UnknownConversation as error:
        raise LeaseLost(f"the conversation of turn {turn.turn_id} is gone: drop its reply") from error
    if standing.lease is None or standing.lease.token != lease.token or standing.lease.turn_id != turn.turn_id:
        raise LeaseLost(f"turn {turn.turn_id} was taken over by another worker: drop its reply")
    return standing


def extend(connection: Connection, place: Place, until: datetime) -> None:
    """Keep a lease that is still held for longer; a tool may take its time."""
    change(connection, place, {"lease_until": until})


def release(connection: Connection, place: Place, token: str) -> None:
    """Give a lease back without finishing; nothing happens when it was lost."""
    connection.execute(
        update(conversations)
        .where(
            conversations.c.site == place.site,
            conversations.c.conversation_id == place.conversation_id,
            conversations.c.lease_token == token,
        )
        .values(**NO_LEASE)
    )
