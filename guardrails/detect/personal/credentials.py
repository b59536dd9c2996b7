"""Secrets: passwords, keys, tokens, one-time codes. Whoever holds one can act for its owner."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.detect.personal.kind import mentions, span_of, words
from handrail.guardrails.vocabulary import Span

# INVARIANT: every repetition is bounded or over one class that what follows it cannot match, so that reading is linear.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk)[_\-](?:live|test|proj|ant|or|svcacct|admin)?[_\-]?[A-Za-z0-9_\-]{16,400}"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|gl(?:pat|dt|rt|soat|cbt|"
    r"ptt)-[A-Za-z0-9_\-.]{16,100}"
    r"|xox[abeprs]-[A-Za-z0-9\-]{10,400}|xapp-[0-9]-[A-Za-z0-9\-]{10,250}|(?:AKIA|ASIA|AROA|AIDA|ABIA)[0-9A-Z]{16}"
    r"|AIza[A-Za-z0-9_\-]{30,60}|ya29\.[A-Za-z0-9_\-]{20,400}|GOCSPX-[A-Za-z0-9_\-]{20,60}|whsec_[A-Za-z0-9+/=]{16,100}"
    r"|SG\.[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,64}|(?:SK|AC)[0-9a-f]{32}|key-[0-9a-f]{32}|"
    r"[0-9a-f]{32}-us[0-9]{1,2}"
    r"|(?:npm|hf|gsk|pplx|xai|r8|dapi|fo1|tfp|sbp|secret|ntn|figd|glsa|glc|hvs|hvb|pul|dop_v1|doo_v1|dckr_pat|lin_api|"
    r"shp(?:at|ss|ca|pa)|pscale_tkn|NRAK|HRKU|PMAK|rubygems|pypi|sntrys|EAA[A-Z]|sq0[a-z]{3}|ATATT3|tskey|nvapi|"
    r"vercel|cio|phc|phx|re|pat|bb_api|sl|v1\.0)[_\-.][A-Za-z0-9_\-.=]{18,400}|dapi[0-9a-f]{32}|EAA[A-Za-z0-9]{30,400}"
    r"|[0-9]{8,10}:[A-Za-z0-9_\-]{35}|eyJ[A-Za-z0-9_\-]{8,8000}\.[A-Za-z0-9_\-]{8,8000}(?:\.[A-Za-z0-9_\-]{0,2000}){0,3})"
)
_SOME_TOKEN = re.compile(r"[A-Za-z0-9_\-]{18}|[0-9]:")
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=\s:,\-\\]{0,20000}")
_KEY_LENGTH = 20_000
_URL_LOGIN = re.compile(r"://(?P<value>[^\s:/@\[\]]{0,64}:[^\s/]{1,200})@")
_LOGIN = re.compile(r"(?<=://)[^\s/@\[\]]{20,200}(?=@)")

_CUES = (
    "pass", "pwd", "pin", "key", "secret", "token", "bearer", "code", "cookie", "session", "otp", "auth", "cvv",
    "cvc", "kennwort", "contrase", "senha", "wachtwoord", "clave", "phrase", "sid", "credential", "basic",
)  # fmt: skip
_NAMED_SECRET = re.compile(
    r"(?<![A-Za-z\[])(?P<name>pass ?word|passwort|kennwort|contraseña|mot de passe|senha|wachtwoord|passwd|passphrase|"
    r"pass ?code|pwd|pass(?==)|pin(?: ?code| ?number)?|(?:x[ _\-])?api[ _\-]?key|"
    r"access[ _\-]?key(?:[ _\-]id)?|account[ _\-]?key|"
    r"private[ _\-]?key|license[ _\-]key|shared ?access ?(?:key|signature)|encryption[ _\-]key|"
    r"(?:[a-z]{1,12}_)?secret(?:[ _\-](?:access[ _\-])?key)?|(?:access|api|auth|bearer|refresh|id|csrf|"
    r"session)[ _\-]?token|"
    r"token|bearer|basic|recovery code|backup code|client[ _\-]secret|session[ _\-]?(?:id|key)|sid|phpsessid|"
    r"jsessionid|"
    r"credentials?|sig|auth(?:orization)?)"
    r"(?P<link>[\"'`]?\s?[:=]{1,2}>?\s?| (?:is|was)(?: now| set to)?:? |"
    r"(?P<wide>(?: [a-z]{2,10}){0,4} (?:is|was|to)(?: now)?:? |(?: [a-z]{2,10}){0,3}\?\s{1,3}|, )|"
    r" )(?:(?:bearer|basic|token) )?"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`\[\n]{3,400})(?P=quote)|[\"'`]?(?P<value>[^\s\"'`\[\],;][^\s\"`]{3,4000}))",
    re.IGNORECASE,
)
_ONE_TIME = re.compile(
    r"(?<![\w\[])(?:(?:verification|security|log-?in|sign-?in|one[ \-]time|auth(?:entication|enticator)?|2fa|"
    r"mfa|two[ \-]factor|"
    r"access|sms|recovery|backup|activation|reset|secret|temporary) (?:pass)?codes?|otps?|"
    r"one[ \-]time pass(?:word|code)|"
    r"passcodes?|pin(?: code| number)?|cvv2?|cvc2?|cid|(?:my|the|this|a|your) code|code (?:i got|i received|"
    r"was|is)|card security code)"
    r"(?!\w)(?:\W{0,3}(?:number|is|was|i|got|received|it|it's|says|said|you|sent|me|from|the|sms|app|of|here|"
    r"for|my|card|account|on|file|record|"
    r"and|still|showing|shows|reads|to|log|in)(?!\w)){0,7}\W{0,4}(?P<value>(?:[A-Za-z]-)?[0-9]{3,4}[ "
    r"\-]?[0-9]{0,6})(?![\w%/]|[.,:][0-9])",
    re.IGNORECASE,
)
_NO_ONE_TIME = re.compile(
    r"(?:error|status|promo|promotion|discount|coupon|voucher|area|zip|postal|post|country|tracking|product|"
    r"dress|source|"
    r"http|response|exit|gift|referral|bar|qr|sort|swift|booking|airport|item|reason)\W{0,2}(?:code)?\W?$",
    re.IGNORECASE,
)
_NEAR_SECRET = re.compile(
    r"(?<![A-Za-z\[])(?:pass ?words?|passphrase|passwort|kennwort|contraseña|senha|wachtwoord|api[ _\-]?key|"
    r"access[ _\-]?key|"
    r"(?:access|api|auth|bearer|refresh)[ _\-]?token|client[ _\-]?secret|secret key)(?![A-Za-z])",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![^\s\"'(>=;])[^\s\"'(<>=\[]{8,200}")
_NEAR_CODE = re.compile(
    r"(?<![\w\[])(?:(?:verification|security|log-?in|sign-?in|one[ \-]time|authentication|2fa|mfa|"
    r"sms) (?:pass)?codes?|otps?|"
    r"passcodes?)(?!\w)[\s\S]{0,45}?(?<![\w.,\-])(?P<value>(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{4,8})(?![\w%/]|"
    r"[.,:\-][0-9])",
    re.IGNORECASE,
)
_REACH = 60
_COOKIE = re.compile(r"cookie\d?\"?: ?(?P<value>[^\s\[][^\n]{3,4000})", re.IGNORECASE)
_PHRASE = re.compile(
    r"(?:seed|recovery|mnemonic|secret|backup) (?:phrase|words?)(?: is| are|:|"
    r"\W){0,3}(?P<value>(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?<![\w\-+/=])(?=[A-Za-z_\-]{0,60}[0-9])[A-Za-z0-9_\-+/=]{24,2000}(?![\w\-+/=])")
_CLASS_CHANGE = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")

_SHORTEST = 8
_FIGURE = re.compile(r"\d")
_SIGN = re.compile(r"[^\w\-/.:#'’]")
_REST = re.compile(r"[^\s\"'(<>=\[.,;:!?)]{0,200}")
_OF_OTHERS = re.compile(
    r"(?:orders?|invoices?|tickets?|cases?|accounts?|ref|reference|bookings?|line|error|zip|customer)\W{0,3}"
    r"(?:(?:number|no|id|is)\W{0,3}){0,2}$",
    re.IGNORECASE,
)

_NOT_A_SECRET = frozenset(
    words(
        "wrong expired reset invalid incorrect forgotten required missing please error hidden rejected accepted "
        "correct changed null none true false string valid gone lost broken unknown optional sent here there "
        "failed failure empty blank case authentication authorization page field link email number code protected "
        "manager login access account"
    )
)


def secrets(text: str) -> Iterator[Span]:
    """Passwords and keys behind their names, tokens by their makers' forms, key blocks, logins in links, codes."""
    if "-----BEGIN" in text:
        yield from _key_blocks(text)
    if _SOME_TOKEN.search(text):
        yield from (span_of(match) for match in _TOKEN.finditer(text))
        yield from (span_of(match) for match in _RANDOM.finditer(text) if _is_random(match.group()))
    if "://" in text:
        yield from (span_of(match, "value") for match in _URL_LOGIN.finditer(text))
        yield from (span_of(match) for match in _LOGIN.finditer(text))
    if mentions(text, _CUES):
        yield from _named(text)


def _named(text: str) -> Iterator[Span]:
    for pattern in (_COOKIE, _PHRASE):
        yield from (span_of(match, "value") for match in pattern.finditer(text))
    for match in _NAMED_SECRET.finditer(text):
        group = "value" if match["quoted"] is None else "quoted"
        end = match.end(group) if match["quoted"] is not None else _value_end(match)
        if _is_named_secret(match, text[match.start(group) : end]):
            yield Span(start=match.start(group), end=end)
    yield from _near(text)
    for match in _ONE_TIME.finditer(text):
        if not _NO_ONE_TIME.search(text[max(0, match.start() - 20) : match.start()]):
            yield Span(start=match.start("value"), end=match.start("value") + len(match["value"].rstrip(" -")))


def _near(text: str) -> Iterator[Span]:
    """What looks like a password or a code, with any words between it and its name."""
    for match in _NEAR_SECRET.finditer(text):
        for word in _WORD.finditer(text, match.end(), match.end() + _REACH):
            found = word.group().rstrip(".,;:!?)'}")
            if len(found) >= _SHORTEST and _is_like_password(found):
                # The reach may end within the word.
                yield Span(start=word.start(), end=_word_end(text, word.start() + len(found)))
    for match in _NEAR_CODE.finditer(text):
        if not _OF_OTHERS.search(text[max(0, match.start("value") - 25) : match.start("value")]):
            yield span_of(match, "value")


def _is_like_password(found: str) -> bool:
    """Whether digits stand with capitals and small letters, or with letters and a sign that no product name has."""
    if not _FIGURE.search(found) or "://" in found:
        return False
    lower, upper = found != found.upper(), found != found.lower()
    return (lower or upper) and ((lower and upper) or _SIGN.search(found) is not None)


def _word_end(text: str, end: int) -> int:
    rest = _REST.match(text, end)
    return rest.end() if rest and text[end - 1 : end + 1].isalnum() else end


def _key_blocks(text: str) -> Iterator[Span]:
    last = 0
    for match in _KEY_BEGIN.finditer(text):
        if match.start() < last:
            continue
        closing = text.find("-----END", match.end(), match.end() + _KEY_LENGTH)
        if closing < 0:
            body = _KEY_BODY.match(text, match.end())
            last = body.end() if body else match.end()
        else:
            end = text.find("-----", closing + len("-----END"), closing + 80)
            last = end + len("-----") if end >= 0 else closing + len("-----END")
        yield Span(start=match.start(), end=last)


def _value_end(match: re.Match[str]) -> int:
    """The end of a secret without the signs behind it; between "=" and "&" or ";" stands one field of several."""
    value = match["value"]
    if "=" in match["link"] or match["link"].startswith(("'", '"')):
        value = re.split(r"[,;&']", value, maxsplit=1)[0]
    return match.start("value") + len(value.rstrip(".,;!?')}]"))


def _is_named_secret(match: re.Match[str], value: str) -> bool:
    """Whether "password is ..." goes on with a password and not with "wrong"."""
    link = match["link"].strip()
    if len(value) < 4 or value.lower().rstrip(".") in _NOT_A_SECRET:
        return False
    mixed = any(c.isdigit() for c in value) or any(not c.isalnum() for c in value.strip("-/.:(){}'’"))
    letters, figures = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    if match["wide"] is not None:
        return figures and (letters or any(not c.isalnum() for c in value)) and "://" not in value
    if match["quoted"] is not None or set(link) & {":", "="}:
        return match["name"].lower() not in {"auth", "basic", "sig", "credentials", "sid"} or mixed
    if link:
        return mixed
    # "token Zx81kd02" names a secret; "pin 4-step" or "password reset-link" does not.
    return figures and letters and len(value) >= 8


def _is_random(found: str) -> bool:
    """Whether small letters, capitals and digits alternate as in a drawn key; names and paths keep to one for long."""
    classes = (any(c.islower() for c in found), any(c.isupper() for c in found), sum(c.isdigit() for c in found) > 1)
    return all(classes) and len(_CLASS_CHANGE.findall(found)) * 4 >= len(found)
