"""For every segment: the same message of the same customer with and without it, through the whole turn (spec S2.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import TurnResult
from tests.flow.segments import PAIRS, SEGMENTS, Pair, bundles, introduce
from tests.flow.stand import Parts, standing

CUSTOMER = "somebody"


def test_every_segment_has_a_pair() -> None:
    """A new segment must show here what it changes."""
    assert set(PAIRS) == set(SEGMENTS)


async def answered(parts: Parts, folder: Path, bundle: Bundle, pair: Pair) -> TurnResult:
    """What the turn comes to under this bundle, from stored attributes to the released reply."""
    async with standing(parts, folder, bundle=bundle, customer=CUSTOMER) as stand:
        await introduce(stand, CUSTOMER, pair)
        return await stand.say(pair.text)


def outcome(result: TurnResult) -> dict[str, object]:
    """What the turn came to, but tone, tags and what merely names rules and segments."""
    found: dict[str, object] = {"status": result.status}
    for decision in result.decisions:
        dimensions = decision.dimensions.model_dump(mode="json", exclude={"tone", "tags", "determined_by"})
        found |= {f"{decision.stage}.{name}": content for name, content in dimensions.items()}
        found[f"{decision.stage}.{decision.subject}.effect"] = decision.effect
        found[f"{decision.stage}.{decision.subject}.obligations"] = sorted(decision.obligations)
    if result.handoff is not None:
        packet = result.handoff
        found["handoff"] = (packet.queue, packet.skills, packet.priority, packet.due_at is None)
    return found


@pytest.mark.parametrize("segment", SEGMENTS)
async def test_a_segment_changes_the_turn(parts: Parts, tmp_path: Path, segment: str) -> None:
    """Queue, skills, priority, service level, automation, duties, scope, escalation, flow or depth differ."""
    active, without = bundles(segment, tmp_path)
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    reason = active.entries[segment].reason
    inside = await answered(parts, tmp_path / "inside", active, PAIRS[segment])
    outside = await answered(parts, tmp_path / "outside", without, PAIRS[segment])
    assert reason in inside.reasons
    assert reason not in outside.reasons
    changed = {name for name, content in outcome(inside).items() if outcome(outside).get(name) != content}
    changed |= set(outcome(outside)) - set(outcome(inside))
    assert changed, f"{segment} is a label: the turn came out the same without it"
