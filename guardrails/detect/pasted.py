"""Pasted parts of a message: quoted e-mails, logs and stack traces, which say little of what the customer wants."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from handrail.guardrails.vocabulary import Span

_QUOTED = re.compile(r"[ \t]{0,4}>")
_HEADER = re.compile(r"(?i)[ \t]{0,4}(?:from|to|cc|sent|subject|date|reply-to|message-id|received): ?\S")
_CUT_HERE = re.compile(
    r"(?i)[ \t]{0,4}(?:-{2,12} ?(?:original message|forwarded message|begin forwarded message)|"
    r"on [^\n]{6,120} wrote: ?$|begin forwarded message:)"
)
_LOG = re.compile(
    r"(?i)[ \t]{0,12}(?:\[?\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}|\[?\d{2}:\d{2}:\d{2}[\].,]|"
    r"at [\w$.<>]{3,200}\(|caused by: |traceback \(most|file \"[^\"\n]{1,200}\", line \d|"
    r"\[?(?:error|warn|warning|info|debug|fatal|trace)[\]:] |\w{3,40}(?:error|exception): |"
    r"(?:get|post|put|delete|patch) /\S{0,300} (?:http|\d{3})|[{}\[\]\"]{1,3}[\w\"]{0,40}\"? ?:|0x[0-9a-f]{4,16})"
)
SIGNATURE = "-- "


def pasted_spans(text: str) -> tuple[Span, ...]:
    """Where lines are quoted, belong to a log or stand under a forwarded message; in order, without overlaps.

    A text of one line has none, so that nobody can hide words behind a `>`.
    """
    if "\n" not in text:
        return ()
    return tuple(_spans(text))


def _spans(text: str) -> Iterator[Span]:
    start = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        if _CUT_HERE.match(line.rstrip()) or line.rstrip("\r\n") == SIGNATURE:
            yield Span(start=start, end=len(text))
            return
        if any(pattern.match(line) for pattern in (_QUOTED, _HEADER, _LOG)):
            yield Span(start=start, end=end)
        start = end


class Pasted:
    """Answers whether a place lies in a pasted part."""

    def __init__(self, text: str) -> None:
        self.spans = pasted_spans(text)
        self._starts = [span.start for span in self.spans]

    def holds(self, place: int) -> bool:
        """Whether the character at `place` is pasted."""
        number = bisect_right(self._starts, place) - 1
        return number >= 0 and place < self.spans[number].end
