"""Findings of lint about queues, texts, attributes, the floor and experiments, on bundles that load."""

from __future__ import annotations

from datetime import date

import pytest

from handrail.evals.policy.lint.finding import LintFinding
from handrail.evals.policy.lint.lint import lint
from handrail.guardrails.bundle.loader import load
from tests.unit.bundle.conftest import Folder

TODAY = date(2026, 12, 1)


def findings(folder: Folder) -> tuple[LintFinding, ...]:
    """Every finding in a folder that must load."""
    assert folder.problems() == ()
    return lint(load(folder.path), TODAY)


def only(folder: Folder, code: str) -> LintFinding:
    """The one finding in a folder, which has this code."""
    one, *others = findings(folder)
    assert (one.code, others) == (code, [])
    return one


QUEUE = """\
  - id: extra
    title: {en: the extra team}
    skills: []
    hours: {time_zone: UTC, days: [1], opens: "08:00", closes: "20:00"}
    first_response_minutes: 60
    handling_minutes: 10
"""
ATTRIBUTE = (
    "  - {name: shoe_size, meaning: size of shoes, kind: number, family: demographic, source: crm, "
    "purposes: [accessibility], max_age_days: 30, inferred: false}\n"
)


def without_a_label(folder: Folder) -> None:
    """Take away the words for one value of a call fact that stands in a question."""
    text = (folder.path / "tools/reset_mfa.yaml").read_text(encoding="utf-8")
    words = text.split("security_key: {en:")[1].split("}")[0]
    folder.edit("tools/reset_mfa.yaml", f"security_key: {{en:{words}}}", "")


def test_what_stands_in_the_files_is_found_where_it_stands(quick: Folder) -> None:
    """Eleven mistakes that no solver is needed for: each is found once, at its own line, and nothing else is."""
    quick.edit("queues.yaml", 'opens: "09:00", closes: "17:00"', 'opens: "17:00", closes: "09:00"')
    quick.edit("queues.yaml", "skills: [billing, disputes]", "skills: [billing]")
    quick.edit(
        "queues.yaml", "title: {en: the incident desk}", "title: {en: the incident desk, de: die Störungsstelle}"
    )
    quick.add("queues.yaml", QUEUE)
    quick.edit("texts/en.yaml", "Did that solve it?", "Did that solve it? " + "Really? " * 150)
    quick.edit("reasons/casework.yaml", "You will only hear from people here.", "You will only hear from people. " * 11)
    quick.edit("reasons/policy.yaml", "A person decides about this, so I cannot do it here.", "")
    without_a_label(quick)
    quick.edit("attributes.yaml", "  - name: plan\n", f"{ATTRIBUTE}  - name: plan\n")
    quick.add("attributes.yaml", "  - {fact: runs_1h, meaning: tools run, count: tool_run, within_minutes: 60}\n")

    def at(file: str, text: str) -> str:
        return f"{file}:{quick.line(file, text)}"

    told = findings(quick)
    assert {(one.code, one.subject, one.where) for one in told} == {
        ("LINT_QUEUE_NEVER_OPEN", "compliance", at("queues.yaml", "id: compliance")),
        (
            "LINT_QUEUE_SKILLS",
            "segment.billing_dispute",
            at("segments/billing_dispute.yaml", "decisions:"),
        ),
        ("LINT_TEXT_LANGUAGE", "incidents", at("queues.yaml", "id: incidents")),
        ("LINT_QUEUE_UNUSED", "extra", at("queues.yaml", "id: extra")),
        ("LINT_TEXT_TOO_LONG", "verify_outcome", at("texts/en.yaml", "verify_outcome:")),
        ("LINT_TEXT_TOO_LONG", "CONSENT_REFUSED", at("reasons/casework.yaml", "code: CONSENT_REFUSED")),
        ("LINT_TEXT_EMPTY", "SEG_ALWAYS_HUMAN", at("reasons/policy.yaml", "code: SEG_ALWAYS_HUMAN")),
        ("LINT_TEXT_LANGUAGE", "reset_mfa", at("tools/reset_mfa.yaml", "id: reset_mfa")),
        ("LINT_ATTRIBUTE_UNUSED", "shoe_size", at("attributes.yaml", "name: shoe_size")),
        ("LINT_WINDOW_UNUSED", "runs_1h", at("attributes.yaml", "fact: runs_1h")),
    }
    assert len(told) == 10
    messages = " ".join(one.message for one in told)
    for words in ("no rule names it", "'de'", "the skill disputes", "'security_key' of the call fact device_kind"):
        assert words in messages


# ----------------------------------------------------------------------------------------------- attributes

USED = "    purposes: [priority, queue, permission, automation, troubleshooting, style]"


@pytest.mark.parametrize("condition", ["payment_failures_30d: {at_least: 3}", "segment: billing_dispute"])
def test_risk_by_an_attribute_is_found(quick: Folder, condition: str) -> None:
    """Even where an attribute's purposes would cover it, and also through a segment."""
    quick.edit("attributes.yaml", USED, USED.replace("]", ", risk]"))
    rule = "  - {id: risk.extra, stage: gate_risk, reason: RISK_ACCOUNT_MATTER, why: For a test., risk: medium, when: "
    quick.add("rules/risk.yaml", f"{rule}{{{condition}}}}}\n")
    one = only(quick, "LINT_RISK_BY_ATTRIBUTE")
    assert (one.subject, one.where) == ("risk.extra", f"rules/risk.yaml:{quick.line('rules/risk.yaml', 'risk.extra')}")


def turn_rule(folder: Folder, what: str) -> str:
    """Add a rule about turns that says this; the place where it stands."""
    rule = "  - {id: turn.extra, stage: apply_policy, reason: POLICY_CONTINUES, why: For a test., "
    folder.add("rules/turn.yaml", f"{rule}{what}}}\n")
    return f"rules/turn.yaml:{folder.line('rules/turn.yaml', 'turn.extra')}"


def test_a_guess_that_decides_how_far_to_automate_is_found(quick: Folder) -> None:
    """The purpose is declared, and the attribute is inferred all the same."""
    place = turn_rule(quick, "when: {usage_maturity: new}, automation: guided")
    assert only(quick, "LINT_INFERRED_DECIDES").where == place


def test_a_word_that_nobody_declared_is_found(quick: Folder) -> None:
    """No spelling check can tell `widgett` from a channel that there is."""
    place = turn_rule(quick, "when: {channel: widgett}, obligations: [offer_human]")
    one = only(quick, "LINT_OPEN_WORD")
    assert (one.subject, one.where) == ("turn.extra", place)


# ---------------------------------------------------------------------------------------------------- floor


def invariant(folder: Folder, what: str) -> str:
    """Add an invariant of the floor that says this; the place where it stands."""
    folder.add("invariants.yaml", f"  - {{id: extra, says: For a test., stage: apply_policy, floor: true, {what}}}\n")
    return f"invariants.yaml:{folder.line('invariants.yaml', 'id: extra')}"


def test_a_floor_that_asks_for_what_may_be_ignored_is_found(quick: Folder) -> None:
    """A promise about trial accounts says little where the plan is unknown."""
    place = invariant(quick, "when: {plan: trial}, never: {queue: [none]}")
    one = only(quick, "LINT_FLOOR_IGNORES_UNKNOWN")
    assert (one.where, one.level) == (place, "error")
    assert "reads plan" in one.message


def test_a_floor_that_needs_rules_about_attributes_is_found(quick: Folder) -> None:
    """It is proved, and only by the rules of a segment that also looks at failed payments."""
    what = "when: {signals: {has: RISK_CHARGE_DISPUTE}}, always: {obligations: [no_commitments]}"
    place = invariant(quick, what)
    one = only(quick, "LINT_FLOOR_IGNORES_UNKNOWN")
    assert one.where == place
    assert "segment.billing_dispute, segment.billing_dispute.soft0, which read payment_failures_30d" in one.message


def test_an_invariant_about_nothing_is_found(quick: Folder) -> None:
    """It would always be proved."""
    what = "when: {all: [{pending: nothing}, {pending: confirm}]}, never: {queue: [none]}"
    place = invariant(quick, what)
    # What is unknown could be both, so the condition also has to leave no room for that.
    quick.edit("invariants.yaml", what, what.replace("[{pending", "[{pending: {known: true}}, {pending", 1))
    assert only(quick, "LINT_INVARIANT_VACUOUS").where == place


# ---------------------------------------------------------------------------------------------- experiments


def holdout(name: str, share: float, without: str, status: str = "active") -> str:
    """One more holdout."""
    return (
        f"  - {{id: {name}, meaning: For a test., status: {status}, share: {share}, without: [{without}], owner: me, "
        "review_by: 2027-03-31}\n"
    )


def test_a_holdout_that_changes_nothing_is_found(quick: Folder) -> None:
    """What other rules say anyway cannot be missed."""
    quick.add("experiments.yaml", holdout("extra", 0.1, "turn.continue", "ready"))
    one = only(quick, "LINT_HOLDOUT_NO_EFFECT")
    assert (one.subject, one.where) == ("extra", f"experiments.yaml:{quick.line('experiments.yaml', 'id: extra')}")


def test_a_fifth_holdout_is_found(quick: Folder) -> None:
    """Nobody can read figures of 32 arms."""
    quick.add("experiments.yaml", "".join(holdout(f"extra{n}", 0.01, "turn.courtesy") for n in range(5)))
    assert only(quick, "LINT_HOLDOUTS_TOO_MANY").subject == "extra4"


def test_holdouts_that_take_most_conversations_are_found(quick: Folder) -> None:
    """Most conversations are to get the whole policy."""
    quick.add("experiments.yaml", "".join(holdout(f"extra{n}", 0.3, "turn.courtesy") for n in range(2)))
    one = only(quick, "LINT_HOLDOUT_SHARES")
    assert one.subject == "extra1"
    assert "60%" in one.message
