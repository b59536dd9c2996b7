"""One way to write a call, and the digest that agreement binds to."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall

NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
SCALARS = (
    st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.text("ab1 \t\n-_.é", max_size=12)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


def call(arguments: Mapping[str, JsonValue], tool: str = "order_parts") -> ToolCall:
    """A proposed call; the id of a call is no part of what is agreed to."""
    return ToolCall(call_id=str(len(arguments)), tool=tool, arguments=dict(arguments))


def spaced(value: JsonValue) -> JsonValue:
    """The same value with other white space in its texts."""
    if isinstance(value, str):
        return "  " + "\n ".join(value.split()) + "\t"
    if isinstance(value, list):
        return [spaced(item) for item in value]
    if isinstance(value, dict):
        return {key: spaced(item) for key, item in reversed(value.items())}
    return value


def plain(value: JsonValue) -> object:
    """The value as something that tells apart what differs: its types and its words."""
    if isinstance(value, str):
        return ("text", *value.split())
    if isinstance(value, list):
        return ("list", *(plain(item) for item in value))
    if isinstance(value, dict):
        return ("object", *sorted((key, repr(plain(item))) for key, item in value.items()))
    return (type(value).__name__, repr(value))


@given(ARGUMENTS)
def test_order_and_white_space_never_matter(arguments: dict[str, JsonValue]) -> None:
    """Reordered and respaced arguments have the same digest."""
    other = {name: spaced(value) for name, value in reversed(arguments.items())}
    assert digest(call(arguments)) == digest(call(other))
    assert digest(call({**arguments, "zz": None})) == digest(call(arguments))


@given(ARGUMENTS, st.data())
def test_any_change_of_a_value_matters(arguments: dict[str, JsonValue], data: st.DataObject) -> None:
    """Another value, a missing argument, an added one and another tool all change the digest."""
    before = digest(call(arguments))
    name = data.draw(st.sampled_from(sorted(arguments)))
    value = data.draw(VALUES)
    assume(plain(value) != plain(arguments[name]))
    assert digest(call({**arguments, name: value})) != before
    assert digest(call({key: item for key, item in arguments.items() if key != name})) != before
    assert digest(call({**arguments, "zz": value})) != before
    assert digest(call(arguments, "other")) != before


def test_the_digest_never_raises() -> None:
    """Whatever a model sends has a digest."""
    odd: dict[str, JsonValue] = {"a": math.nan, "b": math.inf, "c": "\ud800", "d": "\x00", "e": 10**400, "f": [[[]]]}
    assert len(digest(call(odd))) == 64
    assert digest(call({"a": 1})) != digest(call({"a": True})) != digest(call({"a": "1"}))


@pytest.mark.parametrize(
    ("name", "written", "canonical_value"),
    [
        ("price", "49", "49.00"),
        ("price", "49.5", "49.50"),
        ("price", "€49", "49.00"),
        ("price", "49,00 EUR", "49.00"),
        ("price", "USD 1,299.50", "1299.50"),
        ("price", " 49.00 ", "49.00"),
        ("due_on", "12 March 2026", "2026-03-12"),
        ("due_on", "March 12, 2026", "2026-03-12"),
        ("due_on", "2026-03-12", "2026-03-12"),
        ("order_id", "ord-1234", "ORD-1234"),
        ("count", "3", 3),
        ("size", "LARGE", "large"),
        ("size", "Klein", "small"),
        ("size", "tiny", "small"),
    ],
)
def test_values_are_written_in_one_way(
    every_type: ToolSpec, name: str, written: JsonValue, canonical_value: JsonValue
) -> None:
    """The usual ways to write a value become one; doing it again changes nothing."""
    once = canonical(call({name: written}), every_type)
    assert once.arguments == {name: canonical_value}
    assert canonical(once, every_type) == once


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("price", "1.000"),
        ("price", "49 or 50"),
        ("price", "about 49"),
        ("price", "49.005"),
        ("price", "-49.00"),
        ("price", 49),
        ("price", "49" * 100),
        ("due_on", "03/04/2026"),
        ("due_on", "12 March"),
        ("due_on", "tomorrow"),
        ("count", "three"),
        ("count", 3.5),
        ("size", "huge"),
        ("size", ["small"]),
        ("unknown", {"a": [1]}),
    ],
)
def test_nothing_is_guessed(every_type: ToolSpec, name: str, written: JsonValue) -> None:
    """What has several readings, or none, stays as it is for the schema check to refuse."""
    assert canonical(call({name: written}), every_type).arguments == {name: written}


@given(st.dictionaries(st.sampled_from(["order_id", "count", "price", "due_on", "size", "other"]), VALUES))
def test_canonical_is_stable(arguments: dict[str, JsonValue]) -> None:
    """Bringing a call into canonical form twice is the same as once, whatever it holds."""
    spec = ToolSpec.model_validate(_every_type())
    once = canonical(call(arguments), spec)
    assert canonical(once, spec) == once
    assert digest(canonical(once, spec)) == digest(once)


def _every_type() -> dict[str, JsonValue]:
    from tests.unit.gate.conftest import EVERY_TYPE

    return EVERY_TYPE
