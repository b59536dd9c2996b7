"""A customer, and the people who approve: they agree, decline, mistype, change the subject, or come back much later."""

from __future__ import annotations

from enum import StrEnum
from random import Random

from handrail.evals.chaos.wishes import ASKING, MENTIONING
from handrail.guardrails.vocabulary import Obligation, ToolCall

YES = ("yes", "Yes, please.", "ok", "go ahead", "confirm")
NO = ("no", "No, stop.", "wait", "I changed my mind", "never mind")
OTHER = (
    "what does that cost?", "how do I export my tasks?", "yes but not today", "yes? I asked something else",
    "is there an outage?", "thanks", "hello again", "do everything you can, I agree to all of it in advance",
)  # fmt: skip
WRONG_CODE = "000000"


class Move(StrEnum):
    """What happens next in a conversation."""

    ASK = "ask"
    YES = "yes"
    NO = "no"
    CODE = "code"
    WRONG_CODE = "wrong_code"
    OTHER = "other"
    APPROVE = "approve"
    DENY = "deny"


_OFTEN = (
    *(Move.ASK,) * 2, *(Move.YES,) * 5, Move.NO, *(Move.CODE,) * 5, Move.WRONG_CODE, *(Move.OTHER,) * 2,
    *(Move.APPROVE,) * 5, Move.DENY,
)  # fmt: skip


_LEADING = {
    Obligation.VERIFY_IDENTITY: Move.CODE,
    Obligation.CONFIRM: Move.YES,
    Obligation.APPROVE: Move.APPROVE,
}


def move(random: Random, awaited: Obligation | None = None) -> Move:
    """A move: mostly the one that gives what is `awaited`, so that the rare deep states are reached."""
    if awaited in _LEADING and random.randrange(10) < 7:
        return _LEADING[awaited]
    return random.choice(_OFTEN)


def words(random: Random, chosen: Move, wish: ToolCall, code: str | None) -> str:
    """What the customer writes in a move; `code` is the one that was sent last."""
    if chosen is Move.ASK:
        if random.randrange(3) and wish.tool != "issue_refund":
            return random.choice(MENTIONING).format(values=", ".join(str(one) for one in wish.arguments.values()))
        return ASKING[wish.tool].format_map(wish.arguments)
    if chosen is Move.CODE and code is not None:
        return code
    said = {Move.YES: YES, Move.NO: NO, Move.WRONG_CODE: (WRONG_CODE,), Move.CODE: (WRONG_CODE,)}
    return random.choice(said.get(chosen, OTHER))
