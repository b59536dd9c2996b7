"""What a word was meant to be: short forms, and slips of the fingers.

A word that nobody knows and that is one slip away from a word of the bundle is that word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.phrases import exact_words
from handrail.guardrails.detect.reading import Reading, read

MIN_LETTERS = 5  # shorter words have too many neighbours
ENDINGS = ("ing", "ed", "es", "s", "er", "d", "r", "ly", "nt", "re", "ve", "ll")  # the last four of "weren't" and so on

Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Speller:
    """Knows the words of one bundle.

    Attributes:
        counts: How often each word stands in the bundle, once more if the foundation knows it; the most frequent of
            several neighbours is taken.
        by_stub: The words that give a stub when one letter is left out, or none: two words one slip apart share a stub.
        forms: What short forms stand for.
        known: Whether a word is common outside the bundle too. Such a word is meant: "layer" is no "lawyer".
    """

    counts: Mapping[str, int]
    by_stub: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, str]
    known: Known

    @classmethod
    def of(cls, config: DetectionConfig, terms: Sequence[str], known: Known) -> Speller:
        """Collect the words of examples and phrases, and those of `terms`, the lexicon of the foundation.

        What stands there once and nowhere else may itself be a slip.
        """
        counts = Counter(_words(config))
        counts.update(term for term in terms if " " not in term)
        by_stub: dict[str, list[str]] = {}
        for word, count in counts.items():
            if _is_long(word) and (count > 1 or known(word)):
                for stub in _stubs(word):
                    by_stub.setdefault(stub, []).append(word)
        stubs = {stub: tuple(words) for stub, words in by_stub.items()}
        return cls(counts, stubs, config.shorthand.forms, known)

    def mended(self, reading: Reading) -> Reading:
        """`reading` with slips undone and short forms written out; places in the original text stay what they were."""
        meant = [self._meant(token.word) for token in reading.tokens]
        if all(token.word == word for token, word in zip(reading.tokens, meant, strict=True)):
            return reading
        tokens = tuple(replace(token, word=word) for token, word in zip(reading.tokens, meant, strict=True))
        return replace(reading, tokens=tokens)

    def _meant(self, word: str) -> str:
        if word in self.forms:
            return self.forms[word]
        if not _is_long(word) or word in self.counts or self._is_common(word):
            return word
        near = {other for stub in _stubs(word) for other in self.by_stub.get(stub, ()) if _one_slip(word, other)}
        return max(near, key=lambda other: (self.counts[other], other), default=word)

    def _is_common(self, word: str) -> bool:
        """Whether `word` or what it is a form of is known: "contacting" is no slip of "contracting"."""
        return self.known(word) or any(self.known(base) for base in _bases(word))


def _words(config: DetectionConfig) -> Iterator[str]:
    examples = [text for file in config.intents for intent in file.intents for text in intent.examples]
    for signal in config.signals:
        examples += [*signal.positive, *signal.negative]
        for phrase in (*signal.phrases, *signal.hints, *signal.mentions):
            yield from exact_words(phrase)
    for text in examples:
        yield from read(text).words


def _is_long(word: str) -> bool:
    return len(word) >= MIN_LETTERS and word.isalpha()


def _bases(word: str) -> Iterator[str]:
    for ending in ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= MIN_LETTERS - 2:
            yield base
            yield f"{base}e"
            if base[-1] == base[-2]:
                yield base[:-1]


def _stubs(word: str) -> Iterator[str]:
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, added, wrong or swapped with its neighbour. The first letter is seldom wrong.

    A plural is no slip.
    """
    if word[0] != other[0] or word == f"{other}s" or other == f"{word}s":
        return False
    if len(word) != len(other):
        return len(word) - len(other) in {-1, 1}  # they share a stub, so one is the other with a letter left out
    places = [place for place in range(len(word)) if word[place] != other[place]]
    if len(places) == 1:
        return True
    swapped = [word[place] for place in reversed(places)] == [other[place] for place in places]
    return len(places) == 2 and places[1] == places[0] + 1 and swapped
