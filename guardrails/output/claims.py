"""Does a sentence make the claim a pattern describes, or has it an excuse?"""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.lexicon import Order, Place, any_between, in_order, tokens
from handrail.guardrails.output.policy import Excuse, Pattern
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import Said, content_stems
from handrail.guardrails.vocabulary import Passage

_BEFORE = 4
"""How many words before a claim a negation still reaches it ("I am not able to promise")."""

_AFTER = 3
_BY_CLASS = {
    Excuse.CONDITION: "condition",
    Excuse.CONSENT: "consent",
    Excuse.HEDGE: "hedge",
    Excuse.OFFER: "offered",
}
"""Excuses that a word anywhere in the sentence makes."""

_CLAUSE_SIGNS = frozenset({",", ";", ":", "."})


def claims(view: View, pattern: Pattern, order: tuple[str, ...] | None = None) -> Iterator[Place]:
    """Places of the last line where `pattern` holds without an excuse. `order` replaces the pattern's own."""
    line = view.line
    for place in in_order(line.marks, Order(order or pattern.order, pattern.gap, pattern.not_between)):
        if pattern.harmless and any_between(line.marks, pattern.harmless, place[1] - 1, place[1] + _AFTER):
            continue
        if not any(_excused(view, excuse, place) for excuse in pattern.excuses):
            yield place


def _excused(view: View, excuse: Excuse, place: Place) -> bool:
    line = view.line
    if excuse is Excuse.QUESTION:
        return line.is_question
    if excuse is Excuse.NEGATION:
        return any_between(line.marks, ("negation",), max(0, place[0] - _BEFORE), place[1])
    if excuse is Excuse.LEADING_CONDITION:
        return any_between(line.marks, ("condition",), _clause_start(line, place[0]), place[0])
    if excuse is Excuse.RELATIVE:
        return any_between(line.marks, ("relative",), max(0, place[0] - 1), place[0])
    if excuse in _BY_CLASS:
        return _BY_CLASS[excuse] in line.marks
    if excuse is Excuse.ATTRIBUTION:
        return is_attributed(view, place)
    if excuse is Excuse.STATE:
        return is_known_state(view, place)
    return is_quoted(view, place)


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
    when the passage has one, and `usually` wherever the passage has it. In the company's own voice (`we`) only the
    passage's very words count, and only when it is authoritative; `I` never counts, because no document says I.
    """
    line = view.line
    if "self" in line.marks:
        return False
    if "first_person" in line.marks:
        return is_verbatim(view)
    stems = line.stems
    claimed = content_stems(line.tokens[place[1] - 1])
    return any(
        claimed <= known and len(stems & known) >= view.wording.form.quoted_share * len(stems) and _agrees(view, text)
        for _, known, text in _windows(view)
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
