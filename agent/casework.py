"""Casework: what people do with the conversations that they look after (S9.2, S9.3)."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import JsonValue

from handrail.agent.case import Case, CaseMove, CaseQuery, CaseSummary
from handrail.agent.conversation import ASSISTANCE, ApprovalState, AuditEvent, EventKind, Snapshot
from handrail.agent.feed import HandoffAccepted, HandoffEnded, Item, RatingRequested, StatusChanged
from handrail.agent.files import FileContent
from handrail.agent.operators import Operator
from handrail.agent.packet import taken_over
from handrail.agent.refusals import MessageEmpty, MessageTooLong
from handrail.agent.room import Room
from handrail.agent.standing import WITH_A_PERSON, WITH_PEOPLE, Action, advice, outcome, sources
from handrail.agent.store_port import ApprovalClosed, WrongStatus
from handrail.agent.turning import stored
from handrail.agent.waiting import in_line, place_of
from handrail.guardrails.vocabulary import ConversationStatus, Message, TurnResult

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from handrail.agent.approving import Approving

TAKEN_OVER = "CASE_TAKEN_OVER"
LONGEST_NOTE = 1000


class ReleasedTo(StrEnum):
    """Where a person gives a conversation back to."""

    BOT = "bot"
    QUEUE = "queue"


class Casework:
    """The operators' side of the service. Every method that changes something is audited with the person's name."""

    def __init__(self, room: Room, approving: Approving) -> None:
        """Work on the store of `room`; decisions about calls go through `approving`."""
        self._room = room
        self._approving = approving

    async def queue(
        self,
        site: str,
        *,
        statuses: Collection[ConversationStatus] = WITH_PEOPLE,
        queue: str | None = None,
        holder: str | None = None,
    ) -> tuple[CaseSummary, ...]:
        """The conversations that people look after, most urgent first, then oldest first; at most 200."""
        return await self._cases(site, CaseQuery(statuses=frozenset(statuses), queue=queue, holder=holder))

    async def case(self, site: str, conversation_id: str) -> Case:
        """One conversation, whole. Raises UnknownConversation."""
        return await stored(self._room, self._room.store.case(site, conversation_id), Case)

    async def file(self, site: str, conversation_id: str, file_id: str) -> FileContent | None:
        """One attached file with its bytes; None when there is none of that id in this conversation."""
        return await self._room.store.file(site, conversation_id, file_id)

    async def claim(self, site: str, conversation_id: str, operator: Operator) -> Case:
        """Take a conversation, out of the queue or from the bot. The holder may claim again; nothing changes then.

        Raises UnknownConversation, CaseTaken (somebody else has it), WrongStatus (it is resolved).
        """
        case = await self.case(site, conversation_id)
        if case.holder == operator.name:
            return case
        handoff, reasons = None, ["HANDOFF_ACCEPTED"]
        if case.status is not ConversationStatus.QUEUED:
            reasons.append(TAKEN_OVER)
            snapshot = await self._snapshot(site, conversation_id)
            now = self._room.clock.now()
            handoff = taken_over(snapshot, self._room.bundle, uuid4().hex, (TAKEN_OVER,), now)
        move = self._move(Action.CLAIM, operator, reasons, (HandoffAccepted(name=operator.display),))
        claimed = {
            "holder": operator.name,
            "must_hold": None,
            "must_be_free": True,
            "closes_handoff": True,
            # From the hands of somebody whose account is disabled too; anybody else's are refused as taken.
            "from_statuses": move.from_statuses | WITH_A_PERSON,
        }
        return await self._moved(
            site, conversation_id, Action.CLAIM, move.model_copy(update={**claimed, "handoff": handoff})
        )

    async def reply(self, site: str, conversation_id: str, operator: Operator, text: str, key: str) -> Message:
        """Write to the customer. The same key gives the same message, once.

        The words are the person's own: no output check reads them. Raises MessageTooLong, MessageEmpty, KeyReused,
        UnknownConversation, NotHolder, WrongStatus.
        """
        text = self._fit(text, self._room.bundle.manifest.limits.message_characters)
        if not text:
            raise MessageEmpty("the message says nothing: write something")
        move = self._move(Action.REPLY, operator, ["OPERATOR_REPLIED"], characters=len(text))
        if (await self._snapshot(site, conversation_id)).state.status is outcome(Action.REPLY):
            # Nobody is told again that the person speaks.
            move = move.model_copy(update={"feed": ()})
        said = {"holder": operator.name, "message": text, "message_name": operator.display, "key": key}
        await self._moved(site, conversation_id, Action.REPLY, move.model_copy(update=said))
        return await stored(self._room, self._room.store.moved_message(site, conversation_id, key), Message)

    async def release(self, site: str, conversation_id: str, operator: Operator, to: ReleasedTo) -> Case:
        """Give a conversation back to the bot, or to the queue with its packet.

        Raises UnknownConversation, NotHolder, WrongStatus (also when the customer has refused the bot).
        """
        case = await self.case(site, conversation_id)
        if to is ReleasedTo.BOT:
            if ASSISTANCE in (await self._snapshot(site, conversation_id)).refused:
                raise WrongStatus(
                    "the customer does not want to be answered by a machine: release to the queue, or resolve"
                )
            action, feed = Action.RELEASE_TO_BOT, (HandoffEnded(outcome="returned_to_bot"),)
            move = self._move(action, operator, ["HANDOFF_RELEASED"], feed)
        else:
            action = Action.RELEASE_TO_QUEUE
            told = (HandoffEnded(outcome="queued"), *(await self._back_in_line(site, case)))
            move = self._move(action, operator, ["HANDOFF_RELEASED"], told)
            move = move.model_copy(update={"reopens_handoff": True})
        return await self._moved(site, conversation_id, action, move)

    async def _back_in_line(self, site: str, case: Case) -> tuple[Item, ...]:
        """Where the customer stands once the conversation is in the queue again: it keeps its time there."""
        held = await self._cases(site, CaseQuery(statuses=frozenset({case.status}), holder=case.holder))
        since = next((one.since for one in held if one.conversation_id == case.conversation_id), None)
        if case.packet is None or since is None:
            return ()
        waiting = await stored(self._room, self._room.store.handoffs(site), tuple)
        position = place_of(waiting, case.conversation_id, case.packet.priority, since)
        return (in_line(self._room.bundle, case.packet, position, self._room.clock.now(), None),)

    async def resolve(self, site: str, conversation_id: str, operator: Operator, note: str | None = None) -> Case:
        """Close the matter. A call that still waits for approval is denied, and the customer told.

        Raises UnknownConversation, NotHolder, WrongStatus, MessageTooLong (the note).
        """
        note = self._fit(note or "", LONGEST_NOTE) or None
        case = await self.case(site, conversation_id)
        if case.status in sources(Action.RESOLVE) and case.holder == operator.name:
            for held in case.approvals:
                if held.state is ApprovalState.PENDING:
                    with suppress(ApprovalClosed):
                        await self._approving.decide(site, held.approval_id, ApprovalState.DENIED, operator.name)
        ended = (HandoffEnded(outcome="resolved"),)
        move = self._move(Action.RESOLVE, operator, ["HANDOFF_RESOLVED"], ended, note=note)
        move = move.model_copy(update={"feed": (*move.feed, RatingRequested())})
        return await self._moved(site, conversation_id, Action.RESOLVE, move)

    async def approve(self, site: str, approval_id: str, operator: Operator, digest: str | None = None) -> TurnResult:
        """Approve the exact call: it is decided again on fresh facts and then runs, once, or waits for another person.

        `digest` is of the call that the person has seen; one that a colleague changed is approved by it only. Raises
        UnknownApproval, ApprovalClosed, ApproverBarred, ApprovalChanged.
        """
        return await self._approving.decide(site, approval_id, ApprovalState.APPROVED, operator.name, digest)

    async def deny(self, site: str, approval_id: str, operator: Operator) -> TurnResult:
        """Deny the call; the customer is told. Raises UnknownApproval, ApprovalClosed."""
        return await self._approving.decide(site, approval_id, ApprovalState.DENIED, operator.name)

    async def edit(
        self, site: str, approval_id: str, arguments: Mapping[str, JsonValue], operator: Operator
    ) -> TurnResult:
        """Approve the call with other arguments (S7.3); those that are not named stay as they are.

        The edited call is decided again. Where the edit is against the customer, the customer is asked first. Raises
        UnknownApproval, ApprovalClosed, ApproverBarred, ArgumentsInvalid (then nothing was changed).
        """
        return await self._approving.edit(site, approval_id, arguments, operator.name)

    def _move(
        self, action: Action, operator: Operator, reasons: list[str], told: tuple[Item, ...] = (), **facts: JsonValue
    ) -> CaseMove:
        """The move of the holder: what clients are told ends with the new status."""
        reached = outcome(action)
        payload: dict[str, JsonValue] = {
            "action": action.value,
            "reasons": [*reasons],
            "by": operator.name,
            "status": reached.value,
            **facts,
        }
        event = AuditEvent(kind=EventKind.OPERATOR_ACTION, turn_id="", at=self._room.clock.now(), payload=payload)
        return CaseMove(
            from_statuses=sources(action),
            to_status=reached,
            holder=None,
            must_hold=operator.name,
            feed=(*told, StatusChanged(status=reached)),
            events=(event,),
        )

    async def _snapshot(self, site: str, conversation_id: str) -> Snapshot:
        return await stored(self._room, self._room.store.snapshot(site, conversation_id), Snapshot)

    async def _cases(self, site: str, query: CaseQuery) -> tuple[CaseSummary, ...]:
        return await stored(self._room, self._room.store.cases(site, query), tuple)

    async def _moved(self, site: str, conversation_id: str, action: Action, move: CaseMove) -> Case:
        """The case after the move; a refusal says what would be possible."""
        moving = self._room.store.move_case(site, conversation_id, move, self._room.clock.now())
        try:
            return await stored(self._room, moving, Case)
        except WrongStatus as error:
            status = (await self._snapshot(site, conversation_id)).state.status
            raise WrongStatus(advice(status, action)) from error

    def _fit(self, text: str, limit: int) -> str:
        """`text` without what cannot be shown, such as NUL. Raises MessageTooLong."""
        shown = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
        shown = shown.strip()
        if len(shown) > limit:
            raise MessageTooLong(f"the text has {len(shown)} characters; at most {limit} are taken: shorten it")
        return shown
