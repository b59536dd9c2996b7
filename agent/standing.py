"""Who may take over from whom: the one table of S9.2, and what of a conversation's state outlives such a change."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from handrail.agent.conversation import ConversationState
from handrail.guardrails.vocabulary import ConversationStatus, Obligation


class Action(StrEnum):
    """What a person does with a conversation."""

    CLAIM = "claim"
    REPLY = "reply"
    RELEASE_TO_BOT = "release_to_bot"
    RELEASE_TO_QUEUE = "release_to_queue"
    RESOLVE = "resolve"


_BOT, _QUEUED, _ACCEPTED, _HUMAN, _RETURNED, _RESOLVED = (
    ConversationStatus.BOT,
    ConversationStatus.QUEUED,
    ConversationStatus.ACCEPTED,
    ConversationStatus.HUMAN,
    ConversationStatus.RETURNED_TO_BOT,
    ConversationStatus.RESOLVED,
)

TRANSITIONS: Mapping[tuple[ConversationStatus, Action], ConversationStatus] = {
    (_BOT, Action.CLAIM): _ACCEPTED,
    (_QUEUED, Action.CLAIM): _ACCEPTED,
    (_RETURNED, Action.CLAIM): _ACCEPTED,
    (_ACCEPTED, Action.REPLY): _HUMAN,
    (_HUMAN, Action.REPLY): _HUMAN,
    (_ACCEPTED, Action.RELEASE_TO_BOT): _RETURNED,
    (_HUMAN, Action.RELEASE_TO_BOT): _RETURNED,
    (_ACCEPTED, Action.RELEASE_TO_QUEUE): _QUEUED,
    (_HUMAN, Action.RELEASE_TO_QUEUE): _QUEUED,
    (_ACCEPTED, Action.RESOLVE): _RESOLVED,
    (_HUMAN, Action.RESOLVE): _RESOLVED,
}
"""From a status, by an action, to a status; all else is refused. INVARIANT: an action leads to one status."""

WITH_PEOPLE = frozenset({_QUEUED, _ACCEPTED, _HUMAN})
"""The model does not speak in these."""

WITH_A_PERSON = frozenset({_ACCEPTED, _HUMAN})
"""In these nothing but that person speaks, and no turn changes who does."""


def sources(action: Action) -> frozenset[ConversationStatus]:
    """The statuses in which `action` can be taken."""
    return frozenset(status for status, taken in TRANSITIONS if taken is action)


def outcome(action: Action) -> ConversationStatus:
    """The status that `action` leads to."""
    return next(reached for (_, taken), reached in TRANSITIONS.items() if taken is action)


def advice(status: ConversationStatus, action: Action) -> str:
    """Why `action` is refused in `status`, and what to do instead."""
    if status is _RESOLVED:
        return "the conversation is resolved; it opens again with the customer's next message"
    if action is Action.CLAIM:
        return f"the conversation is {status.value} and cannot be claimed"
    return f"the conversation is {status.value}: claim it first"


def moved(state: ConversationState, to: ConversationStatus) -> ConversationState:
    """The state after a person changed who speaks.

    A question of the machine has lapsed: whatever the customer says next may answer the person. Only what a colleague
    has to approve, or has changed, still waits.
    """
    pending = state.pending if state.pending is not None and state.pending.approval_id is not None else None
    over = to is _RESOLVED
    if over or (pending is not None and pending.awaiting is Obligation.VERIFY_IDENTITY):
        pending = None
    changed = state.model_copy(
        update={
            "status": to,
            "turns": state.turns + 1,
            "pending": pending,
            "flow": None,
            "person_offered": False,
            "clarifications": 0,
        }
    )
    if not over:
        return changed
    return changed.model_copy(
        update={"unresolved_turns": 0, "failed_attempts": 0, "wants": None, "segments": (), "intent": None}
    )
