"""The audit log as a reader sees it: all of it for verification, one turn of it for an explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from sqlalchemy import Connection, Row, and_, func, select

from handrail.agent.audit.anchor import AnchorFile, ExportedAnchor
from handrail.agent.audit.chain import Head, Link, SealedPayload
from handrail.agent.audit.recorded import RecordedTurn
from handrail.agent.audit.report import AuditReport
from handrail.agent.audit.trail import Trail, TrailEvent
from handrail.agent.audit.verify import Break, ChainReport, Problem, StoredEvent, verify_chain
from handrail.agent.audit.verify_anchors import verify_anchor_records, verify_exported, verify_heads
from handrail.agent.store import anchoring
from handrail.agent.store.audit_tables import anchored_heads, anchors, audit_events, audit_payloads, chains
from handrail.agent.store.audit_turns import Selection, turns
from handrail.agent.store.conversations import Place
from handrail.agent.store.opening import open_existing
from handrail.agent.store_port import StoreError

T = TypeVar("T")

BATCH = 2_000
LISTED_TURNS = 5

_EVENTS_WITH_PAYLOADS = select(audit_events, audit_payloads.c.salt, audit_payloads.c.payload).outerjoin(
    audit_payloads,
    and_(
        audit_payloads.c.site == audit_events.c.site,
        audit_payloads.c.conversation_id == audit_events.c.conversation_id,
        audit_payloads.c.seq == audit_events.c.seq,
    ),
)


class AuditLog:
    """Reads the audit log of a database, and never writes to it."""

    def __init__(self, url: str) -> None:
        self._database = open_existing(url)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def verify(self, kept: AnchorFile | None = None) -> AuditReport:
        """Check every chain and anchor, also against anchors that were kept elsewhere, on one view of the database."""
        return self._database.read(lambda connection: _verify(connection, () if kept is None else kept.anchors))

    def trail(self, prefix: str, site: str | None = None) -> Trail:
        """The events of the one turn whose id begins with `prefix`. Raises StoreError for none, and for several."""
        return self._database.read(lambda connection: _trail(connection, prefix, site))

    def turns(self, selection: Selection, work: Callable[[Iterator[RecordedTurn]], T]) -> T:
        """What `work` makes of the selected turns, read one by one from one view of the database."""
        return self._database.read(lambda connection: work(turns(connection, selection)))


def _verify(connection: Connection, kept: Sequence[ExportedAnchor]) -> AuditReport:
    wanted = _wanted(connection, kept)
    recorded = {
        Place(site, name): Head(seq, digest)
        for site, name, seq, digest in connection.execute(
            select(chains.c.site, chains.c.conversation_id, chains.c.last_seq, chains.c.last_hash)
        )
    }
    reports = {
        place: verify_chain(events, recorded.get(place), wanted.get(place, ())) for place, events in _chains(connection)
    }
    breaks = [found for report in reports.values() for found in report.breaks]
    breaks += [
        Break(site=place.site, conversation_id=place.conversation_id, seq=None, problem=Problem.CHAIN_MISSING)
        for place, head in recorded.items()
        if head.seq > 0 and place not in reports
    ]
    breaks += _stray_payloads(connection) + _unbound(connection)
    by_site: dict[str, dict[str, ChainReport]] = defaultdict(dict)
    for place, report in reports.items():
        by_site[place.site][place.conversation_id] = report
    sites = _anchored_sites(connection)
    counted = 0
    for site in sites:
        found, number = _verify_site_anchors(connection, site, by_site[site])
        breaks += found
        counted += number
    for exported in kept:
        breaks += _verify_kept(connection, exported, by_site[exported.anchor.site])
    return AuditReport(
        chains=len(reports),
        events=sum(report.events for report in reports.values()),
        erased=sum(report.erased for report in reports.values()),
        anchors=counted,
        kept_anchors=len(kept),
        breaks=_distinct(breaks),
    )


def _verify_site_anchors(
    connection: Connection, site: str, reports: Mapping[str, ChainReport]
) -> tuple[list[Break], int]:
    stored = [
        (anchor, anchoring.heads_of(connection, site, anchor.number)) for anchor in anchoring.all_of(connection, site)
    ]
    breaks = verify_anchor_records(site, stored)
    for anchor, heads in stored:
        breaks += verify_heads(site, anchor.number, heads, reports)
    return breaks, len(stored)


def _verify_kept(connection: Connection, exported: ExportedAnchor, reports: Mapping[str, ChainReport]) -> list[Break]:
    number = exported.anchor.number
    stored = next((a for a in anchoring.all_of(connection, exported.anchor.site) if a.number == number), None)
    return verify_exported(exported, stored, reports, source="anchor file")


def _unbound(connection: Connection) -> list[Break]:
    """Chains that are marked as anchored although no anchor names their end: anchors were deleted."""
    latest = (
        select(anchored_heads.c.site, anchored_heads.c.conversation_id, func.max(anchored_heads.c.seq).label("seq"))
        .group_by(anchored_heads.c.site, anchored_heads.c.conversation_id)
        .subquery()
    )
    rows = connection.execute(
        select(chains.c.site, chains.c.conversation_id, chains.c.last_seq)
        .outerjoin(latest, and_(latest.c.site == chains.c.site, latest.c.conversation_id == chains.c.conversation_id))
        .where(chains.c.anchored == 1, func.coalesce(latest.c.seq, 0) < chains.c.last_seq)
        .order_by(chains.c.site, chains.c.conversation_id)
    )
    return [Break(site=site, conversation_id=name, seq=seq, problem=Problem.ANCHOR_MISSING) for site, name, seq in rows]


def _stray_payloads(connection: Connection) -> list[Break]:
    rows = connection.execute(
        select(audit_payloads.c.site, audit_payloads.c.conversation_id, audit_payloads.c.seq)
        .outerjoin(
            audit_events,
            and_(
                audit_events.c.site == audit_payloads.c.site,
                audit_events.c.conversation_id == audit_payloads.c.conversation_id,
                audit_events.c.seq == audit_payloads.c.seq,
            ),
        )
        .where(audit_events.c.seq.is_(None))
        .order_by(audit_payloads.c.site, audit_payloads.c.conversation_id, audit_payloads.c.seq)
    )
    return [Break(site=site, conversation_id=name, seq=seq, problem=Problem.PAYLOAD_STRAY) for site, name, seq in rows]


def _wanted(connection: Connection, kept: Sequence[ExportedAnchor]) -> Mapping[Place, set[int]]:
    wanted: dict[Place, set[int]] = defaultdict(set)
    rows = connection.execute(select(anchored_heads.c.site, anchored_heads.c.conversation_id, anchored_heads.c.seq))
    for site, conversation_id, seq in rows:
        wanted[Place(site, conversation_id)].add(seq)
    for exported in kept:
        for head in exported.heads:
            wanted[Place(exported.anchor.site, head.conversation_id)].add(head.seq)
    return wanted


def _chains(connection: Connection) -> Iterator[tuple[Place, Iterator[StoredEvent]]]:
    rows = connection.execution_options(yield_per=BATCH).execute(
        _EVENTS_WITH_PAYLOADS.order_by(audit_events.c.site, audit_events.c.conversation_id, audit_events.c.seq)
    )
    for place, group in groupby(rows, key=lambda row: Place(row.site, row.conversation_id)):
        yield place, (_stored(row) for row in group)


def _stored(row: Row[tuple[object, ...]]) -> StoredEvent:
    link = Link(
        row.site,
        row.conversation_id,
        row.seq,
        row.kind,
        row.turn_id,
        row.at,
        row.payload_digest,
        row.previous_hash,
        row.hash,
    )
    return StoredEvent(link, None if row.payload is None else SealedPayload(row.salt, row.payload))


def _anchored_sites(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(select(anchors.c.site).distinct()).scalars()))


def _distinct(breaks: Sequence[Break]) -> tuple[Break, ...]:
    """Each break once, in order of place: two anchors may name the same lost event."""
    unique = {(b.site, b.conversation_id, b.seq, b.problem, b.source): b for b in breaks}
    return tuple(sorted(unique.values(), key=lambda b: (b.site, b.conversation_id or "", b.seq or 0, b.problem)))


def _trail(connection: Connection, prefix: str, site: str | None) -> Trail:
    if not prefix:
        raise StoreError("name a turn, or the beginning of its id")
    known = select(audit_events.c.site, audit_events.c.conversation_id, audit_events.c.turn_id).where(
        audit_events.c.turn_id.startswith(prefix, autoescape=True)
    )
    if site is not None:
        known = known.where(audit_events.c.site == site)
    found = connection.execute(known.distinct().order_by(audit_events.c.turn_id).limit(LISTED_TURNS + 1)).all()
    exact = [row for row in found if row.turn_id == prefix] or found
    if not exact:
        raise StoreError(f"no turn in the audit log begins with {prefix!r}")
    if len(exact) > 1:
        listed = ", ".join(row.turn_id for row in exact[:LISTED_TURNS])
        raise StoreError(f"several turns begin with {prefix!r}: {listed}{', …' if len(exact) > LISTED_TURNS else ''}")
    place, turn_id = Place(exact[0].site, exact[0].conversation_id), exact[0].turn_id
    rows = connection.execute(
        _EVENTS_WITH_PAYLOADS.where(
            audit_events.c.site == place.site,
            audit_events.c.conversation_id == place.conversation_id,
            audit_events.c.turn_id == turn_id,
        ).order_by(audit_events.c.seq)
    )
    events = tuple(TrailEvent.read(_stored(row)) for row in rows)
    return Trail(site=place.site, conversation_id=place.conversation_id, turn_id=turn_id, events=events)
