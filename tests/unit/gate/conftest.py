"""The shipped tools, and one small tool with every type of argument and fact."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.yamlsource import Problem, read

SPECS = Path(__file__).parents[3] / "guardrails" / "policies" / "tools"

EVERY_TYPE: dict[str, JsonValue] = {
    "id": "order_parts",
    "title": {"en": "Order parts", "de": "Teile bestellen"},
    "description": "Orders parts.",
    "access": "write",
    "reversible": False,
    "sensitivity": "high",
    "idempotent": True,
    "requires_customer": True,
    "arguments": [
        {
            "name": "order_id",
            "type": "text",
            "description": "The order.",
            "pattern": "ORD-[0-9]{4}",
            "spoken": ["order", "#"],
            "sensitive": True,
            "origin": ["customer_words", "verified_record"],
        },
        {"name": "count", "type": "integer", "description": "How many.", "minimum": 1, "maximum": 50},
        {
            "name": "price",
            "type": "money",
            "description": "At most this.",
            "currency": "currency",
            "maximum": "1000.00",
            "sensitive": True,
            "origin": ["customer_words", "verified_record"],
        },
        {"name": "due_on", "type": "date", "description": "By when.", "minimum": "2026-01-01", "required": False},
        {
            "name": "size",
            "type": "choice",
            "description": "Which size.",
            "choices": [
                {"value": "small", "label": {"en": "Small", "de": "Klein"}, "words": ["tiny"]},
                {"value": "large", "label": {"en": "Large", "de": "Groß"}},
            ],
        },
    ],
    "facts": [
        {"name": "owned", "type": "boolean", "description": "own order"},
        {"name": "currency", "type": "text", "description": "currency"},
        {"name": "open_minor", "type": "money", "currency": "currency", "vouches": True, "description": "still open"},
        {"name": "asked_minor", "type": "money", "currency": "currency", "description": "echo of the price"},
        {"name": "ships_on", "type": "date", "description": "day of shipping"},
        {"name": "weight", "type": "number", "description": "kilograms"},
        {
            "name": "state",
            "type": "enum",
            "values": ["open", "shipped"],
            "labels": {"open": {"en": "still open", "de": "noch offen"}},
            "description": "state",
        },
    ],
    "question": {
        "en": "Order {count} parts ({size}) for {order_id} at {price}? It is {state} and ships on {ships_on}.",
        "de": "{count} Teile ({size}) für {order_id} zu {price} bestellen?",
    },
    "done": {"en": "Ordered for {order_id}.", "de": "Bestellt für {order_id}."},
    "rate_limit": {"count": 2, "within_minutes": 60},
    "minimise": ["order_id", "price", "tags"],
    "records": ["order_id"],
}


@pytest.fixture
def every_type() -> ToolSpec:
    """A tool with every type of argument and fact."""
    return ToolSpec.model_validate(EVERY_TYPE)


@cache
def shipped_tools() -> Mapping[str, ToolSpec]:
    """The tools of the shipped bundle by id."""
    tools: dict[str, ToolSpec] = {}
    for path in sorted(SPECS.glob("*.yaml")):
        problems: list[Problem] = []
        document = read(path, path.name, problems)
        parsed = document.parse(ToolSpec, problems) if document else None
        assert parsed is not None, problems
        tools[parsed.id] = parsed
    return tools


@pytest.fixture(scope="session")
def tools() -> Mapping[str, ToolSpec]:
    """The tools of the shipped bundle by id."""
    return shipped_tools()
