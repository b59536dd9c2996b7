"""A turn played on facts alone goes through segments, gate and policy as the flow does."""

from __future__ import annotations

import pytest

from handrail.evals.policy.play import completed, given, of_tool, opened, ordinary, subjects
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.facts import FactKind, fits
from handrail.guardrails.vocabulary import FactContent, RiskTier, Stage


def test_an_ordinary_turn_is_a_turn_of_this_bundle(shipped: Bundle) -> None:
    """Each of its facts is declared and can be so; windows count nothing, and attributes are unknown."""
    for name, content in ordinary(shipped).items():
        spec = shipped.facts[name]
        assert fits(spec.kind, content), name
        words = content if isinstance(content, tuple) else (content,)
        assert spec.values is None or set(words) <= spec.values, name
    assert {window.fact for window in shipped.windows} <= ordinary(shipped).keys()
    assert not shipped.attributes.keys() & ordinary(shipped).keys()


@pytest.mark.parametrize(
    ("contents", "needs", "count"),
    [
        ({"need_state": "how_to"}, ("how_to",), None),
        ({"need_state": "unknown"}, (), None),
        ({}, (), None),
        ({"need_state": None}, (), None),
        ({"need_state": "how_to", "need_states": ("how_to", "incident")}, ("how_to", "incident"), None),
        ({"need_state": "how_to", "need_states": None}, None, None),
        ({"findings": ("A", "B")}, (), 2),
        ({"findings": ()}, (), 0),
        ({"findings": None}, (), None),
        ({"findings": ("A",), "findings_count": 5}, (), 5),
    ],
)
def test_what_follows_is_completed_unless_it_is_given(
    contents: dict[str, FactContent | None], needs: tuple[str, ...] | None, count: int | None
) -> None:
    """The main need state is the only one, and findings are counted; what is given as unknown stays so."""
    whole = completed(contents)
    assert (whole["need_states"], whole["findings_count"]) == (needs, count)
    assert "findings_count" not in contents or whole["findings_count"] == contents["findings_count"]


def test_what_is_unknown_may_be_ignored_where_the_bundle_says_so(shipped: Bundle) -> None:
    """Attributes that nobody names are unknown too; other facts restrict, and sets are sorted."""
    facts = given(shipped, {"plan": None, "identity": None, "signals": ("RISK_LEGAL", "ABUSE")})
    assert facts.used["plan"].on_unknown == facts.used["region"].on_unknown == "ignore"
    assert facts.used["identity"].on_unknown == "restrict"
    assert facts.content("signals") == ("ABUSE", "RISK_LEGAL")
    assert shipped.facts["signals"].kind is FactKind.SET


def test_segment_and_tier_that_are_given_are_replaced_by_what_follows(shipped: Bundle) -> None:
    """Nobody is in a segment, or at a tier, because an input says so."""
    raw = given(
        shipped, completed({**ordinary(shipped), "signals": ("RISK_FRAUD",), "risk": "low", "segment:trial": True})
    )
    opening = opened(shipped, raw, {})
    assert opening.facts.content("risk") == "critical" == opening.gate.risk
    assert opening.facts.content("segment:trial") is not True
    assert opening.gate.risk is RiskTier.CRITICAL


def test_earlier_segments_are_in_seconds(shipped: Bundle) -> None:
    """A hold of a day is over after a day."""
    raw = given(shipped, completed(ordinary(shipped)))
    hold = next(one.hold_minutes for one in shipped.segments if one.id == "reopen_prone") * 60
    assert "reopen_prone" in opened(shipped, raw, {"reopen_prone": hold - 1}).assignment.members
    assert "reopen_prone" not in opened(shipped, raw, {"reopen_prone": hold}).assignment.members


def test_subjects_are_tools_where_calls_are_decided(shipped: Bundle) -> None:
    """And the turn everywhere else; a tool's own facts are those that it declares."""
    assert subjects(shipped, Stage.AUTHORIZE_TOOLS) == tuple(sorted(shipped.tools))
    assert subjects(shipped, Stage.RETRIEVE) == ("turn",)
    stated = {fact.name: fact.content for fact in of_tool(shipped, "issue_refund")}
    assert stated["tool"] == "issue_refund"
    assert (stated["tool_access"], stated["tool_needs_customer"]) == ("write", True)
