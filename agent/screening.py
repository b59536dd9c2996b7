"""What a model may read of what others say: the declared fields of a result, and no text that addresses it (S5.4)."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.ports import Detectors
from handrail.agent.room import sensible
from handrail.guardrails.gate.results import shown
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import Frozen, Signal, ToolResult

WITHHELD = "TOOL_RESULT_WITHHELD"
"""Says that a tool ran and that its answer may be read by no model."""


class Screened(Frozen):
    """A result as far as a model may read it. `signals` are why its content was withheld."""

    result: ToolResult
    signals: tuple[Signal, ...] = ()


def screened(result: ToolResult, spec: ToolSpec | None, detectors: Detectors) -> Screened:
    """`result` with the declared fields of its content, and with nothing of it when these address the model.

    A tool that is not declared has no such fields. Costs CPU.
    """
    content = None if spec is None else shown(spec, result.content)
    signals = () if content is None else orders_in(content, detectors)
    if signals:
        return Screened(result=without_content(result), signals=signals)
    return Screened(result=result.model_copy(update={"content": content}))


def without_content(result: ToolResult) -> ToolResult:
    """`result`, of which no model may read any content."""
    return result.model_copy(update={"content": None, "reasons": (*result.reasons, WITHHELD)})


def orders_in(content: JsonValue, detectors: Detectors) -> tuple[Signal, ...]:
    """Signals of instructions to the model; none means that there are none, and that all was read. Costs CPU."""
    found = sensible(detectors.screen_json(content), tuple, "the detectors")
    return tuple(sensible(one, Signal, "the detectors") for one in found)
