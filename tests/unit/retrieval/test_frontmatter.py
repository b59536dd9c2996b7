from hypothesis import given
from hypothesis import strategies as st

from handrail.guardrails import yamlsource
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.reading.frontmatter import _plain, take_apart

SCALARS = """all|admin|true|null|no|on|2025-01-01|[all]|[a, b]|[true]|a: b|x #y|'q'|"q"|-|- a|a -|e-mail|a, b|!x|&a|*a
{a}|a  b |Null|1|1.5|~|[]|the (new) one|it's|a/b.c
[a,b]|[a, b, ]|[ a]|\u00e9|a\tb|?|%|@|`"""
words = st.one_of(
    st.sampled_from(SCALARS.replace("\n", "|").split("|")),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=10),
)
lines = st.lists(
    st.tuples(st.sampled_from(["id", "title", "roles", "valid_from", "a b"]), words).map(
        lambda pair: f"{pair[0]}: {pair[1]}"
    ),
    min_size=1,
    max_size=4,
)


@given(lines)
def test_plain_lines_are_read_as_the_parser_reads_them(front: list[str]) -> None:
    """The quick way is taken only where it comes to the same content on the same lines."""
    quick = _plain(front, "a.md")
    if quick is not None:
        source = yamlsource.parse("\n".join(["", *front]), "a.md", [])
        assert source is not None
        assert quick.content == source.content
        assert all(source.lines[path] == line for path, line in quick.lines.items())


def test_ordinary_front_matter_takes_the_quick_way() -> None:
    """Otherwise the tests above say nothing."""
    quick = _plain(["id: a-b", "title: Export a board (new)", "roles: [admin, it]", "valid_from: 2025-01-01"], "a.md")
    assert quick is not None
    assert quick.content["roles"] == ["admin", "it"]
    assert quick.content["valid_from"] == "2025-01-01"


def test_line_ends_of_every_system_are_the_same() -> None:
    """The body begins on the same line."""
    for end in ("\n", "\r\n", "\r"):
        parts = take_apart(end.join(["---", "id: a", "---", "", "Text", "more"]), "a.md", [])
        assert parts is not None
        assert (parts.own.content, parts.body, parts.body_line) == ({"id": "a"}, "\nText\nmore", 4)


def test_front_matter_that_is_no_list_of_fields_is_a_problem() -> None:
    """A sentence between two lines is none."""
    problems: list[Problem] = []
    assert take_apart("---\n- just a list\n---\n", "a.md", problems) is None
    assert "name: content" in problems[0].message
