"""What an application says of a conversation that it keeps itself, and how far that is believed."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.agent.conversation import HISTORY_LIMIT, Received
from handrail.guardrails.vocabulary import Frozen, Message, Obligation, Role


class Said(Frozen):
    """One message of the application's history, before the one that is answered."""

    role: Role
    text: str


class Attested(Frozen):
    """The history as the application tells it, oldest first, without the customer's newest message."""

    history: tuple[Said, ...]

    def believed(self, received: Received) -> Received:
        """The turn with this history in the place of the stored one.

        INVARIANT: nobody agrees to a question that the history does not show as the last thing said: a yes of another
        chat, or to another text, is none.
        """
        turn, snapshot = received.turn, received.snapshot
        pending = snapshot.state.pending
        asks = pending is not None and pending.awaiting is Obligation.CONFIRM
        put = next((one.text for one in reversed(snapshot.history) if one.role is Role.BOT), None)
        shown = next((one.text for one in reversed(self.history) if one.role is Role.BOT), None)
        unseen = asks and (put is None or shown is None or put.strip() not in shown)
        # What addressed the model when it came is no source when it is told again: it keeps its id.
        known = {one.text: one.message_id for one in snapshot.history if one.role is Role.CUSTOMER}
        history = tuple(
            Message(message_id=_id_of(one, number, known), role=one.role, text=one.text, at=turn.at)
            for number, one in enumerate(self.history[-HISTORY_LIMIT:])
        )
        if turn.sender is Role.BOT:
            # The turn goes on with a message that was heard before: it is part of the history, and counted already.
            message = Message(message_id=turn.turn_id, role=Role.CUSTOMER, text=turn.text, at=turn.at)
            counted = max(0, snapshot.state.unresolved_turns - 1)
            state = snapshot.state.model_copy(update={"unresolved_turns": counted})
            snapshot = snapshot.model_copy(update={"state": state})
            history = (*history, message)[-HISTORY_LIMIT:]
        return received.model_copy(
            update={"snapshot": snapshot.model_copy(update={"history": history}), "unseen": unseen}
        )


def _id_of(one: Said, number: int, known: Mapping[str, str]) -> str:
    told = known.get(one.text) if one.role is Role.CUSTOMER else None
    return told or f"attested-{number}"
