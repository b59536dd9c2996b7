"""The measure of searches tells right from wrong, and its questions are well-formed."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.cli import root, run
from handrail.evals.bench.questions import DAY, SETS, QuestionSet, _strict, measure, table
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.questions import read_questions, scope_of
from handrail.retrieval.scope import admits
from tests.support.articles import article, read, write_articles
from tests.support.hashing_encoder import HashingEncoder

QUESTIONS = """
{"id": "1", "query": "reset the password", "doc_id": "reset"}
{"id": "2", "query": "reset the password", "doc_id": "invoice", "also": ["reset"]}
{"id": "3", "query": "reset the password", "doc_id": "invoice"}
"""
NONE = """
{"id": "1", "query": "zebra crossing"}
{"id": "2", "query": "reset the password"}
"""


def test_only_the_right_article_counts_and_only_silence_is_a_refusal(tmp_path: Path) -> None:
    """The second question has another right answer; the last one of those without an answer is answered."""
    write_articles(
        tmp_path / "articles",
        {
            "a.md": article("reset", "Choose forgot password to reset the password.", "Reset the password"),
            "b.md": article("invoice", "Open billing to read invoices.", "Read invoices"),
            "c.md": article("unread", "Nobody knows for whom.", "For nobody", roles=""),
        },
    )
    (tmp_path / "asked").write_text(QUESTIONS)
    (tmp_path / "none").write_text(NONE)
    one = QuestionSet("small", tmp_path / "articles", tmp_path / "asked", tmp_path / "none")
    told: list[str] = []
    (found,) = measure([one], HashingEncoder(), Calibration(), told.append)
    assert any("c.md (1 in all)" in line for line in told)
    assert (found.first.successes, found.first.n) == (2, 3)
    assert (found.top.successes, found.top.n) == (3, 3)
    assert (found.refused.successes, found.refused.n) == (1, 2)
    assert "2 of 3" in table([found])
    assert found.strict is None  # the same question is asked where it is answered: no threshold tells them apart


def test_the_strict_threshold_refuses_nine_in_ten() -> None:
    """In hundredths; none where nothing has to be refused, or where a score is too high for all."""
    assert _strict([0.1] * 9 + [0.7]) == 0.11
    assert _strict([0.1] * 8 + [0.4, 0.7]) == 0.41
    assert _strict([1.0]) is None
    assert _strict([]) is None


def test_without_all_three_nothing_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a question is no question."""
    arguments = ["bench", "questions", "--articles", str(tmp_path)]
    assert run(lambda: root.main(args=arguments, prog_name="handrail", standalone_mode=False)) == 2
    assert "go together" in capsys.readouterr().err


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.name)
def test_every_right_article_is_there_and_in_scope(one: QuestionSet) -> None:
    """A question whose article its customer cannot see would count as a miss of the search."""
    documents = read(one.articles)
    assert documents.problems == ()
    cards = {document.card.doc_id: document.card for document in documents.documents}
    asked, nothing = read_questions(one.answerable), read_questions(one.unanswerable)
    for question in asked:
        plan = scope_of(question.attributes, DAY)
        assert question.right <= cards.keys(), question.id
        assert any(admits(plan, cards[doc_id]) for doc_id in question.right), question.id
    assert not any(question.right for question in nothing)
    assert len(asked) >= 150
    assert len(nothing) >= 50
