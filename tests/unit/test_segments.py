"""Membership of segments: entered, kept, left, and open when nobody can tell."""

from dataclasses import replace

from handrail.guardrails.policy.facts import FactKind, Facts, fact, ignorable
from handrail.guardrails.policy.matcher import AtLeast, Not
from handrail.guardrails.policy.matcher import Test as Leaf
from handrail.guardrails.segments import Segment, assign
from handrail.guardrails.vocabulary import FactContent, FactUsed


def leaf(name: str) -> Leaf:
    """A leaf that asks for a fact to be true."""
    return Leaf(name, FactKind.BOOLEAN, "is", True, lambda content: content is True)


def facts(*unknown: FactUsed, **contents: FactContent | None) -> Facts:
    """Facts with these contents, and what is unknown and may be ignored."""
    return Facts.of((*unknown, *(fact(name, content, "test") for name, content in contents.items())))


LOOPING = Segment("looping", "SEG_LOOPING", AtLeast(2, (leaf("a"), leaf("b"), leaf("c"))), leaf("solved"))
PLAN = Segment("plan", "SEG_PLAN", leaf("plan"), Not(leaf("plan")))


def test_a_segment_is_entered_when_its_condition_is_true_and_says_why() -> None:
    """The explanation names the signals, the reason code and the fact follow."""
    found = assign([LOOPING], facts(a=True, b=False, c=True, solved=False), {})
    assert found.members == {"looping": "a is True; c is True"}
    assert found.reasons == ("SEG_LOOPING",)
    assert [(one.name, one.content, one.why) for one in found.facts] == [
        ("segment:looping", True, "a is True; c is True")
    ]


def test_a_segment_that_is_not_entered_is_known_not_to_be() -> None:
    """Not being inside is an answer, without a reason."""
    found = assign([LOOPING], facts(a=True, b=False, c=False, solved=False), {})
    assert (found.members, found.reasons, found.open) == ({}, (), ())
    assert found.facts[0].content is False


def test_a_segment_is_kept_until_its_exit_is_true() -> None:
    """An unknown or false exit keeps; a true one lets go."""
    outside = facts(a=False, b=False, c=False)
    for solved in (False, None):
        found = assign([LOOPING], outside.with_facts([fact("solved", solved, "test")]), {"looping": 60.0})
        assert "kept from an earlier message" in found.members["looping"]
        assert found.reasons == ("SEG_LOOPING",)
    assert assign([LOOPING], outside.with_facts([fact("solved", True, "test")]), {"looping": 60.0}).members == {}


def test_a_segment_is_held_for_its_minutes_whatever_the_exit_says() -> None:
    """Hysteresis: a count that falls and rises again does not let a segment flap."""
    held = replace(LOOPING, hold_minutes=30)
    over = facts(a=False, b=False, c=False, solved=True)
    early, late = ({"looping": seconds} for seconds in (30 * 60 - 1.0, 30 * 60.0))
    assert assign([held], over, early).members == {"looping": "kept from an earlier message: held for 30 minutes"}
    assert assign([held], over, late).members == {}
    assert assign([held], over, {}).members == {}


def test_an_entry_counts_more_than_an_exit() -> None:
    """Who solved one thing and comes with the next is inside."""
    found = assign([LOOPING], facts(a=True, b=True, c=True, solved=True), {"looping": 60.0})
    assert found.members["looping"].startswith("a is True")


def test_an_open_entry_leaves_membership_open() -> None:
    """What hangs on an unknown fact is unknown, names it, and restricts."""
    found = assign([LOOPING], facts(a=True, b=False), {})
    assert found.members == {}
    assert found.open == ("looping",)
    assert found.facts[0].content is None
    assert found.facts[0].why == "unknown: c"
    assert found.facts[0].on_unknown == "restrict"


def test_an_entry_open_by_ignorable_facts_alone_may_be_ignored() -> None:
    """One unknown that restricts is enough for the segment to restrict."""
    plan = ignorable("plan", "crm", "missing")
    assert assign([PLAN], facts(plan), {}).facts[0].on_unknown == "ignore"
    mixed = Segment("mixed", "SEG_MIXED", AtLeast(1, (leaf("plan"), leaf("a"))), leaf("solved"))
    assert assign([mixed], facts(plan), {}).facts[0].on_unknown == "restrict"


def test_a_kept_segment_that_is_left_can_still_be_open() -> None:
    """The exit is true and the entry cannot be told: nobody claims that it is over."""
    found = assign([LOOPING], facts(a=True, b=False, solved=True), {"looping": 60.0})
    assert found.open == ("looping",)


def test_every_segment_has_exactly_one_fact() -> None:
    """Policy can ask for each of them."""
    found = assign([LOOPING, PLAN], facts(a=True, b=True, plan=None), {"gone": 60.0})
    assert [one.name for one in found.facts] == ["segment:looping", "segment:plan"]
