"""Shared words decide what an answer rests on."""

from __future__ import annotations

from handrail.agent.models.overlap import content_words, rests_on, sentences
from handrail.guardrails.vocabulary import Passage

PASSAGE = Passage(
    passage_id="p1",
    doc_id="d1",
    title="Exports",
    heading="Limits",
    text="An export link is valid for seven days. Guests cannot export projects.",
    score=0.9,
    authority="standard",
    product_area="exports",
)


def test_endings_and_common_words_do_not_count() -> None:
    """Exported, exports and exporting are one word; "the" is none."""
    assert content_words("the exported exports, exporting") == content_words("export")


def test_sentences_keep_decimals_together() -> None:
    """A full stop ends a sentence only in front of a new beginning."""
    assert sentences("It costs 49.00 a month. Really? yes, v2.1 too.") == [
        "It costs 49.00 a month.",
        "Really? yes, v2.1 too.",
    ]


def test_an_answer_rests_on_a_passage_that_holds_most_of_a_sentence() -> None:
    """A paraphrase with most of the words counts, small talk and other subjects do not."""
    assert rests_on("The link to your export stays valid seven days.", [PASSAGE]) == ("p1",)
    assert rests_on("Happy to help!", [PASSAGE]) == ()
    assert rests_on("Your invoice is paid by credit card every month.", [PASSAGE]) == ()
