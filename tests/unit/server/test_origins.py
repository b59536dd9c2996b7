"""Which pages may call, and what their browsers are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from handrail.agent.server.app import create_app
from handrail.agent.settings import Settings
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.test_conversations import Headers, code, opened

SHOP, BLOG, OWN = "https://shop.example", "https://blog.example:8443", "http://handrail.test"
KEYS = {"site_shop": [SHOP], "site_blog": [BLOG]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two sites that embed the widget."""
    return Settings.model_validate({"data_dir": tmp_path, "port": 0, "site_keys": KEYS})


@pytest.fixture
async def client(service: FakeService, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application."""
    transport = httpx.ASGITransport(create_app(service, settings, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as opened_client:
        yield opened_client


async def test_listed_page_talks(client: httpx.AsyncClient) -> None:
    """A listed page opens a conversation with its site key, and may read every answer, by its exact origin."""
    page = {"Origin": SHOP, "X-Site-Key": "site_shop"}
    answer = await client.post("/v1/conversations", headers=page)
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    path = f"/v1/conversations/{answer.json()['conversation_id']}"
    key = page | {"X-Visitor-Key": answer.json()["visitor_key"]}
    for each in (
        await client.post(f"{path}/messages", json={"text": "hi"}, headers=key),
        await client.get(f"{path}/messages", headers=key),
        await client.get("/v1/widget", headers=page),
    ):
        assert each.status_code == 200
        assert each.headers["access-control-allow-origin"] == SHOP


async def test_listed_page_reads_errors_too(client: httpx.AsyncClient) -> None:
    """Refusals, too large bodies and crashes can be read as well, so that the page can say what to do."""
    page = {"Origin": SHOP, "X-Site-Key": "site_shop"}
    path, key = await opened(client)
    for text, status in (("x" * 100_000, 413), ("crash", 500), ("busy", 409), ("", 422)):
        answer = await client.post(f"{path}/messages", json={"text": text}, headers=key | page)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://sub.shop.example",
        "https://shop.example/",
        "HTTPS://SHOP.EXAMPLE",
        "null",
        "",
        "*",
        "http://handrail.test:81",
        "https://handrail.test",
        "http://handrail.test.evil.example",
    ],
)
async def test_other_pages_are_refused(client: httpx.AsyncClient, service: FakeService, origin: str) -> None:
    """A page of any other origin gets nothing, whatever it sends, and cannot read that either."""
    path, key = await opened(client)
    for headers in ({}, key, {"X-Site-Key": "site_shop"}):
        for answer in (
            await client.post("/v1/conversations", headers=headers | {"Origin": origin}),
            await client.get(path, headers=headers | {"Origin": origin}),
            await client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}),
        ):
            assert answer.status_code == 403
            assert code(answer) == "origin_not_allowed"
            assert "access-control-allow-origin" not in answer.headers
    assert len(service.opened) == 1


async def test_own_pages_need_no_list(client: httpx.AsyncClient) -> None:
    """The server's own pages call without being listed, and need no leave to read."""
    answer = await client.post("/v1/conversations", headers={"Origin": OWN})
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers


async def test_no_origin_is_no_page(client: httpx.AsyncClient) -> None:
    """Programs send no origin; they need no site key either."""
    assert (await client.post("/v1/conversations")).status_code == 201


async def test_site_key_goes_with_its_pages(client: httpx.AsyncClient) -> None:
    """A site key is good for the origins in its own list only."""
    answer = await client.post("/v1/conversations", headers={"Origin": SHOP, "X-Site-Key": "site_blog"})
    assert (answer.status_code, code(answer)) == (403, "origin_not_allowed")


@pytest.mark.parametrize("headers", [{}, {"Origin": SHOP}, {"Origin": OWN}])
async def test_unknown_site_key_is_refused(client: httpx.AsyncClient, headers: Headers) -> None:
    """A site key that is none is an error wherever it comes from; it never counts as none."""
    for path in ("/v1/conversations", "/v1/widget"):
        answer = await client.request(
            "POST" if "conv" in path else "GET", path, headers=headers | {"X-Site-Key": "x" * 20}
        )
        assert (answer.status_code, code(answer)) == (403, "site_key_invalid")


async def test_anonymous_conversation_of_another_page_needs_the_site_key(
    client: httpx.AsyncClient, ada: Headers, service: FakeService
) -> None:
    """A visitor on another page is opened for with a site key only; a customer brings a token, which says enough."""
    answer = await client.post("/v1/conversations", headers={"Origin": SHOP})
    assert (answer.status_code, code(answer)) == (403, "site_key_missing")
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert not service.opened
    assert (await client.post("/v1/conversations", headers={"Origin": SHOP} | ada)).status_code == 201


async def test_preflight(client: httpx.AsyncClient) -> None:
    """A browser that asks first hears what it may send: no `*`, no cookies, and nothing of servers' or operators'."""
    asks = {"Origin": BLOG, "Access-Control-Request-Method": "POST"}
    answer = await client.options("/v1/conversations/c1/messages", headers=asks)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == BLOG
    assert answer.headers["vary"] == "Origin"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "x-visitor-key", "x-site-key", "idempotency-key", "last-event-id"} <= set(allowed)
    assert "x-server-key" not in allowed
    assert "*" not in str(answer.headers)
    assert "access-control-allow-credentials" not in answer.headers
    assert "DELETE" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/operator/session", "/v1/operator/queue", "/v1/context/customers/ada/attributes"),
        *("/demo/token", "/demo/customers", "/openapi.json", "/", "/v1/conversationsx"),
    ],
)
async def test_listed_pages_may_call_what_a_widget_needs_only(client: httpx.AsyncClient, path: str) -> None:
    """Being listed for the widget opens neither the operators' side nor the demo."""
    for method in ("GET", "POST", "OPTIONS"):
        headers = {"Origin": SHOP, "X-Site-Key": "site_shop", "Access-Control-Request-Method": "POST"}
        answer = await client.request(method, path, headers=headers)
        assert (answer.status_code, code(answer)) == (403, "origin_not_allowed")


async def test_scripts_are_for_everybody_and_readable_by_listed_pages(client: httpx.AsyncClient) -> None:
    """The widget's script loads anywhere, as scripts do; only listed pages may read it. Caches keep the two apart."""
    plain = await client.get("/widget.js")
    listed = await client.get("/widget.js", headers={"Origin": SHOP})
    other = await client.get("/widget.js", headers={"Origin": "https://evil.example"})
    assert plain.status_code == listed.status_code == other.status_code == 200
    assert plain.content == listed.content == other.content
    assert listed.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-origin" not in plain.headers
    assert "access-control-allow-origin" not in other.headers
    assert {each.headers["vary"] for each in (plain, listed, other)} == {"Origin"}
