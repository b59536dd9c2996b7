"""Places on the internet: addresses of machines, and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from handrail.guardrails.detect.personal.kind import span_of, words
from handrail.guardrails.vocabulary import Span

_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,41}(?:[0-9]{0,3}\.[0-9]{1,3}){0,3}(?:%\w{1,16})?(?![\w:])")
_VERSION_CUE = re.compile(r"(?:version|release|build|firmware|driver|update|\bv|\bver\.?) ?$", re.IGNORECASE)

# INVARIANT: links are read by one class up to a space, and bare hosts begin at a border and are bounded: linear.
_LINK = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:https?|hxxps?|s?ftps?|wss?|file|ssh|git|ldaps?|smb|rtsp)://|www\.(?=\w))[^\s<>\"`]+",
    re.IGNORECASE,
)
TOPS = frozenset(
    words(
        "com org net edu gov mil int biz info io co app dev ai cloud online shop store site xyz tech eu uk de fr "
        "es it nl be ch at pl se no dk fi ie pt gr cz sk hu ro bg ru ua tr il ae sa za ng ke eg in pk cn jp kr hk "
        "tw sg my id th vn ph au nz us ca mx br ar cl pe uy me tv cc ly gl example test"
    )
)
_SURE = frozenset(
    words("com org net edu gov io co app dev ai cloud online shop biz info xyz uk de fr eu au ca example")
)
_HOST = re.compile(
    r"(?<![\w@.\-/\[])(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,6}(?P<top>[A-Za-z]{2,10})(?![\w@]|\.\w|-\w)"
    r"(?P<rest>(?::[0-9]{2,5})?(?:[/?#][^\s<>\"`]*)?)"
)
_CLOSERS = {")": "(", "]": "[", "}": "{"}


def machines(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses; four numbers behind a word such as "version" are none."""
    for match in _IPV4.finditer(text) if "." in text else ():
        before = text[max(0, match.start() - 10) : match.start()]
        if _is_address(match.group()) and not _VERSION_CUE.search(before):
            yield span_of(match)
    for match in _IPV6.finditer(text) if text.count(":") > 1 else ():
        # A colon of the sentence may follow: "from 2001:db8::1: nothing".
        for found in (match.group(), match.group()[:-1]):
            if found.count(":") >= 2 and sum(c.isalnum() for c in found) >= 3 and _is_address(found):
                yield Span(start=match.start(), end=match.start() + len(found))
                break


def _is_address(found: str) -> bool:
    try:
        ip_address(found)
    except ValueError:
        return False
    return True


def links(text: str) -> Iterator[Span]:
    """Links with a scheme or "www.", and hosts with a well-known ending.

    All of a link is masked, not only its query: paths hold names and numbers as often as queries do, a host may be a
    person's own, and what a log explains it explains by codes and ids.
    """
    if "." not in text and "://" not in text:
        return
    for match in _LINK.finditer(text):
        end = _trimmed(text, match.start(), match.end())
        if end - match.start() > len("http://"):
            yield Span(start=match.start(), end=end)
    for match in _HOST.finditer(text):
        top = match["top"].lower()
        if top in _SURE or (top in TOPS and match["rest"]):
            yield Span(start=match.start(), end=_trimmed(text, match.start(), match.end()))


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a link without the signs of the sentence around it; a bracket stays when it was opened within."""
    opened = {closer: text.count(opener, start, end) for closer, opener in _CLOSERS.items()}
    closed = {closer: text.count(closer, start, end) for closer in _CLOSERS}
    while end > start:
        last = text[end - 1]
        if last in ".,;:!?'*|\\" or (last in _CLOSERS and closed[last] > opened[last]):
            if last in _CLOSERS:
                closed[last] -= 1
            end -= 1
        else:
            break
    return end
