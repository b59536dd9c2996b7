"""Policy tests are read strictly: what could never fail, or means nothing here, is reported where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.evals.policy.cases import load_cases
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError

HEAD = "# A comment.\nbase: {need_state: how_to, intent: general_how_to}\ncases:\n"
"""Three lines; the first case stands in the fourth."""


def problems(folder: Path, bundle: Bundle, text: str, file: str = "one.yaml") -> tuple[str, ...]:
    """What is wrong with a file of cases; none when it can be used."""
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / file).write_text(text, encoding="utf-8")
    try:
        load_cases(folder, bundle)
    except ConfigError as error:
        return error.problems
    return ()


def case(text: str) -> str:
    """One case in the fourth line, with `text` in its mapping."""
    return f"{HEAD}  - {{name: one, {text}}}\n"


SERVED = "expect: {apply_policy: {effect: allow}}"

WRONG = [
    # What would not be looked at.
    ("expect: {}", "expects nothing proves nothing"),
    ("expect: {apply_policy: {}}", "expects nothing proves nothing"),
    ("expect: {apply_policy: {reasons: []}}", "expects nothing proves nothing"),
    ("expect: {apply_policy: {effect: null}}", "expects nothing proves nothing"),
    ("expect: {apply_policy: {scope: {}}}", "expects nothing proves nothing"),
    ("expect: {apply_policy: null}", "expects nothing proves nothing"),
    ("expect: {segments: {}}", "name a segment that must hold, or one that must not"),
    ("expect: {segments: {inside: []}}", "name a segment that must hold, or one that must not"),
    ("expect: {authorize_tools: {effect: allow}}", "name the tool that authorize_tools is asked about"),
    # What is misspelt.
    (f"{SERVED}, expects: {{}}", "unknown field"),
    ("expect: {apply_policie: {effect: allow}}", "unknown field"),
    ("expect: {apply_policy: {effects: allow}}", "unknown field"),
    ("expect: {apply_policy: {effect: allowed}}", "effect"),
    ("expect: {apply_policy: {tone: kind}}", "tone"),
    ("expect: {apply_policy: {obligations: [offer_person]}}", "obligations"),
    ("expect: {apply_policy: {reasons: [POLICY_NEED_SERVE]}}", "did you mean 'POLICY_NEED_SERVED'"),
    ("expect: {apply_policy: {reasons_not: [POLICY_NEED_SERVE]}}", "there is no reason code 'POLICY_NEED_SERVE'"),
    ("expect: {apply_policy: {rules: [turn.serve]}}", "there is no active rule 'turn.serve'"),
    ("expect: {apply_policy: {queue: senor}}", "there is no queue 'senor'; did you mean 'senior'"),
    ("expect: {apply_policy: {flow: access}}", "there is no flow 'access'"),
    ("expect: {apply_policy: {skills: [biling]}}", "there is no skill 'biling'; did you mean 'billing'"),
    ("expect: {apply_policy: {skills_not: [biling]}}", "there is no skill 'biling'"),
    ("expect: {apply_policy: {tags_not: [fnance]}}", "there is no tag 'fnance'; did you mean 'finance'"),
    ("expect: {apply_policy: {scope: {authority: [standart]}}}", "there is no class of authority 'standart'"),
    ("expect: {apply_policy: {scope_not: {authority: [comunity]}}}", "did you mean 'community'"),
    ("expect: {apply_policy: {scope_not: {plan: [entreprise]}}}", "there is no class of plan 'entreprise'"),
    ("expect: {apply_policy: {scope_not: {autority: [community]}}}", "scope_not"),
    ("expect: {segments: {inside: [how_too]}}", "there is no active segment 'how_too'; did you mean 'how_to'"),
    ("expect: {segments: {outside: [repeat_issue]}}", "there is no active segment 'repeat_issue'"),
    (f"earlier: {{how_too: 5}}, {SERVED}", "there is no active segment 'how_too'"),
    (f"tool: issue_refunds, {SERVED}", "there is no tool 'issue_refunds'; did you mean 'issue_refund'"),
    (f"events: [{{kind: article_view, minutes_ago: 3}}], {SERVED}", "did you mean 'article_viewed'"),
    (f"events: [{{kind: intent_detected, minutes_ago: 3, intent: refunds}}], {SERVED}", "there is no intent 'refunds'"),
    # What cannot be.
    (f"facts: {{plann: trial}}, {SERVED}", "there is no fact 'plann'; did you mean 'plan'"),
    (f"facts: {{plan: tryal}}, {SERVED}", "plan is a word and never 'tryal'; it is one of business, enterprise"),
    (f"facts: {{signals: HUMAN_REQUESTED}}, {SERVED}", "signals is a set and never 'HUMAN_REQUESTED'"),
    (f"facts: {{signals: [HUMAN_REQUEST]}}, {SERVED}", "signals is a set and never [HUMAN_REQUEST]"),
    (f"facts: {{need_state: [how_to]}}, {SERVED}", "need_state is a word and never [how_to]"),
    (f"facts: {{in_flow: 1}}, {SERVED}", "in_flow is a boolean and never 1"),
    (f"facts: {{unresolved_turns: true}}, {SERVED}", "unresolved_turns is a number and never True"),
    (f"facts: {{unresolved_turns: -1}}, {SERVED}", "unresolved_turns is a number and never -1"),
    (f"facts: {{unresolved_turns: 1.5}}, {SERVED}", "unresolved_turns is a number and never 1.5"),
    (f"facts: {{confidence: 90}}, {SERVED}", "confidence is a number and never 90"),
    (f"facts: {{risk: high}}, {SERVED}", "risk follows from the other facts; leave it out"),
    (f"facts: {{tool_access: read}}, {SERVED}", "tool_access follows from the other facts"),
    (f"facts: {{'segment:how_to': true}}, {SERVED}", "there is no fact 'segment:how_to'"),
    (f"facts: {{'holdout:no_segment': true}}, {SERVED}", "did you mean 'holdout:no_segments'"),
    (f"facts: {{call_owned: true}}, {SERVED}", "the fact call_owned exists only for calls of"),
    (f"tool: get_status, facts: {{call_owned: true}}, {SERVED}", "the fact call_owned exists only for calls of"),
    (f"ages: {{plan: 3}}, {SERVED}", "there is no attribute given 'plan'"),
    (f"facts: {{plan: trial}}, ages: {{plan: -3}}, {SERVED}", "ages"),
    (f"events: [{{kind: article_viewed, minutes_ago: 3, count: 0}}], {SERVED}", "count"),
    (f"opened_minutes_ago: -1, {SERVED}", "opened_minutes_ago"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_mistake_is_reported_with_file_and_line(tmp_path: Path, shipped: Bundle, text: str, message: str) -> None:
    """Whatever is misspelt, cannot be, or would look at nothing."""
    found = problems(tmp_path, shipped, case(text))
    assert len(found) == 1, found
    assert found[0].startswith("tests/one.yaml:4: ")
    assert message in found[0]


def test_all_mistakes_are_reported_at_once_each_at_its_own_line(tmp_path: Path, shipped: Bundle) -> None:
    """Base, facts, events and expectations of every case, and every file."""
    text = """base: {plann: trial}
cases:
  - name: one
    facts:
      need_state: how_to
      languag: en
    events:
      - {kind: article_viewed, minutes_ago: 1}
      - {kind: article_view, minutes_ago: 1}
    expect:
      segments:
        inside: [how_to]
        outside: [how_too]
      apply_policy:
        effect: allow
        skills: [nobody]
"""
    problems(tmp_path, shipped, "cases: []\n", "other.yaml")
    lines = [problem.split(": ")[0] for problem in problems(tmp_path, shipped, text)]
    assert lines == [
        *(f"tests/one.yaml:{line}" for line in (1, 6, 9, 13, 16)),
        "tests/other.yaml:1",
    ]


def test_a_name_is_used_once(tmp_path: Path, shipped: Bundle) -> None:
    """A report names cases, so a second one of the same name says where the first stands, across files too."""
    assert not problems(tmp_path, shipped, case(SERVED))
    (found,) = problems(tmp_path, shipped, case(SERVED), "two.yaml")
    assert found.startswith("tests/two.yaml:4: the name 'one' is taken by tests/one.yaml:4")


def test_what_can_be_said_is_read(tmp_path: Path, shipped: Bundle) -> None:
    """Every field of a case at once, with null for unknown, holdouts, and facts and attributes that the base gives."""
    text = """base: {plan: enterprise, stack: [okta], signals: null}
cases:
  - name: all of it
    facts: {'holdout:no_segments': true, call_owned: null, renewal_days: -3, confidence: 0.5}
    earlier: {how_to: 5.5}
    ages: {plan: 31, stack: 2}
    events: [{kind: intent_detected, minutes_ago: 0, intent: downgrade, count: 3, apart: 2.5}]
    opened_minutes_ago: 4
    tool: issue_refund
    expect:
      segments: {outside: [enterprise]}
      gate_risk: {risk: low}
      apply_policy: {queue: none, scope_not: {plan: [trial], need_state: [how_to], language: [xx]}, tags_not: [sso]}
      authorize_tools: {effect: refuse, rules: []}
"""
    assert not problems(tmp_path, shipped, text)
    (placed,) = load_cases(tmp_path, shipped)
    assert placed.where == "tests/one.yaml:3"
    assert placed.stated()["plan"] == "enterprise"
    assert placed.stated()["call_owned"] is None


@pytest.mark.parametrize("text", ["cases:\n  - {name: one, name: two}\n", "cases: [\n", "", "- one\n", "\tcases: []\n"])
def test_a_file_that_is_no_file_of_cases_is_reported(tmp_path: Path, shipped: Bundle, text: str) -> None:
    """Broken YAML, a repeated key, nothing, or something else."""
    found = problems(tmp_path, shipped, text)
    assert found
    assert all(problem.startswith("tests/one.yaml:") for problem in found)


def test_a_bundle_without_tests_has_no_cases(tmp_path: Path, shipped: Bundle) -> None:
    """Which is for the command to complain about."""
    assert load_cases(tmp_path, shipped) == ()


def test_the_shipped_cases_can_all_be_used(pristine: Path, shipped: Bundle) -> None:
    """There are some hundred of them, each with a name of its own."""
    found = load_cases(pristine, shipped)
    assert len({one.case.name for one in found}) == len(found) > 100
