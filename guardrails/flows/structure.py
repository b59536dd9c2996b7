"""The shape of a flow: its edges, and everything that can be wrong with them, reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pydantic import BaseModel

from handrail.guardrails.flows.model import Collect, Done, Extract, FlowSpec, HandOff, Instruct, Propose, Step, Verify
from handrail.guardrails.flows.wording import PLACEHOLDER

Path: TypeAlias = tuple[str | int, ...]


class Leads(StrEnum):
    """What following an edge says about the outcome."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    ONWARD = "onward"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a step: the field that names it, where it leads, and what it says of the outcome."""

    path: Path
    to: str
    leads: Leads = Leads.ONWARD


def edges(step: Step) -> tuple[Edge, ...]:
    """Every way out of `step`; none for the two kinds of ending."""
    if isinstance(step, Collect):
        cases = () if step.cases is None else tuple(step.cases.to.items())
        ways = [Edge(("cases", "to", value), to) for value, to in cases]
        return (*ways, *_optional("incomplete", step.incomplete), Edge(("next",), step.next))
    if isinstance(step, Instruct):
        return (Edge(("yes",), step.yes), Edge(("no",), step.no), *_optional("unclear", step.unclear))
    if isinstance(step, Verify):
        return (Edge(("yes",), step.yes, Leads.SOLVED), Edge(("no",), step.no, Leads.NOT_SOLVED))
    if isinstance(step, Propose):
        return (Edge(("next",), step.next), Edge(("refused",), step.refused), *_optional("missing", step.missing))
    return ()


def verify_after(flow: FlowSpec, name: str) -> Verify | None:
    """The nearest outcome question that lies ahead of the step `name`, in the order its edges are written."""
    waiting, seen = [name], {name}
    while waiting:
        step = flow.step(waiting.pop(0))
        if step is None:
            continue
        if isinstance(step, Verify) and step.id != name:
            return step
        ahead = [edge.to for edge in edges(step) if edge.to not in seen]
        seen.update(ahead)
        waiting.extend(ahead)
    return None


def flow_problems(
    flow: FlowSpec, *, languages: Collection[str], tools: Collection[str], reasons: Collection[str]
) -> Iterator[tuple[Path, str]]:
    """Everything wrong with `flow`, each with its path in the file and what to do."""
    yield from _duplicates(flow)
    yield from _references(flow, tools, reasons)
    yield from _reach(flow)
    yield from _cycles(flow)
    yield from _unverified(flow)
    yield from _slots(flow)
    for path, texts in _texts(flow, ()):
        yield from _wording(flow, path, texts, languages)


def _optional(name: str, to: str | None) -> tuple[Edge, ...]:
    return () if to is None else (Edge((name,), to),)


def _indexed(flow: FlowSpec) -> Iterator[tuple[int, Step]]:
    yield from enumerate(flow.steps)


def _duplicates(flow: FlowSpec) -> Iterator[tuple[Path, str]]:
    counted = Counter(step.id for step in flow.steps)
    for index, step in _indexed(flow):
        first = next(i for i, other in _indexed(flow) if other.id == step.id)
        if counted[step.id] > 1 and index != first:
            yield ("steps", index, "id"), f"the step id {step.id!r} is taken by an earlier step"
        if isinstance(step, Collect):
            for name, times in Counter(field.name for field in step.fields).items():
                if times > 1:
                    yield ("steps", index, "fields"), f"the field {name!r} stands here {times} times"


def _references(flow: FlowSpec, tools: Collection[str], reasons: Collection[str]) -> Iterator[tuple[Path, str]]:
    names = {step.id for step in flow.steps}
    if flow.entry not in names:
        yield ("entry",), f"there is no step {flow.entry!r}"
    for index, step in _indexed(flow):
        for edge in edges(step):
            if edge.to not in names:
                yield ("steps", index, *edge.path), f"there is no step {edge.to!r}"
        if isinstance(step, Propose) and step.tool not in tools:
            yield ("steps", index, "tool"), f"there is no tool {step.tool!r}"
        if isinstance(step, HandOff) and step.reason not in reasons:
            yield ("steps", index, "reason"), f"the catalogue has no reason code {step.reason}"


def _reach(flow: FlowSpec) -> Iterator[tuple[Path, str]]:
    reached, waiting = {flow.entry}, [flow.entry]
    while waiting:
        step = flow.step(waiting.pop())
        ahead = [] if step is None else [edge.to for edge in edges(step) if edge.to not in reached]
        reached.update(ahead)
        waiting.extend(ahead)
    for index, step in _indexed(flow):
        if step.id not in reached:
            yield ("steps", index, "id"), f"no step leads to {step.id!r}; remove it or lead to it"


def _cycles(flow: FlowSpec) -> Iterator[tuple[Path, str]]:
    """Every edge that closes a cycle, by depth-first search.

    Attempts are bounded by the shape alone: a flow that must try something twice says so with two steps.
    """
    index_of: dict[str, int] = {}
    for index, step in _indexed(flow):
        index_of.setdefault(step.id, index)
    finished: set[str] = set()
    for root in index_of:
        # Each entry: a step on the current way, and its edges that are still to be followed.
        way: list[tuple[str, list[Edge]]] = [(root, _followed(flow, root))] if root not in finished else []
        while way:
            name, left = way[-1]
            if not left:
                finished.add(name)
                way.pop()
                continue
            edge = left.pop(0)
            if edge.to in {step for step, _ in way}:
                yield ("steps", index_of[name], *edge.path), f"{name!r} leads back to {edge.to!r}; flows have no cycles"
            elif edge.to in index_of and edge.to not in finished:
                way.append((edge.to, _followed(flow, edge.to)))


def _followed(flow: FlowSpec, name: str) -> list[Edge]:
    step = flow.step(name)
    return [] if step is None else list(edges(step))


def _unverified(flow: FlowSpec) -> Iterator[tuple[Path, str]]:
    """Endings as solved that can be reached although the last outcome question was not answered with yes."""
    seen, waiting = {(flow.entry, False)}, [(flow.entry, False)]
    while waiting:
        name, solved = waiting.pop()
        step = flow.step(name)
        for edge in () if step is None else edges(step):
            state = (edge.to, solved if edge.leads is Leads.ONWARD else edge.leads is Leads.SOLVED)
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    for index, step in _indexed(flow):
        if isinstance(step, Done) and (step.id, False) in seen:
            yield ("steps", index, "id"), f"{step.id!r} can be reached without a verify step answered with yes"


def _slots(flow: FlowSpec) -> Iterator[tuple[Path, str]]:
    slots = flow.slots()
    for index, step in _indexed(flow):
        if isinstance(step, Instruct) and step.topic is not None:
            for name in set(PLACEHOLDER.findall(step.topic)) - slots:
                yield ("steps", index, "topic"), f"the placeholder {{{name}}} names nothing that this flow collects"
        if isinstance(step, Propose):
            for name, argument in step.arguments.items():
                if argument.slot is not None and argument.slot not in slots:
                    yield ("steps", index, "arguments", name, "slot"), f"no step collects {argument.slot!r}"
        if isinstance(step, Collect) and step.cases is not None:
            choice = next((field for field in step.fields if field.name == step.cases.field), None)
            if choice is None or choice.extract is not Extract.CHOICE:
                yield ("steps", index, "cases", "field"), f"{step.cases.field!r} is not a choice of this step"
                continue
            for value in set(step.cases.to) - {option.value for option in choice.options}:
                yield ("steps", index, "cases", "to", value), f"{choice.name!r} has no option {value!r}"


def _texts(part: BaseModel, path: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """Every field of `part` that holds something per language, found by the fields' declared meaning."""
    for name in type(part).model_fields:
        content: object = getattr(part, name)
        if name in {"title", "arguments", "keep", "to"}:
            continue
        for index, item in enumerate(content) if isinstance(content, tuple) else ((None, content),):
            here = (*path, name) if index is None else (*path, name, index)
            if isinstance(item, BaseModel):
                yield from _texts(item, here)
            elif isinstance(item, dict):
                yield here, item


def _wording(
    flow: FlowSpec, path: Path, texts: Mapping[str, object], languages: Collection[str]
) -> Iterator[tuple[Path, str]]:
    for language in languages:
        if not texts.get(language):
            yield path, f"the text is missing in {language!r}"
    for language, text in texts.items():
        if language not in languages:
            yield (*path, language), f"the bundle does not declare the language {language!r}"
        for name in PLACEHOLDER.findall(text) if isinstance(text, str) else ():
            if name not in flow.slots():
                yield (*path, language), f"the placeholder {{{name}}} names nothing that this flow collects"
