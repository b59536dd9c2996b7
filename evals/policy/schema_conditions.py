"""Conditions as JSON Schema: which facts exist where, what each may be compared with, and what it means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from pydantic import JsonValue

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX, FactKind, FactSpec
from handrail.guardrails.vocabulary import Stage

Schema: TypeAlias = dict[str, JsonValue]

ANY_CALL = "condition_at_authorize_tools_any"
"""The condition of a rule at authorize_tools that is asked about every tool: what one tool states is not there."""

_COMPARISONS: Mapping[str, str] = {
    "in": "The word is one of these.",
    "at_least": "The number is this or more.",
    "at_most": "The number is this or less.",
    "above": "The number is more than this.",
    "below": "The number is less than this.",
    "has": "The set holds this.",
    "has_any": "The set holds at least one of these.",
    "has_all": "The set holds all of these.",
    "known": "Whether the fact has a value, whatever it is.",
}
_OF_KIND: Mapping[FactKind, tuple[str, ...]] = {
    FactKind.WORD: ("in",),
    FactKind.BOOLEAN: (),
    FactKind.NUMBER: ("at_least", "at_most", "above", "below"),
    FactKind.SET: ("has", "has_any", "has_all"),
}
_LISTS = frozenset({"in", "has_any", "has_all"})


def ref(name: str) -> Schema:
    """A reference to the definition `name`."""
    return {"$ref": f"#/$defs/{name}"}


def one_of(values: Iterable[str], meanings: Mapping[str, str] | None = None) -> Schema:
    """A word out of a closed set; editors show the meanings (`enumDescriptions`) beside the words."""
    words = sorted(set(values))
    if not words:
        return {"not": {}, "description": "There is nothing yet that could be named here."}
    closed: Schema = {"type": "string", "enum": list[JsonValue](words)}
    if meanings:
        closed["enumDescriptions"] = [meanings.get(word, "") for word in words]
    return closed


def list_of(item: Schema) -> Schema:
    """A list with at least one entry."""
    return {"type": "array", "minItems": 1, "items": item}


def condition_at(stage: Stage) -> str:
    """The name of the definition of conditions that are asked at `stage`."""
    return f"condition_at_{stage.value}"


def condition_definitions(bundle: Bundle, meanings: Mapping[str, Mapping[str, str]]) -> dict[str, Schema]:
    """Everything that conditions need. `meanings` says for some facts what their words mean, by fact and word."""
    facts = bundle.facts.values()
    found: dict[str, Schema] = {"condition": _any_condition(), "fact_name": one_of(bundle.facts, _about(facts))}
    sets = [spec for spec in facts if spec.kind is FactKind.SET]
    found["fact_of_set"] = one_of((spec.name for spec in sets), _about(sets))
    for spec in facts:
        found[f"words_of_{spec.name}"] = _operand(spec, meanings.get(spec.name, {}))
        found[f"fact_{spec.name}"] = _asked(spec)
    found["facts_given"] = _given(bundle)
    found["growth"] = _growth(sets)
    for stage in (Stage.ASSIGN_SEGMENTS, *DECIDING_STAGES):
        found[condition_at(stage)] = _condition(condition_at(stage), _existing(facts, stage), stage)
    general = [spec for spec in _existing(facts, Stage.AUTHORIZE_TOOLS) if spec.tools is None]
    found[ANY_CALL] = _condition(ANY_CALL, general, Stage.AUTHORIZE_TOOLS)
    return found


def by_stage() -> Schema:
    """What `stage` means for `when` and `tools` of the same entry: `allOf` of one case a stage."""
    calls = Stage.AUTHORIZE_TOOLS
    others = [stage for stage in DECIDING_STAGES if stage is not calls]
    # `tools: false` says that the field may not be there: only calls are about tools.
    cases: list[JsonValue] = [_case(stage, {"when": ref(condition_at(stage)), "tools": False}) for stage in others]
    cases.append(_case(calls, {"when": ref(condition_at(calls))}, {"required": ["tools"]}))
    cases.append(_case(calls, {"when": ref(ANY_CALL)}, {"not": {"required": ["tools"]}}))
    return {"allOf": cases}


def _case(stage: Stage, then: Schema, also: Schema | None = None) -> Schema:
    asked: Schema = {"properties": {"stage": {"const": stage.value}}, "required": ["stage"]}
    condition: Schema = asked if also is None else {"allOf": [asked, also]}
    return {"if": condition, "then": {"properties": then}}


def _about(facts: Iterable[FactSpec]) -> dict[str, str]:
    return {spec.name: spec.meaning for spec in facts}


def _existing(facts: Iterable[FactSpec], stage: Stage) -> list[FactSpec]:
    return [spec for spec in facts if spec.exists_at(stage)]


def _any_condition() -> Schema:
    return {"type": "object", "minProperties": 1, "description": "A condition on facts."}


def _condition(name: str, facts: Collection[FactSpec], stage: Stage) -> Schema:
    """A mapping of facts and of all / any / not / at_least, all of which have to hold."""
    parts = list_of(ref(name))
    properties: Schema = {spec.name: ref(f"fact_{spec.name}") for spec in facts}
    properties |= {
        "all": {**parts, "description": "All of these conditions hold."},
        "any": {**parts, "description": "At least one of these conditions holds."},
        "not": {**ref(name), "description": "This condition does not hold."},
        "at_least": _count_of(name),
    }
    order = list(Stage)
    if order.index(stage) > order.index(Stage.ASSIGN_SEGMENTS):
        properties["segment"] = {**ref("segment_id"), "description": "The conversation is in this active segment."}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "description": f"A condition on the facts that exist at {stage.value}; several entries all have to hold.",
        "properties": properties,
    }


def _count_of(name: str) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["count", "of"],
        "description": "So many of the listed conditions hold.",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "description": "How many of them have to hold."},
            "of": {**list_of(ref(name)), "description": "The conditions that are counted."},
        },
    }


def _asked(spec: FactSpec) -> Schema:
    """What may stand behind the name of a fact: the value itself, or one comparison."""
    word = ref(f"words_of_{spec.name}")
    properties: Schema = {}
    for operator in (*_OF_KIND[spec.kind], "known"):
        operand: Schema = list_of(word) if operator in _LISTS else dict(word)
        if operator == "known":
            operand = {"type": "boolean"}
        properties[operator] = {**operand, "description": _COMPARISONS[operator]}
    comparison: Schema = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": properties,
        # Apart, because beside `properties` it keeps editors from offering any: the line that is written counts as one.
        "allOf": [{"maxProperties": 1}],
    }
    description = _described(spec)
    if spec.kind is FactKind.SET:
        return {**comparison, "description": description}
    return {"anyOf": [word, comparison], "description": description}


def _operand(spec: FactSpec, meanings: Mapping[str, str]) -> Schema:
    if spec.kind is FactKind.BOOLEAN:
        return {"type": "boolean"}
    if spec.kind is FactKind.NUMBER:
        return {"type": "number"}
    return {"type": "string"} if spec.values is None else one_of(spec.values, meanings)


def _described(spec: FactSpec) -> str:
    """The meaning, then kind and limits, then for whom it exists."""
    meaning = spec.meaning[:1].upper() + spec.meaning[1:]
    bounds = [
        "whole" if spec.range.whole else "",
        f"from {spec.range.least:g}" if spec.range.least is not None else "",
        f"up to {spec.range.most:g}" if spec.range.most is not None else "",
    ]
    limits = ", ".join(bound for bound in bounds if bound)
    kind = f"{spec.kind.value} ({limits})" if limits else spec.kind.value
    calls = f" Only for calls of {', '.join(sorted(spec.tools))}." if spec.tools is not None else ""
    family = f" An attribute of the family {spec.family}." if spec.family is not None else ""
    return f"{meaning}. A {kind}.{family}{calls}"


def _given(bundle: Bundle) -> Schema:
    """Facts as a policy test gives them: a value each, or null for unknown."""
    properties: Schema = {}
    for spec in bundle.facts.values():
        word = ref(f"words_of_{spec.name}")
        value: Schema = {"type": "array", "items": word} if spec.kind is FactKind.SET else word
        properties[spec.name] = {"anyOf": [value, {"type": "null"}], "description": _described(spec)}
    for holdout in bundle.holdouts:
        properties[f"{HOLDOUT_PREFIX}{holdout.id}"] = {
            "type": ["boolean", "null"],
            "description": f"Whether the conversation is in this holdout. {holdout.meaning}",
        }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _growth(sets: Iterable[FactSpec]) -> Schema:
    """The members of `never_relaxed_by` are words of the fact that it names."""
    return {"allOf": list[JsonValue](_members(sets))}


def _members(sets: Iterable[FactSpec]) -> Iterator[Schema]:
    for spec in sets:
        named: Schema = {"properties": {"fact": {"const": spec.name}}, "required": ["fact"]}
        yield {"if": named, "then": {"properties": {"members": {"items": ref(f"words_of_{spec.name}")}}}}
