"""Text made comparable without moving an offset: look-alike digits, quotes, dashes and spaces become plain ones."""

from __future__ import annotations

import re
import unicodedata

_LOOKALIKES = {
    "'": "\u2019\u2018\u02bc\u2032\u00b4\uff07",
    '"': "\u201c\u201d\u201e\u00ab\u00bb\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d",
    " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "@": "\uff20\ufe6b",
    ".": "\uff0e\u3002",
    "/": "\uff0f\u2044",
}
_PLAIN = {odd: plain for plain, odds in _LOOKALIKES.items() for odd in odds}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_ASCII_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*")


class _Table(dict[str, str]):
    """A translation of single characters to single characters, worked out when a character is first seen."""

    def __missing__(self, char: str) -> str:
        plain = _PLAIN.get(char) or _compatible(char)
        if len(self) < 10_000:
            self[char] = plain
        return plain


def _compatible(char: str) -> str:
    """Full-width and mathematical letters and digits as ASCII; everything else as it is (never longer)."""
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 and folded.isascii() and folded.isalnum() else char


_TABLE = _Table()


def _plain(match: re.Match[str]) -> str:
    return _TABLE[match.group()]


def fold(text: str) -> str:
    """`text` with look-alikes made plain. INVARIANT: the same length, so that offsets hold in both."""
    return text if text.isascii() else _NOT_ASCII.sub(_plain, text)


def lower(text: str) -> str:
    """Lower case of the same length (a few letters lower to two characters; those stay as they are)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def visible(text: str) -> str:
    """`text` folded and without characters that cannot be seen (shorter: offsets do not hold)."""
    return fold(text) if text.isascii() else _INVISIBLE.sub("", fold(text))


def squash(text: str) -> str:
    """Only the letters and digits of `text`, in lower case: spacing, markup and punctuation cannot hide a quotation."""
    if text.isascii():
        return text.lower().encode("ascii").translate(None, _ASCII_SIGNS).decode("ascii")
    return "".join(filter(str.isalnum, fold(text).lower()))


def words(text: str) -> list[str]:
    """The words and numbers of `text`, folded, in lower case."""
    return _WORD.findall(fold(text).lower())


def stem(word: str) -> str:
    """A crude English stem: enough to find `refunded` in `refunds`. Not for display."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            if ending in {"ing", "ed"} and word[-1] == word[-2] and word[-1] in "lptrnmgb":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
