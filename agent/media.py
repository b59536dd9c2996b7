"""What an attached file is, read from its bytes, and the name under which it is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

LONGEST_NAME = 100
"""Characters of a file's name that are kept, its ending included."""

ENDINGS: Mapping[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}
"""Every kind that is taken, with the ending of its names."""

_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_ALSO = {".jpeg": ".jpg", ".log": ".txt", ".text": ".txt"}


def media_type_of(content: bytes) -> str | None:
    """The media type, whatever the name or the client says; None for what is not taken."""
    return next((kind for kind, fits in _FITS if fits(content)), None)


def clean_name(name: str, media_type: str) -> str:
    """A name that is safe to show and to save under: no path, no control characters, and the ending of the kind."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(char for char in base if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    plain = " ".join(_UNFIT.sub("_", shown).split())
    ending = ENDINGS[media_type]
    stem, dot, last = plain.rpartition(".")
    if dot and _ALSO.get(f".{last.lower()}", f".{last.lower()}") == ending:
        plain = stem
    plain = plain.strip(". ")[: LONGEST_NAME - len(ending)].rstrip(". ")
    return f"{plain or 'file'}{ending}"


def _png(content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n")


def _jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff")


def _webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _gif(content: bytes) -> bool:
    return content[:6] in (b"GIF87a", b"GIF89a")


def _pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-")


def _plain(content: bytes) -> bool:
    """UTF-8 without control characters; markup is not plain text, because a browser may take it for a page."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if any(unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in text):
        return False
    return re.match(r"[\ufeff\s]*<[!?/a-zA-Z]", text) is None


_FITS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", _png),
    ("image/jpeg", _jpeg),
    ("image/webp", _webp),
    ("image/gif", _gif),
    ("application/pdf", _pdf),
    ("text/plain", _plain),
)
