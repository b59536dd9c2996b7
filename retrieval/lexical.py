"""A word index over passages: BM25 in NumPy, built once per generation and read back from one file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.6

TITLE_WEIGHT = 2.0
HEADING_WEIGHT = 1.5
"""How often a word of title or heading counts compared with one of the text (BM25F with one length)."""

_STOP_WORDS = """
a an and any are as at be been but by can cannot could did do does doing done dont for from get got had has have
having how i id if im in into is isnt it its ive just me mine my of on or our out please should so some that the
their them then there these they this those to up us was we were what when where which who why will with would you
your yours am about also anyone not no now hi hello thanks thank hey want need know tell s t re m ve ll d
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_WORD = re.compile(r"[^\W_]+")
_ONE_LETTER = re.compile(r"\b([a-z])-(?=[a-z])")  # e-mail is email

_MEMO_LIMIT = 50_000
_MEMO_LETTERS = 24

FREQUENT = 8_192
"""A word that stands in more passages proposes none of them, as long as another word does: cost has a bound so."""

MISSPELT_FROM = 5
"""Letters from which a word that stands nowhere is taken for a known word with one letter wrong."""


class Fields(NamedTuple):
    """The texts of one passage that are searched."""

    title: str
    heading: str
    text: str


def terms(text: str) -> list[str]:
    """The words of `text` as the index knows them: folded, without stop words, reduced to a rough stem."""
    plain = text.replace("’", "'").replace("'", "")
    if not plain.isascii():
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    plain = _ONE_LETTER.sub(r"\1", plain.casefold())
    return [term for word in _WORD.findall(plain) if (term := _TERMS[word])]


class _Terms(dict[str, str]):
    """The term of every word that has come, empty for stop words; bounded, because anybody may type anything."""

    def __missing__(self, word: str) -> str:
        term = "" if word in STOP_WORDS else stem(word)
        if len(self) < _MEMO_LIMIT and len(word) <= _MEMO_LETTERS and word.isalpha():
            self[word] = term
        return term


def stem(word: str) -> str:
    """Strip English endings so that `invoices`, `invoiced` and `invoicing` meet; crude, and the same for both sides."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    for ending, minimum in (("ations", 4), ("ation", 4), ("ings", 3), ("ing", 3), ("ies", 3), ("ed", 3), ("es", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= minimum:
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


_TERMS = _Terms()


class TermWeights(dict[str, float]):
    """How often each term stands in a text, a word of title or heading counting more than one of the text."""

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """Count the terms of a passage."""
        made = cls()
        made.add(fields.title, TITLE_WEIGHT)
        made.add(fields.heading, HEADING_WEIGHT)
        made.add(fields.text, 1.0)
        return made

    @classmethod
    def of_document(cls, title: str, passages: Iterable[Fields]) -> Self:
        """Count the terms of a document, which has the title once, whatever its passages say."""
        made = cls()
        made.add(title, TITLE_WEIGHT)
        for passage in passages:
            made.add(passage.heading, HEADING_WEIGHT)
            made.add(passage.text, 1.0)
        return made

    def add(self, text: str, weight: float) -> None:
        """Count the terms of `text` so much each."""
        for term in terms(text):
            self[term] = self.get(term, 0.0) + weight


class Posting(NamedTuple):
    """Where a word stands: rows, ascending, and what it adds to the score of each."""

    rows: NDArray[np.int32]
    impacts: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AskedWords:
    """The known words of a query.

    A score is BM25 as a share of what a passage with all words of the query could reach (`reachable`): 0 means that no
    word is shared; rare words count more, and words that stand nowhere lower every score.
    """

    postings: tuple[Posting, ...]
    reachable: np.float32
    passages: int

    def proposed(self) -> NDArray[np.float32]:
        """The score of every passage by the words that are not too frequent to tell; shape (passages,)."""
        telling = [one for one in self.postings if len(one.rows) <= FREQUENT]
        scores = np.zeros(self.passages, dtype=np.float32)
        for posting in telling or sorted(self.postings, key=lambda one: len(one.rows))[:1]:
            scores[posting.rows] += posting.impacts
        return np.minimum(scores / self.reachable, np.float32(1.0)) if self.postings else scores

    def scores(self, rows: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.float32]:
        """The scores of these passages by all words; shape (rows,)."""
        scores = np.zeros(len(rows), dtype=np.float32)
        for posting in self.postings:
            places = np.minimum(np.searchsorted(posting.rows, rows), len(posting.rows) - 1)
            scores += np.where(posting.rows[places] == rows, posting.impacts[places], np.float32(0.0))
        return np.minimum(scores / self.reachable, np.float32(1.0)) if self.postings else scores


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """Postings by term. Term i stands in `rows[starts[i]:starts[i+1]]` with these `impacts` (its BM25 summands).

    `idf` has one entry per term; `unknown_idf` is that of a word that stands in no passage.
    """

    numbers: Mapping[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    impacts: NDArray[np.float32]
    idf: NDArray[np.float32]
    passages: int

    @classmethod
    def build(cls, passages: Sequence[TermWeights]) -> Self:
        """Index `passages`; a row is the position in the sequence."""
        vocabulary = sorted({term for counted in passages for term in counted})
        numbers = {term: number for number, term in enumerate(vocabulary)}
        words = np.array([numbers[term] for counted in passages for term in counted], dtype=np.int32)
        frequencies = np.array([one for counted in passages for one in counted.values()], dtype=np.float64)
        rows = np.repeat(np.arange(len(passages), dtype=np.int32), [len(counted) for counted in passages])
        lengths = np.bincount(rows, frequencies, minlength=len(passages))
        mean = max(float(lengths.mean()), 1.0) if len(passages) else 1.0
        sizes = np.bincount(words, minlength=len(vocabulary))
        idf = np.log1p((len(passages) - sizes + 0.5) / (sizes + 0.5)).astype(np.float32)
        impacts = frequencies * (K1 + 1) / (frequencies + (K1 * (1 - B + B * lengths / mean))[rows])
        by_word = np.argsort(words, kind="stable")
        return cls(
            numbers=numbers,
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            rows=rows[by_word],
            impacts=impacts[by_word].astype(np.float32) * np.repeat(idf, sizes),
            idf=idf,
            passages=len(passages),
        )

    def save(self, path: Path) -> None:
        """Write everything into one file."""
        vocabulary = np.frombuffer("\n".join(self.numbers).encode(), dtype=np.uint8)
        with path.open("wb") as stream:
            np.savez(
                stream,
                vocabulary=vocabulary,
                starts=self.starts,
                rows=self.rows,
                impacts=self.impacts,
                idf=self.idf,
                passages=np.array([self.passages]),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError: the file is missing or damaged.
        """
        with np.load(path, allow_pickle=False) as arrays:
            words = arrays["vocabulary"].tobytes().decode()
            return cls(
                numbers={term: number for number, term in enumerate(words.split("\n") if words else [])},
                starts=arrays["starts"],
                rows=arrays["rows"],
                impacts=arrays["impacts"],
                idf=arrays["idf"],
                passages=int(arrays["passages"][0]),
            )

    def restricted_to(self, rows: Sequence[int]) -> Self:
        """The index of these passages only, renumbered in this order; weights of words stay as they were."""
        if list(rows) == list(range(self.passages)):
            return self
        renumbered = np.full(self.passages, -1, dtype=np.int32)
        renumbered[list(rows)] = np.arange(len(rows), dtype=np.int32)
        kept = renumbered[self.rows] >= 0
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
        return replace(
            self,
            starts=before[self.starts],
            rows=renumbered[self.rows][kept],
            impacts=self.impacts[kept],
            passages=len(rows),
        )

    def ask(self, query: str) -> AskedWords:
        """What of `query` is known here."""
        known: list[Posting] = []
        reachable = 0.0
        for term in sorted(set(terms(query))):
            number = self._number(term)
            if number is None:
                reachable += float(np.log1p(2.0 * self.passages + 1.0))
                continue
            part = slice(int(self.starts[number]), int(self.starts[number + 1]))
            if part.start < part.stop:
                known.append(Posting(self.rows[part], self.impacts[part]))
            reachable += float(self.idf[number])
        return AskedWords(tuple(known), np.float32((K1 + 1) * reachable), self.passages)

    def _number(self, term: str) -> int | None:
        """The number of a term, or of the most frequent term that differs in one letter."""
        number = self.numbers.get(term)
        if number is not None or len(term) < MISSPELT_FROM or not term.isalpha():
            return number
        near = (self.numbers[other] for other in _one_letter_off(term) if other in self.numbers)
        return min(near, key=lambda found: (float(self.idf[found]), found), default=None)


def _one_letter_off(word: str) -> Iterator[str]:
    """Words with one letter left out, put in, changed, or two neighbours swapped."""
    for place in range(len(word) + 1):
        head, tail = word[:place], word[place:]
        yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in ascii_lowercase:
            yield head + letter + tail
            yield head + letter + tail[1:]
