"""Rating, consent, files and erasure, as customers reach them."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from handrail.agent.files import LARGEST_FILE
from handrail.agent.server.app import create_app
from handrail.agent.settings import Settings
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.test_conversations import Headers, code, opened

PNG = b"\x89PNG\r\n\x1a\n"


async def test_rating(client: httpx.AsyncClient, service: FakeService) -> None:
    """A rating is stored with its comment, and the latest counts."""
    path, key = await opened(client)
    await client.post(f"{path}/messages", json={"text": "hi"}, headers=key)
    assert (await client.post(f"{path}/rating", json={"score": 2}, headers=key)).json() == {"score": 2}
    body = {"score": 5, "comment": "Clear."}
    assert (await client.post(f"{path}/rating", json=body, headers=key)).json() == {"score": 5}
    assert service.ratings["c1"] == (5, "Clear.")


async def test_nothing_to_rate_yet(client: httpx.AsyncClient) -> None:
    """A conversation in which nothing was said cannot be rated, and the answer says so."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/rating", json={"score": 5}, headers=key)
    assert (answer.status_code, code(answer)) == (409, "rating_refused")
    assert "nothing to rate" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        *({"score": 0}, {"score": 6}, {"score": "5"}, {"score": True}, {"score": 4.5}, {}),
        *({"score": 5, "comment": "x" * 1001}, {"score": 5, "comment": "a\x00b"}, {"score": 5, "by": "ada"}),
    ],
)
async def test_bad_ratings(client: httpx.AsyncClient, service: FakeService, body: object) -> None:
    """Scores are whole numbers from 1 to 5; nothing is converted."""
    path, key = await opened(client)
    assert (await client.post(f"{path}/rating", json=body, headers=key)).status_code == 422
    assert not service.ratings


async def test_consent(client: httpx.AsyncClient) -> None:
    """Refusing brings a person, and the answer has the turn that did; agreeing needs none."""
    path, key = await opened(client)
    given = await client.post(f"{path}/consent", json={"purpose": "ai_assistance", "given": True}, headers=key)
    assert given.json() == {"purpose": "ai_assistance", "given": True, "turn": None}
    refused = await client.post(f"{path}/consent", json={"purpose": "ai_assistance", "given": False}, headers=key)
    assert refused.json()["turn"]["status"] == "queued"
    unknown = await client.post(f"{path}/consent", json={"purpose": "marketing", "given": True}, headers=key)
    assert (unknown.status_code, code(unknown)) == (422, "invalid_request")
    assert "ai_assistance" in unknown.text
    assert (await client.post(f"{path}/consent", json={"purpose": "p", "given": "no"}, headers=key)).status_code == 422


async def test_file_and_back(client: httpx.AsyncClient) -> None:
    """A file comes back byte by byte, to be saved: no browser shows, runs or guesses it."""
    path, key = await opened(client)
    content = PNG + bytes(range(256)) * 1000
    headers = key | {"Content-Type": "image/png", "X-File-Name": "auszug%20f%C3%BCr%20Mai.png"}
    answer = await client.post(f"{path}/files", content=content, headers=headers)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["event"], told["name"], told["size"]) == ("file.attached", "auszug für Mai.png", len(content))
    back = await client.get(f"{path}/files/{told['file_id']}", headers=key)
    assert back.content == content
    assert back.headers["content-type"] == "image/png"
    assert back.headers["content-disposition"] == "attachment; filename*=UTF-8''auszug%20f%C3%BCr%20Mai.png"
    assert back.headers["x-content-type-options"] == "nosniff"
    assert back.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "no-store" in back.headers["cache-control"]


async def test_name_cannot_leave_its_header(client: httpx.AsyncClient) -> None:
    """A name with line breaks and quotes stays one value of one header."""
    path, key = await opened(client)
    headers = key | {"X-File-Name": "a%0d%0aSet-Cookie:%20x=1%22;.png"}
    told = (await client.post(f"{path}/files", content=PNG, headers=headers)).json()
    back = await client.get(f"{path}/files/{told['file_id']}", headers=key)
    assert "set-cookie" not in back.headers
    assert back.headers["content-disposition"].isprintable()
    assert '"' not in back.headers["content-disposition"]


async def test_file_of_another_kind(client: httpx.AsyncClient, service: FakeService) -> None:
    """What is taken is decided by the bytes; the answer says which kinds are."""
    path, key = await opened(client)
    for content in (b"<script>", b""):
        answer = await client.post(f"{path}/files", content=content, headers=key | {"Content-Type": "image/png"})
        assert (answer.status_code, code(answer)) == (415, "file_refused")
    assert not service.files


async def test_unknown_file(client: httpx.AsyncClient) -> None:
    """A file is found in its own conversation only."""
    (first, key), (second, other) = await opened(client), await opened(client)
    told = (await client.post(f"{first}/files", content=PNG, headers=key)).json()
    for path, headers, file_id in ((first, key, "f99"), (second, other, told["file_id"])):
        answer = await client.get(f"{path}/files/{file_id}", headers=headers)
        assert (answer.status_code, code(answer)) == (404, "unknown_file")


async def test_files_may_be_larger_than_other_bodies(client: httpx.AsyncClient, service: FakeService) -> None:
    """Five megabytes pass, one byte more does not; every other route keeps its 64 KiB."""
    path, key = await opened(client)
    largest = PNG + b"x" * (LARGEST_FILE - len(PNG))
    assert (await client.post(f"{path}/files", content=largest, headers=key)).status_code == 201
    answer = await client.post(f"{path}/files", content=largest + b"x", headers=key)
    assert (answer.status_code, code(answer)) == (413, "body_too_large")
    assert str(LARGEST_FILE) in answer.text
    for other in ("/messages", "/rating", "/files/f1", "/filesx"):
        answer = await client.post(f"{path}{other}", content=largest, headers=key)
        assert (answer.status_code, code(answer)) == (413, "body_too_large")
    assert len(service.files) == 1


async def test_nothing_is_read_of_whom_it_is_not_for(service: FakeService, settings: Settings, ada: Headers) -> None:
    """Five megabytes of somebody who may not send them are dropped as they come, and the answer is heard."""
    app: FastAPI = create_app(service, settings, FixedClock())
    dropped = 0

    async def megabytes() -> object:
        nonlocal dropped
        for _ in range(5):
            dropped += 1
            yield b"x" * 1_000_000

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://handrail.test") as client:
        path, _ = await opened(client)
        for headers, status in (({}, 401), (ada, 404)):
            answer = await client.post(f"{path}/files", content=megabytes(), headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == status
            assert answer.headers["connection"] == "close"
    assert dropped == 10
    assert not service.files


async def test_erasure(client: httpx.AsyncClient) -> None:
    """An erased conversation is not there any more, like one that never was."""
    path, key = await opened(client)
    erased = await client.delete(path, headers=key)
    assert (erased.status_code, erased.content) == (204, b"")
    for answer in (await client.get(path, headers=key), await client.delete(path, headers=key)):
        assert (answer.status_code, code(answer)) == (404, "unknown_conversation")
