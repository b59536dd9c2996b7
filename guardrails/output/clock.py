"""Times of day in a text, English or German: 17:00, 5 pm, half past two, halb drei, 8 Uhr, noon."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.numerals import SMALL_WORDS
from handrail.guardrails.output.values import Form, Kind, Value

_TIME = re.compile(
    r"(?=[0-9])(?:(?<=\0t)|(?<![\w.:,])(?<![a-z]-))(?:(?P<h1>[01]?\d|"
    r"2[0-3]):(?P<m1>[0-5]\d)(?:z|:[0-5]\d(?:\.\d{1,9})?(?:z|[+-]\d\d:?\d\d)?)?"
    r"(?:\s?(?P<ap1>[ap])\.?m)?|(?P<h2>1[0-2]|0?[1-9])(?:[.:](?P<m2>[0-5]\d))?\s?(?P<ap2>[ap])\.?m(?!\s\d)"
    r"|(?P<h3>[01]?\d|2[0-4])(?:[.:](?P<m3>[0-5]\d))?\s(?:uhr(?:\s(?P<m4>[0-5]\d)(?![\d.]))?|o'clock))(?![a-z\d])"
)
_HOURS = {word: hour for word, hour in SMALL_WORDS.items() if 1 <= hour <= 12} | {"eins": 1, "ein": 1}
_HOUR = "|".join(sorted(_HOURS, key=len, reverse=True))
_MINUTES = {
    "five": 5, "ten": 10, "quarter": 15, "a quarter": 15, "twenty": 20, "twenty-five": 25, "half": 30,
    "viertel": 15, "fünf": 5, "zehn": 10, "zwanzig": 20,
}  # fmt: skip
_PART = (
    r"(?:\s(?P<part>[ap]\.?m|(?:in the )?(?:morning|afternoon|evening)|at night|"
    r"morgens|vormittags|mittags|nachmittags|abends|(?:in der )?frühe?)(?!\w))"
)
_SPOKEN = re.compile(
    rf"(?<![\w-])(?:(?P<minutes>half|a quarter|quarter|twenty-five|twenty|ten|five|viertel|fünf|zehn|zwanzig)"
    rf"(?: minutes| minuten)? (?P<side>past|to|after|nach|vor) (?P<hour>{_HOUR}|midnight|noon|1[0-2]|"
    rf"[1-9])(?![\w.:,]*\d|\w){_PART}?"
    rf"|halb (?P<half>{_HOUR}|1[0-2]|[1-9])(?![\w.:,]*\d|\w){_PART.replace('part', 'part2')}?"
    rf"|(?P<full>{_HOUR}|1[0-2]|[1-9])(?:(?: uhr| o'clock| sharp){_PART.replace('part', 'part3')}?|"
    rf"{_PART.replace('part', 'part4')})"
    r"|(?P<word>noon|midday|midnight|mitternacht))(?!\w)"
)
_HINT = re.compile(
    r"past |(?:ten|ter|nty|ive|alf|tel|ünf|ehn) (?:to|nach|vor) |halb |[a-zäöü\d] (?:uhr|o'clock|sharp)|noon|"
    r"midday|midnight|mitternacht|"
    r"in the (?:morning|afternoon|evening)|at night|[a-z] [ap]\.?m|(?:morgen|mittag|abend)s|früh"
)
_OPEN = re.compile(
    r"(?<![\w.,:/-])(?P<first>[0-2]?\d)\s?(?:-|to|until|till|bis|and|und)\s?(?P<last>[0-2]?\d)"
    r"(?![\w%]|[.,:/-]\d|\s?[€$£%°])(?!\s(?!on |every|daily|uhr|o'clock|and |or |from |mon|tue|wed|thu|fri|sat|"
    r"sun|und |am |an )[a-z])"
)
"""A range of bare numbers with nothing behind that they could count."""

_COUNTS = frozenset({"five", "ten", "twenty", "twenty-five", "fünf", "zehn", "zwanzig"})
_JOINS = frozenset({"to", "after", "vor", "nach"})
_AT = re.compile(r"(?<!\w)(?:at|by|since|till|seit|until|around|about|um|ab|bis|gegen)\s$")
_LATE = ("p", "afternoon", "evening", "night", "nachmittags", "abends", "mittags")


_SIGN = re.compile(r"[0-9]:[0-9]|[0-9][ap]\.?m|^(?:[ap]\.?m(?![a-z0-9])|uhr|o'clock)")
_WORD_SIGN = re.compile(r"noon|midday|midnight|mitternacht")
_BESIDE_HOUR = re.compile(
    r"halb$|^(?:uhr|o'clock|[ap]\.?m(?!\w)|morning|afternoon|evening|night|sharp|morgens|vormittags|mittags|nachmittags|"
    r"abends|früh)"
)
_SIDE = re.compile(r"^(?:past|to|after|nach|vor)$")
_MINUTE = re.compile(r"(?<![\w-])(?:half|quarter|twenty-five|twenty|ten|five|viertel|fünf|zehn|zwanzig)$|^minut")


def has_time_sign(piece: str) -> bool:
    """Whether a piece of a text may belong to a time that `times` reads. INVARIANT: true of one of each time's."""
    return _SIGN.search(piece) is not None


def has_time_word(piece: str) -> bool:
    """The same for `spoken_times`, of words that need no number beside them."""
    return _WORD_SIGN.search(piece) is not None


def stands_beside_hour(piece: str) -> bool:
    """The same for words that stand beside a number in words or digits."""
    return _BESIDE_HOUR.search(piece) is not None


def is_side(piece: str) -> bool:
    """The same for words between minutes and an hour (ten past two)."""
    return _SIDE.search(piece) is not None


def is_minute(piece: str) -> bool:
    """The same for minutes in words."""
    return _MINUTE.search(piece) is not None


def times(text: str) -> Iterator[Value]:
    """Times of day in digits as HH:MM. A second key (7:30 may be 19:30) where neither half of the day is named."""
    for match in _TIME.finditer(text):
        hour = int(match["h1"] or match["h2"] or match["h3"])
        minute = match["m1"] or match["m2"] or match["m3"] or match["m4"] or "00"
        half = match["ap1"] or match["ap2"]
        if half:
            keys: tuple[str, ...] = (f"{_in_half(hour, half == 'p'):02d}:{minute}",)
        else:
            keys = tuple(f"{one % 24:02d}:{minute}" for one in _halves(hour))
        yield Value(Kind.TIME, match.start(), match.end(), keys)


def spoken_times(text: str) -> Iterator[Value]:
    """Times of day in words as HH:MM, with both halves of the day where none is named."""
    if _HINT.search(text) is None:
        return
    for match in _SPOKEN.finditer(text):
        if (
            match["minutes"] in _COUNTS
            and match["side"] in _JOINS
            and not match["part"]
            and not _AT.search(text[max(0, match.start() - 8) : match.start()])
        ):
            # `five to ten` is a range as well.
            continue
        if match["word"]:
            keys: tuple[str, ...] = ("12:00" if match["word"] in {"noon", "midday"} else "00:00",)
        else:
            keys = _spoken_keys(match)
        yield Value(Kind.TIME, match.start(), match.end(), keys, form=Form.WORDS)


def opening_hours(text: str) -> frozenset[int]:
    """The hours (0 to 24) between which something is open by a text that writes them as bare numbers (9 to 17)."""
    found: set[int] = set()
    for match in _OPEN.finditer(text):
        first, last = int(match["first"]), int(match["last"])
        if first < last <= 24:
            found |= {first, last}
    return frozenset(found)


def hour_keys(hour: int) -> tuple[str, ...]:
    """The full hour `hour`, in both halves of the day where it can be either; nothing when it is none."""
    return tuple(f"{one % 24:02d}:00" for one in _halves(hour)) if hour <= 24 else ()


def minute_of_day(key: str) -> int:
    """HH:MM as minutes since midnight."""
    return int(key[:2]) * 60 + int(key[3:])


def time_key(minute: int) -> str:
    """Minutes since midnight as HH:MM; other days wrap around."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def _spoken_keys(match: re.Match[str]) -> tuple[str, ...]:
    named = match["hour"] or match["half"] or match["full"]
    fixed = {"midnight": 0, "noon": 12}.get(named)
    hour = _HOURS.get(named, 0) or int(named) if fixed is None else fixed
    shift = -30 if match["half"] else 0
    if match["minutes"]:
        minutes = _MINUTES[match["minutes"]]
        shift = -minutes if match["side"] in {"to", "vor"} else minutes
    part = match["part"] or match["part2"] or match["part3"] or match["part4"]
    if fixed is not None:
        return (time_key((hour * 60 + shift) % 1440),)
    if part:
        is_late = any(part.startswith(word) or part.endswith(word) for word in _LATE)
        return (time_key((_in_half(hour, is_late) * 60 + shift) % 1440),)
    return tuple(time_key((one * 60 + shift) % 1440) for one in _halves(hour))


def _in_half(hour: int, is_late: bool) -> int:
    if is_late:
        return hour + 12 if hour < 12 else hour
    return 0 if hour == 12 else hour


def _halves(hour: int) -> tuple[int, ...]:
    """The hour as written, and twelve hours later where it may be meant."""
    return (hour, hour + 12) if 1 <= hour <= 12 else (hour,)
