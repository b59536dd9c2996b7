"""Making anchors from the chains as they are stored, and reading them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from handrail.agent.audit.anchor import Anchor, AnchoredHead, AnchorFile, ExportedAnchor, exported, next_anchor
from handrail.agent.store.audit_tables import anchored_heads, anchors, chains
from handrail.agent.store.columns import micros
from handrail.agent.store.opening import open_existing


def anchor_site(connection: Connection, site: str, at: datetime) -> Anchor | None:
    """Anchor the chains of a site that grew since its newest anchor; None when none did."""
    # In one order for all workers, so that two of them never wait for each other in a circle.
    rows = connection.execute(
        select(chains.c.conversation_id, chains.c.last_seq, chains.c.last_hash)
        .where(chains.c.anchored == 0, chains.c.site == site, chains.c.last_seq > 0)
        .order_by(chains.c.conversation_id)
        .with_for_update()
    ).all()
    if not rows:
        return None
    heads = [AnchoredHead(conversation_id=name, seq=seq, hash=digest) for name, seq, digest in rows]
    anchor = next_anchor(site, newest(connection, site), micros(at), heads)
    connection.execute(insert(anchors).values(**anchor.model_dump()))
    connection.execute(
        insert(anchored_heads),
        [{"site": site, "number": anchor.number, **head.model_dump()} for head in heads],
    )
    connection.execute(
        update(chains).where(chains.c.anchored == 0, chains.c.site == site, chains.c.last_seq > 0).values(anchored=1)
    )
    return anchor


def unanchored_sites(connection: Connection) -> tuple[str, ...]:
    """Sites with chains that grew since their newest anchor."""
    rows = connection.execute(select(chains.c.site).where(chains.c.anchored == 0, chains.c.last_seq > 0).distinct())
    return tuple(sorted(rows.scalars()))


def newest(connection: Connection, site: str) -> Anchor | None:
    """The newest anchor of a site."""
    row = (
        connection.execute(select(anchors).where(anchors.c.site == site).order_by(anchors.c.number.desc()).limit(1))
        .mappings()
        .one_or_none()
    )
    return None if row is None else Anchor.model_validate(dict(row))


def all_of(connection: Connection, site: str) -> tuple[Anchor, ...]:
    """The anchors of a site, by number."""
    rows = connection.execute(select(anchors).where(anchors.c.site == site).order_by(anchors.c.number))
    return tuple(Anchor.model_validate(dict(row)) for row in rows.mappings())


def heads_of(connection: Connection, site: str, number: int) -> tuple[AnchoredHead, ...]:
    """What one anchor names, by conversation."""
    rows = connection.execute(
        select(anchored_heads.c.conversation_id, anchored_heads.c.seq, anchored_heads.c.hash)
        .where(anchored_heads.c.site == site, anchored_heads.c.number == number)
        .order_by(anchored_heads.c.conversation_id)
    )
    return tuple(AnchoredHead.model_validate(dict(row)) for row in rows.mappings())


def export_newest(connection: Connection, site: str) -> ExportedAnchor | None:
    """The newest anchor with the end of every chain at that moment; None when the site has no anchor."""
    anchor = newest(connection, site)
    if anchor is None:
        return None
    latest = (
        select(anchored_heads.c.conversation_id, func.max(anchored_heads.c.number).label("number"))
        .where(anchored_heads.c.site == site, anchored_heads.c.number <= anchor.number)
        .group_by(anchored_heads.c.conversation_id)
        .subquery()
    )
    rows = connection.execute(
        select(anchored_heads.c.conversation_id, anchored_heads.c.seq, anchored_heads.c.hash)
        .join(
            latest,
            (latest.c.conversation_id == anchored_heads.c.conversation_id)
            & (latest.c.number == anchored_heads.c.number),
        )
        .where(anchored_heads.c.site == site)
    )
    return exported(anchor, [AnchoredHead.model_validate(dict(row)) for row in rows.mappings()])


def anchor_now(url: str, at: datetime) -> AnchorFile:
    """Anchor every site of a database that is there already, and return the newest anchor of each."""
    database = open_existing(url)

    def write(connection: Connection) -> AnchorFile:
        for site in unanchored_sites(connection):
            anchor_site(connection, site, at)
        sites = sorted(connection.execute(select(anchors.c.site).distinct()).scalars())
        found = (export_newest(connection, site) for site in sites)
        return AnchorFile(anchors=tuple(anchor for anchor in found if anchor is not None))

    try:
        return database.write(write)
    finally:
        database.close()
