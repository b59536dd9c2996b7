"""A turn of an agent that runs in this process: begun, followed by the agent's own loop, and left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import TYPE_CHECKING
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage

from handrail.agent.embedding import Beginning, newest, opened, system_clock, text_of
from handrail.agent.guest.exchange import Exchange, Over, Wanted
from handrail.agent.guest.guests import AGENT, Heard
from handrail.agent.unheard import told, unheard
from handrail.guardrails.vocabulary import Draft, TurnResult

if TYPE_CHECKING:
    from handrail.agent.service import Service


class Visit:
    """One turn of the agent. `exchange` is where its loop meets the turn."""

    def __init__(
        self, service: Service, site: str, conversation_id: str, exchange: Exchange, work: asyncio.Task[TurnResult]
    ) -> None:
        self.key = uuid4().hex
        self.exchange = exchange
        self.conversation_id = conversation_id
        self._service = service
        self._site = site
        self._work = work
        self._brought: set[str] = set()
        work.add_done_callback(self._ended)

    async def wanted(self) -> Wanted:
        """What the turn wants next. Raises what the turn raised."""
        return await self.past(None)

    async def past(self, wanted: Wanted | None) -> Wanted:
        """What the turn wants after `wanted`. Raises what the turn raised."""
        while not self._work.done():
            now = self.exchange.wanted
            if now is not None and now is not wanted:
                return now
            moving = asyncio.ensure_future(self.exchange.moved())
            try:
                await asyncio.wait({moving, self._work}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moving.cancel()
        return Over(result=self._work.result())

    def bring(self, message_id: str, draft: Draft) -> None:
        """Bring what a message proposes, once."""
        if message_id not in self._brought:
            self._brought.add(message_id)
            self.exchange.propose(draft)

    async def over(self) -> TurnResult:
        """The end of the turn. Raises what the turn raised."""
        return await asyncio.shield(self._work)

    async def released(self) -> AIMessage:
        """What the customer reads: what people wrote to them meanwhile, then the reply. Raises as `over` does."""
        result = await self.over()
        before = await unheard(self._service.store, self._site, self.conversation_id, result.turn_id)
        return AIMessage(told(before, result.reply), id=result.turn_id)

    def abandon(self) -> None:
        """The agent's run was given up: so is the turn, and a person takes over what it left."""
        self._work.cancel()

    def _ended(self, work: asyncio.Task[TurnResult]) -> None:
        if not work.cancelled() and work.exception() is None:
            self.exchange.end(work.result())


class Door:
    """Where agents come in: begins their turns."""

    def __init__(self, service: Service, site: str) -> None:
        self.service = service
        self._site = site
        self._clock = system_clock()

    async def begin(
        self,
        messages: Sequence[BaseMessage],
        customer_id: str | None,
        conversation_id: str | None,
        thread: str | None,
        name: str,
    ) -> Visit:
        """Begin the turn of the last message, which must be a human's. Raises NotAnswerable.

        The message's id makes a run repeatable: a turn that is finished gives the same reply, and runs nothing again.
        """
        message = newest(messages)
        begun = Beginning(AGENT, self._site, customer_id, thread, str(message.id))
        here = conversation_id or await opened(self.service, begun, self._clock)
        exchange = Exchange(name)
        heard = Heard(
            site=self._site,
            conversation_id=here,
            customer_id=customer_id,
            text=text_of(message),
            key=f"message:{message.id}",
        )
        # INVARIANT: the turn runs outside the agent's context, as that of an embedded node does.
        work = asyncio.create_task(self.service.guests.answer(heard, exchange), context=Context())
        return Visit(self.service, self._site, here, exchange, work)
