"""Facts: what policy may ask about, declared with a type, and the values that one turn has for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handrail.guardrails.vocabulary import FactContent, FactUsed, Stage

SEGMENT_PREFIX = "segment:"


class FactKind(StrEnum):
    """The type of a fact; it fixes the matchers that may be applied to it."""

    WORD = "word"
    BOOLEAN = "boolean"
    NUMBER = "number"
    SET = "set"


def fits(kind: FactKind, content: FactContent) -> bool:
    """Whether `content` is a value of `kind`; NaN and infinity are no numbers that policy could compare."""
    if kind is FactKind.BOOLEAN:
        return isinstance(content, bool)
    if kind is FactKind.NUMBER:
        return isinstance(content, int | float) and not isinstance(content, bool) and math.isfinite(content)
    return isinstance(content, tuple if kind is FactKind.SET else str)


class OnUnknown(StrEnum):
    """What an unknown value does to a restriction that asks for it: apply it (the default) or leave it out."""

    RESTRICT = "restrict"
    IGNORE = "ignore"


IGNORE, RESTRICT = OnUnknown.IGNORE.value, OnUnknown.RESTRICT.value


@dataclass(frozen=True, slots=True)
class FactSpec:
    """The declaration of a fact.

    `values` closes the set of words (None: any word). `since` is the first stage at which the fact exists, `tools` the
    calls it exists for (None: not a call fact). `family` and `purposes` are set for customer attributes.
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

    def exists_at(self, stage: Stage) -> bool:
        """Whether a rule at `stage` may ask for this fact."""
        order = list(Stage)
        if self.only_at is not None:
            return stage is self.only_at
        return order.index(self.since) <= order.index(stage)


@dataclass(frozen=True, slots=True)
class Facts:
    """The values one decision can see. A fact that is absent is unknown.

    `ignorable` names the unknown facts that leave a restriction out instead of applying it.
    """

    used: Mapping[str, FactUsed] = field(default_factory=dict)
    ignorable: frozenset[str] = frozenset()

    def content(self, name: str) -> FactContent | None:
        """The value of `name`, or None when unknown."""
        fact = self.used.get(name)
        return None if fact is None else fact.content

    def evidence(self, names: Iterable[str]) -> tuple[FactUsed, ...]:
        """The named facts as a decision records them; an absent one is recorded as unknown.

        `Facts.recorded` turns them back into facts on which every decision comes out the same.
        """
        return tuple(self._recorded(name) for name in names)

    def _recorded(self, name: str) -> FactUsed:
        found = self.used.get(name) or FactUsed(name=name, content=None, source="none", why="not provided")
        how = IGNORE if name in self.ignorable else RESTRICT
        return found if found.on_unknown == how else found.model_copy(update={"on_unknown": how})

    @classmethod
    def recorded(cls, used: Iterable[FactUsed]) -> Facts:
        """The facts of a recorded decision, for replay."""
        by_name = {fact.name: fact for fact in used}
        ignorable = frozenset(name for name, fact in by_name.items() if fact.on_unknown == IGNORE)
        return cls(by_name, ignorable)

    def with_facts(self, more: Iterable[FactUsed], ignorable: Iterable[str] = ()) -> Facts:
        """These facts and `more`; a later value replaces an earlier one of the same name."""
        return Facts({**self.used, **{fact.name: fact for fact in more}}, self.ignorable | frozenset(ignorable))


def fact(name: str, content: FactContent | None, source: str) -> FactUsed:
    """A fact value without an age, such as one computed in this turn."""
    return FactUsed(name=name, content=content, source=source)
