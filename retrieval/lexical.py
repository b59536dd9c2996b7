"""A word index over passages: BM25 in NumPy, built once per generation and read back from one file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
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

MISSPELT_FROM = 5
"""Letters from which a word that stands nowhere is taken for a known word with one letter wrong."""


class Fields(NamedTuple):
    """The texts of one passage that are searched."""

    title: str
    heading: str
    text: str


def terms(text: str) -> list[str]:
    """The words of `text` as the index knows them: folded, without stop words, reduced to a rough stem."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("'", "")).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _ONE_LETTER.sub(r"\1", plain)
    return [stem(word) for word in _WORD.findall(plain) if word not in STOP_WORDS]


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
    def build(cls, passages: Sequence[Fields]) -> Self:
        """Index `passages`; a row is the position in the sequence."""
        counts = [_weigh(passage) for passage in passages]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        mean = max(float(lengths.mean()), 1.0) if counts else 1.0
        postings: dict[str, list[tuple[int, float]]] = {}
        for row, count in enumerate(counts):
            norm = K1 * (1 - B + B * lengths[row] / mean)
            for term, frequency in count.items():
                postings.setdefault(term, []).append((row, frequency * (K1 + 1) / (frequency + norm)))
        vocabulary = sorted(postings)
        sizes = np.array([len(postings[term]) for term in vocabulary], dtype=np.int64)
        idf = np.log1p((len(counts) - sizes + 0.5) / (sizes + 0.5)).astype(np.float32)
        flat = [posting for term in vocabulary for posting in postings[term]]
        return cls(
            numbers={term: number for number, term in enumerate(vocabulary)},
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            rows=np.array([row for row, _ in flat], dtype=np.int32),
            impacts=np.array([impact for _, impact in flat], dtype=np.float32) * np.repeat(idf, sizes),
            idf=idf,
            passages=len(counts),
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

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 of every passage as a share of what a passage with all words of the query could reach; shape (n,).

        0 means that no word is shared; rare words count more, and words that stand nowhere lower every score.
        """
        asked = sorted(set(terms(query)))
        scores = np.zeros(self.passages, dtype=np.float32)
        reachable = 0.0
        for term in asked:
            number = self._number(term)
            if number is None:
                reachable += float(np.log1p(2.0 * self.passages + 1.0))
                continue
            part = slice(int(self.starts[number]), int(self.starts[number + 1]))
            scores[self.rows[part]] += self.impacts[part]
            reachable += float(self.idf[number])
        return np.minimum(scores / np.float32((K1 + 1) * reachable), np.float32(1.0)) if reachable else scores

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


def _weigh(passage: Fields) -> dict[str, float]:
    count: dict[str, float] = {}
    for text, weight in ((passage.title, TITLE_WEIGHT), (passage.heading, HEADING_WEIGHT), (passage.text, 1.0)):
        for term in terms(text):
            count[term] = count.get(term, 0.0) + weight
    return count
