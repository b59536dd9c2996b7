"""Streams recorded turns out of the audit log, in the order of the chains, without holding more than one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, select

from handrail.agent.audit.recorded import KINDS, LoggedEvent, RecordedTurn, recorded
from handrail.agent.conversation import EventKind
from handrail.agent.store.audit_tables import audit_events, audit_payloads
from handrail.agent.store.columns import micros

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which finished turns: of one site or all, those that ended at `since` or later, the `last` so many of these."""

    site: str | None = None
    since: datetime | None = None
    last: int | None = None


def turns(connection: Connection, selection: Selection) -> Iterator[RecordedTurn]:
    """The selected turns, by site and conversation, in the order in which they ran."""
    rows = connection.execution_options(yield_per=BATCH).execute(_query(selection))
    # The events that are read are written in one transaction when a turn ends, so those of a turn stand together.
    place: tuple[str, str, str] | None = None
    events: list[LoggedEvent] = []
    for site, conversation_id, turn_id, kind, at, payload in rows:
        here = (site, conversation_id, turn_id)
        if here != place:
            if place is not None and (turn := recorded(*place, events)) is not None:
                yield turn
            place, events = here, []
        events.append(LoggedEvent(kind, payload, at))
    if place is not None and (turn := recorded(*place, events)) is not None:
        yield turn


def _query(selection: Selection) -> Select[str, str, str, str, int, str]:
    events, payloads = audit_events.c, audit_payloads.c
    query = (
        select(events.site, events.conversation_id, events.turn_id, events.kind, events.at, payloads.payload)
        .outerjoin(
            audit_payloads,
            and_(
                payloads.site == events.site,
                payloads.conversation_id == events.conversation_id,
                payloads.seq == events.seq,
            ),
        )
        .where(events.kind.in_([kind.value for kind in KINDS]))
        .order_by(events.site, events.conversation_id, events.seq)
    )
    if selection.site is not None:
        query = query.where(events.site == selection.site)
    if selection.since is None and selection.last is None:
        return query
    ended = select(events.site, events.conversation_id, events.turn_id).where(
        events.kind == EventKind.TURN_FINISHED.value
    )
    if selection.site is not None:
        ended = ended.where(events.site == selection.site)
    if selection.since is not None:
        ended = ended.where(events.at >= micros(selection.since))
    if selection.last is not None:
        ended = ended.order_by(events.at.desc(), events.turn_id.desc()).limit(selection.last)
    wanted = ended.subquery()
    return query.join(
        wanted,
        and_(
            wanted.c.site == events.site,
            wanted.c.conversation_id == events.conversation_id,
            wanted.c.turn_id == events.turn_id,
        ),
    )
