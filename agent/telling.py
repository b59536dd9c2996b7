"""What clients are told of a turn: its feed items, in order, from what the turn leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from handrail.agent.channels import DETECTION, QUEUED, RETRIEVED, View
from handrail.agent.conversation import ConversationState
from handrail.agent.feed import (
    Checklist,
    CitationGiven,
    ConfirmationRequested,
    HandoffRequested,
    Item,
    MessageCompleted,
    QuickReplies,
    RatingRequested,
    ShownArgument,
    StatusChanged,
)
from handrail.agent.releasing import left
from handrail.agent.turns import reply_id_of
from handrail.agent.waiting import queue_of, team_of
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.gate.writing import in_language
from handrail.guardrails.vocabulary import ConversationStatus, Decision, Frozen, Role, TurnResult


class Told(Frozen):
    """Why a stored turn came out as it did."""

    turn_id: str
    reasons: tuple[str, ...]
    decisions: tuple[Decision, ...]


def reply_id(result: TurnResult) -> str | None:
    """The id of the turn's message; None when it says nothing."""
    return reply_id_of(result.turn_id) if result.reply else None


def told(
    view: View, bundle: Bundle, result: TurnResult, before: ConversationState, after: ConversationState, at: datetime
) -> tuple[Item, ...]:
    """The items of a turn that led from the state `before` to `after`. Works with whatever the turn got to."""
    language = view[DETECTION].language if view.has(DETECTION) else None
    return (
        *_message(view, bundle, result, after, at, language),
        *_people(view, bundle, result, language),
        *_status(before.status, result.status),
    )


def _message(
    view: View, bundle: Bundle, result: TurnResult, after: ConversationState, at: datetime, language: str | None
) -> Iterator[Item]:
    message_id = reply_id(result)
    if message_id is None:
        return
    yield MessageCompleted(
        message_id=message_id,
        role=Role.BOT,
        text=result.reply,
        at=at,
        turn_id=result.turn_id,
        begun=bool(left()),
    )
    titles = {one.doc_id: one.title for one in view[RETRIEVED].passages} if view.has(RETRIEVED) else {}
    for doc_id in result.citations:
        yield CitationGiven(message_id=message_id, doc_id=doc_id, title=titles.get(doc_id, doc_id))
    if result.quick_replies:
        yield QuickReplies(message_id=message_id, replies=result.quick_replies)
    if result.checklist:
        yield Checklist(message_id=message_id, items=result.checklist)
    if result.confirmation is not None and after.pending is not None:
        call = result.confirmation
        spec = bundle.tools.get(call.tool)
        yield ConfirmationRequested(
            message_id=message_id,
            tool=call.tool,
            title=call.tool if spec is None else in_language(spec.title, language),
            arguments=tuple(ShownArgument(name=name, content=value) for name, value in call.arguments.items()),
            expires_at=after.pending.expires_at,
        )


def _people(view: View, bundle: Bundle, result: TurnResult, language: str | None) -> Iterator[Item]:
    """A new handoff, and where a conversation stands that waits; the place is missing where nobody could tell."""
    if result.handoff is not None:
        queue = queue_of(bundle, result.handoff)
        yield HandoffRequested(team=team_of(bundle, queue, language))
    if view.has(QUEUED) and result.status is ConversationStatus.QUEUED:
        queued = view[QUEUED]
        if queued is not None:
            yield queued


def _status(before: ConversationStatus, after: ConversationStatus) -> Iterator[Item]:
    if after is before:
        return
    yield StatusChanged(status=after)
    if after is ConversationStatus.RESOLVED:
        yield RatingRequested()
