from pathlib import Path

import pytest

from handrail.retrieval.checking.contradictions import Contradiction, contradictions
from handrail.retrieval.documents import DocumentCard
from tests.support.articles import article
from tests.support.bases import base_of

POLICY = "For an annual plan a refund can be requested within 14 days of the charge."


def found(folder: Path, first: str, second: str, *, shared: bool = True) -> tuple[Contradiction, ...]:
    """The contradictions between two articles about refunds with these texts."""
    contents = base_of(
        folder,
        {"a.md": article("a", first, "Refund policy"), "b.md": article("b", second, "Refunds in short")},
    )
    return contradictions(contents, lambda one, other: shared)


@pytest.mark.parametrize(
    ("first", "second", "measured"),
    [
        (POLICY, "A refund for an annual plan can be requested within 30 days of the charge.", "duration minute"),
        (POLICY, "A refund for an annual plan can be requested within 14 business days of the charge.", "duration"),
        ("A second card costs €20 for each member.", "A second card costs €25 for each member.", "money EUR"),
        ("The refund fee is 5 % of the charge.", "The refund fee is 7 % of the charge.", "number %"),
        ("You can ask for five refunds a year.", "You can ask for six refunds a year.", "number refund"),
        ("Send receipts to a@shop.example for refunds.", "Send receipts to b@shop.example for refunds.", "email"),
    ],
)
def test_other_values_for_one_matter_are_found(tmp_path: Path, first: str, second: str, measured: str) -> None:
    """Whatever is measured; both statements are named."""
    (pair,) = found(tmp_path, first, second)
    assert pair.measured.startswith(measured)
    assert {pair.first.text, pair.second.text} == {first, second}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (POLICY, "A refund for an annual plan can be requested within 2 weeks of the charge."),
        (POLICY, "The refund form has a limit of 30 megabytes for the receipts that you attach."),
        ("You can ask for five refunds a year.", "You can ask for six receipts a year."),
        (
            POLICY,
            "A refund for an annual plan can be requested within 14 days of the charge, in the US within 30 days.",
        ),
    ],
    ids=["the same in another unit", "another matter", "another thing counted", "said more fully"],
)
def test_what_agrees_or_is_about_something_else_is_not_found(tmp_path: Path, first: str, second: str) -> None:
    """Few false alarms matter more than the last contradiction."""
    assert found(tmp_path, first, second) == ()


def test_a_statement_that_agrees_elsewhere_contradicts_nothing(tmp_path: Path) -> None:
    """The other document says the same, and something similar with another value."""
    second = f"{POLICY}\n\nFor a monthly plan a refund can be requested within 3 days of the charge."
    assert found(tmp_path, POLICY, second) == ()


def test_documents_that_share_no_customer_are_not_compared(tmp_path: Path) -> None:
    """The caller says who shares one, and is asked about the documents themselves."""
    second = POLICY.replace("14", "30")
    assert found(tmp_path, POLICY, second, shared=False) == ()
    asked: list[tuple[str, str]] = []

    def share(one: DocumentCard, other: DocumentCard) -> bool:
        asked.append((one.doc_id, other.doc_id))
        return True

    contents = base_of(tmp_path / "again", {"a.md": article("a", POLICY), "b.md": article("b", second)})
    assert len(contradictions(contents, share)) == 1
    assert asked == [("a", "b")]


def test_one_document_does_not_contradict_itself(tmp_path: Path) -> None:
    """Two figures in one article are usually two cases."""
    contents = base_of(tmp_path, {"a.md": article("a", f"{POLICY}\n\n## Else\n\n{POLICY.replace('14', '30')}")})
    assert contradictions(contents, lambda one, other: True) == ()
