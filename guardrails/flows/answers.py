"""What a message says to a yes-or-no question, by the signals of the detectors and the quick replies offered."""

from __future__ import annotations

from enum import StrEnum

from handrail.guardrails.flows.model import Texts, said_in
from handrail.guardrails.flows.place import FlowAnswer


class Reading(StrEnum):
    """The closed set of answers. `solved` and `not_solved` speak about the whole matter."""

    YES = "yes"
    NO = "no"
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    UNCLEAR = "unclear"


ANSWER_YES = "ANSWER_YES"
ANSWER_NO = "ANSWER_NO"
RESOLVED = "RESOLVED"
STILL_UNRESOLVED = "STILL_UNRESOLVED"

# Who speaks about the outcome answers more than was asked; so these two come first. A contradiction is no answer.
_BY_WEIGHT = (
    (STILL_UNRESOLVED, RESOLVED, Reading.NOT_SOLVED),
    (RESOLVED, ANSWER_NO, Reading.SOLVED),
    (ANSWER_YES, ANSWER_NO, Reading.YES),
    (ANSWER_NO, ANSWER_YES, Reading.NO),
)


def read(answer: FlowAnswer, replies: tuple[Texts, ...] = ()) -> Reading:
    """The reading of the current message. `replies` are the labels offered for yes and no, in this order."""
    text = _folded(answer.current.text)
    for label, meaning in zip(replies, (Reading.YES, Reading.NO), strict=False):
        if text == _folded(said_in(label, answer.language)):
            return meaning
    for code, opposite, meaning in _BY_WEIGHT:
        if code in answer.signals:
            return Reading.UNCLEAR if opposite in answer.signals else meaning
    return Reading.UNCLEAR


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").strip(" .!").split())
