"""The widget on somebody else's page: with a site key from a listed origin, and not from any other."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import HOST_PAGE, HOST_POLICY, SITE_KEY, Opening
from tests.browser.serving import Server, free_port, other_site
from tests.browser.widget_page import Look, Watch, Widget

pytestmark = pytest.mark.browser


def test_a_visitor_of_a_listed_site(page: Page, host: str, server: Server) -> None:
    """One script tag under a strict policy: a conversation that survives a reload, and no other host is asked."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).netloc.decode()))
    page.goto(host)
    widget = Widget(page)
    expect(widget.launcher).to_have_accessible_name("Chat with Fernwell")
    widget.launcher.click()
    widget.ask("Is there an outage?")
    shown = widget.transcript()
    page.reload()
    widget.launcher.click()
    expect(widget.bubbles).to_have_count(2)
    assert widget.transcript() == shown
    assert hosts == {httpx.URL(host).netloc.decode(), httpx.URL(server.address).netloc.decode()}


def test_no_conversation_before_the_first_word(page: Page, host: str) -> None:
    """Looking at a page, and opening the panel, opens no conversation and no stream."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/conversations" in request.url else None)
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    expect(widget.field).to_be_focused()
    expect(widget.root.get_by_role("heading", name="Hi, how can we help?")).to_be_visible()
    assert asked == []


def test_a_reply_while_the_panel_is_closed(page: Page, host: str, server: Server) -> None:
    """The launcher counts what has not been seen, and opening the panel clears it."""
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    widget.person_button.click()
    expect(widget.strip).to_contain_text("in line")
    page.keyboard.press("Escape")
    with server.operator() as operator:
        operator.claim(widget.conversation)
        operator.reply(widget.conversation, "Hello?")
        operator.reply(widget.conversation, "Are you there?")
    expect(widget.launcher).to_have_accessible_name("Chat with Fernwell, new messages: 2")
    page.reload()
    expect(widget.launcher).to_have_accessible_name("Chat with Fernwell, new messages: 2")
    widget.launcher.click()
    page.keyboard.press("Escape")
    expect(widget.launcher).to_have_accessible_name("Chat with Fernwell")


@pytest.mark.parametrize("key", [SITE_KEY, "site_of_nobody"])
def test_a_site_that_is_not_listed(open_page: Opening, watch: Watch, server: Server, tmp_path: Path, key: str) -> None:
    """Neither with the key of another site nor with none of ours: no widget, no conversation, nothing to read."""
    watch.allow("CORS|Failed to load resource: net::ERR_FAILED|Failed to fetch dynamically imported module")
    answered: list[str] = []
    (tmp_path / "index.html").write_text(HOST_PAGE.format(address=server.address, key=key))
    with other_site(tmp_path, HOST_POLICY.format(address=server.address), free_port()) as address:
        page = open_page()
        page.on("response", lambda response: answered.append(response.url) if "/v1/" in response.url else None)
        with page.expect_event("pageerror"):
            page.goto(address)
        refused = page.evaluate(
            """async ([server, key]) => {
                 try {
                   await fetch(`${server}/v1/conversations`, {method: 'POST', headers: {'X-Site-Key': key}});
                   return 'answered';
                 } catch { return 'refused'; }
               }""",
            [server.address, key],
        )
        assert refused == "refused"
        expect(page.locator("handrail-chat")).to_have_count(0)
        assert answered == []


def test_pages_style_their_own_and_the_widget_its_own(open_page: Opening, server: Server, host: str) -> None:
    """A page's rules for buttons and fields do not reach the widget; its colours do where it says so."""
    page = open_page()
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    before = widget.person_button.evaluate("button => getComputedStyle(button).fontSize")
    page.evaluate(
        """() => {
             const sheet = new CSSStyleSheet();
             sheet.replaceSync('* { font-size: 40px !important; color: red } :root { --handrail-accent: #5b2a86 }');
             document.adoptedStyleSheets = [sheet];
           }"""
    )
    assert widget.person_button.evaluate("button => getComputedStyle(button).fontSize") == before
    widget.say("Hello")
    colour = widget.mine.locator(".bubble").evaluate("bubble => getComputedStyle(bubble).backgroundColor")
    assert colour == "rgb(91, 42, 134)"


def test_right_to_left(open_page: Opening, host: str) -> None:
    """On a right-to-left page the launcher, the panel and the customer's messages change sides."""
    page = open_page(Look(width=1200))
    page.goto(host)
    page.evaluate("document.documentElement.dir = 'rtl'")
    widget = Widget(page)
    place = widget.launcher.bounding_box()
    assert place is not None
    assert place["x"] == 24
    widget.launcher.click()
    widget.say("Hello")
    mine, log = widget.mine.locator(".bubble").bounding_box(), widget.log.bounding_box()
    assert mine is not None
    assert log is not None
    assert abs(mine["x"] - log["x"]) < 2
