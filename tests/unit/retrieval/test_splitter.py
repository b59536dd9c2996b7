from hypothesis import given
from hypothesis import strategies as st

from handrail.retrieval.blocks import MAX_WORDS
from handrail.retrieval.markdown import visible
from handrail.retrieval.splitter import passage_ids, split

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


def test_comments_are_invisible_and_lines_keep_their_numbers() -> None:
    """What readers of the page never see is no passage."""
    body = "One.\n\n<!-- secret\nwords -->\n\nTwo.\n\n<!-- never closed"
    assert "secret" not in visible(body)
    assert "never" not in visible(body)
    assert visible(body).split("\n")[5] == "Two."


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
