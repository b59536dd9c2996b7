"""Which records the customer's own words name, so that what those records hold may be used in a call.

A record is named by its whole name, or by a part of it that is the part of no other record's name. What only a tool
result names is named by nobody: pass the customer's words, never what was read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from handrail.guardrails.gate.mention import states

Key = TypeVar("Key")

FEWEST = 2
"""Words that a part of a name needs to stand for the whole: "grocery list" for grocery-list-today."""

MOST_WORDS = 40
"""Words of a name that are looked at; what is longer is no name."""

_HANDS_OVER = re.compile(
    r"\b(?:do|perform|execute|complete|follow|carry out|take care of|work through)\s+(?:\w+\s+){0,3}?"
    r"(?:actions?|tasks?|instructions?|steps|to-?dos?|things)\b(?:\s+\w+){0,4}?\s+(?:in|on|from|at)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


def says(words: Iterable[str], *phrases: str) -> bool:
    """Whether one of the phrases stands in the customer's words, as whole words, whatever is between them."""
    held = tuple(words)
    return any(states(phrase, text) for phrase in phrases for text in held)


def hands_over(words: Iterable[str]) -> bool:
    """Whether the customer asks for what a document says: "do the actions specified in the e-mail from Ida"."""
    return any(_HANDS_OVER.search(text) for text in words)


def named(words: Iterable[str], names: Mapping[Key, str]) -> frozenset[Key]:
    """The keys of the records that the words name; `names` is the name of every record there is.

    Several records may have the same name: all of them are named, and whoever needs one has to look further. Case does
    not matter, and neither does the extension of a file name.
    """
    held = tuple(words)
    parts = {key: tuple(word.casefold() for word in _words(name)) for key, name in names.items()}
    whole = {key for key, part in parts.items() if part and says(held, " ".join(part))}
    runs = {key: frozenset(_runs(part)) for key, part in parts.items()}
    partly = {
        key
        for key, own in runs.items()
        if key not in whole and any(says(held, " ".join(run)) and _only(run, parts[key], parts.values()) for run in own)
    }
    return frozenset(whole | partly)


def called(words: Iterable[str], people: Mapping[Key, str]) -> frozenset[Key]:
    """The keys of the people that the words name: by the whole name, or by one word of it, written as a name is.

    A name that fits several people names nobody.
    """
    held = tuple(words)
    found: set[Key] = set()
    for key, name in people.items():
        own = _words(name)
        if len(own) > 1 and says(held, " ".join(own)):
            same = [
                one for one in people.values() if [w.casefold() for w in _words(one)] == [w.casefold() for w in own]
            ]
            found.update([key] if len(same) == 1 else [])
            continue
        for word in own:
            bearers = [one for one in people.values() if word.casefold() in {w.casefold() for w in _words(one)}]
            if word[:1].isupper() and len(bearers) == 1 and any(_written(word, text) for text in held):
                found.add(key)
    return frozenset(found)


def _written(word: str, text: str) -> bool:
    """Whether the word stands in the text with its capital, and not as a part of another or of an address."""
    return re.search(rf"(?<![\w.@-]){re.escape(word)}(?![\w@]|[.-]\w)", text) is not None


def _words(name: str) -> list[str]:
    return _WORD.findall(_EXTENSION.sub("", name))[:MOST_WORDS]


def _runs(part: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every run of words that is shorter than the whole and long enough to stand for it; a date or number is none."""
    for size in range(FEWEST, len(part)):
        for start in range(len(part) - size + 1):
            run = part[start : start + size]
            if sum(not word.isdigit() for word in run) >= FEWEST:
                yield run


def _only(run: tuple[str, ...], own: tuple[str, ...], every: Collection[tuple[str, ...]]) -> bool:
    """Whether no other name holds the run. Records of the same name do not stand in each other's way."""
    wanted = f" {' '.join(run)} "
    return not any(wanted in f" {' '.join(other)} " for other in every if other != own)
