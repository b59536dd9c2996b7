"""Requests that nobody should send."""

from __future__ import annotations

import base64
import json
import time

import httpx
import jwt
import pytest

from handrail.agent.server.identity import LEEWAY_SECONDS, Gate
from tests.unit.server.fake import FakeService
from tests.unit.server.test_conversations import Headers, code, opened

SOON = int(time.time()) + 3600

# What makes each token wrong: other claims (None leaves one out), another header, another algorithm.
CLAIMS: dict[str, dict[str, object]] = {
    "expired": {"exp": SOON - 7200},
    "no exp": {"exp": None},
    "exp is no number": {"exp": "tomorrow"},
    "no sub": {"sub": None},
    "empty sub": {"sub": ""},
    "control characters": {"sub": "ada\n"},
    "not yet": {"nbf": SOON},
    "another site": {"aud": "elsewhere"},
    "huge": {"x": "y" * 6000},
    "never ends": {"exp": float("inf")},
    "half a letter": {"sub": "\ud800"},
}
HEADERS: dict[str, dict[str, str]] = {
    "no kid": {},
    "wrong kid": {"kid": "other"},
    "kid is a path": {"kid": "../../dev/null"},
}
FORGERIES = (*CLAIMS, *HEADERS, "another key", "another algorithm", "alg none", "cut", "no token at all")


def forged(gate: Gate, which: str) -> str:
    """A token that is wrong in one way."""
    kid, own = next(iter(gate.keys.identity.items()))
    given = {"sub": "ada", "exp": SOON} | CLAIMS.get(which, {})
    claims = {name: content for name, content in given.items() if content is not None}
    header = HEADERS.get(which, {"kid": kid})
    key = "k" * 64 if which == "another key" else own.get_secret_value()
    if which == "alg none":
        parts = [{"alg": "none", "typ": "JWT"} | header, claims]
        coded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts]
        return f"{coded[0]}.{coded[1]}."
    if which == "exp is no number":
        return jwt.api_jws.encode(json.dumps(claims).encode(), key, "HS256", headers=header)
    if which == "no token at all":
        return "\xff.\xff.\xff"
    token = jwt.encode(claims, key, algorithm="HS512" if which == "another algorithm" else "HS256", headers=header)
    return token[:-3] if which == "cut" else token


@pytest.mark.parametrize("which", FORGERIES)
async def test_forged_tokens_are_refused(
    client: httpx.AsyncClient, service: FakeService, gate: Gate, which: str
) -> None:
    """No forged token opens anything, and nothing is opened as an anonymous visitor instead."""
    headers = {b"Authorization": f"Bearer {forged(gate, which)}".encode("latin-1")}
    answer = await client.post("/v1/conversations", headers=headers)
    assert answer.status_code == 401
    assert code(answer) == ("token_expired" if which == "expired" else "invalid_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not service.opened


def test_token_that_holds_for_ages(gate: Gate) -> None:
    """An end that no clock can count is as good as never, not a crash; and the end that counts is the token's."""
    kid, own = next(iter(gate.keys.identity.items()))
    in_an_hour = int(time.time()) + 3600
    for end, least, most in ((10**400, 10**9, float("inf")), (in_an_hour, 3500, 3600 + LEEWAY_SECONDS + 1)):
        token = jwt.encode({"sub": "ada", "exp": end}, own.get_secret_value(), algorithm="HS256", headers={"kid": kid})
        left = gate.caller(f"Bearer {token}").seconds_left
        assert left is not None
        assert least < left < most


@pytest.mark.parametrize("scheme", ["Basic YWRhOmFkYQ==", "Bearer", "Bearer ", "", "token"])
async def test_other_authorizations_are_refused(client: httpx.AsyncClient, scheme: str) -> None:
    """An Authorization header that is no bearer token is an error, not an anonymous visitor."""
    assert (await client.post("/v1/conversations", headers={"Authorization": scheme})).status_code == 401


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"\xff\xfe", 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 30_000, 400),
        (b'{"text": NaN}', 422),
        (b'{"text": 1}', 422),
        (b'{"text": ""}', 422),
        (b'{"text": " \\n\\t "}', 422),
        (b'{"text": "a\\u0000b"}', 422),
        (b'{"text": "\\ud800"}', 422),
        (b'{"text": "a", "role": "operator"}', 422),
        (b'{"text": "a", "history": []}', 422),
        (b"{}", 422),
    ],
)
async def test_broken_bodies(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    """A body that is not JSON answers 400, one of another shape 422; neither reaches the service."""
    path, key = await opened(client)
    headers = key | {"Content-Type": "application/json"}
    answer = await client.post(f"{path}/messages", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert code(answer) == ("malformed_json" if status == 400 else "invalid_request")


async def test_every_problem_is_named_and_nothing_repeated(client: httpx.AsyncClient) -> None:
    """All that is wrong with a body is told at once, without quoting it."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": 7, "role": "my secret"}, headers=key)
    message = answer.json()["error"]["message"]
    assert "text:" in message
    assert "role:" in message
    assert "secret" not in answer.text


async def test_large_body_is_refused_unread(client: httpx.AsyncClient, service: FakeService) -> None:
    """A megabyte is refused before it is parsed, with the limit; so is one that does not tell its length."""
    path, key = await opened(client)
    large = json.dumps({"text": "x" * 1_000_000}).encode()

    async def chunks() -> object:
        for begin in range(0, len(large), 1000):
            yield large[begin : begin + 1000]

    headers = key | {"Content-Type": "application/json"}
    for content in (large, chunks()):
        answer = await client.post(f"{path}/messages", content=content, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert code(answer) == "body_too_large"
        assert "65536" in answer.text
    assert not service.said["c1"]


async def test_long_message_is_refused_with_the_limit(client: httpx.AsyncClient, service: FakeService) -> None:
    """A message above the bundle's limit says what the limit is; one at the limit passes."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": "x" * 8001}, headers=key)
    assert answer.status_code == 413
    assert code(answer) == "message_too_long"
    assert "8000" in answer.text
    assert not service.said["c1"]
    assert (await client.post(f"{path}/messages", json={"text": "x" * 8000}, headers=key)).status_code == 200


@pytest.mark.parametrize("bad", ["", "with space", "x" * 201, "tab\there"])
async def test_bad_idempotency_keys(client: httpx.AsyncClient, bad: str) -> None:
    """A key that could not be stored faithfully is refused."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": "a"}, headers=key | {"Idempotency-Key": bad})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/docs", 404),
        ("DELETE", "/healthz", 405),
        ("POST", "/v1/conversations/", 404),
        ("GET", "/v1/conversations/../../etc/passwd", 404),
        ("GET", "/v1/conversations/" + "x" * 300, 422),
        ("GET", "/v1/conversations/c1%00", 422),
        ("GET", "/v1/conversations/%ff", 422),
        ("GET", f"/v1/conversations/c1/messages?after={10**30}", 422),
    ],
)
async def test_unknown_paths(client: httpx.AsyncClient, method: str, path: str, status: int, ada: Headers) -> None:
    """What the router refuses has the same shape as every other error."""
    answer = await client.request(method, path, headers=ada)
    assert answer.status_code == status
    code(answer)


async def test_client_cannot_set_identity_or_channel_words(client: httpx.AsyncClient) -> None:
    """A body does not say who somebody is."""
    for body in ({"customer_id": "ada"}, {"channel": "Web!"}, {"channel": "web", "identity": "verified"}):
        assert (await client.post("/v1/conversations", json=body)).status_code == 422
