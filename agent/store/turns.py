"""The life of a turn: received and leased, perhaps interrupted and resumed, finished once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from handrail.agent.audit.chain import Entry
from handrail.agent.conversation import AuditEvent, EventKind, FinishedTurn, Received
from handrail.agent.feed import MessageCompleted
from handrail.agent.standing import WITH_A_PERSON
from handrail.agent.store import approvals, customers, feeds, handoffs, journal, releases
from handrail.agent.store.claims import BUSY, NO_LEASE, Busy, Claim, owned, take
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
from handrail.agent.store.tables import turns
from handrail.agent.store.turn_rows import Progress, StoredTurn, add, by_id, by_key, turn_of
from handrail.agent.store_port import KeyReused, LeaseLost, UnknownConversation
from handrail.guardrails.vocabulary import Message, Role, Turn, TurnResult


class Arrival(NamedTuple):
    """Something that starts a turn: a customer's message, an operator's decision, or results of calls (role bot)."""

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
    if arrival.role is not Role.OPERATOR and standing.customer_id != customer_id:
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
    number, told = standing.last_message, standing.last_item
    message_id = None
    if arrival.role is Role.CUSTOMER:
        said = add_message(connection, standing, Role.CUSTOMER, arrival.text, arrival.at)
        told = feeds.add(connection, standing, [_completed(said, turn_id)], arrival.at)
        message_id = said.message_id
        number += 1
    stored = StoredTurn(
        turn_id,
        place,
        storable(arrival.text),
        standing.last_message + 1,
        standing.version + 1,
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
    take(connection, place, claim.taken(turn_id), {"last_message": number, "last_item": told})
    return Received(
        turn=turn_of(stored, standing), snapshot=snapshot(connection, standing, before=stored.before_message)
    )


def _completed(said: Message, turn_id: str) -> MessageCompleted:
    return MessageCompleted(message_id=said.message_id, role=said.role, text=said.text, at=said.at, turn_id=turn_id)


def _again(connection: Connection, claim: Claim, standing: Standing, stored: StoredTurn) -> Received | Busy:
    if stored.progress is Progress.FINISHED:
        result = TurnResult.model_validate_json(stored.result or "")
        return Received(turn=turn_of(stored, standing), snapshot=snapshot(connection, standing), finished=result)
    if not claim.may_take(standing.lease):
        return BUSY
    take(connection, standing.place, claim.taken(stored.turn_id), {})
    return Received(
        turn=turn_of(stored, standing),
        snapshot=snapshot(connection, standing, before=stored.before_message),
        journal=journal.of_turn(connection, standing.place.site, stored.turn_id),
        released=releases.told(connection, standing.place, stored.turn_id),
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
    place, status = standing.place, finished.state.status
    number = standing.last_message
    _consistent(finished)
    if finished.reply_id is not None:
        add_message(connection, standing, Role.BOT, finished.result.reply, now, finished.reply_id)
        number += 1
    done = connection.execute(
        _FINISH,
        {
            "of_turn": turn.turn_id,
            "progress": Progress.FINISHED.value,
            "finished_at": now,
            "result": finished.result.model_dump_json(),
        },
    )
    if done.rowcount != 1:
        raise LeaseLost(f"turn {turn.turn_id} was finished before: send its stored result instead")
    told = feeds.add(connection, standing, finished.feed, now)
    _settle(connection, standing, finished, now)
    append(connection, place.site, place.conversation_id, entries)
    change(
        connection,
        place,
        {
            "status": status.value,
            "state": finished.state.model_dump_json(),
            "holder": standing.holder if status in WITH_A_PERSON else None,
            "handoff_id": standing.handoff_id if finished.handoff is None else finished.handoff.handoff_id,
            "last_message": number,
            "last_item": told,
            **NO_LEASE,
        },
    )


def _consistent(finished: FinishedTurn) -> None:
    if (finished.reply_id is not None) != bool(finished.result.reply):
        raise ValueError("a reply is stored under its id, and only a reply has one")
    told = {item.message_id for item in finished.feed if isinstance(item, MessageCompleted)}
    if finished.reply_id is not None and finished.reply_id not in told:
        raise ValueError("a reply that is stored is told: it belongs among the items of the feed")


def _settle(connection: Connection, standing: Standing, finished: FinishedTurn, now: datetime) -> None:
    """Write what the turn means for people and for the customer's history."""
    place = standing.place
    handoffs.settle(connection, place, finished.handoff, finished.state.status, now)
    if finished.approval is not None:
        approvals.request(connection, place, finished.turn.turn_id, finished.approval)
    if finished.used_approval is not None:
        approvals.use(connection, place, finished.used_approval)
    if finished.reopened_approval is not None:
        approvals.reopen(connection, place, finished.reopened_approval)
    if finished.withdrawn_approval is not None:
        approvals.withdraw(connection, place, finished.withdrawn_approval, finished.turn.at)
    if standing.customer_id is not None:
        customers.put_events(connection, place.site, standing.customer_id, finished.customer_events)


_FINISH = update(turns).where(turns.c.turn_id == bindparam("of_turn"), turns.c.progress == Progress.RECEIVED.value)
