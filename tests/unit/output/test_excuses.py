"""What a person asked for, a condition, a hedge and a modal verb change in what a sentence claims."""

from __future__ import annotations

from datetime import date

import pytest

from handrail.guardrails.output.evidence import Evidence, PersonState
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import Wording
from tests.unit.output.corpus import wording

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def words() -> Wording:
    """The wording of the output policy as it is shipped."""
    return wording()


@pytest.mark.parametrize(
    "sentence",
    [
        "A consultant steps in only after you have sent the form.",
        "Let me try before we trouble a colleague.",
        "Please keep writing with me.",
    ],
)
def test_a_person_put_off_is_found_where_one_was_asked_for(sentence: str, words: Wording) -> None:
    """Soft ways of putting off count after a request for a person, and not without one."""
    asked = review(sentence, Evidence(now=TODAY, person=PersonState.ASKED), words)
    unasked = review(sentence, Evidence(now=TODAY), words)
    assert "OUT_DENIES_PERSON" in asked.codes
    assert "OUT_DENIES_PERSON" not in unasked.codes


def test_a_wish_for_a_profession_is_a_request(words: Wording) -> None:
    """Whoever wants the caretaker to call asked for a person."""
    evidence = Evidence(now=TODAY, customer_texts=("Can the manager call me?",))
    assert "OUT_DENIES_PERSON" in review("You don't need a manager for this.", evidence, words).codes


def test_even_if_and_a_time_are_no_conditions(words: Wording) -> None:
    """`even if` and `after` leave nothing open; `if` does."""
    evidence = Evidence(now=TODAY)
    assert "OUT_COMMITMENT" in review("What you paid after May is returned to you.", evidence, words).codes
    assert "OUT_COMMITMENT" not in review("If it was lost, it is returned to you.", evidence, words).codes


def test_can_hedges_its_own_clause(words: Wording) -> None:
    """`can` elsewhere in the sentence does not soften a deadline."""
    evidence = Evidence(now=TODAY)
    found = review("You can tell the desk, and they will send someone by this afternoon.", evidence, words)
    assert "OUT_COMMITMENT" in found.codes


def test_what_must_have_been_done_was_not_done(words: Wording) -> None:
    """A modal verb before the passive names a condition and no deed."""
    evidence = Evidence(now=TODAY)
    assert "OUT_UNBACKED_ACTION" not in review("The bicycle must have been registered.", evidence, words).codes
    assert "OUT_UNBACKED_ACTION" in review("The bicycle has been registered.", evidence, words).codes


def test_a_reply_with_one_word_changed_is_a_repetition(words: Wording) -> None:
    """A word put for another makes nothing new; another figure does."""
    earlier = "Please restart the router and wait until the light is steady green."
    evidence = Evidence(now=TODAY, earlier_replies=(earlier,))
    again = "Please restart the router and wait till the light is steady green."
    assert "OUT_REPEATED_PASSAGE" in review(again, evidence, words).codes


def test_the_offer_of_a_person_may_come_again(words: Wording) -> None:
    """What the bundle says itself is no repetition, however little is said beside it; an earlier answer still is."""
    offer = "If you would rather talk to a person, just say so."
    earlier = ("Happy to help. What can I do for you?\n\n" + offer, "The import reads lists from a file.\n\n" + offer)
    evidence = Evidence(now=TODAY, earlier_replies=earlier, fixed_texts=(offer,))
    assert review("Bring existing lists into a project.\n\n" + offer, evidence, words).codes == ()
    again = review("The import reads lists from a file.\n\n" + offer, evidence, words).codes
    assert again == ("OUT_REPEATED_PASSAGE",)
