"""Moves of cases, as tests of the store make them."""

from __future__ import annotations

import hashlib

from handrail.agent.case import CaseMove
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.feed import (
    FileAttached,
    HandoffAccepted,
    HandoffEnded,
    HandoffQueued,
    RatingRequested,
    StatusChanged,
)
from handrail.agent.files import FileContent, StoredFile
from handrail.agent.standing import Action, outcome, sources
from handrail.agent.store.sqlstore import SqlStore
from handrail.guardrails.vocabulary import ConversationStatus, Handoff, Priority
from tests.unit.store.building import ANNA, SITE, START, finished, handed_off

QUEUED, ACCEPTED, HUMAN = ConversationStatus.QUEUED, ConversationStatus.ACCEPTED, ConversationStatus.HUMAN


def acted(action: str, by: str) -> AuditEvent:
    """The audit event of a move."""
    return AuditEvent(kind=EventKind.OPERATOR_ACTION, turn_id="", at=START, payload={"action": action, "by": by})


def claim(by: str, handoff: Handoff | None = None) -> CaseMove:
    """Take a conversation."""
    return CaseMove(
        from_statuses=sources(Action.CLAIM),
        to_status=ACCEPTED,
        holder=by,
        must_be_free=True,
        closes_handoff=True,
        handoff=handoff,
        feed=(HandoffAccepted(name=by.title()), StatusChanged(status=ACCEPTED)),
        events=(acted("claim", by),),
    )


def reply(by: str, text: str, key: str = "r1") -> CaseMove:
    """Write to the customer."""
    return CaseMove(
        from_statuses=sources(Action.REPLY),
        to_status=HUMAN,
        holder=by,
        must_hold=by,
        message=text,
        message_name=by.title(),
        key=key,
        feed=(StatusChanged(status=HUMAN),),
        events=(acted("reply", by),),
    )


def release(by: str) -> CaseMove:
    """Give a conversation back to the queue."""
    return CaseMove(
        from_statuses=sources(Action.RELEASE_TO_QUEUE),
        to_status=QUEUED,
        holder=None,
        must_hold=by,
        reopens_handoff=True,
        feed=(HandoffEnded(outcome="queued"), StatusChanged(status=QUEUED)),
        events=(acted("release", by),),
    )


def resolve(by: str) -> CaseMove:
    """End the matter."""
    reached = outcome(Action.RESOLVE)
    return CaseMove(
        from_statuses=sources(Action.RESOLVE),
        to_status=reached,
        holder=None,
        must_hold=by,
        closes_handoff=True,
        feed=(HandoffEnded(outcome="resolved"), StatusChanged(status=reached), RatingRequested()),
        events=(acted("resolve", by),),
    )


def in_line(position: int = 1) -> HandoffQueued:
    """What the customer who waits was told."""
    return HandoffQueued(team="Billing", position=position, due_at=None, opens_at=None)


async def queued(
    store: SqlStore, name: str, handoff_id: str, priority: Priority = Priority.NORMAL, customer_id: str | None = ANNA
) -> None:
    """A turn that asks for a person."""
    received = await store.receive(SITE, name, customer_id, f"k_{handoff_id}", "A person!", START)
    packet = handed_off(handoff_id, priority)
    told = (in_line(), StatusChanged(status=QUEUED))
    await store.finish(finished(received, status=QUEUED, handoff=packet, feed=told))


def attached(file_id: str, content: bytes = b"%PDF-1.7 invoice", name: str = "invoice.pdf") -> FileContent:
    """A file of a customer."""
    return FileContent(
        stored=StoredFile(
            file_id=file_id,
            name=name,
            media_type="application/pdf",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            at=START,
        ),
        content=content,
    )


def told_of(content: FileContent) -> FileAttached:
    """The feed item of an attached file."""
    stored = content.stored
    return FileAttached(file_id=stored.file_id, name=stored.name, media_type=stored.media_type, size=stored.size)
