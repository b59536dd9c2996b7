"""What the web side needs of the service: the one border between HTTP and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from handrail.agent.conversation import Approval, ApprovalState, QueuedHandoff, Snapshot
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.bundle.sections import Attribute, Manifest, Queue, Window
from handrail.guardrails.vocabulary import IdentityLevel, Message, TurnResult


class Declared(Protocol):
    """The parts of the bundle that the web side reads."""

    @property
    def manifest(self) -> Manifest:
        """Limits and languages."""
        ...

    @property
    def revision(self) -> str:
        """The bundle's content hash."""
        ...

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes a server may send."""
        ...

    @property
    def windows(self) -> tuple[Window, ...]:
        """The kinds of events that are counted."""
        ...

    @property
    def queues(self) -> Mapping[str, Queue]:
        """Where people take handoffs from."""
        ...


class Records(Protocol):
    """The parts of the store that the web side uses directly; `Store` has the details."""

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """One request for approval."""
        ...

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval, oldest first."""
        ...

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        """Open handoffs, most urgent first."""
        ...

    async def put_attributes(self, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
        """Store attribute values; how many changed."""
        ...

    async def put_events(self, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
        """Store events; how many were new."""
        ...


class Face(Protocol):
    """The service. Errors: `agent/store_port.py`; any other `HandrailError` counts as an outage."""

    @property
    def bundle(self) -> Declared:
        """What policy declares."""
        ...

    @property
    def store(self) -> Records:
        """The store."""
        ...

    async def open(self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel) -> str:
        """Open a conversation and return its id."""
        ...

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        """Answer a customer's message."""
        ...

    async def ask_for_person(self, site: str, conversation_id: str, customer_id: str | None, key: str) -> TurnResult:
        """Hand the conversation to a person, whatever it is about."""
        ...

    async def decide(self, site: str, approval_id: str, decision: ApprovalState, by: str) -> TurnResult:
        """Carry out an operator's decision about a call."""
        ...

    async def snapshot(self, site: str, conversation_id: str, customer_id: str | None) -> Snapshot:
        """The conversation now."""
        ...

    async def messages(
        self, site: str, conversation_id: str, customer_id: str | None, after: int, limit: int
    ) -> tuple[Message, ...]:
        """Messages numbered above `after`, oldest first; a conversation numbers its messages 1, 2, 3 and so on."""
        ...

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of the documents a reply cites, as far as the live base still has them."""
        ...
