"""The conversation in the terminal, in this process and with a server."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from handrail.agent.server.app import create_app, desk_for
from handrail.agent.server.faults import Fault
from handrail.agent.server.remote import TalkError
from handrail.agent.server.talk import LocalTalk, RemoteTalk, Talk
from handrail.agent.settings import Settings
from handrail.commands import chat
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.test_conversations import Headers

PLAIN = chat.Manner(reasons=False, as_json=False, interactive=False)
JSON = chat.Manner(reasons=False, as_json=True, interactive=False)
REASONS = chat.Manner(reasons=True, as_json=False, interactive=False)


async def talked(
    talk: Talk,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    manner: chat.Manner,
) -> str:
    """What the terminal shows when these lines are piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    await chat._converse(talk, settings, "ada", manner)
    return capsys.readouterr().out


@pytest.fixture
async def local(service: FakeService, settings: Settings) -> LocalTalk:
    """A conversation in this process."""
    return await LocalTalk.open(desk_for(service, settings, FixedClock()), "ada", debug=True)


async def test_piped_lines_are_messages(
    local: LocalTalk, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line is one message; empty lines are none; /quit ends before the rest."""
    said = "hello\n\nconfirm\ncite\n/quit\nnever\n"
    shown = await talked(local, settings, monkeypatch, capsys, said, PLAIN)
    assert "You said: hello" in shown
    assert 'to confirm: cancel_plan(plan="team", seats=3)' in shown
    assert "source: Document A (doc-a)" in shown
    assert "quick replies: yes | no" in shown
    assert "never" not in shown
    assert "gate_risk" not in shown


async def test_person_reasons_and_code(
    local: LocalTalk, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """/person hands over and shows the place; --reasons shows each stage; /code says that there is no company."""
    shown = await talked(local, settings, monkeypatch, capsys, "/person\n/code\n", REASONS)
    assert "with the support team: place 1 in the queue" in shown
    assert "status: queued" in shown
    assert "gate_risk        turn: allow  INTENT_KNOWN" in shown
    assert "no sample company" in shown


async def test_json_is_one_object_a_turn(
    local: LocalTalk, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts read one object a line, errors included; the conversation goes on after an error."""
    shown = await talked(local, settings, monkeypatch, capsys, "hello\nbusy\nagain\n/nonsense\n", JSON)
    turns = [json.loads(line) for line in shown.splitlines()]
    assert [turn.get("reply") for turn in turns] == ["You said: hello", None, "You said: again"]
    assert turns[1]["error"]["code"] == "busy"


@asynccontextmanager
async def remote(service: FakeService, settings: Settings, headers: Headers) -> AsyncIterator[RemoteTalk]:
    """A conversation with a server, without a socket."""
    transport = httpx.ASGITransport(create_app(service, settings, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test", headers=headers) as client:
        yield await RemoteTalk.open(client, debug="X-Server-Key" in headers)


async def test_talk_with_a_server(service: FakeService, settings: Settings, ada: Headers, server: Headers) -> None:
    """Over HTTP a conversation is the same, for customers and for visitors; reasons come with a server key."""
    async with remote(service, settings, ada | server) as talk:
        view = await talk.say("hello")
        assert view.reply == "You said: hello"
        assert view.debug is not None
    async with remote(service, settings, {}) as talk:
        assert (await talk.say("hello")).debug is None
        assert (await talk.ask_for_person()).handoff is not None
    assert [each.customer_id for each in service.opened.values()] == ["ada", None]


async def test_refusals_of_a_server(service: FakeService, settings: Settings) -> None:
    """What a server refuses is a fault with its words, like in this process."""
    async with remote(service, settings, {}) as talk:
        with pytest.raises(Fault, match="still being answered"):
            await talk.say("busy")
    with pytest.raises(Fault, match="not valid"):
        async with remote(service, settings, {"Authorization": "Bearer x"}):
            pass


async def test_address_without_a_server(settings: Settings) -> None:
    """An address where nothing answers, or something else does, is named."""

    async def other(_scope: object, _receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    transport = httpx.ASGITransport(other)
    async with httpx.AsyncClient(transport=transport, base_url="http://other.test") as client:
        with pytest.raises(TalkError, match=r"other\.test.*no Handrail server"):
            await RemoteTalk.open(client, debug=False)
    with pytest.raises(TalkError, match="does not answer"):
        async with chat._remote(settings, "http://127.0.0.1:9", "ada", None, None, debug=True):
            await asyncio.sleep(0)
