import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.retrieval.generation import FORMAT
from handrail.retrieval.reading.blocks import MAX_WORDS
from handrail.retrieval.reading.markdown import visible
from handrail.retrieval.reading.markup import to_markdown
from handrail.retrieval.reading.splitter import passage_ids, split

LONG = "This sentence has exactly seven plain words. " * 16


def test_short_sections_share_a_passage_and_keep_their_headings() -> None:
    """Headings of the later sections stand in the text, so that nothing loses its context."""
    (piece,) = split("Intro.\n\n## Limits\n\nFive per hour.\n\n## Other ways\n\nUse a code.")
    assert piece.heading == "Limits · Other ways"
    assert piece.text == "Intro.\n\n**Limits**\n\nFive per hour.\n\n**Other ways**\n\nUse a code."


def test_a_long_section_stands_alone_under_its_path_of_headings() -> None:
    """The heading of a passage says where it stands; the first level repeats the title and is left out."""
    pieces = split(f"# Title\n\n## Set up\n\n{LONG}\n\n### Mapping\n\n{LONG}")
    assert [piece.heading for piece in pieces] == ["Set up", "Set up > Mapping"]


def test_a_heading_inside_a_code_fence_is_text() -> None:
    """A comment in a script does not begin a section."""
    (piece,) = split("## Run\n\n```\n# not a heading\n\necho\n```")
    assert piece.heading == "Run"
    assert "# not a heading\n\necho" in piece.text


def test_a_fence_ends_with_its_own_mark_only() -> None:
    """Code may show fences of another kind, and a word after the mark begins no end."""
    (piece,) = split("## Run\n\n````\n```\n# x\n```\n~~~\n````python\n# y\n````\n\nAfter.")
    assert piece.heading == "Run"
    assert piece.text.endswith("````\n\nAfter.")


def test_underlined_headings_are_headings() -> None:
    """A line of dashes under text is no rule, and below a list or a table it is."""
    pieces = split(
        f"Title\n=====\n\nFirst part\n---\n\n{LONG}\n\n- item\n---\n\n| a |\n---\n\nSecond part\n------\n\n{LONG}"
    )
    assert [piece.heading for piece in pieces] == ["First part", "First part · Second part"]


def test_several_first_level_headings_are_sections() -> None:
    """A single one at the beginning repeats the title, which every passage has already."""
    pieces = split(f"# Set up\n\n{LONG}\n\n## Mapping\n\n{LONG}\n\n# Remove\n\n{LONG}")
    assert [piece.heading for piece in pieces] == ["Set up", "Set up > Mapping", "Remove"]


@pytest.mark.parametrize(
    ("line", "title"), [("## C#", "C#"), ("## Closed ##", "Closed"), ("   ## In", "In"), ("##", "")]
)
def test_headings_as_they_are_written(line: str, title: str) -> None:
    """Closing hashes are decoration only after a space."""
    assert split(f"{line}\n\nText.")[0].heading == title


@pytest.mark.parametrize("line", ["#nothing", "    ## code", "####### seven"])
def test_what_is_no_heading_is_text(line: str) -> None:
    """As renderers read it."""
    assert split(line)[0].text == line.rstrip()


def test_every_piece_of_a_long_table_has_its_head() -> None:
    """A row without the names of its columns says little."""
    rows = [f"| plan {number} | {number} seats and {number} boards for every team |" for number in range(40)]
    pieces = split("\n".join(["| Plan | What it holds |", "|---|---|", *rows]))
    assert len(pieces) > 2
    assert all(piece.text.startswith("| Plan | What it holds |\n|---|---|\n| plan ") for piece in pieces)
    assert [row for piece in pieces for row in piece.text.split("\n")[2:]] == rows
    assert pieces[1].line == 3 + pieces[0].text.count("| plan ")


def test_code_that_fits_is_not_cut() -> None:
    """Text before it makes way."""
    code = "```yaml\n" + "\n\n".join(f"- key{number}: some value. And more" for number in range(24)) + "\n```"
    pieces = split(f"{LONG}\n{code}\n{LONG}")
    assert [code in piece.text for piece in pieces] == [False, True, False]


def test_code_that_is_too_long_is_cut_between_lines() -> None:
    """Each part is code again."""
    lines = [f"call({number})  # a comment. With two sentences" for number in range(80)]
    pieces = split("\n".join(["~~~python", *lines, "~~~"]))
    assert len(pieces) > 1
    assert all(piece.text.startswith("~~~python\ncall(") and piece.text.endswith("\n~~~") for piece in pieces)
    assert [line for piece in pieces for line in piece.text.split("\n")[1:-1]] == lines


def test_a_long_list_is_cut_between_its_outermost_items() -> None:
    """What stands below an item stays with it."""
    items = [
        f"- Item {number} of the list has a few words.\n  - below it one thing\n  - and another" for number in range(16)
    ]
    pieces = split("Intro:\n" + "\n".join(items))
    assert len(pieces) > 1
    assert all(piece.text.split("\n\n")[-1].startswith("- Item") for piece in pieces)
    assert all(item in "\n".join(piece.text for piece in pieces) for item in items)


def test_an_endlessly_nested_list_is_cut() -> None:
    """Nobody's list is that deep, and nothing may break on it."""
    words = " ".join(["word"] * 30)
    assert len(split("\n".join(f"{' ' * depth}- {words}" for depth in range(1_200)))) > 100


@pytest.mark.parametrize(
    "body",
    [
        f"| {'head ' * 2_000}|\n|---|\n" + "| x |\n" * 5_000,
        f"``` {'info ' * 2_000}\n" + "word " * 20_000,
        f"## {'title ' * 2_000}\n\n" + f"### a\n\n{LONG}\n\n" * 200,
        f"[a]: {'x' * 10_000}\n" + "[a] " * 20_000,
        f"[a]: {'x' * 500}\n" + "[a] " * 20_000,
    ],
    ids=range(5),
)
def test_nothing_long_is_repeated_over_and_over(body: str) -> None:
    """A small file stays a small base."""
    pieces = split(visible(body))
    assert sum(len(piece.heading) + len(piece.text) for piece in pieces) < 3 * len(body) + 1_000_000


def test_comments_are_invisible_and_lines_keep_their_numbers() -> None:
    """What readers of the page never see is no passage."""
    body = "One.\n\n<!-- secret\nwords -->\n\nTwo.\n\n<!-- never closed"
    assert "secret" not in visible(body)
    assert "never" not in visible(body)
    assert visible(body).split("\n")[5] == "Two."


@pytest.mark.parametrize(
    "body", ["```\n<!-- x -->\n```\nAfter.", "Write `<!-- x -->` here.", "Write \\<!-- x --> here."]
)
def test_comments_inside_code_are_seen(body: str) -> None:
    """An article may explain how to write one."""
    assert visible(body) == body


def test_a_fence_inside_a_comment_hides_nothing() -> None:
    """And a comment that begins after code ends is one."""
    assert visible("<!-- ```\nsecret -->\nSeen.\n```\ncode\n```\n<!-- secret -->").split() == [
        "Seen.",
        "```",
        "code",
        "```",
    ]


def test_reference_links_bring_their_targets() -> None:
    """The list of targets at the end would be a passage of its own, and the others would lead nowhere."""
    body = "[The page][1], [Limits] and [limits][]; not [this] [ ].\n\n[1]: https://a.example/p 'Title'\n[LIMITS]: <#l>"
    assert visible(body).split("\n") == [
        "[The page](https://a.example/p), [Limits](#l) and [limits](#l); not [this] [ ].", "", "", ""
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["[Note]: read this first", "[x]:", "[x]: it's all fine", "see [x]: y"])
def test_a_sentence_in_brackets_is_no_target(line: str) -> None:
    """It stays where it is."""
    assert visible(f"{line}\n\n[y]: z").startswith(line)


def test_code_keeps_what_looks_like_references() -> None:
    """Arrays are no links."""
    body = "```\na[1]\n[1]: b\n```\n\n[1]: https://a.example"
    assert visible(body).startswith("```\na[1]\n[1]: b\n```")


def test_pieces_know_their_line() -> None:
    """Reports can point into the file."""
    pieces = split(f"{LONG}\n\n## Next\n\n{LONG}", first_line=10)
    assert [piece.line for piece in pieces] == [10, 14]


def test_ids_stay_when_other_parts_change() -> None:
    """An id depends on document, heading and wording, not on what stands before."""
    before = split(f"## A\n\n{LONG}\n\n## B\n\n{LONG} End.")
    after = split(f"## New\n\n{LONG}\n\n## A\n\n{LONG}\n\n## B\n\n{LONG} End.")
    assert passage_ids("doc", after)[1:] == passage_ids("doc", before)


def test_repeated_wording_gets_ids_of_its_own() -> None:
    """Ids are unique within a document."""
    pieces = split(f"## A\n\n{LONG}\n\n## A\n\n{LONG}")
    assert len(set(passage_ids("doc", pieces))) == 2


words = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8)
paragraphs = st.lists(words, min_size=1, max_size=400).map(" ".join)


@given(st.lists(st.one_of(paragraphs, words.map(lambda word: f"## {word}"), st.just("- item\n- item")), max_size=12))
def test_no_word_is_lost_and_no_piece_is_too_long(blocks: list[str]) -> None:
    """Every word of the body stands in a piece, in order; pieces keep to the limit."""
    body = "\n\n".join(blocks)
    pieces = split(body)
    expected = [word for block in blocks if not block.startswith("#") for word in block.split()]
    text = iter(word for piece in pieces for word in piece.text.split())
    if "```" not in body and "~~~" not in body:
        assert all(word in text for word in expected)
        assert all(len(piece.text.split()) <= MAX_WORDS + 3 * len(blocks) for piece in pieces)


GOLDEN = "2 64371f11668b787f"
"""The format, and what it makes of the text below."""


def test_a_change_of_passages_is_a_new_format() -> None:
    """Unchanged documents are taken over without being read, so bases of an older reading must be told apart.

    Whoever changes what documents become raises `FORMAT` in `generation.py`, and puts the new digest here.
    """
    page = to_markdown(SAMPLE_PAGE).body
    made = [(piece.heading, piece.text) for body in (SAMPLE, page) for piece in split(visible(body))]
    assert f"{FORMAT} {hashlib.sha256(repr(made).encode()).hexdigest()[:16]}" == GOLDEN


SAMPLE = f"""# Title

Intro with a [link][1].

## List

1. one
   - below
2. two

## Table

| A | B |
|---|---|
| 1 | 2 |

{LONG}{LONG}

```
code  here
```

<!-- hidden -->

[1]: https://a.example
"""
SAMPLE_PAGE = f"""<h1>Title</h1><p>Intro <a href="/x">link</a> <b>bold</b></p><h2>List</h2>
<ol><li>one<ul><li>below</ul><li>two</ol><table><tr><th>A<th>B<tr><td>1<td>2</table>
<p>{LONG}{LONG}</p><pre>code  here</pre><p hidden>hidden</p>"""
