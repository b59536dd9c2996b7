"""OUT_MARKUP: HTML, images, links that load or hide something, and characters that cannot be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.addresses import url_key
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.values import Kind, Value

CODE = "OUT_MARKUP"

_IMAGE = re.compile(r"!\[[^\]\n]{0,500}\]\s?[(\[]")
_LINK = re.compile(r"\]\(\s?<?(?P<target>(?:<[\w-]{1,40}>|[^)\s<>]){1,2000})")
_REFERENCE = re.compile(r"\[[^\]\n]{1,200}\]:\s?(?P<target>\S{1,2000})")
_SCHEME = re.compile(r"(?:javascript|data|vbscript|file|blob):\S", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|lt|gt|colon|tab|newline);", re.IGNORECASE)
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SHAPES = ((_IMAGE, "image"), (_SCHEME, "scheme"), (_ENTITY, "entity"), (_CONTROL, "invisible character"))
_SIGNS = ("<", "![", "](", "]:", "&", ":")


def check(view: View) -> Iterator[Finding]:
    """Every piece of markup in the sentence."""
    text = view.line.sentence.text
    if text.isascii() and text.isprintable() and not any(map(text.__contains__, _SIGNS)):
        return
    for match in view.wording.html.finditer(text):
        if not _is_placeholder(view, text, match):
            yield view.line.finding(CODE, match.start(), match.end(), "html")
    for shape, name in _SHAPES:
        for match in shape.finditer(text):
            yield view.line.finding(CODE, match.start(), match.end(), name)
    for shape in (_LINK, _REFERENCE):
        for match in shape.finditer(text):
            if not _is_known(view, match["target"]):
                yield view.line.finding(CODE, *match.span("target"), "link")


def _is_placeholder(view: View, text: str, match: re.Match[str]) -> bool:
    """Whether a passage has the same bare <word>, as a gap to fill in (`/fernwell new <title>`)."""
    bare = f"{match.group()}>"
    return text.startswith(bare, match.start()) and any(bare in passage.text for passage, _ in view.sources.passages)


def _is_known(view: View, target: str) -> bool:
    """Whether a link leads to an address that a source names."""
    lowered = target.lower()
    if lowered.startswith("mailto:"):
        return view.sources.hold(Value(Kind.EMAIL, 0, 0, (lowered[7:].partition("?")[0],)))
    return view.sources.hold(Value(Kind.URL, 0, 0, (url_key(lowered),)))
