"""A service that keeps everything in memory, with the face of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from handrail.agent.conversation import Approval, ApprovalState, ConversationState, QueuedHandoff, Snapshot
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.service import ApprovalNotPending
from handrail.agent.store_port import ConversationBusy, KeyReused, StoreError, UnknownConversation
from handrail.guardrails.bundle.sections import Attribute, Hours, Limits, Manifest, Queue, Window
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Handoff,
    IdentityLevel,
    Message,
    NeedState,
    Priority,
    Role,
    Stage,
    ToolCall,
    TurnResult,
)

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
REVISION = "0123456789abcdef"


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
            passages=6,
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
        queue = Queue(id="general", title={"en": "the support team"}, skills=(), hours=hours, first_response_minutes=60)
        self.queues: Mapping[str, Queue] = {"general": queue}


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
        self.held: dict[str, Approval] = {}
        self.queue: list[QueuedHandoff] = []
        self.known: dict[tuple[str, str], AttributeValue] = {}
        self.happened: dict[str, CustomerEvent] = {}
        self.down = False

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


class FakeService:
    """Echoes. Some words cause something: slow, crash, busy, down, cite, confirm."""

    def __init__(self) -> None:
        self.bundle = FakeBundle()
        self.store = FakeStore()
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
        if text == "slow":
            self.began.set()
            await self.go.wait()
        if text == "crash":
            raise RuntimeError("secret words of a customer")
        if text == "busy":
            raise ConversationBusy("busy")
        if text == "down":
            raise StoreError("secret words of a customer")
        said = self.said[conversation_id]
        said.append(Message(message_id=f"m{len(said) + 1}", role=Role.CUSTOMER, text=text, at=NOW))
        said.append(Message(message_id=f"m{len(said) + 1}", role=Role.BOT, text=f"You said: {text}", at=NOW))
        call = ToolCall(call_id="t1", tool="cancel_plan", arguments={"plan": "team", "seats": 3})
        return TurnResult(
            turn_id=f"turn-{len(said)}",
            reply=f"You said: {text}",
            status=self.opened[conversation_id].state.status,
            decisions=(decision(),),
            reasons=("INTENT_KNOWN",),
            citations=("doc-a", "doc-gone") if text == "cite" else (),
            quick_replies=("yes", "no"),
            confirmation=call if text == "confirm" else None,
        )

    async def ask_for_person(self, site: str, conversation_id: str, customer_id: str | None, key: str) -> TurnResult:
        found = await self.snapshot(site, conversation_id, customer_id)
        queued = found.state.model_copy(update={"status": ConversationStatus.QUEUED})
        self.opened[conversation_id] = found.model_copy(update={"state": queued})
        self.store.queue.append(QueuedHandoff(conversation_id=conversation_id, handoff=packet(), at=NOW))
        return TurnResult(
            turn_id="turn-person",
            reply="A person will take over.",
            status=ConversationStatus.QUEUED,
            decisions=(decision(),),
            reasons=("HUMAN_REQUESTED",),
        )

    async def decide(self, site: str, approval_id: str, decision: ApprovalState, by: str) -> TurnResult:
        held = self.store.held[approval_id]
        if held.state is not ApprovalState.PENDING:
            raise ApprovalNotPending("decided")
        self.store.held[approval_id] = held.model_copy(update={"state": decision, "decided_by": by})
        return await self._answer(held.conversation_id, decision.value)

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

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        return {"doc-a": "Document A"}


def decision() -> Decision:
    """A decision that allows."""
    return Decision(
        stage=Stage.GATE_RISK, subject="turn", effect=Effect.ALLOW, reasons=("INTENT_KNOWN",), revision=REVISION
    )


def packet() -> Handoff:
    """A handoff packet."""
    return Handoff(
        handoff_id="h1",
        wants="a person",
        reasons=("HUMAN_REQUESTED",),
        next_step="reply",
        queue="general",
        priority=Priority.NORMAL,
        due_at=NOW + timedelta(hours=1),
        identity=IdentityLevel.ANONYMOUS,
    )


def approval(conversation_id: str, approval_id: str = "a1") -> Approval:
    """A pending request for approval."""
    return Approval(
        approval_id=approval_id,
        conversation_id=conversation_id,
        call=ToolCall(call_id="t1", tool="change_owner", arguments={"to": "u-2"}),
        digest="d",
        state=ApprovalState.PENDING,
        queue="general",
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
