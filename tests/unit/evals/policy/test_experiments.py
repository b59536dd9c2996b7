"""Shadow rules and holdouts, as the log tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.audit_turns import Selection
from handrail.evals.interval import wilson
from handrail.evals.policy.difference import gap
from handrail.evals.policy.experiments import experiments
from handrail.evals.policy.experiments_report import Experiments
from handrail.evals.policy.experiments_text import as_text
from tests.support.bundles import edited, holdout, rule
from tests.support.turn_logs import START, Contents, Told, write

WARM = "{value: warm, precedence: 99}"
INCIDENTS = "{need_state: incident}"
INCIDENT: Contents = {"need_state": "incident", "need_states": ("incident",), "intent": "outage"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a log."""
    return f"sqlite:///{tmp_path / 'handrail.db'}"


def found(url: str) -> Experiments:
    """The report on a log."""
    log = AuditLog(url)
    try:
        return log.turns(Selection(), experiments)
    finally:
        log.close()


def test_a_shadow_rule_is_counted_where_it_applied(url: str, tmp_path: Path) -> None:
    """By what it would have changed, in which direction, in which segment and need state."""
    bundle = edited(
        tmp_path / "shadows",
        rule("turn.tried", "apply_policy", "HUMAN_REQUESTED", "{segment: how_to}", status="shadow", effect="escalate"),
        rule("turn.warm", "apply_policy", "POLICY_CONTINUES", "{segment: how_to}", status="shadow", tone=WARM),
        rule("turn.alike", "apply_policy", "POLICY_CONTINUES", INCIDENTS, status="shadow", obligations="[offer_human]"),
        rule("turn.never", "apply_policy", "POLICY_CONTINUES", "{in_flow: true}", status="shadow", effect="refuse"),
    )
    write(url, bundle, [Told("c1"), Told("c2"), Told("c3", INCIDENT), Told("c4", {**INCIDENT, "unresolved_turns": 3})])
    report = found(url)
    assert [one.rule for one in report.shadow_rules] == ["turn.alike", "turn.tried", "turn.warm"]
    alike, tried, warm = report.shadow_rules
    assert (tried.decisions, tried.together, tried.effects, tried.stricter, tried.more_permissive) == (2, 2, 2, 2, 0)
    assert (warm.decisions, warm.together, warm.dimensions) == (2, 2, 2)
    assert [(cell.segment, cell.need_state, cell.stricter) for cell in tried.cells] == [("how_to", "how_to", 2)]
    assert tried.examples == ("t0", "t1")
    assert (alike.decisions, alike.together, alike.effects, alike.obligations, alike.stricter) == (2, 0, 0, 1, 1)
    assert "turn.tried: applied in 2 decisions, in 2 together with other shadow rules" in as_text(report)


def conversations(count: int, arm: bool, went: int, begin: int = 0) -> list[Told]:
    """So many conversations in an arm, of which `went` go to a person in their second turn."""
    turns: list[Told] = []
    for number in range(count):
        language = "de" if number < went else "en"
        for contents in ({}, {"language": language}):
            turns.append(  # noqa: PERF401 - two turns each
                Told(f"{arm}-{begin}-{number}", {"holdout:trial": arm, **contents}, at=START.replace(minute=begin))
            )
    return turns


def test_arms_are_compared_by_conversation(url: str, tmp_path: Path) -> None:
    """Shares with Wilson intervals and Newcombe's interval of their difference, also by need state."""
    bundle = edited(tmp_path / "held", holdout("trial", 0.5, "segment.how_to"))
    write(url, bundle, [*conversations(30, arm=True, went=6), *conversations(40, arm=False, went=20)])
    (_, _, trial) = sorted(found(url).holdouts, key=lambda one: one.holdout == "trial")
    assert (trial.turns_inside, trial.turns_outside, trial.moved) == (60, 80, 0)
    whole, how_to = trial.arms
    assert (whole.need_state, how_to.need_state) == (None, "how_to")
    assert whole.inside == how_to.inside == wilson(6, 30)
    assert whole.outside == wilson(20, 40)
    assert whole.gap == gap(wilson(6, 30), wilson(20, 40))
    assert whole.gap is not None
    assert whole.gap.clear


def test_few_conversations_are_not_compared(url: str, tmp_path: Path) -> None:
    """Nineteen in an arm are too few, and the report says so."""
    bundle = edited(tmp_path / "held", holdout("trial", 0.5, "segment.how_to"))
    write(url, bundle, [*conversations(19, arm=True, went=6), *conversations(40, arm=False, went=20)])
    report = found(url)
    trial = next(one for one in report.holdouts if one.holdout == "trial")
    assert all(arms.gap is None for arms in trial.arms)
    assert "too few to compare: 20 conversations are needed in each arm" in as_text(report)


def test_what_came_before_the_holdout_is_no_control(url: str, tmp_path: Path) -> None:
    """Counting begins with the first conversation that was held out."""
    bundle = edited(tmp_path / "held", holdout("trial", 0.5, "segment.how_to"))
    before = conversations(25, arm=False, went=25, begin=1)
    after = [*conversations(2, arm=True, went=0, begin=2), *conversations(3, arm=False, went=0, begin=3)]
    write(url, bundle, [*before, *after])
    trial = next(one for one in found(url).holdouts if one.holdout == "trial")
    assert (trial.arms[0].inside.n, trial.arms[0].outside.n) == (2, 3)


def test_who_was_moved_is_left_out(url: str, tmp_path: Path) -> None:
    """A conversation that was in both arms, because the share grew, belongs to neither."""
    bundle = edited(tmp_path / "held", holdout("trial", 0.5, "segment.how_to"))
    arms = (True, False)
    write(url, bundle, [Told("c1", {"holdout:trial": arm}) for arm in arms] + conversations(1, arm=True, went=0))
    trial = next(one for one in found(url).holdouts if one.holdout == "trial")
    assert (trial.moved, trial.arms[0].inside.n, trial.arms[0].outside.n) == (1, 1, 0)


def test_nobody_held_out_is_said(url: str, tmp_path: Path) -> None:
    """A holdout that stands ready has one arm."""
    bundle = edited(tmp_path / "ready", holdout("trial", 0.5, "segment.how_to", status="ready"))
    write(url, bundle, [Told("c1"), Told("c2")])
    text = as_text(found(url))
    assert "trial: 0 conversations held out (0 turns), 2 not (2 turns)" in text
    assert "nobody was held out" in text


def test_the_interval_of_a_difference() -> None:
    """Newcombe 1998, table II: 56/70 against 48/80 gives 0.2 with 0.0524 to 0.3339; nothing is known of no trials."""
    found_gap = gap(wilson(56, 70), wilson(48, 80))
    assert found_gap is not None
    assert (round(found_gap.gap, 4), round(found_gap.low, 4), round(found_gap.high, 4)) == (0.2, 0.0524, 0.3339)
    assert gap(wilson(0, 0), wilson(1, 2)) is None
