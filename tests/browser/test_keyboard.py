"""Without a mouse: everything is reached by keys, and the focus is never lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opening
from tests.browser.serving import Server
from tests.browser.widget_page import Look, Widget

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at?.getAttribute('aria-label') || at?.labels?.[0]?.textContent.trim() || at?.textContent.trim() || at?.tagName;
}"""


def focused(page: Page) -> str:
    """The name of what has the focus, through shadow trees."""
    name: str = page.evaluate(FOCUSED)
    return name


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until something of that name has the focus."""
    passed = []
    for _ in range(25):
        page.keyboard.press(key)
        passed.append(focused(page))
        if passed[-1] == name:
            return
    raise AssertionError(f"{name} is not reached by {key}; passed: {passed}")


def test_a_conversation_by_keys_alone(page: Page, host: str) -> None:
    """Open, write, answer by a quick reply, ask for a person, close with Escape, open again."""
    page.goto(host)
    widget = Widget(page)
    expect(widget.launcher).to_be_visible()
    tab_to(page, "Chat with Fernwell")
    page.keyboard.press("Enter")
    expect(widget.root.get_by_role("dialog", name="Fernwell")).to_be_visible()
    assert focused(page) == "Your message"

    page.keyboard.type("My authenticator code")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("is not accepted")
    expect(widget.field).to_have_value("My authenticator code\nis not accepted")
    page.keyboard.press("Enter")
    expect(widget.field).to_have_value("")
    expect(widget.answers).to_have_count(1)
    assert widget.mine.last.locator(".bubble").inner_text().endswith("My authenticator code\nis not accepted")
    assert focused(page) == "Your message"

    first = widget.root.locator(".pill").first
    expect(first).to_be_visible()
    choice = first.inner_text()
    tab_to(page, choice, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(widget.mine).to_have_count(2)
    expect(widget.mine.last).to_contain_text(choice)
    assert focused(page) == "Your message", "the pressed button is gone; the focus must not be"
    expect(widget.answers).to_have_count(2)

    tab_to(page, "Talk to a person")
    page.keyboard.press("Space")
    expect(widget.strip).to_contain_text("in line")
    expect(widget.person_button).to_have_text("Talk to a person")
    assert focused(page) == "Talk to a person"

    page.keyboard.press("Escape")
    expect(widget.root.get_by_role("dialog")).to_be_hidden()
    assert focused(page) == "Chat with Fernwell"
    page.keyboard.press("Enter")
    expect(widget.strip).to_contain_text("in line")


def test_the_card_and_the_rating_by_keys(page: Page, server: Server) -> None:
    """Yes and No are buttons in the order of reading; stars are chosen with the arrows."""
    widget = Widget.on_demo(page, server.address, "tomas")
    widget.ask("Cancel my account")
    page.get_by_role("button", name="Send it").click()
    expect(widget.card).to_be_visible()
    widget.field.focus()
    tab_to(page, "No, leave it", "Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Yes, go ahead"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(widget.card).to_contain_text("You declined")
    assert focused(page) == "Your message"

    with server.operator() as operator:
        operator.claim(widget.conversation)
        operator.resolve(widget.conversation, None)
    form = widget.root.get_by_role("form", name="How was this conversation?")
    expect(form).to_be_visible()
    widget.field.focus()
    tab_to(page, "Send rating", "Shift+Tab")
    page.keyboard.press("Shift+Tab")  # the comment
    page.keyboard.press("Shift+Tab")  # the stars: one stop for all of them
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(form.get_by_role("radio", name="3 of 5")).to_be_checked()
    tab_to(page, "Send rating")
    page.keyboard.press("Enter")
    expect(widget.log).to_contain_text("3 of 5")


def test_on_a_small_screen_the_page_behind_is_out_of_reach(open_page: Opening, host: str) -> None:
    """The panel covers the page: Tab stays in it, and Escape leads back to the launcher."""
    page = open_page(Look(width=390, height=760))
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    box = widget.root.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 760)
    names = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        names.add(focused(page))
    assert "A link of the page" not in names
    assert {"Close chat", "Talk to a person", "Your message"} <= names
    page.keyboard.press("Escape")
    expect(widget.root.get_by_role("dialog")).to_be_hidden()
    assert focused(page) == "Chat with Fernwell"


def test_what_is_read_out(page: Page, server: Server) -> None:
    """The log announces news politely, not the stored part; each message names its author; no piece is read twice."""
    widget = Widget.on_demo(page, server.address, "olivia")
    expect(widget.log).to_have_attribute("aria-live", "polite")
    widget.ask("How do I set up SSO?")
    assert (widget.mine.last.locator(".bubble").text_content() or "").startswith("You: ")
    assert (widget.answers.last.locator(".bubble").text_content() or "").startswith("Fernwell: ")
    expect(widget.answers.last.locator(".sources")).to_contain_text("Set up single sign-on (SSO) with Okta")
    assert "Source:" not in (widget.answers.last.locator(".line").last.text_content() or "")
    expect(widget.root.locator(".partial")).to_have_count(0)

    # Whatever is on the screen while the log is silent was not read out.
    page.add_init_script(
        """addEventListener('DOMContentLoaded', () => {
             window.silent = [];
             setInterval(() => {
               const log = document.querySelector('handrail-chat')?.shadowRoot?.querySelector('[role=log]');
               if (log?.getAttribute('aria-live') === 'off') window.silent.push(log.children.length);
             }, 5);
           })"""
    )
    page.reload()
    expect(widget.bubbles).to_have_count(2)
    expect(widget.log).to_have_attribute("aria-live", "polite")
    assert max(page.evaluate("window.silent")) == 2
