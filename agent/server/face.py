"""What the web side needs of the service: the one border between HTTP and the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from handrail.agent.bell import Bell
from handrail.agent.conversation import Approval, ApprovalState, LatestTurn, QueuedHandoff, Snapshot
from handrail.agent.feed import Entry, FileAttached, Passing
from handrail.agent.files import FileContent, Upload
from handrail.agent.guest.guest import Guest
from handrail.agent.guest.guests import Heard
from handrail.agent.ports import AttributeValue, CustomerEvent, Upstream
from handrail.agent.room import Room
from handrail.agent.server.staff import Cases, Sessions
from handrail.agent.telling import Told
from handrail.guardrails.bundle.sections import Attribute, Manifest, Queue, ReasonEntry, Window
from handrail.guardrails.vocabulary import IdentityLevel, Message, TurnResult


class Answering(Protocol):
    """The parts of `Guests` that the proxy needs."""

    @property
    def upstream(self) -> Upstream | None:
        """The model behind the proxy, if there is one."""
        ...

    @property
    def room(self) -> Room:
        """The bundle and the ports."""
        ...

    async def answer(self, heard: Heard, guest: Guest) -> TurnResult:
        """Take one message through the turn of `guest`."""
        ...


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

    @property
    def reasons(self) -> Mapping[str, ReasonEntry]:
        """The catalogue of reason codes."""
        ...

    @property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """The fixed texts, by language and key."""
        ...

    def text(self, key: str, language: str | None, **values: str) -> str:
        """One fixed text, filled, in `language` or else the first declared one."""
        ...


class Records(Protocol):
    """The parts of the store that the web side uses directly; `Store` has the details."""

    @property
    def bell(self) -> Bell:
        """Rings when something was stored for a conversation."""
        ...

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """One request for approval."""
        ...

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval, oldest first."""
        ...

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        """Open handoffs, most urgent first."""
        ...

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        """At most `limit` items of a conversation's feed numbered above `after`, in order."""
        ...

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest item of each conversation's feed."""
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
        """Create an empty conversation with this id unless it is there."""
        ...

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        """The customer's newest message with its idempotency key, answered or not."""
        ...

    async def put_attributes(self, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
        """Store attribute values; how many changed."""
        ...

    async def put_events(self, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
        """Store events; how many were new."""
        ...


class Feeds(Protocol):
    """The feeds of conversations, live; `Following` has the details."""

    def follow(self, site: str, conversation_id: str, after: int) -> AsyncIterator[Entry | Passing]:
        """What is stored after `after`, then what happens, without an end."""
        ...


class Face(Protocol):
    """The service. Errors: `agent/store_port.py` and `agent/refusals.py`; any other counts as an outage."""

    @property
    def bundle(self) -> Declared:
        """What policy declares."""
        ...

    @property
    def store(self) -> Records:
        """The store."""
        ...

    @property
    def following(self) -> Feeds:
        """What clients are told, live."""
        ...

    @property
    def guests(self) -> Answering:
        """The turns of other people's agents."""
        ...

    @property
    def casework(self) -> Cases:
        """What people do with conversations."""
        ...

    @property
    def operators(self) -> Sessions:
        """The people who take handoffs."""
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

    async def snapshot(self, site: str, conversation_id: str, customer_id: str | None) -> Snapshot:
        """The conversation now."""
        ...

    async def messages(
        self, site: str, conversation_id: str, customer_id: str | None, after: int, limit: int
    ) -> tuple[Message, ...]:
        """Messages numbered above `after`, oldest first; a conversation numbers its messages 1, 2, 3 and so on."""
        ...

    async def recall(self, site: str, conversation_id: str, customer_id: str | None) -> tuple[Told, ...]:
        """How the latest turns were decided, oldest first."""
        ...

    async def rate(
        self, site: str, conversation_id: str, customer_id: str | None, score: int, comment: str | None = None
    ) -> None:
        """Rate the conversation, 1 to 5."""
        ...

    async def consent(
        self, site: str, conversation_id: str, customer_id: str | None, purpose: str, *, given: bool
    ) -> TurnResult | None:
        """Agree to a purpose or refuse it; the turn that this caused, if any."""
        ...

    async def attach(self, site: str, conversation_id: str, customer_id: str | None, upload: Upload) -> FileAttached:
        """Attach a file for the people."""
        ...

    async def file(self, site: str, conversation_id: str, customer_id: str | None, file_id: str) -> FileContent | None:
        """One attached file."""
        ...

    async def erase(self, site: str, conversation_id: str, customer_id: str | None) -> None:
        """Erase the conversation with everything in it."""
        ...

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of the documents a reply cites, as far as the live base still has them."""
        ...
