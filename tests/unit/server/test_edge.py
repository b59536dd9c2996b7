"""Health, request ids, logs, the front page and the description of the API."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import get_args

import httpx
import pytest

from handrail.agent.feed import Item, Passing
from handrail.agent.server.events import Failed
from handrail.agent.server.logs import JsonLines, start_logging
from handrail.agent.settings import Settings
from tests.unit.server.fake import FakeService
from tests.unit.server.samples import REVISION
from tests.unit.server.test_conversations import Headers, opened

ROOT = Path(__file__).parents[3]
API_PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


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


async def test_documentation_names_every_endpoint(client: httpx.AsyncClient) -> None:
    """docs/api.md keeps up with the routes, and names none that is not there."""
    described = {
        f"{method.upper()} {path}"
        for path, operations in (await client.get("/openapi.json")).json()["paths"].items()
        for method in operations
    }
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`?]*)`", API_PAGE))
    assert named - described == {"GET /demo", "GET /demo/code"}  # for browsers, and not part of the described API
    assert described <= named


def test_documentation_names_every_error() -> None:
    """Every code of an error stands in the table with its status, and the table has no others."""
    sources = {path.name: path.read_text("utf-8") for path in (ROOT / "agent" / "server").glob("*.py")}
    own = "".join(source for name, source in sources.items() if not name.startswith(("openai_", "proxy")))
    coded = set(re.findall(r'HTTPStatus\.([A-Z_]+),\s*"([a-z_]+)"', own))
    table = API_PAGE.partition("## Errors")[2].partition("## Settings")[0]
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", table, re.MULTILINE)
    written = {(int(status), code) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    assert {(HTTPStatus[status].value, code) for status, code in coded} <= written
    assert all(f'"{code}"' in own or code in {"not_found", "method_not_allowed"} for _, code in written)


def test_documentation_names_every_event() -> None:
    """The table of events is the feed's, what passes and errors included."""
    table = API_PAGE.partition("## Events")[2].partition("**To follow")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([a-z_.]+)`", cell)}
    kinds = [*get_args(get_args(Item)[0]), *get_args(Passing), Failed]
    assert named == {kind.model_fields["event"].default for kind in kinds}


def test_documentation_names_every_setting() -> None:
    """The table of settings is the code's, with the defaults of what can be counted."""
    table = API_PAGE.partition("## Settings")[2].partition("## In the terminal")[0]
    rows = dict(re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", table, re.MULTILINE))
    named = {name for cell in rows for name in re.findall(r"`([a-z_]+)`", cell)}
    assert named == set(Settings.model_fields)
    for name in ("openings_per_minute", "messages_per_minute", "caller_messages_per_minute"):
        assert int(rows[f"`{name}`"]) == Settings.model_fields[name].default


async def test_no_request_takes_a_thread(
    client: httpx.AsyncClient, ada: Headers, maria: Headers, server: Headers
) -> None:
    """Who calls and what may be asked is found out on the loop: a plain function would cost a thread each time."""
    before = threading.enumerate()
    path, _ = await opened(client, ada)
    for method, asked, headers in (
        ("GET", path, ada),
        ("POST", f"{path}/messages?debug=true", ada | server),
        ("GET", "/v1/operator/queue", maria),
        ("PUT", "/v1/context/customers/ada/attributes", server),
        ("GET", "/v1/models", ada),
        ("POST", "/v1/chat/completions", ada),
        ("POST", "/v1/operator/session", {}),
        ("GET", "/demo/customers", {}),
        ("GET", "/v1/widget", {}),
    ):
        await client.request(method, asked, headers=headers, json={})
    assert not [each for each in threading.enumerate() if each not in before and "AnyIO" in each.name]
