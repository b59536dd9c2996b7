"""Everything stored about a customer, for that customer."""

from __future__ import annotations

from datetime import datetime

from handrail.agent.conversation import Approval
from handrail.agent.feed import Entry
from handrail.agent.files import StoredFile
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.vocabulary import ConversationStatus, Frozen, Handoff, Message


class Rating(Frozen):
    """What a customer thinks of a conversation: 1 (bad) to 5 (good), and why, in their own words."""

    score: int
    comment: str | None
    at: datetime


class Consent(Frozen):
    """Whether a customer agrees to a purpose (`given`) or refuses it."""

    purpose: str
    given: bool
    at: datetime


class ExportedConversation(Frozen):
    """One conversation in a customer's export; internal reasoning (results, journal) is not part of it.

    The bytes of `files` are had with `Store.file`.
    """

    conversation_id: str
    channel: str
    opened_at: datetime
    status: ConversationStatus
    messages: tuple[Message, ...]
    handoffs: tuple[Handoff, ...]
    approvals: tuple[Approval, ...]
    feed: tuple[Entry, ...] = ()
    files: tuple[StoredFile, ...] = ()
    rating: Rating | None = None
    consents: tuple[Consent, ...] = ()


class CustomerExport(Frozen):
    """Everything stored about a customer of a site, for that customer."""

    site: str
    customer_id: str
    attributes: tuple[AttributeValue, ...]
    events: tuple[CustomerEvent, ...]
    conversations: tuple[ExportedConversation, ...]
