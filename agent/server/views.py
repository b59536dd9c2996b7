"""What callers get to see: a customer's view of a turn, and the reasons behind it for servers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from handrail.agent.conversation import Approval
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Frozen,
    Message,
    Obligation,
    Role,
    Stage,
)


class Citation(Frozen):
    """A source of the reply."""

    doc_id: str = Field(examples=["mfa-sms-code-missing"])
    title: str = Field(examples=["Sign-in codes by text message do not arrive"])


class Confirmation(Frozen):
    """The exact call that waits for the customer's yes. What is confirmed is what runs."""

    tool: str = Field(examples=["cancel_subscription"])
    arguments: dict[str, JsonValue]


class Waiting(Frozen):
    """Where a conversation stands that a person will take.

    `position` counts from 1 over all who wait, and is None once a person has taken it. `opens_at`, in the team's own
    time zone, is None while the team is there.
    """

    team: str = Field(examples=["the billing team"])
    position: int | None
    due_at: datetime | None
    open_now: bool
    opens_at: datetime | None


class StageView(Frozen):
    """One decision of a turn, without the facts it read: `handrail explain` has those."""

    stage: Stage
    subject: str
    effect: Effect
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    obligations: tuple[Obligation, ...]

    @classmethod
    def of(cls, decision: Decision) -> StageView:
        """The view of a decision."""
        return cls(
            stage=decision.stage,
            subject=decision.subject,
            effect=decision.effect,
            reasons=decision.reasons,
            rules=decision.rules,
            obligations=decision.obligations,
        )


def stages(decisions: tuple[Decision, ...]) -> tuple[StageView, ...]:
    """Decisions without the facts they read."""
    return tuple(StageView.of(each) for each in decisions)


class Reasoning(Frozen):
    """Why a turn came out as it did. For callers with a server key only."""

    reasons: tuple[str, ...]
    decisions: tuple[StageView, ...]
    revision: str


class TurnView(Frozen):
    """A turn as the customer sees it. `reply` is empty while a person has the conversation."""

    turn_id: str
    conversation_id: str
    reply: str
    status: ConversationStatus
    citations: tuple[Citation, ...]
    quick_replies: tuple[str, ...]
    checklist: tuple[str, ...] = ()
    confirmation: Confirmation | None
    handoff: Waiting | None
    debug: Reasoning | None = None


class OpenedView(Frozen):
    """A new conversation. `visitor_key` is the only key to an anonymous one; it is shown once."""

    conversation_id: str
    status: ConversationStatus
    visitor_key: str | None


class ConversationView(Frozen):
    """A conversation as its customer sees it."""

    conversation_id: str
    channel: str
    status: ConversationStatus
    opened_at: datetime
    confirmation: Confirmation | None
    handoff: Waiting | None


class MessageView(Frozen):
    """One message of the conversation."""

    message_id: str
    role: Role
    text: str
    at: datetime

    @classmethod
    def of(cls, message: Message) -> MessageView:
        """The view of a stored message."""
        return cls(message_id=message.message_id, role=message.role, text=message.text, at=message.at)


class MessagesView(Frozen):
    """A page of messages, oldest first. `next_after` is the `after` of the next page."""

    messages: tuple[MessageView, ...]
    next_after: int


class ChangedView(Frozen):
    """How many of the values or events sent were new; a repeat changes nothing."""

    received: int
    changed: int


class EventsView(ChangedView):
    """As `ChangedView`. `uncounted` names the kinds that no fact of the bundle counts: perhaps misspelt."""

    uncounted: tuple[str, ...]


class RatingView(Frozen):
    """The rating that counts now."""

    score: int


class ConsentView(Frozen):
    """What the customer agrees to or refuses now, and the turn that brought a person, if one was needed."""

    purpose: str
    given: bool
    turn: TurnView | None


class DecidedView(Frozen):
    """What a person's decision about a call came to."""

    approval: Approval
    turn: TurnView


class WidgetView(Frozen):
    """What a widget shows beside the conversation. `texts` replace the widget's own words of the same name."""

    name: str = Field(examples=["Fernwell"])
    disclosure: str = Field(examples=["I am Fernwell's automatic assistant."])
    person_disclosure: str = Field(examples=["A person from Fernwell is writing to you."])
    model: str = Field(examples=["embedded"])
    languages: tuple[str, ...]
    message_characters: int
    texts: dict[str, str]


class AliveView(Frozen):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyView(Frozen):
    """The process can take messages. `revision` is the bundle's."""

    status: Literal["ready"] = "ready"
    revision: str
