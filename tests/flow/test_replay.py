"""Real turns, decided again from what they left in the audit log (spec S11.1, S11.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from handrail.agent.audit.explain import explain
from handrail.agent.audit.explain_text import as_text
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.audit_turns import Selection
from handrail.evals.policy.experiments import experiments
from handrail.evals.policy.experiments_report import Experiments
from handrail.evals.policy.replay_report import ReplayReport
from handrail.evals.policy.replay_tally import replayed
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Decision, Effect, Obligation, Stage, TurnResult
from tests.flow.stand import CANCEL, Parts, Stand, standing, store_url
from tests.support.bundles import edited, holdout, rule

HOW_TO = "How do I export my tasks as CSV?"
Stands = Callable[..., Awaitable[Stand]]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Half of all conversations go without the segment of how-to questions; a shadow rule would bring a person then."""
    return edited(
        tmp_path_factory.mktemp("trial") / "bundle",
        holdout("trial", 0.5, "segment.how_to"),
        rule("turn.tried", "apply_policy", "HUMAN_REQUESTED", "{segment: how_to}", status="shadow", effect="escalate"),
    )


def replay(folder: Path, bundle: Bundle) -> ReplayReport:
    """The log in `folder` against `bundle`."""
    log = AuditLog(store_url(folder))
    try:
        return log.turns(Selection(), lambda turns: replayed(turns, bundle))
    finally:
        log.close()


def counted(folder: Path) -> Experiments:
    """The experiments in the log."""
    log = AuditLog(store_url(folder))
    try:
        return log.turns(Selection(), experiments)
    finally:
        log.close()


def decided(folder: Path, stage: Stage) -> list[Decision]:
    """The decisions of a stage as the log has them."""
    engine = create_engine(store_url(folder))
    with engine.connect() as connection:
        query = "SELECT payload FROM audit_events JOIN audit_payloads USING (site, conversation_id, seq) WHERE kind = "
        found = [Decision.model_validate_json(row[0]) for row in connection.execute(text(f"{query}'decision'"))]
    engine.dispose()
    return [one for one in found if one.stage is stage]


async def in_both_arms(stand: Stand) -> dict[bool, TurnResult]:
    """The same question in a conversation that is held out, and in one that is not."""
    answers: dict[bool, TurnResult] = {}
    while len(answers) < 2:
        await stand.open()
        arm = stand.room.draws.number("fernwell", stand.conversation, "trial") < 0.5
        if arm not in answers:
            answers[arm] = await stand.say(HOW_TO)
    return answers


async def test_every_path_of_a_conversation_is_replayed_exactly(stand: Stand) -> None:
    """Questions, a flow, calls with code, yes and approval, an operator's decision, a person, and nobody signed in."""
    await stand.reach("end")
    for words in (HOW_TO, "that did not help", "I was charged twice!!", "thanks, it works now", "yes"):
        await stand.say(words)
    await stand.open()
    for words in ("I cannot log in", "no", "the code does not arrive", "Ich möchte kündigen", "hello?"):
        await stand.say(words)
    await stand.open()
    await stand.button()
    await stand.say("is anybody there?")
    await stand.open(None)
    for words in (HOW_TO, CANCEL, "somebody took over my account"):
        await stand.say(words)
    report = replay(stand.folder, stand.room.bundle)
    assert report.read.turns == report.read.replayed > 15
    assert report.exact, report.changes
    assert report.unsure.not_recorded == {}
    decisions = {stage.stage: stage.decisions for stage in report.stages}
    assert decisions["authorize_tools"] >= 3
    assert decisions["guard_output"] >= 5


async def test_the_replay_of_a_log_that_outlived_a_restart_is_exact(
    parts: Parts, tmp_path: Path, trial: Bundle
) -> None:
    """Two processes wrote it, one after the other, in the same conversation: memberships go on with their age."""
    async with standing(parts, tmp_path, bundle=trial) as first:
        await first.say(HOW_TO)
        await first.reach("yes")
        conversation = first.conversation
    async with standing(parts, tmp_path, bundle=trial, fresh=False) as second:
        second.clock.move(minutes=7)
        second.conversation = conversation
        await second.say("yes", key="after-1")
        await second.decide()
        await second.say("and how do I import tasks?", key="after-2")
    report = replay(tmp_path, trial)
    assert report.exact, report.changes
    assert report.read.replayed >= 5


async def test_a_holdout_takes_its_segment_away_in_its_arm_only(stands: Stands, trial: Bundle) -> None:
    """Outside the arm a how-to question has to be answered with its source; inside, the segment says nothing of it."""
    stand = await stands(bundle=trial)
    answers = await in_both_arms(stand)
    for arm, answer in answers.items():
        (policy,) = (one for one in answer.decisions if one.stage is Stage.APPLY_POLICY)
        assert (Obligation.CITE_SOURCES in policy.obligations) is not arm
        assert {one.name: one.content for one in policy.facts}["holdout:trial"] is arm
    report = counted(stand.folder)
    (held,) = (one for one in report.holdouts if one.holdout == "trial")
    assert (held.turns_inside, held.moved) == (1, 0)


async def test_the_arm_is_kept_for_the_whole_conversation(stands: Stands, trial: Bundle) -> None:
    """Every turn of a conversation records the same draw."""
    stand = await stands(bundle=trial)
    for _ in range(4):
        await stand.say(HOW_TO)
    arms = {
        fact.content
        for one in decided(stand.folder, Stage.APPLY_POLICY)
        for fact in one.facts
        if fact.name == "holdout:trial"
    }
    assert len(arms) == 1


async def test_a_shadow_rule_is_recorded_and_not_enforced(stands: Stands, trial: Bundle) -> None:
    """The question is answered; the log says that a person would have been brought, and so does the explanation."""
    stand = await stands(bundle=trial)
    answer = await stand.say(HOW_TO)
    assert answer.handoff is None
    (policy,) = (one for one in answer.decisions if one.stage is Stage.APPLY_POLICY)
    assert policy.effect is Effect.ALLOW
    assert policy.shadow is not None
    assert (policy.shadow.effect, policy.shadow.rules) == (Effect.ESCALATE, ("turn.tried",))
    (logged,) = decided(stand.folder, Stage.APPLY_POLICY)
    assert logged.shadow == policy.shadow
    (shadow,) = counted(stand.folder).shadow_rules
    assert (shadow.rule, shadow.decisions, shadow.effects, shadow.stricter) == ("turn.tried", 1, 1, 1)
    log = AuditLog(store_url(stand.folder))
    try:
        told = as_text(explain(log.trail(answer.turn_id), {}))
    finally:
        log.close()
    assert "shadow rules turn.tried would have decided: escalate" in told


async def test_a_changed_candidate_shows_what_it_changes(stands: Stands, trial: Bundle, tmp_path: Path) -> None:
    """Enforcing the shadow rule brings a person to every how-to question, and to nothing else."""
    stand = await stands(bundle=trial)
    asked = await stand.say(HOW_TO)
    await stand.say("thanks!")
    enforced = edited(
        tmp_path / "enforced",
        holdout("trial", 0.5, "segment.how_to"),
        rule("turn.tried", "apply_policy", "HUMAN_REQUESTED", "{segment: how_to}", effect="escalate"),
    )
    report = replay(stand.folder, enforced)
    assert asked.turn_id in report.people.more_examples
    assert report.stricter >= 1
    assert report.more_permissive == 0
    assert any(change.words.startswith("apply_policy: allow -> escalate") for change in report.changes)
    assert trial.revision in report.recorded_revisions
    assert not report.exact


async def test_the_log_keeps_all_facts_and_the_explanation_stays_short(stand: Stand) -> None:
    """The report has every declared fact of the turn; a reader sees the reasons, not sixty lines of facts."""
    answer = await stand.say(HOW_TO)
    log = AuditLog(store_url(stand.folder))
    try:
        trail = log.trail(answer.turn_id)
        (turn,) = log.turns(Selection(), list)
    finally:
        log.close()
    bundle = stand.room.bundle
    assert turn.basis is not None
    recorded = {*turn.basis.known, *turn.basis.unknown}
    assert recorded >= {*bundle.attributes, *(window.fact for window in bundle.windows), "need_state", "signals"}
    told = as_text(explain(trail, {}))
    (report,) = (part for part in told.split("\n  ") if "assign_segments" in part)
    assert "time_zone" not in report
    assert stand.audit_breaks() == ()
