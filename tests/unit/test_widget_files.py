"""The widget's files keep what its documentation promises: no markup from text, no other host, no inline code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "agent" / "server" / "static"
PAGE = (ROOT / "docs" / "widget.md").read_text(encoding="utf-8")
SCRIPTS = sorted([*STATIC.glob("*.js"), *(STATIC / "widget").glob("*.js")])
LONGEST_SCRIPT = 460
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML"
    r"|\beval\(|new Function|setTimeout\(\s*[\"'`]|javascript:"
)


def rows(first: str) -> dict[str, str]:
    """The table of the page whose first column is called `first`."""
    lines = PAGE.partition(f"| {first} |")[2].splitlines()[2:]
    cells = [
        line.split(" | ", 1) for line in lines[: next(n for n, line in enumerate(lines) if not line.startswith("|"))]
    ]
    return {key.strip("|` "): said.removesuffix(" |") for key, said in cells}


def texts() -> dict[str, str]:
    """The widget's own words."""
    source = (STATIC / "widget" / "texts.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  (\w+): "(.*)",$', source.partition("TEXTS = {")[2].partition("\n};")[0], re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_text_can_become_markup_or_code(script: Path) -> None:
    """The ways from a string to an element or to code are not used at all."""
    source = script.read_text(encoding="utf-8")
    assert not MARKUP.search(source)
    assert len(source.splitlines()) <= LONGEST_SCRIPT


@pytest.mark.parametrize("file", [*SCRIPTS, STATIC / "demo.html", STATIC / "demo.css"], ids=lambda path: path.name)
def test_no_other_host_is_named(file: Path) -> None:
    """The one absolute address is a name: that of SVG. Comments may show how to embed."""
    found = set(re.findall(r"https?://[^\s\"'`<>]+", file.read_text(encoding="utf-8")))
    assert found <= {"http://www.w3.org/2000/svg", "https://support.example.com/widget.js"}


def test_the_demo_page_has_no_inline_code() -> None:
    """What the server's policy would refuse is not there."""
    page = (STATIC / "demo.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page)


def test_the_page_lists_every_text() -> None:
    """Names and English words of the table are those of the code."""
    assert len(texts()) > 50
    assert rows("text") == texts()


def test_every_text_is_used() -> None:
    """A text that nothing shows would be translated in vain; one that is missing would show its name."""
    source = "".join(each.read_text(encoding="utf-8") for each in SCRIPTS if each.name != "texts.js")
    asked = set(re.findall(r"\bt\(\"(\w+)\"", source))
    assert asked <= texts().keys()
    named = {name for name in texts() if re.search(rf"[\"'`]{name}[\"'`]", source) or name.startswith("error_")}
    assert named == texts().keys()


def test_the_page_lists_every_attribute() -> None:
    """What the widget reads of an element or of its script, the style included."""
    source = "".join(each.read_text(encoding="utf-8") for each in SCRIPTS)
    read = set(re.findall(r"(?:this\.dataset|given)\.(\w+)", source))
    styled = {f"data-{name}" for name in re.findall(r":host\(\[data-(\w+)", source)}
    kebab = {"data-" + re.sub(r"[A-Z]", lambda found: "-" + found[0].lower(), name) for name in read}
    assert {key.partition("=")[0] for key in rows("attribute")} == kebab | styled


def test_the_page_lists_every_custom_property() -> None:
    """Those that the style takes from the page."""
    style = (STATIC / "widget" / "style.js").read_text(encoding="utf-8")
    assert rows("property").keys() == set(re.findall(r"var\((--handrail-[\w-]+)", style))
