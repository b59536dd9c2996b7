"""How signals about the course of a dialogue settle among themselves: "yes, but it still fails" is no yes."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.guardrails.detect.reading import Reading
from handrail.guardrails.vocabulary import Signal

ANSWER_YES = "ANSWER_YES"
ANSWER_NO = "ANSWER_NO"
RESOLVED = "RESOLVED"
STILL_UNRESOLVED = "STILL_UNRESOLVED"
CHITCHAT = "CHITCHAT"

ANSWER_WORDS = 12  # a longer message is a statement of its own
CHITCHAT_WORDS = 10
RESERVATIONS = frozenset(["but", "except", "however", "wait", "unless", "if", "though", "although", "instead", "only"])
SOFT = frozenset({ANSWER_YES, ANSWER_NO, RESOLVED, CHITCHAT})


def settle(signals: Sequence[Signal], reading: Reading) -> tuple[Signal, ...]:
    """Drop what another signal, or the form of the message, contradicts.

    A yes may confirm a write, so it is the first to go: at a question, a reservation, a no, or anything unresolved.
    """
    codes = {signal.code for signal in signals}
    scores = {signal.code: signal.score for signal in signals}
    if scores.get(STILL_UNRESOLVED, 0.0) < scores.get(RESOLVED, 0.0):
        codes.discard(STILL_UNRESOLVED)
    words = set(reading.words)
    dropped = {signal.code for signal in signals} - codes
    if len(reading.tokens) > ANSWER_WORDS:
        dropped |= {ANSWER_YES, ANSWER_NO}
    if codes & {ANSWER_NO, STILL_UNRESOLVED} or words & RESERVATIONS or "?" in reading.text:
        dropped.add(ANSWER_YES)
    if codes & {ANSWER_NO, STILL_UNRESOLVED}:
        dropped.add(RESOLVED)
    if len(reading.tokens) > CHITCHAT_WORDS or codes - SOFT:
        dropped.add(CHITCHAT)
    return tuple(signal for signal in signals if signal.code not in dropped)
