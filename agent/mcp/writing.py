"""A call as its MCP server takes it, and what of its answer counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.ports import ToolRefused
from handrail.guardrails.gate.argument import MONEY
from handrail.guardrails.gate.mcp_source import CUSTOMER, Form, LookUp, McpSource, Reading
from handrail.guardrails.toolspec import CallFact, FactType, ToolSpec
from handrail.guardrails.vocabulary import FactContent, ToolCall

if TYPE_CHECKING:
    from mcp.types import CallToolResult

LONGEST_JSON = 64_000
"""Characters of a text that are tried as JSON."""


def arguments_of(call: ToolCall, source: McpSource, customer: str, key: str) -> dict[str, JsonValue]:
    """The arguments under the server's names, with the customer and the key that no model fills.

    Raises ToolRefused when the call is the customer's own and nobody is signed in.
    """
    written: dict[str, JsonValue] = {}
    for name, value in call.arguments.items():
        if value is not None:
            sent = source.sent(name)
            written[sent.name] = _formed(value, sent.form)
    if source.customer is not None:
        written[source.customer] = _signed_in(customer)
    if source.key is not None and source.key.argument is not None:
        written[source.key.argument] = key
    return written


def look_up_arguments(call: ToolCall, look_up: LookUp, customer: str) -> dict[str, JsonValue] | None:
    """The arguments of the look-up behind the facts of `call`; None when the call lacks one of them."""
    values = {theirs: call.arguments.get(ours) for ours, theirs in look_up.arguments.items()}
    if any(value is None for value in values.values()):
        return None
    if look_up.customer is not None:
        values[look_up.customer] = _signed_in(customer)
    return values


def _signed_in(customer: str) -> str:
    if not customer:
        raise ToolRefused("nobody is signed in, or the customer is unknown; sign in first")
    return customer


def _formed(value: JsonValue, form: Form) -> JsonValue:
    if form is Form.AS_IS:
        return value
    if not isinstance(value, str) or MONEY.fullmatch(value) is None:
        raise ToolRefused("an amount is written with two decimals")
    return float(value) if form is Form.NUMBER else int(Decimal(value) * 100)


def content_of(result: CallToolResult) -> JsonValue:
    """What a tool answered: its structure, or its texts. Pictures, sounds and links are left out."""
    from mcp.types import TextContent

    structured: JsonValue = result.structured_content
    if structured is not None:
        return structured if isinstance(structured, dict) else {"result": structured}
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    if len(texts) == 1 and len(texts[0]) <= LONGEST_JSON:
        try:
            parsed: JsonValue = json.loads(texts[0])
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            return parsed
        if isinstance(parsed, list):
            return {"result": parsed}
    return {"text": "\n".join(texts)}


def facts_of_record(
    spec: ToolSpec, look_up: LookUp, record: JsonValue, call: ToolCall, customer: str
) -> dict[str, FactContent]:
    """The call facts that `record` states. What it does not state, or states otherwise than declared, is unknown."""
    found: dict[str, FactContent] = {}
    for fact in spec.facts:
        reading = look_up.facts.get(fact.name)
        value = None if reading is None else _read(fact, reading, _at(record, reading.path), call, customer)
        if value is not None:
            found[fact.name] = value
    return found


def _at(record: JsonValue, path: tuple[str, ...]) -> JsonValue:
    for name in path:
        if isinstance(record, list) and name.isdecimal() and int(name) < len(record):
            record = record[int(name)]
        elif isinstance(record, dict):
            record = record.get(name)
        else:
            return None
    return record


def _read(fact: CallFact, reading: Reading, value: JsonValue, call: ToolCall, customer: str) -> FactContent | None:
    if value is None or isinstance(value, dict | list):
        return None
    if reading.same_as == CUSTOMER:
        return bool(customer) and str(value) == customer
    if reading.same_as is not None:
        return _is_same(value, call.arguments.get(reading.same_as))
    if reading.covers is not None:
        held, asked = _minor(value), _minor(call.arguments.get(reading.covers))
        return None if held is None or asked is None else held >= asked
    return _READERS[fact.type](value)


def _is_same(value: JsonValue, argument: JsonValue) -> bool | None:
    return None if argument is None else str(value) == str(argument)


def _boolean(value: JsonValue) -> FactContent | None:
    return value if isinstance(value, bool) else None


def _integer(value: JsonValue) -> FactContent | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: JsonValue) -> FactContent | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: JsonValue) -> FactContent | None:
    return value if isinstance(value, str) else None


def _minor(value: JsonValue) -> int | None:
    """Minor units of an amount with two decimals; a whole number is minor units, or a count, already."""
    if isinstance(value, str) and MONEY.fullmatch(value):
        return int(Decimal(value) * 100)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _date(value: JsonValue) -> FactContent | None:
    try:
        return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


_READERS: Mapping[FactType, Callable[[JsonValue], FactContent | None]] = {
    FactType.BOOLEAN: _boolean,
    FactType.INTEGER: _integer,
    FactType.NUMBER: _number,
    FactType.MONEY: _minor,
    FactType.ENUM: _text,
    FactType.TEXT: _text,
    FactType.DATE: _date,
}
