"""Lost connections, lost answers, expired tokens: nothing is lost, nothing is said twice, and the customer is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.settings import Settings
from tests.browser.conftest import Opening
from tests.browser.serving import Server, free_port, serve
from tests.browser.widget_page import Watch, Widget

pytestmark = pytest.mark.browser

CUT = "Failed to load resource: net::ERR_"
"""How the browser reports a request that was cut on purpose."""


def test_the_server_goes_and_comes_back(open_page: Opening, watch: Watch, base: Path, tmp_path: Path) -> None:
    """It is said, the widget reconnects by itself from where it was, and what happened meanwhile is there, once."""
    watch.allow(CUT)
    port = free_port()
    first = serve(tmp_path, base, port=port)
    page = open_page()
    widget = Widget.on_demo(page, first.address, "jonas")
    widget.ask("How do I set up SSO?")
    widget.person_button.click()
    expect(widget.strip).to_contain_text("in line")
    asked: list[int] = []

    def note(request: Request) -> None:
        if request.url.endswith("/events"):
            asked.append(int(request.header_value("last-event-id") or 0))

    page.on("request", note)
    first.stop()
    expect(widget.strip).to_contain_text("Connection lost")

    second = serve(tmp_path, base, port=port)
    try:
        with second.operator() as operator:
            operator.claim(widget.conversation)
            operator.reply(widget.conversation, "Here I am.")
        expect(widget.people).to_contain_text("Here I am.")
        expect(widget.people).to_have_count(1)
        expect(widget.mine).to_have_count(2)
        expect(widget.disclosure).to_contain_text("Robin")
        expect(widget.strip).to_be_hidden()
        assert asked, "the widget reconnects"
        assert min(asked) > 0, "and does not begin at the beginning"
    finally:
        second.stop()


def test_a_message_written_offline_goes_out_later(page: Page, server: Server, watch: Watch) -> None:
    """It stands there as on its way, and is answered once the network is back."""
    watch.allow(CUT)
    widget = Widget.on_demo(page, server.address, "zoe")
    page.context.set_offline(True)
    widget.say("Is there an outage?")
    expect(widget.mine.locator(".delivery")).to_contain_text("Trying again")
    page.context.set_offline(False)
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)
    expect(widget.mine.locator(".delivery")).to_be_hidden()


def test_a_message_that_cannot_be_sent_offers_another_try(open_page: Opening, server: Server, watch: Watch) -> None:
    """After a few tries it says so, keeps the words, and sends them under the same key when asked to."""
    watch.allow(CUT)
    page = open_page()
    page.clock.install()
    widget = Widget.on_demo(page, server.address, "zoe")
    keys: list[str] = []

    def cut(route: Route) -> None:
        keys.append(route.request.header_value("idempotency-key") or "")
        route.abort("connectionrefused")

    page.route("**/messages", cut)
    widget.say("Is there an outage?")
    failed = widget.mine.locator(".delivery.failed")
    for _ in range(40):
        page.clock.run_for(4_000)
        if failed.count():
            break
    expect(failed).to_contain_text("Not sent.")
    expect(failed).to_contain_text("Check your connection")

    page.unroute("**/messages")
    with page.expect_request("**/messages") as again:
        failed.get_by_role("button", name="Try again").click()
    assert {*keys, again.value.header_value("idempotency-key")} == {keys[0]}
    page.clock.run_for(1_000)
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)


def test_a_lost_answer_is_asked_for_again_with_the_same_key(page: Page, server: Server, watch: Watch) -> None:
    """The message arrived and its answer was cut off: the customer sees one of each."""
    watch.allow(CUT)
    widget = Widget.on_demo(page, server.address, "rosa")
    keys: list[str] = []

    def cut(route: Route) -> None:
        keys.append(route.request.header_value("idempotency-key") or "")
        answer = route.fetch()
        if len(keys) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    page.route("**/messages", cut)
    with page.expect_response("**/messages"):
        widget.say("Is there an outage?")
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)
    expect(widget.mine.locator(".delivery")).to_be_hidden()
    assert len(keys) == 2
    assert keys[0] == keys[1] != ""


def test_a_message_stands_once_while_its_answer_is_on_the_way(page: Page, server: Server) -> None:
    """The feed brings message and reply before the request has its answer: each is shown once, at every moment."""
    widget = Widget.on_demo(page, server.address, "rosa")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/messages", lambda route: held.append((route, route.fetch())))
    widget.say("Is there an outage?")
    expect(widget.answers).to_have_count(1)
    assert widget.mine.count() == 1
    expect(widget.mine.locator(".delivery")).to_be_hidden()
    route, answer = held[0]
    with page.expect_response("**/messages"):
        route.fulfill(response=answer)
    assert (widget.mine.count(), widget.answers.count()) == (1, 1)


def test_a_reload_in_the_middle_loses_no_message(page: Page, server: Server, watch: Watch) -> None:
    """What was on its way when the page went is sent by the next page of the tab, once."""
    watch.allow(CUT)
    widget = Widget.on_demo(page, server.address, "rosa")
    page.route("**/messages", lambda route: route.abort("connectionreset"))
    widget.say("Is there an outage?")
    expect(widget.mine.locator(".delivery")).to_contain_text("Trying again")
    page.unroute("**/messages")
    page.reload()
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)
    page.reload()
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)


def test_the_button_for_a_person_works_without_the_stream(page: Page, server: Server, watch: Watch) -> None:
    """Nothing of the feed arrives: messages are answered and a person is asked for all the same."""
    watch.allow(CUT)
    widget = Widget.on_demo(page, server.address, "elif")
    page.route("**/events", lambda route: route.abort("connectionreset"))
    widget.ask("Is there an outage?")
    expect(widget.strip).to_contain_text("Connection lost")
    widget.person_button.click()
    expect(widget.answers.last).to_contain_text("handing you over")
    expect(widget.person_button).to_have_text("Talk to a person")

    page.unroute("**/events")
    expect(widget.strip).to_contain_text("in line")
    expect(widget.answers).to_have_count(2)
    with server.operator() as operator:
        assert operator.case(widget.conversation).status == "queued"


def test_the_button_for_a_person_says_what_to_do_when_nothing_works(
    open_page: Opening, host: str, server: Server, watch: Watch
) -> None:
    """It is never disabled, says what happened and whom to write to, and works when the server is back."""
    watch.allow(CUT)
    page = open_page()
    page.clock.install()
    page.goto(host)
    widget = Widget(page)
    widget.launcher.click()
    page.route(f"{server.address}/v1/**", lambda route: route.abort("connectionrefused"))
    widget.person_button.click()
    expect(widget.person_button).to_be_enabled()
    problem = widget.root.locator(".notice.error")
    for _ in range(40):
        page.clock.run_for(4_000)
        expect(widget.person_button).to_be_enabled()
        if problem.count():
            break
    expect(problem).to_contain_text("We cannot be reached")
    expect(problem).to_contain_text("help@example.com")
    page.unroute(f"{server.address}/v1/**")
    widget.person_button.click()
    page.clock.run_for(1_000)
    expect(widget.strip).to_contain_text("in line")
    expect(problem).to_have_count(0)


def test_an_expired_token_is_renewed_without_a_word(page: Page, server: Server, watch: Watch) -> None:
    """The page is asked for a new one and the request is sent again."""
    watch.allow("401")  # the browser reports the refusal
    settings = Settings.model_validate({"data_dir": server.folder})
    expired = Gate(keys_of(settings), settings.site).sign("hana", -3600)
    given: list[Route] = []

    def first_expired(route: Route) -> None:
        given.append(route)
        if len(given) == 1:
            route.fulfill(status=200, content_type="application/json", body=json.dumps({"token": expired}))
        else:
            route.continue_()

    page.route("**/demo/token", first_expired)
    widget = Widget.on_demo(page, server.address, "hana")
    widget.ask("Is there an outage?")
    assert len(given) == 2
    expect(widget.root.locator(".notice.error")).to_have_count(0)


def test_a_page_that_cannot_vouch_for_its_customer(page: Page, server: Server, watch: Watch) -> None:
    """Without a token nobody is taken for a visitor: it is said, and works when the page gives one."""
    watch.allow("500|Uncaught")
    page.route("**/demo/token", lambda route: route.fulfill(status=500, body="{}"))
    widget = Widget.on_demo(page, server.address, "hana")
    problem = widget.root.locator(".notice.error")
    expect(problem).to_contain_text("could not confirm who you are")
    opened: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/v1/conversations" in request.url else None)
    widget.say("Is there an outage?")
    expect(widget.mine.locator(".delivery")).to_contain_text("Not sent.")
    assert opened == []

    page.unroute("**/demo/token")
    problem.get_by_role("button", name="Try again").click()
    expect(widget.answers).to_have_count(1)
    expect(widget.mine).to_have_count(1)
    expect(problem).to_have_count(0)
