"""The service: what a customer can do in a conversation, whoever calls it (HTTP, command line, scenarios)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from handrail.agent.approving import Approving
from handrail.agent.belongings import Belongings
from handrail.agent.casework import Casework
from handrail.agent.conversation import ApprovalState, Received, Snapshot
from handrail.agent.guest.guests import Guests
from handrail.agent.recovery import Recovery
from handrail.agent.refusals import MessageTooLong
from handrail.agent.room import Room, bounded
from handrail.agent.store_port import Store, UnknownConversation
from handrail.agent.telling import Told
from handrail.agent.turning import Turning, stored
from handrail.agent.turns import SPOKEN, Cause, CauseKind
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import IdentityLevel, Message, TurnResult

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from handrail.agent.channels import TurnState
    from handrail.agent.feed import FileAttached
    from handrail.agent.files import FileContent, Upload
    from handrail.agent.following import Following
    from handrail.agent.operators import Operators

log = logging.getLogger(__name__)
RECALLED = 50
"""Turns of a conversation that are told again at most; the latest."""


class Service:
    """Runs conversations. Holds no state of its own: any worker can continue any conversation."""

    def __init__(
        self,
        room: Room,
        graph: CompiledStateGraph[TurnState, None, TurnState, TurnState],
        *,
        following: Following,
        operators: Operators,
    ) -> None:
        """Serve with the ports of `room` through the compiled `graph`."""
        self._room = room
        self._graph = graph
        self._turning = Turning(room, graph)
        self._guests = Guests(room, self._turning)
        self._approving = Approving(room, self._guests)
        self._recovery = Recovery(room, self._guests, self._approving)
        self._belongings = Belongings(room)
        self._casework = Casework(room, self._approving)
        self._following = following
        self._operators = operators

    @property
    def bundle(self) -> Bundle:
        """The bundle that decides."""
        return self._room.bundle

    @property
    def store(self) -> Store:
        """The store behind the service."""
        return self._room.store

    @property
    def graph(self) -> CompiledStateGraph[TurnState, None, TurnState, TurnState]:
        """The compiled graph of one turn; there is no second way to build one with the same ports."""
        return self._graph

    @property
    def guests(self) -> Guests:
        """The turns of other people's agents."""
        return self._guests

    @property
    def casework(self) -> Casework:
        """What people do with conversations."""
        return self._casework

    @property
    def following(self) -> Following:
        """The feeds of conversations, live."""
        return self._following

    @property
    def operators(self) -> Operators:
        """The people who take handoffs."""
        return self._operators

    async def open(self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel) -> str:
        """Open a conversation and return its id."""
        return await self.store.open_conversation(site, channel, customer_id, identity, self._room.clock.now())

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        """Take one customer message through the whole turn.

        Raises MessageTooLong, and what `Store.receive` raises. Everything else becomes a safe reply or a person.
        """
        limit = self.bundle.manifest.limits.message_characters
        if len(text) > limit:
            raise MessageTooLong(f"the message has {len(text)} characters; at most {limit} are read: shorten it")
        return await self._message(site, conversation_id, customer_id, text, key, CauseKind.MESSAGE)

    async def ask_for_person(self, site: str, conversation_id: str, customer_id: str | None, key: str) -> TurnResult:
        """The button for a person: works always, the first time, whatever detection thinks (S5.3)."""
        kind = CauseKind.PERSON_BUTTON
        return await self._message(site, conversation_id, customer_id, SPOKEN[kind], key, kind)

    async def decide(self, site: str, approval_id: str, decision: ApprovalState, by: str) -> TurnResult:
        """A person's decision on a pending call. Raises UnknownApproval, ApprovalClosed."""
        return await self._approving.decide(site, approval_id, decision, by)

    async def snapshot(self, site: str, conversation_id: str, customer_id: str | None) -> Snapshot:
        """The conversation now; UnknownConversation when it is not this customer's."""
        found = await self.store.snapshot(site, conversation_id)
        if found.customer_id != customer_id:
            raise UnknownConversation("there is no such conversation")
        return found

    async def messages(
        self, site: str, conversation_id: str, customer_id: str | None, after: int, limit: int
    ) -> tuple[Message, ...]:
        """Messages after a sequence number; UnknownConversation when they are not this customer's."""
        await self.snapshot(site, conversation_id, customer_id)
        return await self.store.messages(site, conversation_id, after, limit)

    async def recall(self, site: str, conversation_id: str, customer_id: str | None) -> tuple[Told, ...]:
        """How the latest turns were decided, oldest first. Raises UnknownConversation."""
        await self.snapshot(site, conversation_id, customer_id)
        results = await self.store.results(site, conversation_id, RECALLED)
        return tuple(Told(turn_id=one.turn_id, reasons=one.reasons, decisions=one.decisions) for one in results)

    async def rate(
        self, site: str, conversation_id: str, customer_id: str | None, score: int, comment: str | None = None
    ) -> None:
        """Rate the conversation, 1 to 5; a later rating replaces an earlier one.

        Raises RatingRefused when nothing was said yet or the rating is not one, and UnknownConversation.
        """
        snapshot = await self.snapshot(site, conversation_id, customer_id)
        await self._belongings.rate(snapshot, score, comment)

    async def consent(
        self, site: str, conversation_id: str, customer_id: str | None, purpose: str, given: bool
    ) -> TurnResult | None:
        """Agree to a purpose or refuse it. Refusing `ai_assistance` brings a person, and the machine stays silent.

        The result is that of the turn which brought the person; None when none was needed. Raises PurposeUnknown,
        UnknownConversation.
        """
        snapshot = await self.snapshot(site, conversation_id, customer_id)
        key = await self._belongings.consent(snapshot, purpose, given)
        if key is None:
            return None
        kind = CauseKind.CONSENT_REFUSED
        return await self._message(site, conversation_id, customer_id, SPOKEN[kind], key, kind)

    async def attach(self, site: str, conversation_id: str, customer_id: str | None, upload: Upload) -> FileAttached:
        """Attach a file for the people; no model sees it. Raises FileRefused, TooManyFiles, UnknownConversation."""
        snapshot = await self.snapshot(site, conversation_id, customer_id)
        return await self._belongings.attach(snapshot, upload)

    async def file(self, site: str, conversation_id: str, customer_id: str | None, file_id: str) -> FileContent | None:
        """One attached file; None when there is none of that id here. Raises UnknownConversation."""
        await self.snapshot(site, conversation_id, customer_id)
        return await self.store.file(site, conversation_id, file_id)

    async def erase(self, site: str, conversation_id: str, customer_id: str | None) -> None:
        """Erase one conversation with everything in it. Raises UnknownConversation."""
        snapshot = await self.snapshot(site, conversation_id, customer_id)
        await self._belongings.erase(snapshot)

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of the documents a reply cites, as far as the live base still has them."""
        if not doc_ids:
            return {}
        try:
            return dict(await bounded(self._room.retriever.titles(doc_ids), self._room.patience.retrieval))
        except Exception as error:  # noqa: BLE001 - a reply without the titles of its sources is still a reply
            log.error("titles not read", extra={"error": type(error).__name__})
            return {}

    async def recover(self) -> int:
        """Finish turns whose worker died in the middle; returns how many. Called at start."""
        return await self._recovery.recover()

    async def tend(self) -> None:
        """What has to be looked at from time to time: interrupted turns, and approvals that nobody decided in time."""
        await self._recovery.tend()

    async def _message(
        self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str, kind: CauseKind
    ) -> TurnResult:
        receiving = self.store.receive(site, conversation_id, customer_id, key, text, self._room.clock.now())
        received = await stored(self._room, receiving, Received)
        if received.finished is not None:
            return received.finished
        return await self._guests.run(received, Cause(kind=kind))
