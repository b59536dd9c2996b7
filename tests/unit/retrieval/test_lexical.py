from pathlib import Path

import numpy as np
import pytest

from handrail.retrieval.lexical import Fields, LexicalIndex, stem, terms

PASSAGES = [
    Fields("Reset your password", "Steps", "Open the sign-in page and choose forgot password."),
    Fields("Read an invoice", "", "Every invoice has a number such as INV-4821."),
    Fields("Invoices in German", "", "Die Rechnung für Ihre Plätze."),
]


def test_the_passage_with_the_words_wins() -> None:
    """Scores lie between 0 and 1, and a passage without a shared word has 0."""
    scores = LexicalIndex.build(PASSAGES).scores("forgot my password")
    assert int(scores.argmax()) == 0
    assert 0.0 < float(scores[0]) <= 1.0
    assert scores[1:].tolist() == [0.0, 0.0]


def test_words_that_stand_nowhere_lower_the_score() -> None:
    """Asking for something else besides makes the match worse."""
    index = LexicalIndex.build(PASSAGES)
    assert index.scores("password")[0] > index.scores("password for the coffee machine")[0]


@pytest.mark.parametrize("query", ["", "the of and", "???", "zebra"])
def test_a_query_without_known_words_scores_nothing(query: str) -> None:
    """No division by nothing, no match."""
    assert not LexicalIndex.build(PASSAGES).scores(query).any()


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
    assert np.array_equal(loaded.scores("invoice number"), index.scores("invoice number"))


def test_an_empty_index_can_be_asked(tmp_path: Path) -> None:
    """A base in which everything is in quarantine still answers."""
    LexicalIndex.build([]).save(tmp_path / "words.npz")
    assert LexicalIndex.load(tmp_path / "words.npz").scores("invoice").shape == (0,)


def test_restriction_keeps_scores_and_renumbers() -> None:
    """Rows that are taken out are gone; the others score as before, in their new places."""
    index = LexicalIndex.build(PASSAGES)
    full = index.scores("invoice number password")
    assert np.array_equal(index.restricted_to([1, 2]).scores("invoice number password"), full[1:])
