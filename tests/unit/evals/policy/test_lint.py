"""Each finding of lint, shown on a bundle that loads and has just that mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from handrail.evals.policy.lint import stages
from handrail.evals.policy.lint.checks import CHECKS, CODES, Check
from handrail.evals.policy.lint.finding import LintFinding
from handrail.evals.policy.lint.lint import lint
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.policyset import PolicySet
from tests.unit.bundle.conftest import Folder

TODAY = date(2026, 12, 1)


def findings(folder: Folder, today: date = TODAY) -> tuple[LintFinding, ...]:
    """Every finding in a folder that must load."""
    assert folder.problems() == ()
    return lint(load(folder.path), today)


def found(folder: Folder, today: date = TODAY) -> list[tuple[str, str, str]]:
    """Code, subject and place of every finding in a folder that must load."""
    return [(one.code, one.subject, one.where) for one in findings(folder, today)]


def only(folder: Folder, code: str) -> LintFinding:
    """The one finding in a folder, which has this code."""
    one, *others = findings(folder)
    assert (one.code, others) == (code, [])
    return one


def test_the_shipped_bundle_has_no_finding(shipped: Bundle) -> None:
    """What is shipped is what lint wants; what is meant to be otherwise is waived with its reason."""
    assert lint(shipped, TODAY) == ()


def test_every_check_has_a_code_of_its_own() -> None:
    """Codes are stable names: no two checks share one, and each says what to do."""
    assert len({code.id for code in CODES}) == len(CODES) == len(CHECKS) + 2
    assert all(code.id.startswith("LINT_") and code.says and code.remedy for code in CODES)


# ------------------------------------------------------------------------------------------------- segments


def test_a_segment_that_changes_nothing_is_a_label(quick: Folder) -> None:
    """Tags alone change no decision dimension."""
    quick.edit("segments/trial.yaml", "  skills: [trial]\n", "")
    line = quick.line("segments/trial.yaml", "id: trial")
    assert found(quick) == [("LINT_SEGMENT_IS_LABEL", "trial", f"segments/trial.yaml:{line}")]


def test_a_segment_that_nobody_enters_is_found(quick: Folder) -> None:
    """A plan that is two plans at once is none; the rules of the segment are not reported again."""
    quick.edit("segments/trial.yaml", "entry:\n  plan: trial\n", "entry: {all: [{plan: trial}, {plan: team}]}\n")
    assert only(quick, "LINT_SEGMENT_UNREACHABLE").subject == "trial"


def test_a_segment_that_nobody_leaves_is_found(quick: Folder) -> None:
    """An exit that cannot be true keeps everybody in."""
    quick.edit("segments/trial.yaml", "exit:\n  not: {plan: trial}\n", "exit: {all: [{plan: trial}, {plan: team}]}\n")
    assert only(quick, "LINT_SEGMENT_NO_EXIT").subject == "trial"


PLAIN = """\
id: plain
title: Plain
purpose: Nothing in particular
tier: stable
status: active
reason: SEG_TRIAL
entry: {plan: team}
exit: {not: {plan: team}}
decisions: {queue: {value: general, precedence: 1}, tags: [plain]}
actions: {allow: [], deny: []}
escalation: {hard: [], soft: []}
metrics: [first_response_time]
owner: support
review_by: 2027-03-31
"""


def test_a_segment_whose_decisions_others_make_is_found(quick: Folder) -> None:
    """The default queue is chosen anyway, so a segment that chooses it changes nothing but its tag."""
    quick.add("segments/plain.yaml", PLAIN)
    assert found(quick) == [("LINT_SEGMENT_NO_EFFECT", "plain", "segments/plain.yaml:1")]


def test_a_segment_that_another_rule_asks_for_has_an_effect(quick: Folder) -> None:
    """It says nothing of its own that counts, and decides all the same, through who asks for it."""
    quick.add("segments/plain.yaml", PLAIN)
    quick.add("rules/turn.yaml", f"{RULE}    when: {{segment: plain}}\n    skills: [extra]\n")
    assert found(quick) == []


def test_a_segment_without_which_another_rule_says_the_same_is_found(quick: Folder) -> None:
    """What it says is said as well where it does not hold, by a rule that asks for that: so the segment may go."""
    known = PLAIN.replace("{plan: team}", "{plan: {known: true}}", 1)
    quick.add("segments/plain.yaml", known.replace("queue: {value: general, precedence: 1}", "skills: [extra]"))
    quick.edit("segments/plain.yaml", "exit: {not: {plan: team}}", "exit: {plan: {known: false}}")
    quick.add("rules/turn.yaml", f"{RULE}    when: {{not: {{segment: plain}}}}\n    skills: [extra]\n")
    assert only(quick, "LINT_SEGMENT_NO_EFFECT").subject == "plain"


def test_a_segment_without_a_gap_flaps(quick: Folder) -> None:
    """One reopened ticket puts in and none takes out: without a hold, each event turns it over."""
    quick.edit("segments/reopen_prone.yaml", "hold_minutes: 1440\n", "")
    one = only(quick, "LINT_SEGMENT_FLAPS")
    assert one.subject == "reopen_prone"
    assert "at tickets_reopened_30d 1 " in one.message


def test_a_gap_keeps_a_segment_from_flapping(quick: Folder) -> None:
    """Between two to enter and none to leave, one event fewer changes nothing."""
    quick.edit("segments/reopen_prone.yaml", "hold_minutes: 1440\n", "")
    quick.edit(
        "segments/reopen_prone.yaml", "tickets_reopened_30d: {at_least: 1}", "tickets_reopened_30d: {at_least: 2}"
    )
    assert found(quick) == []


def test_an_overdue_review_is_found(quick: Folder) -> None:
    """On the day itself there is still time; on the next there is not. Holdouts have a date, too."""
    quick.edit("segments/trial.yaml", "review_by: 2027-03-31", "review_by: 2026-12-01")
    text = (quick.path / "experiments.yaml").read_text(encoding="utf-8")
    (quick.path / "experiments.yaml").write_text(text.replace("2027-03-31", "2026-12-01", 1), encoding="utf-8")
    assert found(quick) == []
    overdue = found(quick, date(2026, 12, 2))
    holdout = quick.line("experiments.yaml", "- id: no_self_serve_segment")
    assert ("LINT_REVIEW_OVERDUE", "no_self_serve_segment", f"experiments.yaml:{holdout}") in overdue
    assert [(code, subject) for code, subject, _ in overdue] == [
        ("LINT_REVIEW_OVERDUE", "no_self_serve_segment"),
        ("LINT_REVIEW_OVERDUE", "trial"),
    ]


# ---------------------------------------------------------------------------------------------------- rules

RULE = """\
  - id: turn.extra
    stage: apply_policy
    reason: POLICY_CONTINUES
    why: It stands here for a test.
"""


def test_a_rule_that_never_applies_is_found(quick: Folder) -> None:
    """Nothing is asked and a yes is asked for: never both."""
    quick.edit(
        "rules/turn.yaml",
        "when: {all: [{signals: {has: RESOLVED}}, {segment: reopen_prone}]}",
        "when: {all: [{pending: nothing}, {pending: confirm}]}",
    )
    line = quick.line("rules/turn.yaml", "id: turn.verify_before_close")
    assert found(quick) == [("LINT_RULE_UNREACHABLE", "turn.verify_before_close", f"rules/turn.yaml:{line}")]


def test_a_rule_that_applies_to_the_unknown_alone_is_found(quick: Folder) -> None:
    """A restriction that is never true still bites when a fact is unknown, and the message says so."""
    quick.edit(
        "rules/risk.yaml", "when: {need_state: unknown}", "when: {all: [{need_state: unknown}, {need_state: how_to}]}"
    )
    one = only(quick, "LINT_RULE_UNREACHABLE")
    assert one.subject == "risk.unknown_need"
    assert "only while a fact is unknown" in one.message


@pytest.mark.parametrize("status", ["active", "shadow"])
def test_a_rule_that_others_cover_is_found(quick: Folder, status: str) -> None:
    """A refusal where a person is brought anyway decides nothing; the message names who decides."""
    what = f"    status: {status}\n    when: {{signals: {{has: HUMAN_REQUESTED}}}}\n    effect: refuse\n"
    quick.add("rules/turn.yaml", RULE + what)
    one = only(quick, "LINT_RULE_SHADOWED")
    line = quick.line("rules/turn.yaml", "id: turn.extra")
    assert (one.subject, one.where) == ("turn.extra", f"rules/turn.yaml:{line}")
    assert "(turn.person_requested)" in one.message


def test_a_rule_that_says_a_little_more_is_not_shadowed(quick: Folder) -> None:
    """The same condition with an obligation that nobody else has."""
    what = "    when: {signals: {has: HUMAN_REQUESTED}}\n    effect: refuse\n    obligations: [status_first]\n"
    quick.add("rules/turn.yaml", RULE + what)
    assert found(quick) == []


def test_a_message_that_no_rule_speaks_about_is_found(quick: Folder) -> None:
    """Without a page, a question about policy would be left to the built-in default."""
    narrowed = "- need_state: {in: [how_to]}"
    quick.edit("rules/retrieval.yaml", "- need_state: {in: [how_to, policy_compliance]}", narrowed)
    one = only(quick, "LINT_STAGE_NO_DEFAULT")
    first = quick.line("rules/retrieval.yaml", "id: retrieve.good")
    assert (one.subject, one.where) == ("retrieve", f"rules/retrieval.yaml:{first}")
    assert "need_state: policy_compliance" in one.message
    assert "passages_good: 0" in one.message


def test_without_rules_every_stage_and_tool_is_found(shipped: Bundle) -> None:
    """The empty policy says nothing anywhere, so no message gets as far as retrieval or an answer."""
    empty = replace(shipped, policy=PolicySet([], shipped.revision), waivers={})
    told = lint(empty, TODAY, checks=[Check(stages.NO_DEFAULT, stages.without_default)])
    assert {one.subject for one in told} == {"gate_risk", "apply_policy", *shipped.tools}


# ---------------------------------------------------------------------------------------------------- tools


def test_a_tool_that_nothing_permits_is_found(quick: Folder) -> None:
    """Declared until a rule grants it, a tool that none grants is of no use."""
    quick.edit("segments/access_restore.yaml", "allow: [reset_mfa, resend_code, list_devices]", "allow: [resend_code]")
    line = quick.line("tools/reset_mfa.yaml", "id: reset_mfa")
    assert found(quick) == [("LINT_TOOL_NEVER_ALLOWED", "reset_mfa", f"tools/reset_mfa.yaml:{line}")]


def test_a_tool_that_is_always_restricted_is_found(quick: Folder) -> None:
    """A permit that a restriction always overrides permits nothing."""
    quick.add(
        "rules/tools.yaml",
        "  - {id: tools.extra, stage: authorize_tools, reason: TOOL_ROLE, why: For a test., tools: [get_status], "
        "effect: refuse}\n",
    )
    one = only(quick, "LINT_TOOL_NEVER_ALLOWED")
    assert one.subject == "get_status"
    assert "overridden by a restriction" in one.message


CONFIRM = "when: {all: [{tool_access: write}, {call_confirmed: false}, {not: {call_edit: favourable}}]}\n"


def test_a_write_that_nobody_confirms_is_found(quick: Folder) -> None:
    """Without the general rule, only the tools that need an approval are covered."""
    quick.edit("rules/tools.yaml", CONFIRM, f"{CONFIRM}    tools: [issue_refund, delete_data]\n")
    one = only(quick, "LINT_WRITE_UNCONFIRMED")
    line = quick.line("tools/resend_code.yaml", "id: resend_code")
    assert (one.subject, one.where) == ("resend_code", f"tools/resend_code.yaml:{line}")
    assert "need_states: [access_restore]" in one.message


def test_a_write_that_waits_for_a_yes_nobody_asks_for_is_found(quick: Folder) -> None:
    """Refused until confirmed, and never asked about."""
    step = "    effect: not_yet\n    obligations: [confirm]"
    quick.edit("rules/tools.yaml", CONFIRM + step, f"{CONFIRM}    effect: refuse")
    one = only(quick, "LINT_WRITE_UNCONFIRMED")
    assert one.subject == "resend_code"
    assert "that no rule asks for" in one.message


# -------------------------------------------------------------------------------------------------- reasons


def test_a_code_that_nothing_emits_is_found(quick: Folder) -> None:
    """An entry without a use is a promise nobody keeps."""
    quick.add(
        "reasons/extra.yaml",
        "- {code: NEVER_SAID, title: x, operator: x, customer: {en: x}, stage: reply, severity: info}\n",
    )
    assert found(quick) == [("LINT_REASON_NEVER_EMITTED", "NEVER_SAID", "reasons/extra.yaml:1")]


def test_a_code_without_an_entry_is_found(shipped: Bundle) -> None:
    """What code can emit must stand in the catalogue."""
    from handrail.agent.reasons import EMITTED

    told = lint(shipped, TODAY, emitted=(*EMITTED, "BRAND_NEW"))
    assert [(one.code, one.subject, one.file) for one in told] == [
        ("LINT_REASON_MISSING", "BRAND_NEW", "reasons/casework.yaml")
    ]


def test_a_reason_of_another_stage_is_noted(quick: Folder) -> None:
    """Retrieval that gives a reason of the output gate would mislead whoever reads the log."""
    rule = "- id: retrieve.may_ask\n    stage: retrieve\n    reason: "
    quick.edit("rules/retrieval.yaml", f"{rule}RETRIEVAL_CLARIFY", f"{rule}OUTPUT_REPAIR")
    one = only(quick, "LINT_REASON_STAGE")
    assert (one.subject, one.level) == ("retrieve.may_ask", "note")


# --------------------------------------------------------------------------------------------------- waivers


def test_a_waiver_that_nothing_needs_is_found(quick: Folder) -> None:
    """Otherwise it would hide the next mistake."""
    quick.edit("segments/trial.yaml", "id: trial\n", "id: trial\nwaive: {LINT_SEGMENT_IS_LABEL: It was one once.}\n")
    line = quick.line("segments/trial.yaml", "id: trial")
    assert found(quick) == [("LINT_WAIVER_UNUSED", "trial", f"segments/trial.yaml:{line}")]


def test_a_waiver_of_an_unknown_code_is_found(quick: Folder) -> None:
    """A misspelt code waives nothing."""
    quick.edit("segments/trial.yaml", "id: trial\n", "id: trial\nwaive: {LINT_SEGMENT_LABEL: It is one.......}\n")
    assert only(quick, "LINT_WAIVER_UNKNOWN").level == "error"


def test_a_waived_finding_is_silent(quick: Folder) -> None:
    """That is what a waiver is for."""
    quick.edit("segments/trial.yaml", "  skills: [trial]\n", "")
    quick.edit("segments/trial.yaml", "id: trial\n", "id: trial\nwaive: {LINT_SEGMENT_IS_LABEL: Reports need it.}\n")
    assert found(quick) == []


def test_without_its_waiver_a_deliberate_overlap_is_found(quick: Folder) -> None:
    """The waivers of the shipped bundle stand for findings that there are."""
    quick.edit(
        "segments/billing_dispute.yaml",
        (quick.path / "segments/billing_dispute.yaml").read_text(encoding="utf-8").partition("waive:")[2],
        "\n  LINT_RULE_SHADOWED: Something else.\n",
    )
    quick.edit("segments/billing_dispute.yaml", "waive:\n  LINT_RULE_SHADOWED: Something else.\n", "")
    one = only(quick, "LINT_RULE_SHADOWED")
    line = quick.line("segments/billing_dispute.yaml", "- when: {signals: {has_any: [RISK_FRAUD, RISK_CHARGEBACK]}}")
    assert (one.subject, one.where) == ("segment.billing_dispute.hard0", f"segments/billing_dispute.yaml:{line}")
    assert "turn.always_human" in one.message


def test_findings_are_in_the_order_of_places_and_say_what_to_do(shipped: Bundle) -> None:
    """The order is that of files, whatever was found first."""
    told = lint(shipped, date(2030, 1, 1), emitted=("ZZ_ZZ", "AA_AA"))
    assert len(told) > 50
    assert [(one.file, one.line) for one in told] == sorted((one.file, one.line) for one in told)
    assert all(one.message.endswith(".") for one in told)
