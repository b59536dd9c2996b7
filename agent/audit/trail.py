"""The events of one turn, as read back from the audit log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from handrail.agent.audit.verify import StoredEvent
from handrail.guardrails.vocabulary import Frozen


class TrailEvent(Frozen):
    """One event. `payload` is None when it was erased; `sound` says whether hash and digest fit."""

    seq: int
    kind: str
    at: datetime
    payload: dict[str, JsonValue] | None
    sound: bool

    @classmethod
    def read(cls, stored: StoredEvent) -> TrailEvent:
        """The event with its payload parsed and checked against its digest."""
        link, payload = stored.link, stored.payload
        content, fits = None, link.hash == link.computed()
        if payload is not None:
            fits = fits and payload.digest == link.payload_digest
            parsed = _parsed(payload.text)
            content, fits = parsed, fits and parsed is not None
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=link.at)
        return cls(seq=link.seq, kind=link.kind, at=at, payload=content, sound=fits)


class Trail(Frozen):
    """All events of one turn, in the order in which they were written."""

    site: str
    conversation_id: str
    turn_id: str
    events: tuple[TrailEvent, ...]


def _parsed(text: str) -> dict[str, JsonValue] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
