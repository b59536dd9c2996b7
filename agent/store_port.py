"""The conversation store as the flow and the service see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from handrail.agent.bell import Bell
from handrail.agent.case_port import CaseRecords
from handrail.agent.conversation import (
    AuditEvent,
    FinishedTurn,
    Granted,
    JournalEntry,
    LatestTurn,
    Received,
    Snapshot,
)
from handrail.agent.export import CustomerExport
from handrail.agent.feed import Entry, Item, MessageDelta
from handrail.agent.files import FileContent, StoredFile
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import IdentityLevel, Message, Turn, TurnResult


class UnknownConversation(HandrailError):
    """No such conversation for this site and customer; callers must not tell which of the two."""


class ConversationBusy(HandrailError):
    """Another worker holds the turn of this conversation and did not end it in time."""


class KeyReused(HandrailError):
    """The idempotency key was used before with another text."""


class StoreError(HandrailError):
    """The database cannot be used, or refused a write; nothing was overwritten. The message says what to do."""


class LeaseLost(StoreError):
    """The turn is not (or no longer) this worker's; nothing was written, and its reply must not leave."""


class UnknownApproval(HandrailError):
    """No such request for approval on this site."""


class ApprovalClosed(HandrailError):
    """The request for approval was decided before, or its time ran out."""


class ApproverBarred(HandrailError):
    """This person cannot approve the call: they have approved it already, or it came of their own message."""


class ApprovalChanged(HandrailError):
    """The call is not the one that the approver has seen: a colleague changed it. Look at it again."""


class CaseTaken(HandrailError):
    """Another person has the conversation; `holder` is that person's name."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{holder} has this conversation")


class NotHolder(HandrailError):
    """Only the person who has the conversation can do this: claim it first."""


class WrongStatus(HandrailError):
    """The conversation's status does not allow the move; the message says what would."""


class GrantsMoved(HandrailError):
    """The customer was granted something since the call was decided; nothing was journalled. Decide it again."""


class TooManyFiles(HandrailError):
    """The conversation holds as many files, or bytes, as it may."""


class Store(CaseRecords, Protocol):
    """Conversations, turns, journal, approvals, handoffs, customer context and the audit chain of all sites.

    Every method is one transaction. What a method acknowledged survives `kill -9` and power loss.
    """

    @property
    def bell(self) -> Bell:
        """Rings after every commit of this process that adds to a feed, and when answering begins and ends."""
        ...

    async def open_conversation(
        self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel, at: datetime
    ) -> str:
        """Create an empty conversation and return its id (unguessable)."""
        ...

    async def receive(
        self, site: str, conversation_id: str, customer_id: str | None, key: str, text: str, at: datetime
    ) -> Received:
        """Store a customer message under its idempotency `key` and lease the conversation for its turn.

        Waits while another turn of the conversation runs (in any worker); a lease whose process is gone is taken
        over at once. The same key and text again gives the stored result, or the interrupted turn with its journal.
        Raises UnknownConversation, KeyReused, ConversationBusy.
        """
        ...

    async def resume(self, turn: Turn) -> Received | None:
        """Lease the conversation of an interrupted turn to run that turn again.

        None when somebody else has finished or is running it.
        """
        ...

    async def interrupted(self) -> tuple[Turn, ...]:
        """Turns received but never finished, whose worker is gone; oldest first."""
        ...

    async def begin_operator_turn(self, site: str, conversation_id: str, note: str, at: datetime) -> Received:
        """Open and lease a turn that an operator's decision causes. `note` becomes the turn's text (not shown)."""
        ...

    async def continue_turn(
        self, site: str, conversation_id: str, customer_id: str | None, key: str, text: str, at: datetime
    ) -> Received:
        """Open and lease a turn that goes on with the customer's newest message, `text`, and adds none.

        Its sender is the bot. The same key gives the stored result, as in `receive`, and it raises what that raises.
        """
        ...

    async def intend(
        self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent], seen: Granted | None = None
    ) -> None:
        """Journal a write call before it runs, together with the audit events that led to it.

        `seen` is what the customer had been granted when the call was decided. Writes of one customer begin one after
        the other, across conversations and workers: raises GrantsMoved, and journals nothing, when it is more by now.
        """
        ...

    async def granted(self, site: str, customer_id: str, tools: Sequence[str], since: datetime, but: str) -> Granted:
        """What calls of `tools` granted a customer since an instant, in any conversation.

        Calls that run now, or may have run, count; those that failed, and the one with the key `but`, do not.
        """
        ...

    async def conclude(self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent]) -> None:
        """Journal how a write call ended."""
        ...

    async def release(self, turn: Turn, piece: MessageDelta, events: Sequence[AuditEvent]) -> None:
        """Add the next piece of the turn's reply to the feed, with its audit events; once stored, it may leave.

        The pieces are there until `finish` tells the whole, which begins with them. Raises LeaseLost.
        """
        ...

    async def may_write(self, turn: Turn) -> bool:
        """Whether the machine may go on with this turn's reply.

        False when a person wants to take the conversation over, or the turn is not (or no longer) this worker's.
        """
        ...

    async def finish(self, finished: FinishedTurn) -> None:
        """Write everything a turn leaves behind, in one transaction, and release the lease.

        The reply is stored as the message `reply_id`, and told as an item of `feed`; None stores no message. Customer
        events of an anonymous conversation have nobody to belong to and are not stored. Raises LeaseLost, and
        ValueError for a reply without an id or an item, or one that does not begin with what `release` let out; then
        nothing was written.
        """
        ...

    async def abandon(self, turn: Turn) -> None:
        """Release the lease without finishing, so that recovery finds the turn."""
        ...

    async def snapshot(self, site: str, conversation_id: str) -> Snapshot:
        """The conversation now, without a lease."""
        ...

    async def messages(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Message, ...]:
        """Messages with sequence number above `after`, oldest first."""
        ...

    async def put_attributes(self, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
        """Store attribute values; an older observation never replaces a newer one. Returns how many changed."""
        ...

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """The latest value of every attribute known."""
        ...

    async def put_events(self, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
        """Store customer events idempotently by event id. Returns how many were new."""
        ...

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """Events at or after `since`, oldest first, at most 500."""
        ...

    async def ensure_conversation(
        self,
        site: str,
        conversation_id: str,
        channel: str,
        customer_id: str | None,
        identity: IdentityLevel,
        at: datetime,
    ) -> None:
        """Create an empty conversation with this id unless it is there.

        Raises UnknownConversation when it is somebody else's, or was erased.
        """
        ...

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        """The customer's newest message with its idempotency key, answered or not; None when nothing was said."""
        ...

    async def results(self, site: str, conversation_id: str, limit: int) -> tuple[TurnResult, ...]:
        """The results of the latest `limit` finished turns, oldest first."""
        ...

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        """At most `limit` items of a conversation's feed numbered above `after`, in order; none for an unknown one."""
        ...

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest item of each conversation's feed, in one query; unknown ones are left out."""
        ...

    async def put_rating(
        self, site: str, conversation_id: str, score: int, comment: str | None, item: Item, events: Sequence[AuditEvent]
    ) -> None:
        """Store the customer's rating (the latest counts), with its feed item and audit events."""
        ...

    async def put_consent(
        self, site: str, conversation_id: str, purpose: str, given: bool, events: Sequence[AuditEvent], at: datetime
    ) -> None:
        """Store what the customer agrees to or refuses (the latest counts), with its audit events."""
        ...

    async def put_file(
        self, site: str, conversation_id: str, content: FileContent, item: Item, events: Sequence[AuditEvent]
    ) -> StoredFile:
        """Store an attached file, with its feed item and audit events. Raises TooManyFiles beyond the limit."""
        ...

    async def file(self, site: str, conversation_id: str, file_id: str) -> FileContent | None:
        """One attached file with its bytes; None when this conversation has none of that id."""
        ...

    async def erase_conversation(self, site: str, conversation_id: str) -> None:
        """Erase one conversation as `erase_customer` erases all. Raises UnknownConversation."""
        ...

    async def record(self, site: str, conversation_id: str | None, events: Sequence[AuditEvent]) -> None:
        """Append audit events outside a turn; None is the site's own chain (a freeze, a release of the bundle)."""
        ...

    async def export_customer(self, site: str, customer_id: str) -> CustomerExport:
        """Everything stored about a customer, for the customer."""
        ...

    async def erase_customer(self, site: str, customer_id: str) -> int:
        """Erase a customer: everything stored about them, audit payloads included; returns conversations erased.

        The audit chains stay whole and gain an `erasure` event each, which keeps what the staff did. A turn that is
        running loses its lease.
        """
        ...

    async def close(self) -> None:
        """Finish running transactions and close the database."""
        ...
