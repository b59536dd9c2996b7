"""A knowledge base of any size drawn from the words of the sample articles, with vectors that are given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import Authority, ScopePlan

DIMENSIONS = 384
PER_DOCUMENT = 4
PASSAGE_WORDS = 110
"""So many words of a section make one passage of it, neither joined to the next nor cut."""

PER_TOPIC = 40
SPREAD = 0.8
"""How far passages of a topic lie from its middle, and questions from their passage, in lengths of the middle."""

TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLASSES = {
    "role": ("admin", "agent", "it", "finance", "end_user", "partner"),
    "region": ("eu", "us", "uk", "apac"),
    "plan": ("trial", "team", "business", "enterprise"),
    "stack": ("okta", "entra", "slack", "jira", "ios", "android"),
}
_FIELDS = {"role": "roles", "region": "regions", "plan": "plans", "stack": "stacks"}
_FOR_ALL = {"role": 0.03, "region": 0.08, "plan": 0.08, "stack": 0.1}
"""The share of documents that a family does not restrict."""

_NUMBER = re.compile(r"vector (?P<number>\d+) of (?P<kind>passages|questions)")
_WORD = re.compile(r"[a-z]{2,}")


class GivenVectors:
    """An encoder that looks up the vector of the passage or question whose number stands in a text."""

    name = "given vectors"
    dimensions = DIMENSIONS

    def __init__(self, passages: NDArray[np.float32], questions: NDArray[np.float32], seed: int) -> None:
        self._known = {"passages": passages, "questions": questions}
        self.revision = f"given-{seed}-{len(passages)}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of `texts`, shape (n, dimensions). KeyError for a text without a number."""
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        found = _NUMBER.search(text)
        if found is None:
            raise KeyError(text)
        vector: NDArray[np.float32] = self._known[found["kind"]][int(found["number"])]
        return vector


@dataclass(frozen=True, slots=True)
class DrawnBase:
    """So many `passages`; the same `seed` draws the same base. `questions` are about passages drawn at random."""

    passages: int
    questions: int
    seed: int = 7

    def encoder(self) -> GivenVectors:
        """The vectors: topics anywhere on the sphere, their passages around them, questions around a passage."""
        random = np.random.default_rng(self.seed)
        topics = _normal(random, max(1, self.passages // PER_TOPIC))
        vectors = _unit(topics[self._topics(random)] + SPREAD * _normal(random, self.passages))
        asked = vectors[random.integers(0, self.passages, self.questions)]
        return GivenVectors(vectors, _unit(asked + SPREAD * _normal(random, self.questions)), self.seed)

    def write(self, folder: Path) -> None:
        """Write the articles below `folder`, five hundred in each folder."""
        random = self._random()
        words = _Words.of_sample(random)
        for number in range(-(-self.passages // PER_DOCUMENT)):
            path = folder / f"{number // 500:04d}" / f"article-{number:06d}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(self._article(number, random, words)), encoding="utf-8")

    def asked(self) -> list[str]:
        """The questions: a few words that are frequent, and a few that are not."""
        random = self._random()
        words = _Words.of_sample(random)
        return [
            f"vector {number} of questions {' '.join(words.draw(4))} {' '.join(words.topic(3))}?"
            for number in range(self.questions)
        ]

    def plans(self, count: int) -> Iterator[ScopePlan]:
        """Scopes of customers: some classes of at least three families, every authority, one language."""
        random = self._random()
        for _ in range(count):
            families = {
                name: tuple(sorted(random.sample(classes, random.randint(1, len(classes) - 1))))
                for name, classes in CLASSES.items()
            }
            if random.random() < 0.5:
                families["stack"] = CLASSES["stack"]
            granted = {"authority": tuple(one.value for one in Authority), "language": ("en",), **families}
            yield ScopePlan(families=granted, on=TODAY)

    def _article(self, number: int, random: Random, words: _Words) -> Iterator[str]:
        topic = words.topic(8)
        yield from ("---", f"id: article-{number:06d}", f"title: {' '.join(topic[:4]).capitalize()} {number}")
        for name, classes in CLASSES.items():
            own = ["all"] if random.random() < _FOR_ALL[name] else random.sample(classes, random.choice((1, 1, 2)))
            yield f"{_FIELDS[name]}: [{', '.join(own)}]"
        yield from ("product_area: projects", "authority: standard", "language: en", "valid_from: 2025-01-01")
        if random.random() < 0.03:
            yield "valid_until: 2025-12-31"
        yield from ("need_states: [all]", "---", "")
        first = number * PER_DOCUMENT
        for passage in range(first, min(first + PER_DOCUMENT, self.passages)):
            text = [*words.draw(PASSAGE_WORDS - 8), *topic]
            random.shuffle(text)
            yield from (f"## vector {passage} of passages", " ".join(text) + ".", "")

    def _random(self) -> Random:
        return Random(self.seed)  # noqa: S311 - draws what is measured, guards nothing

    def _topics(self, random: np.random.Generator) -> NDArray[np.int64]:
        return random.integers(0, max(1, self.passages // PER_TOPIC), self.passages)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of the sample articles as often as they stand there, and those that stand there seldom."""

    frequent: tuple[str, ...]
    counts: tuple[int, ...]
    seldom: tuple[str, ...]
    random: Random

    @classmethod
    def of_sample(cls, random: Random) -> _Words:
        with as_file(files("handrail") / "kb" / "articles") as folder:
            texts = [path.read_text(encoding="utf-8").lower() for path in sorted(folder.rglob("*.md"))]
        counted = Counter(word for text in texts for word in _WORD.findall(text))
        known = sorted(counted)
        return cls(
            tuple(known), tuple(counted[one] for one in known), tuple(one for one in known if counted[one] < 10), random
        )

    def draw(self, count: int) -> list[str]:
        return self.random.choices(self.frequent, self.counts, k=count)

    def topic(self, count: int) -> list[str]:
        return self.random.sample(self.seldom, count)


def _normal(random: np.random.Generator, rows: int) -> NDArray[np.float32]:
    """Directions at random, of about length one."""
    return random.standard_normal((rows, DIMENSIONS), dtype=np.float32) / np.float32(DIMENSIONS**0.5)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    made: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made
