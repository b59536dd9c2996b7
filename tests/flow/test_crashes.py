"""A dozen kills of those that `make crashes` deals out: no write twice, none lost, no orphaned approval (S13.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.agent.conversation import ApprovalState, JournalState
from handrail.evals.chaos.aftermath import Aftermath, Entry, Harm, left_in
from handrail.evals.chaos.crashes import killed, messages, prepared, recovered, run
from handrail.evals.chaos.matters import MATTERS, Step
from handrail.guardrails.vocabulary import ConversationStatus
from tests.flow.stand import Parts

KILLS = 12
FINE = Aftermath(
    ran=1,
    journal=(Entry(digest="d", state=JournalState.SUCCEEDED),),
    approvals={"a": ApprovalState.USED},
    awaited=None,
    status=ConversationStatus.BOT,
    handoffs=0,
    unfinished=0,
    log_breaks=0,
)
REFUND = next(matter for matter in MATTERS if Step.APPROVE in matter.steps)
DENIED = next(matter for matter in MATTERS if Step.DENY in matter.steps)
DOUBT = (Entry(digest="d", state=JournalState.UNKNOWN),)

WRONG: dict[str, tuple[dict[str, object], Harm]] = {
    "ran twice": ({"ran": 2}, Harm.DUPLICATE),
    "journalled twice": ({"journal": FINE.journal * 2}, Harm.DUPLICATE),
    "no end": ({"journal": (Entry(digest="d", state=JournalState.INTENDED),)}, Harm.LOST),
    "ran without the journal": ({"journal": ()}, Harm.LOST),
    "only in the journal": ({"ran": 0}, Harm.LOST),
    "doubt that nobody looks at": ({"journal": DOUBT}, Harm.LOST),
    "no answer": ({"unfinished": 1}, Harm.LOST),
    "used for nothing": ({"ran": 0, "journal": ()}, Harm.LOST),
    "given and not used": ({"approvals": {"a": ApprovalState.APPROVED}}, Harm.ORPHANED),
    "asked for by nobody": ({"approvals": {"a": ApprovalState.PENDING}}, Harm.ORPHANED),
    "waited for after its end": ({"awaited": "a"}, Harm.ORPHANED),
    "waited for and not asked for": ({"awaited": "b"}, Harm.ORPHANED),
    "audit log": ({"log_breaks": 1}, Harm.TAMPERED),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_must_not_be_is_seen(how: str) -> None:
    """Or the runs would prove nothing."""
    changes, harm = WRONG[how]
    assert FINE.breaches_at_the_end(REFUND) == ()
    assert harm in {breach.harm for breach in FINE.model_copy(update=changes).breaches()}


def test_the_end_of_the_matter_is_judged() -> None:
    """A matter that never ends is lost, and one that was denied must not run."""
    nothing = FINE.model_copy(update={"ran": 0, "journal": (), "approvals": {}})
    assert {breach.harm for breach in nothing.breaches_at_the_end(REFUND)} == {Harm.LOST}
    assert nothing.breaches_at_the_end(DENIED) == ()
    assert {breach.harm for breach in FINE.breaches_at_the_end(DENIED)} == {Harm.DUPLICATE}
    doubt = FINE.model_copy(update={"journal": DOUBT, "handoffs": 1, "status": ConversationStatus.QUEUED})
    assert doubt.breaches_at_the_end(REFUND) == ()


@pytest.mark.parametrize("point", ["after execute at approve", "before the commit of conclude at approve"])
def test_a_write_that_may_have_run_is_with_a_person(parts: Parts, tmp_path: Path, point: str) -> None:
    """A company that cannot tell what it did: its facts are those after the write, and would have it refused."""
    (matter,) = (one for one in MATTERS if one.forgetful and Step.APPROVE in one.steps)
    one = prepared(matter, 0, tmp_path, {text: parts.detectors.detect(text) for text in messages()})
    order, where = killed(one.order.model_copy(update={"stop_at": one.points.index(point)}), None)
    assert where == point
    assert recovered(order) == ()
    left = left_in(order.folder)
    assert left.ran == 1
    assert left.in_doubt
    assert left.with_person


def test_a_dozen_kills_do_no_harm(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed in the middle of a write; most writes run in the end all the same."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tally = run(KILLS, seed=1, readings={text: parts.detectors.detect(text) for text in messages()})
    assert tally.broken == []
    assert tally.kills.total() >= KILLS
    assert tally.ran >= KILLS // 2
