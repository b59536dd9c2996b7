"""The fake service with what the OpenAI-compatible endpoints need of it besides: conversations under given ids."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from handrail.agent.conversation import ConversationState, LatestTurn, Snapshot
from handrail.agent.feed import Entry, MessageCompleted
from handrail.agent.store_port import UnknownConversation
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, Role, TurnResult
from tests.unit.server.fake import FakeService, FakeStore
from tests.unit.server.samples import NOW


class ChatStore(FakeStore):
    """Opens conversations under the ids it is given."""

    def __init__(self, service: ChatService) -> None:
        super().__init__()
        self.service = service
        self.latest: dict[str, LatestTurn] = {}
        self.erased: set[str] = set()

    async def ensure_conversation(
        self,
        site: str,
        conversation_id: str,
        channel: str,
        customer_id: str | None,
        identity: IdentityLevel,
        at: datetime,
    ) -> None:
        self._up()
        if conversation_id in self.erased:
            raise UnknownConversation("erased")
        opened = Snapshot(
            site=site,
            conversation_id=conversation_id,
            customer_id=customer_id,
            identity=identity,
            channel=channel,
            opened_at=at,
            state=ConversationState(),
            history=(),
        )
        if self.service.opened.setdefault(conversation_id, opened).customer_id != customer_id:
            raise UnknownConversation("another's")
        self.service.said.setdefault(conversation_id, [])
        self.service.turns.setdefault(conversation_id, asyncio.Lock())

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        return self.latest.get(conversation_id)


class ChatService(FakeService):
    """Echoes. While a person has the conversation it says nothing."""

    store: ChatStore

    def __init__(self) -> None:
        super().__init__()
        self.store = ChatStore(self)
        self.with_person = False

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        if (conversation_id, key) not in self.answered:
            self.store.latest[conversation_id] = LatestTurn(turn_id="turn", key=key, text=text, at=NOW)
        return await super().say(site, conversation_id, customer_id, text, key)

    async def _answer(self, conversation_id: str, text: str) -> TurnResult:
        if not self.with_person:
            return await super()._answer(conversation_id, text)
        result = await super()._answer(conversation_id, "silence")
        return result.model_copy(update={"status": ConversationStatus.HUMAN})

    def write(self, conversation_id: str, role: Role, text: str, turn_id: str | None = None) -> None:
        """Let somebody write to the customer."""
        entries = self.store.feeds.setdefault(conversation_id, [])
        name = "Dana" if role is Role.OPERATOR else None
        message_id = f"w{len(entries) + 1}"
        item = MessageCompleted(message_id=message_id, role=role, text=text, at=NOW, turn_id=turn_id, name=name)
        entries.append(Entry(seq=len(entries) + 1, item=item))

    def age(self, conversation_id: str, **much: float) -> None:
        """Let the newest message have been said earlier."""
        latest = self.store.latest[conversation_id]
        self.store.latest[conversation_id] = latest.model_copy(update={"at": NOW - timedelta(**much)})

    def heard(self) -> list[str]:
        """What customers have said, over all conversations."""
        return [each.text for said in self.said.values() for each in said if each.role is Role.CUSTOMER]
