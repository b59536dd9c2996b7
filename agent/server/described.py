"""The description of the API, with an example for every body and every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from fastapi import FastAPI
from pydantic import JsonValue

from handrail.agent.server import openai_errors, openai_examples
from handrail.agent.server.examples import ERRORS, EXAMPLES, Example, Table

# FastAPI drops what is null from examples that routes bring along; here they are put in whole.
_WHOLE: Mapping[str, Example] = {
    **EXAMPLES,
    "POST /v1/chat/completions": Example(openai_examples.COMPLETION, body=openai_examples.REQUEST),
    "POST /proxy/v1/chat/completions": Example(openai_examples.HANDED_OVER, body=openai_examples.PROXIED),
}
_OPENAI = openai_errors.PATHS
"""Their errors have OpenAI's shape, and an example of it."""


class Application(FastAPI):
    """A FastAPI application whose description has examples."""

    def openapi(self) -> Table:
        """The OpenAPI description."""
        if self.openapi_schema is None:
            described: Table = super().openapi()
            _add_examples(described)
            self.openapi_schema = described
        return self.openapi_schema


def _add_examples(described: Table) -> None:
    for path, operations in _tables(described.get("paths")):
        for method, operation in _tables(operations):
            example = _WHOLE.get(f"{method.upper()} {path}")
            if example is not None and example.body is not None:
                _put(operation.get("requestBody"), example.body)
            for status, answer in _tables(operation.get("responses")):
                if status in ERRORS and not path.startswith(_OPENAI):
                    _as_json(answer)
                    _put(answer, ERRORS[status])
                elif example is not None and example.answer is not None and status.startswith("2"):
                    _put(answer, example.answer)


def _as_json(error: Table) -> None:
    """Errors are JSON on every route; FastAPI describes them in the media type of the route's own answers."""
    content = error.get("content")
    if _is_table(content) and "application/json" not in content:
        error["content"] = {"application/json": next(iter(content.values()), {})}


def _put(place: JsonValue, example: JsonValue) -> None:
    """Set the example of a body's or an answer's JSON content, if it has any."""
    content = place.get("content") if _is_table(place) else None
    found = content.get("application/json") if _is_table(content) else None
    if _is_table(found):
        found["example"] = example


def _tables(place: JsonValue | Mapping[str, JsonValue]) -> list[tuple[str, Table]]:
    return [(name, each) for name, each in place.items() if _is_table(each)] if isinstance(place, Mapping) else []


def _is_table(place: object) -> TypeGuard[Table]:
    return isinstance(place, dict)
