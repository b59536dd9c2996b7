"""Numbers that a reply works out: sums, differences, products and shares of numbers that stand in its sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, pairwise, product

from handrail.guardrails.output.amounts import (
    LENGTHS,
    SMALLEST,
    Amount,
    Way,
    amounts,
    combined,
    is_rounded,
    is_same,
    readings,
)
from handrail.guardrails.output.clock import hour_keys, minute_of_day
from handrail.guardrails.output.days import is_age, is_day_of_month, is_year, numbered_days
from handrail.guardrails.output.known_days import days_of_passages, known_days, said_before
from handrail.guardrails.output.nearby import MOST, Nearby
from handrail.guardrails.output.units import MONEY, in_base
from handrail.guardrails.output.values import Form, Kind, Value

_ASKED = 6
"""Numbers of the customer's last message that count like those of the reply."""

_FACTORS = re.compile(
    r"(?<!\w)(?:(?P<two>twice|double|both|pair|return|round trip|there and back|hin und zurück|"
    r"beide[nrsm]?|doppelt[a-z]{0,2}|zweimal|zu zweit)|"
    r"(?P<half>half|hälfte|halbe?[nrsm]?)"
    r"|(?P<quarter>a quarter|one quarter|viertel)|(?P<third>one third|a third|two thirds|drittel)"
    r"|(?P<year>(?:per|a|the|whole|full|each|every) year|annual(?:ly)?|yearly|per annum|(?:im|pro|ganze|"
    r"jedes) jahr|jährlich)|(?P<many>thousand|tausend)"
    r"|(?P<quarterly>quarterly|per quarter|quartal)|(?P<prorata>pro rata|prorated|proportionate|"
    r"anteilig\w*)|(?P<hour>an hour|(?:per|every|each) hour|(?:pro|je) stunde|stündlich))(?!\w)"
)
_FACTOR = {"two": 2.0, "half": 0.5, "quarter": 0.25, "third": 1 / 3, "year": 12.0, "many": 1000.0, "quarterly": 3.0}
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|approx\.?|nearly|almost|just (?:under|over)|close to|some|"
    r"circa|ca\.?|over|under|"
    r"more than|less than|well over|a good|etwa|rund|ungefähr|knapp|gut|fast|mehr als|weniger als|über|"
    r"unter)\s(?:[€$£]\s?)?$"
)
_HOUR_RANGE = re.compile(r"\s?(?:-|to|until|till|bis)\s?\d{1,2}(?!\w)")
_AT_HOUR = re.compile(
    r"(?:from|between|until|till|by|at|after|before|to|and|-|ab|bis|nach|vor|um|von|zwischen|und|gegen|"
    r"about|around)\s?$"
)
_CUES: Mapping[Way, re.Pattern[str]] = {
    Way.SUM: re.compile(
        r"[+]|(?<!\w)(?:total|totals|altogether|together|in all|sum|adds? up|plus|on top|more|zusammen|"
        r"insgesamt|summe|zuzüglich|"
        r"mehr|obendrauf)(?!\w)"
    ),
    Way.DIFFERENCE: re.compile(
        r"(?<!\w)(?:leaves?|left|remain\w*|difference|minus|less|sav(?:e|es|ed|ing)|cheaper|dearer|fewer|"
        r"increase\w*|raise|rise|other|rest|excess|beyond|to go|more|short|over|drops?|"
        r"reduc\w+|bleib\w+|übrig|verbleib\w+|differenz|spar\w+|abzüglich|günstiger|teurer|weniger|mehr|"
        r"fehl\w+|sinkt|too \w+|instead|statt|zu (?:groß|hoch|lang|breit|schwer|klein|kurz))(?!\w)"
    ),
    Way.PRODUCT: re.compile(
        r"[=×]|(?<!\w)(?:x|times|twice|double|both|half|each|per|every|comes? to|makes|that's|that is|"
        r"would be|it'd be|for|"
        r"rather than|instead of|je|pro|jeweils|mal|\w+mal|doppelt\w*|macht|ergibt|ergeben|wäre|wären|"
        r"das sind|für)(?!\w)"
    ),
    Way.DIVISION: re.compile(
        r"[÷]|\d\s?/\s?\d|(?<!\w)(?:each|apiece|per|every|half|quarter|third|split|divided|equal|instal?ments?|shared?|monthly|"
        r"an? (?:month|week|"
        r"day|year|night|head|piece|person|item|ticket|unit)|pro rata|rather than|"
        r"je|pro|hälfte|viertel|drittel|geteilt|anteilig|monatlich|im monat|fits?|enough|covers?|reicht?)(?!\w)"
    ),
}
_JOINED = re.compile(r"(?<!\w)(?:and|with|und|mit|incl\w*|inkl\w*)(?!\w)")
_RANGE = re.compile(r"(?<![\w.,-])(\d{1,4})\s?(?:-|to|through|bis)\s?(\d{1,4})(?![\w.,-]*\d)")
_EXCEEDS = re.compile(r"(?<!\w)(?:above|over|more than|exceeds?|beyond|mehr als|über)\s\d")
"""A limit that has to be passed by one."""

_RATES = (
    (re.compile(r"(?<!\w)(?:an?|per|every|each|pro|im) (?:year|jahr)|yearly|annual"), "month", 12.0),
    (re.compile(r"(?<!\w)(?:an?|per|every|each|pro|im) (?:month|monat)|monthly"), "month", 1.0),
    (re.compile(r"(?<!\w)(?:an?|per|every|each|pro) (?:week|woche)|weekly|wöchentlich"), "day", 7.0),
    (re.compile(r"(?<!\w)(?:an?|per|every|each|pro|im) (?:day|tag)|daily|each day"), "day", 1.0),
)
"""Words of a rate, and the length of time that one of its periods is."""

_INCLUSIVE = re.compile(r"(?<!\w)(?:from|incl\w*|both|vom|von|inkl\w*|counted)(?!\w)")
"""Words with which the first day of a span counts too."""

_COUNTED = re.compile(r"(?:day|night|week|tag|nacht)\s$")
_JOINT = 6
_INCLUDED = re.compile(r"(?<!\w)(?:to|through|bis|counts?)(?!\w)")
_REMAINS = re.compile(r"(?<!\w)(?:left|remain\w*|until|till|to|over|past|since|full|old|run\w*|bis|seit|noch)(?!\w)")
_AGE = re.compile(r"(?<!\w)(?:aged?|years old|turns?|you're|jahre alt|alter)(?!\w)")
_CHAIN = 4
_EXACT = 3
"""Digits, closing zeros aside, of a number that is not reached by accident."""

_POOL = 12
_LARGEST = 1e7
_ALL = frozenset(Way)
_TOLERANCE = 0.06
_SMALL = 31


def is_worked_out(near: Nearby, value: Value) -> bool:
    """Whether a number follows in one step, or in two among numbers of the reply, from numbers that are sure."""
    if value.form is Form.ORDINAL:
        return is_day_of_month(near, value)
    if value.kind is Kind.DURATION and _is_between_days(near, value):
        return True
    before = near.topic.words[max(0, value.start - 16) : value.start]
    if value.kind is Kind.NUMBER and not value.unit and _is_moment(near, value, before):
        return True
    said = amounts(near.said, MOST)
    about = _ABOUT.search(before) is not None
    told = tuple(one for group in near.topic.groups for one in group.amounts)
    for wanted in readings(value):
        if about and _is_near(wanted, (*said, *told)):
            return True
        for reached in (*_converted(wanted, (*said, *told)), *_reached(near, value, wanted, said)):
            if is_same(wanted, reached) or (about and is_rounded(wanted, reached)):
                return True
    return False


def _converted(wanted: Amount, said: tuple[Amount, ...]) -> Iterator[Amount]:
    """The amounts said that have the unit wanted, whatever unit they are written in (2,304 MB is 2.25 GB)."""
    return (one for one in said if wanted.unit and one.unit == wanted.unit)


def _reached(near: Nearby, value: Value, wanted: Amount, said: tuple[Amount, ...]) -> Iterator[Amount]:
    """Everything that could be meant.

    Two numbers said are combined in any way. One said and one of a source make a product or a share; sums and
    differences with numbers of a source, and those within one, only where the words speak of reckoning. Small bare
    numbers are reached by almost everything, so that they follow only from numbers said.
    """
    told = {way for way, cue in _CUES.items() if cue.search(near.topic.words)}
    ways = _ways(wanted, told)
    currency = wanted.unit or next((one.unit for one in said if one.unit in MONEY), "")
    said = (*said, *_as_money(currency, (one for one in said if one.number % 1)), *_factors(near, value))
    words = near.topic.view.sources.asked
    asked = amounts(words, _ASKED)
    priced = (
        *_as_money(currency, amounts((one for one in words if one.form is Form.DIGITS), _ASKED)),
        *_as_measure(value, (*amounts(words, _ASKED), *said)),
    )
    # A bare number of the customer may be an amount of money, but not all of them belong together.
    narrow = (ways & {*told, Way.PRODUCT}) | {Way.SHARE}
    pairs = [result for one, other in _pairs(wanted, said, said) for result in combined(one, other, ways)]
    pairs += [result for one, other in _pairs(wanted, said, asked) for result in combined(one, other, ways)]
    asked = (*asked, *priced)
    pairs += [result for one, other in _pairs(wanted, said, priced) for result in combined(one, other, narrow)]
    pairs += [
        result
        for one, other in _pairs(wanted, asked, asked)
        if one.number != other.number
        for result in combined(one, other, narrow)
    ]
    yield from pairs
    yield from _chained(said)
    if wanted.unit in LENGTHS:
        yield from _as_lengths(near, wanted, (*said, *asked, *amounts(near.topic.view.sources.own.stated, MOST)))
    if not wanted.unit and wanted.number <= _SMALL:
        yield from _from_neighbours(near)
        if Way.SUM in told or Way.DIFFERENCE in told:
            yield from _differences(near)
            yield from _left_of_three(near)
            if _EXCEEDS.search(near.topic.told):
                yield from (Amount(one.number + 1, "") for one in pairs if not one.unit)
        yield from _spans_of(near)
        return
    known = (*said, *asked)
    yield from _from_groups(near, wanted, known, ways, told)
    if wanted.unit in MONEY or wanted.number % 1:
        for one, other in _pairs(wanted, pairs, known):
            yield from combined(one, other, ways)
    if Way.DIFFERENCE in told:
        yield from _compared(near, wanted, pairs)
        yield from _left_of_three(near)
    if _digits(wanted.number) >= _EXACT and ("=" in near.topic.words or told - {Way.PRODUCT}):
        yield from _in_two_steps(near, wanted, known)


def _from_groups(
    near: Nearby, wanted: Amount, said: tuple[Amount, ...], ways: set[Way], told: set[Way]
) -> Iterator[Amount]:
    """What numbers of sources make, with numbers said or within a sentence of theirs.

    They are many: their sums need a word for it, whatever their units.
    """
    distant = (ways & told) | {Way.SHARE} | (ways & {Way.PRODUCT} if wanted.unit in MONEY else set())
    joined = {Way.SUM} if wanted.unit in MONEY and _JOINED.search(near.topic.words) else set()
    for group in near.topic.groups:
        if not group.is_public:
            yield from _runs(group.amounts)
        known = group.amounts if group.is_public else (*group.amounts, *_as_money(wanted.unit, group.amounts))
        for one, other in _pairs(wanted, known, said):
            yield from combined(one, other, distant)
        within = distant - {Way.PRODUCT, Way.SHARE} if group.is_public else distant
        for one, other in _pairs(wanted, known, known):
            yield from combined(one, other, within | joined)


def _compared(near: Nearby, wanted: Amount, reached: Sequence[Amount]) -> Iterator[Amount]:
    """What is left of an allowance after two steps (20 GB + 1.5 GB - 3.2 GB), and how two prices of a text differ."""
    if wanted.unit in MONEY:
        for passage in near.topic.passages:
            prices = [one for one in amounts(passage.index.stated, MOST) if one.unit == wanted.unit]
            yield from (Amount(abs(one.number - other.number), one.unit) for one, other in combinations(prices, 2))
    elif wanted.unit and wanted.unit != "%" and wanted.unit not in LENGTHS:
        known = {one for group in near.topic.groups for one in group.amounts if one.unit == wanted.unit}
        for one, other in _pairs(wanted, tuple(known), [part for part in reached if part.unit == wanted.unit]):
            yield from combined(one, other, {Way.SUM, Way.DIFFERENCE})


def _pairs(wanted: Amount, ones: Sequence[Amount], others: Sequence[Amount]) -> Iterator[tuple[Amount, Amount]]:
    """Two amounts each that can make one of the unit wanted; within one list every two once."""
    unit = wanted.unit if wanted.unit != "%" else ""
    every = combinations(ones, 2) if ones is others else product(ones, others)
    return (
        pair
        for pair in every
        if not unit
        or unit in {pair[0].unit, pair[1].unit}
        or (unit in MONEY and {"%", ""} == {pair[0].unit, pair[1].unit})
    )


def _ways(wanted: Amount, told: set[Way]) -> set[Way]:
    """How numbers of the reply may be combined: money in any way but a division, the rest as the words say."""
    ways = {Way.SHARE, *told}
    if wanted.unit == "%":
        return {Way.RATIO, Way.DIFFERENCE} if told else {Way.RATIO}
    if wanted.unit not in LENGTHS and (wanted.unit or wanted.number % 1 or wanted.number > _SMALL):
        ways |= {Way.SUM, Way.DIFFERENCE, Way.PRODUCT}
    return ways


def _chained(said: tuple[Amount, ...]) -> Iterator[Amount]:
    """The product of three numbers that are said, of which two are bare (3 x 9 x 20p)."""
    for one, other, third in combinations(said[:_CHAIN], 3):
        units = [part.unit for part in (one, other, third) if part.unit]
        if len(units) <= 1 and min(one.number, other.number, third.number) > 1:
            yield Amount(one.number * other.number * third.number, units[0] if units else "")


def _as_lengths(near: Nearby, wanted: Amount, known: tuple[Amount, ...]) -> Iterator[Amount]:
    """How long something lasts at a rate (6,300 at 700 a year), and the years between two ages."""
    for period, unit, factor in _RATES:
        if unit == wanted.unit and period.search(near.topic.words_before):
            for one, other in combinations(known, 2):
                low, high = sorted((one.number, other.number))
                if low >= SMALLEST and (one.unit == other.unit or not one.unit or not other.unit):
                    yield Amount(high / low * factor, unit)
    if wanted.unit == "month" and _AGE.search(near.topic.words_before):
        bare = [one.number for one in known if not one.unit]
        yield from (Amount(abs(one - other) * 12, "month") for one, other in combinations(bare, 2))


def _in_two_steps(near: Nearby, wanted: Amount, known: tuple[Amount, ...]) -> Iterator[Amount]:
    """What two steps make of any amounts of the reply, the customer, the records and the closest passages.

    They are many, so that only numbers of several digits are looked for among them: no other is hit by accident less.
    """
    pool = dict.fromkeys(
        (
            *known,
            *(one for group in near.topic.groups for one in (*group.amounts, *_as_money(wanted.unit, group.amounts))),
        )
    )
    pool = dict.fromkeys(list(pool)[:_POOL])
    firsts = {
        result
        for one, other in combinations(pool, 2)
        for result in combined(one, other, _ALL)
        if SMALLEST < result.number < _LARGEST
    }
    yield from firsts
    for one in firsts:
        for other in pool:
            yield from combined(one, other, _ALL)


def _runs(known: tuple[Amount, ...]) -> Iterator[Amount]:
    """The sums of three to six amounts that follow each other in a record (the lines of an invoice)."""
    for start in range(len(known)):
        for length in range(3, 7):
            run = known[start : start + length]
            if len(run) == length and len({one.unit for one in run}) == 1:
                yield Amount(sum(one.number for one in run), run[0].unit)


def _left_of_three(near: Nearby) -> Iterator[Amount]:
    """What two amounts of a record leave of a third, the largest (28 days, 19 taken, 4 planned)."""
    for group in near.topic.groups:
        if not group.is_public:
            for three in combinations(group.amounts[: _CHAIN + 2], 3):
                low, middle, high = sorted(three, key=lambda one: one.number)
                if high.number > low.number + middle.number and len({one.unit for one in three}) == 1:
                    yield high._replace(number=high.number - middle.number - low.number)


def _from_neighbours(near: Nearby) -> Iterator[Amount]:
    """What two bare numbers beside each other in the sentence make: two readings and what lies between them."""
    bare = [one for one in amounts(value for value in near.said if value.form is Form.DIGITS) if not one.unit][:_CHAIN]
    for one, other in pairwise(bare):
        if max(one.number, other.number) > _SMALL:
            yield Amount(abs(one.number - other.number), "")


def _spans_of(near: Nearby) -> Iterator[Amount]:
    """How many there are from the first to the last of a range the customer gave (`3 to 7` are five)."""
    for first, last in _RANGE.findall(near.topic.view.sources.last_message):
        yield Amount(float(int(last) - int(first) + 1), "")


def _differences(near: Nearby) -> Iterator[Amount]:
    """What is left or comes together of two counts in a tool's result or the customer's words (limit 10, used 2)."""
    for group in near.topic.groups:
        counts = [one.number for one in group.amounts if not one.unit and one.number < 1000]
        if not group.is_public:
            for one, other in combinations(counts, 2):
                yield Amount(abs(one - other), "")
                yield Amount(one + other, "")


def _as_money(currency: str, known: Iterable[Amount]) -> tuple[Amount, ...]:
    """Bare numbers as amounts of a currency."""
    return tuple(Amount(one.number, currency) for one in known if not one.unit) if currency in MONEY else ()


def _as_measure(value: Value, known: Iterable[Amount]) -> Iterator[Amount]:
    """Bare numbers (58x38x36) as lengths, weights or volumes in the unit of `value`."""
    factor, base = in_base(Decimal(1), value.unit)
    if not value.unit or base == "%" or base in MONEY or base in LENGTHS:
        return iter(())
    return (Amount(one.number * float(factor), base) for one in known if not one.unit)


def _factors(near: Nearby, value: Value) -> Iterator[Amount]:
    for match in _FACTORS.finditer(near.topic.words_before):
        if match.start() < value.end and value.start < match.end():
            continue
        factor = _FACTOR.get(match.lastgroup or "")
        if factor:
            yield Amount(factor, "")
        elif match["hour"]:
            yield Amount(60.0, "minute")
        elif match["prorata"]:
            yield from (Amount(30.0, ""), Amount(31.0, ""))


def _is_near(wanted: Amount, known: Iterable[Amount]) -> bool:
    """Whether a rounded number is close to one that is known and written less round."""
    return any(
        one.unit == wanted.unit
        and abs(one.number - wanted.number) <= _TOLERANCE * one.number
        and _digits(wanted.number) < _digits(one.number)
        for one in known
    )


def _digits(number: float) -> int:
    """How many digits of a number are no closing zeros."""
    return len(f"{number:.10g}".replace(".", "").strip("0"))


def _is_moment(near: Nearby, value: Value, before: str) -> bool:
    """Whether a bare number is an hour of the day, a year, or the hours between two times."""
    return (
        _is_hour(near, value, before)
        or is_year(near, value)
        or is_age(near, value)
        or (_COUNTED.search(before) is not None and _is_count_of_days(near, value))
        or any(str(int(span // 60)) in value.keys for span in _spans(near) if span % 60 == 0)
    )


def _is_count_of_days(near: Nearby, value: Value) -> bool:
    """Whether `night 60` is that of today, or of another known day, since a day that the reply names."""
    known = known_days(near)
    spans = {(other - one).days for one in known.said for other in known.others}
    return any(key.isdigit() and {int(key), int(key) - 1} & spans for key in value.keys)


def _is_hour(near: Nearby, value: Value, before: str) -> bool:
    """`between 8 and 11` for hours that a source writes as 8:00 and 11:00; nights and shifts from hour to hour."""
    if not value.keys[0].isdigit() or value.form is Form.ORDINAL:
        return False
    if _AT_HOUR.search(before) is None and _HOUR_RANGE.match(near.topic.words, value.end) is None:
        return False
    keys = hour_keys(int(value.keys[0])) if len(value.keys[0]) <= 2 else ()
    sources = near.topic.view.sources
    return any(int(key[:2]) in sources.hours or sources.hold(Value(Kind.TIME, 0, 0, (key,))) for key in keys)


def _is_between_days(near: Nearby, value: Value) -> bool:
    """The days, weeks or hours between two moments of which the reply names one."""
    (wanted, *_) = readings(value) or (Amount(0.0, ""),)
    wanted = _with_neighbour(near, value, wanted)
    if _is_in_days(near, wanted):
        return True
    if wanted.unit == "day":
        known = known_days(near)
        ends = (*known.said, *numbered_days(near, known), *said_before(near), *days_of_passages(near))
        spans = {abs((one - other).days) for one in ends for other in (*ends, *known.others)}
        if _INCLUSIVE.search(near.topic.words):
            spans |= {span + 1 for span in spans}
        return wanted.number in spans
    if wanted.unit == "month":
        known = known_days(near)
        if _REMAINS.search(near.topic.words_before) and any(
            wanted.number - _months(one, other) in ({0, 1} if _INCLUDED.search(near.topic.words) else {0})
            for one in (*known.said, *days_of_passages(near))
            for other in (*known.said, *known.others)
        ):
            return True
        return any(
            one.day == other.day and abs((one.year - other.year) * 12 + one.month - other.month) == wanted.number
            for one in known.said
            for other in (*known.said, *known.others)
        )
    if wanted.unit == "minute":
        return wanted.number in _spans(near)
    return False


def _months(one: date, other: date) -> int:
    """The full months between two days."""
    first, last = sorted((one, other))
    return (last.year - first.year) * 12 + last.month - first.month - ((last + timedelta(days=1)).day < first.day)


def _with_neighbour(near: Nearby, value: Value, wanted: Amount) -> Amount:
    """A length and the one beside it as one: seven weeks and two days, an hour and ten minutes."""
    for other in near.topic.view.line.values:
        if other.kind is Kind.DURATION and 0 < max(other.start - value.end, value.start - other.end) <= _JOINT:
            (beside, *_) = readings(other) or (wanted,)
            if beside.unit == wanted.unit and other.unit != value.unit:
                return Amount(wanted.number + beside.number, wanted.unit)
    return wanted


def _is_in_days(near: Nearby, wanted: Amount) -> bool:
    """Whether a source has the length in days and the reply in hours, or the other way round."""
    if wanted.unit == "day":
        other = Amount(wanted.number * 1440, "minute")
    elif wanted.unit == "minute" and wanted.number % 1440 == 0:
        other = Amount(wanted.number / 1440, "day")
    else:
        return False
    return wanted.number > 0 and any(other in group.amounts for group in near.topic.groups)


def _times_of_tools(near: Nearby) -> list[Value]:
    """The times of day of the tools' results, where they are few enough to belong together."""
    stated = [one for one in near.topic.view.sources.tools.stated if one.kind is Kind.TIME]
    return stated if len(stated) <= _CHAIN else []


def _spans(near: Nearby) -> Iterator[float]:
    """The minutes between times of day that the reply names."""
    times = [*(one for one in near.said if one.kind is Kind.TIME), *_times_of_tools(near)]
    minutes = [minute_of_day(key) for one in times for key in one.keys]
    return (float((other - one) % 1440) for one in minutes for other in minutes if one != other)
