"""Arguments that are numbers with a fraction, or yes or no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from handrail.guardrails.gate.argument import Argument, Origin
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.editing import Edit, edit_of
from handrail.guardrails.gate.inspection import Sources, inspect
from handrail.guardrails.toolspec import ToolSpec, json_schema, validate_arguments
from handrail.guardrails.vocabulary import ToolCall

SPEC = ToolSpec.model_validate(
    {
        "id": "send_parcel",
        "title": {"en": "Send"},
        "description": "Sends a parcel.",
        "access": "read",
        "reversible": True,
        "sensitivity": "low",
        "idempotent": True,
        "requires_customer": False,
        "arguments": [
            {
                "name": "weight",
                "type": "number",
                "description": "Kilograms.",
                "minimum": "0.5",
                "maximum": 30,
                "sensitive": True,
                "origin": ["customer_words", "verified_record", "operator"],
                "favours": "less",
            },
            {"name": "fragile", "type": "boolean", "description": "Whether it breaks.", "required": False},
        ],
    }
)


def call(**arguments: JsonValue) -> ToolCall:
    """A call of that tool."""
    return ToolCall(call_id="c", tool="send_parcel", arguments=arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"weight": 0.5}, ()),
        ({"weight": 30, "fragile": False}, ()),
        ({"weight": 0.49}, ("weight must be at least 0.5",)),
        ({"weight": 30.01}, ("weight must be at most 30",)),
        ({"weight": True}, ("weight must be a number",)),
        ({"weight": "heavy"}, ("weight must be a number",)),
        ({"weight": float("nan")}, ("weight must be a number",)),
        ({"weight": float("inf")}, ("weight must be a number",)),
        ({"weight": 1, "fragile": 1}, ("fragile must be true or false",)),
        ({"weight": 1, "fragile": "true"}, ("fragile must be true or false",)),
    ],
)
def test_what_fits(arguments: dict[str, JsonValue], said: tuple[str, ...]) -> None:
    """Numbers within bounds; true and false and nothing that is like them."""
    written = canonical(call(**arguments), SPEC)
    assert validate_arguments(SPEC, written) == said


@given(st.integers(-(10**9), 10**9))
def test_one_number_has_one_form(number: int) -> None:
    """Whether it came with a fraction of nothing, or as text."""
    forms: list[JsonValue] = [number, float(number), str(number), f"{number}.00"]
    assert len({digest(canonical(call(weight=form), SPEC)) for form in forms}) == 1


@pytest.mark.parametrize(
    ("sources", "vouched"),
    [
        (Sources(customer_words=("it weighs 2.5 kg",)), True),
        (Sources(customer_words=("it weighs 2,5 kilograms",)), True),
        (Sources(records=({"weight": 2.5},)), True),
        (Sources(customer_words=("it weighs 25 kg",)), False),
        (Sources(records=({"weight": "2.5"},)), False),
        (Sources(passages=("parcels of 2.5 kg",), tool_results=({"weight": 2.5},)), False),
    ],
)
def test_where_a_number_comes_from(sources: Sources, vouched: bool) -> None:
    """In any notation in words, and as itself in a record."""
    assert (inspect(call(weight=2.5), SPEC, sources).unvouched == ()) is vouched


def test_a_boolean_comes_from_the_model() -> None:
    """Some true stands in every record; none of them is this one."""
    found = inspect(
        call(weight=1, fragile=True), SPEC, Sources(records=({"open": True},), customer_words=("yes, true",))
    )
    assert {one.argument: one.origins for one in found.provenance}["fragile"] == (Origin.MODEL,)


def test_an_edit_in_the_customers_favour() -> None:
    """Less of it, fractions too."""
    assert edit_of(SPEC, call(weight=2.5), call(weight=2.25)) is Edit.FAVOURABLE
    assert edit_of(SPEC, call(weight=2.5), call(weight=2.75)) is Edit.ADVERSE


def test_the_model_is_told() -> None:
    """In the words of JSON Schema."""
    schema = json_schema(SPEC)["properties"]
    assert isinstance(schema, dict)
    assert schema["weight"] == {"description": "Kilograms.", "type": "number", "minimum": 0.5, "maximum": 30.0}
    assert schema["fragile"] == {"description": "Whether it breaks.", "type": "boolean"}


@pytest.mark.parametrize(
    "broken",
    [
        {"sensitive": True, "origin": ["customer_words"]},
        {"origin": ["customer_words", "verified_record"]},
        {"minimum": 0},
    ],
)
def test_booleans_that_mean_nothing(broken: dict[str, JsonValue]) -> None:
    """Nobody can say where a yes comes from; what matters that much is a choice."""
    with pytest.raises(ValidationError):
        Argument.model_validate({"name": "fragile", "type": "boolean", "description": "Breaks.", **broken})


def test_a_boolean_stands_in_no_question() -> None:
    """There are no words for it in the customer's language."""
    question = {"question": {"en": "Send it, fragile: {fragile}?"}, "done": {"en": "Sent."}, "access": "write"}
    fragile = {"name": "fragile", "type": "boolean", "description": "Breaks."}
    with pytest.raises(ValidationError, match="is no required argument"):
        ToolSpec.model_validate({**SPEC.model_dump(mode="json"), **question, "arguments": [fragile]})
