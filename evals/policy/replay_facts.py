"""The facts of a recorded turn as a candidate bundle would have seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from handrail.agent.audit.basis import Basis
from handrail.agent.audit.recorded import PlainFact, RecordedDecision
from handrail.agent.facts import fits_attribute
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.gate.facts import tool_facts
from handrail.guardrails.policy.facts import IGNORE, RESTRICT, OnUnknown
from handrail.guardrails.vocabulary import FactContent, FactUsed

NOT_PROVIDED = "none"
"""The source of a recorded fact that the flow did not provide: it was absent, which is not the same as not recorded."""

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Value:
    """A fact without name and source: all that conditions read of one, at a fraction of the cost."""

    content: FactContent | None
    on_unknown: str = RESTRICT


Used = dict[str, FactUsed]
"""Facts by name. Values stand in for facts here: only `resolve` is asked, which reads content and `on_unknown`."""

_RESTRICTS = Value(None)
_IGNORED = Value(None, IGNORE)


value = lru_cache(maxsize=8192, typed=True)(Value)
"""The value of a content; the same ones occur in turn after turn. Typed: 1, 1.0 and true are three contents."""


def used(content: FactContent | None, on_unknown: str = RESTRICT) -> FactUsed:
    """A value where a fact is expected."""
    return cast(FactUsed, value(content, on_unknown))


@dataclass(slots=True)
class Gathered:
    """The facts before segments are assigned.

    `absent` are attributes that the candidate declares and the record does not have; `stale` were too old when they
    were recorded and would be fresh enough now, but their content was not kept.
    """

    facts: Used
    absent: frozenset[str]
    stale: tuple[str, ...]


class Declared:
    """What a candidate bundle declares about the facts that a record holds."""

    def __init__(self, bundle: Bundle) -> None:
        """Prepare the attributes and the tools of `bundle`."""
        self._attributes = tuple(
            (one.name, one, one.max_age_days * DAY, _IGNORED if one.on_unknown is OnUnknown.IGNORE else _RESTRICTS)
            for one in bundle.attributes.values()
        )
        self._tools: Mapping[str, Used] = {
            tool: {name: used(content) for name, content in tool_facts(spec).items()}
            for tool, spec in bundle.tools.items()
        }

    def gathered(self, basis: Basis) -> Gathered:
        """The recorded facts, judged by the candidate's declarations: what is too old or unfit for it is unknown."""
        found: dict[str, Value] = {name: value(content) for name, content in basis.known.items()}
        for name in basis.unknown:
            found[name] = _RESTRICTS
        absent: list[str] = []
        stale: list[str] = []
        ages = basis.ages
        for name, attribute, oldest, unknown in self._attributes:
            held = found.get(name)
            if held is None:
                absent.append(name)
            elif held.content is not None:
                if ages.get(name, 0.0) <= oldest and fits_attribute(attribute, held.content):
                    continue
            elif name in ages and ages[name] <= oldest and basis.unknown[name].startswith("older than"):
                stale.append(name)
            found[name] = unknown
        return Gathered(cast(Used, found), frozenset(absent), tuple(stale))

    def of_call(self, facts: Used, decision: RecordedDecision) -> Used:
        """The facts of a recorded call laid over those of the turn; what the tool is, the candidate says.

        A tool that the candidate does not have is decided on without the facts of its calls, as the flow does.
        """
        about = self._tools.get(decision.subject)
        if about is None:
            return facts
        # The identity of a call may be that of an earlier agreement; that of the turn must not stand for it.
        turn = {name: one for name, one in facts.items() if name != "identity"}
        return {**turn, **own(decision, turn), **about}


def own(decision: RecordedDecision, turn: Mapping[str, FactUsed]) -> Used:
    """The facts that a later stage added, as its decision recorded them: those that `turn` does not have."""
    return {
        fact["name"]: _of_record(fact)
        for fact in decision.facts()
        if fact["name"] not in turn and fact.get("source") != NOT_PROVIDED
    }


def named(decision: RecordedDecision) -> frozenset[str]:
    """Every fact that a recorded decision names, with or without a value."""
    return frozenset(fact["name"] for fact in decision.facts())


def _of_record(fact: PlainFact) -> FactUsed:
    content = fact.get("content")
    held = tuple(content) if isinstance(content, list) else content
    return cast(FactUsed, Value(cast("FactContent | None", held), fact.get("on_unknown", RESTRICT)))
