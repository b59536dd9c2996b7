"""Does a passage of the turn say what a sentence claims? As a rule it may then be said, whoever says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handrail.guardrails.output.extract import extract_folded
from handrail.guardrails.output.fold import fold, squash
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.lexicon import Marks, Place, offsets, tokens
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import Said
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.values import Value
from handrail.guardrails.vocabulary import Passage

_TELLING = 3
"""Words that carry meaning of which a passage may lack some; a shorter clause it must say in whole, or its sentence."""

_HEDGES = frozenset({"hedge", "hedge_near"})
_CITED = re.compile(r'"[^"]{3,400}"')
_DICTATED = re.compile(
    r"(?:^|[,;:.] |(?<!\w)(?:you (?:can|could|may)|please|just|simply|or|and|to|then|bitte)\s)"
    r"(?:reply|answer|write|say|type|send|schreiben sie)(?!\w)[^.!?\"]{0,40}$"
)
"""What stands before words that the customer is asked to write."""

_SIGN = re.compile(r"[,;:] | - ")


@dataclass(frozen=True, slots=True)
class _Part:
    """The clause in which a claim stands, or its whole sentence."""

    stems: frozenset[str]
    values: tuple[Value, ...]
    marks: Marks
    is_short: bool = False

    @classmethod
    def all(cls, view: View, place: Place) -> Iterator[_Part]:
        """What is to be judged for a claim at `place`: its clause; of a short one also the sentence."""
        line = view.line
        clause = _clause(line, place)
        stems = content_stems(clause)
        is_short = len(stems) < _TELLING
        if clause == line.folded or is_short:
            yield cls(line.stems, _stated(line), line.marks)
        if clause != line.folded and len(stems) > 1:
            yield cls(stems, extract_folded(clause), view.wording.lexicon.mark(tokens(clause)), is_short)

    def share(self, view: View) -> float:
        """How much of its words a passage has to have: of two words both."""
        return 1.0 if self.is_short else view.wording.form.quoted_share


def is_quoted(view: View, place: Place) -> bool:
    """Whether a passage of the turn says the same as the clause of the claim, as process and not as a promise.

    Its words must be there for the most part, the last word of the claim among them, all its values, a `not` exactly
    when the passage has one, `usually` wherever the passage has it, and no `for you` where the passage has none. In the
    company's own voice (`we`) the passage has to be authoritative; `I` never counts, because no document says I.
    """
    line = view.line
    if "self" in line.marks:
        return False
    is_ours = "first_person" in line.marks
    if is_ours and is_verbatim(view):
        return True
    parts = tuple(_Part.all(view, place))
    claimed = claimed_stems(line, place)
    return any(
        claimed <= known
        and len(part.stems & known) >= part.share(view) * len(part.stems)
        and not (is_ours and passage.authority != "authoritative")
        and _agrees(view, part, text)
        for part in parts
        for passage, known, text in _windows(view)
    )


def claimed_stems(line: Line, place: Place) -> frozenset[str]:
    """The last word of a claim, which says what is claimed; where that word carries no meaning, all of them."""
    return content_stems(line.tokens[place[1] - 1]) or content_stems(" ".join(line.tokens[slice(*place)]))


def is_verbatim(view: View) -> bool:
    """Whether an authoritative passage has the sentence word for word."""
    squashed = view.line.squashed
    return len(squashed) > 20 and any(
        squashed in said.squashed for passage, said in view.sources.quotes() if passage.authority == "authoritative"
    )


def is_cited(view: View, place: Place) -> bool:
    """Whether the claim stands within quotation marks, in words that a passage has or the customer is asked for."""
    line = view.line
    first, last = place[0] - line.led, place[1] - 1 - line.led
    if '"' not in line.folded or first < 0:
        return False
    places = offsets(line.folded)
    start, end = places[first][0], places[last][1]
    return any(
        match.start() <= start
        and end <= match.end()
        and (
            _is_said(view, squash(match.group())) or _DICTATED.search(line.folded[: match.start()].lower()) is not None
        )
        for match in _CITED.finditer(line.folded)
    )


def _is_said(view: View, squashed: str) -> bool:
    return bool(squashed) and any(squashed in squash(passage.text) for passage, _ in view.sources.passages)


def _clause(line: Line, place: Place) -> str:
    """The words between the commas around a claim."""
    first, last = place[0] - line.led, place[1] - 1 - line.led
    if first < 0:
        return line.folded
    places = offsets(line.folded)
    begin = max((match.end() for match in _SIGN.finditer(line.folded, 0, places[first][0])), default=0)
    end = _SIGN.search(line.folded, places[last][1])
    return line.folded[begin : end.start() if end is not None else len(line.folded)]


def _windows(view: View) -> Iterator[tuple[Passage, frozenset[str], str]]:
    """Every sentence of every passage, alone and with its successor."""
    for passage, indexed in view.sources.passages:
        before: Said | None = None
        for said in indexed.said:
            yield passage, said.stems, said.text
            if before is not None:
                yield passage, before.stems | said.stems, f"{before.text} {said.text}"
            before = said


def _agrees(view: View, part: _Part, text: str) -> bool:
    """Whether `text` has the values, the polarity and the caution of `part`."""
    marks = view.wording.lexicon.mark(tokens(fold(text)))
    if ("negation" in part.marks) != ("negation" in marks):
        return False
    if any(name in marks for name in _HEDGES) and not any(name in part.marks for name in _HEDGES):
        return False
    if "contrast" in view.line.marks and "contrast" not in marks:
        return False
    if not part.values:
        return True
    index = ValueIndex.of(text)
    return all(index.holds(value) for value in part.values)


def _stated(line: Line) -> tuple[Value, ...]:
    """The values of a line but for the number of a list item."""
    return tuple(value for value in line.values if value.start > 1 or not line.markers())
