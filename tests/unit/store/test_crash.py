"""What `kill -9` leaves behind, at every step of a turn."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.agent.conversation import JournalState
from handrail.agent.feed import MessageCompleted
from handrail.agent.store.processes import is_gone, this_process
from handrail.guardrails.vocabulary import Role
from tests.unit.store.building import ANNA, SITE, START, finished, journalled, opened, whole
from tests.unit.store.moving import ACCEPTED, HUMAN, claim, reply

ROOT = Path(__file__).parents[3]

# Goes so far into a turn as it is told, says so, and waits to be killed.
WORKER = """
import asyncio, sys
from handrail.agent.conversation import EventKind, JournalState
from tests.unit.store.building import *
from tests.unit.store.moving import claim, reply

async def main(url, last):
    async with opened(url) as store:
        name = await conversation(store)
        if last == "move":
            await store.move_case(SITE, name, claim("olga"), START)
            await store.move_case(SITE, name, reply("olga", "Olga here."), START)
            print(name, flush=True)
            await asyncio.Event().wait()
        received = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
        if last != "receive":
            await store.intend(received.turn, journalled(received.turn), [])
        if last in ("conclude", "finish"):
            await store.conclude(received.turn, journalled(received.turn, JournalState.SUCCEEDED), [])
        if last == "finish":
            await store.finish(finished(received))
        print(name, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def killed_after(step: str, url: str) -> str:
    """Run a worker up to a step, kill it, and return the id of its conversation."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, step], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ)
    )
    assert worker.stdout is not None
    name = worker.stdout.readline().strip()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert name, "the worker ended before the step"
    return name


@pytest.mark.parametrize(
    ("step", "journal"),
    [("receive", []), ("intend", [JournalState.INTENDED]), ("conclude", [JournalState.SUCCEEDED])],
)
async def test_a_killed_turn_is_found_and_finished_once(tmp_path: Path, step: str, journal: list[JournalState]) -> None:
    """The turn comes back at once, with what its journal knew; nothing that was acknowledged is lost."""
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    name = killed_after(step, url)
    async with opened(url) as store:
        (turn,) = await store.interrupted()
        assert (turn.conversation_id, turn.customer_id, turn.text) == (name, ANNA, "Refund please")
        received = await store.resume(turn)
        assert received is not None
        assert [entry.state for entry in received.journal] == journal
        assert received.journal == tuple(journalled(turn, state) for state in journal)
        await store.finish(finished(received))
        assert await store.interrupted() == ()
        assert len(await store.messages(SITE, name, 0, 10)) == 2
        told = [entry.item for entry in await store.feed(SITE, name, 0, 10)]
        assert [item.role for item in told if isinstance(item, MessageCompleted)] == [Role.CUSTOMER, Role.BOT]
        assert len(told) == 2
    assert whole(url)


async def test_a_client_that_tries_again_continues_the_killed_turn(tmp_path: Path) -> None:
    """The lease of a dead worker does not make the customer wait."""
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    name = killed_after("intend", url)
    async with opened(url) as store:
        again = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
        assert [entry.state for entry in again.journal] == [JournalState.INTENDED]
        await store.finish(finished(again))


async def test_a_finished_turn_survives_the_kill(tmp_path: Path) -> None:
    """After the acknowledgement, the reply is there."""
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    name = killed_after("finish", url)
    async with opened(url) as store:
        assert await store.interrupted() == ()
        again = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
        assert again.finished is not None
        assert [entry.seq for entry in await store.feed(SITE, name, 0, 10)] == [1, 2]


async def test_what_a_person_did_survives_the_kill(tmp_path: Path) -> None:
    """Holder, message and feed are there, and the same key does not write again."""
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    name = killed_after("move", url)
    async with opened(url) as store:
        case = await store.move_case(SITE, name, reply("olga", "Olga here."), START)
        assert (case.status, case.holder) == (HUMAN, "olga")
        assert [m.text for m in case.messages] == ["Olga here."]
        assert [entry.seq for entry in await store.feed(SITE, name, 0, 10)] == [1, 2, 3, 4]
    assert whole(url)


async def test_a_dead_worker_does_not_keep_people_waiting(tmp_path: Path) -> None:
    """Its lease is no obstacle to a person; the turn it left is still found, and leaves the person the case."""
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    name = killed_after("receive", url)
    async with opened(url) as store:
        await store.move_case(SITE, name, claim("olga"), START)
        (turn,) = await store.interrupted()
        received = await store.resume(turn)
        assert received is not None
        assert received.snapshot.state.status is ACCEPTED
        await store.finish(finished(received, reply="", status=ACCEPTED))
        assert (await store.case(SITE, name)).holder == "olga"
    assert whole(url)


def test_only_certainly_dead_processes_are_gone() -> None:
    """A reused number is another process; another machine's processes cannot be judged."""
    me = this_process()
    machine, pid, start = me.rsplit(":", 2)
    assert not is_gone(me)
    assert is_gone(f"{machine}:{pid}:1{start}")
    assert not is_gone(f"elsewhere/{machine}:{pid}:1{start}")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    assert not is_gone(f"{machine}:x:y")
    ended.wait()
    assert is_gone(f"{machine}:{ended.pid}:{start}")
