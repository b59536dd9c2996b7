"""axe-core finds nothing serious or critical, in light and dark, wide and narrow, in every state a customer meets."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import findings, grave
from tests.browser.conftest import Opening
from tests.browser.serving import Server
from tests.browser.widget_page import Look, Widget

pytestmark = pytest.mark.browser

BORDERS = """part => {
  const style = getComputedStyle(part);
  return [style.borderTopWidth, style.borderTopColor, style.backgroundColor];
}"""

LOOKS = {
    "light": Look(),
    "dark": Look(dark=True),
    "390px": Look(width=390, height=844),
    "390px-dark": Look(width=390, height=844, dark=True),
    # A 1280 pixel screen at 200 % zoom has 640 CSS pixels.
    "zoom": Look(width=640, height=430, scale=2),
}
OWNERS = ("tomas", "olivia", "jonas", "walter", "dana")
"""A customer gets five codes an hour, so each look has its own."""


@pytest.mark.parametrize("look", [*LOOKS.values()], ids=LOOKS)
def test_the_widget_on_a_page(open_page: Opening, host: str, server: Server, axe_source: str, look: Look) -> None:
    """Launcher, empty panel, checklist and quick replies, sources, waiting, a person, problems, rating."""
    page = open_page(look)
    page.goto(host)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    assert grave(page, axe_source) == ""
    widget.launcher.click()
    expect(widget.field).to_be_visible()
    assert grave(page, axe_source) == ""

    widget.ask("My authenticator code is not accepted")
    expect(widget.root.locator(".pill").first).to_be_visible()
    assert grave(page, axe_source) == ""
    widget.root.locator(".pill").first.click()
    expect(widget.answers).to_have_count(2)
    widget.root.locator(".pill").first.click()
    widget.root.get_by_role("checkbox").first.check()
    widget.root.locator("input[type=file]").set_input_files(
        {"name": "large.png", "mimeType": "image/png", "buffer": bytes(6 * 1024 * 1024)}
    )
    expect(widget.root.locator(".notice.error")).to_be_visible()
    widget.field.fill("a" * 8001)
    assert grave(page, axe_source) == ""

    widget.field.fill("")
    widget.person_button.click()
    expect(widget.strip).to_contain_text("in line")
    assert grave(page, axe_source) == ""
    with server.operator() as operator:
        operator.claim(widget.conversation)
        operator.reply(widget.conversation, "Hello, I am here now.")
        expect(widget.people).to_be_visible()
        assert grave(page, axe_source) == ""
        operator.resolve(widget.conversation, None)
    form = widget.root.get_by_role("form", name="How was this conversation?")
    expect(form).to_be_visible()
    form.get_by_role("radio", name="3 of 5").check(force=True)
    assert grave(page, axe_source) == ""


@pytest.mark.parametrize(("look", "customer"), [*zip(LOOKS.values(), OWNERS, strict=True)], ids=LOOKS)
def test_the_card_and_the_demo_page(
    open_page: Opening, server: Server, axe_source: str, look: Look, customer: str
) -> None:
    """The demo page before and after a turn, with reasons, the card to agree to, and the card that is over."""
    page = open_page(look)
    widget = Widget.on_demo(page, server.address, customer)
    assert grave(page, axe_source) == ""
    widget.ask("Cancel my account")
    page.get_by_role("button", name="Send it").click()
    expect(widget.card.get_by_role("button", name="Yes")).to_be_enabled()
    expect(page.locator(".turn")).to_have_count(2)
    page.locator(".turn .all summary").first.click()
    assert grave(page, axe_source) == ""
    widget.press("No, leave it")
    expect(widget.card).to_contain_text("You declined")
    page.get_by_label("Compare").check()
    expect(page.locator("handrail-chat")).to_have_count(2)
    expect(page.get_by_role("textbox", name="Your message")).to_have_count(2)
    assert grave(page, axe_source) == ""


def test_axe_finds_what_is_wrong(open_page: Opening, host: str, axe_source: str) -> None:
    """The judge is awake, inside the shadow tree too: a field without a name and pale words are found."""
    page = open_page()
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    widget.field.evaluate("field => { field.labels[0].remove(); field.removeAttribute('placeholder'); }")
    widget.disclosure.evaluate("line => { line.style.color = '#cccccc'; }")
    assert {"label", "color-contrast"} <= {each.id for each in findings(page, axe_source)}


@pytest.mark.parametrize("look", [Look(width=640, height=430, scale=2), Look(width=320, height=568)])
def test_nothing_is_cut_off_when_space_is_scarce(open_page: Opening, host: str, look: Look) -> None:
    """Zoomed to 200 %, or 320 pixels wide: no sideways scrolling; header, field and buttons are on the screen."""
    page = open_page(look)
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    widget.ask("How do I set up SSO?")
    for part in (
        widget.header,
        widget.field,
        widget.person_button,
        widget.root.get_by_role("button", name="Send", exact=True),
    ):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= look.width
        assert box["y"] + box["height"] <= look.height
    sideways = "element => element.scrollWidth - element.clientWidth"
    assert widget.root.locator(".log").evaluate(sideways) <= 0
    assert page.locator("html").evaluate(sideways) <= 0
    assert widget.root.locator(".log").evaluate("log => log.clientHeight") >= 120


def test_high_contrast_keeps_borders(open_page: Opening, host: str) -> None:
    """With forced colours, what was told apart by its background has a visible border."""
    page = open_page(Look(forced_colours=True))
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    widget.ask("Is there an outage?")
    for part in (
        widget.mine.locator(".bubble").last,
        widget.person_button,
        widget.root.locator(".box"),
        widget.answers.locator(".bubble").last,
    ):
        style = part.evaluate(BORDERS)
        assert style[0] != "0px"
        assert style[1] != style[2]
