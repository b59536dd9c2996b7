import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.retrieval.reading.markdown import visible
from handrail.retrieval.reading.markup import Meta, to_markdown
from handrail.retrieval.reading.splitter import split


def shown(html: str) -> str:
    """What readers see of a page, without empty lines at its ends."""
    return visible(to_markdown(html).body).strip()


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>One\n  two</p><p>three</p>", "One two\n\nthree"),
        ("One<br>two<br/>three", "One\ntwo\nthree"),
        ("<h2>A <b>b</b></h2>text", "## A b\n\ntext"),
        ("a <b>bold </b>word, <strong></strong>none", "a **bold** word, none"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ul><li>a<ol><li>x</li><li>y</li></ol></li><li>b</li></ul>", "- a\n   1. x\n   2. y\n- b"),
        ("<ol start=4><li><p>a</p><p>more</p></li><li>b</li></ol>", "4. a\n   more\n5. b"),
        ("<li>alone", "- alone"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2|3</table>", "| A | B |\n|---|---|\n| 1 | 2\\|3 |"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "| 1 | 2 |\n| 3 |"),
        ("<table><tr><td><p>Layout</p><p>only</p></td></tr></table>", "Layout only"),
        ("<table><tr><td>a<table><tr><td>in</td></tr></table></td><td>b</td></tr></table>", "| a in | b |"),
        ("<pre><code>a\n  b  &lt;c&gt;</code></pre>", "```\na\n  b  <c>\n```"),
        ("<pre>```\ncode</pre>", "````\n```\ncode\n````"),
        ("<pre><div>a</div><div>b</div></pre>", "```\na\nb\n```"),
        ("use <code>x</code> or <kbd>a`b</kbd>", "use `x` or `` a`b ``"),
        ('<a href="https://x.example/a_(b)">see  this</a>', "[see this](https://x.example/a_%28b%29)"),
        ('<a href="/card"><div>a</div><div>b</div></a>', "[a](/card)\n\nb"),
        ('<a href="javascript:x()">a</a> <a href="#top">b</a> <a>c</a>', "a b c"),
        ('<img alt="A key" src="/key.png"> <img src="x.png"> <img alt="y" src="data:abc">', "![A key](/key.png) y"),
        ("<details><summary>More</summary>inside</details>", "**More**\n\ninside"),
        ("<dl><dt>Term<dd>what it is</dl>", "**Term**\n\nwhat it is"),
        ("&amp; &eacute; &#8364; &nbsp;x &unknown; &#xD800;", "& é € x &unknown; \ufffd"),
        ("<p># no heading</p><p>```</p><p>a<br>---</p>", "\\# no heading\n\n\\```\n\na\n\\---"),
        ("<p>[Note]: read this</p>[x]: y", "\\[Note]: read this\n\n\\[x]: y"),
        ("a < b and c > d <", "a < b and c > d <"),
        ("<<<", "<<<"),
        ("", ""),
    ],
)
def test_a_page_becomes_markdown(html: str, markdown: str) -> None:
    """What readers see is text in the form that the splitter cuts; tags that were never closed are read on."""
    assert shown(html) == markdown


@pytest.mark.parametrize(
    "html",
    [
        "<!-- secret -->",
        "<!-- secret",
        "<!--[if gte mso 9]><xml>secret</xml><![endif]-->",
        "<![if !x]>",
        "<?php secret ?>",
        "<p hidden>secret",
        '<div style="color:red; DISPLAY : none">secret <p>secret</p></div>',
        '<span style="visibility:hidden">secret</span>',
        '<span style="font-size:0px">secret</span>',
        '<span style="opacity: 0">secret</span>',
        "<template>secret</template>",
        "<noscript>secret</noscript>",
        "<nav><a href=/>secret</a></nav>",
        "<svg><title>secret</title></svg>",
        "<script>secret('<p>')</script>",
        "<style>secret {}</style>",
        "<script>secret",
        '<img alt="secret" hidden>',
        '<input type="hidden" value="secret">',
    ],
)
def test_what_readers_do_not_see_is_in_no_passage(html: str) -> None:
    """Neither as text nor as the title of the page."""
    page = to_markdown(f"<p>before {html}")
    assert "secret" not in page.title
    assert "secret" not in visible(page.body)
    assert visible(page.body).strip() == "before"


@pytest.mark.parametrize(
    "html",
    ["<!-- a secret -->", "<p hidden>a <b>secret</b></p>", "<pre>x<!-- a secret --></pre>", "<p hidden>a secret"],
)
def test_hidden_text_is_kept_for_the_screen(html: str) -> None:
    """As a comment, so that a document with an instruction in it is found."""
    assert "<!-- a secret -->" in to_markdown(f"{html}\n<p>shown</p>").body


def test_hidden_text_cannot_end_its_comment() -> None:
    """An arrow inside would show the rest."""
    page = to_markdown("<p hidden>a --&gt; <i>secret</i></p><p>shown</p>")
    assert visible(page.body).strip() == "shown"


def test_a_comment_that_readers_see_is_text() -> None:
    """Help centres explain code; what follows must not vanish with it."""
    html = "<p>Paste &lt;!-- start --&gt; and <code>&lt;!-- x</code></p><pre>&lt;!-- widget</pre><p>End.</p>"
    text = shown(html)
    assert "\\<!-- start --> and `<!-- x`" in text
    assert "<!-- widget" in text
    assert text.endswith("End.")


def test_lines_are_those_of_the_source() -> None:
    """Reports point into the file."""
    html = "<h1>T</h1>\n<p>one</p>\n\n<ul>\n<li>two</li>\n</ul>\n<pre>\nthree\nfour</pre>\n<p hidden>five</p>"
    page = to_markdown(html, first_line=11)
    lines = dict(zip(page.body.split("\n"), page.lines, strict=True))
    wanted = {"# T": 11, "one": 12, "- two": 15, "<!-- five -->": 20}
    assert {text: lines[text] for text in wanted} == wanted


def test_the_title_is_the_first_heading_else_that_of_the_head() -> None:
    """The title in the head often ends with the name of the site."""
    assert (
        to_markdown("<title>Export · Help</title><h1> Export <i>a</i> board</h1><h1>Next</h1>").title
        == "Export a board"
    )
    assert to_markdown("<html><head><title>\n Export\n</title></head><body>x").title == "Export"


def test_metadata_is_read_from_the_head_only() -> None:
    """Whoever may write the text of a page may not say whom it is for."""
    html = '<head><META NAME="Handrail:Roles" content="admin"></head><body>x<meta name="handrail:plans" content="all">'
    html = f"<?xml version='1.0'?><!-- saved -->\n<html hidden-by='x'>{html}"
    assert to_markdown(html).metas == (Meta("roles", "admin", 2, True), Meta("plans", "all", 2, False))


SIZE = 40_000


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * SIZE,
        "<div>" * SIZE + "text" + "</div>" * SIZE,
        "<b>" * SIZE + "<p>a" * SIZE,
        "<" * SIZE,
        "<!--" * SIZE,
        "<![CDATA[" * SIZE,
        "<?" * SIZE,
        "<a b='" * SIZE,
        "</" * SIZE,
        "<ul><li>" * SIZE,
        "<table><tr><td>" * SIZE,
        "<div>" * SIZE + "</span>" * SIZE,
        "&" * SIZE,
        "<p>`" * SIZE,
        f"<a href={'x' * 1_900}>" * 50 + "<p>a" * SIZE,
        "<table><tr>" + "<td>" * SIZE + "x" + "<tr><td>y<td>z" * SIZE,
    ],
    ids=range(16),
)
def test_hostile_markup_is_read(html: str) -> None:
    """No error, no recursion, no search that starts anew for every tag, and no text that grows by itself."""
    page = to_markdown(html)
    assert len(page.lines) == page.body.count("\n") + 1 or not page.lines
    assert len(page.body) < 5 * len(html) + 100
    split(page.body)


TAGS = "p b a div li ul ol table tr td th pre code h1 h2 br hr span script title dl dt dd"
tags = st.sampled_from(TAGS.split())
pieces = st.one_of(
    tags.map(lambda tag: f"<{tag}>"),
    tags.map(lambda tag: f"</{tag}>"),
    st.sampled_from(["<!--", "-->", "<p hidden>", "```", "|", "`", "[", "](", "&lt;", "\n", "<![", "<?"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)


@given(st.lists(pieces, max_size=60).map("".join))
def test_any_markup_is_read_and_its_lines_match(html: str) -> None:
    """Whatever is thrown at it."""
    page = to_markdown(html)
    assert len(page.lines) == (page.body.count("\n") + 1 if page.body else 0)
    assert list(page.lines) == [line for line in page.lines if 1 <= line <= html.count("\n") + 1]
    split(visible(page.body))
