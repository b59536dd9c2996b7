"""A message as words: bounded, folded, cut into clauses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from handrail.guardrails.detect.pasted import Pasted
from handrail.guardrails.detect.wording import is_courtesy, telling
from handrail.guardrails.vocabulary import Span

HEAD = 4_000  # characters read at the beginning of a text
TAIL = 2_000  # and at its end
MAX_CLAUSES = 6
MIN_CLAUSE_WORDS = 3  # fewer are no statement of their own

_TOKEN = re.compile(r"[^\W_]+(?:['`][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?;\n](?=\s|$)|[!?\n;]")
_JOINS = frozenset({"and", "but", "also", "plus", "then"})
_OPENERS = frozenset(
    [
        "i",
        "im",
        "id",
        "ive",
        "we",
        "were",
        "wed",
        "weve",
        "my",
        "our",
        "how",
        "can",
        "could",
        "what",
        "where",
        "when",
        "why",
        "please",
        "is",
        "are",
        "do",
        "does",
        "did",
        "also",
        "the",
        "there",
        "want",
        "need",
        "would",
        "should",
        "who",
        "cancel",
        "delete",
        "refund",
        "change",
        "tell",
    ]
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "\u00b4": "'"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word: folded, without apostrophes, with its place in the original text.

    `comma` tells that a comma, colon or dash stands before it; `sentence` counts sentences from zero; `pasted` that it
    stands in a quoted e-mail or a log.
    """

    word: str
    start: int
    end: int
    sentence: int
    comma: bool
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A run of tokens that states one thing: token positions, end exclusive, and its place in the text."""

    first: int
    end: int
    span: Span


@dataclass(frozen=True, slots=True)
class Reading:
    """One message, prepared. `clauses` is never empty; with one clause it is the whole text."""

    text: str
    cut: bool
    tokens: tuple[Token, ...]
    clauses: tuple[Clause, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The folded words."""
        return tuple(token.word for token in self.tokens)

    @property
    def telling_words(self) -> tuple[tuple[str, ...], ...]:
        """What is learnt from and read: the words of the whole text and, where there are several, of each clause."""
        whole = self._own(0, len(self.tokens))
        if len(self.clauses) == 1:
            return (whole,)
        return (whole, *(self._own(clause.first, clause.end) for clause in self.clauses))

    def _own(self, first: int, end: int) -> tuple[str, ...]:
        """The telling words between two tokens: the customer's own, where there are enough beside what is pasted."""
        tokens = self.tokens[first:end]
        own = [token.word for token in tokens if not token.pasted]
        return telling(own if len(own) >= MIN_CLAUSE_WORDS else [token.word for token in tokens])

    @property
    def pasted_text(self) -> str:
        """What is quoted or logged in the part that is read."""
        return " ".join(self.text[token.start : token.end] for token in self.tokens if token.pasted)

    def span(self, first: int, end: int) -> Span | None:
        """The place of tokens in the original text; None when there are none."""
        if first >= end or end > len(self.tokens):
            return None
        return Span(start=self.tokens[first].start, end=self.tokens[end - 1].end)


def read(text: str) -> Reading:
    """Prepare `text`; of a long one only the beginning and the end are looked at."""
    cut = len(text) > HEAD + TAIL
    tokens = _tokens(text[:HEAD] if cut else text, 0, 0)
    if cut:
        following = tokens[-1].sentence + 1 if tokens else 0
        tokens += _tokens(text[-TAIL:], len(text) - TAIL, following)
    return Reading(text, cut, tuple(tokens), _clauses(text, tokens))


def fold(text: str) -> tuple[str, Sequence[int]]:
    """`text` in lower case without accents and invisible characters, and the original index of each character."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text.translate(_QUOTES)):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if part.isascii() or unicodedata.category(part) not in {"Mn", "Cf"}:
                folded.append(part)
                origin.append(index)
    return "".join(folded), origin


def words_in(text: str) -> set[str]:
    """The folded words of all of `text`, for a first look."""
    return {_word(found) for found in _TOKEN.findall(fold(text)[0])}


def _word(found: str) -> str:
    return found.replace("'", "").replace("`", "")


def _tokens(text: str, shift: int, sentence: int) -> list[Token]:
    folded, origin = fold(text)
    pasted = Pasted(text)
    tokens: list[Token] = []
    last = 0
    for match in _TOKEN.finditer(folded):
        between = folded[last : match.start()]
        if tokens and _SENTENCE_END.search(between):
            sentence += 1
        word = _word(match.group())
        comma = any(mark in between for mark in ",:–(") or " - " in between
        end = origin[match.end() - 1] + 1
        place = origin[match.start()]
        tokens.append(Token(word, shift + place, shift + end, sentence, comma, pasted.holds(place)))
        last = match.end()
    return tokens


def _clauses(text: str, tokens: Sequence[Token]) -> tuple[Clause, ...]:
    bounds = [0]
    for index in range(1, len(tokens)):
        if index - bounds[-1] >= MIN_CLAUSE_WORDS and _begins_clause(tokens, index):
            bounds.append(index)
    if len(tokens) - bounds[-1] < MIN_CLAUSE_WORDS and len(bounds) > 1:
        bounds.pop()
    ends = [*bounds[1:], len(tokens)]
    pairs = [pair for pair in zip(bounds, ends, strict=True) if _is_own(tokens[pair[0] : pair[1]])]
    pairs = pairs or list(zip(bounds, ends, strict=True))
    if len(pairs) > MAX_CLAUSES:
        pairs = pairs[: MAX_CLAUSES - 2] + pairs[-2:]
    if not tokens:
        return (Clause(0, 0, Span(start=0, end=len(text))),)
    return tuple(_clause(text, tokens, first, end) for first, end in pairs)


def _is_own(tokens: Sequence[Token]) -> bool:
    """Whether the customer says something here, beside what is pasted and courtesy."""
    own = [token.word for token in tokens if not token.pasted]
    return len(own) >= min(MIN_CLAUSE_WORDS, len(tokens)) and not is_courtesy(own)


def _begins_clause(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if token.sentence != tokens[index - 1].sentence:
        return True
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    joined = token.word in _JOINS and following is not None and following.word in _OPENERS
    return joined and len(tokens) - index > MIN_CLAUSE_WORDS


def _clause(text: str, tokens: Sequence[Token], first: int, end: int) -> Clause:
    start = tokens[first].start
    stop = tokens[end].start if end < len(tokens) else len(text)
    # The punctuation after it belongs to a clause, as a question mark tells an encoder much; a cut-out middle does not.
    stop = min(stop, tokens[end - 1].end + 2)
    return Clause(first, end, Span(start=start, end=stop))
