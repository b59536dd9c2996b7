import json
from pathlib import Path

import pytest

from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.reading.mapping import load_mapping
from tests.support.articles import FRONT, article, read, write_articles

EXPORT = {"articles": [{"id": 7, "title": "A", "body": "<p>b</p>", "locale": "en-us", "section_id": 5, "draft": False}]}


def test_several_sources_make_one_base(tmp_path: Path) -> None:
    """Folders and exports together; paths begin with the source, and rules see them without it."""
    docs = write_articles(tmp_path / "docs", {"a.md": article("a"), "x/b.markdown": "Text."})
    more = write_articles(tmp_path / "more", {"a.md": article("c")})
    (tmp_path / "export.json").write_text(json.dumps(EXPORT))
    fields = ", ".join(f"{name}: {content}" for name, content in FRONT.items() if name != "roles")
    (tmp_path / "m.yaml").write_text(
        f"defaults: {{{fields}}}\nrules:\n"
        "  - {when: {paths: ['x/*']}, give: {roles: [it]}}\n"
        "  - {when: {paths: [export.json]}, give: {roles: [admin]}}\n"
    )
    found = read(docs, more, tmp_path / "export.json", mapping=load_mapping(tmp_path / "m.yaml"))
    assert found.problems == found.notes == ()
    assert {one.card.path: one.card.audience.role for one in found.documents} == {
        f"{docs}/a.md": ("all",),
        f"{docs}/x/b.markdown": ("it",),
        f"{more}/a.md": ("all",),
        f"{tmp_path}/export.json#zendesk-7-en-us": ("admin",),
    }


def test_an_id_belongs_to_the_first_source(tmp_path: Path) -> None:
    """The order in which sources are named decides, and the other is reported."""
    first = write_articles(tmp_path / "z", {"a.md": article("same", "From the first.")})
    second = write_articles(tmp_path / "a", {"a.md": article("same", "From the second.")})
    found = read(first, second)
    assert [one.passages[0].text for one in found.documents] == ["From the first."]
    assert [(one.file, f"{first}/a.md" in one.message) for one in found.problems] == [(f"{second}/a.md", True)]


def test_a_single_article_is_a_source(tmp_path: Path) -> None:
    """It is recognised by its name."""
    write_articles(tmp_path, {"a.md": article("a"), "b.md": article("b")})
    assert [one.card.path for one in read(tmp_path / "b.md").documents] == ["b.md"]


def test_an_export_needs_no_suffix(tmp_path: Path) -> None:
    """A named file is told by its content."""
    (tmp_path / "export").write_text(json.dumps(EXPORT))
    assert "--mapping" in read(tmp_path / "export").problems[0].message


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    """Pictures lie beside articles everywhere."""
    write_articles(tmp_path, {"a.md": article("a"), "key.png": "x", ".b.md": "x", ".git/c.md": "x", "d.json.bak": "{"})
    found = read(tmp_path)
    assert (len(found.documents), found.problems, found.notes) == (1, (), ())


def test_a_file_that_is_gone_is_reported(tmp_path: Path) -> None:
    """A dangling link stops nothing."""
    write_articles(tmp_path, {"a.md": article("a")})
    (tmp_path / "b.md").symlink_to(tmp_path / "nowhere.md")
    (tmp_path / "c.json").symlink_to(tmp_path / "nowhere.json")
    assert [one.file for one in read(tmp_path).problems] == ["c.json", "b.md"]


def test_sources_that_are_none_say_what_to_name(tmp_path: Path) -> None:
    """Nothing is ingested by a mistyped path."""
    with pytest.raises(RetrievalError, match="no file or folder"):
        read(tmp_path / "missing")
    with pytest.raises(RetrievalError, match="no Markdown, HTML or text file and no export"):
        read(tmp_path)
