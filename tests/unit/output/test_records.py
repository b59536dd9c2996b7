"""Whose the fields of a tool's result are."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import JsonValue

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import ToolCall, ToolOutcome, ToolResult
from tests.unit.output.corpus import wording

CONTENT: JsonValue = {
    "adviser": "Ms. Feldkamp",
    "branch": "Kiosk Lindner, Hafenstr. 12",
    "branch_phone": "0421 555 0190",
    "pickup_code": "7713",
    "codeword": "Pfirsich",
    "note_internal": "churn risk, sales may offer more",
    "previous_tenant": "Kestner Glasbau",
    "registered": ["Bea Nowak", "Sam Ortiz", "you"],
    "neighbourProject": "halyard-bank, busy",
    "billing_contact": "the accountant on file",
    "recipient": "M. Castellano",
}


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


def codes(reply: str, words: Wording) -> tuple[str, ...]:
    """The codes of a reply that rests on the result above."""
    call = ToolCall(call_id="c", tool="get_record", arguments={})
    result = ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=CONTENT)
    return review(reply, Evidence(now=date(2026, 3, 12), tool_results=(result,)), words).codes


@pytest.mark.parametrize(
    "reply",
    [
        "Ms. Feldkamp is your adviser.",
        "It waits at Kiosk Lindner, Hafenstr. 12.",
        "The branch can be called on 0421 555 0190.",
        "It goes to the accountant on file.",
        "It is addressed to M. Castellano.",
    ],
)
def test_the_matter_itself_may_be_told(reply: str, words: Wording) -> None:
    """Staff, places and the customer's own affairs are no foreign data."""
    assert codes(reply, words) == ()


@pytest.mark.parametrize(
    "reply",
    [
        "Kestner Glasbau lived there before.",
        "Bea Nowak takes part as well.",
        "The project halyard-bank is busier.",
        "Between us, Doris Pahl did not pay.",
    ],
)
def test_other_people_may_not(reply: str, words: Wording) -> None:
    """Fields about others, lists of people, and names that stand nowhere."""
    assert "OUT_FOREIGN_PERSONAL_DATA" in codes(reply, words)


@pytest.mark.parametrize(
    "reply",
    [
        "Your code, by the way, is 7713.",
        "The word is Pfirsich.",
        'Your file says "churn risk, sales may offer more".',
        "The login is mould-team / Brick22.",
    ],
)
def test_what_stays_inside_may_not(reply: str, words: Wording) -> None:
    """Codes that open something, and notes for the staff."""
    assert "OUT_SECRET" in codes(reply, words)
