"""The same five words of two customers: policy, not the words, decides what happens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opening
from tests.browser.serving import Server
from tests.browser.widget_page import Widget

pytestmark = pytest.mark.browser


def test_a_trial_is_cancelled_after_check_consent_and_approval(page: Page, server: Server) -> None:
    """Mia is verified, agrees to the exact call, a person approves, and the cancellation runs."""
    widget = Widget.on_demo(page, server.address, "mia")
    widget.ask("Cancel my account")
    expect(widget.answers.last).to_contain_text("six-digit code")
    page.get_by_role("button", name="Send it").click()
    expect(widget.card).to_contain_text("Cancel the subscription")
    expect(widget.card.get_by_role("term")).to_have_text(["Subscription id", "Effective on"])
    expect(widget.card.get_by_role("definition").first).to_have_text("SUB-1001")

    widget.press("Yes, go ahead")
    expect(widget.mine.last).to_contain_text("yes")
    expect(widget.answers.last).to_contain_text("A colleague has to approve this")
    with server.operator() as operator:
        (approval,) = [each for each in operator.approvals() if each.conversation_id == widget.conversation]
        assert approval.call.tool == "cancel_subscription"
        operator.approve(approval.approval_id)
    expect(widget.answers.last).to_contain_text("SUB-1001 is cancelled")


def test_a_contract_goes_to_a_person(page: Page, server: Server) -> None:
    """Grace, with a contract before its renewal, gets the account team and no card to agree to."""
    widget = Widget.on_demo(page, server.address, "grace")
    widget.ask("Cancel my account")
    expect(widget.answers.last).to_contain_text("handing you over to the account team")
    expect(widget.strip).to_contain_text("Waiting for the account team")
    expect(widget.card).to_have_count(0)


def test_no_leaves_everything_and_closes_the_card(page: Page, server: Server) -> None:
    """A declined card says so, and its buttons are over."""
    widget = Widget.on_demo(page, server.address, "tomas")
    widget.ask("Cancel my account")
    page.get_by_role("button", name="Send it").click()
    widget.press("No, leave it")
    expect(widget.answers.last).to_contain_text("left everything as it is")
    expect(widget.card).to_contain_text("You declined")
    expect(widget.card.get_by_role("button")).to_have_count(2)
    for button in widget.card.get_by_role("button").all():
        expect(button).to_be_disabled()


def test_another_message_overtakes_the_card(page: Page, server: Server) -> None:
    """A card that was passed over cannot be agreed to later, also after a reload."""
    widget = Widget.on_demo(page, server.address, "walter")
    widget.ask("Cancel my account")
    page.get_by_role("button", name="Send it").click()
    expect(widget.card.get_by_role("button", name="Yes")).to_be_enabled()
    widget.ask("Is there an outage?")
    expect(widget.card).to_contain_text("No longer open")
    page.reload()
    expect(widget.card).to_contain_text("No longer open")
    expect(widget.card.get_by_role("button", name="Yes")).to_be_disabled()


def test_an_expired_card_closes_by_itself(open_page: Opening, server: Server) -> None:
    """When the time is over the card says so, without a word from the server."""
    page = open_page()
    page.clock.install()
    widget = Widget.on_demo(page, server.address, "farid")
    widget.say("Cancel my account")
    page.clock.run_for(1000)
    expect(widget.answers).to_have_count(1)
    page.clock.run_for(1000)
    page.get_by_role("button", name="Send it").click()
    expect(widget.card.get_by_role("button", name="Yes")).to_be_enabled()
    page.clock.fast_forward("02:00:00")
    expect(widget.card).to_contain_text("Expired")
    expect(widget.card.get_by_role("button", name="Yes")).to_be_disabled()
