"""The people who take handoffs: accounts and sessions, row by row."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from handrail.agent.operators import OperatorRecord, SessionRecord
from handrail.agent.store.conversations import checked
from handrail.agent.store.people_tables import operators, sessions


def put(connection: Connection, site: str, record: OperatorRecord) -> None:
    """Store an account in place of an earlier one of the same name."""
    checked("operator's name", record.name)
    checked("operator's public name", record.display)
    columns = {
        "display": record.display,
        "password": record.password,
        "queues": json.dumps(record.queues),
        "created_at": record.created_at,
        "disabled_at": record.disabled_at,
    }
    changed = connection.execute(
        update(operators).where(operators.c.site == site, operators.c.name == record.name).values(**columns)
    )
    if not changed.rowcount:
        connection.execute(insert(operators).values(site=site, name=record.name, **columns))


def listed(connection: Connection, site: str) -> tuple[OperatorRecord, ...]:
    """The accounts of a site, by name."""
    rows = connection.execute(select(operators).where(operators.c.site == site).order_by(operators.c.name))
    return tuple(
        OperatorRecord(
            name=row.name,
            display=row.display,
            password=row.password,
            queues=tuple(json.loads(row.queues)),
            created_at=row.created_at,
            disabled_at=row.disabled_at,
        )
        for row in rows
    )


def has_left(connection: Connection, site: str, name: str) -> bool:
    """Whether the account of this name is disabled."""
    statement = select(operators.c.disabled_at).where(operators.c.site == site, operators.c.name == name)
    return connection.execute(statement).scalar_one_or_none() is not None


def sign_in(connection: Connection, site: str, session: SessionRecord, password: str, now: datetime) -> bool:
    """Store a session, and drop those of the site that are over.

    False, and no session, when the account's stored password is not the `password` (hashed) that was compared any more,
    or the account was disabled meanwhile: comparing takes long enough for both.
    """
    connection.execute(delete(sessions).where(sessions.c.site == site, sessions.c.expires_at <= now))
    account = connection.execute(
        select(operators.c.password, operators.c.disabled_at)
        .where(operators.c.site == site, operators.c.name == session.name)
        .with_for_update()
    ).one_or_none()
    if account is None or account.password != password or account.disabled_at is not None:
        return False
    connection.execute(insert(sessions).values(site=site, **session.model_dump()))
    return True


def session(connection: Connection, site: str, token_digest: str, now: datetime) -> SessionRecord | None:
    """The session of a token; None when there is none, or it is over."""
    row = connection.execute(
        select(sessions.c.token_digest, sessions.c.name, sessions.c.expires_at).where(
            sessions.c.site == site, sessions.c.token_digest == token_digest, sessions.c.expires_at > now
        )
    ).one_or_none()
    return (
        None if row is None else SessionRecord(token_digest=row.token_digest, name=row.name, expires_at=row.expires_at)
    )


def sign_out(connection: Connection, site: str, token_digest: str | None, name: str | None) -> int:
    """End one session, or all of one person. Raises ValueError when neither is named: nobody ends them all."""
    if token_digest is None and name is None:
        raise ValueError("name the session or the person whose sessions end")
    statement = delete(sessions).where(sessions.c.site == site)
    if token_digest is not None:
        statement = statement.where(sessions.c.token_digest == token_digest)
    if name is not None:
        statement = statement.where(sessions.c.name == name)
    return connection.execute(statement).rowcount
