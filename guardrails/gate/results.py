"""What may be taken from a tool's result: what a model sees of it, and what of it counts as a record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pydantic import JsonValue

from handrail.guardrails.detect.labels import MASKED
from handrail.guardrails.gate.inspection import Sources
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolOutcome, ToolResult

_DEEPEST = 32


def shown(spec: ToolSpec, content: JsonValue) -> JsonValue:
    """The part of a result that a model may see; everything that the tool does not name is left out."""
    return _only(content, frozenset(spec.minimise))


def veiled(spec: ToolSpec, content: JsonValue) -> JsonValue:
    """`content` with a label in the place of every value that the tool declares as masked."""
    return _veil(content, frozenset(spec.masked)) if spec.masked else content


def recorded(spec: ToolSpec, content: JsonValue) -> JsonValue:
    """The part of a result that the company's system itself wrote, such as numbers, amounts and dates."""
    return _only(content, frozenset(spec.records))


def sources(
    customer_words: Iterable[str],
    results: Iterable[ToolResult],
    passages: Iterable[str],
    tools: Mapping[str, ToolSpec],
    known: Iterable[JsonValue] = (),
    established: Iterable[str] = (),
) -> Sources:
    """Where the arguments of the next call may come from. `known` are values of verified records, such as attributes.

    `established` is explained at `Sources`. Only results of calls that succeeded hold records; a result of an unknown
    tool is untrusted as a whole.
    """
    held = list(results)
    records = [
        recorded(tools[result.call.tool], result.content)
        for result in held
        if result.call.tool in tools and result.outcome is ToolOutcome.SUCCEEDED
    ]
    return Sources(
        customer_words=tuple(customer_words),
        records=(*known, *records),
        tool_results=tuple(result.content for result in held),
        passages=tuple(passages),
        established=tuple(established),
    )


def _only(content: JsonValue, names: Collection[str], depth: int = 0) -> JsonValue:
    """Scalars and lists of scalars whose key is in `names`, in their places; None when nothing is left."""
    if depth >= _DEEPEST:
        return None
    if isinstance(content, dict):
        kept: dict[str, JsonValue] = {}
        for key, item in content.items():
            part = item if key in names and _is_flat(item) else _only(item, names, depth + 1)
            if part is not None:
                kept[key] = part
        return kept or None
    if isinstance(content, list):
        parts: list[JsonValue] = [part for item in content if (part := _only(item, names, depth + 1)) is not None]
        return parts or None
    return None


def _veil(content: JsonValue, names: Collection[str], depth: int = 0) -> JsonValue:
    if depth >= _DEEPEST:
        return MASKED
    if isinstance(content, dict):
        return {key: MASKED if key in names else _veil(item, names, depth + 1) for key, item in content.items()}
    if isinstance(content, list):
        return [_veil(item, names, depth + 1) for item in content]
    return content


def _is_flat(content: JsonValue) -> bool:
    if isinstance(content, list):
        return not any(isinstance(item, dict | list) for item in content)
    return not isinstance(content, dict)
