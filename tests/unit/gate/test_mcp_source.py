"""Declarations of tools that an MCP server has: what is wrong with them is said when the bundle is loaded."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError

from handrail.agent.mcp.reach import McpServer
from handrail.guardrails.detect.labels import LABEL, MASKED
from handrail.guardrails.gate.results import veiled
from tests.support.mcp import declared


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mcp": {"key": None}}, "where the server takes the key"),
        ({"mcp": {"key": {"meta": "k", "argument": "k"}}}, "either the argument or the entry"),
        ({"mcp": {"arguments": {"amount": {"name": "a"}}}}, "amount is not an argument"),
        ({"mcp": {"arguments": {"order_id": {"name": "a", "form": "number"}}}}, "order_id is no money"),
        ({"mcp": {"arguments": {"order_id": {"name": "customer_id"}}}}, "customer_id is filled twice"),
        ({"mcp": {"look_up": None}}, "nothing says where the fact owned is read"),
        ({"mcp": {"look_up": {"tool": "t", "facts": {"size": {"path": ["a"]}}}}}, "size is not a fact"),
        ({"mcp": {"look_up": {"tool": "t", "facts": {"owned": {"path": ["a"], "same_as": "b"}}}}}, "compared with b"),
        ({"mcp": {"server": "http://evil.example"}}, "mcp.server"),
        ({"masked": ["price"]}, "masked: price is not in minimise"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, JsonValue], said: str) -> None:
    """Where it stands, and what it should be."""
    with pytest.raises(ValidationError, match=said.replace(".", r"\.")):
        declared("cancel_order", **changes)


def test_a_read_of_a_customer_says_how_the_server_learns_whose() -> None:
    """Without that its results could be anybody's."""
    with pytest.raises(ValidationError, match="name the argument that takes the customer"):
        declared("get_order", mcp={"customer": None})


def test_masked_fields_have_a_label_at_any_depth_that_no_argument_may_hold() -> None:
    """The label counts as one, so that a model cannot pass it on as a value."""
    spec = declared("get_order")
    content: JsonValue = {"email": "a@b.example", "lines": [{"email": ["a", "b"], "status": "open"}]}
    assert veiled(spec, content) == {"email": MASKED, "lines": [{"email": MASKED, "status": "open"}]}
    assert LABEL.search(MASKED)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"command": ["a"], "url": "http://a"},
        {"url": "http://a", "env": {"A": "b"}},
        {"command": ["a"], "headers": {"A": "b"}},
        {"url": "http://user:password@a"},
        {"url": "file:///etc/passwd"},
    ],
)
def test_a_server_is_reached_in_one_way(content: dict[str, JsonValue]) -> None:
    """A command or an address, each with its own secrets."""
    with pytest.raises(ValidationError):
        McpServer.model_validate(content)
