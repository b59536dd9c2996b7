"""Facts as a decision sees them and as it records them."""

from handrail.guardrails.policy.facts import FactKind, Facts, FactSpec, fact
from handrail.guardrails.vocabulary import FactUsed, Stage


def test_an_absent_fact_is_recorded_as_unknown() -> None:
    """Evidence holds an entry for every name asked for, so that a replay sees the same gap."""
    (found,) = Facts().evidence(["plan"])
    assert found == FactUsed(name="plan", content=None, source="none", why="not provided")


def test_evidence_says_which_unknowns_were_ignored() -> None:
    """Whether an unknown restricted is part of the record, for absent facts and for present ones."""
    seen = Facts({"a": fact("a", None, "crm")}, frozenset({"a", "b"}))
    recorded = seen.evidence(["a", "b", "c"])
    assert [one.on_unknown for one in recorded] == ["ignore", "ignore", "restrict"]
    assert Facts.recorded(recorded).ignorable == {"a", "b"}


def test_a_record_keeps_source_and_age() -> None:
    """What a decision used is recorded as it came."""
    used = FactUsed(name="plan", content="team", source="billing", age_seconds=60.0)
    assert Facts({"plan": used}).evidence(["plan"]) == (used,)


def test_later_facts_replace_earlier_ones() -> None:
    """Facts of a later stage win, and what may be ignored adds up."""
    first = Facts({"a": fact("a", 1, "x")}, frozenset({"b"}))
    both = first.with_facts([fact("a", 2, "y")], {"c"})
    assert both.content("a") == 2
    assert both.ignorable == {"b", "c"}
    assert first.content("a") == 1


def test_a_fact_exists_from_its_stage_on_or_only_there() -> None:
    """`since` opens a fact for the rest of the turn, `only_at` for one stage."""
    later = FactSpec("risk", FactKind.WORD, "tier", since=Stage.APPLY_POLICY)
    once = FactSpec("call_confirmed", FactKind.BOOLEAN, "agreed", only_at=Stage.AUTHORIZE_TOOLS)
    assert [later.exists_at(stage) for stage in Stage] == [False] * 3 + [True] * 7
    assert [stage for stage in Stage if once.exists_at(stage)] == [Stage.AUTHORIZE_TOOLS]
