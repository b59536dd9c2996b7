"""How often callers may ask, and what is never counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from handrail.agent.server.app import create_app
from handrail.agent.server.faults import Fault
from handrail.agent.server.rates import SIGN_INS, SIGN_INS_OF_ADDRESS, Rates, counted_address
from handrail.agent.settings import Settings
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.fake_staff import PASSWORD
from tests.unit.server.test_conversations import Headers, code, opened

FEW = {"openings_per_minute": 3, "messages_per_minute": 2, "caller_messages_per_minute": 3}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Few of everything."""
    return Settings.model_validate({"data_dir": tmp_path, "port": 0, **FEW})


@pytest.fixture
def app(service: FakeService, settings: Settings) -> FastAPI:
    """The application that counts."""
    return create_app(service, settings, FixedClock())


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client at one address."""
    async with at(app, "192.0.2.1") as here:
        yield here


def at(app: FastAPI, address: str) -> httpx.AsyncClient:
    """A client at an address."""
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://handrail.test")


def refused(answer: httpx.Response) -> bool:
    """Whether this was too often; the answer says when to come back."""
    if answer.status_code != 429:
        return False
    assert code(answer) == "rate_limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    return True


async def test_openings_by_address(app: FastAPI, client: httpx.AsyncClient, server: Headers) -> None:
    """An address opens so many conversations in a minute; others and the company's own servers are not concerned."""
    answers = [await client.post("/v1/conversations") for _ in range(5)]
    assert [refused(each) for each in answers] == [False] * 3 + [True] * 2
    async with at(app, "192.0.2.2") as elsewhere:
        assert (await elsewhere.post("/v1/conversations")).status_code == 201
    assert (await client.post("/v1/conversations", headers=server)).status_code == 201
    wrong = await client.post("/v1/conversations", headers={"X-Server-Key": "wrong"})
    assert refused(wrong)


async def test_messages_by_conversation_and_by_caller(
    app: FastAPI, client: httpx.AsyncClient, service: FakeService, server: Headers
) -> None:
    """A conversation gets so many messages, a visitor's address so many in all of its conversations."""
    (first, key), (second, other) = await opened(client), await opened(client)
    said = {"text": "hi"}
    answers = [await client.post(f"{first}/messages", json=said, headers=key) for _ in range(3)]
    assert [refused(each) for each in answers] == [False, False, True]
    answers = [await client.post(f"{second}/messages", json=said, headers=other) for _ in range(2)]
    assert [refused(each) for each in answers] == [False, True]
    async with at(app, "192.0.2.2") as elsewhere:
        assert (await elsewhere.post(f"{second}/messages", json=said, headers=other)).status_code == 200
    assert (await client.post(f"{first}/messages", json=said, headers=key | server)).status_code == 200
    assert len(service.said["c1"]) == 6


async def test_customers_are_counted_wherever_they_are(
    app: FastAPI, client: httpx.AsyncClient, ada: Headers, ben: Headers
) -> None:
    """A customer is counted by the token, not by the address that many may share."""
    paths = [(await opened(client, ada))[0] for _ in range(2)]
    for path in paths:
        assert (await client.post(f"{path}/messages", json={"text": "hi"}, headers=ada)).status_code == 200
    async with at(app, "192.0.2.2") as elsewhere:
        assert (await elsewhere.post(f"{paths[0]}/messages", json={"text": "hi"}, headers=ada)).status_code == 200
        assert refused(await elsewhere.post(f"{paths[1]}/messages", json={"text": "hi"}, headers=ada))
    path, _ = await opened(client, ben)
    assert (await client.post(f"{path}/messages", json={"text": "hi"}, headers=ben)).status_code == 200


async def test_nobody_uses_up_anothers_limit(client: httpx.AsyncClient, ada: Headers, ben: Headers) -> None:
    """Whoever knows an id cannot silence its owner: counted is the conversation together with the caller."""
    path, _ = await opened(client, ada)
    for _ in range(5):
        answer = await client.post(f"{path}/messages", json={"text": "hi"}, headers=ben)
        assert answer.status_code in {404, 429}
    assert (await client.post(f"{path}/messages", json={"text": "hi"}, headers=ada)).status_code == 200


async def test_person_and_reading_are_never_counted(client: httpx.AsyncClient) -> None:
    """Whoever writes too much still reaches a person, and reads."""
    path, key = await opened(client)
    answers = [await client.post(f"{path}/messages", json={"text": "hi"}, headers=key) for _ in range(4)]
    assert refused(answers[-1])
    for _ in range(10):
        assert (await client.post(f"{path}/handoff", headers=key)).status_code == 200
        assert (await client.get(f"{path}/messages", headers=key)).status_code == 200


async def test_what_writes_is_counted_too(client: httpx.AsyncClient) -> None:
    """Ratings, consents and files are kept as messages are, so they are counted as messages are."""
    path, key = await opened(client)
    for _ in range(2):
        await client.post(f"{path}/messages", json={"text": "hi"}, headers=key)
    assert refused(await client.post(f"{path}/rating", json={"score": 1}, headers=key))
    assert refused(await client.post(f"{path}/consent", json={"purpose": "p", "given": True}, headers=key))
    assert refused(await client.post(f"{path}/files", content=b"x", headers=key))


async def test_sign_ins_by_name_and_address(app: FastAPI, client: httpx.AsyncClient, service: FakeService) -> None:
    """A name can be tried so often from everywhere, an address so often with every name; right passwords count too."""
    body = {"name": "maria", "password": "wrong"}
    for number in range(SIGN_INS.amount):
        async with at(app, f"198.51.100.{number}") as somewhere:
            assert (await somewhere.post("/v1/operator/session", json=body)).status_code == 401
    right = await client.post("/v1/operator/session", json={"name": "maria", "password": PASSWORD})
    assert refused(right)
    assert not service.operators.tokens
    for number in range(SIGN_INS_OF_ADDRESS.amount - 1):
        answer = await client.post("/v1/operator/session", json=body | {"name": f"n{number}"})
        assert answer.status_code == 401
    assert refused(await client.post("/v1/operator/session", json={"name": "omar", "password": PASSWORD}))


def test_counting_keeps_little(settings: Settings) -> None:
    """What a flood of addresses makes us keep is two numbers each."""
    rates = Rates(settings)
    for number in range(1000):
        rates.opening(f"address-{number}")
    kept = rates._limiter.storage
    assert len(kept.storage) == 1000  # type: ignore[attr-defined]
    rates.opening("address-1")
    rates.opening("address-1")
    with pytest.raises(Fault, match="3 times in 60 seconds"):
        rates.opening("address-1")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        (None, "unknown"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_counted_address(host: str | None, counted: str) -> None:
    """Addresses are counted as they are; what is none, together."""
    assert counted_address(host) == counted


def test_networks_of_one_user_are_one() -> None:
    """Somebody with IPv6 has more addresses than anybody can count: their network counts as one."""
    first, second, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9%eth0", "2001:db8:1:3::1"
    assert counted_address(first) == counted_address(second) != counted_address(other)
