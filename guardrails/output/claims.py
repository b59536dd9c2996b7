"""Does a sentence make the claim a pattern describes, or has it an excuse?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from handrail.guardrails.output.lexicon import Order, Place, any_between, in_order, offsets
from handrail.guardrails.output.policy import Excuse, Pattern
from handrail.guardrails.output.quotation import claimed_stems, is_cited, is_quoted
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.values import Kind, Value

_BEFORE = 4
"""How many words before a claim a negation still reaches it ("I am not able to promise")."""

_AFTER = 3
_BY = 4
"""How many words behind a claim it is said who did it."""

_ASKS = re.compile(
    r"^(?:\W*(?:so|and|but|or|also|thanks?[^,]*|ok(?:ay)?|sorry[^,]*|great|alternatively|otherwise|if [^,]*|when [^,]*|"
    r"before [^,]*|since [^,]*|once [^,]*|in that case|just to (?:be sure|check|confirm)[^?]*|"
    r"hi[^,]*|hello[^,]*)[ ,:-]+)*"
    r"(?:is|are|was|were|do|does|did|can|could|would|will|shall|should|may|might|have|has|had|what|which|when|where|"
    r"who|why|how|isn't|don't|didn't|haven't|hasn't|möcht\w*|soll\w*|kann|könn\w*|hab\w*|ist|sind|was|wann|wie|wo|wer|"
    r"welche\w*|wird|werden|darf|dürf\w*|just to)(?!\w)",
    re.IGNORECASE,
)
"""How a sentence begins that asks from its first word on."""

_WONDERS = re.compile(r"(?:do|did|can|could) you (?:know|tell|say|see|remember)|wissen sie|weißt du")
"""Words with which what was said before is itself in question."""

_TURNS = re.compile(r"[,;:(]| - ")
_BY_CLASS = {
    Excuse.CONDITION: "condition",
    Excuse.CONSENT: "consent",
    Excuse.OFFER: "offered",
    Excuse.ABSTAIN: "abstain",
}
"""Excuses that a word anywhere in the sentence makes."""

_DAYS = {"word:today": 0, "word:tonight": 0, "word:tomorrow": 1}
_STATED = frozenset({Kind.DATE, Kind.TIME, Kind.DURATION, Kind.MONEY})
_CLAUSE_SIGNS = frozenset({",", ";", ":", "."})


def claims(view: View, pattern: Pattern, order: tuple[str, ...] | None = None) -> Iterator[Place]:
    """Places of the last line where `pattern` holds without an excuse. `order` replaces the pattern's own."""
    line = view.line
    for place in in_order(line.marks, Order(order or pattern.order, pattern.gap, pattern.not_between)):
        if pattern.harmless and any_between(line.marks, pattern.harmless, place[1] - 1, place[1] + _AFTER):
            continue
        if is_cited(view, place):
            continue
        if not any(_excused(view, excuse, place) for excuse in pattern.excuses):
            yield place


def _excused(view: View, excuse: Excuse, place: Place) -> bool:
    line = view.line
    if excuse is Excuse.QUESTION:
        return line.is_question and not _is_before_a_question(line, place)
    if excuse is Excuse.NEGATION:
        return any_between(line.marks, ("negation",), max(_clause_start(line, place[0]), place[0] - _BEFORE), place[1])
    if excuse is Excuse.DENIAL:
        return any_between(line.marks, ("negation",), max(_clause_start(line, place[0]), place[0] - _BEFORE), place[0])
    if excuse is Excuse.LEADING_CONDITION:
        return any_between(line.marks, ("condition",), _clause_start(line, place[0]), place[0])
    if excuse is Excuse.BY_OTHERS:
        return any_between(line.marks, ("by_others",), place[1] - 1, place[1] + _BY)
    if excuse in _BY_CLASS:
        return _BY_CLASS[excuse] in line.marks
    return _BY_PLACE[excuse](view, place)


def _is_before_a_question(line: Line, place: Place) -> bool:
    """Whether the sentence claims something first and asks then ("it is refunded, is there anything else?")."""
    last = place[1] - 1 - line.led
    if last < 0 or _ASKS.match(line.folded):
        return False
    after = offsets(line.folded)[last][1]
    return _TURNS.search(line.folded, after) is not None and _WONDERS.search(line.plain, after) is None


def _clause_start(line: Line, at: int) -> int:
    while at > 0 and line.tokens[at - 1] not in _CLAUSE_SIGNS:
        at -= 1
    return at


def _clause(line: Line, place: Place) -> Place:
    end = place[1]
    while end < len(line.tokens) and line.tokens[end] not in _CLAUSE_SIGNS:
        end += 1
    return _clause_start(line, place[0]), end


def _follows(line: Line, name: str, place: Place) -> bool:
    return any_between(line.marks, (name,), max(0, place[0] - 1), place[0])


def is_hedged(view: View, place: Place) -> bool:
    """Whether `usually` stands in the sentence, or `can` in the clause of the claim."""
    line = view.line
    return "hedge" in line.marks or any_between(line.marks, ("hedge_near",), *_clause(line, place))


def is_hypothetical(view: View, _: Place) -> bool:
    """Whether the sentence leaves open whether something is so; `even if` does not."""
    marks = view.line.marks
    even = marks["contrast"]
    return any(not any(first <= start and end <= last for first, last in even) for start, end in marks["hypothesis"])


def is_attributed(view: View, place: Place) -> bool:
    """Whether the sentence hands back what the customer reported.

    "You wrote that ..." says so itself; "I understand ..." counts for words that the customer used.
    """
    line = view.line
    if any_between(line.marks, ("reported",), 0, place[0] + 1):
        return True
    if not any_between(line.marks, ("attribution",), 0, place[0] + 1):
        return False
    last = line.tokens[place[1] - 1]
    return content_stems(last) <= view.sources.customer_stems


def is_known_state(view: View, place: Place) -> bool:
    """Whether a tool reported this state ("status: cancelled"), so that the sentence reports and does not claim."""
    told = claimed_stems(view.line, place)
    return bool(told and view.sources.tool_text) and told <= view.sources.stems_reported


def is_found(view: View, place: Place) -> bool:
    """Whether a tool reported all values of the sentence, which has one; never of what `I` do."""
    values = view.line.values
    return bool(values) and not _is_mine(view.line, place) and _are_known(view, values)


def is_recorded(view: View, place: Place) -> bool:
    """Whether a tool reported figures or times of the sentence, and some source the others; never of what `I` do."""
    stated = tuple(value for value in view.line.values if value.kind in _STATED)
    reported = not _is_mine(view.line, place) and any(_is_reported(view, value) for value in stated)
    return reported and _are_known(view, stated)


def _is_mine(line: Line, place: Place) -> bool:
    """Whether the clause of the claim says what `I` do."""
    return any_between(line.marks, ("self",), _clause_start(line, place[0]), place[1])


def _are_known(view: View, values: tuple[Value, ...]) -> bool:
    return all(_is_reported(view, value) or view.sources.hold(value) for value in values)


def _is_reported(view: View, value: Value) -> bool:
    """Whether a tool reported `value`; `tomorrow` is the day after that of the turn."""
    tools, days = view.sources.tools, [_DAYS.get(key, -1) for key in value.keys]
    if tools.holds(value):
        return True
    now = view.sources.evidence.now
    return any((now + timedelta(days=ahead)).isoformat() in tools.dates for ahead in days if ahead >= 0)


_BY_PLACE: Mapping[Excuse, Callable[[View, Place], bool]] = {
    Excuse.HEDGE: is_hedged,
    Excuse.HYPOTHESIS: is_hypothetical,
    Excuse.MODAL: lambda view, place: _follows(view.line, "modal", place),
    Excuse.DUTY: lambda view, place: _follows(view.line, "duty", place),
    Excuse.RELATIVE: lambda view, place: _follows(view.line, "relative", place),
    Excuse.ATTRIBUTION: is_attributed,
    Excuse.STATE: is_known_state,
    Excuse.RECORD: is_recorded,
    Excuse.FOUND: is_found,
    Excuse.PASSAGE: is_quoted,
}
