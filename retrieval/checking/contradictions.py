"""Pairs of statements in two documents that say the same with different values.

Two statements contradict each other when their passages are near by embedding, their documents are about the same
thing, their sentences share most words that carry meaning, and for one thing measured (days, euros, links) each states
as many values as the other, but not the same ones. Who may see a document is asked of the caller.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handrail.guardrails.output.stems import content_stems
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.statements import Statement, statements
from handrail.retrieval.documents import DocumentCard

NEAR = 0.4
"""Cosine of two passages from which their statements are compared."""

NEIGHBOURS = 24
"""So many nearest passages of other documents are looked at, for each passage."""

ALIKE = 0.5
"""Share of words (Dice, rare words weigh more) from which two sentences say the same."""

FEW = 3
"""Fewer words in common than these say too little by themselves."""

CLOSE = 0.5
"""Cosine of two passages from which they are about the same thing, whatever their headings say."""

SAME_SUBJECT = 0.4
"""Share of what title and headings of one statement name that the other document knows; the better of both sides."""

BLOCK = 512

Shared = Callable[[DocumentCard, DocumentCard], bool]
"""Whether there is a customer for whom both documents are eligible on some day."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements about one matter; `measured` says in which unit they differ, `alike` how sure it is (to 1)."""

    first: Statement
    second: Statement
    measured: str
    alike: float


@dataclass(frozen=True, slots=True)
class _Match:
    first: Statement
    second: Statement
    measured: str
    alike: float
    differs: bool


def contradictions(contents: Contents, shared: Shared) -> tuple[Contradiction, ...]:
    """The contradictions between documents of one language that share a customer, the surest first."""
    by_row: dict[int, list[Statement]] = {}
    for statement in statements(contents.passages, contents.card_of):
        by_row.setdefault(statement.row, []).append(statement)
    weigher, matches = _Weigher(contents), list[_Match]()
    for left, right in _near(contents, sorted(by_row)):
        matches += (pair for a in by_row[left] for b in by_row[right] if (pair := weigher.compare(a, b)) is not None)
    known: dict[tuple[str, str], bool] = {}
    found = []
    for match in _partners(matches, contents):
        one, other = (contents.card_of[contents.passages[said.row].doc_id] for said in (match.first, match.second))
        if match.differs and known.setdefault((one.doc_id, other.doc_id), shared(one, other)):
            found.append(Contradiction(match.first, match.second, match.measured, match.alike))
    return tuple(sorted(found, key=lambda pair: (-pair.alike, pair.first.row, pair.second.row)))


def _partners(matches: Sequence[_Match], contents: Contents) -> Iterator[_Match]:
    """The matches that both statements have none better than in the other's document, a contrary one least of all."""
    best: dict[tuple[Statement, str], tuple[float, bool]] = {}
    for match in matches:
        for one, other in ((match.first, match.second), (match.second, match.first)):
            key, rank = (one, contents.passages[other.row].doc_id), (match.alike, not match.differs)
            best[key] = max(best.get(key, rank), rank)
    for match in matches:
        sides = ((match.first, match.second), (match.second, match.first))
        rank = (match.alike, not match.differs)
        if all(best[one, contents.passages[other.row].doc_id] == rank for one, other in sides):
            yield match


def _near(contents: Contents, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of passages of two documents that are near each other, each once; of `rows` only."""
    if not rows:
        return
    chosen = np.array(rows, dtype=np.int64)
    numbers = {card.doc_id: number for number, card in enumerate(contents.cards)}
    documents = np.array([numbers[contents.passages[row].doc_id] for row in rows], dtype=np.int32)
    vectors = contents.vectors[chosen]
    seen: set[tuple[int, int]] = set()
    for start in range(0, len(chosen), BLOCK):
        cosine = vectors[start : start + BLOCK] @ vectors.T
        cosine[documents[start : start + BLOCK, None] == documents[None, :]] = -1.0
        count = min(NEIGHBOURS, cosine.shape[1])
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        for place, columns in enumerate(nearest):
            for column in columns[cosine[place, columns] >= NEAR].tolist():
                pair = (min(start + place, column), max(start + place, column))
                if pair not in seen:
                    seen.add(pair)
                    yield rows[pair[0]], rows[pair[1]]


class _Weigher:
    """Compares statements of one base, in which rare words weigh more than common ones."""

    def __init__(self, contents: Contents) -> None:
        self._passages = contents.passages
        self._vectors = contents.vectors
        self._subject = [
            content_stems(f"{contents.card_of[one.doc_id].title} {one.heading}") for one in contents.passages
        ]
        self._passage_words = [
            content_stems(one.text) | subject for one, subject in zip(contents.passages, self._subject, strict=True)
        ]
        self._known: dict[str, set[str]] = {}
        for passage, words in zip(contents.passages, self._passage_words, strict=True):
            self._known.setdefault(passage.doc_id, set()).update(words)
        self._weights = _weights(self._known)

    def compare(self, one: Statement, other: Statement) -> _Match | None:
        """How two statements about one matter match; None when they are about different things."""
        measured = sorted(unit for unit in one.values if len(one.values[unit]) == len(other.values.get(unit, ())))
        if not measured:
            return None
        alike = self._alike(one, other)
        if alike < ALIKE or not self._same_subject(one, other):
            return None
        if self._names_another(one, other) or self._names_another(other, one):
            return None
        differing = [unit for unit in measured if _differ(one.values[unit], other.values[unit])]
        return _Match(one, other, (differing or measured)[0], alike, differs=bool(differing))

    def _alike(self, one: Statement, other: Statement) -> float:
        """The share of words in common; of a few words, as in a row of a table, with what stands above them."""
        left, right = one.words, other.words
        if len(left & right) < FEW:
            left, right = left | self._subject[one.row], right | self._subject[other.row]
        return 2 * self._weight(left & right) / max(self._weight(left) + self._weight(right), 1e-9)

    def _same_subject(self, one: Statement, other: Statement) -> bool:
        if float(self._vectors[one.row] @ self._vectors[other.row]) >= CLOSE:
            return True
        return max(self._about(one, other), self._about(other, one)) >= SAME_SUBJECT

    def _about(self, one: Statement, other: Statement) -> float:
        """How much of what `one` stands under is known to the document of `other`."""
        subject = self._subject[one.row]
        known = self._known[self._passages[other.row].doc_id]
        return self._weight(subject & known) / max(self._weight(subject), 1e-9)

    def _names_another(self, one: Statement, other: Statement) -> bool:
        """Whether `one` speaks of something that its title or heading names and the other passage does not know."""
        return not (one.words & self._subject[one.row]) <= self._passage_words[other.row]

    def _weight(self, words: frozenset[str]) -> float:
        return sum(self._weights.get(word, 0.0) for word in words)


def _differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether neither says what the other says; what is a part of the other is only said more fully there."""
    return not set(one) <= set(other) and not set(other) <= set(one)


def _weights(documents: Mapping[str, set[str]]) -> dict[str, float]:
    """log(1 + documents / documents with the word)."""
    counts = Counter(word for words in documents.values() for word in words)
    return {word: math.log1p(len(documents) / count) for word, count in counts.items()}
