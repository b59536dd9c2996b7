"""Where sentences end."""

from __future__ import annotations

import pytest

from handrail.guardrails.output.sentences import sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It costs 1.5 GB. Fine.", ["It costs 1.5 GB.", "Fine."]),
        ("Open app.fernwell.example now. Then wait.", ["Open app.fernwell.example now.", "Then wait."]),
        ("See e.g. Okta or approx. 5 others.", ["See e.g. Okta or approx. 5 others."]),
        ("Dr. Stein is here.", ["Dr. Stein is here."]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("Do this:\n- one\n- two\nDone.", ["Do this:", "- one", "- two\nDone."]),
        ("Head\n\nBody goes\non here.", ["Head", "Body goes\non here."]),
        ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Wait... what?", ["Wait... what?"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_splitting(text: str, parts: list[str]) -> None:
    """List items, addresses, decimals and abbreviations stay whole; wrapped lines do not end a sentence."""
    assert [sentence.text for sentence in sentences(text)] == parts


def test_offsets_point_into_the_text() -> None:
    """The span of every sentence cuts exactly its text."""
    text = "  First one. \n\n - second\n\n3) third — with “quotes”.  "
    for sentence in sentences(text):
        assert text[sentence.span.start : sentence.span.end] == sentence.text


def test_a_list_item_knows_its_lead() -> None:
    """An item is read together with the line that introduces it, ordinary text after the list is not."""
    found = sentences("I will:\n- refund it\n- waive it\n\nThat is all.")
    assert [sentence.lead for sentence in found] == ["", "I will:", "I will:", ""]


def test_resuming_gives_the_same_sentences() -> None:
    """Splitting from any sentence on gives the rest of the whole splitting."""
    text = "Intro:\n1. One. And more.\n2. Two\n\nLast one. Really."
    whole = sentences(text)
    for at, sentence in enumerate(whole):
        assert sentences(text, sentence) == whole[at + 1 :]
