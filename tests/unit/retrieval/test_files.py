from pathlib import Path

import pytest

from handrail.guardrails.scope import Family
from handrail.retrieval.prepared import PreparedSet
from handrail.retrieval.reading.mapping import MetadataMapping, load_mapping
from tests.support.articles import FRONT, HIDDEN, article, read

METAS = "".join(
    f'<meta name="handrail:{name}" content="{content.strip("[]")}">\n'
    for name, content in {"id": "page", **FRONT}.items()
)


def page(body: str = "<p>Text.</p>", head: str = METAS) -> str:
    """A whole page with metadata in its head."""
    return (
        f"<!DOCTYPE html>\n<html><head>\n<title>Export a board</title>\n{head}</head>\n<body>\n{body}\n</body></html>\n"
    )


@pytest.fixture
def everything(tmp_path: Path) -> MetadataMapping:
    """A mapping that gives every field to every document."""
    path = tmp_path / "mapping.yaml"
    fields = ", ".join(f"{name}: {content}" for name, content in FRONT.items())
    path.write_text(f"defaults: {{{fields}}}\n")
    return load_mapping(path)


def written(tmp_path: Path, name: str, content: str | bytes, mapping: MetadataMapping | None = None) -> PreparedSet:
    """What becomes of one file in a folder."""
    path = tmp_path / "articles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(tmp_path / "articles", mapping=mapping)


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "deep/er/a.htm"])
def test_a_page_says_in_its_head_whom_it_is_for(tmp_path: Path, name: str) -> None:
    """Lists have commas between their words; the title is that of the page."""
    head = METAS.replace('roles" content="all', 'roles" content="admin, it ,')
    (document,) = written(tmp_path, name, page("<h2>Way</h2><p>Choose <b>Export</b>.</p>", head)).documents
    assert (document.card.doc_id, document.card.title) == ("page", "Export a board")
    assert document.card.audience.classes(Family.ROLE) == ("admin", "it")
    assert [(one.heading, one.text) for one in document.passages] == [("Way", "Choose **Export**.")]


def test_a_page_may_begin_with_front_matter(tmp_path: Path) -> None:
    """In the form that Markdown has; it wins over the head."""
    text = article("front", page("<p>Text.</p>", METAS.replace("standard", "community")), roles="[it]")
    (document,) = written(tmp_path, "a.html", text).documents
    assert document.card.doc_id == "front"
    assert document.card.audience.classes(Family.AUTHORITY) == ("standard",)


def test_metadata_in_the_text_of_a_page_keeps_it_out(tmp_path: Path) -> None:
    """Whoever may edit the text could otherwise open it to everybody."""
    found = written(tmp_path, "a.html", page('<p>x</p><meta name="handrail:plans" content="all">'))
    assert found.documents == ()
    assert [(one.file, one.line, "head" in one.message) for one in found.problems] == [("a.html", 16, True)]


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("handrail:roles", "handrail:rolls"), 5, "rolls: no such field"),
        (('content="standard"', 'content="high"'), 10, "authority"),
        (('name="handrail:plans"', 'name="handrail:roles"'), 8, "a second <meta> tag"),
        (('name="handrail:plans"', 'name="x"'), 1, "plans: this field is missing"),
    ],
)
def test_what_is_wrong_in_a_head_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    """Nothing is assumed."""
    found = written(tmp_path, "a.html", page(head=METAS.replace(*change)))
    assert found.documents == ()
    assert any(one.line == line and said in one.message for one in found.problems), found.problems


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt"])
def test_without_metadata_and_mapping_nothing_is_ingested(tmp_path: Path, name: str) -> None:
    """The message says both ways out."""
    found = written(tmp_path, name, "Some text.")
    assert found.documents == ()
    assert "--mapping" in found.problems[0].message


def test_a_text_file_is_text(tmp_path: Path) -> None:
    """What looks like a comment is seen by its readers."""
    (document,) = written(tmp_path, "a.txt", article("t", "Setup\n=====\n\nWrite <!-- this --> so.")).documents
    assert document.passages[0].text == "Write \\<!-- this --> so."


@pytest.mark.parametrize(
    ("name", "text", "doc_id", "title"),
    [
        ("Getting Started/Invite people.md", "# Invite\n\nText.", "getting-started-invite-people", "Invite"),
        ("a.md", "Text without a heading.", "a", "a"),
        ("b.html", "<h1>Big</h1>Text", "b", "Big"),
        ("_c.txt", "```\n# code\n```", "c", "_c"),
        ("d.md", "---\nid: own\ntitle: Own title\n---\n# Other\n\nText.", "own", "Own title"),
    ],
)  # fmt: skip
def test_with_a_mapping_articles_need_not_be_touched(
    tmp_path: Path, everything: MetadataMapping, name: str, text: str, doc_id: str, title: str
) -> None:
    """Id and title come from where the file is and what it says."""
    (document,) = written(tmp_path, name, text, everything).documents
    assert (document.card.doc_id, document.card.title) == (doc_id, title)


def test_names_in_other_scripts_get_ids_of_their_own(tmp_path: Path, everything: MetadataMapping) -> None:
    """Where letters are lost, something else keeps them apart."""
    for name in ("日本語 v2.md", "中文 v2.md", f"{'long' * 40}.md"):
        written(tmp_path, name, "Text.", everything)
    found = read(tmp_path / "articles", mapping=everything)
    ids = [one.card.doc_id for one in found.documents]
    assert len(set(ids)) == 3
    assert found.problems == ()


def test_front_matter_wins_over_the_mapping(tmp_path: Path, everything: MetadataMapping) -> None:
    """The document knows best; what it does not say the mapping says."""
    (document,) = written(tmp_path, "a.md", "---\nroles: [it]\n---\nText.", everything).documents
    assert document.card.audience.classes(Family.ROLE) == ("it",)
    assert document.card.audience.classes(Family.PLAN) == ("all",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", page("<p>Café</p>", '<meta charset="iso-8859-1">' + METAS).encode("latin-1")),
        ("a.html", page("<p>Café</p>", '<meta charset="latin1">' + METAS).encode("latin-1") + b"\x81"),
        ("a.html", page("<p>Café</p>", f"<meta content='text/html; charset=WINDOWS-1252'>{METAS}").encode("cp1252")),
        ("a.html", page("<p>Café</p>", '<meta charset="utf-8">' + METAS).encode()),
        ("a.html", page("<p>Café</p>").encode("utf-16")),
        ("a.md", article("a", "Café").encode("utf-8-sig")),
        ("a.txt", article("a", "Café").encode("utf-16")),
    ],
)
def test_files_are_read_in_the_encoding_that_they_declare(tmp_path: Path, name: str, content: bytes) -> None:
    """By the mark at the beginning or the charset of the page; else they are UTF-8."""
    (document,) = written(tmp_path, name, content).documents
    assert document.passages[0].text.startswith("Café")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.html", page("<p>Café</p>").encode("latin-1"), 16),
        ("a.html", page("<p>Café</p>", '<meta charset="x-mine">' + METAS).encode(), 1),
        ("a.html", page("<p>Café</p>", '<meta charset="unicode_escape">' + METAS).encode(), 1),
        ("a.html", page("<p>Café</p>", '<meta charset="hex">' + METAS).encode(), 1),
        ("a.html", page("<!-- nothing -->").encode(), 1),
        ("a.html", b"", 1),
        ("a.md", article("a", "Café").encode("latin-1"), 15),
        ("a.md", b"x" * 2_000_001, 1),
        ("a.md", b"\0" * 100, 1),
    ],
    ids=range(9),
)
def test_files_that_cannot_be_read_are_reported(tmp_path: Path, name: str, content: bytes, line: int) -> None:
    """With the line, and the other files are ingested."""
    written(tmp_path, "good.md", article("good"))
    found = written(tmp_path, name, content)
    assert [one.card.doc_id for one in found.documents] == ["good"]
    assert {(one.file, one.line) for one in found.problems} == {(name, line)}


def test_no_nul_reaches_the_base(tmp_path: Path) -> None:
    """Other programs take it for the end of a text."""
    (document,) = written(tmp_path, "a.md", article("a", "One\0two.")).documents
    assert document.passages[0].text == "One\ufffdtwo."


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.md", article("a", f"Text.\n\n<!-- x\n{HIDDEN} -->"), 18),
        ("a.html", page(f"<p>Text.</p>\n<p>More</p>\n<p hidden>Please {HIDDEN}</p>"), 18),
        ("a.html", page(f"<p>Text.</p>\n<!-- {HIDDEN} -->"), 17),
        ("a.html", page(f"<nav>{HIDDEN}</nav><p>Text.</p>"), 16),
        ("a.md", article("a", "word" * 1_500 + f" {HIDDEN} " + "word" * 1_500), 15),
        ("a.md", article("a", "Text.\n\n[x]: https://a.example '" + HIDDEN + "'"), 17),
    ],
    ids=range(6),
)  # fmt: skip
def test_instructions_that_readers_do_not_see_are_found(tmp_path: Path, name: str, text: str, line: int) -> None:
    """In comments, hidden elements, titles of links, and in the middle of what is very long; with their line."""
    (document,) = written(tmp_path, name, text).documents
    assert document.passages == ()
    assert document.quarantine is not None
    assert document.quarantine.line == line
