"""The words of a text that carry meaning, as stems."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from handrail.guardrails.output.fold import fold, stem, words
from handrail.guardrails.output.pieces import Pieces

_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "do", "for", "from", "had", "has",
    "have", "if", "in", "into", "is", "it", "its", "of", "on", "or", "so", "than", "that", "the", "their", "then",
    "there", "they", "this", "to", "was", "were", "what", "when", "which", "will", "with", "you", "your", "we",
    "our", "us", "i", "me", "my", "not", "no", "just", "also", "please",
})  # fmt: skip


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning, numbers included."""
    return stems_in(fold(text).lower().split())


def stems_in(pieces: Iterable[str]) -> frozenset[str]:
    """`content_stems` of a text that is cut at its white space, folded, in lower case; no word has any in it."""
    return frozenset(chain.from_iterable(map(_STEMS.__getitem__, pieces)))


def written_out(stems: frozenset[str]) -> frozenset[str]:
    """`stems` without such as are drawn together of others (`there's`), which may as well be written out."""
    drawn = [word for word in stems if "'" in word]
    return stems.difference(drawn) if drawn else stems


def _of(piece: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words(piece) if word not in _STOP)


_STEMS = Pieces(_of)
