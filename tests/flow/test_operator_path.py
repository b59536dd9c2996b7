"""Customers and operators on one real server, over sockets and by the command line."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.server.demo_operator import ensure_demo_operator
from handrail.agent.server.keys import FILE
from handrail.agent.settings import OPERATOR_TOKEN, Settings
from handrail.commands import operator_sessions
from handrail.commands.queue import queue
from tests.support.live_server import LiveServer, live_server

MANY = {"messages_per_minute": 100_000, "caller_messages_per_minute": 100_000, "openings_per_minute": 100_000}
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def server(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the sample company and its operator."""
    folder = tmp_path_factory.mktemp("operator-path") / "data"
    with live_server(folder, base, **MANY) as up:
        settings = Settings.model_validate({"data_dir": folder, **MANY})
        up.do(lambda service: ensure_demo_operator(service.operators, settings))
        yield up


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as opened:
        yield opened


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The command line on the same machine as the server, of a user who has never used it."""
    monkeypatch.setenv("HANDRAIL_DATA_DIR", str(server.folder))
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setattr(operator_sessions, "user_state_path", lambda _name: state)


def ran(server: LiveServer, *words: str) -> str:
    """What a `handrail queue` command prints."""
    done = CliRunner().invoke(queue, [*words, "--url", server.address])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def opened(client: httpx.Client, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A new conversation: its id, and the headers that open it."""
    body = client.post("/v1/conversations", headers=headers).raise_for_status().json()
    key = headers or {"X-Visitor-Key": body["visitor_key"]}
    return body["conversation_id"], key


def as_customer(server: LiveServer, customer: str) -> dict[str, str]:
    """The headers of a known customer."""
    return {"Authorization": f"Bearer {server.token(customer)}"}


def events_of(wire: str) -> list[dict[str, object]]:
    """The events of a stream that is over."""
    return [json.loads(line.removeprefix("data: ")) for line in wire.splitlines() if line.startswith("data: ")]


def code_for(server: LiveServer, customer: str) -> str:
    """The step-up code that the customer got."""

    async def latest() -> str | None:
        database = CompanyDatabase(open_engine(server.folder / "company.db"))
        try:
            return await Outbox(database).latest_code(customer)
        finally:
            await database.close()

    found = asyncio.run(latest())
    assert found is not None
    return found


def test_approval_by_the_command_line(server: LiveServer, client: httpx.Client) -> None:
    """A customer cancels and confirms; the sample's operator sees the exact call, approves it, and it runs, once."""
    mia = as_customer(server, "mia")
    conversation, _ = opened(client, mia)
    messages = f"/v1/conversations/{conversation}/messages"
    client.post(messages, json={"text": "cancel my account"}, headers=mia).raise_for_status()
    asked = client.post(messages, json={"text": code_for(server, "mia")}, headers=mia | EVENTS).text
    confirmation = next(each for each in events_of(asked) if each["event"] == "confirmation.requested")
    arguments = confirmation["arguments"]
    assert isinstance(arguments, list)
    client.post(messages, json={"text": "yes"}, headers=mia).raise_for_status()
    listed = json.loads(ran(server, "list", "--json"))
    approval = next(each for each in listed["approvals"] if each["conversation_id"] == conversation)
    assert approval["call"]["arguments"] == {each["name"]: each["content"] for each in arguments}
    shown = ran(server, "show", conversation[:12])
    assert "cancel_subscription(" in shown
    assert f"handrail queue approve {approval['approval_id'][:10]}" in shown
    approved = ran(server, "approve", approval["approval_id"][:12])
    assert approved.startswith("approved and carried out: cancel_subscription(")
    read = client.get(messages, headers=mia).json()["messages"]
    assert "cancelled" in read[-1]["text"]
    again = CliRunner().invoke(queue, ["approve", approval["approval_id"], "--url", server.address])
    assert "decided before" in str(again.exception)


def signed_in(server: LiveServer, client: httpx.Client, name: str) -> str:
    """The token of an operator of that name."""
    server.do(lambda service: service.operators.add(name, name.title(), "correct horse battery"))
    body = {"name": name, "password": "correct horse battery"}
    token = client.post("/v1/operator/session", json=body).raise_for_status().json()["token"]
    return str(token)


def test_a_large_refund_takes_two_people(
    server: LiveServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One approves by the API, and cannot approve again there or by the command line; the other lets it run."""
    jonas = as_customer(server, "jonas")
    anna, ben = signed_in(server, client, "anna"), signed_in(server, client, "ben")
    conversation, _ = opened(client, jonas)
    messages = f"/v1/conversations/{conversation}/messages"
    for text in ("I want a refund of 250.00 for invoice INV-2049", None, "yes"):
        said = {"text": text or code_for(server, "jonas")}
        client.post(messages, json=said, headers=jonas).raise_for_status()
    as_anna = {"Authorization": f"Bearer {anna}"}
    pending = client.get("/v1/operator/approvals?state=pending", headers=as_anna).json()
    approval = next(each for each in pending if each["conversation_id"] == conversation)
    assert approval["call"]["arguments"] == {"invoice_id": "INV-2049", "amount": "250.00"}
    path = f"/v1/operator/approvals/{approval['approval_id']}/approve"
    first = client.post(path, json={"digest": approval["digest"]}, headers=as_anna).raise_for_status().json()
    assert first["approval"]["state"] == "pending"
    assert [each["by"] for each in first["approval"]["assents"]] == ["anna"]
    assert "A second colleague" in first["turn"]["reply"]
    again = client.post(path, headers=as_anna)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "approver_barred")
    monkeypatch.setenv(OPERATOR_TOKEN, anna)
    shown = ran(server, "list")
    assert "approved by anna; waits for another person" in shown
    refused = CliRunner().invoke(queue, ["approve", approval["approval_id"], "--url", server.address])
    assert "Anna has approved this call already: it takes another person" in str(refused.exception)
    monkeypatch.setenv(OPERATOR_TOKEN, ben)
    assert ran(server, "approve", approval["approval_id"]).startswith("approved and carried out: issue_refund(")
    assert "approved and carried out by anna and ben" in ran(server, "show", conversation)
    told = client.get(messages, headers=jonas).json()["messages"]
    assert "is being refunded" in told[-1]["text"]


def test_case_by_the_command_line(server: LiveServer, client: httpx.Client) -> None:
    """A person takes a conversation and answers; the customer's stream hears it live; then it is rated."""
    conversation, key = opened(client, {})
    path = f"/v1/conversations/{conversation}"
    client.post(f"{path}/messages", json={"text": "I want to talk to a human"}, headers=key).raise_for_status()
    with client.stream("GET", f"{path}/events", headers=key | {"Last-Event-ID": "0"}) as stream:
        lines = stream.iter_lines()
        assert conversation[:8] in ran(server, "list", "--status", "queued")
        assert "accepted, demo has it" in ran(server, "claim", conversation)
        ran(server, "reply", conversation, "Hello, this is Robin.")
        ran(server, "resolve", conversation, "--note", "settled")
        heard = []
        while "rating.requested" not in heard:
            line = next(lines)
            heard += [line.removeprefix("event: ")] if line.startswith("event: ") else []
    assert heard.index("handoff.requested") < heard.index("handoff.accepted") < heard.index("handoff.ended")
    assert client.post(f"{path}/rating", json={"score": 4}, headers=key).json() == {"score": 4}
    told = client.get(f"{path}/messages", headers=key).json()["messages"]
    assert (told[-1]["role"], told[-1]["text"]) == ("operator", "Hello, this is Robin.")


def test_two_at_once_and_the_same_twice(server: LiveServer, client: httpx.Client) -> None:
    """Two messages at once are both answered, one after the other; one message under one key, twice at once, is one."""
    conversation, key = opened(client, {})
    messages = f"/v1/conversations/{conversation}/messages"

    def said(text: str, name: str) -> httpx.Response:
        with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as own:
            return own.post(messages, json={"text": text}, headers=key | {"Idempotency-Key": name})

    asked = [("How do I export a board?", "a"), ("Is there an outage?", "b"), ("How do I export a board?", "a")]
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda each: said(*each), asked))
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert answers[0].json() == answers[2].json()
    assert answers[0].json()["turn_id"] != answers[1].json()["turn_id"]
    told = client.get(messages, headers=key).json()["messages"]
    assert [each["role"] for each in told] == ["customer", "bot"] * 2
    replies = {each.json()["reply"] for each in answers}
    assert {each["text"] for each in told if each["role"] == "bot"} == replies


def test_client_that_leaves_loses_nothing(server: LiveServer, client: httpx.Client) -> None:
    """A stream broken off in the middle of a turn: the same key later gets the answer, from one turn."""
    conversation, key = opened(client, {})
    messages = f"/v1/conversations/{conversation}/messages"
    headers = key | {"Idempotency-Key": "k1"}
    with client.stream("POST", messages, json={"text": "How do I export a board?"}, headers=headers | EVENTS) as stream:
        assert next(stream.iter_lines()) == "event: typing"
    again = events_of(client.post(messages, json={"text": "How do I export a board?"}, headers=headers | EVENTS).text)
    reply = next(each for each in again if each.get("role") == "bot")
    told = client.get(messages, headers=key).json()["messages"]
    assert [each["role"] for each in told] == ["customer", "bot"]
    assert told[1]["text"] == reply["text"]


class Crowd:
    """Ten followers for each of some conversations, all on connections of their own."""

    def __init__(self, client: httpx.AsyncClient, conversations: list[tuple[str, dict[str, str]]]) -> None:
        self.client = client
        self.places = [each for each in conversations for _ in range(10)]
        self.listening: list[str] = []
        self.answered: list[str] = []
        self.complete = asyncio.Event()
        self.heard = asyncio.Event()

    async def follow(self, conversation: str, key: dict[str, str]) -> None:
        """Listen until somebody ends it; note the first reply."""
        async with self.client.stream("GET", f"/v1/conversations/{conversation}/events", headers=key) as stream:
            self.listening.append(conversation)
            if len(self.listening) == len(self.places):
                self.complete.set()
            async for line in stream.aiter_lines():
                if '"event":"message.completed"' in line and '"role":"bot"' in line:
                    self.answered.append(conversation)
                    if len(self.answered) == 10:
                        self.heard.set()


def test_two_hundred_idle_streams(server: LiveServer, client: httpx.Client) -> None:
    """200 open streams on the real service: no threads of their own, and a message still gets through to its own."""
    conversations = [opened(client, {}) for _ in range(20)]
    chosen, key = conversations[3]

    async def crowded() -> Crowd:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=60, limits=limits) as many:
            crowd = Crowd(many, conversations)
            tasks = [asyncio.create_task(crowd.follow(*each)) for each in crowd.places]
            await asyncio.wait_for(crowd.complete.wait(), 60)
            said = {"text": "How do I export a board?"}
            answer = await many.post(f"/v1/conversations/{chosen}/messages", json=said, headers=key)
            assert answer.status_code == 200
            await asyncio.wait_for(crowd.heard.wait(), 60)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return crowd

    threads = threading.active_count()
    crowd = asyncio.run(crowded())
    assert crowd.answered == [chosen] * 10
    assert threading.active_count() - threads <= 8  # the service's own bounded executors, not one for each stream


def test_secrets_of_the_sample_are_the_owners(server: LiveServer) -> None:
    """What lets the command line act as the sample's operator is readable by the owner only."""
    assert (server.folder / FILE).stat().st_mode & 0o077 == 0
