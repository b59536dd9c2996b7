"""`make soak`: random behaviours by the hundred thousand, through the gate alone and through the whole flow.

    python -m handrail.evals.chaos.soak --gate 1000000 --flow 50000 --processes 2 --minutes 120

A behaviour is one answer of the model: a text, calls, both or nothing. Every conversation has a seed of its own, which
is told with whatever it breaks and plays it again (`--first SEED --gate 1 --flow 0 --processes 1`).
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import click

from handrail.agent.composition import bundle_of
from handrail.agent.models.quoting import QuotingModel
from handrail.agent.settings import load_settings
from handrail.evals.chaos.flow_run import Ended, talk
from handrail.evals.scenario import Behaviour
from handrail.guardrails.vocabulary import Frozen

Talk = Callable[[int], Awaitable[Ended]]


class Share(Frozen):
    """What one process has to do: so many behaviours of a kind, with every `step`-th seed from `first` on."""

    kind: str
    behaviours: int
    first: int
    step: int
    until: float


class Tally(Frozen):
    """What came of it."""

    conversations: int = 0
    behaviours: int = 0
    writes: int = 0
    broken: tuple[Ended, ...] = ()

    def and_(self, more: Tally) -> Tally:
        """Both together."""
        return Tally(
            conversations=self.conversations + more.conversations,
            behaviours=self.behaviours + more.behaviours,
            writes=self.writes + more.writes,
            broken=(*self.broken, *more.broken),
        )


def seeded(seed: int) -> Random:
    """Choices that can be repeated."""
    return Random(seed)  # noqa: S311 - to be repeatable is the point


@asynccontextmanager
async def gate() -> AsyncIterator[Talk]:
    """Conversations through gate and journal alone."""
    from handrail.evals.chaos.gate_run import GateBench

    bench = GateBench(bundle_of(load_settings()))
    yield lambda seed: bench.talk(seeded(seed), seed)


@asynccontextmanager
async def flow() -> AsyncIterator[Talk]:
    """Conversations through the whole flow: detection, policy, search, gate, journal, output checks, store, audit."""
    from handrail.evals.in_process import in_process

    async with in_process({Behaviour.EMBEDDED: QuotingModel()}) as target:
        yield lambda seed: talk(target, seeded(seed), seed)


KINDS = {"gate": gate, "flow": flow}


async def work(share: Share) -> Tally:
    """Do a share of the work."""
    tally, seed = Tally(), share.first
    async with KINDS[share.kind]() as one:
        while tally.behaviours < share.behaviours and time.time() < share.until:
            ended = await one(seed)
            tally = tally.and_(
                Tally(
                    conversations=1,
                    behaviours=ended.behaviours,
                    writes=ended.writes,
                    broken=(ended,) if ended.breaches else (),
                )
            )
            seed += share.step
    return tally


def worker(share: Share) -> Tally:
    """Do a share of the work in a process of its own."""
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return asyncio.run(work(share))


@click.command()
@click.option("--gate", "gates", default=1_000_000, show_default=True, help="Behaviours through the gate alone.")
@click.option("--flow", "flows", default=50_000, show_default=True, help="Behaviours through the whole flow.")
@click.option("--first", default=1, show_default=True, help="The first seed.")
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--minutes", default=1440.0, show_default=True, help="Stop each kind after so long, done or not.")
def main(gates: int, flows: int, first: int, processes: int, minutes: float) -> None:
    """Run random behaviours and tell what they broke. Exits with 1 when anything was."""
    broken = 0
    for kind, wanted in (("gate", gates), ("flow", flows)):
        if wanted <= 0:
            continue
        began = time.time()
        each = -(-wanted // processes)
        shares = [
            Share(kind=kind, behaviours=each, first=first + number, step=processes, until=began + minutes * 60)
            for number in range(processes)
        ]
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            tally = Tally()
            for one in pool.imap_unordered(worker, shares):
                tally = tally.and_(one)
        broken += len(tally.broken)
        click.echo(
            f"{kind}: {tally.behaviours} behaviours of {wanted} in {tally.conversations} conversations, "
            f"{tally.writes} writes ran, {len(tally.broken)} conversations with a breach, {time.time() - began:.0f} s"
        )
        for ended in tally.broken[:20]:
            click.echo(f"  seed {ended.seed}: {'; '.join(ended.breaches)}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
