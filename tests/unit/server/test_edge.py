"""Health, request ids, logs, the front page and the description of the API."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from handrail.agent.server.logs import JsonLines, start_logging
from tests.unit.server.fake import FakeService
from tests.unit.server.samples import REVISION
from tests.unit.server.test_conversations import Headers, opened


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process logs, with the root logger put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    start_logging("info", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    for name in ("handrail", "uvicorn"):
        logging.getLogger(name).setLevel(logging.NOTSET)


async def test_health(client: httpx.AsyncClient, service: FakeService) -> None:
    """The process is alive whatever happens, and ready while its store answers."""
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready", "revision": REVISION}
    service.store.down = True
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503


async def test_request_id(client: httpx.AsyncClient) -> None:
    """A caller's request id comes back when it is a plain one; else it gets a new one."""
    given = await client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["x-content-type-options"] == "nosniff"
    for bad in ("a b", "x" * 65, '"}'):
        answer = await client.get("/healthz", headers={"X-Request-Id": bad})
        assert answer.headers["x-request-id"] != bad


async def test_logs_hold_nothing_personal(
    client: httpx.AsyncClient, server: Headers, ada: Headers, lines: io.StringIO
) -> None:
    """Neither words nor ids of customers are logged, not even when something crashes."""
    path, key = await opened(client, ada)
    await client.post(f"{path}/messages", json={"text": "crash"}, headers=key | {"X-Request-Id": "r1"})
    event = {"event_id": "e", "kind": "k", "observed_at": "2026-05-04T09:00:00Z"}
    await client.post(
        "/v1/context/customers/ada.lovelace/events", json={"source": "crm", "events": [event]}, headers=server
    )
    written = lines.getvalue()
    assert "secret" not in written
    assert "lovelace" not in written
    found = [json.loads(each) for each in written.splitlines()]
    crash = next(each for each in found if each["message"] == "request failed")
    assert crash["error"] == "RuntimeError"
    assert crash["at"].startswith("tests.unit.server.fake:")
    assert crash["request_id"] == "r1"
    requests = [each for each in found if each["message"] == "request"]
    assert [(each["route"], each["status"]) for each in requests] == [
        ("/v1/conversations", 201),
        ("/v1/conversations/{conversation_id}/messages", 500),
        ("/v1/context/customers/{customer_id}/events", 200),
    ]


def test_other_libraries_words_stay_out() -> None:
    """Of another library's record only the place is written; of our own errors only type and place."""
    other = logging.LogRecord("httpx", logging.WARNING, "/x/client.py", 7, "GET %s", ("https://x/?q=secret",), None)
    assert json.loads(JsonLines().format(other))["message"] == "see client:7"
    error = ValueError("secret")
    own = logging.LogRecord("handrail.x", logging.ERROR, "x.py", 1, "failed", (), (ValueError, error, None))
    line = json.loads(JsonLines().format(own))
    assert line["error"] == "ValueError"
    assert "secret" not in json.dumps(line)


async def test_front_page_names_the_endpoints(client: httpx.AsyncClient) -> None:
    """The page lists every path of the description, and loads nothing."""
    page = (await client.get("/")).text
    described = (await client.get("/openapi.json")).json()
    assert len(described["paths"]) >= 10
    for path in described["paths"]:
        assert path in page
    assert "<script" not in page
    assert 'src="' not in page


async def test_documentation_names_every_endpoint_and_error(client: httpx.AsyncClient) -> None:
    """docs/api.md keeps up with the routes and with the codes of errors."""
    root = Path(__file__).parents[3]
    documentation = (root / "docs" / "api.md").read_text(encoding="utf-8")
    for path, operations in (await client.get("/openapi.json")).json()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in documentation
    sources = "".join((root / "agent" / "server" / f"{name}.py").read_text() for name in ("faults", "identity", "edge"))
    for code in re.findall(r'HTTPStatus\.[A-Z_]+,\s*"([a-z_]+)"', sources):
        assert f"`{code}`" in documentation
