"""`kill -9` in the middle of a turn: nothing acknowledged is lost, and a write runs once (spec S7.4, S13.4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.agent.conversation import ApprovalState, JournalState
from handrail.evals.chaos.aftermath import left_in
from handrail.guardrails.vocabulary import ConversationStatus
from tests.flow.aloud import FIRST, HOW_TO, SECOND, THIRD, Aloud, pieces
from tests.flow.people import whole_log
from tests.flow.ports import Fault
from tests.flow.stand import CANCEL, MIA, SITE, Parts, Stand, standing

ROOT = Path(__file__).parents[2]


def killed_at(step: str, folder: Path, stand: Stand, approval: str, text: str) -> None:
    """Run a worker up to a step and kill it."""
    detection = stand.room.detectors.detect(text).model_dump_json()
    arguments = [str(folder), step, stand.conversation, stand.clock.now().isoformat(), approval, detection]
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.flow.crashing", *arguments],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ),
    )  # fmt: skip
    assert worker.stdout is not None
    said = worker.stdout.readline().strip()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert said == "there", "the worker ended before the step"


async def prepared(parts: Parts, folder: Path, step: str) -> tuple[Stand, str]:
    """A conversation in `folder` up to `step`, with nobody serving it; and the approval that waits, if any."""
    async with standing(parts, folder) as stand:
        await stand.reach(step)
        approval = (await stand.pending_approval()).approval_id if step == "approve" else ""
        return stand, approval


async def restarted(stand: Stand, again: Stand) -> None:
    """Continue the conversation of `stand` in the new service."""
    again.conversation = stand.conversation
    again.customer = MIA
    again.clock.at = stand.clock.now()


@pytest.mark.parametrize(("step", "text"), [("received", CANCEL), ("model", HOW_TO)])
async def test_a_message_survives_the_worker_that_took_it(parts: Parts, tmp_path: Path, step: str, text: str) -> None:
    """After the restart the message is answered, once, and the conversation goes on."""
    stand, _ = await prepared(parts, tmp_path, "ask")
    killed_at(step, tmp_path, stand, "", text)
    async with standing(parts, tmp_path, fresh=False) as again:
        await restarted(stand, again)
        assert await again.service.recover() == 1
        assert await again.service.recover() == 0
        messages = await again.service.messages(SITE, again.conversation, MIA, 0, 20)
        assert [message.role.value for message in messages] == ["customer", "bot"]
        result = await again.say(text, key="the-key")
        assert result.reply == messages[-1].text
        assert "SYS_INTERRUPTED" in result.reasons
        assert (await again.say("thanks")).reply
        assert again.audit_breaks() == ()


async def test_a_reply_that_had_begun_to_leave_goes_on(parts: Parts, tmp_path: Path) -> None:
    """The model is asked for the rest only; what had left stands once, in the message and in the log."""
    stand, _ = await prepared(parts, tmp_path, "ask")
    killed_at("released", tmp_path, stand, "", HOW_TO)
    model = Aloud([[f"{SECOND} {THIRD}"]])
    async with standing(parts, tmp_path, model=model, fresh=False) as again:
        await restarted(stand, again)
        assert await pieces(again) == FIRST
        assert await again.service.recover() == 1
        assert [prompt.said for prompt in model.prompts] == [FIRST]
        *_, last = await again.service.messages(SITE, again.conversation, MIA, 0, 20)
        assert last.text.startswith(f"{FIRST}\n\n{SECOND} {THIRD}")
        assert await pieces(again) == ""
        result = await again.say(HOW_TO, key="the-key")
        assert result.reply == last.text
        assert "SYS_INTERRUPTED" in result.reasons
        assert whole_log(again).count(FIRST) == 1
        assert again.audit_breaks() == ()


@pytest.mark.parametrize("step", ["intended", "executed", "concluded", "finishing"])
async def test_a_write_runs_once_whatever_crashes(parts: Parts, tmp_path: Path, step: str) -> None:
    """Before or after the effect: one effect, the customer is told the truth, and the approval is used."""
    stand, approval = await prepared(parts, tmp_path, "approve")
    killed_at(step, tmp_path, stand, approval, "")
    async with standing(parts, tmp_path, fresh=False) as again:
        await restarted(stand, again)
        assert await again.service.recover() == 1
        assert await again.writes() == 1
        assert await again.subscription_status() == "ending"
        messages = await again.service.messages(SITE, again.conversation, MIA, 0, 20)
        assert "as you confirmed it" in messages[-1].text
        held = await (await again.stored()).approval(SITE, approval)
        assert held is not None
        assert held.state is ApprovalState.USED
        snapshot = await again.service.snapshot(SITE, again.conversation, MIA)
        assert snapshot.state.pending is None
        assert snapshot.state.status is ConversationStatus.BOT
        assert again.audit_breaks() == ()


async def test_a_write_that_nobody_can_look_up_goes_to_a_person(parts: Parts, tmp_path: Path) -> None:
    """It ran, the facts are those after it, and the company does not answer: the call is refused, and not forgotten."""
    stand, approval = await prepared(parts, tmp_path, "approve")
    killed_at("executed", tmp_path, stand, approval, "")
    async with standing(parts, tmp_path, fresh=False) as again:
        await restarted(stand, again)
        again.toolbox.fail("outcome", Fault.PORT_ERROR)
        assert await again.service.recover() == 1
        assert await again.writes() == 1
        left = left_in(tmp_path)
        assert [entry.state for entry in left.journal] == [JournalState.UNKNOWN]
        assert left.approvals == {approval: ApprovalState.USED}
        assert left.breaches() == ()
        (queued,) = await (await again.stored()).handoffs(SITE)
        assert "cancel_subscription: unknown" in queued.handoff.tools


async def test_a_right_code_stays_right(parts: Parts, tmp_path: Path) -> None:
    """A code is used up when it was checked; the turn that died of it and runs again is no second try."""
    stand, _ = await prepared(parts, tmp_path, "code")
    killed_at("checked", tmp_path, stand, "", "314159")
    async with standing(parts, tmp_path, fresh=False) as again:
        await restarted(stand, again)
        assert await again.service.recover() == 1
        result = await again.say(await again.code(), key="the-key")
        assert "IDENTITY_VERIFIED" in result.reasons
        assert result.confirmation is not None


async def test_a_finished_turn_is_not_run_again(parts: Parts, tmp_path: Path) -> None:
    """The answer was stored when the worker died: the same key gives the same answer."""
    stand, _ = await prepared(parts, tmp_path, "ask")
    killed_at("finished", tmp_path, stand, "", CANCEL)
    async with standing(parts, tmp_path, fresh=False) as again:
        await restarted(stand, again)
        assert await again.service.recover() == 0
        result = await again.say(CANCEL, key="the-key")
        assert "SYS_INTERRUPTED" not in result.reasons
        assert "six-digit code" in result.reply
