"""Every error of the OpenAI-compatible endpoints has OpenAI's form, whichever layer it comes from; no other does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

import httpx
import pytest
from pydantic import BaseModel, JsonValue

from handrail.agent.server.app import create_app
from handrail.agent.server.identity import Gate
from handrail.agent.server.openai_answers import Completion, Model, Models, Support
from handrail.agent.server.openai_bodies import ChatRequest
from handrail.agent.server.openai_errors import OpenAiError
from handrail.agent.server.openai_examples import COMPLETION, MODEL, MODELS
from handrail.agent.server.proxy_bodies import PASSED_ON
from handrail.agent.settings import Settings
from tests.unit.server.fake import FixedClock
from tests.unit.server.openai_fake import ChatService
from tests.unit.server.openai_side import CHAT, Headers, asked, bearer, body, failed

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def service() -> ChatService:
    """A service that echoes, with a feed."""
    return ChatService()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that allow little."""
    rates = {"messages_per_minute": 3, "caller_messages_per_minute": 5}
    return Settings.model_validate({"data_dir": tmp_path, "port": 0, **rates})


@pytest.mark.parametrize(
    ("words", "status", "code", "kind"),
    [
        ("busy", 409, "busy", "invalid_request_error"),
        ("down", 503, "unavailable", "server_error"),
        ("crash", 500, "internal", "server_error"),
    ],
)
async def test_failures_of_the_service(
    client: httpx.AsyncClient, ada: Headers, words: str, status: int, code: str, kind: str
) -> None:
    """Quote nothing, and those that pass say when to come back."""
    answer = await client.post(CHAT, json=body(words), headers=ada)
    assert answer.status_code == status
    error = failed(answer)
    assert (error.code, error.type, error.param) == (code, kind, None)
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status != 500)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 30_000, b'{"messages": "\xff"}'])
async def test_what_is_no_json(client: httpx.AsyncClient, ada: Headers, content: bytes) -> None:
    """400, as everywhere."""
    headers = ada | {"Content-Type": "application/json"}
    answer = await client.post(CHAT, content=content, headers=headers)
    assert answer.status_code == 400
    assert failed(answer).code == "malformed_json"


async def test_what_the_outer_layers_refuse(client: httpx.AsyncClient, ada: Headers) -> None:
    """Too large a body, a page that may not call, an unknown site key."""
    large = await client.post(CHAT, json=body("x" * 9_000_000), headers=ada)
    assert large.status_code == 413
    assert failed(large).code == "body_too_large"
    page = await client.post(CHAT, json=body("hello"), headers=ada | {"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert failed(page).type == "permission_error"
    site = await client.get("/v1/models", headers=ada | {"X-Site-Key": "site_nobodys"})
    assert site.status_code == 403
    assert failed(site).code == "site_key_invalid"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CHAT, 405),
        ("POST", "/v1/models", 405),
        ("GET", "/v1/chat", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("GET", "/v1/chat/completions/chatcmpl-1", 404),
        ("GET", "/v1/models/a/b", 404),
    ],
)
async def test_what_the_router_refuses(
    client: httpx.AsyncClient, ada: Headers, method: str, path: str, status: int
) -> None:
    """Other methods and paths below ours."""
    answer = await client.request(method, path, headers=ada)
    assert answer.status_code == status
    assert failed(answer).type == "invalid_request_error"


async def test_too_many_messages_of_a_conversation(client: httpx.AsyncClient, ada: Headers, gate: Gate) -> None:
    """Say when to come back; another conversation goes on. Servers are counted by conversation too."""
    for caller in (ada, bearer(gate)):
        headers = caller | {"X-Conversation-Id": "chat-1"}
        for _ in range(3):
            await asked(client, headers, "hello")
        answer = await client.post(CHAT, json=body("hello"), headers=headers)
        assert answer.status_code == 429
        assert failed(answer).type == "rate_limit_error"
        assert int(answer.headers["retry-after"]) > 0
        await asked(client, caller | {"X-Conversation-Id": "chat-2"}, "hello")


async def test_too_many_messages_of_a_customer(
    client: httpx.AsyncClient, service: ChatService, ada: Headers, ben: Headers
) -> None:
    """Over all conversations; what is refused opens none. Other customers and anonymous ones go on."""
    for _ in range(5):
        await asked(client, ada, "hello")
    assert (await client.post(CHAT, json=body("hello"), headers=ada)).status_code == 429
    assert len(service.opened) == 5
    await asked(client, ben, "hello")


async def test_a_server_that_speaks_for_many_is_not_held_up(client: httpx.AsyncClient, gate: Gate) -> None:
    """All its anonymous customers come from one address."""
    for number in range(12):
        await asked(client, bearer(gate) | {"X-Conversation-Id": f"chat-{number}"}, "hello")


async def test_other_paths_keep_their_form(client: httpx.AsyncClient, ada: Headers) -> None:
    """The native API is not changed by this one."""
    for path in ("/v1/conversations/c999", "/v1/modelsandmore", "/v1/chatter", "/nothing"):
        error = (await client.get(path, headers=ada)).json()["error"]
        assert set(error) == {"code", "message", "hint"}


async def test_a_page_that_may_call_can_read_the_error(service: ChatService, tmp_path: Path) -> None:
    """The headers that a browser asks for stay on a rewritten error."""
    origin = "https://shop.example"
    own = Settings.model_validate({"data_dir": tmp_path, "port": 0, "site_keys": {"site_shop_1": [origin]}})
    transport = httpx.ASGITransport(create_app(service, own, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test") as client:
        answer = await client.post(CHAT, json=body("hello"), headers={"Origin": origin})
    assert answer.status_code == 401
    assert failed(answer).code == "invalid_api_key"
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["x-request-id"]


async def test_the_description_has_examples_of_the_right_shape(client: httpx.AsyncClient) -> None:
    """Each example is what its model says, errors included; they are the ones that are shown."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    chat, models, model = (paths[each] for each in (CHAT, "/v1/models", "/v1/models/{model}"))
    chat, models, model = chat["post"], models["get"], model["get"]
    ChatRequest.model_validate(_example(chat["requestBody"]))
    shown: list[tuple[JsonValue, type[BaseModel], JsonValue]] = [
        (_example(chat["responses"]["200"]), Completion, COMPLETION),
        (_example(models["responses"]["200"]), Models, MODELS),
        (_example(model["responses"]["200"]), Model, MODEL),
    ]
    for found, kind, example in shown:
        kind.model_validate_json(json.dumps(example))
        assert found in (example, _without_null(example))
    assert "text/event-stream" in chat["responses"]["200"]["content"]
    for operation in (chat, models, model):
        errors = {status: answer for status, answer in operation["responses"].items() if status != "200"}
        assert "422" not in errors
        assert {"401", "429", "503", "default"} <= set(errors)
        for answer in errors.values():
            assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/OpenAiErrorBody")
            assert set(cast("dict[str, dict[str, object]]", _example(answer))["error"]) <= set(OpenAiError.model_fields)


def _example(place: dict[str, dict[str, dict[str, JsonValue]]]) -> JsonValue:
    return place["content"]["application/json"]["example"]


def _without_null(content: JsonValue) -> JsonValue:
    """FastAPI leaves nulls out of its description."""
    if isinstance(content, dict):
        return {name: _without_null(each) for name, each in content.items() if each is not None}
    return [_without_null(each) for each in content] if isinstance(content, list) else content


def test_the_page_names_every_code_and_field() -> None:
    """docs/openai.md has each error code of these endpoints, each field of `support`, and each header that is read."""
    page = (ROOT / "docs" / "openai.md").read_text("utf-8")
    source = "".join(each.read_text("utf-8") for each in (ROOT / "agent" / "server").glob("openai_*.py"))
    codes = set(re.findall(r'^\s+"([a-z]+(?:_[a-z]+)+)",$', source, re.MULTILINE))
    codes |= set(re.findall(r'_refused\(.*"([a-z_]+)"\)', source))
    assert {"no_user_message", "invalid_api_key", "model_not_found"} <= codes
    assert {each for each in codes if f"`{each}`" not in page} == set()
    shown = page.partition('{"support": ')[2].partition("\n```")[0].replace("...", "").strip()
    assert set(json.loads(shown.removesuffix("}"))) == set(Support.model_fields)
    for header in ("X-Conversation-Id", "X-OpenWebUI-Chat-Id", "X-Customer-Token", "X-OpenWebUI-User-Jwt"):
        assert f"`{header}`" in page


def test_the_page_of_the_proxy_names_its_codes_and_headers() -> None:
    """docs/middleware.md has what the proxy refuses besides, what it passes on, and the headers that it reads."""
    page = (ROOT / "docs" / "middleware.md").read_text("utf-8")
    source = "".join(each.read_text("utf-8") for each in (ROOT / "agent" / "server").glob("proxy*.py"))
    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)",? "?[A-Z`]', source)) | {"browser_refused", "no_upstream"}
    known = (ROOT / "docs" / "openai.md").read_text("utf-8")
    assert {"several_choices", "tool_unsupported", "customers_differ"} <= codes
    assert {each for each in codes if f"`{each}`" not in page and f"`{each}`" not in known} == set()
    for name in PASSED_ON:
        assert f"`{name}`" in page or name.endswith("_penalty"), name
    for header in ("X-Customer-Id", "X-Conversation-Id", "Origin"):
        assert f"`{header}`" in page
