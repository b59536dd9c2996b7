"""A service that keeps everything in memory, with the face of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from handrail.agent.bell import Bell
from handrail.agent.conversation import (
    Approval,
    ApprovalState,
    ConversationState,
    LatestTurn,
    QueuedHandoff,
    Snapshot,
)
from handrail.agent.feed import (
    Entry,
    FileAttached,
    Item,
    MessageCompleted,
    Passing,
    QuickReplies,
    RatingGiven,
    StatusChanged,
)
from handrail.agent.files import FileContent, StoredFile, Upload
from handrail.agent.guest.guest import Guest
from handrail.agent.guest.guests import Heard
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.refusals import FileRefused, PurposeUnknown, RatingRefused
from handrail.agent.room import Room
from handrail.agent.store_port import ConversationBusy, KeyReused, StoreError, UnknownConversation
from handrail.agent.telling import Told
from handrail.guardrails.bundle.sections import (
    Attribute,
    Hours,
    Limits,
    Manifest,
    PassagesOf,
    Queue,
    ReasonEntry,
    Window,
)
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    IdentityLevel,
    Message,
    NeedState,
    Role,
    ToolCall,
    TurnResult,
)
from tests.unit.server.fake_staff import FakeCasework, FakeOperators
from tests.unit.server.samples import NOW, REVISION, decision, packet


class FixedClock:
    def now(self) -> datetime:
        return NOW


class FakeBundle:
    revision = REVISION

    def __init__(self) -> None:
        limits = Limits(
            turn_seconds=20,
            tool_rounds=4,
            message_characters=8000,
            verification_minutes=15,
            confirmation_minutes=10,
            approval_hours=24,
            passages=PassagesOf(brief=4, standard=6, detailed=8),
            runtime_segments=10,
        )
        self.manifest = Manifest(
            version="0.1.0",
            company="Fernwell",
            languages=("en",),
            default_queue="general",
            prompt="answer",
            need_states=tuple(NeedState)[:6],
            limits=limits,
        )
        self.attributes: Mapping[str, Attribute] = {
            each.name: each
            for each in (
                _attribute("plan", "word", "billing", ("team", "business")),
                _attribute("stack", "set", "product", ("okta", "ios")),
                _attribute("renewal_days", "number", "billing", None),
                _attribute("critical_account", "boolean", "crm", None),
                _attribute("time_zone", "word", "product", None),
            )
        }
        self.windows = (Window(fact="reopened", meaning="reopened", count="ticket_reopened", within_minutes=60),)
        hours = Hours(time_zone="UTC", days=(1, 2, 3, 4, 5), opens="08:00", closes="20:00")
        queue = Queue(
            id="general",
            title={"en": "the support team"},
            skills=(),
            hours=hours,
            first_response_minutes=60,
            handling_minutes=10,
        )
        self.queues: Mapping[str, Queue] = {"general": queue}
        entry = {"code": "INTENT_KNOWN", "title": "Intent known", "operator": "x", "customer": {"en": ""}}
        self.reasons: Mapping[str, ReasonEntry] = {
            "INTENT_KNOWN": ReasonEntry.model_validate(entry | {"stage": "gate_risk", "severity": "info"})
        }
        self.texts: Mapping[str, Mapping[str, str]] = {
            "en": {
                "disclosure": "I am a machine.",
                "person_disclosure": "I am a person.",
                "widget_placeholder": "Ask about boards",
            }
        }

    def text(self, key: str, language: str | None, **values: str) -> str:
        return self.texts["en"][key].format_map(values)


def _attribute(name: str, kind: str, source: str, values: tuple[str, ...] | None) -> Attribute:
    return Attribute.model_validate(
        {
            "name": name,
            "meaning": name,
            "kind": kind,
            "values": values,
            "family": "firmographic",
            "source": source,
            "purposes": ["queue"],
            "max_age_days": 30,
            "inferred": False,
        }
    )


class FakeStore:
    def __init__(self) -> None:
        self.bell = Bell()
        self.held: dict[str, Approval] = {}
        self.queue: list[QueuedHandoff] = []
        self.known: dict[tuple[str, str], AttributeValue] = {}
        self.happened: dict[str, CustomerEvent] = {}
        self.feeds: dict[str, list[Entry]] = {}
        self.changed = asyncio.Condition()
        self.down = False

    async def tell(self, conversation_id: str, *items: Item) -> None:
        """Put items into the feed of a conversation; followers hear of them."""
        entries = self.feeds.setdefault(conversation_id, [])
        entries += [Entry(seq=len(entries) + n, item=item) for n, item in enumerate(items, 1)]
        async with self.changed:
            self.changed.notify_all()

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        return tuple(self.feeds.get(conversation_id, [])[after : after + limit])

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        return {each: len(self.feeds[each]) for each in conversation_ids if self.feeds.get(each)}

    async def ensure_conversation(
        self,
        site: str,
        conversation_id: str,
        channel: str,
        customer_id: str | None,
        identity: IdentityLevel,
        at: datetime,
    ) -> None:
        raise NotImplementedError

    async def latest_turn(self, site: str, conversation_id: str) -> LatestTurn | None:
        return None

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        return self.held.get(approval_id)

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        self._up()
        return tuple(each for each in self.held.values() if state in {None, each.state})

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        self._up()
        return tuple(self.queue)

    async def put_attributes(self, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
        changed = [each for each in values if self.known.get((customer_id, each.name)) != each]
        self.known.update({(customer_id, each.name): each for each in changed})
        return len(changed)

    async def put_events(self, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
        new = [each for each in events if each.event_id not in self.happened]
        self.happened.update({each.event_id: each for each in new})
        return len(new)

    def _up(self) -> None:
        if self.down:
            raise StoreError("secret words of a customer")


class FakeFollowing:
    """Follows the feeds of the fake store; counts who is there. Passing items are put into `passing`."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.followers = 0
        self.passing: list[Passing] = []

    async def follow(self, site: str, conversation_id: str, after: int) -> AsyncIterator[Entry | Passing]:
        self.followers += 1
        try:
            while True:
                for entry in await self.store.feed(site, conversation_id, after, 500):
                    yield entry
                    after = entry.seq
                for each in self.passing:
                    yield each
                self.passing.clear()
                async with self.store.changed:
                    if len(self.store.feeds.get(conversation_id, [])) <= after:
                        await self.store.changed.wait()
        finally:
            self.followers -= 1


class NoGuests:
    """Nobody stands behind the proxy."""

    upstream = None

    @property
    def room(self) -> Room:
        raise LookupError("there is no room here")

    async def answer(self, heard: Heard, guest: Guest) -> TurnResult:
        raise LookupError("there are no guests here")


class FakeService:
    """Echoes. Some words cause something: slow, crash, busy, down, cite, confirm, unstored, silence."""

    def __init__(self) -> None:
        self.bundle = FakeBundle()
        self.store = FakeStore()
        self.following = FakeFollowing(self.store)
        self.casework = FakeCasework(self.store)
        self.operators = FakeOperators()
        self.guests = NoGuests()
        self.files: dict[tuple[str, str], FileContent] = {}
        self.ratings: dict[str, tuple[int, str | None]] = {}
        self.opened: dict[str, Snapshot] = {}
        self.said: dict[str, list[Message]] = {}
        self.answered: dict[tuple[str, str], tuple[str, TurnResult]] = {}
        self.turns: dict[str, asyncio.Lock] = {}
        self.running = 0
        self.most_at_once = 0
        self.go = asyncio.Event()
        self.began = asyncio.Event()

    async def open(self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel) -> str:
        conversation_id = f"c{len(self.opened) + 1}"
        self.opened[conversation_id] = Snapshot(
            site=site,
            conversation_id=conversation_id,
            customer_id=customer_id,
            identity=identity,
            channel=channel,
            opened_at=NOW,
            state=ConversationState(),
            history=(),
        )
        self.said[conversation_id] = []
        self.turns[conversation_id] = asyncio.Lock()
        return conversation_id

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        await self.snapshot(site, conversation_id, customer_id)
        async with self.turns[conversation_id]:
            before = self.answered.get((conversation_id, key))
            if before is not None:
                if before[0] != text:
                    raise KeyReused("used")
                return before[1]
            self.running += 1
            self.most_at_once = max(self.running, self.most_at_once)
            try:
                result = await self._answer(conversation_id, text)
            finally:
                self.running -= 1
            self.answered[conversation_id, key] = (text, result)
            return result

    async def _answer(self, conversation_id: str, text: str) -> TurnResult:
        await asyncio.sleep(0)
        said = self.said[conversation_id]
        turn_id = f"turn-{len(said) + 2}"
        if text == "crash":
            raise RuntimeError("secret words of a customer")
        if text == "busy":
            raise ConversationBusy("busy")
        if text == "down":
            raise StoreError("secret words of a customer")
        await self._told(conversation_id, Role.CUSTOMER, text, turn_id)
        if text == "slow":
            self.began.set()
            await self.go.wait()
        reply = "" if text == "silence" else f"You said: {text}"
        if reply and text != "unstored":
            await self._told(conversation_id, Role.BOT, reply, turn_id)
        call = ToolCall(call_id="t1", tool="cancel_plan", arguments={"plan": "team", "seats": 3})
        return TurnResult(
            turn_id=turn_id,
            reply=reply,
            status=self.opened[conversation_id].state.status,
            decisions=(decision(),),
            reasons=("INTENT_KNOWN",),
            citations=("doc-a", "doc-gone") if text == "cite" else (),
            quick_replies=("yes", "no"),
            confirmation=call if text == "confirm" else None,
        )

    async def _told(self, conversation_id: str, role: Role, text: str, turn_id: str) -> None:
        said = self.said[conversation_id]
        message = Message(message_id=f"m{len(said) + 1}", role=role, text=text, at=NOW)
        said.append(message)
        item = MessageCompleted(message_id=message.message_id, role=role, text=text, at=NOW, turn_id=turn_id)
        replies = (QuickReplies(message_id=message.message_id, replies=("yes", "no")),) if role is Role.BOT else ()
        await self.store.tell(conversation_id, item, *replies)

    async def ask_for_person(self, site: str, conversation_id: str, customer_id: str | None, key: str) -> TurnResult:
        found = await self.snapshot(site, conversation_id, customer_id)
        queued = found.state.model_copy(update={"status": ConversationStatus.QUEUED})
        self.opened[conversation_id] = found.model_copy(update={"state": queued})
        self.store.queue.append(QueuedHandoff(conversation_id=conversation_id, handoff=packet(), at=NOW))
        self.casework.asked(conversation_id, customer_id)
        await self.store.tell(conversation_id, StatusChanged(status=ConversationStatus.QUEUED))
        return TurnResult(
            turn_id="turn-person",
            reply="A person will take over.",
            status=ConversationStatus.QUEUED,
            decisions=(decision(),),
            reasons=("HUMAN_REQUESTED",),
        )

    async def snapshot(self, site: str, conversation_id: str, customer_id: str | None) -> Snapshot:
        found = self.opened.get(conversation_id)
        if found is None or found.customer_id != customer_id:
            raise UnknownConversation("unknown")
        return found

    async def messages(
        self, site: str, conversation_id: str, customer_id: str | None, after: int, limit: int
    ) -> tuple[Message, ...]:
        await self.snapshot(site, conversation_id, customer_id)
        return tuple(self.said[conversation_id][after : after + limit])

    async def recall(self, site: str, conversation_id: str, customer_id: str | None) -> tuple[Told, ...]:
        await self.snapshot(site, conversation_id, customer_id)
        return tuple(
            Told(turn_id=result.turn_id, reasons=(*result.reasons, "NEW_CODE"), decisions=result.decisions)
            for (held, _), (_, result) in self.answered.items()
            if held == conversation_id
        )

    async def rate(
        self, site: str, conversation_id: str, customer_id: str | None, score: int, comment: str | None = None
    ) -> None:
        await self.snapshot(site, conversation_id, customer_id)
        if not self.said[conversation_id]:
            raise RatingRefused("nothing was said in this conversation yet, so there is nothing to rate")
        self.ratings[conversation_id] = (score, comment)
        await self.store.tell(conversation_id, RatingGiven(score=score))

    async def consent(
        self, site: str, conversation_id: str, customer_id: str | None, purpose: str, *, given: bool
    ) -> TurnResult | None:
        await self.snapshot(site, conversation_id, customer_id)
        if purpose != "ai_assistance":
            raise PurposeUnknown("the purpose must be one of: ai_assistance")
        return None if given else await self.ask_for_person(site, conversation_id, customer_id, "consent")

    async def attach(self, site: str, conversation_id: str, customer_id: str | None, upload: Upload) -> FileAttached:
        await self.snapshot(site, conversation_id, customer_id)
        if not upload.content.startswith(b"\x89PNG"):
            raise FileRefused("this kind of file is not taken; send one of: image/png")
        stored = StoredFile(
            file_id=f"f{len(self.files) + 1}",
            name=upload.name,
            media_type="image/png",
            size=len(upload.content),
            sha256="0",
            at=NOW,
        )
        self.files[conversation_id, stored.file_id] = FileContent(stored=stored, content=upload.content)
        self.casework.files = self.files
        item = FileAttached(file_id=stored.file_id, name=stored.name, media_type="image/png", size=stored.size)
        await self.store.tell(conversation_id, item)
        return item

    async def file(self, site: str, conversation_id: str, customer_id: str | None, file_id: str) -> FileContent | None:
        await self.snapshot(site, conversation_id, customer_id)
        return self.files.get((conversation_id, file_id))

    async def erase(self, site: str, conversation_id: str, customer_id: str | None) -> None:
        await self.snapshot(site, conversation_id, customer_id)
        del self.opened[conversation_id]

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        return {"doc-a": "Document A"}
