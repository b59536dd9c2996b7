"""Arguments that are objects or lists of them, texts with line breaks, and records that vouch for single arguments."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import JsonValue, ValidationError

from handrail.guardrails.gate.argument import Origin
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.editing import changed
from handrail.guardrails.gate.inspection import CallInspection, Sources, inspect
from handrail.guardrails.gate.question import render_question
from handrail.guardrails.toolspec import ToolSpec, json_schema, validate_arguments
from handrail.guardrails.vocabulary import FactContent, ToolCall

FILE: dict[str, JsonValue] = {
    "name": "file_id",
    "type": "text",
    "description": "The file.",
    "pattern": "F-[0-9]+",
    "origin": ["verified_record"],
}
ATTACHED: dict[str, JsonValue] = {
    "name": "attached",
    "type": "object",
    "description": "What goes with it.",
    "many": {"at_least": 0, "at_most": 3},
    "required": False,
    "fields": [
        FILE,
        {"name": "seen_by", "type": "text", "description": "Who may see it.", "many": {}, "required": False},
        {"name": "keep", "type": "boolean", "description": "Whether a copy stays.", "required": False},
        {"name": "until", "type": "date", "description": "The last day.", "required": False},
    ],
}
COVER: dict[str, JsonValue] = {
    "name": "cover",
    "type": "object",
    "description": "The cover.",
    "fields": [{"name": "title", "type": "text", "description": "Its title."}],
}
BODY: dict[str, JsonValue] = {"name": "body", "type": "text", "description": "What it says.", "multiline": True}
TO: dict[str, JsonValue] = {"name": "to", "type": "text", "description": "To whom.", "origin": ["verified_record"]}
FILES: dict[str, JsonValue] = {
    "name": "files",
    "type": "texts",
    "vouches_for": ["attached.file_id"],
    "description": "files",
}


def tool(*arguments: Mapping[str, JsonValue], facts: tuple[Mapping[str, JsonValue], ...] = (FILES,)) -> ToolSpec:
    """A tool that sends a parcel."""
    return ToolSpec.model_validate(
        {
            "id": "send",
            "title": {"en": "Send"},
            "description": "Sends.",
            "access": "write",
            "reversible": False,
            "sensitivity": "high",
            "idempotent": True,
            "requires_customer": True,
            "arguments": list(arguments),
            "facts": list(facts),
            "question": {"en": "Send it with {cover}?"},
            "done": {"en": "Sent."},
        }
    )


SEND = tool(ATTACHED, COVER, BODY, TO)
WHOLE: dict[str, JsonValue] = {"cover": {"title": "Plans"}, "body": "Hello", "to": "ida"}


def call(**arguments: JsonValue) -> ToolCall:
    """A call of it, whole but for `arguments`."""
    return ToolCall(call_id="1", tool="send", arguments={**WHOLE, **arguments})


def looked(vouched: Mapping[str, FactContent], sources: Sources = Sources(), **arguments: JsonValue) -> CallInspection:  # noqa: B008 - it is frozen
    """The call as the gate sees it."""
    return inspect(call(**arguments), SEND, sources, vouched)


def test_objects_are_written_in_one_way() -> None:
    """Fields are canonical like arguments, null fields are left out, and the order of fields does not matter."""
    one = canonical(call(attached=[{"file_id": "f-1", "until": "12 March 2026", "keep": None}]), SEND)
    two = canonical(call(attached=[{"until": "2026-03-12", "file_id": "F-1"}]), SEND)
    assert one.arguments["attached"] == [{"file_id": "F-1", "until": "2026-03-12"}]
    assert digest(one) == digest(two)
    assert digest(one) != digest(canonical(call(attached=[{"file_id": "F-2", "until": "2026-03-12"}]), SEND))


@pytest.mark.parametrize(
    ("attached", "said"),
    [
        ({"file_id": "F-1"}, "must be a list"),
        (["F-1"], "must be an object"),
        ([{}], "file_id is missing"),
        ([{"file_id": "F-1", "owner": "udo"}], "there are fields that it does not have"),
        ([{"file_id": "F-1"}, {"file_id": "one"}], "file_id must match"),
        ([{"file_id": "F-1", "seen_by": "ida"}], "seen_by must be a list"),
        ([{"file_id": "F-1"}] * 4, "must hold 0 to 3 values"),
    ],
)
def test_objects_have_their_fields_and_no_others(attached: JsonValue, said: str) -> None:
    """What does not fit is refused in words that never repeat a value."""
    (problem,) = validate_arguments(SEND, call(attached=attached))
    assert said in problem
    assert "udo" not in problem
    assert validate_arguments(SEND, call(attached=[])) == ()


def test_a_model_is_told_the_fields() -> None:
    """The schema nests, closed at every level."""
    properties = json_schema(SEND)["properties"]
    assert isinstance(properties, dict)
    attached = properties["attached"]
    assert isinstance(attached, dict)
    items = attached["items"]
    assert isinstance(items, dict)
    assert items["required"] == ["file_id"]
    assert items["additionalProperties"] is False


def test_every_field_of_every_object_needs_its_origin() -> None:
    """One file that nobody vouches for is enough; the origin names the field."""
    mine: dict[str, FactContent] = {"files": ("F-1", "F-2")}
    whole = Sources(records=("ida",))
    fine = looked(mine, whole, attached=[{"file_id": "F-1"}, {"file_id": "f-2", "seen_by": ["udo"]}])
    assert fine.unvouched == ()
    assert {one.argument: one.origins for one in fine.provenance}["attached.file_id"] == (Origin.VERIFIED_RECORD,)
    assert looked(mine, whole, attached=[{"file_id": "F-1"}, {"file_id": "F-3"}]).unvouched == ("attached.file_id",)
    assert looked({}, whole, attached=[{"file_id": "F-1"}]).unvouched == ("attached.file_id",)


def test_a_record_vouches_for_the_arguments_it_names_and_no_others() -> None:
    """An id of one kind is no id of another kind, although both are written alike."""
    crossed = looked({"files": ("F-1", "ida")}, attached=[{"file_id": "F-1"}])
    assert crossed.unvouched == ("to",)


def test_an_object_that_does_not_fit_comes_from_the_model() -> None:
    """Nothing is looked for inside something of another shape."""
    found = looked({"files": ("F-1",)}, attached=[{"file_id": "F-1", "more": "F-9"}])
    assert not found.schema_valid
    assert found.unvouched[0] == "attached.file_id"


def test_the_customer_sees_the_fields() -> None:
    """An object stands in a question with the names of its fields; markup cannot break out."""
    written = canonical(call(cover={"title": "<b>Plans</b>"}), SEND)
    assert render_question(SEND, written, {}, "en") == "Send it with (title bPlans/b)?"


def test_line_breaks_are_kept_where_they_mean_something() -> None:
    """A letter keeps its lines; in any other text they are blanks. The digest asks for neither."""
    letter = canonical(call(body="Dear Ida,\n\n  - one\n  - two", cover={"title": "The\nplans"}), SEND)
    assert letter.arguments["body"] == "Dear Ida,\n\n  - one\n  - two"
    assert letter.arguments["cover"] == {"title": "The plans"}
    assert digest(letter) == digest(canonical(call(body="Dear Ida, - one - two", cover={"title": "The plans"}), SEND))


def test_an_edit_of_a_field_is_an_edit() -> None:
    """Types count inside objects, as they do outside."""
    before = call(attached=[{"file_id": "F-1", "keep": True}])
    assert changed(before, call(attached=[{"keep": True, "file_id": "F-1"}])) == {}
    assert list(changed(before, call(attached=[{"file_id": "F-1", "keep": 1}]))) == ["attached"]


@pytest.mark.parametrize(
    ("arguments", "facts", "said"),
    [
        ([{**COVER, "fields": []}], [], "an object needs fields"),
        ([{**TO, "fields": [FILE]}], [], "an object needs fields, and nothing else has them"),
        ([{**COVER, "origin": ["customer_words"]}], [], "an object has no origin"),
        ([{**COVER, "fields": [FILE, FILE]}], [], "two fields file_id"),
        ([{**COVER, "multiline": True}], [], "only a text has line breaks"),
        ([COVER], [FILES], "vouches for attached.file_id, which is no argument"),
        ([COVER, ATTACHED], [{**FILES, "vouches": True}], "write one of the two"),
        (
            [COVER, {**ATTACHED, "fields": [{**TO, "sensitive": True}]}],
            [],
            "sensitive argument attached does not stand",
        ),
    ],
)
def test_declarations_are_checked(
    arguments: list[Mapping[str, JsonValue]], facts: list[Mapping[str, JsonValue]], said: str
) -> None:
    """What could never hold is said when the tool is loaded."""
    with pytest.raises(ValidationError, match=said):
        tool(*arguments, facts=tuple(facts))
