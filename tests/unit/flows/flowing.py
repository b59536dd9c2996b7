"""Shared by the tests of flows: the shipped flows, and a short way to answer them."""

from __future__ import annotations

from pathlib import Path

from handrail.guardrails.flows.answers import ANSWER_NO, ANSWER_YES
from handrail.guardrails.flows.engine import advance
from handrail.guardrails.flows.place import FlowAnswer, FlowPlace, FlowStep, Said
from handrail.guardrails.flows.spec import FlowSpec
from handrail.guardrails.vocabulary import ToolOutcome, ToolResult
from handrail.guardrails.yamlsource import Problem, parse, read

FOLDER = Path(__file__).parents[3] / "guardrails" / "policies" / "flows"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def shipped(name: str) -> FlowSpec:
    """A flow of the shipped bundle."""
    problems: list[Problem] = []
    document = read(FOLDER / f"{name}.yaml", name, problems)
    flow = document.parse(FlowSpec, problems) if document is not None else None
    assert flow is not None, problems
    return flow


def written(text: str) -> FlowSpec:
    """A flow written in a test; a minimal frame stands around its `entry` and `steps`."""
    frame = """
id: sample
version: 1.0.0
title: A sample
need_states: [how_to]
max_failed_attempts: 2
unclear: {en: "Sorry?"}
exhausted: {en: "A person takes over."}
card_refused: {en: "No card numbers, please."}
"""
    problems: list[Problem] = []
    document = parse(frame + text, "sample", problems)
    flow = document.parse(FlowSpec, problems) if document is not None else None
    assert flow is not None, problems
    return flow


class Talk:
    """A customer who goes through a flow, message by message."""

    def __init__(self, flow: FlowSpec, known: dict[str, str] | None = None) -> None:
        self.flow = flow
        self.known = known or {}
        self.place: FlowPlace | None = None
        self.said: list[Said] = []
        self.steps: list[FlowStep] = []

    def say(self, text: str, *signals: str, result: ToolResult | None = None) -> FlowStep:
        """The customer writes `text`, in which detectors found `signals`."""
        self.said.append(Said(message_id=f"m{len(self.said) + 1}", text=text))
        return self._advance(frozenset(signals), result)

    def yes(self) -> FlowStep:
        """The customer answers with yes."""
        return self.say("yes", ANSWER_YES)

    def no(self) -> FlowStep:
        """The customer answers with no."""
        return self.say("no", ANSWER_NO)

    def decided(self, outcome: ToolOutcome, content: dict[str, object] | None = None) -> FlowStep:
        """The call that the flow proposed has come to `outcome`, in the same turn."""
        call = self.steps[-1].call
        assert call is not None
        result = ToolResult.model_validate({"call": call, "outcome": outcome, "content": content})
        return self._advance(frozenset(), result)

    def _advance(self, signals: frozenset[str], result: ToolResult | None) -> FlowStep:
        answer = FlowAnswer(messages=tuple(self.said), signals=signals, known=self.known, result=result, language="en")
        step = advance(self.flow, self.place, answer)
        self.place = step.place
        self.steps.append(step)
        return step
