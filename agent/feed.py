"""What clients of a conversation are told, in order: the feed. Its names and contents are those of the native API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue

from handrail.guardrails.vocabulary import ConversationStatus, Frozen, Role


class MessageDelta(Frozen):
    """The next piece of a message; `message.completed` follows with the whole text, whatever comes in between.

    Every sentence of it has passed the output checks. What leaves while the model still writes is an item with a
    number, and gone from the feed when the message is complete; what is cut from a whole message has none.
    """

    event: Literal["message.delta"] = "message.delta"
    message_id: str
    text: str
    turn_id: str | None = None


class MessageCompleted(Frozen):
    """A whole message. `turn_id` is the turn it belongs to, None for a person's; `name` is their public name.

    `begun` says that its beginning was told before, in pieces with numbers.
    """

    event: Literal["message.completed"] = "message.completed"
    message_id: str
    role: Role
    text: str
    at: datetime
    turn_id: str | None = None
    name: str | None = None
    begun: bool = Field(default=False, exclude_if=lambda begun: not begun)


class CitationGiven(Frozen):
    """A document that the message rests on."""

    event: Literal["citation"] = "citation"
    message_id: str
    doc_id: str
    title: str


class QuickReplies(Frozen):
    """Short answers to offer below the message; the chosen one is sent as the next message."""

    event: Literal["quick_replies"] = "quick_replies"
    message_id: str
    replies: Annotated[tuple[str, ...], Field(min_length=1)]


class Checklist(Frozen):
    """The steps of a guided flow that the message lists, in order. Its text holds them too, one `- ` a line."""

    event: Literal["checklist"] = "checklist"
    message_id: str
    items: Annotated[tuple[str, ...], Field(min_length=1)]


class ShownArgument(Frozen):
    """One argument of a call, exactly as it will run."""

    name: str
    content: JsonValue


class ConfirmationRequested(Frozen):
    """The exact call that runs if the customer's next message agrees. `title` is the tool's, for the customer."""

    event: Literal["confirmation.requested"] = "confirmation.requested"
    message_id: str
    tool: str
    title: str
    arguments: tuple[ShownArgument, ...]
    expires_at: datetime


class HandoffRequested(Frozen):
    """A person has been asked for. `team` is the queue's public name."""

    event: Literal["handoff.requested"] = "handoff.requested"
    team: str


class HandoffQueued(Frozen):
    """Where the conversation stands. `position` counts from 1 over all who wait; `opens_at` is None while open."""

    event: Literal["handoff.queued"] = "handoff.queued"
    team: str
    position: int
    due_at: datetime | None
    opens_at: datetime | None


class HandoffAccepted(Frozen):
    """A person has taken the conversation: from here on a person writes, not the machine."""

    event: Literal["handoff.accepted"] = "handoff.accepted"
    name: str


class HandoffEnded(Frozen):
    """The person has left: the matter is `resolved`, or back with the machine, or with the queue again."""

    event: Literal["handoff.ended"] = "handoff.ended"
    outcome: Literal["resolved", "returned_to_bot", "queued"]


class StatusChanged(Frozen):
    """Who speaks with the customer from now on."""

    event: Literal["status"] = "status"
    status: ConversationStatus


class RatingRequested(Frozen):
    """The conversation is over, as far as anybody knows: the customer may rate it, 1 to 5."""

    event: Literal["rating.requested"] = "rating.requested"


class RatingGiven(Frozen):
    """The customer's rating has been stored."""

    event: Literal["rating.given"] = "rating.given"
    score: Annotated[int, Field(ge=1, le=5)]


class FileAttached(Frozen):
    """The customer has attached a file."""

    event: Literal["file.attached"] = "file.attached"
    file_id: str
    name: str
    media_type: str
    size: int


Item: TypeAlias = Annotated[
    MessageDelta
    | MessageCompleted
    | CitationGiven
    | QuickReplies
    | Checklist
    | ConfirmationRequested
    | HandoffRequested
    | HandoffQueued
    | HandoffAccepted
    | HandoffEnded
    | StatusChanged
    | RatingRequested
    | RatingGiven
    | FileAttached,
    Field(discriminator="event"),
]
"""What is stored and can be read again: each has a number in its conversation, by which a client resumes."""


class Entry(Frozen):
    """An item with its number, which rises within the conversation; those of pieces are gone when they are."""

    seq: int
    item: Item


class Typing(Frozen):
    """An answer is being written, or no longer."""

    event: Literal["typing"] = "typing"
    active: bool


Passing: TypeAlias = MessageDelta | Typing | HandoffQueued
"""What is told while it happens and never repeated: it has no number. Of a delta, when the message was whole before."""
