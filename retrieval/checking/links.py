"""Links inside articles: to other articles of the base by path or id, and to headings.

Addresses of the web, of mail and of files that are no articles are not looked at. A path is taken from the folder of
the article, or from the top of the base where it begins with a slash; `.md` may be left out. An id of a document is a
link too. A heading is named as GitHub does: lower case, spaces as hyphens.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from handrail.guardrails.policy.condition import nearest
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.findings import Code, Finding, Severity, place_of
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.reading.splitter import BELOW, BETWEEN

_CODE = re.compile(r"(```|~~~).*?(?:\1|\Z)|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"(?<![!\\])\[[^\[\]\n]*\]\(\s*<?([^\s()<>]+)>?(?:\s+[\"'(][^\n]*?[\"')])?\s*\)")
_DEFINED = re.compile(r"^[ ]{0,3}\[[^\[\]\n]+\]:\s*<?([^\s<>]+)", re.MULTILINE)
_WIKI = re.compile(r"\[\[([^\[\]|#\n]*)(#[^\[\]|\n]*)?(?:\|[^\[\]\n]*)?\]\]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_DROPPED = re.compile(r"[^\w\- ]")
HINTS = 100
"""Links for which the nearest article is looked for: among many articles that takes long."""

_ARTICLE = (".md", "")
"""Endings of what may be an article."""


@dataclass(frozen=True, slots=True)
class _Link:
    target: str
    heading: str


def broken_links(contents: Contents) -> Iterator[Finding]:
    """A finding for each link to an article or heading that is not in the base."""
    paths = {card.path.removesuffix(".md"): card.doc_id for card in contents.cards}
    anchors = {card.doc_id: _anchors(contents, card) for card in contents.cards}
    hints = HINTS
    for passage in contents.passages:
        card = contents.card_of[passage.doc_id]
        for link in _links(passage.text, passage.heading):
            target, _, anchor = unquote(link.target).partition("#")
            doc_id = _resolve(target, card, paths, contents)
            if doc_id is None:
                hint = (nearest(target, _names(card, contents)) if hints > 0 else "") or "."
                hints -= 1
                yield _finding(card, link, f"The link to {target!r} leads to no article of the base{hint}")
            elif anchor and doc_id not in contents.quarantined and slug(anchor) not in anchors[doc_id]:
                where = "this article" if doc_id == card.doc_id else doc_id
                hint = nearest(slug(anchor), anchors[doc_id]) or "."
                yield _finding(card, link, f"There is no heading {anchor!r} in {where}{hint}")


def slug(heading: str) -> str:
    """The name of a heading in a link."""
    return _DROPPED.sub("", heading.strip().lower()).replace(" ", "-")


def _links(text: str, heading: str) -> Iterator[_Link]:
    prose = _CODE.sub(" ", text)
    for pattern in (_LINK, _DEFINED):
        for match in pattern.finditer(prose):
            target = match[1]
            ending = posixpath.splitext(target.partition("#")[0].partition("?")[0])[1]
            if _SCHEME.match(target) is None and (ending.lower() in _ARTICLE or "/" not in target):
                yield _Link(target, heading)
    for match in _WIKI.finditer(prose):
        yield _Link(f"{match[1].strip()}{match[2] or ''}", heading)


def _resolve(target: str, card: DocumentCard, paths: dict[str, str], contents: Contents) -> str | None:
    """The id of the article that `target` in the article of `card` leads to."""
    if not target:
        return card.doc_id
    if target in contents.card_of:
        return target
    folder = "" if target.startswith("/") else posixpath.dirname(card.path)
    path = posixpath.normpath(posixpath.join(folder, target.lstrip("/"))).removesuffix(".md")
    return paths.get(path)


def _names(card: DocumentCard, contents: Contents) -> set[str]:
    """What a link in the article of `card` may say: ids, and paths from its folder."""
    folder = posixpath.dirname(card.path)
    return {*contents.card_of, *(posixpath.relpath(one.path, folder or ".") for one in contents.cards)}


def _anchors(contents: Contents, card: DocumentCard) -> frozenset[str]:
    """The names of title and headings; a second heading of one name has a number in links, which is left open."""
    headings = {
        part
        for passage in contents.passages_of.get(card.doc_id, ())
        for path in passage.heading.split(BETWEEN)
        for part in path.split(BELOW)
    }
    return frozenset(slug(heading) for heading in (*headings, card.title) if heading)


def _finding(card: DocumentCard, link: _Link, found: str) -> Finding:
    return Finding(
        code=Code.LINK_BROKEN,
        severity=Severity.WARNING,
        places=(place_of(card, heading=link.heading, sentence=link.target),),
        found=found,
        to_do="Correct the link, or remove it.",
    )
