"""Small numbers in words that only count what the talk is about (the three of you, four of them)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.fold import stem
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.records import lists
from handrail.guardrails.output.sources import Said
from handrail.guardrails.output.values import Form, Kind, Value

LARGEST = 10
"""The largest number in words that may count without a source."""

_LIMIT = re.compile(
    r"(?<!\w)(?:limit\w*|max(?:imum|imal)?|min(?:imum|imal)?|at (?:most|least)|up to|allow\w*|permit\w*|"
    r"includ\w*|within|quota|allowance|"
    r"aged?|years? old|instead of|rather than|alter|jahre alt|statt|anstatt|kontingent|"
    r"(?:more|less|fewer|longer|later) than|over|under|höchstens|mindestens|bis zu|erlaubt\w*|inklusive|enthält|"
    r"(?:mehr|weniger) als|über|unter|innerhalb|binnen)(?!\w)"
)
"""Words beside a number on which something depends."""

_ENDS = re.compile(r"(?<!\w)(?:from|until|till|after|every|ab|bis|nach|alle|(?:total|sum|period|term|rate) of) $")
_CODE = re.compile(r"(?:code|pin|number|nummer|no\.|nr\.|version|level|stufe|grade|section|chapter|page|seite)[ :]+$")
_FOLLOWING = re.compile(r"(?:[ -][a-zäöüß]{3,30}){1,3}")
_BOUNDS = frozenset({
    "of", "and", "or", "to", "for", "from", "in", "at", "on", "per", "with", "that", "which", "are", "is", "were",
    "was",
    "von", "und", "oder", "für", "pro", "mit", "die", "der", "das", "sind", "ist", "waren", "bis", "more", "mehr",
    "can",
    "each", "have", "has", "will", "you", "they", "sie", "must", "as", "als",
})  # fmt: skip
_NAMED = re.compile(r"(?<![a-zäöüß])([a-zäöüß]{4,30}) $")
_NO_THINGS = frozenset(
    map(stem, ("with", "until", "from", "than", "after", "over", "under", "about", "only", "nach", "noch"))
)
_FIELD = re.compile(r"^(?P<name>[^:\n]{2,60}): (?P<number>\d{1,3})$", re.MULTILINE)


def only_counts(view: View, value: Value) -> bool:
    """Whether a small number in words states nothing that somebody may rely on.

    It is no limit, names no code, and no source has another number of the same thing.
    """
    if value.kind is not Kind.NUMBER or value.unit or value.form is not Form.WORDS:
        return False
    if not value.keys[0].isdigit() or int(value.keys[0]) > LARGEST:
        return False
    text = view.line.plain
    if _LIMIT.search(text[max(0, value.start - 40) : value.end + 40]):
        return False
    before = text[max(0, value.start - 20) : value.start]
    if _ENDS.search(before) or _CODE.search(before):
        return False
    things = frozenset(_things(text, value.end))
    return not any(things & counted for counted in _counted(view))


def _counted(view: View) -> Iterator[frozenset[str]]:
    """Of what the sources give a number."""
    sources = view.sources
    for _, passage in sources.passages:
        yield from (_of_sentence(sentence) for sentence in passage.said if sentence.stated)
    yield from (_of_sentence(sentence) for sentence in sources.asked_said if sentence.stated)
    for match in _FIELD.finditer(sources.tool_text):
        yield frozenset(stem(word) for word in match["name"].lower().split())
    yield from (
        frozenset(map(stem, name)) for result in sources.evidence.tool_results for name in lists(result.content)
    )


def _of_sentence(sentence: Said) -> frozenset[str]:
    text = sentence.text.lower()
    found: set[str] = set()
    for value in sentence.stated:
        if value.kind is Kind.NUMBER:
            found.update(_things(text, value.end))
            named = _NAMED.search(text[: value.start])
            if named is not None:
                found.add(stem(named[1]))
    return frozenset(found - _NO_THINGS)


def _things(text: str, end: int) -> Iterator[str]:
    """The words right behind a number, up to one that begins something else."""
    match = _FOLLOWING.match(text, end)
    for word in re.split(r"[ -]", match.group().strip(" -")) if match else ():
        if word in _BOUNDS:
            return
        yield stem(word)
