"""Sentences with their offsets: list items, web addresses, decimals and abbreviations stay whole."""

from __future__ import annotations

import re

from handrail.guardrails.output.fold import fold
from handrail.guardrails.vocabulary import Frozen, Span

LOOKAHEAD = 8
"""Characters after the white space behind a sentence that can still change where it ends."""

_GAP = 400

_ABBREVIATIONS = frozenset({
    "e.g", "i.e", "etc", "vs", "approx", "no", "nos", "incl", "excl", "resp", "cf", "mr", "mrs", "ms", "dr",
    "prof", "st", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon",
    "tue", "wed", "thu", "fri", "sat", "sun", "fig", "art", "sec", "p", "pp", "inc", "ltd", "co", "corp", "dept",
    "est", "min", "max", "a.m", "p.m", "u.s", "u.k", "z.b", "d.h", "bzw", "ca", "nr", "tel", "inkl", "zzgl", "ggf",
    "evtl", "mind", "std", "str", "abs", "mio", "u.a", "v.a", "hr", "fr",
})  # fmt: skip
_BREAK = re.compile(r"[.!?…]+[\"')\]*_]{0,4}(?=\s)|\n")
_MARKER = re.compile(r"[ \t]*(?:[-*+•‣·]|\d{1,3}[.)]|[A-Za-z][.)]|#{1,6}|\|)(?:\s|(?<=\|))")
_LAST_WORD = re.compile(r"[\w.]{0,12}$")
_DAY_BEFORE = re.compile(r"(?:^|[^\w.,])[0-3]?\d$")
_MONTH = re.compile(r"Januar|Jänner|Februar|März|April|Mai\b|Juni|Juli|August|Septembe|Oktober|November|Dezember")
"""The German names of the months, as far as LOOKAHEAD reaches."""

_MARKER_ONLY = re.compile(r"[ \t]*(?:\d{1,3}|[A-Za-z])$")


class Sentence(Frozen):
    """One sentence or list item: its place in the whole text and the words as written.

    `lead` is the line that introduces the list an item stands in ("I will:"), or empty.
    """

    index: int
    span: Span
    text: str
    lead: str = ""


def sentences(text: str, after: Sentence | None = None) -> tuple[Sentence, ...]:
    """Split `text`, from the end of the sentence `after` on; white space between sentences belongs to none of them.

    INVARIANT: whether a sentence ends at a place depends on what stands before it and on the next LOOKAHEAD
    characters that follow its white space, so that a stream can be cut without knowing its end.
    """
    if after is not None and (cut := text.rfind("\n", 0, after.span.start)) > 0:
        # Only the lines from `after` on are read again, so that a stream costs no more the longer it is.
        found_there = sentences(text[cut:], after.model_copy(update={"span": _moved(after.span, -cut)}))
        return tuple(each.model_copy(update={"span": _moved(each.span, cut)}) for each in found_there)
    folded = fold(text)
    found: list[Sentence] = []
    start = after.span.end if after is not None else 0
    lead = _lead_after(after.text, after.lead) if after is not None else ""
    first = after.index + 1 if after is not None else 0
    for match in _BREAK.finditer(folded, start):
        end = match.end()
        if end <= start or not _ends_here(folded, start, match.start(), end):
            continue
        lead = _add(found, text, folded, (start, end), lead, first)
        start = end
    _add(found, text, folded, (start, len(text)), lead, first)
    return tuple(found)


def _moved(span: Span, by: int) -> Span:
    return Span(start=span.start + by, end=span.end + by)


def _ends_here(text: str, start: int, at: int, end: int) -> bool:
    return _line_ends(text, start, at) if text[at] == "\n" else _stop_ends(text, start, at, end)


def _line_ends(text: str, start: int, at: int) -> bool:
    """A line break ends a sentence beside blank lines, list items, headings and table rows, not in wrapped text."""
    line_start = text.rfind("\n", start, at) + 1 or start
    line = text[line_start:at]
    if not line.strip() or line.rstrip().endswith((":", ":**")) or line.lstrip().startswith(("|", "#")):
        return True
    following = text[at + 1 : at + 1 + _GAP]
    stripped = following.lstrip(" \t")
    if stripped[:1] == "\n":
        return True
    return _MARKER.match(stripped[: LOOKAHEAD - 1]) is not None


def _stop_ends(text: str, start: int, at: int, end: int) -> bool:
    line_start = max(text.rfind("\n", 0, at) + 1, start)
    if text[at] == "." and end - at == 1:
        if _MARKER_ONLY.match(text[line_start:at]):
            return False
        word = _LAST_WORD.search(text[max(start, at - 12) : at])
        if word is not None and (word.group().lower() in _ABBREVIATIONS or word.group().lower().endswith("str")):
            return False
    following = text[end : end + _GAP].lstrip()
    if text[at] == "." and _DAY_BEFORE.search(text[max(start, at - 4) : at]) and _MONTH.match(following[:LOOKAHEAD]):
        return False
    return not following[:1].islower()


def _add(found: list[Sentence], text: str, folded: str, place: tuple[int, int], lead: str, first_index: int) -> str:
    """Append the sentence at `place` unless it is blank; returns the lead for what follows."""
    raw = text[place[0] : place[1]]
    body = raw.strip()
    if not body:
        return lead
    first = place[0] + len(raw) - len(raw.lstrip())
    line_start = folded.rfind("\n", 0, first) + 1
    is_item = _MARKER.match(folded[line_start : first + LOOKAHEAD]) is not None
    if not is_item and line_start and not folded[line_start:first].strip():
        lead = ""
    span = Span(start=first, end=first + len(body))
    found.append(Sentence(index=first_index + len(found), span=span, text=body, lead=lead))
    return _lead_after(body, lead)


def _lead_after(body: str, lead: str) -> str:
    return body if body.rstrip("*_ ").endswith(":") else lead
