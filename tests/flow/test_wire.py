"""On the wire: nothing a check has refused leaves the server on any path, and what leaves is stored before it does."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from handrail.agent.models import retrying
from handrail.agent.server.app import create_app
from handrail.agent.settings import Settings
from handrail.evals.standins.conduct import Conduct
from handrail.evals.standins.openai_server import StandIn
from handrail.evals.standins.request import ChatRequest
from handrail.evals.standins.script import SCRIPTS
from tests.flow.wire import ENOUGH, assert_clean, wired
from tests.flow.wire_models import (
    HARMLESS,
    KINDS,
    MARK,
    PROMISE,
    PROMPT,
    WAYS,
    Way,
    at_length,
    good,
    obliging,
    slowly,
    wrong,
)
from tests.flow.wire_paths import OBLIGED, PATHS, SILENT, SPEAKING, STREAMING
from tests.support.live_server import LiveServer, live_server
from tests.support.side_loop import SideLoop, side_loop

_ASSET = re.compile(r"GET /(?:demo|(?:widget|demo)(?:/[\w-]+)*\.(?:js|css|html|svg))")
"""Files that are the same for everybody."""


def test_every_route_is_walked_or_has_a_reason_not_to_be(tmp_path: Path) -> None:
    """A new route fails this until it stands in PATHS, or in SILENT with what it does instead."""
    settings = Settings.model_validate({"data_dir": tmp_path, "port": 0})
    app = create_app(None, settings)  # type: ignore[arg-type] # no route is called
    routes = {
        f"{method} {each.path}"
        for each in iter_route_contexts(app.routes)
        for method in each.methods or ()
        if method != "HEAD"
    }
    dynamic = {each for each in routes if not _ASSET.fullmatch(each)}
    walked = {each.partition(" (")[0] for each in PATHS}
    assert dynamic == walked | set(SILENT)
    assert not walked & set(SILENT)


@pytest.fixture(scope="module")
def aside() -> Iterator[SideLoop]:
    """Where the stand-in runs."""
    with side_loop() as loop:
        yield loop


@pytest.fixture(scope="module")
def model(aside: SideLoop) -> Iterator[StandIn]:
    """The model: a real endpoint on a socket of its own."""
    standin = StandIn()
    aside.do(standin.__aenter__())
    yield standin
    aside.do(standin.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def server(model: StandIn, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The real application in front of it."""
    more = {
        "model": "standin",
        "model_base_url": model.base_url,
        "messages_per_minute": 100_000,
        "caller_messages_per_minute": 100_000,
        "openings_per_minute": 100_000,
    }
    with live_server(tmp_path_factory.mktemp("wire") / "data", base, **more) as up:
        yield up


@pytest.fixture(scope="module")
def operator(server: LiveServer) -> dict[str, str]:
    """The headers of a signed-in operator."""
    password = "correct horse battery staple"
    server.do(lambda service: service.operators.add("rene", "René", password))
    session = server.do(lambda service: service.operators.sign_in("rene", password))
    assert session is not None
    return {"Authorization": f"Bearer {session.token}"}


def behave(monkeypatch: pytest.MonkeyPatch, model: StandIn, way: Way, kind: str) -> None:
    """Let the model behave like that from now on."""
    monkeypatch.setitem(SCRIPTS, way.conduct, partial(way.script, kind))
    monkeypatch.setattr(model, "conduct", way.conduct)
    monkeypatch.setattr(model, "pace", way.pace)
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0)
    model.seen.clear()


@pytest.fixture
def restored(server: LiveServer, pristine: Path) -> None:
    """The company as it was: nobody has cancelled anything, codes can be sent again, nobody asks again and again."""
    with closing(sqlite3.connect(pristine)) as kept, closing(_company(server)) as company:
        kept.backup(company)
    with closing(sqlite3.connect(server.folder / "handrail.db", timeout=ENOUGH)) as store, store:
        store.execute("delete from customer_events where source = 'conversation'")


@pytest.fixture(scope="module")
def pristine(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's records before the first test."""
    place = tmp_path_factory.mktemp("company") / "pristine.db"
    with closing(_company(server)) as company, closing(sqlite3.connect(place)) as kept:
        company.backup(kept)
    return place


def _company(server: LiveServer) -> sqlite3.Connection:
    return sqlite3.connect(server.folder / "company.db", timeout=ENOUGH)


def plant(server: LiveServer, text: str) -> None:
    """Put a text into what the company's status page answers."""
    with closing(_company(server)) as company, company:
        changed = company.execute("update incidents set status = 'investigating', message = ?", (text,))
        assert changed.rowcount > 0


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_forbidden_leaves_on_any_path(
    server: LiveServer,
    model: StandIn,
    operator: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    way: str,
) -> None:
    """Whatever the model says in whichever way; the kinds take turns over paths and ways."""
    kind = list(KINDS)[(list(PATHS).index(path) + list(WAYS).index(way)) % len(KINDS)]
    await _play(server, model, operator, monkeypatch, path, way, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", STREAMING)
async def test_no_kind_of_forbidden_text_leaves_in_a_stream(
    server: LiveServer,
    model: StandIn,
    operator: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    way: str,
    kind: str,
) -> None:
    """Every kind in every way, where text leaves in pieces."""
    await _play(server, model, operator, monkeypatch, path, way, kind)


async def _play(
    server: LiveServer,
    model: StandIn,
    operator: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    way: str,
    kind: str,
) -> None:
    plant(server, wrong(kind, ChatRequest(messages=[])) or PROMPT)
    misbehave = partial(behave, monkeypatch, model, WAYS[way], kind)
    if path in OBLIGED:
        behave(monkeypatch, model, Way(Conduct.GOOD, obliging), kind)
    else:
        misbehave()
    async with wired(server, operator, misbehave=misbehave) as wire:
        await PATHS[path](wire)
        assert model.seen, "the model was not asked: this proves nothing"
        assert_clean(wire, f"{kind}, {way}, {path}")


@pytest.mark.parametrize("way", [Way(Conduct.GOOD, good), Way(Conduct.GOOD, at_length, slowly)], ids=["once", "slowly"])
@pytest.mark.parametrize("path", SPEAKING)
async def test_what_leaves_was_stored_and_audited_before(
    server: LiveServer, model: StandIn, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str, way: Way
) -> None:
    """At the moment the first byte of a text leaves, it is stored, and the decision to release it is in the log."""
    behave(monkeypatch, model, way, "")
    seen: list[bool] = []
    so_far = bytearray()

    def heard(piece: bytes) -> None:
        so_far.extend(piece)
        if MARK in piece:
            seen.append(_on_record(server, _NAMED.findall(so_far)[-1].decode()))

    async with wired(server, operator, heard) as wire:
        await PATHS[path](wire)
    assert seen
    assert all(seen)


_NAMED = re.compile(rb'(?:x-conversation-id: |"conversation_id":")(c_[0-9a-f]+)')
"""How a conversation is named on the wire, before anything is said in it."""


_MESSAGE = "select 1 from messages where conversation_id = ? and role = 'bot' and text like ?"
_PIECE = "select 1 from feed where conversation_id = ? and event = 'message.delta' and item like ?"
_RELEASE = """
    select released.turn_id from audit_events released join audit_payloads using (site, conversation_id, seq)
    where released.conversation_id = ? and released.kind = 'release' and payload like ? and (
        json_extract(payload, '$.reasons[0]') = 'OUTPUT_CLEAN' or exists (
            select 1 from audit_events decided
            where decided.turn_id = released.turn_id and decided.kind = 'decision' and decided.seq < released.seq))
"""
_END = """
    select 1 from turns join audit_events using (turn_id)
    where turn_id = ? and progress = 'finished' and kind = 'turn_finished'
"""


def _on_record(server: LiveServer, conversation: str) -> bool:
    """Whether a text with the mark is stored, and in the log as released by a decision of the same turn.

    A whole reply has a finished turn; one that is not whole yet stands in the feed in pieces.
    """
    marked = (conversation, f"%{MARK.decode()}%")
    with closing(sqlite3.connect(server.folder / "handrail.db", timeout=ENOUGH)) as store:
        whole = store.execute(_MESSAGE, marked).fetchone() is not None
        begun = store.execute(_PIECE, marked).fetchone() is not None
        turns = {turn for (turn,) in store.execute(_RELEASE, marked)}
        ended = [turn for turn in turns if store.execute(_END, (turn,)).fetchone() is not None]
    return bool(turns) and ((whole and bool(ended)) or begun)


@pytest.mark.parametrize("path", STREAMING)
async def test_text_leaves_before_the_model_has_ended(
    server: LiveServer, model: StandIn, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The model ends only when the client has read its first sentence: it would wait for ever otherwise."""
    read = threading.Event()
    so_far = bytearray()

    async def waits(left: int) -> None:
        if left == 0:
            assert await asyncio.to_thread(read.wait, ENOUGH), "nothing was read before the model had ended"

    def heard(piece: bytes) -> None:
        so_far.extend(piece)
        if MARK in so_far:
            read.set()

    behave(monkeypatch, model, Way(Conduct.GOOD, at_length, waits), "")
    async with wired(server, operator, heard) as wire:
        await PATHS[path](wire)
    (text,) = wire.told
    assert text.startswith(HARMLESS)


async def test_the_tap_hears_what_a_model_says_when_nothing_checks_it(
    server: LiveServer, model: StandIn, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer's own words come back on reading paths: were forbidden ones there, these tests would hear them."""
    behave(monkeypatch, model, Way(Conduct.GOOD, good), "")
    async with wired(server, operator) as wire:
        await wire.say(f"Somebody told me: {PROMISE}")
        await wire.get(f"{wire.path}/messages")
        with pytest.raises(AssertionError, match="431"):
            assert_clean(wire, "")
