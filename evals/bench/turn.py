"""The guarded turn beside its floor: what a turn would cost if the guards were free."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypedDict

from handrail.agent.composition import Substitutes, running, settled
from handrail.agent.flow import TURN
from handrail.agent.ports import Listener, Prompt
from handrail.agent.service import Service
from handrail.agent.settings import Settings
from handrail.guardrails.encoder import MiniLMEncoder
from handrail.guardrails.model_folder import find_model
from handrail.guardrails.vocabulary import Draft, Frozen, IdentityLevel

QUESTION = "How do I export my tasks as CSV, number {n}?"
"""Answered by the model from a passage whatever the number; no text comes twice, so that every one is embedded."""

SMALL_TALK = "Hello"
ROUNDS = 5
"""Each figure is the median of five rounds."""


class Figure(Frozen):
    """Milliseconds per call: wall and CPU of this process, each the median of the rounds' means."""

    name: str
    wall_ms: float
    cpu_ms: float


class TurnBench(Frozen):
    """What `handrail bench turn` prints."""

    figures: tuple[Figure, ...]
    floor_ms: float
    turn_ms: float
    ratio: float
    after_2_ms: float
    after_200_ms: float
    growth: float


class InstantModel:
    """Answers at once with a sentence of the first passage, so that no model time is measured."""

    name = "instant"

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The first sentence of the best passage."""
        if not prompt.passages:
            return Draft(text="Please open the help centre.", author="model:instant")
        best = prompt.passages[0]
        return Draft(text=best.text.split(". ")[0] + ".", cites=(best.passage_id,), author="model:instant")


@dataclass(slots=True)
class _Meter:
    """Runs something several times in rounds and keeps the medians."""

    per_round: int

    @property
    def calls(self) -> int:
        """How often the work is done in all."""
        return ROUNDS * self.per_round

    async def measure(self, name: str, work: Callable[[int], Awaitable[object]]) -> Figure:
        wall: list[float] = []
        cpu: list[float] = []
        number = 0
        for _ in range(ROUNDS):
            began, began_cpu = time.perf_counter(), time.process_time()
            for _ in range(self.per_round):
                await work(number)
                number += 1
            wall.append((time.perf_counter() - began) / self.per_round * 1000)
            cpu.append((time.process_time() - began_cpu) / self.per_round * 1000)
        return Figure(name=name, wall_ms=round(median(wall), 2), cpu_ms=round(median(cpu), 2))


async def bench_turn(settings: Settings, per_round: int = 12) -> TurnBench:
    """Measure floor and turn in one run on a copy of nothing: a fresh store, the ingested base of `settings`."""
    with TemporaryDirectory() as scratch:
        own = settings.model_copy(
            update={"data_dir": Path(scratch), "database_url": f"sqlite:///{Path(scratch) / 'bench.db'}"}
        )
        (Path(scratch) / "kb").symlink_to((settings.data_dir / "kb").absolute())
        meter = _Meter(per_round)
        async with running(own, Substitutes(model=InstantModel())) as service:
            with settled():  # as a server is, once it is built
                floor = [
                    await meter.measure("LangGraph with as many empty nodes", _empty_graph()),
                    await meter.measure("one embedding", _embedding(settings)),
                    await meter.measure("one Chroma query", _chroma(settings)),
                    await meter.measure("one SQLite commit", _commit(Path(scratch))),
                ]
                turns = _Turns(service, own.site)
                turn = await meter.measure("the guarded turn", await turns.after(0, meter.calls))
                few = _Meter(max(1, per_round // 3))
                after_2 = await few.measure("a turn after 2 messages", await turns.after(2, few.calls))
                after_200 = await few.measure("a turn after 200 messages", await turns.after(200, few.calls))
    total = sum(figure.wall_ms for figure in floor)
    return TurnBench(
        figures=(*floor, turn, after_2, after_200),
        floor_ms=round(total, 2),
        turn_ms=turn.wall_ms,
        ratio=round(turn.wall_ms / total, 2),
        after_2_ms=after_2.wall_ms,
        after_200_ms=after_200.wall_ms,
        growth=round(after_200.wall_ms / after_2.wall_ms, 2),
    )


def _empty_graph() -> Callable[[int], Awaitable[object]]:
    from langgraph.graph import StateGraph

    class Empty(TypedDict):
        number: int

    async def nothing(state: Empty) -> Empty:
        return state

    graph: StateGraph[Empty, None, Empty, Empty] = StateGraph(Empty)
    names = [stage.value for stage, _ in TURN]
    for name in names:
        graph.add_node(name, nothing)
    graph.set_entry_point(names[0])
    for one, other in pairwise(names):
        graph.add_edge(one, other)
    compiled = graph.compile()

    async def run(number: int) -> object:
        return await compiled.ainvoke({"number": number})

    return run


def _embedding(settings: Settings) -> Callable[[int], Awaitable[object]]:
    encoder = MiniLMEncoder.load(find_model(settings.cache_dir))

    async def run(number: int) -> object:
        return encoder.encode([QUESTION.format(n=number)])

    return run


def _chroma(settings: Settings) -> Callable[[int], Awaitable[object]]:
    import chromadb

    encoder = MiniLMEncoder.load(find_model(settings.cache_dir))
    collection = chromadb.EphemeralClient().create_collection("floor", metadata={"hnsw:space": "cosine"})
    texts = [f"passage {number} about something" for number in range(350)]
    collection.add(ids=[str(number) for number in range(350)], embeddings=encoder.encode(texts), documents=texts)
    vector = encoder.encode(["How do I export a project?"])

    async def run(_: int) -> object:
        return collection.query(query_embeddings=vector, n_results=6)

    return run


def _commit(folder: Path) -> Callable[[int], Awaitable[object]]:
    import sqlite3

    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table entries (number integer, text text)")

    async def run(number: int) -> object:
        connection.execute("begin immediate")
        connection.execute("insert into entries values (?, ?)", (number, "x" * 2000))
        connection.execute("commit")
        return None

    return run


@dataclass(slots=True)
class _Turns:
    """The same turn in conversations of different length; each call has a conversation of its own, made beforehand."""

    service: Service
    site: str
    asked: int = 0

    async def after(self, before: int, calls: int) -> Callable[[int], Awaitable[object]]:
        """The turn in conversations that hold `before` messages. RuntimeError when one of them is not answered."""
        conversations = [await self._conversation(before) for _ in range(calls)]

        async def run(number: int) -> object:
            text, self.asked = QUESTION.format(n=self.asked), self.asked + 1
            result = await self.service.say(self.site, conversations[number], None, text, "question")
            if not {"DRAFT_MODEL", "OUTPUT_CLEAN"} <= {*result.reasons}:
                raise RuntimeError(f"not the turn that is measured: {', '.join(result.reasons)}")
            return result

        return run

    async def _conversation(self, before: int) -> str:
        conversation = await self.service.open(self.site, "bench", None, IdentityLevel.ANONYMOUS)
        for number in range(before // 2):
            await self.service.say(self.site, conversation, None, SMALL_TALK, f"before{number}")
        return conversation


def table(bench: TurnBench) -> str:
    """The figures as text."""
    lines = [f"{'':40}{'wall ms':>10}{'CPU ms':>10}"]
    lines += [f"{figure.name:40}{figure.wall_ms:>10.2f}{figure.cpu_ms:>10.2f}" for figure in bench.figures]
    lines.append(f"{'floor (sum of the first four)':40}{bench.floor_ms:>10.2f}")
    lines.append(f"guarded turn / floor = {bench.ratio:.2f}  (aim 1.5)")
    lines.append(f"turn after 200 messages / after 2 = {bench.growth:.2f}  (aim 1.1)")
    return "\n".join(lines)


def run_bench(settings: Settings) -> TurnBench:
    """The benchmark without an event loop of the caller's."""
    return asyncio.run(bench_turn(settings))
