"""Changes of who speaks with the customer, each in one transaction with all that it means."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from handrail.agent.case import Case, CaseMove
from handrail.agent.conversation import ConversationState
from handrail.agent.feed import Item, MessageCompleted
from handrail.agent.standing import WITH_A_PERSON, moved
from handrail.agent.store import cases, feeds, handoffs, releases, staff
from handrail.agent.store.claims import BUSY, NO_LEASE, Busy, Claim
from handrail.agent.store.conversations import (
    LONGEST_KEY,
    Place,
    Standing,
    add_message,
    change,
    checked,
    find,
    storable,
)
from handrail.agent.store.ledger import Scribe, append
from handrail.agent.store.tables import messages, moves
from handrail.agent.store_port import CaseTaken, KeyReused, NotHolder, WrongStatus
from handrail.guardrails.vocabulary import ConversationStatus, Message, Role


def move_case(
    connection: Connection, scribe: Scribe, claim: Claim, place: Place, move: CaseMove, at: datetime
) -> Case | Busy:
    """Carry out `move`, or find that its key was carried out before; BUSY while a turn of the conversation runs.

    A person who takes over calls off what the machine is writing: the turn ends with what has left by then.

    INVARIANT: no turn runs across a move. A turn decides by the status it started with and writes the status it
    reached; a move in between would be overwritten by the turn, or the machine would speak over the person.
    """
    _consistent(move)
    standing = find(connection, place, lock=True)
    if move.key is not None and _carried_out(connection, place, move.key, move.message):
        return cases.whole(connection, place)
    if not claim.may_take(standing.lease):
        if move.holder is not None and move.must_be_free:
            _call_off(connection, standing, move, at)
        return BUSY
    _refuse(connection, standing, move)
    _carry_out(connection, standing, move, at)
    append(connection, place.site, place.conversation_id, scribe.seal(place.site, standing.customer_id, move.events))
    return cases.whole(connection, place)


def _call_off(connection: Connection, standing: Standing, move: CaseMove, at: datetime) -> None:
    try:
        _refuse(connection, standing, move)
    except (CaseTaken, WrongStatus, NotHolder):
        return  # as things stand this will be refused when the turn is over, and stops nobody
    if standing.lease is not None:
        releases.call_off(connection, standing.place, standing.lease.turn_id, at)


def said_under(connection: Connection, place: Place, key: str) -> Message | None:
    """The message that a move stored under its key."""
    row = connection.execute(
        select(messages.c.message_id, messages.c.role, messages.c.text, messages.c.at)
        .join(
            moves,
            (moves.c.site == messages.c.site)
            & (moves.c.conversation_id == messages.c.conversation_id)
            & (moves.c.message_id == messages.c.message_id),
        )
        .where(moves.c.site == place.site, moves.c.conversation_id == place.conversation_id, moves.c.key == key)
    ).one_or_none()
    return None if row is None else Message(message_id=row.message_id, role=Role(row.role), text=row.text, at=row.at)


def _consistent(move: CaseMove) -> None:
    if (move.holder is not None) != (move.to_status in WITH_A_PERSON):
        raise ValueError(f"a conversation that is {move.to_status} has a holder exactly when a person speaks in it")
    waits = move.to_status is ConversationStatus.QUEUED
    if waits and (move.closes_handoff or (move.handoff is None and not move.reopens_handoff)):
        raise ValueError("who waits for a person stands in line with a packet: give one, or reopen it")
    if move.key is not None:
        checked("key of the move", move.key, LONGEST_KEY)


def _carried_out(connection: Connection, place: Place, key: str, text: str | None) -> bool:
    known = connection.execute(
        select(moves.c.message_id).where(
            moves.c.site == place.site, moves.c.conversation_id == place.conversation_id, moves.c.key == key
        )
    ).one_or_none()
    if known is None:
        return False
    said = said_under(connection, place, key)
    if (None if said is None else said.text) != (None if text is None else storable(text)):
        raise KeyReused("this idempotency key was used with another text: use a new key for a new message")
    return True


def _refuse(connection: Connection, standing: Standing, move: CaseMove) -> None:
    holder = standing.holder
    # Who cannot sign in any more holds nothing: the customer must not wait for somebody who has left.
    held = holder is not None and holder != move.holder
    if move.must_be_free and held and holder and not staff.has_left(connection, standing.place.site, holder):
        raise CaseTaken(holder)
    if standing.status not in move.from_statuses:
        allowed = ", ".join(sorted(status.value for status in move.from_statuses))
        raise WrongStatus(f"the conversation is {standing.status.value}; this can be done while it is: {allowed}")
    if move.must_hold is not None and standing.holder != move.must_hold:
        raise NotHolder("somebody else has this conversation: claim it when it is free")


def _carry_out(connection: Connection, standing: Standing, move: CaseMove, at: datetime) -> None:
    place, number, items = standing.place, standing.last_message, list(move.feed)
    message = None
    if move.message is not None:
        message = add_message(connection, standing, Role.OPERATOR, move.message, at)
        items.append(_completed(message, move.message_name))
        number += 1
    if move.key is not None:
        message_id = None if message is None else message.message_id
        connection.execute(
            insert(moves).values(**place._asdict(), key=move.key, message_id=message_id, author=move.holder, at=at)
        )
    handoff_id = _hand_over(connection, standing, move, at)
    state = moved(ConversationState.model_validate_json(standing.state), move.to_status)
    change(
        connection,
        place,
        {
            "status": state.status.value,
            "state": state.model_dump_json(),
            "holder": move.holder,
            "handoff_id": handoff_id,
            "last_message": number,
            "last_item": feeds.add(connection, standing, items, at),
            # A lease whose time ran out, or whose process is gone: that turn must find that it was lost.
            **NO_LEASE,
        },
    )


def _hand_over(connection: Connection, standing: Standing, move: CaseMove, at: datetime) -> str | None:
    """Settle the packet; returns the id of the one that is current now."""
    place, waits = standing.place, move.to_status is ConversationStatus.QUEUED
    if move.closes_handoff or move.handoff is not None or not waits:
        handoffs.close(connection, place, at)
    if move.handoff is not None:
        handoffs.put(connection, place, move.handoff, at, closed_at=None if waits else at)
        return move.handoff.handoff_id
    if move.reopens_handoff:
        handoffs.reopen(connection, place, standing.handoff_id)
    return standing.handoff_id


def _completed(message: Message, name: str | None) -> Item:
    return MessageCompleted(
        message_id=message.message_id, role=message.role, text=message.text, at=message.at, name=name
    )
