"""Findings of lint about queues, texts, attributes, the floor and experiments, each on a bundle with just that mistake."""

from __future__ import annotations

from datetime import date

import pytest

from handrail.evals.policy.lint.finding import LintFinding
from handrail.evals.policy.lint.lint import lint
from handrail.guardrails.bundle.loader import load
from tests.unit.bundle.conftest import Folder

TODAY = date(2026, 12, 1)


def only(folder: Folder, code: str) -> LintFinding:
    """The one finding in a folder that must load, which has this code."""
    assert folder.problems() == ()
    one, *others = lint(load(folder.path), TODAY)
    assert (one.code, others) == (code, [])
    return one


# --------------------------------------------------------------------------------------------------- queues


def test_a_queue_that_never_opens_is_found(quick: Folder) -> None:
    """Hours that end before they begin are none."""
    quick.edit("queues.yaml", 'opens: "09:00", closes: "17:00"', 'opens: "17:00", closes: "09:00"')
    one = only(quick, "LINT_QUEUE_NEVER_OPEN")
    assert (one.subject, one.where) == ("compliance", f"queues.yaml:{quick.line('queues.yaml', 'id: compliance')}")


def test_a_time_zone_that_does_not_exist_is_found(quick: Folder) -> None:
    """Whether the queue is open could not be told, and every handoff would fail."""
    quick.edit("queues.yaml", "Europe/Berlin, days: [1, 2, 3, 4, 5, 6],", "Europe/Berlinn, days: [1, 2, 3, 4, 5, 6],")
    assert only(quick, "LINT_QUEUE_TIME_ZONE").subject == "identity"


QUEUE = """\
  - id: extra
    title: {en: the extra team}
    skills: []
    hours: {time_zone: UTC, days: [1], opens: "08:00", closes: "20:00"}
    first_response_minutes: 60
    handling_minutes: 10
"""


def test_a_queue_that_nothing_routes_to_is_found(quick: Folder) -> None:
    """Nobody would ever wait there."""
    quick.add("queues.yaml", QUEUE)
    one = only(quick, "LINT_QUEUE_UNUSED")
    assert (one.subject, one.where) == ("extra", f"queues.yaml:{quick.line('queues.yaml', 'id: extra')}")
    assert "no rule names it" in one.message


def test_a_route_to_people_without_the_skill_is_found(quick: Folder) -> None:
    """Who asks for a skill should route to where it is."""
    quick.edit("queues.yaml", "skills: [billing, disputes]", "skills: [billing]")
    one = only(quick, "LINT_QUEUE_SKILLS")
    line = quick.line("segments/billing_dispute.yaml", "decisions:")
    assert (one.subject, one.where) == ("segment.billing_dispute", f"segments/billing_dispute.yaml:{line}")
    assert "disputes" in one.message


# ---------------------------------------------------------------------------------------------------- texts


def test_a_text_that_is_too_long_is_found(quick: Folder) -> None:
    """A fixed text has the room of a message, and not more."""
    quick.edit("texts/en.yaml", "Did that solve it?", "Did that solve it? " + "Really? " * 150)
    one = only(quick, "LINT_TEXT_TOO_LONG")
    line = quick.line("texts/en.yaml", "verify_outcome:")
    assert (one.subject, one.where) == ("verify_outcome", f"texts/en.yaml:{line}")


def test_a_reason_that_is_too_long_is_found(quick: Folder) -> None:
    """The words of a reason have less room."""
    quick.edit("reasons/casework.yaml", "You will only hear from people here.", "You will only hear from people. " * 11)
    one = only(quick, "LINT_TEXT_TOO_LONG")
    line = quick.line("reasons/casework.yaml", "code: CONSENT_REFUSED")
    assert (one.subject, one.where) == ("CONSENT_REFUSED", f"reasons/casework.yaml:{line}")


def test_a_text_in_a_language_that_nobody_is_answered_in_is_found(quick: Folder) -> None:
    """It was written, and the language was never declared."""
    quick.edit("queues.yaml", "title: {en: the sign-in team}", "title: {en: the sign-in team, de: das Anmeldeteam}")
    one = only(quick, "LINT_TEXT_LANGUAGE")
    assert (one.subject, one.file) == ("identity", "queues.yaml")
    assert "'de'" in one.message


def test_a_value_without_words_is_found(quick: Folder) -> None:
    """A customer would read `security_key` as policy spells it."""
    text = (quick.path / "tools/reset_mfa.yaml").read_text(encoding="utf-8")
    label = next(line for line in text.splitlines() if "security_key: {en:" in line)
    quick.edit(
        "tools/reset_mfa.yaml", "security_key: {en:" + label.split("security_key: {en:")[1].split("}")[0] + "}", ""
    )
    one = only(quick, "LINT_TEXT_LANGUAGE")
    assert one.subject == "reset_mfa"
    assert "'security_key' of the call fact device_kind" in one.message


def test_a_refusal_without_a_reason_for_the_customer_is_found(quick: Folder) -> None:
    """S2.5: whoever is refused is told why, in words meant for them."""
    quick.edit("reasons/policy.yaml", "A person decides about this, so I cannot do it here.", "")
    one = only(quick, "LINT_TEXT_EMPTY")
    line = quick.line("reasons/policy.yaml", "code: SEG_ALWAYS_HUMAN")
    assert (one.subject, one.where) == ("SEG_ALWAYS_HUMAN", f"reasons/policy.yaml:{line}")


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


def test_an_attribute_that_nobody_reads_is_noted(quick: Folder) -> None:
    """It would be fetched for every customer for nothing."""
    added = (
        "  - {name: shoe_size, meaning: size of shoes, kind: number, family: demographic, source: crm, "
        "purposes: [accessibility], max_age_days: 30, inferred: false}\n"
    )
    quick.edit("attributes.yaml", "  - name: plan\n", f"{added}  - name: plan\n")
    one = only(quick, "LINT_ATTRIBUTE_UNUSED")
    line = quick.line("attributes.yaml", "name: shoe_size")
    assert (one.subject, one.where, one.level) == ("shoe_size", f"attributes.yaml:{line}", "note")


def test_a_window_that_nobody_reads_is_noted(quick: Folder) -> None:
    """A segment that stands ready reads its windows; this one has no reader at all."""
    quick.add("attributes.yaml", "  - {fact: runs_1h, meaning: tools run, count: tool_run, within_minutes: 60}\n")
    one = only(quick, "LINT_WINDOW_UNUSED")
    assert (one.subject, one.where) == ("runs_1h", f"attributes.yaml:{quick.line('attributes.yaml', 'fact: runs_1h')}")


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
    assert "segment.billing_dispute, which read payment_failures_30d" in one.message


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
