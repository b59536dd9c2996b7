"""OUT_FOREIGN_PERSONAL_DATA: another person's name, address or account, wherever the model has it from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output import names
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import has_token
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.third_parties import third_parties
from handrail.guardrails.output.values import Kind, Value
from handrail.guardrails.vocabulary import ToolResult

CODE = "OUT_FOREIGN_PERSONAL_DATA"

_PERSONAL_KINDS = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IBAN, Kind.IP})
_NAME = r"[A-Z][a-zà-öø-ÿ]+(?:[-' ][A-Z]\.?(?:[a-zà-öø-ÿ]+)?){0,3}"
_TITLED = re.compile(rf"[MDPFH](?<!\w.)(?:rs?|s|iss|rof|rau|errn?|amilie|am)\.? (?P<name>{_NAME})")
_GIVEN = re.compile(
    r"(?P<given>[A-ZÄÖÜ](?<!\w.)[a-zà-öø-ÿ]+)"
    r"(?=(?P<rest>(?: [A-Z]\.)? (?:(?:von|van|de|der) ){0,2}[A-ZÄÖÜ][a-zà-öø-ÿ]+(?:-[A-ZÄÖÜ]?[a-zà-öø-ÿ]+)?)(?![\w>]))"
)
_POSSESSED = re.compile(
    r"(?:belong(?:s|ed|ing)? to|registered (?:to|for|under)|in the name of|account of|owned by|held by|"
    r"lives? (?:at|in)|"
    r"(?:customer|user|member|owner|holder|colleague|contact|person|patient)(?: is| was|'s name is|:)?|named|called|"
    rf"(?:made|placed|paid|requested|opened|signed|cancelled|changed) by) (?P<name>{_NAME} {_NAME})(?!\w)"
)
_STREET = re.compile(
    r"(?P<name>[0-9](?<!\w.)\d{0,4}[a-z]? (?:[A-Z][\w'.-]{1,30} ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|"
    r"Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Highway|Hwy)(?!\w)|[A-Z](?<!\w.)[a-zà-öø-ÿß]{2,30}"
    r"(?:straße|strasse|str\.|weg|platz|gasse|allee) \d{1,4}[a-z]?(?!\w))"
)
_SSN = re.compile(r"(?P<name>[0-9](?<![\w-].)\d{2}-\d{2}-\d{4}(?![\w-]))")
_BORN = re.compile(
    r"(?i:(?:date of birth|born on|\bdob\b)\W+(?:is |was |: ?)?|birthday(?: is | was |: ?))(?P<name>[\w ,./-]{6,20})"
)
_YOUR_NAME = re.compile(
    r"(?:your|dein|ihr|ihren|deinen) (?:first |last |full |vor|nach)?name(?:,| is| lautet| ist|:)? $", re.IGNORECASE
)
"""The customer is told their own name."""

_PAIR = re.compile(r"[A-Z](?<!\w.)[a-zà-öø-ÿ.]{0,30} [A-Z]")
_PART = re.compile(r"(?<!\w)[A-ZÄÖÜ][a-zà-öø-ÿß]{2,30}(?!\w)")
_THEY = re.compile(r"(?<!\w)(?:he|she|his|her|hers|him)(?!\w)", re.IGNORECASE)
_WENT = re.compile(
    r"(?<!\w)(?:re-?sent|sent|mailed|e-mailed|emailed|went|delivered|on its way)(?!\w).{0,80}"
    r"(?<!\w)(?:your?|the|billing)(?!\w)"
)
"""Words with which a reply says where it sent the customer's own papers."""

_SENT = ("sent_to", "to", "recipient", "delivered_to", "email", "mailed_to")
_BIRTH = re.compile("birth|born|dob|DOB|Birth|Born")


def check(view: View) -> Iterator[Finding]:
    """Personal data that is neither the customer's own nor in a passage."""
    line = view.line
    for value in line.values:
        if value.kind in _PERSONAL_KINDS and _is_foreign_value(view, value):
            yield line.finding(CODE, value.start, value.end, value.kind.value)
    if view.sources.records.found and _tells_what_was_found(view):
        yield line.finding(CODE, 0, len(line.sentence.text), "somebody else's record")
    for start, end in (*_foreign_words(view, line.folded), *third_parties(view)):
        yield line.finding(CODE, start, end, "name or address")


def _tells_what_was_found(view: View) -> bool:
    """Whether the sentence speaks of somebody whom a search found, and says something of what it found.

    The customer may know that somebody and name them; what the company knows of them stays with the company.
    """
    line = view.line
    if line.is_question or "negation" in line.marks:
        return False
    for entry in view.sources.records.found:
        if any(_is_customer(view, name) for name in entry.names):
            continue
        named = {part for name in entry.names for part in _PART.findall(name)}
        if not (_THEY.search(line.folded) or any(has_token(line.folded, part) for part in named)):
            continue
        index = ValueIndex.of(entry.text)
        told = [value for value in line.values if index.holds(value) and not view.sources.customer.holds(value)]
        if told or (content_stems(entry.text) - view.sources.customer_stems) & line.stems:
            return True
    return False


def _is_customer(view: View, name: str) -> bool:
    return any(has_token(own, name) or has_token(name, own) for own in view.sources.evidence.own)


def _is_foreign_value(view: View, value: Value) -> bool:
    sources = view.sources
    if (
        sources.customer.holds(value)
        or sources.own.holds(value)
        or any(index.holds(value) for index in sources.public())
        or (value.kind in {Kind.PHONE, Kind.IP} and sources.neutral.holds(value))
    ):
        return False
    if value.kind is Kind.EMAIL:
        if _WENT.search(view.line.plain) and any(_is_sent_to(result, value) for result in sources.evidence.succeeded()):
            return False
        mailbox, _, host = value.keys[0].partition("@")
        company = any(host in index.hosts for index in sources.public())
        return not (company and mailbox in view.wording.disclosure.role_mailboxes)
    return True


def _is_sent_to(result: ToolResult, value: Value) -> bool:
    """Whether a write call that succeeded says that it sent something to this address."""
    content = result.content if isinstance(result.content, dict) else {}
    return any(str(content.get(key, "")).lower() in value.keys for key in _SENT)


def _foreign_words(view: View, text: str) -> Iterator[tuple[int, int]]:
    for shape in _shapes(view, text):
        for match in shape.finditer(text):
            is_told = shape is not _BORN or _tells_a_birthday(view, *match.span("name"))
            if is_told and not _is_known(view, match["name"].strip()):
                yield match.span("name")
    for match in _GIVEN.finditer(text) if _may_pair(view, text) else ():
        name = match["given"] + match["rest"]
        if match["given"].lower() in view.wording.records.given_names_set and not _is_known(view, name):
            yield match.start(), match.end("rest")
    for name, lowered in view.sources.others:
        at = text.lower().find(lowered)
        if at >= 0 and has_token(text, name) and not _YOUR_NAME.search(text[:at]) and not _is_own(view, name):
            yield at, at + len(name)
    yield from _parts_of_others(view, text)


def _parts_of_others(view: View, text: str) -> Iterator[tuple[int, int]]:
    for name in view.sources.records.others:
        if not has_token(text, name):
            yield from _parts_of(view, text, name)


def _tells_a_birthday(view: View, start: int, end: int) -> bool:
    """Whether a date stands there that is not the customer's own."""
    sources = view.sources
    return any(
        value.kind is Kind.DATE and not sources.customer.holds(value) and not sources.own.holds(value)
        for value in view.line.values
        if start <= value.start < end
    )


def _parts_of(view: View, text: str, name: str) -> Iterator[tuple[int, int]]:
    """Where the sentence has a part of somebody's name (Mr Onslow of Gareth Onslow) that is no word and not known."""
    for part in _PART.findall(name):
        if part in text and not names.is_ordinary(view, part) and not _is_own(view, part):
            for match in re.finditer(rf"(?<![\w-]){re.escape(part)}(?![\w-])", text):
                yield match.span()


def _shapes(view: View, text: str) -> Iterator[re.Pattern[str]]:
    """The shapes of which the sentence has a sign."""
    if view.line.has_digit:
        yield _STREET
        yield _SSN
    if view.line.has_name_inside:
        yield _TITLED
    if _may_pair(view, text):
        yield _POSSESSED
    if _BIRTH.search(text):
        yield _BORN


def _may_pair(view: View, text: str) -> bool:
    """Whether two words in capitals follow each other."""
    return view.line.has_name_inside and _PAIR.search(text) is not None


def _is_known(view: View, shown: str) -> bool:
    """Whether the words are the customer's own, public, or a part of the customer's matter."""
    return _is_own(view, shown) or has_token(view.sources.records.neutral, shown)


def _is_own(view: View, shown: str) -> bool:
    """Whether the words are the customer's own, or public."""
    evidence = view.sources.evidence
    return (
        has_token(view.sources.customer_text, shown)
        or any(has_token(own, shown) or has_token(shown, own) for own in evidence.own)
        or any(has_token(passage.text, shown) for passage, _ in view.sources.passages)
        or any(has_token(text, shown) for text in evidence.fixed_texts)
    )
