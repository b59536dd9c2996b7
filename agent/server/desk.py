"""What the routes work with, and how results become what callers see."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC

from handrail.agent.conversation import PendingCall
from handrail.agent.hours import is_open, next_opening
from handrail.agent.ports import Clock
from handrail.agent.server.events import Streams
from handrail.agent.server.face import Face
from handrail.agent.server.identity import Gate
from handrail.agent.server.logs import described
from handrail.agent.server.rates import Rates
from handrail.agent.server.views import (
    Citation,
    Confirmation,
    ConversationView,
    Reasoning,
    TurnView,
    Waiting,
    stages,
)
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import ConversationStatus, Obligation, TurnResult

LOG = logging.getLogger("handrail.server")


@dataclass(frozen=True, slots=True)
class Desk:
    """The service of one site with what stands in front of it."""

    service: Face
    site: str
    gate: Gate
    clock: Clock
    rates: Rates
    streams: Streams
    model: str

    async def turn(self, conversation_id: str, result: TurnResult, *, debug: bool = False) -> TurnView:
        """A turn as the customer sees it; with its reasoning when `debug`."""
        call = result.confirmation
        return TurnView(
            turn_id=result.turn_id,
            conversation_id=conversation_id,
            reply=result.reply,
            status=result.status,
            citations=await self._citations(result.citations),
            quick_replies=result.quick_replies,
            checklist=result.checklist,
            confirmation=None if call is None else Confirmation(tool=call.tool, arguments=call.arguments),
            handoff=await self._waiting(conversation_id, result.status),
            debug=reasoning(result) if debug else None,
        )

    async def conversation(self, conversation_id: str, customer_id: str | None) -> ConversationView:
        """The conversation as its customer sees it. Raises UnknownConversation."""
        found = await self.service.snapshot(self.site, conversation_id, customer_id)
        return ConversationView(
            conversation_id=found.conversation_id,
            channel=found.channel,
            status=found.state.status,
            opened_at=found.opened_at,
            confirmation=_confirmation(found.state.pending),
            handoff=await self._waiting(conversation_id, found.state.status),
        )

    async def _citations(self, doc_ids: tuple[str, ...]) -> tuple[Citation, ...]:
        """The sources with their titles. A reply that was released is not held back because a title is missing."""
        if not doc_ids:
            return ()
        try:
            titles = await self.service.titles(doc_ids)
        except HandrailError as error:
            LOG.warning("titles of sources are not available", extra=described(error))
            titles = {}
        return tuple(Citation(doc_id=each, title=titles.get(each, each)) for each in doc_ids)

    async def _waiting(self, conversation_id: str, status: ConversationStatus) -> Waiting | None:
        """Where the conversation stands in the queue; None when no person is asked for, or nobody can tell."""
        if status not in WITH_PEOPLE:
            return None
        try:
            queued = await self.service.store.handoffs(self.site)
        except HandrailError as error:
            LOG.warning("the queue is not available", extra=described(error))
            return None
        bundle, now = self.service.bundle, self.clock.now()
        place = next((n for n, each in enumerate(queued, 1) if each.conversation_id == conversation_id), None)
        packet = None if place is None else queued[place - 1].handoff
        default = bundle.queues[bundle.manifest.default_queue]
        queue = default if packet is None else bundle.queues.get(packet.queue, default)
        open_now = is_open(queue.hours, now)
        return Waiting(
            team=queue.title[bundle.manifest.languages[0]],
            position=place if status is ConversationStatus.QUEUED else None,
            due_at=None if packet is None or packet.due_at is None else packet.due_at.astimezone(UTC),
            open_now=open_now,
            opens_at=None if open_now else next_opening(queue.hours, now),
        )


def reasoning(result: TurnResult) -> Reasoning:
    """Why the turn came out as it did, stage by stage."""
    return Reasoning(
        reasons=result.reasons,
        decisions=stages(result.decisions),
        revision=result.decisions[-1].revision if result.decisions else "",
    )


def _confirmation(pending: PendingCall | None) -> Confirmation | None:
    if pending is None or pending.awaiting is not Obligation.CONFIRM:
        return None
    return Confirmation(tool=pending.call.tool, arguments=pending.call.arguments)
