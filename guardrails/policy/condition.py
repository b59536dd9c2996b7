"""Reads a condition as written in YAML into a matcher, reporting every misspelt fact, operator or value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.policy.matcher import ALWAYS, AtLeast, Known, Matcher, Not, Test, in_segment
from handrail.guardrails.vocabulary import FactContent, Stage
from handrail.guardrails.yamlsource import Document, PathKey, Problem

COMBINATORS = ("all", "any", "not", "at_least")
_OPERATORS: Mapping[FactKind, tuple[str, ...]] = {
    FactKind.WORD: ("in",),
    FactKind.BOOLEAN: (),
    FactKind.NUMBER: ("at_least", "at_most", "above", "below"),
    FactKind.SET: ("has", "has_any", "has_all"),
}


@dataclass(slots=True)
class ConditionReader:
    """Turns YAML conditions of one document into matchers. Problems are collected, never raised.

    With `complete` False some declarations of facts could not be read, and a fact that may stand there is not called
    missing.
    """

    document: Document
    facts: Mapping[str, FactSpec]
    segments: frozenset[str]
    problems: list[Problem]
    complete: bool = True

    def read(self, content: JsonValue, path: PathKey, stage: Stage, tools: frozenset[str] | None = None) -> Matcher:
        """The matcher of `content`, which stands at `path` and is asked at `stage` (about `tools`)."""
        if not isinstance(content, dict) or not content:
            self._report(path, "a condition is a mapping of fact names or of all / any / not / at_least")
            return ALWAYS
        parts = [self._entry(key, value, (*path, key), stage, tools) for key, value in content.items()]
        return parts[0] if len(parts) == 1 else AtLeast(len(parts), tuple(parts))

    def _entry(self, key: str, value: JsonValue, path: PathKey, stage: Stage, tools: frozenset[str] | None) -> Matcher:
        if key == "not":
            return Not(self.read(value, path, stage, tools))
        if key in ("all", "any"):
            parts = self._parts(value, path, stage, tools)
            return AtLeast(len(parts) if key == "all" else 1, parts)
        if key == "at_least":
            return self._at_least(value, path, stage, tools)
        if key == "segment":
            return self._segment(value, path, stage)
        return self._leaf(key, value, path, stage, tools)

    def _parts(
        self, value: JsonValue, path: PathKey, stage: Stage, tools: frozenset[str] | None
    ) -> tuple[Matcher, ...]:
        if not isinstance(value, list) or not value:
            self._report(path, f"{path[-1]} takes a non-empty list of conditions")
            return (ALWAYS,)
        return tuple(self.read(item, (*path, index), stage, tools) for index, item in enumerate(value))

    def _at_least(self, value: JsonValue, path: PathKey, stage: Stage, tools: frozenset[str] | None) -> Matcher:
        if not isinstance(value, dict) or set(value) != {"count", "of"}:
            self._report(path, "at_least takes exactly `count` and `of` (a list of conditions)")
            return ALWAYS
        parts = self._parts(value["of"], (*path, "of"), stage, tools)
        count = value["count"]
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= len(parts):
            self._report((*path, "count"), f"count must be a whole number from 1 to {len(parts)}")
            return ALWAYS
        return AtLeast(count, parts)

    def _segment(self, value: JsonValue, path: PathKey, stage: Stage) -> Matcher:
        if list(Stage).index(stage) <= list(Stage).index(Stage.ASSIGN_SEGMENTS):
            self._report(path, f"segments are not known yet at stage {stage.value}; name the facts instead")
            return ALWAYS
        if not isinstance(value, str) or value not in self.segments:
            self._report(path, f"there is no active segment {value!r}{nearest(str(value), self.segments)}")
            return ALWAYS
        return in_segment(value)

    def _leaf(self, name: str, value: JsonValue, path: PathKey, stage: Stage, tools: frozenset[str] | None) -> Matcher:
        spec = self.facts.get(name)
        if spec is None:
            if not self.complete:
                return ALWAYS
            known = [*self.facts, *COMBINATORS, "segment"]
            self._report(path, f"there is no fact {name!r}{nearest(name, known)}")
            return ALWAYS
        if not spec.exists_at(stage):
            self._report(path, f"the fact {name} does not exist at stage {stage.value}")
            return ALWAYS
        if self.complete and spec.tools is not None and (tools is None or not tools <= spec.tools):
            self._report(path, f"the fact {name} exists only for calls of {', '.join(sorted(spec.tools))}")
            return ALWAYS
        if isinstance(value, dict):
            return self._operator(spec, value, path)
        if spec.kind is FactKind.SET:
            self._report(path, f"{name} is a set: ask with has, has_any or has_all")
            return ALWAYS
        wanted = self._operand(spec, value, path)
        return ALWAYS if wanted is None else Test(name, spec.kind, "is", wanted, _comparison("is", wanted))

    def _operator(self, spec: FactSpec, value: dict[str, JsonValue], path: PathKey) -> Matcher:
        if len(value) != 1:
            self._report(path, "one comparison a fact; combine several with all")
            return ALWAYS
        ((operator, operand),) = value.items()
        if operator == "known":
            if not isinstance(operand, bool):
                self._report((*path, operator), "known takes true or false")
                return ALWAYS
            return Known(spec.name, operand)
        if operator not in _OPERATORS[spec.kind]:
            allowed = (*_OPERATORS[spec.kind], "known")
            self._report((*path, operator), f"{spec.name} is a {spec.kind.value}: it takes {', '.join(allowed)}")
            return ALWAYS
        wanted = self._operands(spec, operator, operand, (*path, operator))
        if wanted is None:
            return ALWAYS
        return Test(spec.name, spec.kind, operator, wanted, _comparison(operator, wanted))

    def _operands(self, spec: FactSpec, operator: str, operand: JsonValue, path: PathKey) -> FactContent | None:
        if operator in ("in", "has_any", "has_all"):
            if not isinstance(operand, list) or not operand:
                self._report(path, f"{operator} takes a non-empty list")
                return None
            found = [self._operand(spec, item, (*path, index)) for index, item in enumerate(operand)]
            return None if None in found else tuple(sorted({str(item) for item in found}))
        return self._operand(spec, operand, path)

    def _operand(self, spec: FactSpec, value: JsonValue, path: PathKey) -> FactContent | None:
        if spec.kind is FactKind.BOOLEAN:
            if isinstance(value, bool):
                return value
        elif spec.kind is FactKind.NUMBER:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value
        elif isinstance(value, str):
            if spec.values is None or value in spec.values:
                return value
            self._report(path, f"{spec.name} is never {value!r}{nearest(value, spec.values)}")
            return None
        self._report(path, f"{spec.name} is a {spec.kind.value}; {value!r} is not")
        return None

    def _report(self, path: PathKey, message: str) -> None:
        self.problems.append(self.document.problem(path, message))


def _comparison(operator: str, wanted: FactContent) -> Callable[[FactContent], bool]:
    if isinstance(wanted, tuple):
        words = frozenset(wanted)
        if operator == "in":
            return lambda content: content in words
        if operator == "has_any":
            return lambda content: isinstance(content, tuple) and not words.isdisjoint(content)
        return lambda content: isinstance(content, tuple) and words.issubset(content)
    if operator == "has":
        return lambda content: isinstance(content, tuple) and wanted in content
    if isinstance(wanted, str | bool):
        return lambda content: content == wanted
    bound = float(wanted)
    numeric: Mapping[str, Callable[[float], bool]] = {
        "is": lambda number: number == bound,
        "at_least": lambda number: number >= bound,
        "at_most": lambda number: number <= bound,
        "above": lambda number: number > bound,
        "below": lambda number: number < bound,
    }
    compare = numeric[operator]
    return lambda content: isinstance(content, int | float) and compare(float(content))


FEW = 12
"""So many names are listed where none of them is near."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the name that was probably meant, or at all there are; empty when none is near and they are many."""
    import difflib  # only needed to word an error

    names = sorted(str(name) for name in known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= FEW else ""
