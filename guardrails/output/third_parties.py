"""What a reply tells about people other than the customer: names nobody has said, and what only records know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.fold import stem
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import has_token

_KIN = (
    "mother|father|sister|brother|son|daughter|husband|wife|partner|parents?|mum|mom|dad|aunt|uncle|cousin|grandmother|"
    "grandfather|niece|nephew|ex|ex-\\w+|fiancée?|flatmate|roommate|neighbou?r|colleague|coworker|boss|friend|landlord|"
    "landlady|tenant|subtenant|guest|cleaner|nurse|driver|teacher|tutor|owner|holder|heir|beneficiary|predecessor|"
    "customer|client|patient|member|user|player|sender|recipient|seller|buyer|caller|witness|applicant|participant|"
    "moderator|employee|trainee|student|pupil|girl|boy|child|lady|man|woman|person|family|account|handle|nickname"
)
_KIN_DE = (
    "mutter|vater|schwester|bruder|sohn|tochter|ehemann|ehefrau|mann|frau|partner(?:in)?|eltern|tante|onkel|cousine?|"
    "großmutter|großvater|oma|opa|nichte|neffe|ex-\\w+|mitbewohner(?:in)?|nachbar(?:in|n)?|kollegin|kollegen?|chefin?|"
    "freund(?:in)?|vermieter(?:in)?|mieter(?:in)?|untermieter(?:in)?|gast|fahrer(?:in)?|inhaber(?:in)?|erb(?:e|in)|"
    "kundin|kunden?|patient(?:in|en)?|mitglied|nutzer(?:in|s)?|spieler(?:in)?|absender(?:in)?|empfänger(?:in)?|"
    "käufer(?:in)?|verkäufer(?:in)?|anrufer(?:in)?|teilnehmer(?:in)?|mitarbeiter(?:in|s)?|schüler(?:in)?|konto"
)
_NAME = (
    r"[A-ZÄÖÜ][a-zà-öø-ÿß]{2,30}(?:[ -][A-ZÄÖÜ][a-zà-öø-ÿć]{1,30})?|[a-z]{2,20}[_.][a-z0-9_]{2,30}|[a-z]{3,20}_?\d{1,4}"
)
_BESIDE = re.compile(
    rf"(?<![\w-])(?:{_KIN}|(?=[A-ZÄÖÜ])(?i:{_KIN_DE}))(?:,| is| was| named| called|'s name is|: ?| heißt|"
    rf" namens)? (?P<name>{_NAME})(?![\w-])"
)
"""A person in words and, right behind, the name: your colleague Ruben, Ihre Kollegin Swantje Moor."""

_FROM_TEAM = re.compile(
    r"(?P<name>[A-ZÄÖÜ](?<!\w.)[a-zà-öø-ÿß]{2,30}(?: [A-ZÄÖÜ][a-zà-öø-ÿß]{2,30})?) "
    r"(?:from|aus) (?:the |der |dem )?(?i:accounting|finance|sales|marketing|payroll|hr|legal|it|purchasing|"
    r"logistics|buchhaltung|vertrieb|einkauf|personal(?:abteilung)?|your (?:street|team|class|group|department|"
    r"company)|"
    r"ihre[rm] (?:straße|team|klasse|gruppe|abteilung|firma))(?!\w)"
)
_LIKE_WORDS = frozenset({
    "mark", "jan", "grace", "jack", "viola", "iris", "heather", "daisy", "lily", "victor", "max", "rosa", "kim", "bea",
    "ole", "ida", "ada", "uta", "kai", "carol", "joan", "sally", "robin", "jean", "gloria", "stella", "victoria",
    "diana",
    "pia", "leo", "will", "may", "june", "april", "august", "hope", "joy", "faith", "ruby", "amber", "art", "bill",
    "frank",
})  # fmt: skip
"""Given names that are words, places or brands as well."""

_STARTS = (
    "mother", "father", "sister", "brother", "son", "daughter", "husband", "wife", "partner", "parent", "mum", "mom",
    "dad",
    "aunt", "uncle", "cousin", "grand", "niece", "nephew", "ex", "fianc", "flatmate", "roommate", "neighb", "colleague",
    "coworker", "boss", "friend", "landl", "tenant", "subtenant", "guest", "cleaner", "nurse", "driver", "teacher",
    "tutor",
    "owner", "holder", "heir", "benefici", "predecessor", "customer", "client", "patient", "member", "user", "player",
    "sender", "recipient", "seller", "buyer", "caller", "witness", "applicant", "participant", "moderator", "employee",
    "trainee", "student", "pupil", "girl", "boy", "child", "lady", "man", "woman", "person", "famil", "account",
    "handle",
    "nickname", "couple", "twins", "household", "kids", "he", "she", "his", "her", "mutter", "vater", "schwester",
    "bruder",
    "sohn", "tochter", "ehe", "frau", "eltern", "tante", "onkel", "groß", "oma", "opa", "nichte", "neffe",
    "mitbewohner",
    "nachbar", "kolleg", "chef", "freund", "vermieter", "mieter", "untermieter", "gast", "gäste", "fahrer",
    "inhaber", "erb",
    "kund", "mitglied", "nutzer", "spieler", "absender", "empfänger", "käufer", "verkäufer", "anrufer", "teilnehmer",
    "mitarbeiter", "schüler", "konto",
)  # fmt: skip
"""Beginnings of the words for people above; without one the sentence tells of nobody else."""

_OFFICES = frozenset({
    "service", "services", "support", "center", "centre", "portal", "team", "office", "desk", "area", "settings",
    "account",
    "manager", "management", "relations", "care", "success", "menu", "page", "plan", "number", "hotline", "bereich",
    "sie", "ihnen", "ihr", "ihre", "ihren", "ihrem", "ihrer", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "january",
    "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember",
})  # fmt: skip
"""Words in capitals that are no names: they make an office of what stands before (customer Support), or are days."""

_ALONE = re.compile(r"(?<=[\w,;:] )(?P<name>[A-ZÄÖÜ][a-zà-öø-ÿ]{2,30})(?![\w-]| [A-ZÄÖÜ])")
_SELF = re.compile(r"(?:i'm|i am|am|name is|bin|heiße) $", re.IGNORECASE)
_STREET_OR_PLACE = re.compile(r"(?:in|at|to|near|st\.|saint|san|santa|bei|nach) $", re.IGNORECASE)

_WHO = re.compile(
    rf"(?<![\w-])(?:(?:your|his|her|their|the|a|another|other) (?:\w+ )?(?:{_KIN})(?:'s|s)?|he|she|his|her|"
    rf"ihr(?:e[mnrs]?)? (?:\w+ )?(?:{_KIN_DE})s?|(?:an|den|der|"
    rf"ein)e?[rnm]? (?:andere[rnms]? )?(?:{_KIN_DE})s?)(?![\w-])"
)
"""Somebody else in words."""

_PRIVATE = re.compile(
    r"(?<!\w)(?P<told>sign(?:s|ed) in|logg?(?:s|ed) in|last (?:seen|active|signed)|(?:has|have|"
    r"had)(?: \w+)? (?:taken|withdrawn|"
    r"subscribed|complained|borrowed|moved|divorced|remarried|ordered|booked|paid|bought)|withdrew|holds? power|"
    r"subscribed|"
    r"earns?|owes?|in arrears|in debt|overdue|wages?|salary|garnish\w*|payslip|diagnos\w+|pregnan\w+|"
    r"miscarriage|sick|ill|"
    r"illness|disease|disabilit\w+|rehab|depress\w+|therapy|addict\w*|hospital\w*|arrest\w*|convict\w*|criminal|"
    r"dismiss\w*|"
    r"fired|divorce\w*|affair|dating|religio\w+|bankrupt\w*|insolven\w*|credit (?:score|rating|check)|gmail|googlemail|"
    r"hotmail|birth ?(?:year|day|date)|born|lives (?:at|in|with|alone)|home address|phone number is|complaints?|"
    r"warnings?|"
    r"(?:has|holds|owns) (?:[€$£] ?)?\d[\d.,]* ?(?:[€$£]|eur|usd|gbp|chf|euros?|dollars?)|(?:takes|gets|pays|"
    r"spends|bought|ordered|booked|paid) [\w €$£.,%]{0,20}\d|bonus|lower rate|"
    r"eingeloggt|angemeldet war|schuld\w*|verschuldet|gehalt|lohn|pfändung|diagnose|schwanger\w*|krank\w*|"
    r"gutachten|demenz|"
    r"fehlgeburt|therapie|vorbestraft|geschieden|verdient|wohnt|insolvenz|schufa|mahnung\w*|gekündigt wurde|abgehoben)"
    r"(?!\w)"
)
"""What only a record could tell of somebody."""

_UNSURE = re.compile(r"(?<!\w)(?:if|whether|unless|in case|ob|wenn|falls)(?!\w)|\?")
_OPEN = re.compile(
    r"(?<!\w)(?:when|once|can|could|may|might|must|should|would|need|needs|please|cannot|can't|not|don't|doesn't|won't|"
    r"isn't|never|no|kann|können|darf|dürfen|muss|müssen|sollte|bitte|nicht|kein\w*|nie)(?!\w)"
)
"""Words with which a clause tells no fact."""

_CLAUSE = re.compile(r"[,;:]|(?<!\w)(?:but|and|aber|und)(?!\w)")
_OTHERS = re.compile(
    r"(?<!\w)(?:another|(?:an|the|some|several|two|three|many)? ?other|previous|former) "
    r"(?:customer|client|patient|guest|tenant|user|member|buyer|owner|caller|participant|neighbou?r)s?(?!\w)"
    r"|(?<!\w)(?:customer|client|patient|guest|tenant|owner|buyer|caller)s? (?:before|ahead of|next to|above|"
    r"below) you(?!\w)"
    r"|(?<!\w)(?:andere[rnms]?|vorige[rn]?|ein weiterer|eine weitere) "
    r"(?:kund(?:e|in|en)|patient(?:in|en)?|gast|gäste|mieter(?:in)?|nutzer(?:in)?|mitglieder?|käufer(?:in)?)(?!\w)"
)
"""Other people the company deals with."""

_HAPPENED = re.compile(
    r"(?<!\w)(?:has|have|had|was|were|left|lost|got|did|took|bought|ordered|booked|reported|complained|paid|asked|"
    r"hat|haben|hatte[n]?|wurde[n]?|war(?:en)?)(?!\w)"
)
_HOUSE = re.compile(
    r"(?<=[^.!?] )(?P<name>[A-ZÄÖÜ][^\W\d_A-Z]{2,30}) (?:girl|boy|family|couple|twins|household|brothers|sisters|kids)"
    r"(?! (?:plan|ticket|card|pass|account|member))(?!\w)"
)
_SYMPATHY = re.compile(
    r"(?<!\w)(?:sorry|hope|wish\w*|condolences|sympathy|get well|glad|congratulations|leid|hoffe\w*|wünsche\w*|beileid|"
    r"besserung|glückwunsch)(?!\w)"
)
_CAPITALS = re.compile(r"[A-ZÄÖÜ][a-zà-öø-ÿ]{2,30}")
_TELLS = Pieces(lambda word: word.startswith(_STARTS))
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_WORD = re.compile(r"[a-zäöüß]{4,}")


def third_parties(view: View) -> Iterator[tuple[int, int]]:
    """Places where the sentence names, or tells of, somebody whom neither the customer nor a source has told of."""
    text = view.line.folded
    plain = text.lower()
    somebody = any(map(_TELLS.__getitem__, plain.split()))
    told = somebody and _may_name(view)
    for shape in (_BESIDE, _FROM_TEAM, _HOUSE) if told or " from " in text or " aus " in text else ():
        for match in shape.finditer(text):
            if match["name"].split()[0].lower() not in _OFFICES and not is_told(view, match["name"]):
                yield match.span("name")
    for match in _ALONE.finditer(text) if view.line.has_name_inside else ():
        name = match["name"].lower()
        if (
            name in view.wording.records.given_names_set
            and name not in _LIKE_WORDS
            and not is_told(view, match["name"])
        ):
            before = text[max(0, match.start("name") - 12) : match.start("name")]
            if not _SELF.search(before) and not _STREET_OR_PLACE.search(before):
                yield match.span("name")
    if somebody or _is_named_by_customer(view):
        yield from _private(view, plain)


def _may_name(view: View) -> bool:
    """Whether anything in the sentence but its first word may be a name, in capitals or of an account."""
    line = view.line
    return line.has_name_inside or line.has_digit or "_" in line.folded or "." in line.folded[:-1]


def _private(view: View, text: str) -> Iterator[tuple[int, int]]:
    """A plain statement about somebody else with a word of private life that no source of the turn has."""
    if _UNSURE.search(text):
        return
    others = _OTHERS.search(text)
    if others is not None and _HAPPENED.search(text, others.end()) and not _is_open(text, others.end()):
        words = {stem(word) for word in _WORD.findall(text[others.start() :])}
        if len(words & view.sources.stems_told) * 2 < len(words):
            yield others.span()
    told = list(_PRIVATE.finditer(text))
    if (
        not told
        or _SYMPATHY.search(text)
        or (_WHO.search(text) is None and others is None and not _is_named_by_customer(view))
    ):
        return
    for match in told:
        words = {stem(word) for word in _WORD.findall(match["told"])}
        if (
            not (words and words <= view.sources.stems_told)
            and not _is_price(view, match["told"])
            and not _is_open(text, match.start())
        ):
            yield match.span("told")


def _is_price(view: View, told: str) -> bool:
    """Whether a passage has the figures of `your son pays 8 euros`: that is the price for everybody."""
    figures = _FIGURE.findall(told)
    return bool(figures) and all(
        any(has_token(passage.text, figure) for passage, _ in view.sources.passages) for figure in figures
    )


def _is_open(text: str, place: int) -> bool:
    """Whether the clause at `place` tells no fact."""
    start = max((match.end() for match in _CLAUSE.finditer(text, 0, place)), default=0)
    end = _CLAUSE.search(text, place)
    return _OPEN.search(text, start, end.start() if end else len(text)) is not None


def _is_named_by_customer(view: View) -> bool:
    """Whether the sentence has the given name of somebody the customer has told of (Nadine's shop gets more)."""
    for match in _CAPITALS.finditer(view.line.folded):
        known = match.group().lower() in view.wording.records.given_names_set
        if known and has_token(view.sources.customer_text, match.group()):
            own = view.sources.evidence.own
            if not any(has_token(one, match.group()) for one in own):
                return True
    return False


def is_told(view: View, name: str) -> bool:
    """Whether any source of the turn has every word of a name."""
    words = [word for word in re.split(r"[ ]", name) if len(word) > 2]
    return bool(words) and all(view.sources.mention(word) or view.sources.was_said(word) for word in words)
