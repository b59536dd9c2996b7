"""Replies that lean on an excuse which is not theirs: a write about something else, the day of another record."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.agent.given_reply import GivenReply
from handrail.agent.reply_check import ReplyCheck
from handrail.commands.check import build_check
from handrail.guardrails.vocabulary import Effect

TRICKS = tuple(
    GivenReply.model_validate_json(line)
    for line in (Path(__file__).parent / "tricks.jsonl").read_text(encoding="utf-8").splitlines()
)


@pytest.fixture(scope="module")
def check() -> ReplyCheck:
    """The checks of the shipped bundle."""
    return build_check()


@pytest.mark.parametrize("given", TRICKS, ids=lambda given: str(given.id))
def test_a_trick_is_stopped(check: ReplyCheck, given: GivenReply) -> None:
    """None of them may leave, whatever else in the turn speaks for it."""
    assert check.verdict(given).decision.effect is not Effect.ALLOW, given.reply
