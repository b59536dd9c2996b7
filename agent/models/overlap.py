"""How much of a text stands in another, by content words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from handrail.guardrails.vocabulary import Passage

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Þ0-9*\"“(])")
_COMMON = frozenset(
    _WORD.findall("""
    a about after again all also am an and any are as at be because been before being but by can cannot could did do
    does doing don't for from get go had has have having he her here him his how i i'm if in into is it it's its just
    know let like make may me might my need no not now of off on one only or other our out over please s she should
    so some such t than that the their them then there these they this those to too up us use want was we were what
    when where which while who why will with would you your yours hello hi hey thanks thank
    """)
)
SHARE = 0.6
"""Part of a sentence's content words that must stand in a passage for the sentence to rest on it."""


def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning, folded and cut to their stem's beginning."""
    return frozenset(stem(word) for word in _WORD.findall(text.casefold()) if word not in _COMMON)


def stem(word: str) -> str:
    """A word without its commonest English endings; crude on purpose, and the same on both sides of a comparison."""
    for ending in ("'s", "’s", "ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without surrounding space."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def rests_on(text: str, passages: Sequence[Passage]) -> tuple[str, ...]:
    """Ids of the passages that some sentence of `text` rests on, in the order of the passages."""
    said = [words for line in text.splitlines() for one in sentences(line) if len(words := content_words(one)) >= 3]
    found = []
    for passage in passages:
        there = content_words(f"{passage.title} {passage.heading} {passage.text}")
        if any(len(words & there) >= SHARE * len(words) for words in said):
            found.append(passage.passage_id)
    return tuple(found)
