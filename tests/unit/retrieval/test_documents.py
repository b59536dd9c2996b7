from pathlib import Path

import pytest

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.documents import Document
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.reading.files import parse_document
from tests.support.articles import FRONT, article, read, write_articles


def parse(text: str) -> tuple[Document | None, list[Problem]]:
    """The article in `text` and what is wrong with it."""
    problems: list[Problem] = []
    return parse_document(text, "a.md", "digest", problems), problems


def test_every_field_arrives() -> None:
    """Classes, validity, title and the line on which the body begins are those of the file."""
    text = article("reset", "First line.", roles="[it, admin]", stacks="[okta]", valid_until="2027-12-31")
    document, problems = parse(text)
    assert document is not None
    assert problems == []
    assert document.card.audience.role == ("admin", "it")
    assert document.card.audience.stack == ("okta",)
    assert str(document.card.validity.last) == "2027-12-31"
    assert text.split("\n")[document.line(2) - 1] == "First line."


def test_windows_line_ends_and_a_byte_order_mark_are_harmless(tmp_path: Path) -> None:
    """Articles from any editor are read."""
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf" + article("a").replace("\n", "\r\n").encode())
    assert [one.card.doc_id for one in read(tmp_path).documents] == ["a"]


@pytest.mark.parametrize("field", [*FRONT, "id", "title"])
def test_a_missing_field_is_reported(field: str) -> None:
    """Nothing is assumed about who may see an article: every field but the end of validity must be there."""
    text = "\n".join(line for line in article("a").split("\n") if not line.startswith(f"{field}:"))
    document, problems = parse(text)
    assert document is None
    assert any(field in problem.message and "missing" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("roles", "admin"),
        ("roles", "[]"),
        ("roles", "[all, admin]"),
        ("regions", "[EU]"),
        ("plans", "[1]"),
        ("authority", "all"),
        ("language", "[en, de]"),
        ("language", "all"),
        ("valid_from", "soon"),
        ("valid_from", "20250101"),
        ("valid_until", "2020-01-01"),
        ("title", '"  "'),
        ("audience", "everyone"),
    ],
)
def test_a_malformed_field_is_reported_with_its_line(field: str, content: str) -> None:
    """The problem names the line of the field in the file."""
    text = article("a", **{field: content})
    document, problems = parse(text)
    assert document is None
    line = next(number for number, found in enumerate(text.split("\n"), start=1) if found.startswith(f"{field}:"))
    assert {problem.line for problem in problems} == {line}
    assert all(str(problem).startswith(f"a.md:{line}: ") for problem in problems)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# No front matter", 1),
        ("---\nid: a\n", 1),
        ("---\nid: a\n  title: [\n---\n\nText", 3),
        ("---\nid: a\nid: b\n---\n\nText", 3),
        ("", 1),
    ],
)
def test_broken_front_matter_is_reported_with_its_line(text: str, line: int) -> None:
    """Missing, endless, unreadable and ambiguous front matter keep the article out."""
    document, problems = parse(text)
    assert document is None
    assert problems[0].line == line


def test_an_article_without_text_is_reported() -> None:
    """There would be nothing to find."""
    document, problems = parse(article("a", "  "))
    assert document is None
    assert "no text" in problems[0].message


def test_bad_articles_are_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    """Each bad file is named once, whatever is wrong with it."""
    write_articles(tmp_path, {"a.md": article("a"), "b/bad.md": "nothing", "c.md": article("c", roles="")})
    (tmp_path / "d.md").write_bytes(b"\xff\xfe")
    found = read(tmp_path)
    assert [one.card.path for one in found.documents] == ["a.md"]
    assert sorted({problem.file for problem in found.problems}) == ["b/bad.md", "c.md", "d.md"]


def test_an_id_belongs_to_one_article(tmp_path: Path) -> None:
    """The second article with an id is reported, with the path of the first."""
    write_articles(tmp_path, {"a.md": article("same"), "b.md": article("same", "Other text.")})
    found = read(tmp_path)
    assert [one.card.path for one in found.documents] == ["a.md"]
    assert "a.md" in found.problems[0].message


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """A checkout's own folders hold no articles."""
    write_articles(tmp_path, {"a.md": article("a"), ".git/b.md": article("b")})
    assert len(read(tmp_path).documents) == 1


def test_a_folder_without_articles_is_an_error(tmp_path: Path) -> None:
    """The message says what to name."""
    with pytest.raises(RetrievalError, match="no Markdown"):
        read(tmp_path)
    with pytest.raises(RetrievalError, match="no file or folder"):
        read(tmp_path / "missing")
