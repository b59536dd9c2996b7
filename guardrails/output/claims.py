"""Does a sentence make the claim a pattern describes, or has it an excuse?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from handrail.guardrails.output.fold import fold, squash
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.lexicon import Order, Place, any_between, in_order, offsets, tokens
from handrail.guardrails.output.policy import Excuse, Pattern
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import Said, content_stems
from handrail.guardrails.output.values import Kind
from handrail.guardrails.vocabulary import Passage

_BEFORE = 4
"""How many words before a claim a negation still reaches it ("I am not able to promise")."""

_AFTER = 3
_BY_CLASS = {
    Excuse.CONDITION: "condition",
    Excuse.CONSENT: "consent",
    Excuse.HEDGE: "hedge",
    Excuse.OFFER: "offered",
    Excuse.ABSTAIN: "abstain",
}
"""Excuses that a word anywhere in the sentence makes."""

_CITED = re.compile(r'"[^"]{3,400}"')
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
        return line.is_question
    if excuse is Excuse.NEGATION:
        return any_between(line.marks, ("negation",), max(0, place[0] - _BEFORE), place[1])
    if excuse is Excuse.DENIAL:
        return any_between(line.marks, ("negation",), max(0, place[0] - _BEFORE), place[0])
    if excuse is Excuse.LEADING_CONDITION:
        return any_between(line.marks, ("condition",), _clause_start(line, place[0]), place[0])
    if excuse is Excuse.RELATIVE:
        return any_between(line.marks, ("relative",), max(0, place[0] - 1), place[0])
    if excuse in _BY_CLASS:
        return _BY_CLASS[excuse] in line.marks
    return _BY_SOURCE[excuse](view, place)


def _clause_start(line: Line, at: int) -> int:
    while at > 0 and line.tokens[at - 1] not in _CLAUSE_SIGNS:
        at -= 1
    return at


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
    return content_stems(last) <= content_stems(view.sources.customer_text)


def is_known_state(view: View, place: Place) -> bool:
    """Whether a tool reported this state ("status: cancelled"), so that the sentence reports and does not claim."""
    word = view.line.tokens[place[1] - 1]
    return bool(view.sources.tool_text) and content_stems(word) <= content_stems(view.sources.tool_text)


def is_quoted(view: View, place: Place) -> bool:
    """Whether a passage of the turn says the same, as process and not as a promise.

    Its words must be there for the most part, the last word of the claim among them, all its values, a `not` exactly
    when the passage has one, `usually` wherever the passage has it, and no `for you` where the passage has none. In the
    company's own voice (`we`) the passage has to be authoritative; `I` never counts, because no document says I.
    """
    line = view.line
    if "self" in line.marks:
        return False
    if "first_person" in line.marks and is_verbatim(view):
        return True
    is_ours = "first_person" in line.marks
    stems = line.stems
    claimed = content_stems(line.tokens[place[1] - 1])
    return any(
        claimed <= known
        and len(stems & known) >= view.wording.form.quoted_share * len(stems)
        and not (is_ours and passage.authority != "authoritative")
        and _agrees(view, text)
        for passage, known, text in _windows(view)
    )


def _windows(view: View) -> Iterator[tuple[Passage, frozenset[str], str]]:
    """Every sentence of every passage, alone and with its successor."""
    for passage, indexed in view.sources.passages:
        before: Said | None = None
        for said in indexed.said:
            yield passage, said.stems, said.text
            if before is not None:
                yield passage, before.stems | said.stems, f"{before.text} {said.text}"
            before = said


def _agrees(view: View, text: str) -> bool:
    """Whether `text` has the sentence's values, its polarity and its caution."""
    line = view.line
    marks = view.wording.lexicon.mark(tokens(fold(text)))
    if ("negation" in line.marks) != ("negation" in marks):
        return False
    if "hedge" in marks and "hedge" not in line.marks:
        return False
    if "contrast" in line.marks and "contrast" not in marks:
        return False
    if not line.values:
        return True
    index = ValueIndex.of(text)
    return all(index.holds(value) for value in line.values if not _is_marker(line, value.start))


def _is_marker(line: Line, start: int) -> bool:
    return start <= 1 and bool(line.markers())


def is_verbatim(view: View) -> bool:
    """Whether an authoritative passage has the sentence word for word."""
    squashed = view.line.squashed
    return len(squashed) > 20 and any(
        squashed in said.squashed for passage, said in view.sources.quotes() if passage.authority == "authoritative"
    )


def is_cited(view: View, place: Place) -> bool:
    """Whether the claim stands within quotation marks, in words that a passage has."""
    line = view.line
    if '"' not in line.folded:
        return False
    places = offsets(line.folded)
    first, last = place[0] - line.led, place[1] - 1 - line.led
    if first < 0:
        return False
    start, end = places[first][0], places[last][1]
    return any(
        match.start() <= start and end <= match.end() and _is_said(view, squash(match.group()))
        for match in _CITED.finditer(line.folded)
    )


def _is_said(view: View, squashed: str) -> bool:
    return bool(squashed) and any(squashed in squash(passage.text) for passage, _ in view.sources.passages)


def is_recorded(view: View, _place: Place) -> bool:
    """Whether a tool reported every figure, day and time of a sentence that speaks of nobody's own doing."""
    line = view.line
    stated = [value for value in line.values if value.kind in _STATED]
    return bool(stated) and "self" not in line.marks and all(view.sources.tools.holds(value) for value in stated)


_BY_SOURCE: Mapping[Excuse, Callable[[View, Place], bool]] = {
    Excuse.ATTRIBUTION: is_attributed,
    Excuse.STATE: is_known_state,
    Excuse.RECORD: is_recorded,
    Excuse.PASSAGE: is_quoted,
}
