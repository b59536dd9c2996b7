"""The operators' side of the fake service."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.case import Case, CaseSummary
from handrail.agent.casework import ReleasedTo
from handrail.agent.conversation import ApprovalState
from handrail.agent.files import FileContent
from handrail.agent.operators import Operator, Session
from handrail.agent.refusals import ArgumentsInvalid
from handrail.agent.standing import WITH_PEOPLE
from handrail.agent.store_port import (
    ApprovalChanged,
    ApprovalClosed,
    ApproverBarred,
    CaseTaken,
    NotHolder,
    UnknownApproval,
    UnknownConversation,
    WrongStatus,
)
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, Message, Priority, Role, TurnResult
from tests.unit.server.samples import NOW, decision, packet

if TYPE_CHECKING:
    from tests.unit.server.fake import FakeStore

PASSWORD = "correct horse battery"


class FakeOperators:
    """Two accounts, `maria` and `omar`, with one password."""

    def __init__(self) -> None:
        self.accounts = {name: Operator(name=name, display=name.title()) for name in ("maria", "omar")}
        self.tokens: dict[str, str] = {}
        self.ends: datetime = NOW + timedelta(hours=12)

    async def sign_in(self, name: str, password: str) -> Session | None:
        if name not in self.accounts or password != PASSWORD:
            return None
        token = f"hro_{name}_{len(self.tokens)}"
        self.tokens[token] = name
        return Session(token=token, operator=self.accounts[name], expires_at=self.ends)

    async def who(self, token: str) -> Operator | None:
        return self.accounts.get(self.tokens.get(token, ""))

    async def sign_out(self, token: str) -> None:
        self.tokens.pop(token, None)


class FakeCasework:
    """Cases of conversations for which a person was asked."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.cases: dict[str, Case] = {}
        self.files: Mapping[tuple[str, str], FileContent] = {}
        self.asked_with: list[tuple[Collection[ConversationStatus], str | None, str | None]] = []
        self.keys: dict[str, Message] = {}

    def asked(self, conversation_id: str, customer_id: str | None) -> None:
        self.cases[conversation_id] = Case(
            conversation_id=conversation_id,
            channel="web",
            customer_id=customer_id,
            identity=IdentityLevel.IDENTIFIED,
            status=ConversationStatus.QUEUED,
            holder=None,
            opened_at=NOW,
            packet=packet(),
            messages=(Message(message_id="m1", role=Role.CUSTOMER, text="A person, please", at=NOW),),
            approvals=(),
            files=(),
            turns=(_result(),),
        )

    async def queue(
        self,
        site: str,
        *,
        statuses: Collection[ConversationStatus] = WITH_PEOPLE,
        queue: str | None = None,
        holder: str | None = None,
    ) -> tuple[CaseSummary, ...]:
        self.asked_with.append((statuses, queue, holder))
        return tuple(
            CaseSummary(
                conversation_id=each.conversation_id,
                status=each.status,
                holder=each.holder,
                queue="general",
                priority=Priority.NORMAL,
                due_at=NOW + timedelta(hours=1),
                since=NOW,
                wants="a person",
                awaits_approval=any(one.conversation_id == each.conversation_id for one in self.store.held.values()),
            )
            for each in self.cases.values()
            if each.status in statuses and holder in {None, each.holder}
        )

    async def case(self, site: str, conversation_id: str) -> Case:
        found = self.cases.get(conversation_id)
        if found is None:
            raise UnknownConversation("unknown")
        mine = tuple(one for one in self.store.held.values() if one.conversation_id == conversation_id)
        return found.model_copy(update={"approvals": mine})

    async def file(self, site: str, conversation_id: str, file_id: str) -> FileContent | None:
        await self.case(site, conversation_id)
        return self.files.get((conversation_id, file_id))

    async def claim(self, site: str, conversation_id: str, operator: Operator) -> Case:
        found = await self.case(site, conversation_id)
        if found.holder not in {None, operator.name}:
            raise CaseTaken(str(found.holder))
        return self._moved(conversation_id, ConversationStatus.ACCEPTED, operator.name)

    async def reply(self, site: str, conversation_id: str, operator: Operator, text: str, key: str) -> Message:
        await self._held(site, conversation_id, operator)
        self._moved(conversation_id, ConversationStatus.HUMAN, operator.name)
        message = Message(message_id=f"o{len(self.keys) + 1}", role=Role.OPERATOR, text=text, at=NOW)
        return self.keys.setdefault(key, message)

    async def release(self, site: str, conversation_id: str, operator: Operator, to: ReleasedTo) -> Case:
        await self._held(site, conversation_id, operator)
        bot = to is ReleasedTo.BOT
        status = ConversationStatus.RETURNED_TO_BOT if bot else ConversationStatus.QUEUED
        return self._moved(conversation_id, status, None)

    async def resolve(self, site: str, conversation_id: str, operator: Operator, note: str | None = None) -> Case:
        await self._held(site, conversation_id, operator)
        return self._moved(conversation_id, ConversationStatus.RESOLVED, None)

    async def approve(self, site: str, approval_id: str, operator: Operator, digest: str | None = None) -> TurnResult:
        held = self.store.held.get(approval_id)
        if held is not None and operator.name in held.approvers:
            raise ApproverBarred(f"{operator.name} has approved this call already: it takes another person")
        if held is not None and held.edited and digest != held.digest:
            raise ApprovalChanged("the call was changed")
        return self._decided(approval_id, ApprovalState.APPROVED, operator)

    async def deny(self, site: str, approval_id: str, operator: Operator) -> TurnResult:
        return self._decided(approval_id, ApprovalState.DENIED, operator)

    async def edit(
        self, site: str, approval_id: str, arguments: Mapping[str, JsonValue], operator: Operator
    ) -> TurnResult:
        unknown = tuple(f"{name}: there is no such argument" for name in arguments if name not in {"to", "amount"})
        if unknown:
            raise ArgumentsInvalid(unknown)
        decided = self._decided(approval_id, ApprovalState.APPROVED, operator)
        held = self.store.held[approval_id]
        call = held.call.model_copy(update={"arguments": {**held.call.arguments, **arguments}})
        self.store.held[approval_id] = held.model_copy(update={"call": call})
        return decided

    async def _held(self, site: str, conversation_id: str, operator: Operator) -> None:
        found = await self.case(site, conversation_id)
        if found.status is ConversationStatus.RESOLVED:
            raise WrongStatus("the conversation is resolved; it opens again with the customer's next message")
        if found.holder != operator.name:
            raise NotHolder("claim it first")

    def _moved(self, conversation_id: str, status: ConversationStatus, holder: str | None) -> Case:
        moved = self.cases[conversation_id].model_copy(update={"status": status, "holder": holder})
        self.cases[conversation_id] = moved
        return moved

    def _decided(self, approval_id: str, state: ApprovalState, operator: Operator) -> TurnResult:
        held = self.store.held.get(approval_id)
        if held is None:
            raise UnknownApproval("unknown")
        if held.state is not ApprovalState.PENDING:
            raise ApprovalClosed("decided")
        self.store.held[approval_id] = held.model_copy(update={"state": state, "decided_by": operator.name})
        return _result()


def _result() -> TurnResult:
    return TurnResult(
        turn_id="turn-1",
        reply="Done.",
        status=ConversationStatus.BOT,
        decisions=(decision(),),
        reasons=("INTENT_KNOWN",),
    )
