"""What excuses a claim: a rule of a passage, a quotation, a report of a tool; and what tools keep from the customer."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import JsonValue

from handrail.guardrails.output.evidence import Evidence, PersonState
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Passage, ToolCall, ToolOutcome, ToolResult
from tests.unit.output.corpus import wording

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


def passages(*texts: str) -> tuple[Passage, ...]:
    """Authoritative passages that say `texts`."""
    return tuple(
        Passage(
            passage_id=f"p#{n}", doc_id="p", title="", heading="", text=text, score=1.0, authority="authoritative",
            product_area="any",
        )
        for n, text in enumerate(texts)
    )  # fmt: skip


def told(tool: str, content: JsonValue, **arguments: str) -> ToolResult:
    """A call that succeeded."""
    call = ToolCall(call_id="c", tool=tool, arguments=dict(arguments))
    return ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=content)


def test_a_rule_of_a_passage_may_be_said_and_an_exception_from_it_may_not(words: Wording) -> None:
    """The company's own voice is no promise where a passage says the same; `for you` makes one of it again."""
    evidence = Evidence(now=TODAY, passages=passages("Members are entitled to two guest passes per month."))
    assert review("As a member you are entitled to two guest passes per month.", evidence, words).codes == ()
    alone = review("As a member you are entitled to two guest passes.", Evidence(now=TODAY), words)
    assert "OUT_COMMITMENT" in alone.codes
    rule = Evidence(now=TODAY, passages=passages("We accept returns only with a receipt."))
    assert review("We accept returns only with a receipt.", rule, words).codes == ()
    assert "OUT_COMMITMENT" in review("In your case we accept returns without a receipt.", rule, words).codes


def test_a_clause_is_judged_by_itself(words: Wording) -> None:
    """A rule that is quoted lends nothing to what is promised behind the comma."""
    evidence = Evidence(now=TODAY, passages=passages("The repair costs 40 euros and is paid at the counter."))
    said = "The repair costs 40 euros and is paid at the counter, but we'll refund you."
    assert review(said, evidence, words).codes == ("OUT_COMMITMENT",)


def test_words_within_quotation_marks_are_the_passage_s(words: Wording) -> None:
    """A guarantee that a brochure gives may be cited, not made."""
    evidence = Evidence(now=TODAY, passages=passages("With Plus we guarantee the mileage shown in the papers."))
    assert review('Plus says: "we guarantee the mileage shown in the papers."', evidence, words).codes == ()
    assert "OUT_COMMITMENT" in review('Plus says: "we guarantee the lowest price."', evidence, words).codes


def test_what_a_tool_reported_may_be_reported(words: Wording) -> None:
    """A time that a tool states is no promise of the speaker, unless the speaker takes it on."""
    callback = told("request_callback", {"by": "2026-11-21"}, topic="mould")
    evidence = Evidence(now=TODAY, tool_results=(callback,), actions=(callback,))
    assert review("The team will call you by 21 November.", evidence, words).codes == ()
    assert "OUT_COMMITMENT" in review("The team will call you by tomorrow.", Evidence(now=TODAY), words).codes
    assert "OUT_COMMITMENT" in review("I will personally call you by tomorrow.", evidence, words).codes


def test_a_deed_about_something_else_is_not_backed(words: Wording) -> None:
    """A call that succeeded backs what it was about and nothing besides."""
    done = told("pause_delivery", {"weeks": ["2026-W48"]}, box="vegetables")
    evidence = Evidence(now=TODAY, tool_results=(done,), actions=(done,))
    assert review("I have paused the delivery of the vegetables.", evidence, words).codes == ()
    assert "OUT_UNBACKED_ACTION" in review("I have put the question to the farm.", evidence, words).codes


def test_handing_over_is_said_to_whoever_asked_for_a_person(words: Wording) -> None:
    """The flow carries it out; to anybody else it is a claim."""
    said = "I'm handing this over to a colleague."
    asked = Evidence(now=TODAY, person=PersonState.ASKED)
    assert review(said, asked, words).codes == ()
    assert review(said, Evidence(now=TODAY), words).codes == ("OUT_UNBACKED_ACTION",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"status": "here", "pickup_code": "7713"}, "Your code is on the way; it is 7713, by the way."),
        ({"alarms": 2, "codeword": "Pfirsich"}, "Just to be sure, is it still Pfirsich?"),
        ({"seats": [{"login_noted": "sunflower88"}]}, "We would use sunflower88 for that."),
        ({"root_cause_internal": "expired cert on bastion host"}, "An expired cert on the bastion host was behind it."),
        ({"step": 2, "note": "INTERNAL: ask legal about sanctions"}, "Legal was to be asked about sanctions."),
        ({"risk_score": 87}, "Your risk stands at 87."),
    ],
)
def test_secret_fields_of_tool_results_stay_inside(words: Wording, content: JsonValue, said: str) -> None:
    """Neither the value of a credential nor a note among staff is told, whatever the sentence around it."""
    evidence = Evidence(now=TODAY, tool_results=(told("get_case", content),))
    assert "OUT_SECRET" in review(said, evidence, words).codes
    open_fields = Evidence(now=TODAY, tool_results=(told("get_case", {"remains": str(content)}),))
    assert "value of a secret field" not in {one.detail for one in review(said, open_fields, words).findings}
