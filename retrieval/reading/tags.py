"""What the tags of HTML mean for a text: which begin a block, which readers do not see, which end others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

Attributes: TypeAlias = Sequence[tuple[str, str | None]]

MAX_TARGET = 2_000
"""Characters of a link's target; a longer one is left out."""

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
TABLE = frozenset({"table", "tr", "td", "th"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl"}
    | {"dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "html", "legend", "main", "menu", "p"}
    | {"section", "summary", "tbody", "tfoot", "thead"}
)
UNSEEN = frozenset(
    {"audio", "canvas", "datalist", "footer", "iframe", "nav", "noembed", "noframes", "noscript", "object", "select"}
    | {"svg", "template", "textarea", "video"}
)
DROPPED = frozenset({"script", "style"})
"""Their content is no text at all, and is not screened either."""

BOLD = frozenset({"b", "strong", "dt", "summary"})
CODE = frozenset({"code", "kbd", "samp", "tt"})

_P = frozenset({"p"})
_CELL = frozenset({"td", "th", "p"})
_ROW = _CELL | {"tr"}
_GROUP = _ROW | {"thead", "tbody", "tfoot"}
_TERM = frozenset({"dt", "dd", "p"})
ENDS = (
    dict.fromkeys(BLOCKS | HEADINGS | {"ul", "ol", "table", "pre", "hr"}, _P)
    | {"li": _P | {"li"}, "dt": _TERM, "dd": _TERM, "td": _CELL, "th": _CELL, "tr": _ROW}
    | {"thead": _GROUP, "tbody": _GROUP, "tfoot": _GROUP}
)
"""What a tag ends that was left open before it, as in browsers."""

_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0+)?(?:;|!|$)|font-size:0(?:[a-z%]*)(?:;|!|$)"
)
_NO_TARGET = re.compile(r"\s*(?:#|javascript:|data:|vbscript:|$)", re.IGNORECASE)


def value(attributes: Attributes, name: str) -> str:
    """The content of an attribute; empty when it is not there."""
    return next((content or "" for found, content in attributes if found == name), "")


def is_hidden(attributes: Attributes) -> bool:
    """Whether an element says itself that nobody sees it."""
    for name, content in attributes:
        if name == "hidden" and (content or "").strip().lower() != "until-found":
            return True
        if name == "style" and content and _HIDING.search("".join(content.lower().split())):
            return True
    return False


def target(address: str) -> str:
    """A link's target as it may stand in Markdown; empty when it leads nowhere."""
    if _NO_TARGET.match(address) or len(address) > MAX_TARGET:
        return ""
    return "".join(address.split()).replace("(", "%28").replace(")", "%29").replace("<", "%3C")
