"""What starts a turn, and what a customer's message answers of what is pending."""

from __future__ import annotations

from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

from handrail.agent.conversation import ApprovalState
from handrail.guardrails.vocabulary import Frozen, ToolCall


class CauseKind(StrEnum):
    """The events that a turn can be about."""

    MESSAGE = "message"
    PERSON_BUTTON = "person_button"
    CONSENT_REFUSED = "consent_refused"
    OPERATOR_DECISION = "operator_decision"
    RESULTS = "results"
    """The caller brings the results of calls that it ran; the customer has said nothing new."""


SPOKEN = {
    CauseKind.PERSON_BUTTON: "I would like to talk to a person.",
    CauseKind.CONSENT_REFUSED: "I do not want to be answered by a machine.",
}
"""What a button stands for in words: it is stored as the customer's message."""


def reply_id_of(turn_id: str) -> str:
    """The id of a turn's message, the same when the turn runs again."""
    return f"m_{uuid5(NAMESPACE_URL, f'reply:{turn_id}').hex}"


class Cause(Frozen):
    """What started this turn.

    `resumed` says that a worker died in the middle of it before, `overtaken` that the conversation has gone on since:
    such a message agrees to nothing any more. `early` says that the message was written before the reply that it would
    answer was seen: it waited for another turn, or answers another chat. `edited` is the call as an operator changed
    it while approving it, `approvers` are the people who have approved the call that the decision is about.
    """

    kind: CauseKind = CauseKind.MESSAGE
    approval: ApprovalState | None = None
    approval_id: str | None = None
    operator: str | None = None
    approvers: tuple[str, ...] = ()
    edited: ToolCall | None = None
    resumed: bool = False
    overtaken: bool = False
    early: bool = False


class Answered(StrEnum):
    """How the message relates to the pending call."""

    NOTHING = "nothing"
    CODE = "code"
    YES = "yes"
    NO = "no"
    ASKS_AGAIN = "asks_again"
    DECISION = "decision"
