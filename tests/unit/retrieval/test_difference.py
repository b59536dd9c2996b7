from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.retrieval.checking.difference import BaseDifference, difference
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.reading.sources import Sources
from tests.support.articles import HIDDEN, article, screen, write_articles
from tests.support.bundles import SHIPPED
from tests.support.hashing_encoder import HashingEncoder

BEFORE = {
    "a.md": article("a", "Alpha text."),
    "b.md": article("b", "Beta text.", roles="[finance]"),
    "c.md": article("c", "Gamma text."),
}


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(SHIPPED)


def compared(folder: Path, bundle: Bundle, before: Mapping[str, str], after: Mapping[str, str]) -> BaseDifference:
    """From a base with the articles `before` to a folder with those `after`; nothing on disk may change."""
    source = folder / "articles"
    if before:
        Ingest(folder / "kb", HashingEncoder(), screen).run(write_articles(source, before))
    write_articles(source, after)
    files = {path: path.stat().st_mtime_ns for path in (folder / "kb").rglob("*")}
    found = difference(folder / "kb", Sources([source]), screen, bundle, date(2026, 6, 1))
    assert {path: path.stat().st_mtime_ns for path in (folder / "kb").rglob("*")} == files
    return found


def test_the_same_articles_make_no_difference(tmp_path: Path, bundle: Bundle) -> None:
    """Nothing is told, and nobody gains or loses."""
    found = compared(tmp_path, bundle, BEFORE, BEFORE)
    assert not found.any
    assert found.segments == ()


def test_without_a_base_everything_is_added(tmp_path: Path, bundle: Bundle) -> None:
    """And no base is made."""
    found = compared(tmp_path, bundle, {}, BEFORE)
    assert [one.doc_id for one in found.added] == ["a", "b", "c"]
    assert found.generation is None
    assert not (tmp_path / "kb").exists()


def test_documents_come_go_and_change(tmp_path: Path, bundle: Bundle) -> None:
    """Fields are named as in the front matter, passages are counted, a moved file is the same document."""
    after = {
        "a.md": article("a", "Alpha text.\n\n## More\n\nOther words.", valid_until="2027-01-01", plans="[team]"),
        "moved/b.md": BEFORE["b.md"],
        "d.md": article("d"),
    }
    found = compared(tmp_path, bundle, BEFORE, after)
    assert [one.doc_id for one in found.added] == ["d"]
    assert [one.doc_id for one in found.removed] == ["c"]
    changed = {one.doc_id: one for one in found.changed}
    assert {(field.name, field.old, field.new) for field in changed["a"].fields} == {
        ("plans", "all", "team"),
        ("valid_until", "none", "2027-01-01"),
    }
    assert changed["a"].passages_added
    assert [(field.name, field.new) for field in changed["b"].fields] == [("path", "moved/b.md")]
    assert (changed["b"].passages_added, changed["b"].passages_removed) == (0, 0)


def test_segments_gain_and_lose_what_their_members_can_get(tmp_path: Path, bundle: Bundle) -> None:
    """A page that finance alone had goes to everybody; one for everybody goes to the trial alone."""
    after = {**BEFORE, "b.md": article("b", "Beta text."), "c.md": article("c", "Gamma text.", plans="[trial]")}
    effects = {one.segment: (one.more, one.less) for one in compared(tmp_path, bundle, BEFORE, after).segments}
    assert effects["end_user"] == (1, 0), "some of them are on trial"
    assert effects["enterprise"] == (0, 1), "some of them were in finance"
    assert "trial" not in effects
    assert "finance" not in effects


def test_quarantine_is_told_both_ways(tmp_path: Path, bundle: Bundle) -> None:
    """With the line of what would be found."""
    before = {**BEFORE, "d.md": article("d", HIDDEN)}
    after = {**BEFORE, "a.md": article("a", HIDDEN), "d.md": article("d", "Harmless.")}
    found = compared(tmp_path, bundle, before, after)
    assert [(one.doc_id, one.line) for one in found.quarantined] == [("a", 15)]
    assert found.released == ("d",)
    assert ("always_human", 1, 1) in {(one.segment, one.more, one.less) for one in found.segments}


def test_a_file_that_turned_bad_is_told_as_such(tmp_path: Path, bundle: Bundle) -> None:
    """Its document would go, and the problem says why."""
    found = compared(tmp_path, bundle, BEFORE, {**BEFORE, "b.md": "no front matter", "x.md": "none either"})
    assert [(one.doc_id, one.left_out) for one in found.removed] == [("b", True)]
    assert {one.file for one in found.problems} == {"b.md", "x.md"}


def test_bytes_that_no_reader_sees_are_a_difference_too(tmp_path: Path, bundle: Bundle) -> None:
    """An ingest would make a new generation for them."""
    found = compared(tmp_path, bundle, BEFORE, {**BEFORE, "a.md": BEFORE["a.md"] + "\n"})
    (change,) = found.changed
    assert (change.fields, change.passages_added, change.passages_removed) == ((), 0, 0)


def test_a_folder_without_a_good_article_is_an_error(tmp_path: Path, bundle: Bundle) -> None:
    """As for an ingest."""
    with pytest.raises(RetrievalError, match="No article can be used"):
        compared(tmp_path, bundle, BEFORE, {"a.md": "no front matter"})
