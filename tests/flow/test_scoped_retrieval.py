"""Every ordered pair of segments: what is written for one customer never reaches another, in no place of the turn.

Each segment has a customer and an article that is for this customer's classes alone, in the words in which this
customer asks. Everybody asks everybody's question. Prompt, reply and citations are looked at as they are handed over,
and the log as the bytes of the store's files.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from handrail.agent.models.quoting import QuotingModel
from handrail.agent.ports import Listener, Prompt
from handrail.guardrails.encoder import CachingEncoder, MiniLMEncoder
from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Draft, FactContent
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.search import ChromaRetriever
from tests.flow.segments import HOW_TO, PAIRS, SEGMENTS, Pair, bundles, introduce
from tests.flow.stand import Parts, Stand, standing
from tests.support.articles import article, screen, write_articles

ROLES = ("admin", "agent", "it", "finance", "end_user")
REGIONS = ("eu", "us")
PLANS = ("trial", "team", "business", "enterprise")
STACKS = ("okta", "azure_ad", "salesforce", "zendesk", "slack", "jira", "github", "teams", "ios")
ADDING = "Open the project, choose Members, and add the member to the project by address."
DAMAGED: Mapping[str, Mapping[str, str]] = {
    "no-roles": {"roles": ""},
    "no-regions": {"regions": ""},
    "no-class": {"plans": "[]"},
    "number": {"stacks": "7"},
    "unknown-class": {"roles": "[everybody]"},
    "no-day": {"valid_from": "soon"},
    "unknown-authority": {"authority": "highest"},
    "ended": {"valid_until": "2026-01-31"},
}
"""Articles whose metadata says nothing that can be relied on, or that they are past."""


@dataclass(frozen=True)
class Known:
    """A customer of one segment, and the classes that they alone have."""

    pair: Pair
    role: str
    region: str
    plan: str
    stack: str

    @property
    def classes(self) -> tuple[str, str, str, str]:
        """One class of each family."""
        return self.role, self.region, self.plan, self.stack

    def article(self, word: str, doc_id: str) -> str:
        """An article for this customer alone, about what they ask, that has `word` in each of its texts."""
        return article(
            doc_id,
            f"{self.pair.text} The answer is {word}.\n\n## Adding {word}\n\n{ADDING} Mention {word}.\n",
            title=f"Adding {word}",
            roles=f"[{self.role}]",
            regions=f"[{self.region}]",
            plans=f"[{self.plan}]",
            stacks=f"[{self.stack}]",
        )


def customers() -> dict[str, Known]:
    """One customer per segment: what the segment asks for, and otherwise classes that no other customer has."""
    found: dict[str, Known] = {}
    for number, (segment, pair) in enumerate(PAIRS.items()):
        given = pair.attributes
        stack = given.get("stack")
        known = Known(
            pair,
            str(given.get("role", ROLES[number % 5])),
            str(given.get("region", REGIONS[number % 2])),
            str(given.get("plan", PLANS[number % 4])),
            stack[0] if isinstance(stack, tuple) else STACKS[number % 9],
        )
        attributes: dict[str, FactContent] = {
            **given, "role": known.role, "region": known.region, "plan": known.plan, "stack": (known.stack,)
        }  # fmt: skip
        found[segment] = replace(known, pair=replace(pair, attributes=attributes))
    return found


CUSTOMERS = customers()


def word_of(segment: str) -> str:
    """The word that stands in the article of a segment and nowhere else."""
    return "zq" + segment.replace("_", "") + "qz"


def doc_of(segment: str) -> str:
    """The id of the article of a segment."""
    return "d-" + word_of(segment)


def test_no_two_customers_have_the_same_classes() -> None:
    """Otherwise a pair would prove nothing."""
    assert len({known.classes for known in CUSTOMERS.values()}) == len(SEGMENTS)


def write(folder: Path, shift: int = 0) -> Path:
    """The articles of all segments, each for the customer that stands `shift` places further, and the damaged ones."""
    names = list(CUSTOMERS)
    texts = {}
    for number, segment in enumerate(names):
        readers = CUSTOMERS[names[(number + shift) % len(names)]]
        asked = replace(readers, pair=CUSTOMERS[segment].pair)
        texts[f"{segment}.md"] = asked.article(word_of(segment), doc_of(segment))
    for name, wrong in DAMAGED.items():
        word = word_of(name.replace("-", ""))
        texts[f"{name}.md"] = article(f"d-{word}", f"{ADDING} Mention {word}.", title=word, **wrong)
    return write_articles(folder, texts)


@pytest.fixture(scope="module")
def encoder(minilm: MiniLMEncoder) -> CachingEncoder:
    """The encoder of the searches; the same questions are asked often."""
    return CachingEncoder(minilm)


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory, encoder: CachingEncoder) -> Iterator[ChromaRetriever]:
    """A search in a base of one article per segment and the damaged ones."""
    folder = tmp_path_factory.mktemp("canaries")
    report = Ingest(folder / "kb", encoder, screen).run(write(folder / "articles"))
    # An end in the past is no mistake, and a company has what roles it likes.
    assert {Path(name).stem for name in report.bad_documents} == set(DAMAGED) - {"ended", "unknown-class"}
    retriever = ChromaRetriever(folder / "kb", encoder)
    yield retriever
    retriever.close()


@dataclass
class Overheard:
    """The quoting model; keeps what it was told."""

    told: list[str]
    name: str = "overheard"

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """What the quoting model says."""
        self.told.append(repr(prompt))
        return await QuotingModel().complete(prompt, seconds, listener)


def files_of(stand: Stand) -> bytes:
    """Everything that the store has written."""
    return b"".join(path.read_bytes() for path in sorted(stand.folder.glob("handrail.db*")))


def foreign(segment: str, text: str) -> list[str]:
    """The articles of others, by their words, that `text` tells anything of; damaged ones are everybody's others."""
    names = [*(name for name in SEGMENTS if name != segment), *(name.replace("-", "") for name in DAMAGED)]
    return [name for name in names if word_of(name) in text]


@pytest.mark.parametrize("segment", SEGMENTS)
async def test_what_is_for_others_stays_away(
    parts: Parts, canaries: ChromaRetriever, tmp_path: Path, segment: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A customer of `segment` asks what every other asks: not a word of theirs in prompt, reply, citation and log."""
    caplog.set_level(logging.DEBUG)
    model = Overheard([])
    active, _ = bundles(segment, tmp_path)
    seen = replace(parts, retriever=canaries)
    async with standing(seen, tmp_path, model=model, bundle=active, customer=segment) as stand:
        await introduce(stand, segment, CUSTOMERS[segment].pair)
        shown = []
        for other in (name for name in SEGMENTS if name != segment):
            await stand.open(segment)
            shown.append((await stand.say(PAIRS[other].text)).model_dump_json())
        await stand.open(segment)
        own = await stand.say(HOW_TO)
        logged = files_of(stand).decode("utf-8", "replace")
    assert foreign(segment, " ".join(model.told)) == []
    assert foreign(segment, " ".join(shown)) == []
    assert foreign(segment, logged) == []
    assert foreign(segment, caplog.text) == []
    # The same witnesses see what is for this customer: a check that cannot fail would not notice a leak either.
    assert doc_of(segment) in logged
    if not own.checklist:  # who has tried already is asked what happens, before anything is quoted
        assert word_of(segment) in " ".join(model.told)
        assert any(citation.startswith(doc_of(segment)) for citation in own.citations)


class Switching:
    """Ingests the articles for other customers each time, until it is told to stop."""

    def __init__(self, base: Path, articles: Path, encoder: CachingEncoder) -> None:
        self._base, self._articles, self._encoder = base, articles, encoder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go)
        self.readers: dict[str, int] = {}  # by generation: how far its articles are shifted
        self._ingest(0)

    def _ingest(self, shift: int) -> None:
        write(self._articles, shift)
        report = Ingest(self._base, self._encoder, screen).run(self._articles)
        self.readers[report.generation.generation_id] = shift

    def _go(self) -> None:
        shift = 0
        while not self._over.is_set():
            shift = (shift + 1) % 7
            self._ingest(shift)

    def __enter__(self) -> Switching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


async def test_what_is_for_others_stays_away_while_it_is_ingested(
    parts: Parts, encoder: CachingEncoder, tmp_path: Path
) -> None:
    """Who may read an article changes with every generation: a search sees the one or the other, whole."""
    names = list(CUSTOMERS)
    found: list[tuple[int, Retrieved]] = []
    with Switching(tmp_path / "kb", tmp_path / "articles", encoder) as ingests:
        retriever = ChromaRetriever(tmp_path / "kb", encoder)
        async with standing(replace(parts, retriever=retriever), tmp_path) as stand:
            for turn in range(60):
                number = turn % len(names)
                await introduce(stand, names[number], CUSTOMERS[names[number]].pair)
                await stand.open(names[number])

                async def search(query: str, scope: ScopePlan, limit: int, reader: int = number) -> Retrieved:
                    answer = await retriever.search(query, scope, limit)
                    found.append((reader, answer))
                    return answer

                stand.retriever.replaced["search"] = search  # type: ignore[assignment]
                await stand.say(HOW_TO)
        retriever.close()
    assert len(ingests.readers) > 3
    assert len({answer.revision for _, answer in found}) > 2
    assert sum(bool(answer.passages) for _, answer in found) > 50
    for reader, answer in found:
        shift = ingests.readers[answer.revision]
        mine = doc_of(names[(reader - shift) % len(names)])
        assert {passage.doc_id for passage in answer.passages} <= {mine}
