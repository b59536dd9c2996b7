"""Changes of a message that do not change what it says: case, punctuation, slips of the fingers, politeness."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence

from handrail.evals.interval import Proportion, wilson
from handrail.guardrails.vocabulary import Frozen, RiskTier

MIN_LETTERS = 5  # of a word that gets a slip
BEFORE = ("Hello, ", "Hi there, ", "Good morning. ", "Dear team, ", "Please, ", "Excuse me, ")
AFTER = (" Thank you.", " Thanks in advance!", " please", " Kind regards", " Thanks so much for your help.")
NEIGHBOURS = {
    row[place]: (row[place - 1 : place] + row[place + 1 : place + 2])
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place in range(len(row))
}

Change = Callable[[str, random.Random], str]


class Stability(Frozen):
    """How many messages got another tier by one kind of change."""

    change: str
    moved: Proportion


def _slip(text: str, draw: random.Random) -> str:
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if len(word) >= MIN_LETTERS and word.isalpha()]
    if not places:
        return text
    place = draw.choice(places)
    word = words[place]
    at = draw.randrange(1, len(word) - 1)
    kind = draw.randrange(4)
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    elif kind == 2:
        word = word[:at] + word[at] + word[at:]
    else:
        near = NEIGHBOURS.get(word[at].lower(), word[at])
        word = word[:at] + draw.choice(near or word[at]) + word[at + 1 :]
    return " ".join([*words[:place], word, *words[place + 1 :]])


def _without_punctuation(text: str, _: random.Random) -> str:
    return text.translate(str.maketrans("", "", string.punctuation.replace("'", "")))


CHANGES: Mapping[str, Change] = {
    "lower case": lambda text, _: text.lower(),
    "upper case": lambda text, _: text.upper(),
    "no punctuation": _without_punctuation,
    "one slip": _slip,
    "polite": lambda text, draw: draw.choice(BEFORE) + text + draw.choice(AFTER),
}


def measure_stability(texts: Sequence[str], tier: Callable[[str], RiskTier], seed: int = 7) -> tuple[Stability, ...]:
    """Change each text in each way and compare its tier; a text that a change leaves as it is counts, too."""
    before = [tier(text) for text in texts]
    found: list[Stability] = []
    for name, change in CHANGES.items():
        draw = random.Random(seed)  # noqa: S311 - the same changes every time, not secrets
        moved = sum(tier(change(text, draw)) is not was for text, was in zip(texts, before, strict=True))
        found.append(Stability(change=name, moved=wilson(moved, len(texts))))
    return tuple(found)
