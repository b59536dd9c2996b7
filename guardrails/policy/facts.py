"""Facts: what policy may ask about, declared with a type, and the values that one turn has for them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Literal

from handrail.guardrails.vocabulary import FactContent, FactUsed, Stage

SEGMENT_PREFIX = "segment:"
HOLDOUT_PREFIX = "holdout:"


class FactKind(StrEnum):
    """The type of a fact; it fixes the matchers that may be applied to it."""

    WORD = "word"
    BOOLEAN = "boolean"
    NUMBER = "number"
    SET = "set"


_LARGEST = sys.float_info.max


def fits(kind: FactKind, content: FactContent) -> bool:
    """Whether `content` is a value of `kind`; NaN, infinity and what is beyond every float cannot be compared."""
    if kind is FactKind.WORD:
        return isinstance(content, str)
    if kind is FactKind.SET:
        return isinstance(content, tuple)
    if kind is FactKind.BOOLEAN:
        return isinstance(content, bool)
    return isinstance(content, int | float) and not isinstance(content, bool) and -_LARGEST <= content <= _LARGEST


class OnUnknown(StrEnum):
    """What an unknown value does to a restriction that asks for it: apply it (the default) or leave it out."""

    RESTRICT = "restrict"
    IGNORE = "ignore"


IGNORE: Literal["ignore"] = "ignore"
RESTRICT: Literal["restrict"] = "restrict"


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that a fact can be: at least `least`, at most `most` (None: no bound), `whole` ones only or any."""

    least: float | None = None
    most: float | None = None
    whole: bool = False


ANY_NUMBER = Range()
COUNT = Range(least=0, whole=True)


@dataclass(frozen=True, slots=True)
class FactSpec:
    """The declaration of a fact.

    `values` closes the set of words (None: any word), `range` the numbers. `since` is the first stage at which the fact
    exists, `tools` the calls it exists for (None: not a call fact). `family` and `purposes` are set for customer
    attributes.
    """

    name: str
    kind: FactKind
    meaning: str
    since: Stage = Stage.DETECT_INTENT
    values: frozenset[str] | None = None
    only_at: Stage | None = None
    tools: frozenset[str] | None = None
    on_unknown: OnUnknown = OnUnknown.RESTRICT
    family: str | None = None
    purposes: frozenset[str] | None = None
    range: Range = ANY_NUMBER

    def exists_at(self, stage: Stage) -> bool:
        """Whether a rule at `stage` may ask for this fact."""
        order = list(Stage)
        if self.only_at is not None:
            return stage is self.only_at
        return order.index(self.since) <= order.index(stage)


@dataclass(frozen=True, slots=True)
class Facts:
    """The values one decision can see. A fact that is absent is unknown.

    An unknown fact says itself, by `on_unknown`, whether it leaves a restriction out; an absent one never does.
    """

    used: Mapping[str, FactUsed] = field(default_factory=dict)

    @classmethod
    def of(cls, used: Iterable[FactUsed]) -> Facts:
        """These facts, by name; also those of a recorded decision, on which it comes out the same."""
        return cls({fact.name: fact for fact in used})

    def content(self, name: str) -> FactContent | None:
        """The value of `name`, or None when unknown."""
        fact = self.used.get(name)
        return None if fact is None else fact.content

    def ignored(self, names: Collection[str]) -> bool:
        """Whether a restriction that is open for `names` alone is left out (S2.2)."""
        used = self.used
        for name in names:
            fact = used.get(name)
            if fact is None or fact.content is not None or fact.on_unknown != IGNORE:
                return False
        return True

    def evidence(self, names: Collection[str]) -> tuple[FactUsed, ...]:
        """The named facts as a decision records them; an absent one is recorded as unknown."""
        return tuple(self.used.get(name) or _absent(name) for name in names)

    def with_facts(self, more: Iterable[FactUsed]) -> Facts:
        """These facts and `more`; a later value replaces an earlier one of the same name."""
        return Facts({**self.used, **{fact.name: fact for fact in more}})


class Evidence:
    """Picks the facts that the rules of a stage may read, the way `Facts.evidence` does, in one step."""

    def __init__(self, names: Iterable[str]) -> None:
        """Pick `names`, in this order."""
        self.names = tuple(names)
        self._pick = itemgetter(*self.names) if len(self.names) > 1 else None

    def of(self, facts: Facts) -> tuple[FactUsed, ...]:
        """The facts as a decision records them."""
        if self._pick is not None:
            try:
                found: tuple[FactUsed, ...] = self._pick(facts.used)
            except KeyError:
                return facts.evidence(self.names)
            return found
        return facts.evidence(self.names)


@lru_cache(maxsize=4096)
def _absent(name: str) -> FactUsed:
    return FactUsed(name=name, content=None, source="none", why="not provided")


def fact(name: str, content: FactContent | None, source: str) -> FactUsed:
    """A fact value without an age, such as one computed in this turn."""
    return FactUsed(name=name, content=content, source=source)


def ignorable(name: str, source: str, why: str) -> FactUsed:
    """An unknown fact that leaves out restrictions that are open for it alone."""
    return FactUsed(name=name, content=None, source=source, why=why, on_unknown=IGNORE)
