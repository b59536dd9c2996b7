"""What a server lists, held against what the bundle declares. A tool that does not fit is denied, and says why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from handrail.guardrails.gate.argument import Argument, ArgumentType
from handrail.guardrails.gate.mcp_source import Form, LookUp, McpSource, Sent
from handrail.guardrails.toolspec import ToolSpec

Schema: TypeAlias = Mapping[str, JsonValue]

_TOLD = frozenset({"title", "description", "examples", "default", "$comment", "deprecated"})
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
"""Whose keys are names and not words of JSON Schema."""

_SPEAKABLE = re.compile(r"[A-Za-z0-9_.$-]{1,64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server lists it: the schema of its arguments, and the digest of it. Its description is not kept."""

    schema: Schema
    digest: str

    @classmethod
    def of(cls, schema: Schema) -> Listed:
        """The tool with the input schema `schema`."""
        return cls(schema, fingerprint(schema))


Listing: TypeAlias = Mapping[str, Listed]


def fingerprint(schema: Schema) -> str:
    """SHA-256 (hex) of what a schema demands; words for people and models in it do not matter."""
    plain = json.dumps(_demands(dict(schema), 0), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _demands(content: JsonValue, depth: int, *, names: bool = False) -> JsonValue:
    if depth > 64:
        return "too deep"
    if isinstance(content, list):
        return [_demands(item, depth + 1) for item in content]
    if not isinstance(content, dict):
        return content
    kept = {key: item for key, item in content.items() if names or key not in _TOLD}
    return {key: _demands(item, depth + 1, names=not names and key in _NAMED) for key, item in kept.items()}


def disagreements(spec: ToolSpec, source: McpSource, listing: Listing, before: str | None) -> tuple[str, ...]:
    """Why calls of `spec` may not be sent, each with what to do; nothing when declaration and server agree.

    `before` is the digest that the schema had when this process first saw it.
    """
    found = listing.get(source.tool)
    if found is None:
        return (f"the server has no tool {source.tool}: correct mcp.tool, or take the tool out of the bundle",)
    problems = [*_changed(source, found, before), *_arguments(spec, source, found.schema)]
    if source.look_up is not None:
        problems += _look_up(source.look_up, listing)
    return tuple(problems)


def _changed(source: McpSource, found: Listed, before: str | None) -> Iterator[str]:
    if source.pinned is not None and source.pinned != found.digest:
        yield (
            f"the schema of {source.tool} is not the pinned one: look at what changed, correct the declaration, "
            f"and set mcp.pinned to {found.digest}"
        )
    elif source.pinned is None and before is not None and before != found.digest:
        yield (
            f"the schema of {source.tool} changed while Handrail ran: look at what changed, correct the declaration, "
            "and start again"
        )


def _arguments(spec: ToolSpec, source: McpSource, schema: Schema) -> Iterator[str]:
    """What the server demands and would not get, and what it would get and does not know."""
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    sent = {source.sent(argument.name).name: argument for argument in spec.arguments}
    always = {name for name, argument in sent.items() if argument.required}
    key = None if source.key is None else source.key.argument
    own = {name for name in (source.customer, key) if name is not None}
    yield from _missing(source.tool, schema, always | own)
    for name in sorted((set(sent) | own) - set(known)):
        yield f"{source.tool} has no argument {name}: correct mcp.arguments, mcp.customer or mcp.key"
    for name, argument in sent.items():
        told = known.get(name)
        if isinstance(told, dict):
            yield from _fits(source.tool, argument, source.sent(argument.name), told)


def _missing(tool: str, schema: Schema, given: set[str]) -> Iterator[str]:
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if name not in given:
            yield (
                f"{tool} requires the argument {_spoken(name)}, which no call would have: declare it as required, "
                "or take the tool out of the bundle"
            )


def _fits(tool: str, argument: Argument, sent: Sent, told: Schema) -> Iterator[str]:
    if sent.form is Form.NUMBER:
        wanted = frozenset({"number"})
    elif sent.form is Form.MINOR_UNITS or argument.type is ArgumentType.INTEGER:
        wanted = frozenset({"integer", "number"})
    else:
        wanted = frozenset({"string"})
    types = _types(told)
    if types and types.isdisjoint(wanted):
        yield f"{tool} takes {sent.name} as {_spoken(min(types))}, not as {min(wanted)}: correct type or form"
    values = told.get("enum")
    if isinstance(values, list):
        lacking = sorted({choice.value for choice in argument.choices} - {str(value) for value in values})
        if lacking:
            yield f"{tool} does not take {', '.join(lacking)} as {sent.name}: correct the choices"


def _types(told: Schema) -> frozenset[str]:
    """The types that a property may have; nothing when the schema does not say it in one of the usual ways."""
    named = told.get("type")
    found = {one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)}
    options = told.get("anyOf")
    for option in options if isinstance(options, list) else []:
        if not isinstance(option, dict) or not isinstance(option.get("type"), str):
            return frozenset()
        found.add(str(option["type"]))
    return frozenset(found)


def _look_up(look_up: LookUp, listing: Listing) -> Iterator[str]:
    found = listing.get(look_up.tool)
    if found is None:
        yield f"the server has no tool {look_up.tool}: correct mcp.look_up.tool"
        return
    given = {*look_up.arguments.values(), *([look_up.customer] if look_up.customer is not None else [])}
    yield from _missing(look_up.tool, found.schema, given)


def _spoken(name: JsonValue) -> str:
    """A server's own name, unless it is more than a name."""
    return name if isinstance(name, str) and _SPEAKABLE.fullmatch(name) else "(an odd name)"
