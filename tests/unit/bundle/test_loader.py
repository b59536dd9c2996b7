"""The loader against a spoilt copy of the shipped bundle: what is wrong is said at once, with file, line and advice."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from handrail.guardrails.bundle.loader import load
from handrail.guardrails.errors import ConfigError
from tests.unit.bundle.conftest import Folder


@dataclass(frozen=True)
class Mistake:
    """One edit, the line on which it is reported (by a text that stands there), and words of the message."""

    file: str
    old: str
    new: str
    at: str
    message: str


MISTAKES = {
    # unknown and missing fields, wrong types
    "unknown field of a rule": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    when: {risk: critical}\n    colour: red",
        "colour: red", "colour: unknown field"),
    "unknown field of a segment": Mistake(
        "segments/how_to.yaml", "owner:", "ower: x\nowner:", "ower: x", "ower: unknown field"),
    "unknown field of a tool": Mistake(
        "tools/get_invoice.yaml", "access: read", "access: read\nfast: true", "fast: true", "fast: unknown field"),
    "unknown field of the manifest": Mistake(
        "bundle.yaml", "  tool_rounds: 4", "  tool_rounds: 4\n  rounds: 4", "  rounds: 4",
        "limits.rounds: unknown field"),
    "unknown decision dimension": Mistake(
        "segments/how_to.yaml", "decisions:", "decisions:\n  speed: fast", "speed: fast",
        "decisions.speed: unknown field"),
    "unknown scope family": Mistake(
        "rules/turn.yaml", "scope: {language: [en]}", "scope: {colour: [en]}", "scope: {colour", "role"),
    "missing field of a rule": Mistake(
        "rules/turn.yaml", "    why: Somebody is always responsible.\n", "", "id: turn.queue_default",
        "why: this field is missing"),
    "missing field of a segment": Mistake(
        "segments/how_to.yaml", "owner:", "# owner:", "id: how_to", "owner: this field is missing"),
    "missing exit of a segment": Mistake("segments/trial.yaml", "exit:\n  not: {plan: trial}\n", "", "id: trial",
        "exit: this field"),
    "missing field of a queue": Mistake(
        "queues.yaml", "    title: {en: the security team}\n", "", "id: security", "title: this field is missing"),
    "word for a number": Mistake(
        "bundle.yaml", "tool_rounds: 4", "tool_rounds: four", "tool_rounds: four",
        "limits.tool_rounds: input should be"),
    "number out of bounds": Mistake(
        "bundle.yaml", "tool_rounds: 4", "tool_rounds: 400", "tool_rounds: 400", "less than or equal to 8"),
    "misspelt effect": Mistake(
        "rules/retrieval.yaml", "    effect: not_yet", "    effect: notyet", "effect: notyet",
        "effect: input should be"),
    "misspelt stage": Mistake(
        "rules/output.yaml", "  - id: output.clean\n    stage: guard_output",
        "  - id: output.clean\n    stage: guard_outputs", "stage: guard_outputs", "stage: input should be"),
    "misspelt tier": Mistake("segments/how_to.yaml", "tier: runtime", "tier: run", "tier: run",
        "tier: input should be"),
    "word for a list": Mistake(
        "segments/how_to.yaml", "actions:\n  allow: []", "actions:\n  allow: get_status", "allow: get_status",
        "actions.allow"),
    "date that is none": Mistake(
        "segments/how_to.yaml", "review_by: 2027-03-31", "review_by: soon", "review_by: soon",
        "review_by: input should be"),
    "hours that are none": Mistake(
        "queues.yaml", 'opens: "06:00"', 'opens: "6 am"', 'opens: "6 am"', "hours.opens: string should match"),
    "id in capitals": Mistake(
        "rules/risk.yaml", "id: risk.irreversible", "id: Risk.Irreversible", "id: Risk", "id: string should match"),
    # references that lead nowhere
    "dangling default queue": Mistake(
        "bundle.yaml", "default_queue: general", "default_queue: generell", "default_queue",
        "there is no queue 'generell'"),
    "dangling prompt": Mistake("bundle.yaml", "prompt: answer", "prompt: anser", "prompt: anser",
        "there is no prompt 'anser'"),
    "dangling queue of a rule": Mistake(
        "rules/turn.yaml", "queue: {value: compliance", "queue: {value: complianz", "complianz",
        "there is no queue 'complianz'"),
    "dangling queue of a segment": Mistake(
        "segments/billing_dispute.yaml", "value: billing_disputes", "value: disputes", "value: disputes",
        "there is no queue 'disputes'"),
    "dangling flow": Mistake(
        "segments/access_restore.yaml", "flow: {value: access_restore", "flow: {value: restore",
        "flow: {value: restore",
        "there is no flow 'restore'"),
    "dangling tool of a rule": Mistake(
        "rules/tools.yaml", "tools: [get_status]", "tools: [get_state]", "tools: [get_state]",
        "there is no tool 'get_state'"),
    "dangling tool of a segment": Mistake(
        "segments/account_changes.yaml", "delete_data]", "delete_dat]", "delete_dat]", "there is no tool 'delete_dat'"),
    "dangling segment": Mistake(
        "rules/turn.yaml", "{segment: how_to}", "{segment: howto}", "howto",
        "there is no active segment 'howto'; did you mean 'how_to'?"),
    "segment that stands ready only": Mistake(
        "rules/turn.yaml", "{segment: how_to}", "{segment: content_bouncer}", "content_bouncer",
        "there is no active segment"),
    "dangling reason of a rule": Mistake(
        "rules/turn.yaml", "reason: POLICY_CONTINUES", "reason: POLICY_GOES_ON", "POLICY_GOES_ON",
        "there is no reason code 'POLICY_GOES_ON'"),
    "dangling reason of a trigger": Mistake(
        "segments/billing_dispute.yaml", "reason: OFFER_DISPUTE", "reason: OFFER_DISPUT", "OFFER_DISPUT",
        "there is no reason code 'OFFER_DISPUT'"),
    "dangling fact": Mistake(
        "rules/turn.yaml", "{unresolved_turns: {at_least: 2}}", "{unresolved_turn: {at_least: 2}}", "unresolved_turn:",
        "there is no fact 'unresolved_turn'; did you mean 'unresolved_turns'?"),
    "dangling signal": Mistake(
        "rules/risk.yaml", "{signals: {has: RISK_CHARGEBACK}}", "{signals: {has: RISK_CHARGE_BACK}}",
        "RISK_CHARGE_BACK",
        "signals is never 'RISK_CHARGE_BACK'; did you mean"),
    "signal of another stage": Mistake(
        "rules/risk.yaml", "{signals: {has: RISK_CHARGEBACK}}", "{signals: {has: SYS_BUG}}", "SYS_BUG",
        "is never 'SYS_BUG'"),
    "value no attribute has": Mistake(
        "segments/enterprise.yaml", "entry:\n  plan: enterprise", "entry:\n  plan: entreprise", "plan: entreprise",
        "plan is never 'entreprise'; did you mean 'enterprise'?"),
    "dangling next step": Mistake(
        "handoff.yaml", "  ESC_LEGAL:", "  ESC_LEGALS:", "ESC_LEGALS", "neither a reason code nor a need state"),
    "dangling reference of a segment that stands ready": Mistake(
        "segments/content_bouncer.yaml", "actions:\n  allow: []", "actions:\n  allow: [get_state]", "get_state",
        "there is no tool 'get_state'"),
    "dangling tool of a flow": Mistake(
        "flows/account_change.yaml", "tool: delete_data", "tool: delete", "tool: delete", "there is no tool 'delete'"),
    "fact of a later stage": Mistake(
        "rules/risk.yaml", "when: {need_state: unknown}", "when: {risk: high}", "when: {risk: high}",
        "the fact risk does not exist at stage gate_risk"),
    "call fact of another tool": Mistake(
        "rules/tools.yaml", "when: {call_workspace_status: deletion_scheduled}",
        "when: {all: [{call_device_status: removed}]}",
        "all: [{call_device_status", "the fact call_device_status exists only for calls of reset_mfa"),
    "entry by a segment": Mistake(
        "segments/trial.yaml", "entry:\n  plan: trial", "entry:\n  segment: how_to", "segment: how_to",
        "segments are not known yet at stage assign_segments"),
    # ids
    "duplicate reason": Mistake(
        "reasons/policy.yaml", "- code: SEG_ALWAYS_HUMAN",
        "- {code: SEG_ACCOUNT_CHANGES, title: x, operator: x, customer: {en: x},"
        " stage: reply, severity: info}\n- code: SEG_ALWAYS_HUMAN", "- {code: SEG_ACCOUNT_CHANGES",
        "the id SEG_ACCOUNT_CHANGES is taken by reasons/policy.yaml:"),
    "unknown time zone": Mistake(
        "queues.yaml", "Europe/Berlin, days: [1, 2, 3, 4, 5, 6],", "Europe/Berlinn, days: [1, 2, 3, 4, 5, 6],",
        "Europe/Berlinn", "there is no time zone 'Europe/Berlinn'"),
    "duplicate queue": Mistake(
        "queues.yaml", "queues:\n",
        "queues:\n  - id: general\n    title: {en: x}\n    skills: []\n    hours: {time_zone: UTC,"
        " days: [1], opens: \"08:00\", closes: \"09:00\"}\n    first_response_minutes: 1\n    handling_minutes: 1\n", "- id: general",
        "the id general is taken by queues.yaml:4"),
    "duplicate rule": Mistake(
        "rules/risk.yaml", "id: risk.legal", "id: risk.safety", "id: risk.safety",
        "the rule id risk.safety is taken by"),
    "duplicate attribute": Mistake(
        "attributes.yaml", "\n# Kinds of events",
        "\n  - {name: plan, meaning: x, kind: word, values: [trial, team,"
        " business, enterprise], family: firmographic, source: crm, purposes: [sla, queue, compliance, retrieval],"
        " max_age_days: 1, inferred: false}\n# Kinds of events", "{name: plan,", "the id plan is taken by attributes.yaml:"),
    "window named like a fact": Mistake(
        "attributes.yaml", "windows:\n",
        "windows:\n  - {fact: clarifications, meaning: x, count: handed_off, within_minutes: 5}\n",
        "fact: clarifications", "there is a fact clarifications already"),
    "call facts that disagree": Mistake(
        "tools/get_invoice.yaml", "{name: owned, type: boolean,", "{name: owned, type: text,", "name: owned",
        "the call fact call_owned is a boolean in another tool"),
    # YAML
    "duplicate key": Mistake(
        "segments/how_to.yaml", "owner:", "tier: runtime\nowner:", "tier: runtime",
        "the key 'tier' stands here for the second time"),
    "bad YAML": Mistake("rules/output.yaml", "    effect: refuse", "    effect: {refuse", "id: output.escalate",
        "not valid YAML"),
    "a country called no is a word": Mistake(
        "attributes.yaml", "    values: [eu, us]", "    values: [eu, us, 7, no]", "values: [eu, us, 7, no]",
        "values.2: input should be a valid string"),
    # meaning
    "precedence tie": Mistake(
        "segments/billing_dispute.yaml", "precedence: 70}", "precedence: 60}", "decisions:",
        "queue 'billing_disputes' ties with 'identity' of segment.access_restore at precedence 60"),
    "not_yet without a next step": Mistake(
        "rules/retrieval.yaml", "    obligations: [clarify]\n", "", "effect: not_yet",
        "not_yet must name the next step"),
    "rule at a stage that decides nothing": Mistake(
        "rules/output.yaml", "  - id: output.clean\n    stage: guard_output", "  - id: output.clean\n    stage: reply",
        "stage: reply",
        "rules decide at gate_risk, apply_policy, retrieve, authorize_tools, guard_output, not at reply"),
    "tools at a stage without tools": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    tools: [get_status]\n    when: {risk: critical}",
        "tools: [get_status]", "only rules at authorize_tools are asked about tools"),
    "too many run-time segments": Mistake(
        "bundle.yaml", "runtime_segments: 10", "runtime_segments: 3", "runtime_segments: 3",
        "run-time segments are active; the budget is 3"),
    # purposes
    "value used for risk": Mistake(
        "rules/risk.yaml", "when: {need_state: unknown}", "when: {value_tier: low}", "id: risk.unknown_need",
        "sets risk by the value attribute value_tier, which lacks the purpose risk"),
    "firmographic used for automation": Mistake(
        "segments/trial.yaml", "  skills: [trial]", "  automation: restricted", "decisions:",
        "segment.trial sets automation by the firmographic attribute plan"),
    "exit by an attribute counts as its use": Mistake(
        "segments/account_changes.yaml", "exit:\n  any:\n", "exit:\n  any:\n    - plan: trial\n", "decisions:",
        "segment.account_changes sets"),
    "psychographic inferred": Mistake(
        "attributes.yaml", "    purposes: [style]\n    max_age_days: 365\n    inferred: false",
        "    purposes: [style]\n    max_age_days: 365\n    inferred: true", "purposes: [style]", "set inferred: false"),
    "demographic for the queue": Mistake(
        "attributes.yaml", "purposes: [time_zone]", "purposes: [time_zone, queue]", "purposes: [time_zone, queue]",
        "time_zone: a demographic attribute may not be used for queue; allowed: accessibility, language, time_zone"),
    # texts
    "language without texts": Mistake(
        "bundle.yaml", "languages: [en]", "languages: [en, de]", "languages: [en, de]",
        "there is no file of texts for the declared language de"),
    "customer text in no declared language": Mistake(
        "queues.yaml", "title: {en: the security team}", "title: {de: Sicherheit}", "Sicherheit",
        "security: the text is missing in en"),
    "no default next step": Mistake("handoff.yaml", "  default:", "  # default:", "next_steps", "`default` is missing"),
}  # fmt: skip

CONSEQUENCES = {"exit by an attribute counts as its use", "language without texts"}
"""Mistakes that are several at once: one purpose a dimension, one text a place."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_in_its_place_and_nothing_else_is(quick: Folder, name: str) -> None:
    """One mistake, one problem: file, line, and what to do; no other file is blamed for it."""
    mistake = MISTAKES[name]
    quick.edit(mistake.file, mistake.old, mistake.new)
    line = quick.line(mistake.file, mistake.at)
    problems = quick.problems()
    placed = [problem for problem in problems if problem.startswith(f"{mistake.file}:{line}: ")]
    assert any(mistake.message in problem for problem in placed), problems
    if name not in CONSEQUENCES:
        assert len(problems) == 1, problems


def test_the_shipped_bundle_loads(quick: Folder) -> None:
    """The copy that the other tests spoil is good."""
    assert quick.problems() == ()


@pytest.mark.parametrize(
    "file",
    ["bundle.yaml", "attributes.yaml", "queues.yaml", "handoff.yaml", "tools/get_invoice.yaml", "reasons/policy.yaml",
     "flows/access_restore.yaml", "segments/how_to.yaml", "prompts/answer.yaml", "rules/risk.yaml", "texts/en.yaml"],
)  # fmt: skip
@pytest.mark.parametrize("spoilt", ["empty", "not UTF-8", "bad YAML", "a list of words"])
def test_an_unreadable_file_is_the_only_thing_reported(quick: Folder, file: str, spoilt: str) -> None:
    """What the file would have declared is not called missing everywhere else."""
    contents = {
        "empty": b"",
        "not UTF-8": "id: é\n".encode("latin-1"),
        "bad YAML": b"id: [\n",
        "a list of words": b"- a\n",
    }
    (quick.path / file).write_bytes(contents[spoilt])
    problems = quick.problems()
    assert problems
    assert [problem for problem in problems if not problem.startswith(f"{file}:")] == []


@pytest.mark.parametrize("file", ["bundle.yaml", "attributes.yaml", "queues.yaml", "handoff.yaml"])
def test_a_missing_file_is_named(quick: Folder, file: str) -> None:
    """The files that must exist are asked for by name."""
    (quick.path / file).unlink()
    assert quick.problems() == (f"{file}:1: this file is missing from the bundle; add it",)


@pytest.mark.parametrize("kind", ["rules", "segments", "reasons", "texts", "tools", "flows", "prompts"])
def test_a_missing_folder_is_named(quick: Folder, kind: str) -> None:
    """Each kind needs one file at least, and its absence is not blamed on what refers to it."""
    shutil.rmtree(quick.path / kind)
    assert quick.problems() == (f"{kind}/*.yaml:1: no file of the bundle matches this pattern; add one",)


def test_a_missing_bundle_says_where_to_set_it(tmp_path: Path) -> None:
    """No folder, no start."""
    with pytest.raises(ConfigError, match="set HANDRAIL_BUNDLE"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["rules/more/extra.yaml", "segments/extra.yml", "extra.yaml"])
def test_a_file_that_nothing_reads_is_a_problem(quick: Folder, file: str) -> None:
    """A rule in the wrong place must not be a rule that silently does not exist."""
    quick.add(file, "rules: []\n")
    (problem,) = quick.problems()
    assert problem.startswith(f"{file}:1: nothing reads this file")


def test_policy_tests_are_no_part_of_the_policy(quick: Folder) -> None:
    """Tests stand beside the policy and change neither it nor its revision."""
    before = load(quick.path).revision
    quick.add("tests/billing.yaml", "- anything\n")
    assert load(quick.path).revision == before


@pytest.mark.parametrize(
    ("kind", "name"), [("segments", "how_to"), ("tools", "get_status"), ("flows", "access_restore")]
)
def test_a_second_file_with_the_same_id_is_a_problem(quick: Folder, kind: str, name: str) -> None:
    """The later file is told who has the id, and what follows from it is not reported again."""
    shutil.copy(quick.path / kind / f"{name}.yaml", quick.path / kind / "zz_copy.yaml")
    (problem,) = quick.problems()
    assert re.match(rf"{kind}/zz_copy.yaml:\d+: the id {name} is taken by {kind}/{name}.yaml:\d+", problem)


def test_a_cycle_in_a_flow_is_a_problem(quick: Folder) -> None:
    """A flow that leads back to an earlier step is named with the step."""
    quick.edit("flows/self_serve_failed.yaml", "next: already_tried", "next: symptom")
    problems = quick.problems()
    assert any("'symptom' leads back to 'symptom'; flows have no cycles" in problem for problem in problems), problems
    assert all(problem.startswith("flows/self_serve_failed.yaml:") for problem in problems)


def test_a_text_of_one_language_only_is_a_problem(quick: Folder) -> None:
    """Every text exists in every language that has a file."""
    quick.add("texts/de.yaml", "language: de\ntexts:\n  disclosure: Ich bin ein Automat.\n")
    problems = quick.problems()
    assert "texts/de.yaml:2: the text safe_reply is missing in de" in problems
    assert all(problem.startswith("texts/de.yaml:2: ") for problem in problems)


def test_detection_and_output_join_in(folder: Folder) -> None:
    """Problems of the parts with their own loaders come with the others, seen from the bundle folder."""
    folder.edit("detection/signals/resolved.yaml", "threshold: 0.75", "threshold: high")
    folder.add("output/people.yaml", "colour: red\n")
    folder.edit("bundle.yaml", "prompt: answer", "prompt: anser")
    problems = folder.problems()
    places = [re.match(r"[a-z/]+\.yaml:\d+: ", problem) for problem in problems]
    assert all(places), problems
    assert {problem.split(":")[0] for problem in problems} == {
        "bundle.yaml",
        "detection/signals/resolved.yaml",
        "output/people.yaml",
    }


def test_everything_wrong_is_reported_at_once(quick: Folder) -> None:
    """Shape, reference, purpose and YAML mistakes in six files come together, in order of file and line."""
    names = ("unknown field of a tool", "dangling queue of a rule", "duplicate key", "value used for risk",
             "precedence tie", "dangling prompt")  # fmt: skip
    for name in names:
        quick.edit(MISTAKES[name].file, MISTAKES[name].old, MISTAKES[name].new)
    problems = quick.problems()
    assert [problem.split(":")[0] for problem in problems] == sorted(MISTAKES[name].file for name in names)


def test_the_revision_follows_the_content_and_nothing_else(folder: Folder, tmp_path: Path) -> None:
    """Any change of any part gives another revision; a copy made in another order gives the same."""
    first = load(folder.path).revision
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    other = tmp_path / "other"
    for path in sorted(folder.path.rglob("*.yaml"), reverse=True):
        target = other / path.relative_to(folder.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert load(other).revision == first
    seen = {first}
    for file in ("rules/turn.yaml", "detection/languages.yaml", "output/people.yaml", "prompts/answer.yaml"):
        folder.add(file, "\n# changed\n")
        seen.add(load(folder.path).revision)
    (folder.path / "rules/turn.yaml").rename(folder.path / "rules/turns.yaml")
    seen.add(load(folder.path).revision)
    assert len(seen) == 6


def test_every_decision_carries_the_revision(quick: Folder) -> None:
    """The policy set is built with the revision of its bundle."""
    bundle = load(quick.path)
    assert bundle.policy.revision == bundle.revision
