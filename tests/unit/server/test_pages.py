"""What browsers load: the widget's script, what it shows, and the demo page with its sample customers."""

from __future__ import annotations

import re

import httpx
import pytest

from handrail.agent.server.identity import Gate
from tests.unit.server.fake import FakeService
from tests.unit.server.test_conversations import Headers, code, opened

PAGES = ["/widget.js", "/demo", "/demo/demo.css", "/demo/demo.js"]


@pytest.mark.parametrize("path", PAGES)
async def test_files_are_cached_and_kept_within_bounds(client: httpx.AsyncClient, path: str) -> None:
    """Each file says how long it holds and what a browser may do with it: nothing inline, no other host."""
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    same = await client.get(path, headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == answer.headers["etag"]
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    head = await client.head(path)
    assert (head.status_code, head.headers["etag"]) == (200, answer.headers["etag"])


async def test_media_types(client: httpx.AsyncClient) -> None:
    """Scripts are scripts and pages are pages."""
    kinds = {path: (await client.get(path)).headers["content-type"] for path in PAGES}
    assert kinds["/widget.js"] == kinds["/demo/demo.js"] == "text/javascript; charset=utf-8"
    assert kinds["/demo"] == "text/html; charset=utf-8"
    assert kinds["/demo/demo.css"] == "text/css; charset=utf-8"


async def test_what_the_page_loads_is_served(client: httpx.AsyncClient) -> None:
    """Every script and sheet that the demo page and the widget name is there, and nothing is inline."""
    page = (await client.get("/demo")).text
    assert "style=" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=", page)
    named = re.findall(r'(?:src|href)="(/?[\w./-]+\.(?:js|css))"', page)
    assert named
    script = (await client.get("/widget.js")).text
    modules = set(re.findall(r"""["'`/](widget/[\w-]+\.js)""", script))
    for module in list(modules):
        text = (await client.get(f"/{module}")).text
        modules |= {f"widget/{each}" for each in re.findall(r'from "\./([\w-]+\.js)"', text)}
    for each in [*named, *(f"/{module}" for module in modules)]:
        assert (await client.get(httpx.URL("http://handrail.test/demo").join(each))).status_code == 200, each


async def test_widget_is_told_what_to_show(client: httpx.AsyncClient) -> None:
    """Names, words and limits come from the bundle; a language that is none falls back to the first."""
    shown = {
        "name": "Fernwell",
        "disclosure": "I am a machine.",
        "person_disclosure": "I am a person.",
        "model": "embedded",
        "languages": ["en"],
        "message_characters": 8000,
        "texts": {"placeholder": "Ask about boards"},
    }
    assert (await client.get("/v1/widget")).json() == shown
    assert (await client.get("/v1/widget?language=xx")).json() == shown
    assert (await client.get("/v1/widget?language=../en")).status_code == 422


async def test_sample_customers(client: httpx.AsyncClient) -> None:
    """The page offers the sample's customers with what is special about each."""
    found = {each["id"]: each for each in (await client.get("/demo/customers")).json()}
    assert len(found) > 10
    assert found["mia"] == {
        "id": "mia",
        "name": "Mia Lindqvist",
        "about": "owner of a trial, setting things up",
        "plan": "trial",
        "role": "admin",
    }
    assert "email" not in found["mia"]


async def test_token_of_a_sample_customer_only(client: httpx.AsyncClient, gate: Gate) -> None:
    """Whoever tries the demo may be one of the sample's customers, and nobody else."""
    token = (await client.post("/demo/token", json={"customer_id": "mia"})).json()["token"]
    assert gate.customer(f"Bearer {token}") == "mia"
    for body in ({"customer_id": "a-real-customer"}, {"customer_id": ""}, {}):
        answer = await client.post("/demo/token", json=body)
        assert (answer.status_code, code(answer)) == (422, "invalid_request")


async def test_reasons_of_each_turn(client: httpx.AsyncClient, ada: Headers, service: FakeService) -> None:
    """The demo shows the reasons of the customer's own turns, with their titles; an unknown code keeps its name."""
    path, _ = await opened(client, ada)
    await client.post(f"{path}/messages", json={"text": "hi"}, headers=ada)
    turns = (await client.get("/demo/conversations/c1/turns", headers=ada)).json()
    assert [each["turn_id"] for each in turns] == ["turn-2"]
    assert turns[0]["reasons"] == [
        {"code": "INTENT_KNOWN", "title": "Intent known"},
        {"code": "NEW_CODE", "title": "NEW_CODE"},
    ]
    assert turns[0]["decisions"][0]["effect"] == "allow"
    assert "facts" not in turns[0]["decisions"][0]


async def test_front_page_leads_to_the_demo(client: httpx.AsyncClient) -> None:
    """Whoever opens the server's address finds the demo."""
    assert 'href="/demo"' in (await client.get("/")).text
