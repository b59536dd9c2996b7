"""The basis of a turn: every fact that was gathered for it, kept in the log so that another policy can be replayed.

A decision records the facts that its rules may read. A candidate may ask for more, and segments read facts that no rule
asks for; so the step that gathers the facts writes all of them down, once, in its report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from handrail.guardrails.vocabulary import FactContent, FactUsed

FACTS = "facts"
UNKNOWN = "unknown"
AGED = "aged"
EARLIER = "earlier"
UNDER_WAY = "under_way"


class NoBasis(ValueError):
    """A report that holds no basis, or one of a shape that this version does not know."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a turn was decided on, before policy said anything.

    `unknown` says why a fact had no value, `ages` counts seconds since a value was observed. `earlier` holds the
    segments of the turn before with the seconds since they began, `under_way` the guided flow that the customer was in.
    """

    known: Mapping[str, FactContent]
    unknown: Mapping[str, str]
    ages: Mapping[str, float]
    earlier: Mapping[str, float]
    under_way: str | None


def written(
    facts: Iterable[FactUsed], declared: Iterable[str], earlier: Mapping[str, float], under_way: str | None
) -> dict[str, JsonValue]:
    """The part of a report's details that `read` makes a basis of; only the `declared` facts are written down.

    Names stand in lists and not as keys: what a mask hides under a key such as `password_resets` is not hidden here.
    """
    wanted = frozenset(declared)
    known: list[JsonValue] = []
    unknown: list[JsonValue] = []
    aged: list[JsonValue] = []
    for fact in facts:
        if fact.name not in wanted:
            continue
        content = fact.content
        if content is None:
            unknown.append([fact.name, fact.why or fact.source])
        else:
            known.append([fact.name, list(content) if isinstance(content, tuple) else content])
        if fact.age_seconds is not None:
            aged.append([fact.name, fact.source, fact.age_seconds])
    return {
        FACTS: known,
        UNKNOWN: unknown,
        AGED: aged,
        EARLIER: [[segment, seconds] for segment, seconds in earlier.items()],
        UNDER_WAY: under_way,
    }


def read(details: Mapping[str, JsonValue]) -> Basis:
    """The basis in a report's details. Raises NoBasis."""
    try:
        # The casts are no proof: a wrong shape fails in the unpacking, a wrong content is unknown to every condition.
        pairs = cast("list[tuple[str, FactContent | list[str]]]", details[FACTS])
        known = {name: tuple(held) if type(held) is list else held for name, held in pairs}
        aged = cast("list[tuple[str, str, float]]", details[AGED])
        return Basis(
            known=cast("dict[str, FactContent]", known),
            unknown=dict(cast("list[tuple[str, str]]", details[UNKNOWN])),
            ages={name: float(seconds) for name, _, seconds in aged},
            earlier={name: float(age) for name, age in cast("list[tuple[str, float]]", details[EARLIER])},
            under_way=cast("str | None", details.get(UNDER_WAY)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoBasis("the report does not hold all facts of the turn") from error
