"""What is read out of a text, and in which normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.evals.replies import AUTHORED, read_replies
from handrail.guardrails.output.extract import extract, extract_signed
from handrail.guardrails.output.fold import fold, lower
from handrail.guardrails.output.signs import ALL
from handrail.guardrails.output.values import Form, Kind

WRITTEN = """
a an half half-an quarter five ten twenty-five thirteen hundred dozen eins ein einen zwei dreißig halb
anderthalb past to after nach vor bis uhr o'clock am pm a.m. p.m. in the morning at night abends früh noon
midnight minutes hour days second stunde stunden tage werktagen week weeks per cent prozent euros eur € $ k
may may. june märz mon tue fri. mo mi do so sat friday montag next week end of day close of business eod cob
tomorrow tonight coming übermorgen nächste kommenden woche 1 7 12 14:30 9am 2026 04 15. 3rd 2nd 1,000.00 49
INV-2041 #12 ord_81 V-339-1182 14a SW1A 1AA 10.0.0.1 v1.2.3 +43 555 0190 www.x.io x.de/a https://y.com a@b.com
4111111111111111 DE89 3704 0044 0532 0130 00 sharp the new year 1h50 1 h 50 E40 LIVE-TEST-OK SL7QX2 p
pence (24/7) + third
"""
NOTATIONS = (" ", " ", " ", "\n", "-", "/", ".", ",", ": ", *WRITTEN.split())
"""Parts of values in all their notations, and what may stand between them."""


def read(text: str) -> list[tuple[Kind, str, str]]:
    """Kind, first normal form and unit of every value."""
    return [(value.kind, value.keys[0], value.unit) for value in extract(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000.00", (Kind.NUMBER, "1000", "")),
        ("1.000,50", (Kind.NUMBER, "1000.5", "")),
        ("1 000 000", (Kind.NUMBER, "1000000", "")),
        ("1'000", (Kind.NUMBER, "1000", "")),
        ("10k", (Kind.NUMBER, "10000", "")),
        ("99.9 %", (Kind.NUMBER, "99.9", "%")),
        ("25 percent", (Kind.NUMBER, "25", "%")),
        ("10GB", (Kind.NUMBER, "10", "gb")),
        ("€49", (Kind.MONEY, "49", "EUR")),
        ("49 EUR", (Kind.MONEY, "49", "EUR")),
        ("49€", (Kind.MONEY, "49", "EUR")),
        ("$1.2k", (Kind.MONEY, "1200", "USD")),
        ("twenty dollars", (Kind.MONEY, "20", "USD")),
        ("a hundred euros", (Kind.MONEY, "100", "EUR")),
        ("14 days", (Kind.DURATION, "14", "day")),
        ("14-day", (Kind.DURATION, "14", "day")),
        ("5 business days", (Kind.DURATION, "5", "day")),
        ("twenty-four hours", (Kind.DURATION, "24", "hour")),
        ("within an hour", (Kind.DURATION, "1", "hour")),
        ("half an hour", (Kind.DURATION, "0.5", "hour")),
        ("\u0664\u0669", (Kind.NUMBER, "49", "")),
        ("\U0001d7d2\U0001d7d7", (Kind.NUMBER, "49", "")),
        ("12 Mar 2026", (Kind.DATE, "2026-03-12", "")),
        ("12th of March 2026", (Kind.DATE, "2026-03-12", "")),
        ("March 12, 2026", (Kind.DATE, "2026-03-12", "")),
        ("2026-03-12", (Kind.DATE, "2026-03-12", "")),
        ("12.03.2026", (Kind.DATE, "2026-03-12", "")),
        ("12 March", (Kind.DATE, "--03-12", "")),
        ("28 Sept", (Kind.DATE, "--09-28", "")),
        ("March 2026", (Kind.DATE, "2026-03", "")),
        ("Friday", (Kind.DATE, "weekday:4", "")),
        ("5pm", (Kind.TIME, "17:00", "")),
        ("17:00", (Kind.TIME, "17:00", "")),
        ("12 a.m", (Kind.TIME, "00:00", "")),
        ("https://App.fernwell.example/a/", (Kind.URL, "app.fernwell.example/a", "")),
        ("www.x.org", (Kind.URL, "x.org", "")),
        ("Bob.O@x.example", (Kind.EMAIL, "bob.o@x.example", "")),
        ("+1 (800) 555-0199", (Kind.PHONE, "005550199", "")),
        ("INV-2041", (Kind.IDENTIFIER, "INV2041", "")),
        ("#W2378156", (Kind.IDENTIFIER, "W2378156", "")),
        ("ord_81fa2", (Kind.IDENTIFIER, "ORD81FA2", "")),
        ("203.0.113.0/27", (Kind.IP, "203.0.113.0/27", "")),
        ("4111 1111 1111 1111", (Kind.CARD, "4111111111111111", "")),
        ("DE89 3704 0044 0532 0130 00", (Kind.IBAN, "DE89370400440532013000", "")),
    ],
)
def test_normal_forms(text: str, expected: tuple[Kind, str, str]) -> None:
    """One value, one normal form, whatever the notation, also inside a sentence."""
    assert read(text) == [expected]
    assert expected in read(f"so it is {text}, they say")


@pytest.mark.parametrize("text", ["one of them", "2FA", "e.g. this", "you may go", "march on", "a month", "SAML", ""])
def test_no_value(text: str) -> None:
    """Words that look like values are none, or harmless ones."""
    assert all(value.form is Form.WORDS for value in extract(text))


def test_a_month_with_a_slip_is_no_month() -> None:
    """Sepember is read as a word, and not as a month that has no number."""
    assert read("28 Sepember") == [(Kind.NUMBER, "28", "")]


def test_a_range_shares_its_unit() -> None:
    """Both ends of 5-10 days are days."""
    assert read("5\u201310 business days") == [(Kind.DURATION, "5", "day"), (Kind.DURATION, "10", "day")]


def test_an_iso_instant_has_a_date_and_a_time() -> None:
    """The T between them hides neither."""
    assert read("2026-03-12T10:05:00Z") == [(Kind.DATE, "2026-03-12", ""), (Kind.TIME, "10:05", "")]


def test_an_ambiguous_date_has_both_readings() -> None:
    """03/04/2026 is the third of April or the fourth of March."""
    assert set(extract("03/04/2026")[0].keys) == {"2026-04-03", "2026-03-04"}


@pytest.mark.parametrize(
    "seed", ["1 ", "a@", "1-", "A1", "1", "a_", "12 march ", "www.", "twenty ", "a-1", "://", ", "]
)
def test_a_large_text_is_read(seed: str) -> None:
    """A megabyte of any repeated text ends, without nested repetition anywhere."""
    extract(seed * (1_000_000 // len(seed)))


def test_a_reader_without_its_sign_has_nothing_to_read() -> None:
    """Readers wait for signs; with every sign set they all run, and find the same values in the authored texts."""
    rows = read_replies(AUTHORED / "a.jsonl")
    passages = (item if isinstance(item, str) else item.text for row in rows for item in row.passages)
    for text in {*(row.reply for row in rows), *passages}:
        folded = fold(text)
        assert extract(text) == extract_signed(folded, lower(folded), ALL), text


@given(st.lists(st.sampled_from(NOTATIONS), min_size=1, max_size=6).map("".join))
def test_no_mix_of_notations_is_read_without_a_sign(text: str) -> None:
    """The same for parts of values in any order, with and without white space between them."""
    folded = fold(text)
    assert extract(text) == extract_signed(folded, lower(folded), ALL)
