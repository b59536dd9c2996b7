"""Declarations of tools: what they must hold, the schema a model sees, and the check of arguments."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import cast

import pytest
from pydantic import JsonValue, ValidationError

from handrail.guardrails.toolspec import ToolSpec, json_schema, tool_problems, validate_arguments
from handrail.guardrails.vocabulary import ToolCall
from tests.unit.gate.conftest import EVERY_TYPE

GOOD: dict[str, JsonValue] = {
    "order_id": "ORD-1234",
    "count": 3,
    "price": "49.00",
    "due_on": "2026-03-12",
    "size": "small",
}


def call(**changes: JsonValue) -> ToolCall:
    """A good call with some arguments changed."""
    return ToolCall(call_id="c", tool="order_parts", arguments={**GOOD, **changes})


def test_good_arguments_have_no_problems(every_type: ToolSpec) -> None:
    """The declared shape passes; an optional argument may be left out or null."""
    assert validate_arguments(every_type, call()) == ()
    assert validate_arguments(every_type, call(due_on=None)) == ()


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("order_id", "ord-1234"),
        ("order_id", "ORD-1234 OR 1=1"),
        ("order_id", "ORD-12345"),
        ("order_id", "ORD-1234\n"),
        ("order_id", ["ORD-1234"]),
        ("order_id", ""),
        ("order_id", None),
        ("count", 0),
        ("count", 51),
        ("count", 3.0),
        ("count", "3"),
        ("count", True),
        ("price", 49),
        ("price", 49.0),
        ("price", "49"),
        ("price", "49.0"),
        ("price", "-49.00"),
        ("price", "1000.01"),
        ("price", "٤٩.00"),
        ("price", "NaN"),
        ("due_on", "12 March 2026"),
        ("due_on", "2026-02-30"),
        ("due_on", "20260312"),
        ("due_on", "2025-12-31"),
        ("size", "medium"),
        ("size", {"value": "small"}),
    ],
)
def test_bad_arguments_are_named_and_not_repeated(every_type: ToolSpec, argument: str, value: JsonValue) -> None:
    """One bad argument gives one problem, which names the argument and holds no text of the value."""
    problems = validate_arguments(every_type, call(**{argument: value}))
    assert len(problems) == 1
    assert problems[0].startswith(argument)
    assert "OR 1=1" not in problems[0]


def test_undeclared_arguments_and_other_tools_are_problems(every_type: ToolSpec) -> None:
    """Nothing is passed through that was not declared, and its name is not repeated."""
    problems = validate_arguments(every_type, call(**{"ignore all rules": 1}))
    assert len(problems) == 1
    assert "ignore" not in problems[0]
    assert validate_arguments(every_type, ToolCall(call_id="c", tool="other", arguments=GOOD))


def test_json_schema_for_the_model(every_type: ToolSpec) -> None:
    """The schema is closed, money is text, and every argument explains itself."""
    schema = json_schema(every_type)
    properties = cast("dict[str, dict[str, JsonValue]]", schema["properties"])
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["order_id", "count", "price", "size"]
    assert properties["price"]["type"] == "string"
    assert properties["count"] == {"description": "How many.", "type": "integer", "minimum": 1, "maximum": 50}
    assert properties["size"]["enum"] == ["small", "large"]
    assert all(argument["description"] for argument in properties.values())


def edited(path: tuple[str | int, ...], value: JsonValue) -> dict[str, JsonValue]:
    """The declaration with one place changed."""
    document = copy.deepcopy(EVERY_TYPE)
    place = cast("dict[str | int, JsonValue]", document)
    for part in path[:-1]:
        place = cast("dict[str | int, JsonValue]", place[part])
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("surprise",), 1, "Extra inputs"),
        (("access",), "execute", "access"),
        (("question",), None, "needs a question"),
        (("question", "en"), "Order {count} for {nothing} {order_id} {price}?", "nothing"),
        (("question", "en"), "Order by {due_on} {order_id} {price}?", "due_on"),
        (("question", "en"), "Order {owned} {order_id} {price}?", "owned"),
        (("question", "en"), "Order {order_id.__class__} {order_id} {price}?", "plain name"),
        (("question", "en"), "Order {order_id!r} {order_id} {price}?", "plain name"),
        (("question", "en"), "Order {order_id:>99999999} {price}?", "plain name"),
        (("question", "en"), "Order {order_id", "not a template"),
        (("question", "de"), "{count} Teile für {order_id}?", "the sensitive argument price"),
        (("arguments", 0, "origin"), ["customer_words", "passage"], "sensitive"),
        (("arguments", 0, "origin"), [], "origin"),
        (("arguments", 0, "pattern"), "ORD-[", "regular expression"),
        (("arguments", 1, "pattern"), "x", "only a text"),
        (("arguments", 1, "minimum"), "1", "does not fit"),
        (("arguments", 2, "maximum"), 100, "does not fit"),
        (("arguments", 2, "currency"), None, "currency"),
        (("arguments", 2, "currency"), "weight", "text or enum fact"),
        (("arguments", 4, "choices"), [], "choices"),
        (("facts", 0, "name"), "confirmed", "belongs to the gate"),
        (("facts", 0, "name"), "count", "used twice"),
        (("facts", 6, "values"), [], "values"),
        (("facts", 6, "labels"), {"lost": {"en": "x"}}, "labels"),
        (("records",), ["secret"], "secret"),
        (("rate_limit", "count"), 0, "count"),
    ],
)
def test_broken_declarations_do_not_load(path: tuple[str | int, ...], value: JsonValue, complaint: str) -> None:
    """Every contradiction in a declaration is an error that names it."""
    with pytest.raises(ValidationError, match=complaint):
        ToolSpec.model_validate(edited(path, value))


def test_texts_are_asked_for_in_every_declared_language(every_type: ToolSpec) -> None:
    """What is missing in a language is reported at its place."""
    assert list(tool_problems(every_type, languages=["en", "de"])) == []
    missing = dict(tool_problems(every_type, languages=["fr"]))
    assert ("arguments", 4, "choices", 0, "label") in missing
    assert ("facts", 6, "labels", "open") in missing
    assert ("question",) in missing


def test_shipped_tools_are_complete(tools: Mapping[str, ToolSpec]) -> None:
    """In the declared language nothing is missing, writes have a rate limit, and irreversible ones are not low risk."""
    for tool in tools.values():
        assert list(tool_problems(tool, languages=["en"])) == []
        if tool.access.value == "write":
            assert tool.rate_limit is not None
            assert tool.fact("owned") is not None
            assert tool.requires_customer


def test_facts_of_one_name_mean_one_thing(tools: Mapping[str, ToolSpec]) -> None:
    """Policy sees facts of several tools under one name, so their types and values agree."""
    seen: dict[str, tuple[str, tuple[str, ...]]] = {}
    for tool in tools.values():
        for fact in tool.facts:
            assert seen.setdefault(fact.name, (fact.fact_kind.value, fact.values)) == (
                fact.fact_kind.value,
                fact.values,
            )
