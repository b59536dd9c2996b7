"""Postal addresses: a house number and a street, a box, a postcode beside a word or a town."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.detect.personal.kind import mentions, span_of, words
from handrail.guardrails.vocabulary import Span

# INVARIANT: every repetition is bounded, and each pattern begins with a digit, a capital or a fixed word: linear.
_WORD = r"[^\W\d_](?:[^\W_]|['’.\-](?=[^\W_])){0,30}\.?"
_UNIT = (
    r"(?:apartment|apt|suite|ste|unit|flat|floor|room|appt|piso|wohnung|whg|building|bldg|#)\.? ?#?[0-9]{1,5}[a-z]?\b"
)
_STREETS = words(
    "street st avenue ave av road rd lane ln boulevard blvd drive dr court ct place pl square sq terrace close "
    "crescent highway hwy parkway pkwy trail circle cir row way gardens grove mews quay walk alley hill rise "
    "estate extension extensions loop pass path parks ridge point plaza forge forges heights island junction "
    "manor mill orchard passage rapids shore shores springs station turnpike union view village ville vista"
)
_SURE_STREETS = frozenset(words("street avenue ave road rd lane blvd boulevard pkwy parkway hwy st crescent terrace"))
_NO_STREETS = frozenset(
    words("in on at to of for from the a my our people days nights hours times and or per is by with")
)
_NUMBERED = re.compile(
    rf"(?<![\w#$€£.,\-/])(?:[0-9]{{1,6}} ){{0,2}}[0-9]{{1,6}}[a-z]?,?[ \n](?:(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|"
    rf"rd|th)) ){{1,4}}?"
    rf"(?P<street>{'|'.join(_STREETS)})(?!\w)(?:\.(?!\s*$))?(?: (?:north|south|east|west|n|s|e|w|nw|ne|sw|se)\b\.?)?",
    re.IGNORECASE,
)
_SURE_TYPES = (
    "rue", "calle", "avenida", "rua", "ulica", "ul.", "chemin", "allée", "viale", "piazza", "travessa", "praça",
    "carrer", "paseo", "aleja", "rruga", "jalan",
)  # fmt: skip
_TYPES = (
    *_SURE_TYPES, "avenue", "boulevard", "impasse", "quai", "via", "corso", "av.", "plaza", "camino", "al.", "jl.",
    "str.", "strada", "bulevardul", "place", "cours", "carretera", "carrera", "quadra", "sq",
)  # fmt: skip
"""Words that a street begins with; those that are sure are read in small letters too."""

_TYPED = re.compile(
    rf"(?<![\w#$€£.,\-/])(?P<before>(?:[0-9]{{1,6}},? ){{1,3}})?(?P<type>{'|'.join(map(re.escape, _TYPES))})(?!\w) ?"
    rf"(?P<street>{_WORD}(?: {_WORD}){{0,4}}? ?)"
    r"(?:,? ?(?:n[°ºo.]{0,2} ?)?(?P<after>[0-9]{1,5}[a-z]?)\b|(?=[,.;\n]|$))",
    re.IGNORECASE,
)
_TYPED_TITLE = re.compile(
    rf"(?<![\w#$€£.,\-/])(?:[0-9]{{1,6}},? ){{1,3}}(?i:{'|'.join(map(re.escape, _TYPES))})(?!\w) ?"
    r"(?:[a-zà-ÿ][\w'’]{0,20} ){0,3}[A-ZÀ-Þ][\w'’\-]{0,30}(?: [A-ZÀ-Þ][\w'’\-]{0,30}){0,3}"
)
_COMPOUND_ENDINGS = words(
    "straße strasse str. weg allee platz gasse damm ring ufer straat laan gracht plein kade dijk singel gade gata "
    "gatan vej vejen vei veien vägen väg gränd gränden stien katu tie kuja polku utca út tér körút köz rkp ulice "
    "tänav skogen bygget stígur braut gatve iela lane brücke vollen kapu graben ova ská"
)
_ALONE = frozenset(words("straße strasse str. tér út útja utca körút köz rkp. ulice katu gata kapu allee platz"))
_COMPOUND = re.compile(
    rf"(?<![\w])(?:[0-9]{{1,6}} ){{0,2}}(?:(?:{_WORD} ){{0,2}}?)(?P<street>[^\W\d_][^\W_]{{0,39}}\.?) "
    rf"(?P<number>[0-9]{{1,5}}[a-z]?)(?![\w%$€:/])",
    re.IGNORECASE,
)
_HOUSE = re.compile(r" [0-9]{1,5}[a-z]?(?![\w%$€:/])", re.IGNORECASE)
_STREET_ENDINGS = (*_COMPOUND_ENDINGS, *_ALONE)
_LONGEST_ENDING = max(map(len, _STREET_ENDINGS))
_STREET_LENGTH = 120
"""Two numbers, two words and the street: what can stand before a house number."""

_BOX = re.compile(
    r"(?<!\w)(?:(?:[0-9]{1,6} )?(?:p\.? ?o\.? ?box|post ?box|postbus|postfach|postboks|apartado(?: postal)?|"
    r"casilla|locked bag|"
    r"gpo box|private bag) ?#?[0-9]{1,6}|(?:psc|unit|cmr) [0-9]{3,5},?\s(?:box) [0-9]{1,5}(?:\s{1,2}(?:APO|DPO|FPO),? "
    r"(?:AA|AE|AP)\s[0-9]{5}(?:-[0-9]{4})?)?|(?:APO|DPO|FPO),? (?:AA|AE|AP)\s[0-9]{5})(?!\w)",
    re.IGNORECASE,
)
_ROOM = re.compile(r"(?<!\w)(?:apartment|apt|suite|ste)\.? ?#?[0-9]{1,5}[a-z]?\b", re.IGNORECASE)
_ROOMED = re.compile(
    rf"(?<![\w#$€£.,\-/])(?:[0-9]{{1,6}} ){{1,2}}(?:{_WORD} ){{1,5}}(?:[0-9]{{1,5}}[a-z]?,? ?)?(?=[\n>? "
    rf"]{{0,8}}{_UNIT})",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<!\w)(?:[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY][0-9][A-Z] ?[0-9][A-Z][0-9]"
    r"|(?:[A-Z][^\W\d_]{1,20} ){0,2}[A-Z][^\W\d_]{1,20}, ?[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?)(?!\w)"
)
_CODE_CUE = re.compile(
    r"(?<![\w\[])(?:zip|zip ?code|post ?code|postal code|postcode|plz|code postal|pin ?code)(?: (?:is|was|of|"
    r"number)|:|,| -){0,2}\s{0,3}"
    r"(?P<value>[A-Z]{0,2}-?[0-9][A-Z0-9]{1,5}(?:[ \-](?:[0-9][0-9A-Z]{1,3}|(?-i:[A-Z]{2}))(?!\w))?)(?!\w)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"(?:[ ,.\n>?|\-]{{1,10}}{_UNIT}){{0,2}}"
    r"(?:(?:[ ,\n>?|]{1,10}[A-ZÀ-ÞĀ-Ž(][^\W\d_]{0,25}(?:['’.)\-][^\W\d_]{0,20})?){0,7}[ ,\n>?|]{1,10}"
    r"[0-9]{3,6}(?:[ \-][0-9]{2,4})?(?![\w\-/.]\w|\w))?"
)
_CUE = re.compile(
    r"(?<![\w\[])(?P<kind>[a-z0-9\-]{0,12} )?address(?:es)?(?: (?:is|was|will be|to|at|with)|:| as|'s)(?: now|"
    r" actually)?:?\s{1,10}(?=\S)|"
    r"(?<![\w\[])(?P<living>i|we|he|she|they)(?:'m| am| are| is)? (?:now |once |currently |used to )?(?:lives?|lived|"
    r"living|moved|reside[sd]?) (?:at|in|to|on) ",
    re.IGNORECASE,
)
_NO_POST = frozenset(words("ip email e-mail mail mac web wallet url site memory btc website crypto"))
_STOP = re.compile(
    r"\n\s*\n|(?<!apt)(?<!\bst)(?<!ave)(?<!\bdr)(?<!\brd)(?<!ste)(?<!\bno)(?<![\s.][a-z])(?<!\d)[.!?;](?=\s|"
    r"$)|\n(?=[^\n]{0,20}:)|"
    r",? (?:and|but|so|please|because|which|not|for|i|can|could|my|instead|from|in case|when|after|before|"
    r"last)(?!\w)|[?!\[{]|\d\.(?=\s|$)",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"(?:(?:the|this|new|same|one|address|of|on|at|in|located|as|my|our|to|following|now|street|is|it|north|south|side|"
    r"corner)\b\W{1,3}){0,8}",
    re.IGNORECASE,
)
_TOWN = re.compile(
    r"(?:[ ,\n>?|]{1,10}[A-ZÀ-ÞĀ-Ž(][^\W\d_]{0,25}(?:['’.)\-][^\W\d_]{0,20}\)?)?){1,7}(?:[ ,\n>?|"
    r"]{1,10}[0-9]{3,6}(?![\w\-/.]\w|\w))?"
)
_ADDRESS_LENGTH = 140
_BOXES = ("box", "postbus", "postfach", "postboks", "apartado", "casilla", "bag", "apo", "dpo", "fpo")
_STREET_CUES = (*(f" {street}" for street in _STREETS),)


def addresses(text: str) -> Iterator[Span]:
    """Streets with numbers in the forms of several languages, boxes, rooms, postcodes, and what "address is" names.

    A town or a country alone is no address: it says where somebody is as "Berlin" does, not which door is theirs.
    """
    found = [Span(start=span.start, end=_tail_end(text, span.end)) for span in _cores(text)]
    if mentions(text, ("apt", "apartment", "suite", "ste")):
        found.extend(Span(start=match.start(), end=_tail_end(text, match.end())) for match in _ROOM.finditer(text))
    found.extend(span_of(match) for match in _POSTCODE.finditer(text))
    if mentions(text, ("zip", "post", "plz", "pin")):
        found.extend(span_of(match, "value") for match in _CODE_CUE.finditer(text))
    if mentions(text, ("address", "live", "living", "move", "reside")):
        found.extend(_cued(text))
    yield from _merged(text, sorted(found, key=lambda span: span.start))


def _tail_end(text: str, end: int) -> int:
    """Where an address ends that goes on behind `end`: rooms, then a town with a postcode, or behind a room a town."""
    tail = _TAIL.match(text, end)
    tail_end = tail.end() if tail else end
    roomed = _ROOM.search(text, max(0, tail_end - 20), tail_end)
    if roomed is None or roomed.end() != tail_end:
        return tail_end
    town = _TOWN.match(text, tail_end)
    return town.end() if town else tail_end


def _merged(text: str, spans: list[Span]) -> Iterator[Span]:
    """Parts of one address as one: spans that overlap, or have nothing but commas and space between them."""
    start, end = -1, -1
    for span in spans:
        if start >= 0 and (span.start <= end or not text[end : span.start].strip(" ,\n>?")) and span.start - end <= 8:
            end = max(end, span.end)
            continue
        if start >= 0:
            yield Span(start=start, end=end)
        start, end = span.start, span.end
    if start >= 0:
        yield Span(start=start, end=end)


def _cores(text: str) -> Iterator[Span]:
    if mentions(text, _BOXES):
        yield from (span_of(match) for match in _BOX.finditer(text))
    if mentions(text, _STREET_CUES):
        for match in _NUMBERED.finditer(text):
            sure = match["street"].lower() in _SURE_STREETS and _NO_STREETS.isdisjoint(match.group().lower().split())
            if sure or _is_title(match.group()):
                yield span_of(match)
    if mentions(text, _TYPES):
        for match in _TYPED.finditer(text):
            sure = match["type"].lower() in _SURE_TYPES or match["street"][0].isupper()
            if sure and (match["before"] or match["after"]):
                yield span_of(match)
        yield from (span_of(match) for match in _TYPED_TITLE.finditer(text))
    yield from _compounds(text)
    if mentions(text, ("apt", "suite", "apartment", "ste ")):
        yield from (span_of(match) for match in _ROOMED.finditer(text))


def _compounds(text: str) -> Iterator[Span]:
    """Streets in one word with a number behind: the cheap question for the number comes first, then the word before."""
    done = 0
    for number in _HOUSE.finditer(text):
        at = number.start()
        if not text[max(done, at - _LONGEST_ENDING) : at].lower().endswith(_STREET_ENDINGS):
            continue
        for match in _COMPOUND.finditer(text, max(done, at - _STREET_LENGTH), number.end()):
            if _is_compound(match["street"], match.group()):
                yield span_of(match)
        done = number.end()


def _is_compound(street: str, found: str) -> bool:
    """Whether a word before a number is a street's name or kind: "Mellemvej 32", "Erzsébet tér 19"."""
    name = street.lower()
    if name in _ALONE:
        return found.lstrip("0123456789 ")[:1].isupper() and " " in found.partition(street)[0].strip() + " "
    return len(name) > 5 and street[0].isupper() and name.endswith(_COMPOUND_ENDINGS)


def _is_title(found: str) -> bool:
    """Whether all words are capitalised, as in "12 High Way"; "5 days on the way" is none."""
    return all(not word[0].isalpha() or word[0].isupper() for word in found.split())


def _cued(text: str) -> Iterator[Span]:
    for cue in _CUE.finditer(text):
        if (cue["kind"] or "").strip().lower() in _NO_POST:
            continue
        found = text[cue.end() : cue.end() + _ADDRESS_LENGTH]
        stop = _STOP.search(found)
        if stop is not None:
            # "12." ends a sentence behind its last digit.
            found = found[: stop.start() + (1 if stop.group()[0].isdigit() else 0)]
        found = found.rstrip(" ,.\n")
        start = cue.end() + _FILLERS.match(found).end()  # type: ignore[union-attr] # it matches nothing too
        # "moved to" is said of versions and plans too.
        if cue["living"] is not None and not found[:1].isdigit():
            continue
        if any(c.isdigit() for c in found) and len(found) > 5 and any(c.isalpha() for c in found) and "@" not in found:
            yield Span(start=start, end=cue.end() + len(found))
