"""Conditions as they are written in YAML: what they mean, and how a mistake in one is reported."""

import pytest

from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import FactKind, Facts, FactSpec, fact
from handrail.guardrails.policy.matcher import Matcher, Truth
from handrail.guardrails.vocabulary import FactContent, Stage
from handrail.guardrails.yamlsource import Problem, parse

SPECS = (
    FactSpec("plan", FactKind.WORD, "the plan", values=frozenset({"trial", "team"})),
    FactSpec("channel", FactKind.WORD, "the channel"),
    FactSpec("in_flow", FactKind.BOOLEAN, "in a flow"),
    FactSpec("attempts", FactKind.NUMBER, "attempts"),
    FactSpec("signals", FactKind.SET, "signals", values=frozenset({"RISK_FRAUD", "FRUSTRATION"})),
    FactSpec("risk", FactKind.WORD, "the tier", since=Stage.APPLY_POLICY, values=frozenset({"low", "high"})),
    FactSpec("findings_count", FactKind.NUMBER, "findings", only_at=Stage.GUARD_OUTPUT),
    FactSpec(
        "call_owned", FactKind.BOOLEAN, "owned", only_at=Stage.AUTHORIZE_TOOLS, tools=frozenset({"refund", "cancel"})
    ),
)
FACTS = {spec.name: spec for spec in SPECS}


def read(
    text: str, stage: Stage = Stage.APPLY_POLICY, tools: frozenset[str] | None = None
) -> tuple[Matcher, list[Problem]]:
    """The condition of a document, as read at `stage`, with what is wrong in it."""
    problems: list[Problem] = []
    document = parse(text, "rules/a.yaml", problems)
    assert document is not None, problems
    assert isinstance(document.content, dict)
    reader = ConditionReader(document, FACTS, frozenset({"how_to"}), problems)
    return reader.read(document.content["when"], ("when",), stage, tools), problems


def truth(text: str, **contents: FactContent) -> Truth:
    """What the condition says of these facts."""
    matcher, problems = read(f"when: {text}")
    assert problems == []
    return matcher.truth(Facts({name: fact(name, content, "test") for name, content in contents.items()}))


@pytest.mark.parametrize(
    ("text", "contents", "wanted"),
    [
        ("{plan: trial}", {"plan": "trial"}, True),
        ("{plan: trial}", {"plan": "team"}, False),
        ("{plan: {in: [trial, team]}}", {"plan": "team"}, True),
        ("{channel: {in: [web]}}", {"channel": "mail"}, False),
        ("{in_flow: false}", {"in_flow": False}, True),
        ("{in_flow: true}", {"in_flow": False}, False),
        ("{attempts: 2}", {"attempts": 2}, True),
        ("{attempts: {at_least: 2}}", {"attempts": 2}, True),
        ("{attempts: {at_least: 2}}", {"attempts": 1.9}, False),
        ("{attempts: {at_most: 2}}", {"attempts": 2}, True),
        ("{attempts: {at_most: 2}}", {"attempts": 3}, False),
        ("{attempts: {above: 2}}", {"attempts": 2}, False),
        ("{attempts: {above: 2}}", {"attempts": 3}, True),
        ("{attempts: {below: 2}}", {"attempts": 2}, False),
        ("{attempts: {below: 2}}", {"attempts": 1}, True),
        ("{signals: {has: FRUSTRATION}}", {"signals": ("FRUSTRATION",)}, True),
        ("{signals: {has: FRUSTRATION}}", {"signals": ()}, False),
        ("{signals: {has_any: [FRUSTRATION, RISK_FRAUD]}}", {"signals": ("RISK_FRAUD",)}, True),
        ("{signals: {has_any: [FRUSTRATION, RISK_FRAUD]}}", {"signals": ("OTHER",)}, False),
        ("{signals: {has_all: [FRUSTRATION, RISK_FRAUD]}}", {"signals": ("FRUSTRATION", "RISK_FRAUD")}, True),
        ("{signals: {has_all: [FRUSTRATION, RISK_FRAUD]}}", {"signals": ("RISK_FRAUD",)}, False),
        ("{plan: {known: true}}", {"plan": "team"}, True),
        ("{plan: {known: false}}", {}, True),
        ("{segment: how_to}", {"segment:how_to": True}, True),
        ("{segment: how_to}", {"segment:how_to": False}, False),
        ("{plan: trial, in_flow: true}", {"plan": "trial", "in_flow": False}, False),
        ("{plan: trial, in_flow: true}", {"plan": "trial", "in_flow": True}, True),
        ("{not: {plan: trial}}", {"plan": "team"}, True),
        ("{any: [{plan: trial}, {in_flow: true}]}", {"plan": "team", "in_flow": True}, True),
        ("{all: [{plan: trial}, {in_flow: true}]}", {"plan": "team", "in_flow": True}, False),
        ("{at_least: {count: 2, of: [{plan: team}, {in_flow: true}, {attempts: 1}]}}",
         {"plan": "team", "in_flow": False, "attempts": 1}, True),
    ],
)  # fmt: skip
def test_a_condition_means_what_it_says(text: str, contents: dict[str, FactContent], wanted: bool) -> None:
    """Every operator, on a value for which it holds and on one for which it does not."""
    assert truth(text, **contents) is wanted


def test_an_open_question_names_what_is_unknown() -> None:
    """Without the fact there is no answer, and the name of the fact stands for it."""
    assert truth("{all: [{plan: trial}, {in_flow: true}]}", plan="trial") == frozenset({"in_flow"})
    assert truth("{segment: how_to}") == frozenset({"segment:how_to"})


MISTAKES = {
    "misspelt fact": ("{plam: trial}", "there is no fact 'plam'; did you mean 'plan'?"),
    "fact unlike any": ("{zzz: 1}", "there is no fact 'zzz'"),
    "misspelt combinator": ("{anny: []}", "there is no fact 'anny'; did you mean 'any'?"),
    "misspelt value": ("{plan: trail}", "plan is never 'trail'; did you mean 'trial'?"),
    "misspelt value in a list": ("{plan: {in: [trial, tem]}}", "plan is never 'tem'; did you mean 'team'?"),
    "misspelt member": ("{signals: {has: RISK_FRAUDE}}", "signals is never 'RISK_FRAUDE'; did you mean 'RISK_FRAUD'?"),
    "number for a word": ("{plan: 3}", "plan is a word; 3 is not"),
    "nothing for a word": ("{plan: }", "plan is a word; None is not"),
    "word for a number": ("{attempts: many}", "attempts is a number; 'many' is not"),
    "boolean for a number": ("{attempts: {at_least: true}}", "attempts is a number; True is not"),
    "word for a boolean": ("{in_flow: yes}", "in_flow is a boolean; 'yes' is not"),
    "number's operator on a word": ("{plan: {at_least: 2}}", "plan is a word: it takes in, known"),
    "word's operator on a number": ("{attempts: {in: [2]}}", "it takes at_least, at_most, above, below, known"),
    "set's operator on a word": ("{plan: {has: team}}", "plan is a word: it takes in, known"),
    "operator on a boolean": ("{in_flow: {in: [true]}}", "in_flow is a boolean: it takes known"),
    "misspelt operator": ("{attempts: {atleast: 2}}", "it takes at_least"),
    "equality on a set": ("{signals: RISK_FRAUD}", "signals is a set: ask with has, has_any or has_all"),
    "two comparisons": ("{attempts: {above: 1, below: 3}}", "one comparison a fact; combine several with all"),
    "no comparison": ("{attempts: {}}", "one comparison a fact"),
    "empty list": ("{plan: {in: []}}", "in takes a non-empty list"),
    "no list": ("{signals: {has_any: RISK_FRAUD}}", "has_any takes a non-empty list"),
    "known of a word": ("{plan: {known: maybe}}", "known takes true or false"),
    "fact of a later stage": ("{findings_count: 1}", "the fact findings_count does not exist at stage apply_policy"),
    "call fact elsewhere": ("{call_owned: true}", "the fact call_owned does not exist at stage apply_policy"),
    "unknown segment": ("{segment: howto}", "there is no active segment 'howto'; did you mean 'how_to'?"),
    "segment without a name": ("{segment: }", "there is no active segment None"),
    "empty condition": ("{}", "a condition is a mapping"),
    "a word as condition": ("always", "a condition is a mapping"),
    "a list as condition": ("[{plan: trial}]", "a condition is a mapping"),
    "all of nothing": ("{all: []}", "all takes a non-empty list of conditions"),
    "any of a mapping": ("{any: {plan: trial}}", "any takes a non-empty list of conditions"),
    "not nothing": ("{not: {}}", "a condition is a mapping"),
    "at_least without count": ("{at_least: {of: [{plan: trial}]}}", "at_least takes exactly `count` and `of`"),
    "at_least a number": ("{at_least: 2}", "at_least takes exactly `count` and `of`"),
    "count too large": ("{at_least: {count: 2, of: [{plan: trial}]}}", "count must be a whole number from 1 to 1"),
    "count zero": ("{at_least: {count: 0, of: [{plan: trial}]}}", "count must be a whole number from 1 to 1"),
    "count a fraction": ("{at_least: {count: 1.5, of: [{plan: trial}]}}", "count must be a whole number"),
    "count a boolean": ("{at_least: {count: true, of: [{plan: trial}]}}", "count must be a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_problem_that_says_what_to_do(name: str) -> None:
    """Every kind of mistake is reported once, on its own line, in words that help."""
    text, wanted = MISTAKES[name]
    _, problems = read(f"# a comment\nwhen: {text}\n")
    assert [(problem.file, problem.line) for problem in problems] == [("rules/a.yaml", 2)]
    assert wanted in problems[0].message


def test_all_mistakes_of_a_condition_are_reported_together() -> None:
    """One reading finds every problem, each with its own line."""
    text = "when:\n  any:\n    - plam: trial\n    - plan: trail\n    - all:\n        - attempts: {has: 1}\n"
    _, problems = read(text)
    assert [problem.line for problem in problems] == [3, 4, 6]


@pytest.mark.parametrize("stage", [Stage.DETECT_INTENT, Stage.ASSIGN_SEGMENTS])
def test_segments_cannot_be_asked_for_before_they_are_assigned(stage: Stage) -> None:
    """An entry that hangs on another segment could never be decided, so it is an error and not an open question."""
    _, problems = read("when: {segment: how_to}", stage)
    assert len(problems) == 1
    assert "segments are not known yet" in problems[0].message


def test_a_fact_can_be_asked_for_from_its_stage_on() -> None:
    """The risk tier exists after gate_risk, and not before."""
    assert read("when: {risk: low}", Stage.GUARD_OUTPUT)[1] == []
    assert "does not exist at stage gate_risk" in read("when: {risk: low}", Stage.GATE_RISK)[1][0].message


@pytest.mark.parametrize(
    ("tools", "right"),
    [
        (frozenset({"refund"}), True),
        (frozenset({"refund", "cancel"}), True),
        (frozenset({"refund", "status"}), False),
        (frozenset({"status"}), False),
        (None, False),
    ],
)
def test_a_call_fact_is_asked_of_its_own_tools_only(tools: frozenset[str] | None, right: bool) -> None:
    """A rule about other tools, or about all, would find the fact unknown for ever."""
    _, problems = read("when: {call_owned: true}", Stage.AUTHORIZE_TOOLS, tools)
    assert (problems == []) is right
    if not right:
        assert "exists only for calls of cancel, refund" in problems[0].message
