"""Whoever asks for a conversation that is not theirs: on every route the answer is that of an id that never was."""

from __future__ import annotations

import httpx
import pytest

from handrail.agent.server.identity import Gate
from tests.unit.server.fake import FakeService
from tests.unit.server.test_conversations import Headers, opened

ONE = "/v1/conversations/{conversation_id}"
NEVER = "c_00000000000000000000000000000000"

# What is sent to every route of customers that names a conversation; a new route has to be added here.
BODIES: dict[str, object] = {
    f"GET {ONE}": None,
    f"DELETE {ONE}": None,
    f"GET {ONE}/messages": None,
    f"POST {ONE}/messages": {"text": "hi"},
    f"GET {ONE}/events": None,
    f"POST {ONE}/handoff": None,
    f"POST {ONE}/rating": {"score": 5},
    f"POST {ONE}/consent": {"purpose": "ai_assistance", "given": False},
    f"POST {ONE}/files": b"\x89PNG\r\n\x1a\n",
    f"GET {ONE}/files/{{file_id}}": None,
    "GET /demo/conversations/{conversation_id}/turns": None,
}


async def test_no_route_is_forgotten(client: httpx.AsyncClient) -> None:
    """The table above names every route of customers with a conversation in its path."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    found = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    named = {each for each in found if "{conversation_id}" in each and "/v1/operator/" not in each}
    assert named == BODIES.keys()


async def asked(client: httpx.AsyncClient, route: str, conversation_id: str, headers: Headers) -> httpx.Response:
    """The answer of a route about a conversation."""
    method, _, template = route.partition(" ")
    path = template.format(conversation_id=conversation_id, file_id="f1")
    body, accept = BODIES[route], {"Accept": "text/event-stream"} if route.endswith("/messages") else {}
    if isinstance(body, bytes):
        return await client.request(method, path, content=body, headers=headers | accept)
    return await client.request(method, path, json=body, headers=headers | accept)


def kept(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what differs from request to request."""
    headers = {name: content for name, content in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("route", BODIES)
async def test_the_very_same_answer(
    client: httpx.AsyncClient, service: FakeService, gate: Gate, ada: Headers, ben: Headers, route: str
) -> None:
    """Another's conversation and one that never was: status, headers and body are the same, and nothing happens."""
    await opened(client, ada)
    await client.post("/v1/conversations/c1/messages", json={"text": "hello"}, headers=ada)
    _, visitor = await opened(client)
    _, other_visitor = await opened(client)
    before = [list(each) for each in service.said.values()]
    attempts = [
        ("c1", ben),  # a customer's, asked for by another
        ("c1", visitor),  # a customer's, asked for with a visitor's key of another conversation
        ("c1", {"X-Visitor-Key": gate.visitor_key("c1")}),  # the right key cannot exist, and would open nothing
        ("c2", ada),  # a visitor's, asked for by a customer
        ("c2", other_visitor),  # a visitor's, asked for by another
        ("c2", {"X-Visitor-Key": ""}),
    ]
    never = kept(await asked(client, route, NEVER, ben))
    assert never[0] == 404
    for conversation_id, headers in attempts:
        assert kept(await asked(client, route, conversation_id, headers)) == never, (conversation_id, headers)
        assert kept(await asked(client, route, NEVER, headers)) == never
    assert [list(each) for each in service.said.values()] == before
    assert len(service.opened) == 3
    assert not service.ratings
    assert not service.files
    assert not service.store.queue


@pytest.mark.parametrize("route", BODIES)
async def test_id_alone_opens_nothing(client: httpx.AsyncClient, ada: Headers, route: str) -> None:
    """Without any credential nobody learns whether an id exists; with an operator's or a server's neither."""
    await opened(client, ada)
    for headers in ({}, {"X-Server-Key": "x"}, {"X-Site-Key": ""}):
        known, unknown = await asked(client, route, "c1", headers), await asked(client, route, NEVER, headers)
        assert kept(known) == kept(unknown)
        assert known.status_code in {401, 403}


@pytest.mark.parametrize("route", BODIES)
async def test_operators_and_servers_are_no_customers(
    client: httpx.AsyncClient, ada: Headers, maria: Headers, server: Headers, route: str
) -> None:
    """The credentials of the other sides open no route of customers."""
    await opened(client, ada)
    key = next(iter(server.values()))
    for headers in (maria, server, {"Authorization": f"Bearer {key}"}, {"X-Visitor-Key": key}):
        assert (await asked(client, route, "c1", headers)).status_code in {401, 404}
