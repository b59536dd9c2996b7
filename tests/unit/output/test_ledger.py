"""What was promised earlier in a conversation: said again it passes, contradicted it is found."""

from __future__ import annotations

from datetime import date

import pytest

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Obligation
from tests.unit.output.corpus import wording

PROMISED = Evidence(now=date(2026, 11, 20), promised=("We will reply to your request within 1 business day.",))


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


def test_a_promise_may_be_said_again(words: Wording) -> None:
    """In its words or in some of them; it is a finding without the promise, and when nothing is allowed."""
    for again in ("We will reply to your request within 1 business day.", "We will reply within one business day."):
        assert review(again, PROMISED, words).codes == ()
        assert "OUT_COMMITMENT" in review(again, Evidence(now=PROMISED.now), words).codes
        withdrawn = PROMISED.model_copy(update={"obligations": (Obligation.NO_COMMITMENTS,)})
        assert "OUT_COMMITMENT" in review(again, withdrawn, words).codes


@pytest.mark.parametrize(
    "said",
    [
        "A reply to your request within 3 business days is usual.",
        "There may be no reply to your request within 1 business day.",
    ],
)
def test_a_promise_is_not_contradicted(words: Wording, said: str) -> None:
    """Another figure or a denial about the same matter is found, however carefully it is worded."""
    details = [finding.detail for finding in review(said, PROMISED, words).findings]
    assert "contradicts an earlier promise" in details


def test_another_matter_is_no_contradiction(words: Wording) -> None:
    """A question about it, or a sentence about something else, is none."""
    for said in ("Did you get no reply to your request within 1 business day?", "Reports are not sent to guests."):
        assert review(said, PROMISED, words).codes == ()
