"""From the first message to the rating: the machine collects, a person takes over, decides and closes the case."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.widget_page import Widget

pytestmark = pytest.mark.browser

DETAILS = "It was charged on 18 and 20 November 2026, 52.00 USD each time, card ending in 4242. I have no screenshot."


def test_a_disputed_charge_from_the_first_message_to_the_rating(page: Page, server: Server) -> None:
    """Details are asked for and collected, a person takes over in the same thread, and the customer rates."""
    widget = Widget.on_demo(page, server.address, "dana")
    expect(widget.disclosure).to_contain_text("automatic assistant")

    widget.ask("I was charged twice for invoice INV-2041")
    asked = widget.root.get_by_role("list").filter(has_text="last four digits")
    expect(asked.get_by_role("checkbox")).to_have_count(4)
    asked.get_by_role("checkbox", name="the date of the charge").check()

    widget.ask(DETAILS)
    expect(widget.answers.last).to_contain_text("handing you over to the billing team")
    expect(widget.strip).to_contain_text(re.compile(r"Waiting for the billing team. You are number \d+ in line"))
    before = widget.transcript()

    page.reload()
    expect(widget.strip).to_contain_text("Waiting for the billing team")
    expect(widget.bubbles).to_have_count(4)
    assert widget.transcript() == before
    expect(widget.root.get_by_role("checkbox", name="the date of the charge")).to_be_checked()
    expect(widget.disclosure).to_contain_text("automatic assistant")

    case = widget.conversation
    assert case[:8] in server.queue("list")
    server.queue("claim", case)
    expect(widget.disclosure).to_contain_text("Robin")
    expect(widget.disclosure).to_contain_text("A person")
    expect(widget.disclosure).not_to_contain_text("automatic")
    expect(widget.log).to_contain_text("Robin has joined. You are now talking to a person.")
    expect(widget.strip).to_be_hidden()

    server.queue("reply", case, "Hello Dana, I see both payments.\nOne of them goes back to your card.")
    expect(widget.people).to_have_count(1)
    expect(widget.people.locator(".meta")).to_contain_text("Robin")
    expect(widget.people.locator(".meta")).to_contain_text("Person")
    assert "I see both payments.\nOne of them" in widget.people.locator(".bubble").inner_text()

    widget.say("Thank you, that was quick.")
    expect(widget.mine.last).to_contain_text("that was quick")
    server.queue("resolve", case)
    expect(widget.log).to_contain_text("This conversation has been closed.")
    expect(widget.disclosure).to_contain_text("closed")
    rate(widget)


def test_a_refund_that_a_person_approves(page: Page, server: Server) -> None:
    """The exact call is agreed to, waits for approval while a person takes over, is approved, and is seen to run."""
    widget = Widget.on_demo(page, server.address, "dana")
    widget.ask("I would like a refund of 52.00 USD for INV-2041")
    page.get_by_role("button", name="Send it").click()
    expect(widget.card).to_contain_text("Refund")
    expect(widget.card.get_by_role("definition")).to_have_text(["INV-2041", "52.00"])
    widget.press("Yes, go ahead")
    expect(widget.answers.last).to_contain_text("A colleague has to approve this")
    expect(widget.card).to_contain_text("You agreed")

    widget.person_button.click()
    expect(widget.strip).to_contain_text("in line")
    before = widget.transcript()
    page.reload()
    expect(widget.strip).to_contain_text("in line")
    assert widget.transcript() == before
    expect(widget.card.get_by_role("button", name="Yes")).to_be_disabled()

    case = widget.conversation
    server.queue("claim", case)
    server.queue("reply", case, "I am looking at your refund.")
    expect(widget.people.last).to_contain_text("I am looking at your refund.")
    (approval,) = json.loads(server.queue("show", case, "--json"))["approvals"]
    assert approval["call"]["arguments"] == {"invoice_id": "INV-2041", "amount": "52.00"}
    server.queue("approve", approval["approval_id"])
    expect(widget.answers.last).to_contain_text("$52.00 of invoice INV-2041 is being refunded")
    server.queue("resolve", case, "--note", "duplicate payment returned")
    rate(widget)


def rate(widget: Widget) -> None:
    """Give four stars and a comment; the thanks stay after a reload."""
    card = widget.root.get_by_role("form", name="How was this conversation?")
    expect(card).to_be_visible()
    card.get_by_role("button", name="Send rating").click()
    expect(card).to_contain_text("choose one to five stars")
    card.get_by_role("radio", name="4 of 5").check(force=True)
    card.get_by_role("textbox").fill("Quick and clear.")
    card.get_by_role("button", name="Send rating").click()
    expect(widget.log).to_contain_text("Thank you for your rating: 4 of 5.")
    expect(card).to_have_count(0)
    widget.page.reload()
    expect(widget.log).to_contain_text("Thank you for your rating: 4 of 5.")
    expect(card).to_have_count(0)
