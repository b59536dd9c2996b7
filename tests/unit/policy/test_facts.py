"""Facts as a decision sees them and as it records them."""

from handrail.guardrails.policy.facts import Evidence, FactKind, Facts, FactSpec, fact, ignorable
from handrail.guardrails.vocabulary import FactUsed, Stage


def test_an_absent_fact_is_recorded_as_unknown() -> None:
    """Evidence holds an entry for every name asked for, so that a replay sees the same gap."""
    (found,) = Facts().evidence(["plan"])
    assert found == FactUsed(name="plan", content=None, source="none", why="not provided")


def test_evidence_says_which_unknowns_were_ignored() -> None:
    """Whether an unknown restricted is part of the record; an absent one always does."""
    seen = Facts.of([ignorable("a", "crm", "missing")])
    recorded = seen.evidence(["a", "b"])
    assert [one.on_unknown for one in recorded] == ["ignore", "restrict"]
    again = Facts.of(recorded)
    assert again.ignored({"a"})
    assert not again.ignored({"b"})
    assert not again.ignored({"a", "b"})


def test_a_known_fact_is_never_ignored() -> None:
    """What has a value was not unknown, whatever its record says."""
    odd = FactUsed(name="a", content="x", source="crm", on_unknown="ignore")
    assert not Facts.of([odd]).ignored({"a"})


def test_picking_evidence_gives_what_asking_for_it_gives() -> None:
    """The quick way and the slow one agree, with and without gaps, for any number of names."""
    full = Facts.of([fact("a", 1, "x"), fact("b", None, "x")])
    for names in ((), ("a",), ("a", "b"), ("a", "b", "gap")):
        assert Evidence(names).of(full) == full.evidence(names)


def test_a_record_keeps_source_and_age() -> None:
    """What a decision used is recorded as it came."""
    used = FactUsed(name="plan", content="team", source="billing", age_seconds=60.0)
    assert Facts({"plan": used}).evidence(["plan"]) == (used,)


def test_later_facts_replace_earlier_ones() -> None:
    """Facts of a later stage win, also over unknown ones."""
    first = Facts.of([fact("a", 1, "x"), ignorable("b", "x", "missing")])
    both = first.with_facts([fact("a", 2, "y"), fact("b", 3, "y")])
    assert (both.content("a"), both.content("b")) == (2, 3)
    assert first.content("a") == 1
    assert not both.ignored({"b"})


def test_a_fact_exists_from_its_stage_on_or_only_there() -> None:
    """`since` opens a fact for the rest of the turn, `only_at` for one stage."""
    later = FactSpec("risk", FactKind.WORD, "tier", since=Stage.APPLY_POLICY)
    once = FactSpec("call_confirmed", FactKind.BOOLEAN, "agreed", only_at=Stage.AUTHORIZE_TOOLS)
    assert [later.exists_at(stage) for stage in Stage] == [False] * 3 + [True] * 7
    assert [stage for stage in Stage if once.exists_at(stage)] == [Stage.AUTHORIZE_TOOLS]
