"""Which documents which customers may read, by the one rule of scopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import Audience, Family, ScopePlan
from handrail.retrieval.checking.customers import Population
from handrail.retrieval.documents import DocumentCard


@dataclass(frozen=True, slots=True)
class Reach:
    """The documents of a base and the plans of a population.

    Attributes:
        population: The customers.
        cards: The documents.
        class_of: Which of the different audiences each document has; shape (documents,).
        admitted: Whether a plan admits an audience, whatever the day; shape (plans, audiences).
        suits: Whether an audience is meant for customers with a need; shape (needs, audiences).
    """

    population: Population
    cards: tuple[DocumentCard, ...]
    class_of: NDArray[np.int32]
    admitted: NDArray[np.bool_]
    suits: NDArray[np.bool_]

    @classmethod
    def of(cls, population: Population, cards: Sequence[DocumentCard]) -> Self:
        """Ask every plan about every audience."""
        numbers: dict[Audience, int] = {}
        class_of = np.array([numbers.setdefault(card.audience, len(numbers)) for card in cards], dtype=np.int32)
        audiences = tuple(numbers)
        admitted = np.array([_asked(plan, audiences) for plan in population.plans], dtype=np.bool_)
        suits = np.array([_suiting(need, audiences) for need in population.needs], dtype=np.bool_)
        return cls(
            population,
            tuple(cards),
            class_of,
            admitted.reshape(len(population.plans), len(audiences)),
            suits.reshape(len(population.needs), len(audiences)),
        )

    def reachable(self) -> NDArray[np.bool_]:
        """Whether somebody may read each document on the days it is valid; shape (documents,)."""
        somebody: NDArray[np.bool_] = np.logical_or.reduce(self.admitted, axis=0)
        return somebody[self.class_of]

    def share(self, one: int, other: int, day: date) -> bool:
        """Whether somebody may read both documents (by number) on one day, from `day` on."""
        left, right = self.cards[one].validity, self.cards[other].validity
        first = max(day, left.first, right.first)
        if left.cause(first) is not None or right.cause(first) is not None:
            return False
        return bool((self.admitted[:, self.class_of[one]] & self.admitted[:, self.class_of[other]]).any())

    def counts(self, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the `usable` documents meant for a need each customer may read; shape (needs, customers)."""
        sizes = np.bincount(self.class_of[usable], minlength=self.admitted.shape[1])
        by_plan = self.admitted.astype(np.int64) @ (self.suits * sizes).T.astype(np.int64)
        return np.take_along_axis(by_plan.T, self.population.plan_of.astype(np.int64), axis=1)

    def of_segments(self, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether somebody in the segment may read the document, with any need; shape (segments, documents)."""
        population = self.population
        found = np.zeros((len(population.segments), len(self.cards)), dtype=np.bool_)
        for number in range(len(population.segments)):
            plans = np.unique(population.plan_of[population.member[:, :, number]])
            somebody: NDArray[np.bool_] = np.logical_or.reduce(self.admitted[plans], axis=0)
            found[number] = somebody[self.class_of] & usable
        return found


def _asked(plan: ScopePlan, audiences: Sequence[Audience]) -> list[bool]:
    return [plan.cause(audience) is None for audience in audiences]


def _suiting(need: str, audiences: Sequence[Audience]) -> list[bool]:
    """Asked one by one with all its other classes granted: families restrict independently of each other."""
    on = datetime.now(UTC)
    plans = (
        ScopePlan(families={**{f.value: a.classes(f) for f in Family}, Family.NEED_STATE.value: (need,)}, on=on)
        for a in audiences
    )
    return [plan.cause(audience) is None for plan, audience in zip(plans, audiences, strict=True)]
