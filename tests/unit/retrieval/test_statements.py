from pathlib import Path

import pytest

from handrail.retrieval.checking.statements import Statement, statements
from tests.support.articles import article
from tests.support.bases import base_of


def said(folder: Path, body: str, **front: str) -> tuple[Statement, ...]:
    """The statements of an article."""
    contents = base_of(folder, {"a.md": article("a", body, **front)})
    return statements(contents.passages, contents.card_of)


@pytest.mark.parametrize(
    ("sentence", "measured", "values"),
    [
        ("A refund takes 2 weeks.", "duration minute", ("20160",)),
        ("A refund takes 48 hours.", "duration minute", ("2880",)),
        ("A refund takes 5 business days.", "duration minute", ("7200 working",)),
        ("The pack costs €40 a month.", "money EUR", ("40",)),
        ("You can ask for five links an hour.", "number link", ("5",)),
        ("Files have 1 GB at most.", "number mb", ("1000",)),
        ("Write to help@shop.example about it.", "email", ("help@shop.example",)),
        ("| Seats | 3 |", "number", ("3",)),
    ],
)
def test_values_are_sorted_by_what_they_measure(
    tmp_path: Path, sentence: str, measured: str, values: tuple[str, ...]
) -> None:
    """Lengths of time are comparable whatever their unit, and bare numbers count what the next word names."""
    (statement,) = said(tmp_path, sentence)
    assert statement.values[measured] == values
    assert not any(word.isdigit() for word in statement.words)


@pytest.mark.parametrize("sentence", ["1. Open the settings.", "Choose one of them.", "Open https://shop.example/a."])
def test_numbers_of_steps_pronouns_and_addresses_state_nothing(tmp_path: Path, sentence: str) -> None:
    """Such a sentence is no statement."""
    assert said(tmp_path, sentence) == ()


def test_other_languages_are_not_read(tmp_path: Path) -> None:
    """The stems are English ones."""
    assert said(tmp_path, "Die Rechnung kommt in 5 Tagen.", language="de") == ()
    assert said(tmp_path / "en", "The invoice comes in 5 days.")
