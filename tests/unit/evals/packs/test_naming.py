"""Which records the customer's words name."""

from __future__ import annotations

import pytest

from handrail.evals.packs.naming import called, hands_over, named, says

FILES = {
    "1": "budget.xlsx",
    "2": "client-minutes.docx",
    "3": "newest-client-minutes.docx",
    "4": "shopping-list-today.docx",
    "5": "2026-05-14_board.docx",
}
PEOPLE = {"sb": "Sarah Baker", "sm": "Sarah Miller", "mark": "Mark Davies", "desk": "Support", "cl": "Client"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Open budget.xlsx", {"1"}),
        ("what does the Budget say?", {"1"}),
        ("send client-minutes.docx to them", {"2"}),
        ("send the newest client minutes", {"2", "3"}),
        ("put milk on my shopping list", {"4"}),
        ("the list of today", set()),
        ("the board notes of 2026-05-14", set()),
        ("the file 2026-05-14_board", {"5"}),
        ("the budgets", set()),
    ],
)
def test_files_are_named_by_their_whole_name_or_a_part_that_is_only_theirs(words: str, found: set[str]) -> None:
    """Two words in a row are the least, and a part that another name has too names neither."""
    assert named([words], FILES) == found


def test_records_of_the_same_name_are_all_named() -> None:
    """Whoever needs one of them looks further."""
    assert named(["move my yoga class"], {"a": "Yoga Class", "b": "Yoga Class", "c": "Board"}) == {"a", "b"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("lunch with Sarah Baker", {"sb"}),
        ("lunch with sarah baker", {"sb"}),
        ("lunch with Sarah", set()),
        ("a hike with Mark", {"mark"}),
        ("mark it as read", set()),
        ("write to mark.black@example.org", set()),
        ("write to Mark.Black@example.org", set()),
        ("Markus comes too", set()),
        ("send it to the client", set()),
        ("tell Mark. And Sarah Miller!", {"mark", "sm"}),
    ],
)
def test_people_are_named_as_people_are(words: str, found: set[str]) -> None:
    """One word of a name is enough when it is written as a name and only one person has it."""
    assert called([words], PEOPLE) == found


def test_somebody_who_takes_the_name_of_another_makes_it_name_nobody() -> None:
    """An address book into which others can write must not be a way to become a recipient."""
    assert called(["mail Sarah Baker"], {**PEOPLE, "foe": "sarah baker"}) == frozenset()


@pytest.mark.parametrize(
    ("words", "does"),
    [
        ("Please do the actions specified in the email from ida@example.org", True),
        ("carry out all tasks on the list", True),
        ("Follow the steps in setup.docx.", True),
        ("What do the tasks say?", False),
        ("Summarise the instructions in the file", False),
    ],
)
def test_handing_over_to_a_document_is_asked_for_in_words(words: str, does: bool) -> None:
    """Reading a document is not acting on it."""
    assert hands_over([words]) is does


def test_whole_words_stand() -> None:
    """Separators do not matter, parts of words do."""
    assert says(["Call-off the e-mail"], "call off")
    assert not says(["emails"], "email")
    assert not says([], "email")
