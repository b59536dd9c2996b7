"""Translates the rules of one stage into Cedar policies, so that both engines can be asked the same question.

Cedar answers allow or deny, so only what bears on that is translated: permits and restrictions of the effect. Its logic
is two-valued: a fact that is unknown is left out of the request's context, and each condition becomes two formulas, one
for being true and one for being false (Kleene's strong logic: what is neither is open).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import combinations
from typing import TypeAlias

from handrail.guardrails.policy.facts import IGNORE, Facts
from handrail.guardrails.policy.matcher import AtLeast, Known, Matcher, Not, Test
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Effect, FactContent, Stage

CedarContent: TypeAlias = str | bool | int | list[str]
"""What a context attribute can hold here."""

SCALE = 10_000
"""Cedar has whole numbers only: all numbers are multiplied by this, and a fifth decimal is an error."""

LEFT_OUT = "ignored:"
"""Before the name of an unknown fact: it leaves out restrictions that are open for such facts alone (S2.2)."""

TRUE, FALSE = "true", "false"
_COMPARISONS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<"}
_MEMBERSHIPS = {"has": "contains", "has_any": "containsAny", "has_all": "containsAll"}


class Way(StrEnum):
    """How cedarpy is called: what was parsed beforehand, and what each call parses again."""

    PARSED = "policies parsed once, context as JSON text"
    FROM_DICT = "policies parsed once, context as a dict"
    FROM_TEXT = "policies as text, parsed on every call"


@dataclass(frozen=True, slots=True)
class Translation:
    """Cedar policies and what they read. `ignorable` are the facts that may leave a restriction out."""

    policies: tuple[str, ...]
    names: frozenset[str]
    ignorable: frozenset[str]

    def context(self, facts: Facts) -> dict[str, CedarContent]:
        """The facts that the policies read, as a request's context. Values must be of their declared kinds."""
        found: dict[str, CedarContent] = {}
        for name in sorted(self.names):
            fact = facts.used.get(name)
            if fact is None:
                continue
            if fact.content is not None:
                found[name] = _in_json(fact.content)
            elif fact.on_unknown == IGNORE:
                if name not in self.ignorable:
                    raise ValueError(f"{name} leaves out restrictions, but was not translated as such a fact")
                found[f"{LEFT_OUT}{name}"] = True
        return found


def translate(rules: Iterable[Rule], ignorable: frozenset[str]) -> Translation:
    """The policies under which Cedar allows exactly when the rules' effect is allow."""
    policies: list[str] = []
    names: set[str] = set()
    for rule in rules:
        written = list(_policies(rule, ignorable))
        if written:
            policies += written
            names |= rule.names()
    return Translation(tuple(policies), frozenset(names), ignorable)


def _policies(rule: Rule, ignorable: frozenset[str]) -> Iterable[str]:
    scope = "(principal, action, resource)"
    if rule.permits is not None:
        yield f"// {rule.id}\npermit {scope} when {{ {_true(rule.when)} }};"
    effect = rule.restrictions.effect
    if effect is not None and effect is not Effect.ALLOW:
        if rule.names().isdisjoint(ignorable):
            yield f"// {rule.id}\nforbid {scope} unless {{ {_false(rule.when)} }};"
        else:
            yield f"// {rule.id}\nforbid {scope} when {{ {_applies(rule.when, ignorable)} }};"


def _applies(matcher: Matcher, ignorable: frozenset[str]) -> str:
    """True, or open for at least one fact that may not be ignored."""
    if isinstance(matcher, AtLeast) and matcher.count == 1:
        # One of n is open if any part is: what holds of it holds of a part. Shorter than the general form.
        return _any([_applies(part, ignorable) for part in matcher.parts])
    return _any([_true(matcher), _doubtful(matcher, ignorable)])


def _true(matcher: Matcher) -> str:
    if isinstance(matcher, Test):
        return f"({_has(matcher.name)} && {_comparison(matcher)})"
    if isinstance(matcher, Known):
        return _has(matcher.name) if matcher.expected else _not(_has(matcher.name))
    if isinstance(matcher, Not):
        return _false(matcher.part)
    return _at_least(matcher.count, [_true(part) for part in matcher.parts])


def _false(matcher: Matcher) -> str:
    if isinstance(matcher, Test):
        return f"({_has(matcher.name)} && {_not(_comparison(matcher))})"
    if isinstance(matcher, Known):
        return _not(_has(matcher.name)) if matcher.expected else _has(matcher.name)
    if isinstance(matcher, Not):
        return _true(matcher.part)
    return _at_least(len(matcher.parts) - matcher.count + 1, [_false(part) for part in matcher.parts])


def _doubtful(matcher: Matcher, ignorable: frozenset[str]) -> str:
    """Open, and among the facts that keep it open is one that may not be ignored."""
    if isinstance(matcher, Test):
        missing = [_not(_has(matcher.name))]
        if matcher.name in ignorable:
            missing.append(_not(_has(f"{LEFT_OUT}{matcher.name}")))
        return _all(missing)
    if isinstance(matcher, Known):
        return FALSE
    if isinstance(matcher, Not):
        return _doubtful(matcher.part, ignorable)
    parts = _any([_doubtful(part, ignorable) for part in matcher.parts])
    return _all([_not(_true(matcher)), _not(_false(matcher)), parts])


def _comparison(leaf: Test) -> str:
    fact, operand = f"context[{_quoted(leaf.name)}]", leaf.operand
    if leaf.operator == "in" and isinstance(operand, tuple):
        return f"{_list(operand)}.contains({fact})"
    if leaf.operator in _MEMBERSHIPS:
        wanted = _list(operand) if isinstance(operand, tuple) else _quoted(str(operand))
        return f"{fact}.{_MEMBERSHIPS[leaf.operator]}({wanted})"
    if isinstance(operand, bool):
        return fact if operand else _not(fact)
    if isinstance(operand, str):
        return f"{fact} == {_quoted(operand)}"
    if isinstance(operand, int | float):
        return f"{fact} {_COMPARISONS.get(leaf.operator, '==')} {_scaled(operand)}"
    raise ValueError(f"{leaf.name}: {leaf.operator} has no translation")


def _at_least(count: int, parts: Sequence[str]) -> str:
    if count <= 0:
        return TRUE
    return _any([_all(some) for some in combinations(parts, count)])


def _all(parts: Sequence[str]) -> str:
    if FALSE in parts:
        return FALSE
    kept = [part for part in parts if part != TRUE]
    return f"({' && '.join(kept)})" if len(kept) > 1 else (kept or [TRUE])[0]


def _any(parts: Sequence[str]) -> str:
    if TRUE in parts:
        return TRUE
    kept = [part for part in parts if part != FALSE]
    return f"({' || '.join(kept)})" if len(kept) > 1 else (kept or [FALSE])[0]


def _not(formula: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(formula, f"!({formula})")


def _has(name: str) -> str:
    return f"(context has {_quoted(name)})"


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(_quoted(word) for word in words)}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _scaled(number: float) -> int:
    scaled = Decimal(str(number)) * SCALE
    if scaled != int(scaled):
        raise ValueError(f"{number} has more than four decimals, which Cedar cannot compare")
    return int(scaled)


def _in_json(content: FactContent) -> CedarContent:
    if isinstance(content, tuple):
        return list(content)
    return content if isinstance(content, str | bool) else _scaled(content)


class CedarStage:
    """Cedar with the policies of one stage and subject, parsed once. Needs the package cedarpy."""

    def __init__(self, stage: Stage, subject: str, translation: Translation) -> None:
        """Parse the policies; ValueError when Cedar cannot."""
        import cedarpy  # an optional comparison: nothing else needs the package

        self.translation = translation
        self._text = "\n".join(translation.policies)
        self._policies = cedarpy.PolicySet.from_str(self._text)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._ask = cedarpy.is_authorized
        # Named as structures: Cedar then has no entity names to parse.
        self._who = {
            "principal": {"type": "Turn", "id": "turn"},
            "action": {"type": "Action", "id": stage.value},
            "resource": {"type": "Subject", "id": subject},
        }

    def allows(self, facts: Facts) -> bool:
        """Cedar's decision. ValueError when a policy could not be evaluated, which Cedar would pass over."""
        request = {**self._who, "context": self.translation.context(facts)}
        answer = self._ask(request, self._policies, self._entities)
        if answer.diagnostics.errors:
            raise ValueError(f"Cedar could not evaluate its policies: {answer.diagnostics.errors[0]}")
        return answer.allowed

    def call(self, facts: Facts, way: Way) -> Callable[[], object]:
        """The call to be timed: its request is built beforehand, as the facts are for `decide`."""
        context = self.translation.context(facts)
        request = {**self._who, "context": context if way is Way.FROM_DICT else json.dumps(context)}
        policies = self._text if way is Way.FROM_TEXT else self._policies
        return partial(self._ask, request, policies, self._entities)
