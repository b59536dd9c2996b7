"""What a reply may work out from its sources, and what follows from nothing in them."""

from __future__ import annotations

from datetime import date

import pytest

from handrail.guardrails.output.equations import equations
from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Passage, ToolCall, ToolOutcome, ToolResult
from tests.unit.output.corpus import wording

TODAY = date(2026, 3, 12)  # a Thursday
HELP = (
    "The Team plan costs 9.00 EUR per member and month. Billed monthly it is 11 EUR per member.",
    "A return is accepted within 14 days of delivery. A cancellation is possible 3 working days before the visit.",
    "Shoes are 4 EUR to rent, a harness is 3 EUR. Opening hours are 8:00 to 17:00. Exports are kept for 48 hours.",
    "Der Grundpreis beträgt 12,90 EUR. Die Kündigungsfrist beträgt einen Monat zum Ende der Laufzeit.",
    "Courses take place on the first Saturday of the month. Unused passes expire at the end of the month.",
)


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


def codes(reply: str, words: Wording, *customer: str) -> set[str]:
    """The UNSOURCED codes of a reply over the passages above and one tool result."""
    passages = tuple(
        Passage(
            passage_id=f"p{number}", doc_id="p", title="", heading="", text=text, score=1.0, authority="authoritative",
            product_area="any",
        )
        for number, text in enumerate(HELP)
    )  # fmt: skip
    order = ToolResult(
        call=ToolCall(call_id="c", tool="get_order", arguments={"order": "ZX-4411-B"}),
        outcome=ToolOutcome.SUCCEEDED,
        content={"delivered": "2026-03-05", "visit": "2026-03-24", "amount": "85.00 EUR", "limit": 10, "used": 4,
                 "invoices": [{"paid": True}, {"paid": True}, {"paid": True}, {"paid": False}, {"paid": False}]},
    )  # fmt: skip
    evidence = Evidence(
        now=TODAY, passages=passages, tool_results=(order,), customer_texts=customer or ("What about my 7 members?",)
    )
    return {code for code in review(reply, evidence, words).codes if code.startswith("OUT_UNSOURCED")}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("For 7 members that is 7 x 9 EUR = 63 EUR a month.", "For 7 members that is 7 x 9 EUR = 64 EUR a month."),
        ("Seven members come to 77 euros a month.", "Seven members come to 79 euros a month."),
        ("10 percent of 85 euros is 8.50 euros.", "10 percent of 85 euros is 9.50 euros."),
        ("Shoes and a harness are 7 euros together.", "Shoes and a harness are 8.20 euros together."),
        ("Of the limit of 10 you used 4, so 6 are left.", "Of the limit of 10 you used 4, so 8 are left."),
        ("Three of your five invoices are paid.", "Three of your eight invoices are paid."),
        ("It arrived on March 5, and 14 days later is March 19.", "It arrived on March 5; 14 days later is March 21."),
        ("Die Lieferung war am 5. März, 14 Tage später ist der 19. März.",
         "Die Lieferung war am 5. März, 14 Tage später ist der 22. März."),
        ("You can cancel 3 working days before March 24, so by March 19.",
         "You can cancel 3 working days before March 24, so by March 17."),
        ("The visit on March 24 is in 12 days.", "The visit on March 24 is in 15 days."),
        ("The next course is on Saturday, April 4.", "The next course is on Saturday, April 11."),
        ("Unused passes expire on March 31.", "Unused passes expire on March 29."),
        ("Exports are kept for two days.", "Exports are kept for six days."),
        ("We are open from eight in the morning to 5 pm.", "We are open from eight in the morning to 6 pm."),
        ("Das macht also 12,90 Euro.", "Das macht also 14,95 Euro."),
        ("Your order is zx-4411-b.", "Your order is ZX-4412-B."),
        ("The amount is just under 90 euros.", "The amount is just under 120 euros."),
        ("Today is Thursday, March 12.", "Today is Thursday, March 13."),
    ],
)  # fmt: skip
def test_what_follows_passes_and_what_does_not_is_found(right: str, wrong: str, words: Wording) -> None:
    """A worked-out value passes; the same sentence with another value does not."""
    assert codes(right, words) == set()
    assert codes(wrong, words) != set()


def test_two_values_from_nowhere_do_not_vouch_for_each_other(words: Wording) -> None:
    """Each would follow from the other, and neither from a source."""
    assert codes("It costs 41 euros for one and 82 euros for two.", words) == {"OUT_UNSOURCED_NUMBER"}


def test_days_the_customer_speaks_of_can_be_named(words: Wording) -> None:
    """Next Monday, tomorrow and yesterday are days."""
    assert codes("So Monday, March 16 it is.", words, "can you come next Monday?") == set()
    assert codes("So for March 13.", words, "is there room tomorrow?") == set()
    assert codes("You wrote on March 11.", words, "I wrote yesterday") == set()
    assert codes("So for March 25.", words, "is there room tomorrow?") == {"OUT_UNSOURCED_DATE"}


def test_only_what_stands_near_its_sign_is_part_of_an_equation() -> None:
    """A wrong equation is found far behind others, and a text of nothing else is read in linear time."""
    assert [one.is_right for one in equations("1 = 1, " * 400 + "then 7 x 9 = 64 in all")] == [False]
    assert [one.is_right for one in equations("2 x 3 = 6 " * 20_000)] == [True] * 20_000


@pytest.mark.parametrize("now", [date.min, date.max, date(2024, 2, 29), date(2199, 12, 31)])
def test_no_calendar_is_too_far(now: date, words: Wording) -> None:
    """Days at its ends are checked without an error."""
    reply = "Next Monday, 9999-12-31, is 4000 days after 29 February; that is by the 31st, at the end of the month."
    assert review(reply, Evidence(now=now, customer_texts=("tomorrow, on Friday or by the 31st?",)), words).codes


def test_a_fraction_is_no_year() -> None:
    """Four characters that begin as a year does, and are none."""
    found = review("It takes 19.5 and then 20.1 of them.", Evidence(now=date(2026, 3, 12)), wording())
    assert "OUT_UNSOURCED_NUMBER" in found.codes
