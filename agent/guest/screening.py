"""What a guest's model may read of what tools and documents say: no text that addresses it as if it gave orders."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from handrail.agent.ports import Screen
from handrail.guardrails.vocabulary import ToolResult

WITHHELD = "[withheld: this text reads like an instruction to the assistant]"
_DEEPEST = 32


def screened(content: JsonValue, screen: Screen) -> JsonValue:
    """`content` with a mark in the place of every text that was found to address the model. Costs CPU."""
    if not screen.screen_json(content):
        return content
    marked = _each(content, lambda text: WITHHELD if screen.screen_json(text) else text)
    # Harmless pieces can be an order together, as what was not read to its end can hold one: then no text is shown.
    return _each(content, lambda _: WITHHELD) if screen.screen_json(_unmarked(marked)) else marked


def screened_results(results: tuple[ToolResult, ...], screen: Screen) -> tuple[ToolResult, ...]:
    """The same for the contents of results."""
    return tuple(one.model_copy(update={"content": screened(one.content, screen)}) for one in results)


def shallow(content: JsonValue) -> JsonValue:
    """`content` without what lies too deep: no reader of it can be broken by its depth."""
    return _each(content, lambda text: text)


def _unmarked(content: JsonValue) -> JsonValue:
    return _each(content, lambda text: "" if text == WITHHELD else text)


def _each(content: JsonValue, change: Callable[[str], str], depth: int = 0) -> JsonValue:
    """Every text of the structure changed, keys included; what lies too deep is left out."""
    if isinstance(content, str):
        return change(content)
    if depth >= _DEEPEST:
        return None
    if isinstance(content, list):
        return [_each(item, change, depth + 1) for item in content]
    if isinstance(content, dict):
        return {change(key): _each(item, change, depth + 1) for key, item in content.items()}
    return content
