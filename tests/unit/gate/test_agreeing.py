"""What counts as an agreement to a call, and what may take one back."""

import pytest

from handrail.guardrails.gate.agreeing import agrees, takes_back

TOOL = "cancel_subscription"


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes!",
        "yep, go ahead",
        "ok do that please",
        "I confirm",
        "sure, thanks",
        "yes, cancel my subscription please",
        "confirmed.",
        "sounds good",
    ],
)
def test_a_whole_message_of_agreement_agrees(text: str) -> None:
    """Agreeing words, courtesies and the call's own words are an agreement."""
    assert agrees(text, TOOL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "yes?",
        "I confirm that I do not want this",
        "please proceed with nothing",
        "great, I am in a meeting",
        "yes but only half of it",
        "yes, and delete my data",
        "ok, what does it cost",
        "cancel subscription",
        "thanks",
    ],
)
def test_anything_more_is_no_agreement(text: str) -> None:
    """A yes that says more, asks, or hedges agrees to nothing."""
    assert not agrees(text, TOOL)


@pytest.mark.parametrize(
    "text",
    [
        "no, stop, do not cancel it",
        "I changed my mind",
        "I withdraw my request",
        "please stop the cancellation",
        "I want to keep my subscription",
        "never mind",
    ],
)
def test_taking_back_is_read_generously(text: str) -> None:
    """Whatever may be a withdrawal is one: then nothing runs."""
    assert takes_back(text)
    assert not agrees(text, TOOL)
