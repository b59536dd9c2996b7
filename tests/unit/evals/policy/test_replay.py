"""Recorded turns, decided again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.audit_turns import Selection
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.replay_report import ReplayReport
from handrail.evals.policy.replay_tally import compared, replayed
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.vocabulary import FactContent
from tests.support.bundles import SHIPPED, Edit, edited, holdout, rule
from tests.support.turn_logs import Contents, Told, drawn, write

GERMAN: Contents = {"language": "de"}
DAY = 86_400.0
LENIENT: Edit = (
    "rules/turn.yaml",
    "    when: {not: {language: {in: [en, unknown]}}}\n    effect: escalate",
    "    when: {not: {language: {in: [en, unknown]}}}\n    obligations: [offer_human]",
)
"""Other languages are served, with the offer of a person."""

CLEAN_CALL: Mapping[str, FactContent] = {
    "call_schema_valid": True,
    "call_provenance_ok": True,
    "call_confirmed": False,
    "call_approvals": 0,
    "call_repeated": False,
    "call_over_rate": False,
    "call_edit": "none",
}
"""What the gate finds of a call in order."""

STRICT = rule("turn.export", "apply_policy", "ESC_CRITICAL_RISK", "{intent: import_export}", effect="escalate")
"""Questions about exports go to people."""


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The shipped bundle."""
    return load(SHIPPED)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a log."""
    return f"sqlite:///{tmp_path / 'handrail.db'}"


def replay(url: str, bundle: Bundle, selection: Selection | None = None, **options: float) -> ReplayReport:
    """The report on a log."""
    log = AuditLog(url)
    try:
        return log.turns(selection or Selection(), lambda turns: replayed(turns, bundle, **options))
    finally:
        log.close()


def spoil(url: str, statement: str) -> None:
    """Change a log behind its back."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def told(url: str, bundle: Bundle, *turns: Told) -> list[str]:
    """Write these turns, one conversation each unless they name one."""
    return write(url, bundle, turns)


def lines(report: ReplayReport) -> list[str]:
    """The changes in words."""
    return [change.words for change in report.changes]


def sums(numbers: Iterable[int]) -> int:
    """Their sum."""
    return sum(numbers)


def test_an_unchanged_bundle_decides_exactly_as_recorded(url: str, shipped: Bundle) -> None:
    """Effect, reasons, rules, obligations and dimensions of every decision of 600 drawn turns, whatever was unknown."""
    write(url, shipped, drawn(shipped, 600))
    report = replay(url, shipped)
    assert report.read.turns == report.read.replayed == 600
    assert report.exact
    assert (report.changed.successes, report.explained, report.reassigned, report.changes) == (0, 0, 0, ())
    assert {stage.stage for stage in report.stages} == {
        "gate_risk",
        "apply_policy",
        "retrieve",
        "authorize_tools",
        "guard_output",
    }
    assert report.unsure.not_recorded == {}
    assert report.recorded_revisions == {shipped.revision: 600}


def test_a_bundle_with_shadows_and_holdouts_is_replayed_exactly_too(url: str, tmp_path: Path) -> None:
    """Arms are recorded facts, and shadow decisions come out as recorded."""
    bundle = edited(
        tmp_path / "trial",
        holdout("trial", 0.5, "segment.how_to"),
        rule("turn.tried", "apply_policy", "HUMAN_REQUESTED", "{segment: how_to}", status="shadow", effect="escalate"),
    )
    write(url, bundle, drawn(bundle, 300, seed=2))
    assert replay(url, bundle).exact


def test_a_more_permissive_candidate_goes_beyond_the_record(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """What would follow was never tried: the turn is counted as changed, listed first, and said to be unknown."""
    german, english = told(url, shipped, Told("c1", GERMAN), Told("c2"))
    report = replay(url, edited(tmp_path / "lenient", LENIENT), hourly_cost=60.0)
    assert (report.changed.successes, report.changed.n, report.more_permissive) == (1, 2, 1)
    assert report.changes[0].direction is Direction.MORE_PERMISSIVE
    assert report.changes[0].words.startswith("apply_policy: escalate -> allow, +offer_human")
    assert report.changes[0].examples == report.unsure.beyond_examples == (german,)
    assert report.unsure.beyond == 1
    assert (report.people.more, report.people.fewer, report.people.fewer_examples) == (0, 1, (german,))
    minutes = shipped.queues["general"].handling_minutes
    assert (report.people.minutes, report.people.minutes_per_1000) == (-minutes, -minutes * 500)
    assert report.people.cost == -minutes
    assert english not in report.changes[0].examples
    assert {(cell.segment, cell.need_state) for cell in report.cells} >= {("how_to", "how_to")}
    assert "+POLICY_NEED_SERVED" in {cell.reason for cell in report.cells}


def test_a_stricter_candidate_brings_more_people(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """Decisions after the escalation are not asked for; the queue and its minutes are the candidate's."""
    told(
        url,
        shipped,
        Told("c1", {"intent": "import_export"}),
        Told("c2", {"intent": "import_export", "conversation": "queued"}),
    )
    report = replay(url, edited(tmp_path / "strict", STRICT))
    assert (report.stricter, report.more_permissive, report.unsure.beyond) == (2, 0, 0)
    assert report.people.more == 1, "who waits for a person already costs no second one"
    (queue,) = report.people.queues
    assert (queue.queue, queue.before, queue.after) == ("general", 0, 1)
    assert sums(stage.decisions for stage in report.stages if stage.stage == "retrieve") == 0


def test_another_revision_is_named_and_not_exact(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """A log of another bundle is said to be one, also where every decision comes out alike."""
    told(url, shipped, Told("c1"))
    other = edited(tmp_path / "other", ("handoff.yaml", "", "# another revision\n"))
    report = replay(url, other)
    assert report.recorded_revisions == {shipped.revision: 1}
    assert report.changed.successes == 0
    assert not report.exact


def test_erased_and_unreadable_turns_are_counted(url: str, shipped: Bundle) -> None:
    """They stop nothing: the rest is replayed."""
    told(url, shipped, *(Told(f"c{number}") for number in range(6)))
    spoil(url, "DELETE FROM audit_payloads WHERE conversation_id = 'c0'")
    spoil(url, "UPDATE audit_payloads SET payload = '{' WHERE conversation_id = 'c1' AND seq = 2")
    spoil(url, "UPDATE audit_payloads SET payload = replace(payload, '\"known\"', '1') WHERE conversation_id = 'c2'")
    spoil(
        url, "UPDATE audit_payloads SET payload = replace(payload, 'gate_risk', 'gate_9') WHERE conversation_id = 'c3'"
    )
    spoil(
        url,
        "UPDATE audit_payloads SET payload = replace(payload, '\"facts\":[[', '\"old\":[[') "
        "WHERE conversation_id = 'c4' AND seq = 1",
    )
    report = replay(url, shipped)
    assert (report.read.turns, report.read.erased, report.read.unreadable, report.read.replayed) == (6, 1, 3, 2)
    assert not report.exact


def test_a_decision_of_another_version_is_unreadable(url: str, shipped: Bundle, tmp_path: Path) -> None:
    """An effect that this version does not know cannot be compared."""
    told(url, shipped, Told("c1"))
    spoil(url, 'UPDATE audit_payloads SET payload = replace(payload, \'"effect":"allow"\', \'"effect":"ponder"\')')
    report = replay(url, shipped)
    assert (report.read.unreadable, report.read.replayed) == (1, 0)


def test_a_turn_that_never_reached_policy_is_not_replayed(url: str, shipped: Bundle) -> None:
    """A step had failed before: nothing was decided, and nothing can differ."""
    told(url, shipped, Told("c1"))
    spoil(url, "DELETE FROM audit_payloads WHERE seq < 6")
    spoil(url, "DELETE FROM audit_events WHERE seq < 6")
    report = replay(url, shipped)
    assert (report.read.turns, report.read.undecided, report.read.replayed) == (1, 1, 0)
    assert report.exact


def test_a_running_turn_is_left_out(url: str, shipped: Bundle) -> None:
    """Only what has ended is counted."""
    told(url, shipped, Told("c1"), Told("c2"))
    spoil(url, "DELETE FROM audit_events WHERE conversation_id = 'c2' AND kind = 'turn_finished'")
    assert replay(url, shipped).read.turns == 1


def test_what_was_not_recorded_is_unknown_and_counted(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """A new attribute has no value in the log: a restriction that asks for it applies, unless it may be ignored."""
    told(url, shipped, Told("c1"), Told("c2"))
    entry = "  - name: paid_support\n    meaning: a test\n    kind: boolean\n    family: behavioural\n"
    entry += "    source: crm\n    purposes: [automation]\n    max_age_days: 3\n    inferred: false\n"
    attribute = ("attributes.yaml", "attributes:\n", f"attributes:\n{entry}")
    asks = rule("turn.paid", "apply_policy", "HUMAN_REQUESTED", "{paid_support: false}", automation="human_first")
    report = replay(url, edited(tmp_path / "asks", attribute, asks))
    assert report.unsure.not_recorded == {"paid_support": 2}
    assert report.stricter == 2
    ignored = (*attribute[:2], f"{attribute[2]}    on_unknown: ignore\n")
    report = replay(url, edited(tmp_path / "ignores", ignored, asks))
    assert report.unsure.not_recorded == {"paid_support": 2}
    assert report.changed.successes == 0


def test_the_candidates_maximum_age_applies(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """A value of ten days is unknown to a bundle that allows five; one recorded as stale cannot be revived."""
    fresh = {"plan": "enterprise"}
    told(url, shipped, Told("c1", fresh, {"plan": 10 * DAY}), Told("c2", fresh, {"plan": 40 * DAY}))
    asks = rule("turn.plan", "apply_policy", "POLICY_NEED_SERVED", "{plan: enterprise}", tags="[enterprise_plan]")
    days = "values: [trial, team, business, enterprise]\n    family: firmographic\n    source: billing\n"
    days += "    purposes: [sla, queue, compliance, retrieval]\n    max_age_days: "
    same = replay(url, edited(tmp_path / "same", asks))
    assert ((same.changed.successes, same.unsure.stale)) == (1, {})
    shorter = replay(url, edited(tmp_path / "shorter", asks, ("attributes.yaml", f"{days}30", f"{days}5")))
    assert not any("enterprise_plan" in line for line in lines(shorter))
    longer = replay(url, edited(tmp_path / "longer", asks, ("attributes.yaml", f"{days}30", f"{days}60")))
    assert longer.unsure.stale == {"plan": 1}
    assert longer.changed.successes == 1


def test_earlier_memberships_are_replayed_with_their_age(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """A candidate that holds a segment for longer keeps who was in it, and for how long is recorded."""
    other: Contents = {"need_state": "incident", "need_states": ("incident",), "intent": "status"}
    turns = [Told(f"c{minutes}", other, earlier={"how_to": minutes * 60.0}) for minutes in (5, 50)]
    told(url, shipped, *turns)
    holds = ("segments/how_to.yaml", "decisions:\n", "hold_minutes: 30\ndecisions:\n")
    report = replay(url, edited(tmp_path / "holds", holds))
    assert report.changed.successes == 1
    assert "+cite_sources" in lines(report)[0]
    assert report.changes[0].examples == ("t0",)


def test_the_flow_is_the_candidates_unless_one_is_under_way(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """Nothing good is found: whether a flow can answer decides, and that follows from policy."""
    contents: Contents = {"need_state": "access_restore", "need_states": ("access_restore",), "intent": "login_failed"}
    told(
        url,
        shipped,
        Told("c1", contents, good=0),
        Told("c2", {**contents, "in_flow": True}, good=0, under_way="access_restore"),
    )
    recorded = replay(url, shipped)
    assert recorded.exact
    entry = (SHIPPED / "segments/access_restore.yaml").read_text("utf-8")
    flow = next(line for line in entry.splitlines() if line.strip().startswith("flow:"))
    report = replay(url, edited(tmp_path / "none", ("segments/access_restore.yaml", f"{flow}\n", "")))
    at_retrieve = [change for change in report.changes if change.words.startswith("retrieve")]
    assert [change.examples for change in at_retrieve] == [("t0",)]
    assert report.unsure.elsewhere == 1, "the flow under way goes on, though policy would not choose it now"


def test_a_candidate_without_the_tool_refuses_its_calls(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """Whatever its rules permit in general: an undeclared tool is never allowed."""
    incident: Contents = {"need_state": "incident", "need_states": ("incident",)}
    told(url, shipped, Told("c1", incident, calls=(("get_status", CLEAN_CALL),)))
    bundle = edited(
        tmp_path / "all",
        rule("tools.all", "authorize_tools", "TOOL_PUBLIC_READ", "{need_state: incident}", effect="allow"),
    )
    (tmp_path / "all/tools/get_status.yaml").unlink()
    gone = load_without_status(tmp_path / "all")
    assert "get_status" in bundle.tools
    assert "get_status" not in gone.tools
    report = replay(url, gone)
    assert "authorize_tools get_status: allow -> refuse" in "\n".join(lines(report))


def load_without_status(folder: Path) -> Bundle:
    """The bundle in `folder`, after everything that names the tool is gone."""
    for path in folder.rglob("*.yaml"):
        if "get_status" in path.read_text("utf-8") and path.parent.name != "schema":
            kept = path.read_text("utf-8").replace("tools: [get_status]\n", "tools: [get_profile]\n")
            path.write_text(kept.replace("get_status, ", "").replace(", get_status", "").replace("[get_status]", "[]"))
    return load(folder)


def test_what_a_mask_changed_is_not_compared(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """A customer whose id is the word of a rule: the record holds a pseudonym there, and no difference is made up."""
    write(url, shipped, [Told("c1", {"role": "admin"}), Told("c2", {"role": "finance"})], customer_id="admin")
    asks = rule(
        "turn.role",
        "apply_policy",
        "POLICY_NEED_SERVED",
        "{role: {in: [admin, finance]}}",
        queue="{value: accounts, precedence: 99}",
    )
    report = replay(url, edited(tmp_path / "asks", asks))
    assert (report.read.masked, report.read.replayed) == (1, 1)
    assert not report.exact


def test_turns_are_selected_by_site_time_and_number(url: str, shipped: Bundle) -> None:
    """The last ones are the last to have ended, whatever conversation they are of."""
    turns = list(drawn(shipped, 9))
    write(url, shipped, turns)
    assert replay(url, shipped, Selection(site="fernwell")).read.turns == 9
    assert replay(url, shipped, Selection(site="elsewhere")).read.turns == 0
    assert replay(url, shipped, Selection(since=turns[4].at)).read.turns == 5
    assert replay(url, shipped, Selection(last=2)).read.turns == 2
    assert replay(url, shipped, Selection(since=turns[8].at, last=5)).read.turns == 1
    assert replay(url, shipped, Selection(last=4)).exact


def test_two_bundles_are_compared_on_what_was_found(url: str, tmp_path: Path, shipped: Bundle) -> None:
    """What was decided then is not looked at: only what the two bundles say of it."""
    told(url, shipped, Told("c1", GERMAN), Told("c2", {"intent": "import_export"}), Told("c3"))
    lenient = edited(tmp_path / "lenient", LENIENT)
    both = edited(tmp_path / "both", LENIENT, STRICT)
    log = AuditLog(url)
    try:
        report = log.turns(Selection(), lambda turns: compared(turns, lenient, both))
        back = log.turns(Selection(), lambda turns: compared(turns, both, lenient))
        none = log.turns(Selection(), lambda turns: compared(turns, lenient, lenient))
    finally:
        log.close()
    assert (report.baseline, report.bundle) == (lenient.revision, both.revision)
    assert (report.stricter, report.more_permissive, report.people.more, report.people.fewer) == (1, 0, 1, 0)
    assert (back.stricter, back.more_permissive, back.people.more, back.people.fewer) == (0, 1, 0, 1)
    assert report.unsure.left == none.unsure.left == 1, (
        "both serve the German turn, which the record does not go on with"
    )
    assert none.changed.successes == 0
