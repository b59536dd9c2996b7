"""Text is text: whatever a customer, a person, an article or a file name contains, nothing of it becomes markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.serving import Server
from tests.browser.widget_page import Widget

pytestmark = pytest.mark.browser

ATTACK = (
    "<img src=x onerror=\"window.pwned='image'\"><script>window.pwned='script'</script>"
    "<a href=\"javascript:window.pwned='link'\">here</a>"
)
SAFE = """chat => {
  const inside = chat.shadowRoot;
  return {
    pwned: window.pwned ?? null,
    markup: inside.querySelectorAll('img, script, iframe, a, [onerror], [onclick]').length,
  };
}"""


def harmless(widget: Widget) -> bool:
    """Whether nothing ran and nothing became an element."""
    found: dict[str, object] = widget.root.evaluate(SAFE)
    return found == {"pwned": None, "markup": 0}


def test_what_customers_and_people_write(page: Page, server: Server) -> None:
    """It is shown as it was written, live and after a reload, here and on the demo page beside it."""
    widget = Widget.on_demo(page, server.address, "victor")
    widget.ask(ATTACK)
    expect(widget.mine.first).to_contain_text(ATTACK)
    widget.person_button.click()
    expect(widget.strip).to_contain_text("in line")
    with server.operator() as operator:
        operator.claim(widget.conversation)
        operator.reply(widget.conversation, f"{ATTACK} and [a link](javascript:alert(1))")
    expect(widget.people).to_contain_text(f"{ATTACK} and [a link](javascript:alert(1))")
    assert harmless(widget)
    expect(page.locator(".turn .words", has_text="window.pwned")).to_have_count(1)
    page.reload()
    expect(widget.people).to_contain_text(ATTACK)
    assert harmless(widget)
    assert page.evaluate("document.querySelectorAll('main img, main script, main a').length") == 0


def test_every_word_of_the_server(page: Page, server: Server) -> None:
    """A feed in which every text is an attack, as a hostile model or article would write it."""
    until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    at = datetime.now(UTC).isoformat()
    bot: dict[str, object] = {"event": "message.completed", "role": "bot", "at": at, "turn_id": "t"}
    items: list[dict[str, object]] = [
        bot | {"message_id": "m1", "text": f"{ATTACK}\n- {ATTACK}\nSource: {ATTACK}"},
        {"event": "checklist", "message_id": "m1", "items": [ATTACK, "- " + ATTACK]},
        {"event": "citation", "message_id": "m1", "doc_id": ATTACK, "title": ATTACK},
        bot | {"message_id": "m2", "text": "<b>Sure?</b>"},
        {
            "event": "confirmation.requested",
            "message_id": "m2",
            "tool": ATTACK,
            "title": ATTACK,
            "arguments": [{"name": ATTACK, "content": ATTACK}, {"name": "amount", "content": {"<i>": ["<b>"]}}],
            "expires_at": until,
        },
        {"event": "file.attached", "file_id": "f", "name": f"{ATTACK}.png", "media_type": ATTACK, "size": 5},
        {"event": "handoff.requested", "team": ATTACK},
        {"event": "handoff.accepted", "name": ATTACK},
        {"event": "status", "status": "human"},
        bot | {"message_id": "m3", "role": "operator", "name": ATTACK, "text": ATTACK},
        {"event": "quick_replies", "message_id": "m3", "replies": [ATTACK, "__proto__"]},
        {"event": "no.such.event", "text": ATTACK},
    ]
    stream = "".join(f"id: {seq}\ndata: {json.dumps(item)}\n\n" for seq, item in enumerate(items, 1))

    def feed(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=stream)

    def words(route: Route) -> None:
        names = [
            "intro_title",
            "intro",
            "person_button",
            "placeholder",
            "joined",
            "requested",
            "ai",
            "confirm",
            "sources",
        ]
        config = {"name": ATTACK, "disclosure": ATTACK, "person_disclosure": ATTACK, "languages": ["en"]}
        route.fulfill(
            status=200,
            content_type="application/json",
            body=json.dumps(config | {"texts": dict.fromkeys(names, ATTACK)}),
        )

    page.route("**/events", feed)
    page.route("**/v1/widget", words)
    page.goto(f"{server.address}/demo#victor")
    widget = Widget(page)
    widget.say("Hello")
    expect(widget.people.locator(".pill")).to_have_count(2)
    expect(widget.card.get_by_role("heading")).to_have_text(ATTACK)
    expect(widget.card.get_by_role("definition")).to_have_text([ATTACK, '{"<i>":["<b>"]}'])
    expect(widget.root.locator(".steps li")).to_have_text([ATTACK, f"- {ATTACK}"])
    expect(widget.root.locator(".sources li")).to_have_text([ATTACK])
    expect(widget.disclosure).to_contain_text(ATTACK)
    assert harmless(widget)
