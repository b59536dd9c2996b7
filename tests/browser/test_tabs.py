"""Several tabs, several customers, one browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.widget_page import Watch, Widget

pytestmark = pytest.mark.browser


def test_two_tabs_show_the_same(page: Page, server: Server) -> None:
    """A tab that was open before joins the conversation of the other, and both go on with it."""
    first = Widget.on_demo(page, server.address, "ken")
    second = Widget.on_demo(page.context.new_page(), server.address, "ken")
    first.ask("How do I connect Slack?")
    expect(second.bubbles).to_have_count(2)
    second.ask("I would like to talk to a person")
    expect(first.bubbles).to_have_count(4)
    expect(first.strip).to_contain_text("in line")
    assert first.transcript() == second.transcript()
    assert first.conversation == second.conversation

    with server.operator() as operator:
        operator.claim(first.conversation)
        operator.reply(first.conversation, "Both of you, hello.")
    for tab in (first, second):
        expect(tab.people).to_contain_text("Both of you, hello.")
        expect(tab.disclosure).to_contain_text("Robin")


def test_a_new_conversation_begins_in_both_tabs(page: Page, server: Server) -> None:
    """Beginning again in one tab empties the other, too: no tab writes into a conversation that was left."""
    first = Widget.on_demo(page, server.address, "ken")
    first.ask("How do I connect Slack?")
    second = Widget.on_demo(page.context.new_page(), server.address, "ken")
    expect(second.bubbles).to_have_count(2)
    former = first.conversation
    second.page.get_by_role("button", name="New conversation").click()
    expect(second.bubbles).to_have_count(0)
    expect(first.bubbles).to_have_count(0)
    first.ask("Is there an outage?")
    assert first.conversation != former
    expect(second.bubbles).to_have_count(2)


def test_another_customer_never_sees_the_former_ones_conversation(page: Page, server: Server) -> None:
    """Signing in as somebody else shows nothing of it; signing in again brings it back."""
    widget = Widget.on_demo(page, server.address, "leo")
    widget.ask("Is there an outage?")
    seen = widget.transcript()
    page.get_by_role("combobox", name="Customer").select_option("nina")
    expect(widget.bubbles).to_have_count(0)
    assert "outage" not in (widget.log.text_content() or "")
    page.reload()
    expect(widget.field).to_be_visible()
    expect(widget.bubbles).to_have_count(0)
    page.get_by_role("combobox", name="Customer").select_option("leo")
    expect(widget.bubbles).to_have_count(2)
    assert widget.transcript() == seen


def test_a_token_of_another_customer_sends_nothing_under_the_former_ones_name(page: Page, server: Server) -> None:
    """A page that signs in somebody else without telling the widget: the message goes nowhere."""
    widget = Widget.on_demo(page, server.address, "leo")
    widget.ask("Is there an outage?")
    said = widget.mine.count()
    page.evaluate(
        """async () => {
             const chat = document.querySelector('handrail-chat');
             const answer = await fetch('/demo/token', {method: 'POST', body: JSON.stringify({customer_id: 'nina'}),
               headers: {'Content-Type': 'application/json'}});
             const { token } = await answer.json();
             chat.token = async () => token;
             // As when the former token has expired: the next request is refused once.
             const real = window.fetch;
             let refused = false;
             window.fetch = async (url, options) => {
               if (refused || !String(url).endsWith('/messages')) return real(url, options);
               refused = true;
               return new Response(JSON.stringify({error: {code: 'token_expired'}}), {status: 401});
             };
           }"""
    )
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.method == "POST" else None)
    widget.say("My secret plan")
    expect(widget.bubbles).to_have_count(0)
    assert said == 1
    assert not [each for each in requests if each.endswith("/messages")]
    assert "secret" not in (widget.log.text_content() or "")


def test_a_conversation_that_was_erased_gives_way_to_a_new_one(page: Page, server: Server, watch: Watch) -> None:
    """What the server no longer knows is forgotten here too, and the message that found out is not lost."""
    watch.allow("404")  # the browser reports that the conversation is gone
    widget = Widget.on_demo(page, server.address, "noor")
    widget.ask("Is there an outage?")
    former = widget.conversation
    erased = page.evaluate(
        """async (id) => {
             const token = await document.querySelector('handrail-chat').token();
             const headers = {Authorization: `Bearer ${token}`};
             return (await fetch(`/v1/conversations/${id}`, {method: 'DELETE', headers})).status;
           }""",
        former,
    )
    assert erased < 300
    page.reload()
    expect(widget.bubbles).to_have_count(0)
    widget.ask("Is there an outage now?")
    expect(widget.mine).to_have_count(1)
    assert widget.conversation != former
