"""Segments over several turns: one that is held does not flap, whatever the clock does (spec S4.3)."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from tests.flow.conftest import Stands
from tests.flow.stand import SITE, Stand

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))
REASON = "SEG_HOW_TO"
HOW_TO = "How do I add a member to a project?"
OTHER = "Where do you store our data, and do you have a DPA?"
HOLD = 30
"""Minutes."""


@pytest.fixture
def holding(tmp_path: Path) -> Bundle:
    """The shipped bundle, where who asked how to do something stays in that segment for half an hour."""
    copied = Path(shutil.copytree(SHIPPED, tmp_path / "holding"))
    place = copied / "segments" / "how_to.yaml"
    text = place.read_text(encoding="utf-8")
    place.write_text(f"{text}hold_minutes: {HOLD}\n", encoding="utf-8")
    return load(copied)


async def member(stand: Stand, text: str) -> bool:
    """Whether the segment holds in the turn of this message; the decisions, the reasons and the state say the same."""
    result = await stand.say(text)
    store = await stand.stored()
    snapshot = await store.snapshot(SITE, stand.conversation)
    inside = "how_to" in {one.segment for one in snapshot.state.segments}
    assert (REASON in result.reasons) is inside
    known = {used.content for decision in result.decisions for used in decision.facts if used.name == "segment:how_to"}
    assert known <= {inside}
    return inside


async def test_without_a_hold_the_segment_follows_every_message(stand: Stand) -> None:
    """As shipped: another question leaves, the next one enters again. The tests below are about something."""
    assert [await member(stand, text) for text in (HOW_TO, OTHER, HOW_TO, OTHER)] == [True, False, True, False]


async def test_a_held_segment_does_not_flap(stands: Stands, holding: Bundle) -> None:
    """Half an hour from its beginning, not from the last message; then the exit holds, and it can begin anew."""
    stand = await stands(bundle=holding)
    assert not await member(stand, OTHER)
    assert await member(stand, HOW_TO)
    for _ in range(2):
        stand.clock.move(minutes=HOLD / 2 - 1)
        assert await member(stand, OTHER)
    stand.clock.move(minutes=2)
    assert not await member(stand, OTHER)
    assert await member(stand, HOW_TO)
    stand.clock.move(minutes=HOLD - 1)
    assert await member(stand, OTHER)
    stand.clock.move(minutes=1)
    assert not await member(stand, OTHER)


async def test_staying_inside_does_not_prolong_the_hold(stands: Stands, holding: Bundle) -> None:
    """The hold runs from the beginning of the membership, which further questions of the kind do not move."""
    stand = await stands(bundle=holding)
    assert await member(stand, HOW_TO)
    stand.clock.move(minutes=HOLD - 1)
    assert await member(stand, HOW_TO)
    stand.clock.move(minutes=2)
    assert not await member(stand, OTHER)


async def test_a_clock_that_jumps_back_holds_for_the_hold_and_no_longer(stands: Stands, holding: Bundle) -> None:
    """Entered at noon by a clock that then says ten: still inside, and half an hour later not for two hours more."""
    stand = await stands(bundle=holding)
    assert await member(stand, HOW_TO)
    stand.clock.move(hours=-2)
    assert await member(stand, OTHER)
    stand.clock.move(minutes=HOLD - 1)
    assert await member(stand, OTHER)
    stand.clock.move(minutes=2)
    assert not await member(stand, OTHER)


async def test_a_clock_that_jumps_ahead_ends_the_hold(stands: Stands, holding: Bundle) -> None:
    """What the clock says is what has passed; a jump back after it revives nothing."""
    stand = await stands(bundle=holding)
    assert await member(stand, HOW_TO)
    stand.clock.move(days=1)
    assert not await member(stand, OTHER)
    stand.clock.move(days=-1)
    assert not await member(stand, OTHER)
