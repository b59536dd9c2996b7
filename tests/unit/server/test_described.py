"""The description of the API: an example for every body and every answer, each of which is what it stands for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from handrail.agent.server.app import create_app
from handrail.agent.server.examples import EXAMPLES
from handrail.agent.settings import Company, Settings
from tests.unit.server.fake import FakeService, FixedClock

Table = dict[str, object]
OPENAI = ("/v1/chat", "/v1/models", "/proxy/v1")
"""Their errors have OpenAI's shape."""

OWN = ("handrail.agent.", "handrail.guardrails.")


@dataclass(frozen=True)
class Content:
    """A JSON body or answer as it is described."""

    where: str
    schema: Table
    example: object


@pytest.fixture
def described(service: FakeService, settings: Settings) -> Table:
    """The description of the whole API."""
    return dict(create_app(service, settings, FixedClock()).openapi())


def table(place: object) -> Table:
    """A part of the description that is a table; an empty one where there is none."""
    return place if isinstance(place, dict) else {}


def operations(described: Table) -> Iterator[tuple[str, Table]]:
    """Every operation by method and path."""
    for path, found in table(described["paths"]).items():
        for method, operation in table(found).items():
            yield f"{method.upper()} {path}", table(operation)


def contents(described: Table) -> Iterator[Content]:
    """Every JSON body and every JSON answer."""
    for name, operation in operations(described):
        places = {f"{name} body": table(operation.get("requestBody"))}
        places |= {f"{name} {status}": table(each) for status, each in table(operation["responses"]).items()}
        for where, place in places.items():
            found = table(place.get("content")).get("application/json")
            if found is not None:
                yield Content(where, table(table(found).get("schema")), table(found).get("example"))


def models() -> dict[str, type[BaseModel]]:
    """Every exchanged value by its name, which is also that of its schema.

    Other tests load models of other packages, and stand-ins, into the same process: theirs are none of the server's.
    """
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        for each in waiting.pop().__subclasses__():
            if each.__module__.startswith(OWN):
                found[each.__name__] = each
            waiting.append(each)
    return found


def check(schema: Table, example: object, known: dict[str, type[BaseModel]]) -> None:
    """Read an example as what its schema names. Raises ValidationError."""
    options = schema.get("anyOf")
    if isinstance(options, list):
        schema = next(table(each) for each in options if "$ref" in table(each))
    if schema.get("type") == "array":
        assert isinstance(example, list)
        assert example
        for each in example:
            check(table(schema["items"]), each, known)
        return
    reference = schema["$ref"]
    assert isinstance(reference, str)
    known[reference.rpartition("/")[2]].model_validate_json(json.dumps(example))


def test_every_body_and_answer_has_an_example_that_fits(described: Table) -> None:
    """Each example can be read as the model that it stands for: with all its fields, and no others."""
    known, seen = models(), 0
    for content in contents(described):
        assert content.example is not None, content.where
        check(content.schema, content.example, known)
        seen += 1
    assert seen > 100


def test_no_example_is_left_over(described: Table) -> None:
    """The table of examples names operations that exist."""
    assert set(EXAMPLES) <= {name for name, _ in operations(described)}


def test_streams_are_described(described: Table) -> None:
    """Both streams are described as such, with an example of what goes over the wire."""
    streams = {}
    for name, operation in operations(described):
        content = table(table(table(operation["responses"]).get("200")).get("content"))
        if "text/event-stream" in content:
            streams[name] = str(table(content["text/event-stream"])["example"])
    one = "/v1/conversations/{conversation_id}"
    assert {f"GET {one}/events", f"POST {one}/messages"} <= streams.keys()
    for name in (f"GET {one}/events", f"POST {one}/messages"):
        assert streams[name].startswith("event: typing\ndata: {")
        assert "\n\nid: 4\nevent: message.completed\ndata: {" in streams[name]
        assert streams[name].endswith("\n\n")


def test_errors_are_all_described_alike(described: Table) -> None:
    """Every operation is described, and each of its errors has the one shape."""
    for name, operation in operations(described):
        assert operation["description"], name
        for status, answer in table(operation["responses"]).items():
            if status.startswith(("4", "5")) and not name.partition(" ")[2].startswith(OPENAI):
                content = table(table(table(answer)["content"])["application/json"])
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, (name, status)


def test_demo_is_there_with_the_sample_company_only(service: FakeService, settings: Settings) -> None:
    """A real company's server hands out no tokens: the demo's paths do not exist there."""
    real = settings.model_copy(update={"company": Company.NONE})
    paths = table(create_app(service, real, FixedClock()).openapi()["paths"])
    assert paths
    assert not [path for path in paths if path.startswith("/demo")]
