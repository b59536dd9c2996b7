"""The life of a turn: received and leased, perhaps interrupted and resumed, finished once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from handrail.agent.audit.chain import Entry
from handrail.agent.conversation import AuditEvent, EventKind, FinishedTurn, Received
from handrail.agent.store import approvals, customers, handoffs, journal
from handrail.agent.store.conversations import (
    Lease,
    Place,
    Standing,
    add_message,
    change,
    find,
    new_id,
    snapshot,
    storable,
)
from handrail.agent.store.ledger import Scribe, append
from handrail.agent.store.tables import conversations, turns
from handrail.agent.store.turn_rows import Progress, StoredTurn, add, by_id, by_key, turn_of
from handrail.agent.store_port import KeyReused, LeaseLost, UnknownConversation
from handrail.guardrails.vocabulary import Role, Turn, TurnResult


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


class Arrival(NamedTuple):
    """Something that starts a turn: a customer's message, or an operator's decision (role operator)."""

    place: Place
    role: Role
    key: str
    text: str
    at: datetime


def arrive(
    connection: Connection, scribe: Scribe, claim: Claim, arrival: Arrival, customer_id: str | None
) -> Received | Busy:
    """Store what arrived and take the lease, or find what the same key came to before."""
    standing = find(connection, arrival.place, lock=True)
    if arrival.role is Role.CUSTOMER and standing.customer_id != customer_id:
        raise UnknownConversation("there is no such conversation: open one first")
    known = by_key(connection, arrival.place, arrival.key)
    if known is not None:
        if known.text != storable(arrival.text):
            raise KeyReused("this idempotency key was used with another text: use a new key for a new message")
        return _again(connection, claim, standing, known)
    if not claim.may_take(standing.lease):
        return BUSY
    return _begin(connection, scribe, claim, standing, arrival)


def _begin(connection: Connection, scribe: Scribe, claim: Claim, standing: Standing, arrival: Arrival) -> Received:
    place, turn_id = arrival.place, new_id("t")
    number = standing.last_message
    message_id = None
    if arrival.role is Role.CUSTOMER:
        message_id = add_message(connection, standing, Role.CUSTOMER, arrival.text, arrival.at).message_id
        number += 1
    stored = StoredTurn(
        turn_id,
        place,
        storable(arrival.text),
        standing.last_message + 1,
        Progress.RECEIVED,
        arrival.at,
        None,
        arrival.role,
    )
    add(connection, stored, arrival.key)
    event = AuditEvent(
        kind=EventKind.TURN_RECEIVED,
        turn_id=turn_id,
        at=arrival.at,
        payload={
            "sender": arrival.role.value,
            "message_id": message_id,
            "channel": standing.channel,
            "identity": standing.identity.value,
            "customer": scribe.pseudonym(place.site, standing.customer_id),
            "characters": len(stored.text),
            # An operator's note is a reason for what follows; a customer's words stay out of the log.
            "note": arrival.text if arrival.role is Role.OPERATOR else None,
        },
    )
    append(connection, place.site, place.conversation_id, scribe.seal(place.site, standing.customer_id, [event]))
    _lease(connection, place, claim.taken(turn_id), last_message=number)
    return Received(
        turn=turn_of(stored, standing), snapshot=snapshot(connection, standing, before=stored.before_message)
    )


def _again(connection: Connection, claim: Claim, standing: Standing, stored: StoredTurn) -> Received | Busy:
    if stored.progress is Progress.FINISHED:
        result = TurnResult.model_validate_json(stored.result or "")
        return Received(turn=turn_of(stored, standing), snapshot=snapshot(connection, standing), finished=result)
    if not claim.may_take(standing.lease):
        return BUSY
    _lease(connection, standing.place, claim.taken(stored.turn_id), last_message=standing.last_message)
    return Received(
        turn=turn_of(stored, standing),
        snapshot=snapshot(connection, standing, before=stored.before_message),
        journal=journal.of_turn(connection, standing.place.site, stored.turn_id),
        later_messages=max(0, standing.last_message - stored.before_message),
    )


def resume(connection: Connection, claim: Claim, turn: Turn) -> Received | Busy | None:
    """Lease an interrupted turn; None when it is finished, runs elsewhere, or its customer was erased."""
    try:
        standing = find(connection, Place(turn.site, turn.conversation_id), lock=True)
    except UnknownConversation:
        return None
    stored = by_id(connection, turn.turn_id)
    if stored is None or stored.progress is Progress.FINISHED:
        return None
    lease = standing.lease
    if lease is not None and lease.turn_id == turn.turn_id and not claim.may_take(lease):
        return None
    return _again(connection, claim, standing, stored)


def interrupted(connection: Connection, claim: Claim) -> tuple[Turn, ...]:
    """Turns that were received and that nobody works on, oldest first."""
    rows = connection.execute(
        select(turns.c.turn_id, turns.c.site, turns.c.conversation_id)
        .where(turns.c.progress == Progress.RECEIVED.value)
        .order_by(turns.c.at, turns.c.turn_id)
    ).all()
    found = []
    for turn_id, site, conversation_id in rows:
        try:
            standing = find(connection, Place(site, conversation_id))
        except UnknownConversation:
            continue
        lease, stored = standing.lease, by_id(connection, turn_id)
        runs = lease is not None and lease.turn_id == turn_id and not claim.may_take(lease)
        if stored is not None and not runs:
            found.append(turn_of(stored, standing))
    return tuple(found)


def finish(
    connection: Connection, lease: Lease, finished: FinishedTurn, entries: Sequence[Entry], now: datetime
) -> None:
    """Write everything a turn leaves behind. Raises LeaseLost before anything is written."""
    turn = finished.turn
    standing = owned(connection, lease, turn)
    place, result = standing.place, finished.result
    number = standing.last_message
    if result.reply:
        add_message(connection, standing, Role.BOT, result.reply, now)
        number += 1
    done = connection.execute(
        _FINISH,
        {
            "of_turn": turn.turn_id,
            "progress": Progress.FINISHED.value,
            "finished_at": now,
            "result": result.model_dump_json(),
        },
    )
    if done.rowcount != 1:
        raise LeaseLost(f"turn {turn.turn_id} was finished before: send its stored result instead")
    handoffs.settle(connection, place, finished.handoff, finished.state.status, now)
    if finished.approval is not None:
        approvals.request(connection, place, turn.turn_id, finished.approval)
    if finished.used_approval is not None:
        approvals.use(connection, place, finished.used_approval)
    if finished.withdrawn_approval is not None:
        approvals.withdraw(connection, place, finished.withdrawn_approval, finished.turn.at)
    if standing.customer_id is not None:
        customers.put_events(connection, place.site, standing.customer_id, finished.customer_events)
    append(connection, place.site, place.conversation_id, entries)
    change(
        connection,
        place,
        {
            "status": finished.state.status.value,
            "state": finished.state.model_dump_json(),
            "last_message": number,
            **_NO_LEASE,
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
        .values(**_NO_LEASE)
    )


_FINISH = update(turns).where(turns.c.turn_id == bindparam("of_turn"), turns.c.progress == Progress.RECEIVED.value)
_NO_LEASE: Final = {"lease_owner": None, "lease_token": None, "lease_turn": None, "lease_until": None}


def _lease(connection: Connection, place: Place, lease: Lease, last_message: int) -> None:
    change(
        connection,
        place,
        {
            "lease_owner": lease.owner,
            "lease_token": lease.token,
            "lease_turn": lease.turn_id,
            "lease_until": lease.until,
            "last_message": last_message,
        },
    )
