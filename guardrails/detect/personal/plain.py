"""Plain text: digits, letters, signs and spaces of every script form as ASCII, and nothing invisible between them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from handrail.guardrails.vocabulary import Span

_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")
_ABOVE = "\u20e3\ufe00-\ufe0f\u0300-\u036f"
_INVISIBLE = re.compile(f"[{_ABOVE}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
"""Zero width and format characters, and marks that stand on the character before: keycaps, variants, strokes."""


class _Forms(dict[int, str]):
    """What each character is read as, filled as characters are met; always one character for one, so places stay."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if character in _DASHES:
            form = "-"
        elif (figure := unicodedata.decimal(character, None)) is not None:
            form = str(figure)
        elif character != "\n" and character.isspace():
            form = " "
        else:
            form = unicodedata.normalize("NFKC", character)
            # Only what is an ASCII character in another shape is changed; "ﬁ" and "½" would move all places behind.
            form = form if len(form) == 1 and form.isascii() else character
        self[point] = form
        return form


_FORMS = _Forms({point: chr(point) for point in range(128)})


@dataclass(frozen=True, slots=True)
class Plain:
    """`text` as it is searched. `places` has each character's offset in the original, None where they are equal."""

    text: str
    places: tuple[int, ...] | None = None

    def original(self, start: int, end: int) -> Span:
        """The span in the original of `text[start:end]`, with the invisible characters that follow its last one."""
        if self.places is None:
            return Span(start=start, end=end)
        return Span(start=self.places[start], end=self.places[end])


def plain(text: str) -> Plain:
    """`text` as plain text; costs nothing for ASCII."""
    if text.isascii():
        return Plain(text)
    folded = text.translate(_FORMS)
    if not _INVISIBLE.search(folded):
        return Plain(folded)
    places: list[int] = []
    parts: list[str] = []
    last = 0
    for gap in _INVISIBLE.finditer(folded):
        parts.append(folded[last : gap.start()])
        places.extend(range(last, gap.start()))
        last = gap.end()
    parts.append(folded[last:])
    places.extend(range(last, len(folded) + 1))
    return Plain("".join(parts), tuple(places))
