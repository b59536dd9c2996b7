"""Who is believed on the OpenAI-compatible endpoints, and who is not."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import jwt
import pytest

from handrail.agent.server.identity import Gate
from handrail.agent.server.openai_clients import OPEN_WEBUI
from handrail.agent.settings import Settings
from tests.unit.server.openai_fake import ChatService
from tests.unit.server.openai_side import CHAT, Headers, asked, bearer, body, failed
from tests.unit.server.test_hostile import FORGERIES, forged

SHARED = "w" * 64
"""What Open WebUI and we both know."""


@pytest.fixture
async def service() -> ChatService:
    """A service that echoes, with a feed."""
    return ChatService()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with the company's own identity key, and Open WebUI's."""
    keys = {"2026": "c" * 64, OPEN_WEBUI: SHARED}
    return Settings.model_validate({"data_dir": tmp_path, "port": 0, "identity_keys": keys})


@pytest.fixture
def key(gate: Gate) -> Headers:
    """A server's key."""
    return bearer(gate)


def token(gate: Gate, customer: str) -> str:
    """A customer's token."""
    return gate.sign(customer, 600)


def web_ui(key: str = SHARED, algorithm: str = "HS256", **changed: object) -> str:
    """A token as Open WebUI makes it (backend/open_webui/utils/headers.py): it names no key."""
    now = int(time.time())
    claims: dict[str, object] = {
        "sub": "u-1",
        "email": "a@fernwell.example",
        "name": "Ada",
        "role": "user",
        "iss": "open-webui",
        "iat": now,
        "exp": now + 300,
    }
    claims = {name: content for name, content in (claims | changed).items() if content is not None}
    return jwt.encode(claims, key, algorithm=algorithm)


async def owners(client: httpx.AsyncClient, service: ChatService, headers: Headers) -> list[str | None]:
    """On whose behalf a message is answered."""
    await asked(client, headers, "hello")
    return [each.customer_id for each in service.opened.values()]


async def test_a_server_speaks_for_nobody_by_itself(
    client: httpx.AsyncClient, service: ChatService, key: Headers
) -> None:
    """An anonymous conversation."""
    assert await owners(client, service, key) == [None]


async def test_a_customer_speaks_with_their_own_token(
    client: httpx.AsyncClient, service: ChatService, gate: Gate
) -> None:
    """As the API key."""
    assert await owners(client, service, {"Authorization": f"Bearer {token(gate, 'ada')}"}) == ["ada"]


async def test_a_server_speaks_for_a_customer_whose_token_it_has(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, key: Headers
) -> None:
    """In a header beside its key."""
    assert await owners(client, service, key | {"X-Customer-Token": token(gate, "ada")}) == ["ada"]


async def test_open_web_ui_speaks_for_its_users(client: httpx.AsyncClient, service: ChatService, key: Headers) -> None:
    """With the token that it signs for each request."""
    assert await owners(client, service, key | {"X-OpenWebUI-User-Jwt": web_ui()}) == ["u-1"]


async def test_a_gateway_may_put_a_customer_token_there(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, key: Headers
) -> None:
    """One that names its key is a customer token like any other."""
    assert await owners(client, service, key | {"X-OpenWebUI-User-Jwt": token(gate, "ada")}) == ["ada"]


async def refused(client: httpx.AsyncClient, service: ChatService, headers: Headers, code: str) -> None:
    """Both endpoints answer 401 in OpenAI's form, and nothing is opened."""
    coded = {name.encode(): content.encode("latin-1") for name, content in headers.items()}
    for answer in (
        await client.post(CHAT, json=body("hello"), headers=coded),
        await client.get("/v1/models", headers=coded),
    ):
        assert answer.status_code == 401, answer.text
        error = failed(answer)
        assert (error.code, error.type) == (code, "authentication_error")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert not service.opened


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic YTpi", "nonsense"])
async def test_without_a_key_nobody_is_answered(
    client: httpx.AsyncClient, service: ChatService, header: str | None
) -> None:
    """There are no anonymous callers here; anonymous customers have a server that speaks for them."""
    await refused(client, service, {} if header is None else {"Authorization": header}, "invalid_api_key")


async def test_a_wrong_key_is_refused(client: httpx.AsyncClient, service: ChatService, key: Headers) -> None:
    """Also one that is nearly right."""
    for wrong in ("sk-anything", key["Authorization"].removeprefix("Bearer ")[:-1]):
        await refused(client, service, {"Authorization": f"Bearer {wrong}"}, "invalid_api_key")


@pytest.mark.parametrize("which", FORGERIES)
async def test_forged_tokens_are_refused(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, key: Headers, which: str
) -> None:
    """As the API key, beside a server's key, and where Open WebUI's token stands; none counts as no token."""
    wrong = forged(gate, which)
    expired = "token_expired" if which == "expired" else None
    await refused(client, service, {"Authorization": f"Bearer {wrong}"}, expired or "invalid_api_key")
    await refused(client, service, key | {"X-Customer-Token": wrong}, expired or "invalid_token")
    await refused(client, service, key | {"X-OpenWebUI-User-Jwt": wrong}, expired or "invalid_token")


WEB_UI_FORGERIES: dict[str, dict[str, object]] = {
    "the company's key": {"key": "c" * 64},
    "another key": {"key": "x" * 64},
    "another algorithm": {"algorithm": "HS512"},
    "another issuer": {"iss": "somebody"},
    "no issuer": {"iss": None},
    "no expiry": {"exp": None},
    "no user": {"sub": None},
    "an empty user": {"sub": ""},
    "control characters": {"sub": "ada\n"},
    "another site": {"aud": "elsewhere"},
}


@pytest.mark.parametrize("which", WEB_UI_FORGERIES)
async def test_forged_open_web_ui_tokens_are_refused(
    client: httpx.AsyncClient, service: ChatService, key: Headers, which: str
) -> None:
    """A token without a `kid` is checked with Open WebUI's key and with no other."""
    wrong = web_ui(**WEB_UI_FORGERIES[which])  # type: ignore[arg-type]
    await refused(client, service, key | {"X-OpenWebUI-User-Jwt": wrong}, "invalid_token")


async def test_an_old_open_web_ui_token_is_refused(
    client: httpx.AsyncClient, service: ChatService, key: Headers
) -> None:
    """They last some minutes."""
    old = web_ui(exp=int(time.time()) - 3600)
    await refused(client, service, key | {"X-OpenWebUI-User-Jwt": old}, "token_expired")


async def test_open_web_ui_tokens_are_refused_elsewhere(
    client: httpx.AsyncClient, service: ChatService, key: Headers
) -> None:
    """Where customer tokens stand, a token has to name its key."""
    await refused(client, service, {"Authorization": f"Bearer {web_ui()}"}, "invalid_api_key")
    await refused(client, service, key | {"X-Customer-Token": web_ui()}, "invalid_token")


async def test_open_web_ui_tokens_alone_open_nothing(client: httpx.AsyncClient, service: ChatService) -> None:
    """They come with a key, as Open WebUI sends it."""
    await refused(client, service, {"X-OpenWebUI-User-Jwt": web_ui()}, "invalid_api_key")


async def test_tokens_that_disagree_are_refused(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, key: Headers
) -> None:
    """Nobody speaks for two customers at once, and no customer for another."""
    ada, ben = token(gate, "ada"), token(gate, "ben")
    await refused(client, service, {"Authorization": f"Bearer {ada}", "X-Customer-Token": ben}, "invalid_token")
    await refused(
        client, service, {"Authorization": f"Bearer {ada}", "X-OpenWebUI-User-Jwt": web_ui()}, "invalid_token"
    )
    await refused(client, service, key | {"X-Customer-Token": ada, "X-OpenWebUI-User-Jwt": web_ui()}, "invalid_token")


async def test_tokens_that_agree_are_one_customer(client: httpx.AsyncClient, service: ChatService, gate: Gate) -> None:
    """However often they say it."""
    ada = token(gate, "ada")
    assert await owners(client, service, {"Authorization": f"Bearer {ada}", "X-Customer-Token": ada}) == ["ada"]


async def test_plain_headers_and_other_keys_say_nothing(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, key: Headers
) -> None:
    """Hints are no identity: the conversation stays anonymous."""
    hints = {"X-OpenWebUI-User-Id": "ada", "X-OpenWebUI-User-Email": "a@fernwell.example", "X-User-Id": "ada"}
    assert await owners(client, service, key | hints) == [None]
    server = {"X-Server-Key": key["Authorization"].removeprefix("Bearer ")}
    answer = await client.post(CHAT, json=body("hello"), headers=server)
    assert answer.status_code == 401
    visitor = {"X-Visitor-Key": gate.visitor_key("c1")}
    assert (await client.post(CHAT, json=body("hello"), headers=visitor)).status_code == 401


async def test_without_open_web_uis_key_its_tokens_are_refused(
    service: ChatService, tmp_path: Path, key: Headers
) -> None:
    """A site that has not been given the shared secret trusts nobody's users; the company's keys are not tried."""
    from handrail.agent.server.app import create_app
    from tests.unit.server.fake import FixedClock

    own = Settings.model_validate({"data_dir": tmp_path, "port": 0, "identity_keys": {"2026": SHARED}})
    transport = httpx.ASGITransport(create_app(service, own, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test") as client:
        await refused(client, service, key | {"X-OpenWebUI-User-Jwt": web_ui()}, "invalid_token")
