"""National identity, social security and tax numbers: by form and check digits, or behind a word that names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from handrail.guardrails.detect.personal.kind import mentions, span_of
from handrail.guardrails.vocabulary import Span

_SSN = r"(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}"
_NINO = r"(?i:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])(?:[ \-]?[0-9]{2}){3}[ \-]?[A-Da-d]"
_PAN = r"[A-Z]{3}[ABCFGHJLPTK][A-Z][0-9]{4}[A-Z]"
_FORM = re.compile(rf"(?<![\w\-.+])(?=[0-9A-Za-z])(?:{_SSN}|{_NINO}|{_PAN})(?![\w\-])")
"""United States, United Kingdom and the Indian tax number, which have no check digit, or one that is not public."""

_CHECKED: tuple[tuple[str, str], ...] = (
    (
        "it",
        r"(?i:[A-Z]{3} ?[A-Z]{3} ?[0-9L-V]{2} ?[A-EHLMPR-T] ?[0-9L-V]{2} ?[A-Z][0-9L-V]{3} ?[A-Z])",
    ),
    ("mx", r"[A-Za-z]{4}[0-9]{6}[HMhm][A-Za-z]{5}[A-Za-z0-9][0-9]"),
    ("fr", r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9ABab] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
    ("fi", r"[0-9]{6}[\-+A-FU-Y][0-9]{3}[0-9A-Y]"),
    ("dni", r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3})[ \-]?[A-Za-z]"),
    ("nie", r"[XYZxyz][ \-]?[0-9]{7}[ \-]?[A-Za-z]"),
    ("ie", r"[0-9]{7}[A-Wa-w][A-IWa-iw]?"),
    ("ch", r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}"),
    ("be", r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"),
    ("br", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
    ("cl", r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9kK]"),
    ("nl", r"[0-9]{4}\.[0-9]{2}\.[0-9]{3}"),
    ("in", r"[2-9][0-9]{3}[ \-][0-9]{4}[ \-][0-9]{4}"),
    ("de", r"[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}"),
    ("ca", r"[0-9]{3}-[0-9]{3}-[0-9]{3}"),
    ("au", r"[0-9]{3} [0-9]{3} [0-9]{3}"),
    ("se", r"(?:[0-9]{2})?[0-9]{6}[\-+][0-9]{4}"),
    ("cz", r"[0-9]{6}/[0-9]{3,4}"),
    ("kr", r"[0-9]{6}-[1-8][0-9]{6}"),
    ("no", r"[0-9]{6} [0-9]{5}"),
)
"""Numbers that are told by letters or signs in them and by their check digits: the module that checks, and the form."""

# INVARIANT: groups have bounded lengths and no group repeats another, so that reading is linear.
_ANY_FORM = re.compile(
    r"(?<![\w\-.+])(?=[0-9A-Za-z])(?<!\+[0-9] )(?<!\+[0-9]{2} )(?<!\+[0-9]{3} )(?:"
    + "|".join(f"(?P<{name}>{form}(?![\\w\\-]))" for name, form in _CHECKED)
    + ")"
)

_FORMS = tuple((name, re.compile(form)) for name, form in _CHECKED)

_NAMED = (
    "ssn", "social", "itin", "tax", "tin", "nino", "national", "insurance", "nhs", "steuer", "idnr", "ident", "nir",
    "sécu", "secu", "dni", "nie", "nif", "fiscal", "bsn", "burgerservice", "pesel", "person", "cpr", "hetu", "henkil",
    "fødsels", "fodsels", "aadha", "uidai", "pan", "cpf", "tfn", "passport", "licen", "id card", "ahv", "avs", "rut",
    "curp", "pps", "rodn", "sin", "kimlik", "cnp", "rrn", "reisepass", "ausweis", "pasaporte", "passeport",
    "emirates", "nric", "bvn",
)  # fmt: skip
_NAME = (
    r"ssns?|socials?|social security|social insurance|social sec|itin|tin|tax(?:payer)?(?: identification|"
    r" file| payer)?"
    r"(?: id| number| no)|nino|ni(?: number| no)|national insurance|nhs|steuer[\- ]?id(?:entifikationsnummer|nr)?|"
    r"steuerliche identifikationsnummer|steuernummer|idnr|nir|num[ée]ro de s[ée]curit[ée] sociale|"
    r"s[ée]curit[ée] sociale|"
    r"dni|nie|nif|codice fiscale|fiscal code|bsn|burgerservicenummer|pesel|personnummer|person(?:al)? ?nummer|"
    r"personal (?:id|identity|identification)|cpr|hetu|henkilötunnus|f[øo]dselsnummer|aadhaa?r|uidai|pan|cpf|tfn|"
    r"sin(?= number| no|:)|passport|driver'?s? licen[cs]e|drivers? licen[cs]e|driving licen[cs]e|licen[cs]e(?= number)|"
    r"national id|identity card|identity number|id card|citizen id|ahv|avs|rut|curp|ppsn?|rodn[ée] [čc][íi]slo|"
    r"t\.?c\.? kimlik|cnp|rrn|reisepass|personalausweis|ausweis|pasaporte|passeport|emirates id|nric|bvn"
)
_LINK = (
    r"(?:number|numbers|no|nr|num|nummer|card|code|id|is|was|it's|it is|are|as|follows|the|my|for|of|here|to|"
    r"his|her|has|"
    r"been|ending|goes|reads|:|#|=)"
)
_GROUP = r"(?-i:[A-Z]{0,6})[A-Za-z]{0,2}[0-9][A-Za-z0-9]{0,19}"
_CHAIN = rf"(?:(?:\W{{0,3}}{_LINK}(?!\w)){{0,7}}|(?:\W{{1,3}}[^\W\d_]{{1,12}}){{1,4}}?\W{{1,3}}(?:is|was|are|:|=))"
_VALUE = rf"(?:(?-i:[A-Z]{{1,6}})[ .\-])?{_GROUP}(?:[ .\-/+]{{1,2}}(?:{_GROUP}|(?-i:[A-Z]{{1,3}})(?!\w))){{0,6}}"
_CUED = re.compile(
    rf"(?<![\w\[])(?=[a-z])(?:{_NAME})(?![A-Za-z]){_CHAIN}\W{{0,3}}(?P<value>(?<!\w){_VALUE})(?!\w)", re.IGNORECASE
)
_NEAR = re.compile(rf"(?<![\w\[])(?=[a-z])(?:{_NAME})(?![A-Za-z])", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.+\-/])[0-9](?:[ .\-/]?[0-9]){7,13}(?![\w]|[.\-/][0-9])")
_REACH = 60
_BY_LENGTH: dict[int, tuple[str, ...]] = {
    8: ("au", "cl", "nl"),
    9: ("au", "ca", "cl", "cz", "nl", "pt"),
    10: ("cz", "nhs", "se"),
    11: ("be", "br", "de", "it", "no", "pl", "tr"),
    12: ("in", "se"),
    13: ("ch", "kr", "ro", "za"),
    15: ("fr",),
}
"""The countries whose numbers consist of so many digits and nothing else."""

_LEAST_DIGITS = 4


@cache
def _checks() -> dict[str, Callable[[str], bool]]:
    # Imported when a number first has a form that can be checked: most messages have none.
    from stdnum.au import tfn
    from stdnum.be import nn
    from stdnum.br import cpf
    from stdnum.ca import sin
    from stdnum.ch import ssn
    from stdnum.cl import rut
    from stdnum.cz import rc
    from stdnum.de import idnr
    from stdnum.es import dni, nie
    from stdnum.fi import hetu
    from stdnum.fr import nir
    from stdnum.gb import nhs
    from stdnum.ie import pps
    from stdnum.in_ import aadhaar
    from stdnum.it import codicefiscale
    from stdnum.kr import rrn
    from stdnum.mx import curp
    from stdnum.nl import bsn
    from stdnum.no import fodselsnummer
    from stdnum.pl import pesel
    from stdnum.pt import nif
    from stdnum.ro import cnp
    from stdnum.se import personnummer
    from stdnum.tr import tckimlik
    from stdnum.za import idnr as za_idnr

    return {
        "au": tfn.is_valid,
        "be": nn.is_valid,
        "br": cpf.is_valid,
        "ca": sin.is_valid,
        "ch": ssn.is_valid,
        "cl": rut.is_valid,
        "cz": rc.is_valid,
        "de": idnr.is_valid,
        "dni": dni.is_valid,
        "fi": hetu.is_valid,
        "fr": nir.is_valid,
        "ie": pps.is_valid,
        "in": aadhaar.is_valid,
        "it": codicefiscale.is_valid,
        "kr": rrn.is_valid,
        "mx": curp.is_valid,
        "nie": nie.is_valid,
        "nl": bsn.is_valid,
        "no": fodselsnummer.is_valid,
        "nhs": nhs.is_valid,
        "pl": pesel.is_valid,
        "pt": nif.is_valid,
        "ro": cnp.is_valid,
        "se": personnummer.is_valid,
        "tr": tckimlik.is_valid,
        "za": za_idnr.is_valid,
    }


def _is_sound(found: str) -> bool:
    """Whether the check digits are right in any of the forms that `found` has."""
    number = re.sub(r"[ .]", "", found)
    return any(form.fullmatch(found) and _checks()[name](number) for name, form in _FORMS)


def _is_sound_somewhere(found: str) -> bool:
    """Whether digits alone are a number of some country; one of ten is, so this counts behind a word of ids only."""
    number = re.sub(r"[ .\-/]", "", found)
    return any(_checks()[name](number) for name in _BY_LENGTH.get(len(number), ()))


def national_ids(text: str) -> Iterator[Span]:
    """Numbers that a state gives to a person: identity, social security, tax, health, passport, driving licence."""
    yield from (span_of(match) for match in _FORM.finditer(text))
    yield from (span_of(match) for match in _ANY_FORM.finditer(text) if _is_sound(match.group()))
    if mentions(text, _NAMED):
        for match in _CUED.finditer(text):
            if sum(character.isdigit() for character in match["value"]) >= _LEAST_DIGITS:
                yield span_of(match, "value")
        done = 0
        for match in _NEAR.finditer(text):
            for number in _NUMBER.finditer(text, max(done, match.end()), match.end() + _REACH):
                if _is_sound_somewhere(number.group()):
                    yield span_of(number)
                # One that ends with the reach may go on; the next word looks at it again.
                done = number.end() if number.end() < match.end() + _REACH else number.start()
