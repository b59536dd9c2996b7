"""Turns in which a guest speaks, and which conversations are theirs."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from handrail.agent.conversation import Received, Snapshot
from handrail.agent.flow import build_graph
from handrail.agent.guest.attested import Attested
from handrail.agent.guest.flow import GUEST_TURN
from handrail.agent.guest.guest import GUEST, Guest, GuestModel, GuestToolbox, lent
from handrail.agent.ports import Upstream
from handrail.agent.refusals import MessageTooLong
from handrail.agent.room import Hands, Room
from handrail.agent.store_port import UnknownConversation
from handrail.agent.turning import Turning, stored
from handrail.agent.turns import Cause, CauseKind
from handrail.guardrails.vocabulary import Frozen, TurnResult

AGENT = "agent"
"""The channel of agents that run in this process, with their tools."""

PROXY = "proxy"
"""The channel of applications that ask over HTTP, and run their tools themselves."""


class Heard(Frozen):
    """What is to be answered. `text` is the customer's newest message.

    With `continues` it was heard before, and the caller brings the results of calls. `attested` is its history.
    """

    site: str
    conversation_id: str
    customer_id: str | None
    text: str
    key: str
    continues: bool = False
    attested: Attested | None = None


class Guests:
    """Runs the turns of guests, and every other turn as `own` does: which is which, the channel says."""

    def __init__(self, room: Room, own: Turning) -> None:
        """Guard with the ports of `room`."""
        self._room = room
        self._own = own

    @property
    def room(self) -> Room:
        """The bundle and the ports."""
        return self._room

    @cached_property
    def toolbox(self) -> GuestToolbox:
        """The tools of agents in this process, before the company's facts."""
        return GuestToolbox(self._room.toolbox)

    @property
    def upstream(self) -> Upstream | None:
        """The model behind the proxy, if there is one."""
        return self._room.upstream

    async def run(self, received: Received, cause: Cause) -> TurnResult:
        """Run a turn that is received. That of a guest who has gone ends with a person."""
        return await self._turning(received.turn.channel).run(received, cause)

    async def answer(self, heard: Heard, guest: Guest) -> TurnResult:
        """Take one message through the turn of `guest`.

        Raises MessageTooLong, and what `Store.receive` raises. Everything else becomes a safe reply or a person.
        """
        limit = self._room.bundle.manifest.limits.message_characters
        if len(heard.text) > limit:
            raise MessageTooLong(f"the message has {len(heard.text)} characters; at most {limit} are read: shorten it")
        asking = self._room.store.snapshot(heard.site, heard.conversation_id)
        if (await stored(self._room, asking, Snapshot)).channel not in (AGENT, PROXY):
            raise UnknownConversation("there is no such conversation of an agent or application: open one first")
        begin = self._room.store.continue_turn if heard.continues else self._room.store.receive
        receiving = begin(
            heard.site, heard.conversation_id, heard.customer_id, heard.key, heard.text, self._room.clock.now()
        )
        received = await stored(self._room, receiving, Received)
        if received.finished is not None:
            return received.finished
        if heard.attested is not None:
            received = heard.attested.believed(received)
        kind = CauseKind.RESULTS if heard.continues else CauseKind.MESSAGE
        before = GUEST.set(guest)
        try:
            return await self.run(received, Cause(kind=kind))
        finally:
            GUEST.reset(before)

    def _turning(self, channel: str) -> Turning:
        if channel == AGENT:
            return self._of_agents
        return self._of_applications if channel == PROXY else self._own

    # Built when they are needed: most processes have no guests.
    @cached_property
    def _of_agents(self) -> Turning:
        return self._guarded(replace(self._room, toolbox=self.toolbox))

    @cached_property
    def _of_applications(self) -> Turning:
        return self._guarded(replace(self._room, hands=Hands.CALLER, has_tool=lent))

    def _guarded(self, room: Room) -> Turning:
        room = replace(room, model=GuestModel())
        return Turning(room, build_graph(room, GUEST_TURN))
