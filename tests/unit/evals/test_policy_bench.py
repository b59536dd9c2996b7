"""The policy benchmark compares what is equivalent, on questions and rules that are the same every time."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.cli import root, run
from handrail.evals.bench import policy as measuring
from handrail.evals.bench.cedar import CedarStage, Translation, Way, translate
from handrail.evals.bench.drawn_turns import Question, draw
from handrail.evals.bench.many_rules import ASKED, ENLARGED, written
from handrail.evals.bench.policy import Disagreement, bench_policy, ignorable_names, installed_cedarpy
from handrail.evals.bench.policy_figures import PolicyBench, table
from handrail.evals.bench.rule_kinds import Written
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import FactKind, Facts, FactSpec
from handrail.guardrails.policy.matcher import AtLeast, Matcher
from handrail.guardrails.policy.policyset import TURN, PolicySet
from handrail.guardrails.policy.rule import Restrictions, Rule
from handrail.guardrails.vocabulary import Effect, FactContent, FactUsed, Stage
from handrail.guardrails.yamlsource import Document, Problem

FOLDER = Path(str(files("handrail.guardrails") / "policies"))
STAGE = Stage.APPLY_POLICY
SPECS = {
    "word": FactSpec("word", FactKind.WORD, "a word"),
    "plan": FactSpec("plan", FactKind.WORD, "another word"),
    "yes": FactSpec("yes", FactKind.BOOLEAN, "a boolean"),
    "count": FactSpec("count", FactKind.NUMBER, "a number"),
    "set": FactSpec("set", FactKind.SET, "a set"),
}
IGNORABLE = frozenset({"plan", "count"})
WORDS = st.sampled_from(("a", 'b "quoted" \\', "ü"))
NUMBERS = st.sampled_from((-1, 0, 1, 0.25, 2.5))
with_cedar = pytest.mark.skipif(installed_cedarpy() is None, reason="the comparison needs cedarpy")


def only(name: str, of: st.SearchStrategy[object]) -> st.SearchStrategy[Written]:
    """A mapping with one entry."""
    return of.map(lambda content: {name: cast(JsonValue, content)})


SOME = st.lists(WORDS, min_size=1, max_size=2)
LEAVES = st.one_of(
    only("word", WORDS),
    only("plan", WORDS | only("in", SOME)),
    only("yes", st.booleans()),
    only(
        "count",
        NUMBERS | st.sampled_from(("at_least", "at_most", "above", "below")).flatmap(lambda o: only(o, NUMBERS)),
    ),
    only("set", only("has", WORDS) | only("has_any", SOME) | only("has_all", SOME)),
    st.sampled_from([*SPECS]).flatmap(lambda name: only(name, only("known", st.booleans()))),
)


def _grow(parts: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    several = st.lists(parts, min_size=1, max_size=3)
    k_of_n = several.flatmap(lambda of: st.integers(1, len(of)).map(lambda count: {"count": count, "of": of}))
    return only("not", parts) | only("all", several) | only("any", several) | only("at_least", k_of_n)


CONDITIONS = st.recursive(LEAVES, _grow, max_leaves=6)


def matcher(condition: Written) -> Matcher:
    """The condition, read as a bundle's would be."""
    problems: list[Problem] = []
    reader = ConditionReader(Document("a.yaml", condition, {}), SPECS, frozenset(), problems)
    found = reader.read(condition, (), STAGE)
    assert not problems
    return found


RULES = st.lists(
    st.builds(
        Rule,
        id=st.uuids().map(lambda one: f"r{one.hex[:12]}"),
        stage=st.just(STAGE),
        reason=st.just("ONE"),
        when=CONDITIONS.map(matcher),
        where=st.just("a.yaml:1"),
        permits=st.none() | st.just(Effect.ALLOW),
        restrictions=st.builds(Restrictions, effect=st.none() | st.sampled_from((Effect.NOT_YET, Effect.ESCALATE))),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda rule: rule.id,
)
VALUES: dict[str, st.SearchStrategy[FactContent]] = {
    "word": WORDS,
    "plan": WORDS,
    "yes": st.booleans(),
    "count": NUMBERS,
    "set": st.frozensets(WORDS).map(lambda words: tuple(sorted(words))),
}


def _facts(name: str) -> st.SearchStrategy[FactUsed | None]:
    known = VALUES[name].map(lambda content: FactUsed(name=name, content=content, source="test"))
    unknown = st.none() | st.just(FactUsed(name=name, content=None, source="test"))
    if name in IGNORABLE:
        unknown |= st.just(FactUsed(name=name, content=None, source="test", on_unknown="ignore"))
    return known | unknown


FACTS = st.tuples(*(_facts(name) for name in SPECS)).map(lambda some: Facts.of(one for one in some if one is not None))
PERMIT = Rule(id="permit", stage=STAGE, reason="ONE", when=AtLeast(0, ()), where="a.yaml:1", permits=Effect.ALLOW)


@with_cedar
@settings(max_examples=200, deadline=None)  # no deadline: a busy machine is not a failure
@given(RULES, st.booleans(), st.lists(FACTS, min_size=1, max_size=5))
def test_cedar_allows_exactly_what_decide_allows(rules: list[Rule], permitted: bool, some: list[Facts]) -> None:
    """Whatever the conditions, and whichever facts are unknown, absent or ignorable."""
    policy = PolicySet([*rules, PERMIT] if permitted else rules, "r1")
    cedar = CedarStage(STAGE, TURN, translate(policy.rules, IGNORABLE))
    for facts in some:
        assert cedar.allows(facts) is (policy.decide(STAGE, facts).effect is Effect.ALLOW)


@with_cedar
def test_every_way_of_asking_cedar_gives_one_answer() -> None:
    """Parsed beforehand or on every call, the policies are the same."""
    rule = Rule(id="r", stage=STAGE, reason="ONE", when=matcher({"yes": True}), where="a.yaml:1", permits=Effect.ALLOW)
    cedar = CedarStage(STAGE, TURN, translate([rule], frozenset()))
    for content in (True, False):
        facts = Facts.of([FactUsed(name="yes", content=content, source="test")])
        answers = [cedar.call(facts, way)() for way in Way]
        assert [getattr(answer, "allowed", None) for answer in answers] == [content] * len(Way)


def test_a_condition_that_is_never_false_becomes_a_policy_that_always_applies() -> None:
    """Constants are folded, so that Cedar evaluates nothing in vain."""
    ban = Rule(
        id="ban",
        stage=STAGE,
        reason="ONE",
        when=AtLeast(0, ()),
        where="a.yaml:1",
        restrictions=Restrictions(effect=Effect.REFUSE),
    )
    assert translate([PERMIT, ban], frozenset()).policies == (
        "// permit\npermit (principal, action, resource) when { true };",
        "// ban\nforbid (principal, action, resource) unless { false };",
    )


def test_rules_without_an_effect_are_not_translated() -> None:
    """Cedar has nothing to say about obligations, queues or tone."""
    rule = Rule(id="r", stage=STAGE, reason="ONE", when=matcher({"yes": True}), where="a.yaml:1")
    assert translate([rule], frozenset()) == Translation((), frozenset(), frozenset())


def test_a_number_that_cedar_cannot_hold_is_an_error() -> None:
    """Rounding it would compare something else."""
    rule = Rule(
        id="r",
        stage=STAGE,
        reason="ONE",
        when=matcher({"count": {"at_least": 0.123456}}),
        where="a.yaml:1",
        permits=Effect.ALLOW,
    )
    with pytest.raises(ValueError, match="four decimals"):
        translate([rule], frozenset())


def test_a_fact_that_is_ignorable_by_surprise_is_an_error() -> None:
    """The policies were written without it, so they would decide otherwise."""
    rule = Rule(id="r", stage=STAGE, reason="ONE", when=matcher({"plan": "a"}), where="a.yaml:1", permits=Effect.ALLOW)
    facts = Facts.of([FactUsed(name="plan", content=None, source="test", on_unknown="ignore")])
    with pytest.raises(ValueError, match="plan"):
        translate([rule], frozenset()).context(facts)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The shipped bundle."""
    return load(FOLDER)


def test_drawn_turns_are_the_same_every_time(shipped: Bundle) -> None:
    """Two runs measure the same questions; another seed draws others."""
    assert draw(shipped, 6, seed=1) == draw(shipped, 6, seed=1)
    assert draw(shipped, 6, seed=1) != draw(shipped, 6, seed=2)


def test_drawn_turns_ask_every_deciding_stage_and_leave_facts_unknown(shipped: Bundle) -> None:
    """Some facts are unknown, some absent, and some leave restrictions out."""
    asked = [one for turn in draw(shipped, 24, seed=1) for one in turn]
    assert {one.stage for one in asked} == {rule.stage for rule in shipped.policy.rules}
    kinds = {fact.on_unknown for one in asked for fact in one.facts.used.values() if fact.content is None}
    assert kinds == {"restrict", "ignore"}
    most = max(len(one.facts.used) for one in asked if one.stage is STAGE)
    assert any(len(one.facts.used) < most for one in asked if one.stage is STAGE)


@pytest.mark.parametrize(("stage", "subject"), ENLARGED)
def test_generated_rules_are_deterministic_and_none_is_dead(shipped: Bundle, stage: Stage, subject: str) -> None:
    """Every one holds in some drawn turn, so that none can be skipped for good."""
    rules = written(shipped, stage, subject, 150, seed=3)
    assert rules == written(shipped, stage, subject, 150, seed=3)
    assert rules != written(shipped, stage, subject, 150, seed=5)
    turns = draw(shipped, 300, seed=4)
    asked = [one for turn in turns for one in turn if (one.stage, one.subject) == (stage, subject)]
    dead = [rule["id"] for rule in rules if not _holds_somewhere(shipped, rule, asked)]
    assert not dead


def _holds_somewhere(bundle: Bundle, rule: Written, asked: list[Question]) -> bool:
    problems: list[Problem] = []
    segments = frozenset(one.id for one in bundle.segments)
    reader = ConditionReader(Document("a.yaml", rule, {}), bundle.facts, segments, problems)
    when = reader.read(rule["when"], ("when",), asked[0].stage, frozenset({asked[0].subject}))
    assert not problems
    return any(when.truth(one.facts) is True for one in asked)


def test_segments_that_hang_on_ignorable_attributes_are_ignorable_too(shipped: Bundle) -> None:
    """Their membership is open when the attribute is missing, and leaves restrictions out like it."""
    names = ignorable_names(shipped)
    assert {"plan", "segment:enterprise"} <= names
    assert not {"signals", "segment:how_to"} & names


@pytest.fixture(scope="module")
def measured() -> PolicyBench:
    """One round over a few turns."""
    return bench_policy(FOLDER, turns=3, rounds=1)


def test_a_thousand_rules_are_asked_at_the_enlarged_stages(measured: PolicyBench) -> None:
    """The generated rules load as a bundle, and stand beside the shipped ones."""
    assert [one.rules for one in measured.many] == [ASKED] * (len(ENLARGED) + 1)
    assert measured.many_rules > measured.shipped_rules
    assert all(0 < one.applied < ASKED for one in measured.many)


def test_the_last_figure_is_over_all_questions(measured: PolicyBench) -> None:
    """Its counts are the sums of the stages'."""
    for figures in (measured.shipped, measured.many):
        *stages, overall = figures
        assert overall.questions == sum(one.questions for one in stages)
        assert overall.allowed == sum(one.allowed for one in stages)


def bench(monkeypatch: pytest.MonkeyPatch, found: PolicyBench, *arguments: str) -> int:
    """The exit code of `handrail bench policy`, where measuring gives `found`."""
    monkeypatch.setattr(measuring, "bench_policy", lambda _: found)
    return run(lambda: root.main(args=["bench", "policy", *arguments], prog_name="handrail", standalone_mode=False))


def test_the_command_prints_a_table(
    measured: PolicyBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for every stage, and the aims beside what was found."""
    assert bench(monkeypatch, measured) == 0
    printed = capsys.readouterr().out
    lines = [line.split()[0] for line in printed.splitlines() if line.strip()]
    assert {"gate_risk", "apply_policy", "retrieve", "authorize_tools", "guard_output"} <= {*lines}
    assert "(aim 50)" in printed
    assert "(aim 100)" in printed
    assert "whole recorded decision" in printed


def test_the_command_prints_json(
    measured: PolicyBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads back as the same figures."""
    assert bench(monkeypatch, measured, "--json") == 0
    assert PolicyBench.model_validate(json.loads(capsys.readouterr().out)) == measured


def test_without_cedarpy_the_own_figures_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to get the comparison."""
    monkeypatch.setattr(measuring, "installed_cedarpy", lambda: None)
    monkeypatch.setattr(measuring, "enlarged", lambda _folder, shipped, _seed: shipped)
    found = bench_policy(FOLDER, turns=2, rounds=1)
    assert all(one.cedar is None for one in (*found.shipped, *found.many))
    printed = table(found)
    assert "pip install cedarpy" in printed
    assert "ratio" not in printed


@with_cedar
def test_nothing_is_compared_when_cedar_decides_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A faster answer to another question is no answer."""
    monkeypatch.setattr(measuring, "translate", lambda *_: Translation((), frozenset(), frozenset()))
    monkeypatch.setattr(measuring, "enlarged", lambda _folder, shipped, _seed: shipped)
    with pytest.raises(Disagreement, match="Cedar does not agree"):
        bench_policy(FOLDER, turns=2, rounds=1)
    assert run(lambda: root.main(args=["bench", "policy"], prog_name="handrail", standalone_mode=False)) == 1
    shown = capsys.readouterr()
    assert not shown.out
    assert "not equivalent" in shown.err
