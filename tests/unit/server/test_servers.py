"""What the company's own servers can do over HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.unit.server.fake import FakeService
from tests.unit.server.samples import NOW
from tests.unit.server.test_conversations import Headers, code

ATTRIBUTES = "/v1/context/customers/ada/attributes"
EVENTS = "/v1/context/customers/ada/events"


def sent(attributes: dict[str, object], source: str = "billing") -> dict[str, object]:
    """A body of attributes."""
    return {"source": source, "observed_at": NOW.isoformat(), "attributes": attributes}


ROUTES = [
    ("PUT", ATTRIBUTES, sent({"plan": "team"})),
    ("POST", EVENTS, {"source": "support", "events": []}),
]


@pytest.mark.parametrize("key", [None, "", "wrong", "ä" * 40])
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_servers_need_their_key(
    client: httpx.AsyncClient, ada: Headers, method: str, path: str, body: object, key: str | None
) -> None:
    """No route for servers opens without a key, and a customer's token is none."""
    headers: dict[str, str | bytes] = dict(ada)
    if key is not None:
        headers["X-Server-Key"] = key.encode("latin-1")
    answer = await client.request(method, path, json=body, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert code(answer) == "server_key_invalid"


async def test_attributes_are_stored_once(client: httpx.AsyncClient, service: FakeService, server: Headers) -> None:
    """Sending the same observation again changes nothing."""
    body = sent({"plan": "team", "renewal_days": 4.5})
    first = await client.put(ATTRIBUTES, json=body, headers=server)
    again = await client.put(ATTRIBUTES, json=body, headers=server)
    assert first.json() == {"received": 2, "changed": 2}
    assert again.json() == {"received": 2, "changed": 0}
    assert service.store.known["ada", "plan"].content == "team"


async def test_sets_are_sorted_without_repeats(
    client: httpx.AsyncClient, service: FakeService, server: Headers
) -> None:
    """A set is stored as facts hold it."""
    await client.put(ATTRIBUTES, json=sent({"stack": ["okta", "ios", "okta"]}, "product"), headers=server)
    assert service.store.known["ada", "stack"].content == ("ios", "okta")


async def test_everything_wrong_with_attributes_is_named(
    client: httpx.AsyncClient, service: FakeService, server: Headers
) -> None:
    """Unknown names, other systems' attributes and unfit contents are told together, and nothing is stored."""
    body = sent({"plann": "team", "plan": "gold", "renewal_days": True, "critical_account": True, "stack": "okta"})
    answer = await client.put(ATTRIBUTES, json=body, headers=server)
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert "plann: no such attribute, did you mean plan?" in message
    assert "plan: must be one of team, business" in message
    assert "renewal_days: must be a number" in message
    assert "critical_account: comes from crm, not from billing" in message
    assert "stack: comes from product" in message
    assert not service.store.known


@pytest.mark.parametrize(
    ("source", "attributes"),
    [
        ("crm", {"critical_account": "true"}),
        ("crm", {"critical_account": 1}),
        ("product", {"stack": ["okta", 3]}),
        ("product", {"stack": ["unheard_of"]}),
        ("product", {"time_zone": ""}),
        ("product", {"time_zone": "x" * 101}),
        ("billing", {"plan": None}),
        ("billing", {"plan": ["team"]}),
        ("billing", {"renewal_days": "4"}),
        ("billing", {"renewal_days": 10**400}),
        ("billing", {"renewal_days": -(2**53) - 1}),
        ("product", {"time_zone": "a\x00b"}),
        ("billing", {}),
        ("conversation", {"plan": "team"}),
    ],
)
async def test_unfit_contents(
    client: httpx.AsyncClient, server: Headers, source: str, attributes: dict[str, object]
) -> None:
    """Contents are taken as declared or not at all; nothing is converted."""
    assert (await client.put(ATTRIBUTES, json=sent(attributes, source), headers=server)).status_code == 422


@pytest.mark.parametrize("at", ["2026-05-04T10:00:00", "yesterday", (NOW + timedelta(hours=1)).isoformat(), None])
async def test_times_need_a_zone_and_the_past(client: httpx.AsyncClient, server: Headers, at: str | None) -> None:
    """A time without a zone is ambiguous, and one from the future would hide every later observation."""
    body = sent({"plan": "team"}) | {"observed_at": at}
    assert (await client.put(ATTRIBUTES, json=body, headers=server)).status_code == 422
    event = {"event_id": "e1", "kind": "ticket_reopened", "observed_at": at}
    answer = await client.post(EVENTS, json={"source": "support", "events": [event]}, headers=server)
    assert answer.status_code == 422


async def test_events_are_stored_once(client: httpx.AsyncClient, service: FakeService, server: Headers) -> None:
    """An event id that is known changes nothing; kinds that nothing counts are pointed out."""
    kinds = {"e1": "ticket_reopened", "e2": "ticket_reopend"}
    events = [{"event_id": each, "kind": kind, "observed_at": NOW.isoformat()} for each, kind in kinds.items()]
    body = {"source": "support", "events": events}
    first = await client.post(EVENTS, json=body, headers=server)
    again = await client.post(EVENTS, json=body, headers=server)
    assert first.json() == {"received": 2, "changed": 2, "uncounted": ["ticket_reopend"]}
    assert again.json()["changed"] == 0
    assert service.store.happened["e1"].at == NOW
