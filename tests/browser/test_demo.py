"""The demo page: the same words, other customers, and the reasons beside them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opening
from tests.browser.serving import Server
from tests.browser.widget_page import Look, Widget

pytestmark = pytest.mark.browser


def test_the_reasons_of_a_turn_stand_beside_it(page: Page, server: Server) -> None:
    """Stages with their effect, titles and codes of the reasons, and the rules; the newest turn is open."""
    widget = Widget.on_demo(page, server.address, "grace")
    expect(page.locator(".empty")).to_be_visible()
    page.get_by_role("button", name="Cancel my account").click()
    expect(widget.answers).to_have_count(1)
    turn = page.locator(".turn").first
    expect(turn.locator("summary").first).to_contain_text("Cancel my account")
    expect(turn.locator("summary").first).to_contain_text("To a person")
    expect(turn.locator(".seen")).to_contain_text("Critical account")
    gate = turn.locator('[data-stage="authorize_tools"]', has_text="cancel_subscription")
    expect(gate.locator(".effect")).to_have_text("To a person")
    expect(gate).to_contain_text("TOOL_CONTRACT")
    expect(gate).to_contain_text("tools.contract")

    widget.ask("Thank you")
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first).to_have_attribute("open", "")
    expect(page.locator(".turn").last).not_to_have_attribute("open", "")
    page.locator(".turn").last.locator("summary").first.click()
    widget.say("Are you there?")
    expect(page.locator(".turn")).to_have_count(3)
    expect(page.locator(".turn").last).to_have_attribute("open", "")


def test_the_same_words_of_two_customers_side_by_side(page: Page, server: Server) -> None:
    """Compared on one page: a code for one plan, the account team for the contract, each with its own reasons."""
    page.goto(f"{server.address}/demo#olivia,grace")
    lanes = page.locator(".lane")
    expect(lanes).to_have_count(2)
    left, right = (Widget(page, lanes.nth(n).locator("handrail-chat")) for n in (0, 1))
    expect(left.field).to_be_visible()
    expect(right.field).to_be_visible()
    page.get_by_role("button", name="Cancel my account").click()
    expect(left.answers.last).to_contain_text("six-digit code")
    expect(right.answers.last).to_contain_text("account team")
    expect(lanes.nth(0).locator(".turn summary .effect").first).to_have_text("Not yet")
    expect(lanes.nth(1).locator(".turn summary .effect").first).to_have_text("To a person")
    expect(lanes.nth(0).locator(".mail b")).to_have_text(re.compile(r"^\d{6}$"))
    expect(lanes.nth(1).locator(".mail")).to_be_hidden()


def test_an_anonymous_visitor_gets_no_account_tools(page: Page, server: Server) -> None:
    """The last of the choices is nobody in particular."""
    widget = Widget.on_demo(page, server.address, "visitor")
    widget.ask("Cancel my account")
    expect(widget.card).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".mail")).to_be_hidden()


def test_a_choice_survives_a_reload_and_can_be_linked_to(page: Page, server: Server) -> None:
    """Who is chosen stands in the address."""
    widget = Widget.on_demo(page, server.address, "olivia")
    page.get_by_role("combobox", name="Customer").select_option("jonas")
    expect(page.locator(".chooser p")).to_contain_text("Azure AD")
    assert page.url.endswith("#jonas")
    page.reload()
    expect(page.get_by_role("combobox", name="Customer")).to_have_value("jonas")
    widget.ask("How do I set up SSO?")
    expect(widget.answers.last).to_contain_text("Entra")


def test_on_a_phone(open_page: Opening, server: Server) -> None:
    """390 pixels: one column, nothing sideways, and the conversation works."""
    page = open_page(Look(width=390, height=844, touch=True))
    widget = Widget.on_demo(page, server.address, "dana")
    page.get_by_role("button", name="I was charged twice").tap()
    expect(widget.answers).to_have_count(1)
    expect(page.locator(".turn")).to_have_count(1)
    assert page.locator("html").evaluate("page => page.scrollWidth") <= 390


def test_the_page_runs_under_its_strict_policy(page: Page, server: Server) -> None:
    """No inline script or style is allowed, and none is needed."""
    answer = page.goto(f"{server.address}/demo")
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    expect(page.locator("handrail-chat")).to_be_visible()
