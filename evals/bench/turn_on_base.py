"""The same guarded turn on the sample base and on a drawn one, in alternation: what a large base costs a turn."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from handrail.agent.composition import Substitutes, running, settled
from handrail.agent.ports import AttributeValue, CustomerEvent, Listener, Prompt
from handrail.agent.service import Service
from handrail.agent.settings import load_settings
from handrail.evals.bench.drawn_base import GivenVectors
from handrail.evals.bench.samples import Samples
from handrail.evals.bench.turn import QUESTION
from handrail.evals.sample_base import ingest_sample
from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Draft, FactContent, Frozen, IdentityLevel
from handrail.retrieval.search import ChromaRetriever

CUSTOMER = "bench"
KNOWN: Mapping[str, FactContent] = {
    "role": "admin",
    "region": "eu",
    "plan": "business",
    "stack": ("okta", "slack", "jira"),
}
"""What is known of the customer who asks: classes of four families."""

_ASKED = re.compile(r"number (?P<number>\d+)")


class TurnFigure(Frozen):
    """Milliseconds of a turn at the median, each the median of the rounds; wall and CPU of this process."""

    sample_ms: float
    sample_cpu_ms: float
    drawn_ms: float
    drawn_cpu_ms: float

    @property
    def more_ms(self) -> float:
        """What the drawn base costs more, in wall time."""
        return self.drawn_ms - self.sample_ms


class _ByNumber:
    """Given vectors for `QUESTION`: the number in it says which."""

    def __init__(self, given: GivenVectors, questions: int) -> None:
        self._given = given
        self._questions = questions
        self.name, self.revision, self.dimensions = given.name, given.revision, given.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text. ValueError for a text without a number."""
        return self._given.encode([f"vector {self._number(text) % self._questions} of questions" for text in texts])

    def _number(self, text: str) -> int:
        found = _ASKED.search(text)
        if found is None:
            raise ValueError(f"{text!r} asks for no number")
        return int(found["number"])


class _FewWords:
    """A model that answers at once with the first words of the best passage."""

    name = "few words"

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The first words, cited."""
        best = prompt.passages[0]
        return Draft(text=" ".join(best.text.split()[:8]), cites=(best.passage_id,), author="model:few words")


class _AllGood:
    """A search that takes all it finds for good: drawn words answer nothing, and a turn without passages is another."""

    def __init__(self, retriever: ChromaRetriever) -> None:
        self._retriever = retriever

    async def search(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """What the search finds."""
        found = await self._retriever.search(query, scope, limit)
        return found.model_copy(update={"good": len(found.passages)})

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of the base."""
        return await self._retriever.titles(doc_ids)


class _OneCustomer:
    """Knows `KNOWN` of everybody."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """The same for all."""
        sources = {"plan": "billing", "stack": "product"}
        return tuple(
            AttributeValue(name=name, content=content, source=sources.get(name, "crm"), observed_at=self._at)
            for name, content in KNOWN.items()
        )

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """Nothing has happened."""
        return ()


@dataclass(slots=True)
class _Asking:
    """A service that is asked, and what its turns took."""

    service: Service
    site: str
    numbers: count[int]
    samples: Samples = field(default_factory=Samples)

    async def round(self, turns: int) -> None:
        """So many turns, each in a conversation of its own. RuntimeError when one of them is not answered."""
        wall, cpu = [], []
        for number in [next(self.numbers) for _ in range(turns)]:
            conversation = await self.service.open(self.site, "bench", CUSTOMER, IdentityLevel.IDENTIFIED)
            text = QUESTION.format(n=number)
            began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
            result = await self.service.say(self.site, conversation, CUSTOMER, text, "question")
            wall.append((time.perf_counter_ns() - began) / 1e6)
            cpu.append((time.process_time_ns() - began_cpu) / 1e6)
            if not {"DRAFT_MODEL", "OUTPUT_CLEAN"} <= {*result.reasons}:
                raise RuntimeError(f"not the turn that is measured: {', '.join(result.reasons)}")
        self.samples.took(cpu, wall)


def turn_on(base: Path, given: GivenVectors, questions: int, *, rounds: int, at: datetime) -> TurnFigure:
    """Turns on the drawn `base` beside turns on the sample base, `questions` of each in a round.

    Only the questions' vectors differ: they are given for the drawn base, and looked up for the sample base, where
    detection has embedded the same text before.
    """
    return asyncio.run(_measured(base, given, questions, rounds, at))


async def _measured(base: Path, given: GivenVectors, questions: int, rounds: int, at: datetime) -> TurnFigure:
    async with AsyncExitStack() as until:
        scratch = Path(until.enter_context(TemporaryDirectory()))
        numbers = count()
        ingest_sample(scratch / "sample" / "kb")
        sample = await until.enter_async_context(_asking(scratch / "sample", Substitutes(), numbers, at))
        retriever = ChromaRetriever(base, _ByNumber(given, questions))
        retriever.open()
        until.callback(retriever.close)
        drawn = await until.enter_async_context(
            _asking(scratch / "drawn", Substitutes(retriever=_AllGood(retriever)), numbers, at)
        )
        with settled():
            for number in range(rounds + 1):
                for one in (sample, drawn):
                    await one.round(questions)
                    if number == 0:  # it warms up: a record is looked up in Chroma once
                        one.samples = Samples()
    return TurnFigure(
        sample_ms=sample.samples.wall_ms(0.5),
        sample_cpu_ms=sample.samples.cpu_ms(0.5),
        drawn_ms=drawn.samples.wall_ms(0.5),
        drawn_cpu_ms=drawn.samples.cpu_ms(0.5),
    )


@asynccontextmanager
async def _asking(data: Path, substitutes: Substitutes, numbers: count[int], at: datetime) -> AsyncIterator[_Asking]:
    own = {"data_dir": data, "database_url": f"sqlite:///{data / 'bench.db'}"}
    substitutes.model, substitutes.context = _FewWords(), _OneCustomer(at)
    settings = load_settings().model_copy(update=own)
    async with running(settings, substitutes) as service:
        yield _Asking(service, settings.site, numbers)
