"""What can be wrong with a flow is found before it runs, all at once."""

from __future__ import annotations

import pytest
import yaml

from handrail.guardrails.flows.spec import FlowSpec, flow_problems
from tests.unit.flows.flowing import FOLDER, NAMES, shipped, written

TOOLS = {path.stem for path in (FOLDER.parent / "tools").glob("*.yaml")}
REPLIES = "replies: [{en: Yes}, {en: No}]"
GOOD = f"""
entry: try
steps:
  - {{id: try, kind: instruct, text: {{en: Do it.}}, check: {{en: 'Done?'}}, tried: it, {REPLIES}, yes: ok, no: person}}
  - {{id: ok, kind: verify, question: {{en: 'Works?'}}, tried: it, {REPLIES}, yes: end, no: person}}
  - {{id: end, kind: done, text: {{en: Good.}}}}
  - {{id: person, kind: hand_off, reason: FLOW_TO_PERSON, text: {{en: A person.}}}}
"""


def problems(flow: FlowSpec, languages: tuple[str, ...] = ("en",)) -> list[str]:
    """The messages of all problems, with their paths."""
    found = flow_problems(flow, languages=languages, tools={"lookup"}, reasons={"FLOW_TO_PERSON"})
    return [f"{'.'.join(str(part) for part in path)}: {message}" for path, message in found]


def test_a_sound_flow_has_no_problems() -> None:
    """The flow that the other tests break is sound itself."""
    assert problems(written(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("yes: ok", "yes: nowhere", "steps.0.yes: there is no step 'nowhere'"),
        ("entry: try", "entry: start", "entry: there is no step 'start'"),
        ("yes: ok", "yes: person", "steps.1.id: no step leads to 'ok'; remove it or lead to it"),
        ("id: end", "id: ok", "steps.2.id: the step id 'ok' is taken by an earlier step"),
        ("yes: end, no: person", "yes: end, no: try", "steps.1.no: 'ok' leads back to 'try'; flows have no cycles"),
        ("yes: ok", "yes: end", "steps.2.id: 'end' can be reached without a verify step answered with yes"),
        ("yes: end, no: person", "yes: person, no: end", "steps.2.id: 'end' can be reached without"),
        ("reason: FLOW_TO_PERSON", "reason: FLOW_OTHER", "steps.3.reason: the catalogue has no reason code FLOW_OTHER"),
        ("text: {en: Good.}", "text: {en: 'Good, {name}.'}", "steps.2.text.en: the placeholder {name} names nothing"),
        ("text: {en: Good.}", "text: {de: Gut.}", "steps.2.text: the text is missing in 'en'"),
        ("text: {en: Good.}", "text: {en: Good., xx: Gut.}", "steps.2.text.xx: the bundle does not declare"),
        ("tried: it,", "topic: 'about {name}', tried: it,", "steps.0.topic: the placeholder {name} names nothing"),
    ],
)
def test_a_broken_flow_names_the_place(old: str, new: str, message: str) -> None:
    """Each way to break the sound flow is reported with its path."""
    assert any(found.startswith(message) for found in problems(written(GOOD.replace(old, new, 1))))


def test_every_problem_is_reported_at_once() -> None:
    """Several mistakes give several problems."""
    broken = GOOD.replace("yes: ok", "yes: nowhere").replace("FLOW_TO_PERSON", "FLOW_OTHER")
    assert len(problems(written(broken))) >= 3


def test_every_declared_language_needs_every_text() -> None:
    """A second language makes every text of the flow, labels of replies included, a problem."""
    found = problems(written(GOOD), languages=("en", "de"))
    assert {"steps.0.replies.0: the text is missing in 'de'", "unclear: the text is missing in 'de'"} <= set(found)


def test_calls_and_cases_are_checked_too() -> None:
    """Tools, slots, choices and their values must exist."""
    flow = written("""
entry: what
steps:
  - id: what
    kind: collect
    ask: {en: 'What?'}
    again: {en: 'What?'}
    fields:
      - {name: kind, label: {en: kind}, extract: choice, options: [{value: one, label: {en: One}, words: {en: [one]}}]}
      - {name: kind, label: {en: kind}, extract: date}
    cases: {field: kind, to: {two: call}}
    next: call
  - {id: call, kind: propose, tool: other, arguments: {a: {slot: absent}}, tried: it, next: person, refused: person}
  - {id: person, kind: hand_off, reason: FLOW_TO_PERSON, text: {en: A person.}}
""")
    assert problems(flow) == [
        "steps.0.fields: the field 'kind' stands here 2 times",
        "steps.1.tool: there is no tool 'other'",
        "steps.0.cases.to.two: 'kind' has no option 'two'",
        "steps.1.arguments.a.slot: no step collects 'absent'",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_flows_are_sound(name: str) -> None:
    """The flows of the bundle fit the tools and reason codes that ship with them."""
    reasons = yaml.safe_load((FOLDER.parent / "reasons" / "flows.yaml").read_text(encoding="utf-8"))
    codes = {entry["code"] for entry in (reasons["reasons"] if isinstance(reasons, dict) else reasons)}
    assert list(flow_problems(shipped(name), languages=("en",), tools=TOOLS, reasons=codes)) == []
    assert shipped(name).id == name
