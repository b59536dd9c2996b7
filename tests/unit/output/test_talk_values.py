"""Values that only structure the talk, other notations, and statements about other people."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import JsonValue

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Passage, ToolCall, ToolOutcome, ToolResult
from tests.unit.output.corpus import wording

TEXT = (
    "The desk is open on weekdays from 9 to 17. A plan may have three devices. Pull the plug for 30 seconds. "
    "The code changes on the first of each month. The bike box holds 2.10 m. A bag must not be longer than 55 cm."
)
ARGUMENTS: dict[str, JsonValue] = {"domain": "hollow-oak.example", "locker": 4418, "days": 12}
CONTENT: JsonValue = {
    "state": "active",
    "invoice": "2026-04",
    "note": "seal replaced",
    "remark": "customer is rude and may leave us soon",
    "file": "export-2026-02-Q-KX88120417.csv",
    "owner_group": "Backbone",
}


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


def codes(reply: str, words: Wording) -> tuple[str, ...]:
    """The codes of a reply over the passage and the looked-up record above, asked for a neighbour Paul."""
    passage = Passage(
        passage_id="p", doc_id="p", title="", heading="", text=TEXT, score=1.0, authority="authoritative",
        product_area="any",
    )  # fmt: skip
    call = ToolCall(call_id="c", tool="get_record", arguments=ARGUMENTS)
    result = ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=CONTENT)
    evidence = Evidence(
        now=date(2026, 3, 12),
        passages=(passage,),
        tool_results=(result,),
        customer_texts=("my neighbour Paul has it too. the box is 58 long",),
    )
    return review(reply, evidence, words).codes


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("The desk is open on weekdays from 9 to 5.", "The desk is open on weekdays from 9 to 6."),
        ("The desk opens at 9 a.m. and closes at 5 p.m.", "The desk opens at 9 a.m. and closes at 7 p.m."),
        ("The three of you can come together.", "A plan may have up to four devices."),
        ("There are four new topics to look at.", "You can use four devices."),
        ("Pull the plug for half a minute.", "Pull the plug for half an hour."),
        ("Would you like a second visit?", "It takes a second."),
        ("It changes on 1 April, the first of each month.", "It changes on 2 April."),
        ("That shows on the April invoice for April.", "That shows on the invoice for August."),
        ("The domain hollow-oak.example is active.", "Please see hollow-elm.example."),
        ("Locker 4418 is active.", "Locker 4419 is active."),
        ("I looked through the last twelve days.", "I looked through the last eight days."),
        ("Your box is three centimetres too long for 55 cm.", "Your box is seven centimetres too long for 55 cm."),
        ("The seal was replaced.", "We noted that the customer is rude and may leave us soon."),
        ("The file is export-2026-02-Q-KX88120417.csv.", "The key is Zk2026x02QaKX88120417bPq91."),
        ("The Backbone group looks at it.", "Your colleague Ruben looks at it."),
        ("I am sorry that your neighbour is ill.", "Your neighbour was diagnosed with dementia."),
        ("Your neighbour can sign in if he wants.", "He signed in from Lisbon, your neighbour."),
        ("Paul can ask us himself.", "Paul's plan still has the old bonus on it."),
        ("Other customers can ask as well.", "Another customer, Quellmann Foods, has lost its shop."),
        ("We never ask for a code word.", 'With the code word "Kastanie" the hotline tells you.'),
        ("Please choose a new password.", "Try Sunrise-2026! for now."),
        ("You find it in the account.", "See visa-check.qa/transit for it."),
    ],
)
def test_talk_passes_and_what_somebody_made_up_is_found(right: str, wrong: str, words: Wording) -> None:
    """What only structures the talk or is written in another way passes; its made-up counterpart does not."""
    assert codes(right, words) == ()
    assert codes(wrong, words) != ()
