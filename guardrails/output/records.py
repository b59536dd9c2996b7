"""What tools return, sorted by whom it concerns: the customer's own matter, other people, and what stays inside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pydantic import JsonValue

from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.policy import RecordsFile
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.vocabulary import Scalar, ToolResult

_DEPTH = 8
_MOST = 200
_OPENERS = frozenset({"code", "codes", "key", "keys", "phrase"})
_LONGEST = 2_000
_PARTS = re.compile(r"[A-Z]?[a-zäöüß]+|[A-Z]+(?![a-z])|\d+")
_NAMED = re.compile(
    r"[A-ZÄÖÜ][\w'.-]*\w(?: (?:[A-ZÄÖÜ][\w'.-]*\w|[A-Z]\.|von|van|de|der))*|\b\w*[a-z0-9][_-][\w-]*\w|"
    r"'[^']{3,40}'|\"[^\"]{3,40}\""
)
_PERSON = re.compile(
    r"(?!\w+ (?:Street|Road|Lane|Close|Avenue|Drive|Square|Way|Court|Place|Hill|Park|Gate|Quay|Centre|Center)(?!\w))"
    r"(?:[A-ZÄÖÜ][a-zà-öø-ÿ]+|[A-Z]\.) (?:(?:von|van|de) )?[A-ZÄÖÜ][a-zà-öø-ÿ]+(?:-[A-ZÄÖÜ][a-zà-öø-ÿ]+)?"
)
_NAME_IN = re.compile(rf"(?<![\w'])(?:{_PERSON.pattern})(?!\w)")
_ACTS = re.compile(r"(?:approv|issu|assign|handl|creat|process|sen[dt]|check|review|repair|done|teach|led|signed)")
"""Beginnings of names of fields for somebody who acts for the company (approved_by)."""

_SEARCHED = re.compile(r"(?:search|find|lookup|look_up)_")
"""A search goes through everybody's records; what it names is somebody else's until a source says otherwise."""

_IS_NAME = re.compile(r"(?:^|\s)[A-ZÄÖÜ]|[@\d_]")
"""A name has a capital, an address or an account a sign of one; `the accountant on file` is none."""

_WORD = re.compile(r"\w+")
_MARKED = re.compile(r"[A-ZÄÖÜ]|[a-zäöüß]\d|_")
"""A capital, a digit behind a letter, or a low line: signs that a single word is a name."""

_NO_STEMS: frozenset[str] = frozenset()
_MIXED = re.compile(r"[A-Za-z].*\d|\d.*[A-Za-z]")
_PHRASE = 4
_SHORTEST = 3
"""Characters that a value must have to be a secret worth looking for."""

_CODES = ("code", "otp", "pin")
"""In the name of a call: what it returns as its code opens something."""

_NOTE = 4
"""Words with which a note is more than a state (`battery replaced`)."""


class Found(NamedTuple):
    """An entry that a search found: the names in it, and all that it says beside them."""

    names: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Records:
    """`neutral` is the text of fields about the matter itself, `others` names of other people and firms.

    `codes` are values that open something, `notes` texts that are for the staff only; `found` are the entries of
    searches that name somebody.
    """

    neutral: str = ""
    others: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()

    @classmethod
    def of(cls, results: tuple[ToolResult, ...], person_keys: tuple[str, ...], words: RecordsFile) -> Records:
        """Sort the fields of `results`; `person_keys` are fields with a person's name or address."""
        neutral: list[str] = []
        others: dict[str, None] = {}
        codes: dict[str, None] = {}
        notes: dict[str, None] = {}
        for result in results:
            searched = _SEARCHED.match(result.call.tool.lower()) is not None
            for path, value in _fields(result.content, (), 0):
                shown = str(value)[:_LONGEST]
                owner = _owner(path, shown, person_keys, words)
                by_others = path and path[-1].lower().endswith("by") and not _ACTS.match(path[-1].lower())
                foreign = _NAME_IN.search(shown) if searched or by_others else _is_somebody(shown, words)
                if foreign and owner in {"neutral", "person"} and not _is_staff(path, words):
                    owner = "others"
                if owner == "others":
                    others.update(dict.fromkeys(_names(shown)))
                elif owner == "codes":
                    codes.update(dict.fromkeys(token for token in re.split(r"[\s,;]+", shown) if len(token) >= 3))
                elif owner == "notes":
                    notes[shown] = None
                elif owner == "neutral":
                    neutral.append(shown)
        found = tuple(
            entry
            for result in results
            if _SEARCHED.match(result.call.tool.lower())
            for entry in _entries(result.content, words, 0)
        )
        return cls("\n".join(neutral), tuple(others), tuple(codes), tuple(notes), found)


def _entries(content: JsonValue, words: RecordsFile, depth: int) -> Iterator[Found]:
    """The objects in a result that name somebody."""
    if depth > _DEPTH:
        return
    if isinstance(content, list):
        for part in content:
            yield from _entries(part, words, depth + 1)
    elif isinstance(content, dict):
        flat = {key: str(part) for key, part in content.items() if isinstance(part, str | int | float)}
        names = tuple(part for key, part in flat.items() if _NAME_IN.search(part) and not _is_staff((key,), words))
        if names and len(flat) > 1 and not _is_self(content):
            told = (f"{key.replace('_', ' ')}: {part}" for key, part in flat.items() if part not in names)
            yield Found(names, "\n".join(told))
        for part in content.values():
            yield from _entries(part, words, depth + 1)


def _fields(content: JsonValue, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    if depth > _DEPTH or content is None:
        return
    if isinstance(content, dict):
        for key, part in content.items():
            yield from _fields(part, (*path, key), depth + 1)
    elif isinstance(content, list):
        people = [part for part in content if isinstance(part, str) and _PERSON.fullmatch(part.strip())]
        self_at = [index for index, part in enumerate(content) if isinstance(part, dict) and _is_self(part)]
        for index, part in enumerate(content):
            if self_at and index not in self_at:
                yield from _fields(part, (*path, "participants"), depth + 1)
                continue
            # Several people in a list are other people, whatever the list is called.
            listed = (*path, "participants") if len(people) > 1 and part in people else path
            yield from _fields(part, listed, depth + 1)
    else:
        yield path, content


def _is_self(item: dict[str, JsonValue]) -> bool:
    """Whether an item of a list is the customer's own among those of others."""
    return any(
        (isinstance(part, str) and part.lower() in _SELF) or (part is True and key.lower() in _OWN)
        for key, part in item.items()
    )


_SELF = frozenset({"you", "self", "me", "sie selbst", "du"})
_OWN = frozenset({"own", "mine", "yours", "self", "is_self", "is_you", "you"})
_GROUPS = frozenset(
    {
        "group",
        "team",
        "department",
        "queue",
        "desk",
        "unit",
        "type",
        "kind",
        "role",
        "gruppe",
        "abteilung",
        "vessel",
        "ship",
        "boat",
        "product",
        "title",
        "venue",
        "room",
        "hotel",
        "station",
        "street",
        "road",
        "site",
        "place",
        "location",
        "city",
        "plan",
        "tariff",
        "event",
        "show",
        "item",
        "model",
        "brand",
    }
)
"""Last words of names of fields with a group or a sort, not a person."""


def _owner(path: tuple[str, ...], shown: str, person_keys: tuple[str, ...], words: RecordsFile) -> str:
    """Whom a field concerns; the strictest word on its path decides."""
    lowered = shown.lower()
    parts = [_parts(key) for key in path]
    if path and path[-1].lower().rpartition("_")[2] in _GROUPS:
        return "neutral"
    if any(word in lowered for word in words.hidden_words):
        return "notes"
    for key, names in zip(path, parts, strict=True):
        if not _OPENERS.isdisjoint(names) and not words.hidden_codes_set.isdisjoint(names):
            return "codes"
        if is_named(key, words.private_keys):
            return "notes"
        if is_named(key, words.secret_keys):
            return "codes"
    if _is_staff(path, words) and not any(word in lowered for word in words.other_words):
        return "neutral"
    if any(word in lowered for word in words.other_words) or any(
        not words.others_set.isdisjoint(names) for names in parts
    ):
        return "others"
    return "person" if path and path[-1].lower() in person_keys else "neutral"


def _is_somebody(shown: str, words: RecordsFile) -> bool:
    """Whether a field holds nothing but the name of a person: M. Castellano, Tom Barlow."""
    name = shown.strip()
    if _PERSON.fullmatch(name) is None:
        return False
    return name[1:2] == "." or name.split()[0].lower() in words.given_names_set


def _is_staff(path: tuple[str, ...], words: RecordsFile) -> bool:
    """Whether a field names somebody who acts for the company, or a thing and nobody."""
    return any(not (words.staff_set | _GROUPS).isdisjoint(_parts(key)) for key in path[-1:])


def counts(content: JsonValue, depth: int = 0) -> Iterator[int]:
    """How many items the lists in a result have, and how many of them share a value (three of five are paid)."""
    if depth > _DEPTH:
        return
    if isinstance(content, dict):
        for part in content.values():
            yield from counts(part, depth + 1)
    elif isinstance(content, list):
        yield len(content)
        shared = Counter(
            (key, part)
            for item in content[:_MOST]
            if isinstance(item, dict)
            for key, part in item.items()
            if isinstance(part, str | bool | int)
        )
        yield from shared.values()
        for item in content[:_MOST]:
            yield from counts(item, depth + 1)


def lists(content: JsonValue, depth: int = 0) -> Iterator[frozenset[str]]:
    """The words of the names of the lists in a result."""
    if depth > _DEPTH or not isinstance(content, dict):
        return
    for key, part in content.items():
        if isinstance(part, list):
            yield _parts(key)
        else:
            yield from lists(part, depth + 1)


@lru_cache(maxsize=4096)
def is_named(key: str, words: tuple[str, ...]) -> bool:
    """Whether the name of a field has one of `words` (`pin`, `access_code`) in it, as whole parts of the name."""
    name = f"_{'_'.join(part.lower() for part in _PARTS.findall(key))}_"
    return any(f"_{word}_" in name for word in words)


@lru_cache(maxsize=4096)
def _parts(key: str) -> frozenset[str]:
    """The words of a field's name: reported_by, reportedBy and reported-by are two each."""
    return frozenset(part.lower() for part in _PARTS.findall(key))


def _names(shown: str) -> Iterator[str]:
    """Names of people, firms and accounts in a field; a text of one word is one."""
    if len(_WORD.findall(shown)) == 1 and len(shown) >= 4 and _MARKED.search(shown):
        yield shown.strip()
    for match in _NAMED.finditer(shown):
        name = match.group().strip("'\"")
        if len(name) >= 3 and (" " in name or match.start() or not name.isalpha()):
            yield name


def phrases(note: str) -> Iterator[str]:
    """Four words of a note in a row, and single words with digits."""
    words = note.split()
    yield from (" ".join(words[at : at + _PHRASE]) for at in range(max(1, len(words) - _PHRASE + 1)))
    yield from (word.strip(".,;:!?'\"") for word in words if len(word) >= 5 and _MIXED.search(word))


@dataclass(frozen=True, slots=True)
class Guarded:
    """A field that is for the staff or nobody: its name and text, and of an internal one the words of both.

    `shown` is the text as a reply would have it.
    """

    content: str
    shown: str
    is_secret: bool
    stems: frozenset[str]
    key_stems: frozenset[str]


def guarded(results: tuple[ToolResult, ...], words: RecordsFile, written: Container[str]) -> Iterator[Guarded]:
    """The fields of `results` of which a value may not be said, and those that may not be told.

    `written` are the ids of write calls, whose plain notes are the customer's own.
    """
    for result in results:
        # A record's own key is no secret of the one who asked with it.
        asked = {str(one) for one in result.call.arguments.values()}
        for key, content in _named_fields(result.content, "", 0):
            if content in asked:
                continue
            if is_named(key, words.secret_keys) or (key == "code" and is_named(result.call.tool, _CODES)):
                if len(content) >= _SHORTEST:
                    yield Guarded(content, fold(content), True, _NO_STEMS, _NO_STEMS)
            elif _is_internal(key, content, words, result.call.call_id in written):
                yield Guarded(content, content, False, content_stems(content), content_stems(key.replace("_", " ")))


def _is_internal(key: str, content: str, words: RecordsFile, is_written: bool) -> bool:
    """Whether a field is for the staff: by its name, by its first word, or as a note that is more than a state."""
    by_name = is_named(key, words.internal_keys) or is_named(key, words.private_keys)
    if by_name or content.lower().startswith("internal"):
        return True
    return not is_written and is_named(key, words.note_keys) and len(content_stems(content)) >= _NOTE


def _named_fields(content: JsonValue, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Name and text of every field; of a list, the name of the field that holds it."""
    if depth > _DEPTH:
        return
    if isinstance(content, dict):
        for name, part in content.items():
            yield from _named_fields(part, name, depth + 1)
    elif isinstance(content, list):
        for part in content:
            yield from _named_fields(part, key, depth + 1)
    elif isinstance(content, str | int | float) and not isinstance(content, bool):
        yield key, str(content)


def people_of(results: tuple[ToolResult, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Names and addresses of people in tool results, whoever they are."""
    found = {name for result in results for name in _named(result.content, keys, 0)}
    return tuple(sorted(name for name in found if len(name) >= 3))


def _named(content: JsonValue, keys: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(content, list):
        for part in content:
            yield from _named(part, keys, depth + 1)
    elif isinstance(content, dict):
        for key, part in content.items():
            if isinstance(part, str):
                if key.lower() in keys and _IS_NAME.search(part):
                    yield part.strip()[:120]
            else:
                yield from _named(part, keys, depth + 1)
