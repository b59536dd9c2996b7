"""What is looked after without anybody's call: turns whose worker died, and requests that nobody decided in time."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from handrail.agent.approving import Approving, cause_of, note_of
from handrail.agent.conversation import ASSISTANCE, ApprovalState, Received
from handrail.agent.room import Room
from handrail.agent.turning import Runs
from handrail.agent.turns import SPOKEN, Cause, CauseKind
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import Role

SETTLING = timedelta(minutes=1)
"""How long a decision may take to be carried out by whoever stored it."""

log = logging.getLogger(__name__)


class Recovery:
    """Finishes what was begun. Any worker may do it, at any time, several times."""

    def __init__(self, room: Room, turning: Runs, approving: Approving) -> None:
        """Look after the sites of `room`."""
        self._room = room
        self._turning = turning
        self._approving = approving

    async def recover(self) -> int:
        """Finish turns whose worker died in the middle; returns how many."""
        resumed = 0
        for turn in await self._room.store.interrupted():
            try:
                received = await self._room.store.resume(turn)
                if received is not None:
                    await self._turning.run(received, await self._cause_of(received))
                    resumed += 1
            except Exception as error:  # noqa: BLE001 - one turn that cannot be resumed must not keep the others waiting
                log.error("turn not resumed", extra={"turn": turn.turn_id, "error": type(error).__name__})
        return resumed

    async def tend(self) -> None:
        """Interrupted turns, approvals that nobody decided in time, and decisions that nobody has carried out."""
        await self.recover()
        now = self._room.clock.now()
        for site in self._room.sites:
            for held in await self._room.store.approvals(site, ApprovalState.PENDING):
                if now >= held.expires_at:
                    with suppress(HandrailError):
                        await self._approving.decide(site, held.approval_id, ApprovalState.EXPIRED, "time")
            for held in await self._room.store.undone_approvals(site, now - SETTLING):
                with suppress(HandrailError):
                    await self._approving.carry_out(site, held)

    async def _cause_of(self, received: Received) -> Cause:
        """What an interrupted turn was about, from what it stored."""
        text, turn = received.turn.text, received.turn
        if turn.sender is Role.BOT:
            return Cause(kind=CauseKind.RESULTS, resumed=True)
        if turn.sender is not Role.OPERATOR:
            # Whoever writes the words of a button gets what the button gives; no customer can speak as an operator.
            kind = next((kind for kind, words in SPOKEN.items() if words == text), CauseKind.MESSAGE)
            if kind is CauseKind.CONSENT_REFUSED and ASSISTANCE not in received.snapshot.refused:
                kind = CauseKind.MESSAGE
            return Cause(kind=kind, resumed=True)
        pending = received.snapshot.state.pending
        approval = pending.approval_id if pending is not None else None
        held = await self._room.store.approval(turn.site, approval) if approval is not None else None
        if held is not None and text == note_of(held):
            return cause_of(held, pending).model_copy(update={"resumed": True})
        # The call was replaced or settled meanwhile: the decision has nothing to carry out any more.
        return Cause(kind=CauseKind.OPERATOR_DECISION, resumed=True)
