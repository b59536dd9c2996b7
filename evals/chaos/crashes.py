"""`make crashes`: kills the process that serves a write, again and again, at every point of the journal.

    python -m handrail.evals.chaos.crashes --kills 300 --seed 1

Each case is one conversation in databases of its own: a process serves it and is killed with SIGKILL at a point that
the seed chooses, or after a while that it chooses; some of those that recover are killed as well. Then one recovers in
peace, and the databases are judged; customer and operators repeat what got no answer, and they are judged again. A case
is repeated by `--seed SEED --first CASE --kills 1`.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from handrail.agent.company.database import open_engine
from handrail.agent.company.seed import seed as seed_company
from handrail.evals.chaos.aftermath import Breach, Harm, left_in
from handrail.evals.chaos.crashing import RECOVERY, SOME_CODE, Order, Said, open_service, work
from handrail.evals.chaos.matters import MATTERS, Matter, Step
from handrail.evals.chaos.tripwire import AT, Tripwire
from handrail.evals.substitutes import OFFICE_HOURS
from handrail.guardrails.vocabulary import Detection, Frozen, IdentityLevel

PROCESSES = multiprocessing.get_context("forkserver")
"""Its processes come from one that has imported everything and runs nothing: each is one of its own, ready at once."""

NEVER_LONGER = 60.0
"""Seconds after which a process that says nothing is at fault itself."""

BY_CHANCE = "any moment"
POINTS_OF_RECOVERY = 10
CHANCE = 5
"""One case in so many is killed after a while, wherever it is then."""
AGAIN = 3
"""One case in so many is killed a second time, while it recovers or soon after."""
DEAF = 4
"""In one case of so many the company does not answer what became of a call, when the last process recovers."""
BEFORE_AGREEMENT = (Step.ASK, Step.CODE)
RESTART_SECONDS = 10
"""How long a process stays away."""


class CaseEnded(Frozen):
    """One conversation: where its processes were killed, and what became of the write."""

    case: int
    matter: str
    killed_at: tuple[str, ...]
    ran: int
    in_doubt: bool
    breaches: tuple[Breach, ...]


@dataclass(slots=True)
class Tally:
    """What came of all cases."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    ran: int = 0
    in_doubt: int = 0
    harm: Counter[Harm] = field(default_factory=Counter)
    broken: list[CaseEnded] = field(default_factory=list)

    def add(self, ended: CaseEnded) -> None:
        """Count a case."""
        self.kills.update(_kind_of(where) for where in ended.killed_at)
        self.conversations += 1
        self.ran += ended.ran
        self.in_doubt += ended.in_doubt
        self.harm.update({breach.harm for breach in ended.breaches})
        if ended.breaches:
            self.broken.append(ended)

    def lines(self) -> Iterator[str]:
        """What is printed."""
        yield f"{self.kills.total()} kills in {self.conversations} conversations, seed {self.seed}"
        for point, times in sorted(self.kills.items(), key=lambda one: (-one[1], one[0])):
            yield f"  {times:4} {point}"
        yield f"writes that ran: {self.ran}"
        yield f"writes in doubt, with a person: {self.in_doubt}"
        yield from (f"{harm}: {self.harm[harm]}" for harm in Harm)
        for ended in self.broken:
            what = "; ".join(f"{breach.harm}: {breach.what}" for breach in ended.breaches)
            yield f"case {ended.case}, {ended.matter}, killed {', '.join(ended.killed_at)}: {what}"


def _kind_of(where: str) -> str:
    """A point without the step in which it was; recovery is told apart from the first run."""
    return where if where.endswith(RECOVERY) else where.partition(AT)[0]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One matter with a folder to copy, and what an undisturbed run of it passes."""

    matter: Matter
    order: Order
    points: tuple[str, ...]
    seconds: float


@dataclass(slots=True)
class Started:
    """A process that serves an order."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection

    def hear(self, seconds: float = NEVER_LONGER) -> tuple[Said, str] | None:
        """What it says next; None when it says nothing for so long. Raises EOFError when it has ended by itself."""
        return self.pipe.recv() if self.pipe.poll(seconds) else None

    def kill(self) -> None:
        """End it with SIGKILL, whatever it does."""
        self.process.kill()
        self.process.join()


@contextmanager
def started(order: Order) -> Iterator[Started]:
    """A process for the order, dead at the end."""
    mine, its = PROCESSES.Pipe()
    process = PROCESSES.Process(target=work, args=(its, order.model_dump_json()), daemon=True)
    process.start()
    its.close()
    running = Started(process, mine)
    with closing(mine):
        try:
            yield running
        finally:
            running.kill()


def expect(running: Started, wanted: Said) -> str:
    """The process must say this next."""
    said = running.hear()
    if said is None or said[0] is not wanted:
        raise RuntimeError(f"a process should have said {wanted}, and said {said}")
    return said[1]


def played(order: Order) -> tuple[str, ...]:
    """Let a process serve the whole order undisturbed; returns the points that it has passed."""
    with started(order) as running:
        expect(running, Said.SERVING)
        points = expect(running, Said.DONE).splitlines()
        running.process.join()
    return tuple(points)


def killed(order: Order, moment: float | None) -> tuple[Order, str | None]:
    """Start a process and kill it: at the point of the order, or after `moment` seconds.

    Returns the order for the next one, and where it was killed; None when it was done before.
    """
    with started(order) as running:
        expect(running, Said.SERVING)
        said = running.hear(NEVER_LONGER if moment is None else moment)
        running.kill()
    after = order.model_copy(update={"at": order.at + timedelta(seconds=RESTART_SECONDS), "stop_at": None})
    if said is None:
        return after, BY_CHANCE
    return after, said[1] if said[0] is Said.STOPPED else None


def recovered(order: Order) -> tuple[Breach, ...]:
    """Let a process recover, then serve to the end; what the databases have that they must not, after each."""
    with started(order.model_copy(update={"pausing": True})) as running:
        expect(running, Said.SERVING)
        expect(running, Said.RECOVERED)
        found = left_in(order.folder).breaches()
        running.pipe.send("go on")
        expect(running, Said.DONE)
        running.process.join()
    ended = left_in(order.folder).breaches_at_the_end(order.matter, deaf=order.deaf)
    return (*found, *(breach for breach in ended if breach not in found))


async def open_conversation(order: Order) -> str:
    """Make the databases of a folder, with the one conversation of the matter."""
    engine = open_engine(order.folder / "company.db")
    await asyncio.to_thread(seed_company, engine, order.at)
    engine.dispose()
    async with open_service(order, Tripwire(None, lambda _: None)) as serving:
        return await serving.service.open(order.site, "web", order.matter.customer, IdentityLevel.IDENTIFIED)


def prepared(matter: Matter, number: int, folder: Path, readings: Mapping[str, Detection]) -> Prepared:
    """Make the folder of a matter, and play it once undisturbed."""
    place = folder / f"matter-{number}"
    place.mkdir()
    order = Order(
        folder=place, site="fernwell", conversation="", matter=matter, readings=dict(readings), at=OFFICE_HOURS
    )
    order = order.model_copy(update={"conversation": asyncio.run(open_conversation(order))})
    whole = order.model_copy(update={"folder": copied(place, folder / f"whole-{number}")})
    began = time.monotonic()
    points = played(whole)
    seconds = time.monotonic() - began
    breaches = left_in(whole.folder).breaches_at_the_end(matter)
    if breaches:
        raise RuntimeError(f"{matter.name} goes wrong without a crash: {breaches}")
    return Prepared(matter, order, points, seconds)


def copied(place: Path, target: Path) -> Path:
    """A folder with the same databases."""
    shutil.copytree(place, target)
    return target


def plans(ready: tuple[Prepared, ...], seed: int) -> Iterator[tuple[Prepared, int]]:
    """Every point of every matter in an order that the seed chooses, those after the customer's yes first; for ever."""
    every = [(one, number) for one in ready for number in range(len(one.points))]
    Random(seed).shuffle(every)  # noqa: S311 - to be repeatable is the point
    every.sort(key=lambda plan: plan[0].points[plan[1]].endswith(tuple(f"{AT}{step}" for step in BEFORE_AGREEMENT)))
    while True:
        yield from every


def crash(case: int, seed: int, one: Prepared, point: int | None, folder: Path) -> CaseEnded:
    """One conversation with a crash at a point, or without one after a while; perhaps with another one later."""
    random = Random(f"{seed}:{case}")  # noqa: S311 - to be repeatable is the point
    order = one.order.model_copy(update={"folder": copied(one.order.folder, folder / f"case-{case}"), "stop_at": point})
    order, where = killed(order, random.uniform(0, one.seconds) if point is None else None)
    at = [where] if where is not None else []
    if random.randrange(AGAIN) == 0:
        order, where = killed(order.model_copy(update={"stop_at": random.randrange(POINTS_OF_RECOVERY)}), None)
        at += [where] if where is not None else []
    breaches = recovered(order.model_copy(update={"deaf": random.randrange(DEAF) == 0}))
    left = left_in(order.folder)
    shutil.rmtree(order.folder)
    return CaseEnded(
        case=case,
        matter=one.matter.name,
        killed_at=tuple(at),
        ran=left.ran,
        in_doubt=left.in_doubt,
        breaches=breaches,
    )


def run(kills: int, seed: int, readings: Mapping[str, Detection], first: int = 0) -> Tally:
    """Kill so often, and tell what came of it."""
    PROCESSES.set_forkserver_preload([work.__module__])
    tally = Tally(seed)
    with TemporaryDirectory(prefix="handrail-crashes-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ready = tuple(prepared(matter, number, folder, readings) for number, matter in enumerate(MATTERS))
        planned = plans(ready, seed)
        for case in itertools.count():
            by_chance = case % CHANCE == CHANCE - 1
            one, point = (ready[case // CHANCE % len(ready)], None) if by_chance else next(planned)
            if case >= first:
                tally.add(crash(case, seed, one, point, folder))
            if tally.kills.total() >= kills:
                break
    return tally


def messages() -> frozenset[str]:
    """Everything that customers write in these runs."""
    return frozenset({SOME_CODE, "yes", *(matter.asking for matter in MATTERS)})


def read_all() -> dict[str, Detection]:
    """What the real detectors say of every message."""
    from handrail.agent.composition import bundle_of
    from handrail.agent.settings import load_settings
    from handrail.guardrails.detect.suite import DetectorSuite
    from handrail.guardrails.encoder import MiniLMEncoder
    from handrail.guardrails.model_folder import find_model

    settings = load_settings()
    encoder = MiniLMEncoder.load(find_model(settings.cache_dir))
    detectors = DetectorSuite.build(
        bundle_of(settings).detection, encoder, settings.cache_dir, settings.detection_model
    )
    return {text: detectors.detect(text) for text in messages()}


@click.command()
@click.option("--kills", default=300, show_default=True, type=click.IntRange(1), help="How often a process is killed.")
@click.option("--seed", default=1, show_default=True, help="Chooses the points and moments.")
@click.option("--first", default=0, show_default=True, help="The first case.")
def main(kills: int, seed: int, first: int) -> None:
    """Kill processes in the middle of a write and tell what that broke. Exits with 1 when anything was."""
    began = time.monotonic()
    click.echo(f"seed {seed}")
    tally = run(kills, seed, read_all(), first)
    for line in tally.lines():
        click.echo(line)
    click.echo(f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if tally.broken else 0)


if __name__ == "__main__":
    main()
