"""One turn as a stream: the typing, the text as it is released, then everything the turn told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing

from handrail.agent.feed import (
    Checklist,
    CitationGiven,
    ConfirmationRequested,
    Entry,
    HandoffQueued,
    HandoffRequested,
    MessageCompleted,
    QuickReplies,
    RatingRequested,
    StatusChanged,
    Typing,
)
from handrail.agent.overhearing import overheard
from handrail.agent.pieces import deltas
from handrail.agent.server.desk import Desk
from handrail.agent.server.events import Event, Failed
from handrail.agent.server.faults import ErrorView
from handrail.guardrails.vocabulary import Role, TurnResult

PAGE = 500
"""Items of a feed that are read at once."""

_OF_MESSAGE = (CitationGiven, QuickReplies, Checklist, ConfirmationRequested)
_OF_REPLY = (*_OF_MESSAGE, HandoffRequested, HandoffQueued, StatusChanged, RatingRequested)


async def turn_events(
    desk: Desk, conversation_id: str, key: str, turn: asyncio.Task[TurnResult], before: int
) -> AsyncIterator[Event]:
    """What the turn under `key` tells, while it runs and when it is done. `before` is the end of the feed before it.

    A turn that was answered before, under the same key, tells the same again, without the pieces. Raises what the
    turn raises. Nothing of a reply comes before it is stored.
    """
    yield Typing(active=True)
    async with aclosing(overheard(desk.service.store, desk.site, conversation_id, key, turn)) as pieces:
        async for early in pieces:
            yield early
    # Shielded: a client that goes away ends this stream, not the turn.
    result = await asyncio.shield(turn)
    yield Typing(active=False)
    told = of_turn(await _entries(desk, conversation_id, before), result.turn_id)
    live = any(_reply_of(each, result.turn_id) for each in told)
    if not told:
        told = of_turn(await _entries(desk, conversation_id, 0), result.turn_id)
    for entry in told:
        if live:
            for piece in deltas(entry.item):
                yield piece
        yield entry
    if result.reply and not any(_reply_of(each, result.turn_id) for each in told):
        yield _not_stored(result)


def of_turn(entries: Iterable[Entry], turn_id: str) -> tuple[Entry, ...]:
    """The items of one turn: the customer's message, and the reply with what follows it in the same breath.

    A turn's reply and all that comes with it stand together, because they are written at once; a person's move or
    message in between would not be part of them.
    """
    found: list[Entry] = []
    replied = False
    for entry in entries:
        if isinstance(entry.item, MessageCompleted):
            replied = _reply_of(entry, turn_id)
            if entry.item.turn_id == turn_id:
                found.append(entry)
        elif replied and isinstance(entry.item, _OF_REPLY):
            found.append(entry)
        else:
            replied = False
    return tuple(found)


def _reply_of(entry: Entry, turn_id: str) -> bool:
    item = entry.item
    return isinstance(item, MessageCompleted) and item.turn_id == turn_id and item.role is Role.BOT


async def _entries(desk: Desk, conversation_id: str, after: int) -> list[Entry]:
    entries: list[Entry] = []
    while True:
        page = await desk.service.store.feed(desk.site, conversation_id, after, PAGE)
        entries += page
        if len(page) < PAGE:
            return entries
        after = page[-1].seq


def _not_stored(result: TurnResult) -> Failed:
    """The reply says that it could not be stored: it stands in no feed, and the message may be sent again."""
    hint = "Repeat the request with the same Idempotency-Key."
    return Failed(error=ErrorView(code="unavailable", message=result.reply, hint=hint))
