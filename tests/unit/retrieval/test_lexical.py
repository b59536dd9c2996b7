from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from handrail.retrieval.lexical import FREQUENT, Fields, LexicalIndex, TermWeights, stem, terms

PASSAGES = [
    TermWeights.of(one)
    for one in (
        Fields("Reset your password", "Steps", "Open the sign-in page and choose forgot password."),
        Fields("Read an invoice", "", "Every invoice has a number such as INV-4821."),
        Fields("Invoices in German", "", "Die Rechnung für Ihre Plätze."),
    )
]


def scores(index: LexicalIndex, query: str) -> NDArray[np.float32]:
    """The scores of all passages, which come out alike both ways where no word is frequent."""
    asked = index.ask(query)
    found = asked.scores(np.arange(index.passages))
    assert np.array_equal(found, asked.proposed())
    return found


def test_the_passage_with_the_words_wins() -> None:
    """Scores lie between 0 and 1, and a passage without a shared word has 0."""
    found = scores(LexicalIndex.build(PASSAGES), "forgot my password")
    assert int(found.argmax()) == 0
    assert 0.0 < float(found[0]) <= 1.0
    assert found[1:].tolist() == [0.0, 0.0]


def test_words_that_stand_nowhere_lower_the_score() -> None:
    """Asking for something else besides makes the match worse."""
    index = LexicalIndex.build(PASSAGES)
    assert scores(index, "password")[0] > scores(index, "password for the coffee machine")[0]


@pytest.mark.parametrize("query", ["", "the of and", "???", "zebra"])
def test_a_query_without_known_words_scores_nothing(query: str) -> None:
    """No division by nothing, no match."""
    assert not scores(LexicalIndex.build(PASSAGES), query).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [("invoices", "invoice"), ("invited", "inviting"), ("cancelled", "cancelling"), ("charges", "charged")],
)
def test_endings_do_not_matter(one: str, other: str) -> None:
    """Forms of one word meet."""
    assert stem(one) == stem(other)


def test_accents_and_case_do_not_matter() -> None:
    """Customers type as they can."""
    assert terms("PLÄTZE Don’t") == terms("plätze don't")


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    """The file gives the same scores."""
    index = LexicalIndex.build(PASSAGES)
    index.save(tmp_path / "words.npz")
    loaded = LexicalIndex.load(tmp_path / "words.npz")
    assert np.array_equal(scores(loaded, "invoice number"), scores(index, "invoice number"))


def test_an_empty_index_can_be_asked(tmp_path: Path) -> None:
    """A base in which everything is in quarantine still answers."""
    LexicalIndex.build([]).save(tmp_path / "words.npz")
    assert scores(LexicalIndex.load(tmp_path / "words.npz"), "invoice").shape == (0,)


def test_restriction_keeps_scores_and_renumbers() -> None:
    """Rows that are taken out are gone; the others score as before, in their new places."""
    index = LexicalIndex.build(PASSAGES)
    full = scores(index, "invoice number password")
    assert np.array_equal(scores(index.restricted_to([1, 2]), "invoice number password"), full[1:])


def test_a_frequent_word_proposes_nothing_beside_another_and_still_counts() -> None:
    """It stands in nearly every passage, so that it costs much and tells little; alone it is all there is."""
    texts = [f"common {'seldom' if row == 5 else 'other'}" for row in range(FREQUENT + 10)]
    index = LexicalIndex.build([TermWeights.of(Fields("", "", text)) for text in texts])
    both, alone = index.ask("common seldom"), index.ask("common")
    assert np.flatnonzero(both.proposed()).tolist() == [5]
    assert float(both.scores(np.array([5]))[0]) > float(both.proposed()[5])
    assert float(both.scores(np.array([0]))[0]) > 0.0
    assert np.count_nonzero(alone.proposed()) == len(texts)


def test_a_document_counts_its_title_once() -> None:
    """However many passages repeat it."""
    parts = [Fields("Invoice", "Tax", "Numbers of the year."), Fields("Invoice", "", "Numbers.")]
    whole = TermWeights.of_document("Invoice", parts)
    assert (whole["invoic"], whole["tax"], whole["number"]) == (2.0, 1.5, 2.0)
