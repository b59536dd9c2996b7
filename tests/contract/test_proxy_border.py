"""The border of the proxy: who may ask, what may be asked, repeated and long requests, and what the log says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import httpx
import openai
import pytest
from openai import OpenAI

from handrail.commands.explain import explained, shipped_catalogue
from handrail.evals.standins.script import Reply
from tests.support.live_server import LiveServer
from tests.support.proxied_app import CODE, SYSTEM, TOOLS, TWICE, App, History
from tests.support.scripted_standin import Behind, calling, in_turn


def test_the_model_of_the_settings_is_listed(proxied: OpenAI) -> None:
    """And no other."""
    assert [one.id for one in proxied.models.list()] == ["standin"]
    with pytest.raises(openai.NotFoundError):
        proxied.models.retrieve("gpt-5")


def test_another_chat_of_the_same_name_is_answered(proxied: OpenAI, behind: Behind) -> None:
    """A question that it does not show does not stand in its way."""
    app = App(proxied, "other-chat")
    behind.says(in_turn(calling("resend_code", channel="email")))
    app.say(CODE)
    app.history = app.history[:1]
    behind.says(in_turn(Reply("Open the workspace.")))
    assert "Open the workspace." in app.say("How do I create a project?")


def test_without_a_name_the_beginning_finds_the_conversation(proxied: OpenAI, behind: Behind) -> None:
    """An application that changes nothing but the base URL and the customer: the yes is still one."""
    behind.says(in_turn(calling("resend_code", channel="email")))
    history: History = [{"role": "user", "content": f"Hello. {CODE}"}]
    asked = proxied.chat.completions.create(model="x", messages=history, tools=TOOLS, user="dana")
    history.append({"role": "assistant", "content": asked.choices[0].message.content})
    history.append({"role": "user", "content": "yes"})
    other = proxied.chat.completions.create(model="x", messages=history, tools=TOOLS, user="mia")
    assert not other.choices[0].message.tool_calls
    agreed = proxied.chat.completions.create(model="x", messages=history, tools=TOOLS, user="dana")
    assert agreed.choices[0].finish_reason == "tool_calls"


def test_every_turn_can_be_explained(proxied: OpenAI, behind: Behind, proxy: LiveServer) -> None:
    """From the log alone: what was decided about the call, and that it was handed over."""
    app = App(proxied, "explained")
    behind.says(in_turn(calling("get_invoice", invoice_id="INV-2041")))
    app.history.append({"role": "user", "content": TWICE})
    app.ask()
    url = f"sqlite:///{proxy.folder / 'handrail.db'}"
    told = explained(str(app.support["turn_id"]), None, url, shipped_catalogue(), as_json=False)
    assert "TOOL_HANDED_OVER" in told
    assert "proxy:standin" in told
    assert "by proxy" in told


def test_a_repeated_request_is_answered_once(proxied: OpenAI, behind: Behind) -> None:
    """Results that are brought twice, and a message under the same key."""
    app = App(proxied, "repeated")
    behind.says(in_turn(calling("get_invoice", invoice_id="INV-2041"), Reply("It was paid 2 times.")))
    app.say(TWICE)
    asked, first = len(behind.server.seen), app.support["turn_id"]
    app.history.pop()
    app.ask()
    assert app.support["turn_id"] == first
    assert len(behind.server.seen) == asked


def test_two_requests_at_once(proxied: OpenAI, behind: Behind) -> None:
    """In one conversation they are answered one after the other, a write is handed over to one of them only."""
    app = App(proxied, "at-once")
    behind.says(in_turn(calling("resend_code", channel="email")))
    app.say(CODE)
    behind.says(in_turn(Reply("Is there anything else?")))
    app.history.append({"role": "user", "content": "yes"})
    with ThreadPoolExecutor(2) as pool:
        answers = [each.result() for each in [pool.submit(app.ask), pool.submit(app.ask)]]
    assert sum(bool(one.choices[0].message.tool_calls) for one in answers) == 1


def test_a_client_that_leaves_locks_nothing(proxy: LiveServer, proxied: OpenAI, behind: Behind) -> None:
    """The turn goes on and is stored; the next message of the conversation is answered."""
    app = App(proxied, "leaving")
    behind.says(in_turn(Reply("Open the workspace.")))
    impatient = proxied.with_options(timeout=0.001)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(
            model="x", messages=[{"role": "user", "content": "How do I create a project?"}],
            extra_headers={"X-Conversation-Id": "leaving", "X-Customer-Id": "dana"},
        )  # fmt: skip
    assert "Open the workspace." in app.say("How do I create a project?")


def test_a_long_history_is_read_to_its_limit(proxied: OpenAI, behind: Behind) -> None:
    """A megabyte of chat: the newest of it is passed on, and the answer comes."""
    app = App(proxied, "long")
    for number in range(500):
        app.history.append({"role": "user", "content": f"Question {number}? " + "and so on " * 100})
        app.history.append({"role": "assistant", "content": f"Answer {number}. " + "because " * 120})
    assert sum(len(str(one)) for one in app.history) > 1_000_000
    behind.says(in_turn(Reply("Open the workspace.")))
    assert "Open the workspace." in app.say("How do I create a project?")
    assert "Question 499?" in behind.told
    assert "Question 0?" not in behind.told
    assert SYSTEM in behind.told


def test_results_by_the_megabyte_are_looked_through_to_a_limit(proxied: OpenAI, behind: Behind) -> None:
    """The newest are; what lies further back is not shown to the model."""
    app = App(proxied, "results")
    for number in range(60):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "get_invoice", "arguments": "{}"}}
        found = json.dumps({"description": "Boards hold cards. " * 900, "internal_note": "for nobody"})
        app.history += cast(
            History,
            [
                {"role": "user", "content": f"Look for {number}."},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{number}", "content": found},
                {"role": "assistant", "content": "Found."},
            ],
        )
    behind.says(in_turn(Reply("Open the workspace.")))
    assert "Open the workspace." in app.say("How do I create a project?")
    assert "Boards hold cards." in behind.told
    assert "too far back" in behind.told
    assert "for nobody" not in behind.told


@pytest.mark.parametrize("key", ["no", "sk-nonsense", "x" * 5000])
def test_forged_keys_are_refused(proxy: LiveServer, key: str) -> None:
    """And so is no key at all."""
    for headers in ({"Authorization": f"Bearer {key}"}, {}):
        answer = httpx.post(f"{proxy.address}/proxy/v1/chat/completions", json={"model": "x"}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert httpx.get(f"{proxy.address}/proxy/v1/models", headers=headers).status_code == 401


def test_customers_and_browsers_are_refused(proxy: LiveServer) -> None:
    """A customer's token is no key, nor may it come along; pages are refused, also the server's own, and preflights."""
    url, key = f"{proxy.address}/proxy/v1/chat/completions", {"Authorization": f"Bearer {proxy.server_key}"}
    body = {"model": "x", "messages": [{"role": "user", "content": "hello"}]}

    def refused(headers: dict[str, str]) -> tuple[int, str]:
        answer = httpx.post(url, json=body, headers=headers)
        return answer.status_code, answer.json()["error"]["code"]

    assert refused({"Authorization": f"Bearer {proxy.token('dana')}"}) == (401, "invalid_api_key")
    assert refused({**key, "X-Customer-Token": proxy.token("dana")}) == (403, "customer_token_refused")
    assert refused({**key, "Origin": "https://shop.example"}) == (403, "origin_not_allowed")
    assert refused({**key, "Origin": proxy.address}) == (403, "browser_refused")
    assert refused({**key, "Sec-Fetch-Site": "cross-site"}) == (403, "browser_refused")
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(url, headers=preflight)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_what_cannot_be_guarded_is_refused(proxied: OpenAI) -> None:
    """In OpenAI's form, with what to do."""
    hello: History = [{"role": "user", "content": "hello"}]
    with pytest.raises(openai.BadRequestError, match="one choice"):
        proxied.chat.completions.create(model="x", messages=hello, n=2)
    with pytest.raises(openai.BadRequestError, match="function"):
        proxied.chat.completions.create(model="x", messages=hello, tools=[{"type": "web_search"}])  # type: ignore[list-item]
    with pytest.raises(openai.BadRequestError, match="nothing to answer"):
        proxied.chat.completions.create(model="x", messages=[*hello, {"role": "assistant", "content": "hi"}])
    with pytest.raises(openai.BadRequestError, match="different customers"):
        proxied.chat.completions.create(model="x", messages=hello, user="mia", extra_headers={"X-Customer-Id": "dana"})
    image = {"type": "image_url", "image_url": {"url": "https://shop.example/x.png"}}
    with pytest.raises(openai.BadRequestError, match="not text"):
        proxied.chat.completions.create(model="x", messages=[{"role": "user", "content": [image]}])  # type: ignore[list-item, misc]
    with pytest.raises(openai.APIStatusError) as long:
        proxied.chat.completions.create(model="x", messages=[{"role": "user", "content": "long " * 10_000}])
    assert long.value.status_code == 413
