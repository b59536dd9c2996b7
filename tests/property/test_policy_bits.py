"""`PolicySet` over bits against a plain reference: every rule asked in turn, every dimension combined by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.guardrails.policy.clause import FALSE, IGNORABLE, RESTRICTING, TRUE, Clauses, clause
from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import FactKind, Facts, FactSpec, fact, fits, ignorable
from handrail.guardrails.policy.index import Bits, index
from handrail.guardrails.policy.matcher import ALWAYS, AtLeast, Known, Matcher, Not, Truth, outside_holdout
from handrail.guardrails.policy.matcher import Test as Leaf
from handrail.guardrails.policy.policyset import DEFAULTS, NO_RULE, TURN, UNKNOWN_FACT, PolicySet
from handrail.guardrails.policy.reading import Columns
from handrail.guardrails.policy.rule import Choice, Restrictions, Rule, Selections
from handrail.guardrails.segments import Segment, assign, holds
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Depth,
    Dimensions,
    Effect,
    FactContent,
    FactUsed,
    NeedState,
    Obligation,
    Priority,
    RiskTier,
    Shadow,
    Stage,
    Tone,
)
from handrail.guardrails.yamlsource import Document, Problem

BOUNDED = settings(max_examples=120, deadline=None)  # no deadline: a busy machine is not a failure
ValueT = TypeVar("ValueT")

# ------------------------------------------------------------------------------------------------- conditions

CLOSED = ("high", "low", "medium")
MEMBERS = ("x", "y", "z")
HOLDOUT = "holdout:arm"
SPECS = {
    spec.name: spec
    for spec in (
        FactSpec("risk", FactKind.WORD, "closed", values=frozenset(CLOSED)),
        FactSpec("channel", FactKind.WORD, "open"),
        FactSpec("owned", FactKind.BOOLEAN, "truth"),
        FactSpec("approved", FactKind.BOOLEAN, "truth"),
        FactSpec("count", FactKind.NUMBER, "number"),
        FactSpec("share", FactKind.NUMBER, "number"),
        FactSpec("signals", FactKind.SET, "closed", values=frozenset(MEMBERS)),
        FactSpec("tags", FactKind.SET, "open"),
        FactSpec("hint", FactKind.WORD, "asked only whether it is known"),
    )
}
WORDS = {"risk": CLOSED, "channel": ("", "high", "web", "été"), "signals": MEMBERS, "tags": ("", "x", "high")}
BOUNDS: tuple[int | float, ...] = (
    -1e300, -3, -1, -0.0, 0, 5e-324, 0.1, 0.30000000000000004, 0.5, 1, 1.0, 2, 3,
    2**53, 2**53 + 1, 1e17, 1e300, 1.7976931348623157e308,
)  # fmt: skip
KINDS = {name: spec.kind for name, spec in SPECS.items()} | {
    "segment:how_to": FactKind.BOOLEAN,
    HOLDOUT: FactKind.BOOLEAN,
}


def compiled(condition: object) -> Matcher:
    """A condition as the bundle's own reader makes it."""
    problems: list[Problem] = []
    content = cast(JsonValue, condition)
    reader = ConditionReader(Document("test.yaml", content, {}), SPECS, frozenset({"how_to"}), problems)
    matcher = reader.read(content, (), Stage.AUTHORIZE_TOOLS)
    assert problems == []
    return matcher


def comparisons(name: str) -> st.SearchStrategy[object]:
    """Everything that may be asked of the fact `name`."""
    spec = SPECS[name]
    known = st.booleans().map(lambda expected: {"known": expected})
    if name == "hint":
        return known
    if spec.kind is FactKind.BOOLEAN:
        return known | st.booleans()
    if spec.kind is FactKind.NUMBER:
        bounds = st.sampled_from(BOUNDS) | st.integers(-3, 6)
        operators = st.sampled_from(("at_least", "at_most", "above", "below"))
        return known | bounds | st.builds(lambda operator, bound: {operator: bound}, operators, bounds)
    words = st.sampled_from(WORDS[name])
    several = st.lists(words, min_size=1, max_size=3)
    if spec.kind is FactKind.WORD:
        return known | words | several.map(lambda some: {"in": some})
    many = st.builds(lambda operator, some: {operator: some}, st.sampled_from(("has_any", "has_all")), several)
    return known | words.map(lambda word: {"has": word}) | many


ONE = st.sampled_from(sorted(SPECS)).flatmap(
    lambda name: comparisons(name).map(lambda asked, name=name: compiled({name: asked}))  # type: ignore[misc]
)
LEAVES = ONE | st.just(compiled({"segment": "how_to"}))


def grown(parts: st.SearchStrategy[Matcher]) -> st.SearchStrategy[Matcher]:
    """Negations and k of n over `parts`, a part twice sometimes."""
    several = st.lists(parts, min_size=1, max_size=4).flatmap(
        lambda some: st.lists(st.sampled_from(some), max_size=2).map(lambda again: tuple(some + again))
    )
    counted = several.flatmap(lambda some: st.integers(0, len(some)).map(lambda count: AtLeast(count, some)))
    whole = several.map(lambda some: AtLeast(len(some), some))
    return counted | whole | parts.map(Not)


CONDITIONS = st.recursive(LEAVES | st.just(ALWAYS) | st.just(outside_holdout("arm")), grown, max_leaves=8)

# ------------------------------------------------------------------------------------------------------ facts

WRONG: tuple[FactContent, ...] = (
    "", "true", "high", "1", True, False, 0, 1, -1, 0.5, math.nan, math.inf, -math.inf, 10**400, -(10**400), (), ("x",),
    ("high", "x"),
)  # fmt: skip


def contents(name: str) -> st.SearchStrategy[FactContent]:
    """Contents of the kind of `name`, near what conditions ask for."""
    kind = KINDS[name]
    if kind is FactKind.BOOLEAN:
        return st.booleans()
    if kind is FactKind.NUMBER:
        near = st.sampled_from(BOUNDS).flatmap(
            lambda bound: st.sampled_from((bound, math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf)))
        )
        return near | st.integers(-4, 7) | st.floats(-4, 7)
    words = st.sampled_from((*WORDS.get(name, ("x",)), "another"))
    if kind is FactKind.WORD:
        return words
    return st.lists(words, max_size=4).map(lambda some: tuple(sorted(some)))


def stated(name: str) -> st.SearchStrategy[FactUsed | None]:
    """The fact `name`: absent, unknown in both ways, known, or nonsense; what is known may be marked as ignorable."""
    known = contents(name)
    strange = st.sampled_from(WRONG)
    marked = known | strange
    return (
        known.map(lambda content: fact(name, content, "test"))
        | known.map(lambda content: fact(name, content, "test"))
        | marked.map(lambda content: FactUsed(name=name, content=content, source="test", on_unknown="ignore"))
        | strange.map(lambda content: fact(name, content, "test"))
        | st.just(fact(name, None, "test"))
        | st.just(ignorable(name, "test", "missing"))
        | st.none()
    )


FACTS = st.tuples(*(stated(name) for name in sorted(KINDS))).map(
    lambda some: Facts.of(one for one in some if one is not None)
)

# -------------------------------------------------------------------------------------- the reference: conditions


def compared(leaf: Leaf, content: FactContent) -> bool:
    """One comparison in plain words."""
    wanted = leaf.operand
    if isinstance(content, tuple):
        several = wanted if isinstance(wanted, tuple) else (wanted,)
        return (all if leaf.operator == "has_all" else any)(word in content for word in several)
    if isinstance(wanted, tuple):
        return content in wanted
    if isinstance(content, str) or isinstance(wanted, str):
        return content == wanted
    left, right = float(content), float(wanted)
    return {
        "is": left == right,
        "at_least": left >= right,
        "at_most": left <= right,
        "above": left > right,
        "below": left < right,
    }[leaf.operator]


def asked(condition: Matcher, facts: Facts) -> Truth:
    """Kleene's logic by counting: true, false, or the unknown facts that leave it open."""
    if isinstance(condition, Known):
        return (facts.content(condition.name) is not None) is condition.expected
    if isinstance(condition, Leaf):
        content = facts.content(condition.name)
        if content is None or not fits(condition.kind, content):
            return frozenset({condition.name})
        return compared(condition, content)
    if isinstance(condition, Not):
        inner = asked(condition.part, facts)
        return not inner if isinstance(inner, bool) else inner
    truths = [asked(part, facts) for part in condition.parts]
    unknowns = [truth for truth in truths if not isinstance(truth, bool)]
    if truths.count(True) >= condition.count:
        return True
    if truths.count(True) + len(unknowns) < condition.count:
        return False
    return frozenset().union(*unknowns)


def restricts(truth: Truth, facts: Facts) -> bool:
    """S2.2: restrictions apply unless false, or open for facts alone that declare to be ignored when unknown."""
    if isinstance(truth, bool):
        return truth
    return any(
        (one := facts.used.get(name)) is None or one.content is not None or one.on_unknown == "restrict"
        for name in truth
    )


# --------------------------------------------------------------------------------------- the reference: decisions

STRICTNESS = {
    kind: list(kind)
    for kind in (Effect, Automation, RiskTier, Priority)  # scales are written from permissive to strict
}


def strictest(said: Sequence[tuple[str, ValueT]], key: Callable[[ValueT], int]) -> list[tuple[str, ValueT]]:
    """The rules that say the largest value by `key`, each with it."""
    best = max((key(value) for _, value in said), default=0)
    return [(name, value) for name, value in said if key(value) == best]


def value(winners: Sequence[tuple[str, ValueT]], otherwise: ValueT) -> ValueT:
    """What they say."""
    return winners[0][1] if winners else otherwise


def by(winners: Sequence[tuple[str, ValueT]]) -> list[str]:
    """Who says it."""
    return [name for name, _ in winners]


def rank(value: Effect | Automation | RiskTier | Priority) -> int:
    """The place on its own scale."""
    return STRICTNESS[type(value)].index(value)


def chosen(found: Iterable[tuple[str, Choice | None]]) -> tuple[str | None, list[str]]:
    """The choice of the largest precedence."""
    said = [(name, choice) for name, choice in found if choice is not None]
    best = strictest(said, lambda one: one.precedence)
    return (best[0][1].value if best else None), by(best)


def union(rules: Sequence[Rule], of: Callable[[Rule], Collection[str]]) -> tuple[tuple[str, ...], list[str]]:
    """All words of the rules, in order, and the rules that give any."""
    words = {word for rule in rules for word in of(rule)}
    return tuple(sorted(words)), [rule.id for rule in rules if of(rule)]


def combined(selecting: Sequence[Rule], restricting: Sequence[Rule]) -> tuple[Dimensions, tuple[Obligation, ...]]:
    """S2.3, one dimension after the other."""
    risks = [(rule.id, tier) for rule in restricting if (tier := rule.restrictions.risk) is not None]
    automations = [(rule.id, level) for rule in restricting if (level := rule.restrictions.automation) is not None]
    priorities = [(rule.id, urgency) for rule in selecting if (urgency := rule.selections.priority) is not None]
    times = [(rule.id, time) for rule in selecting if (time := rule.selections.first_response_minutes) is not None]
    risk, automation = strictest(risks, rank), strictest(automations, rank)
    priority, minutes = strictest(priorities, rank), strictest(times, lambda number: -number)
    queue, queue_by = chosen((rule.id, rule.selections.queue) for rule in selecting)
    tone, tone_by = chosen((rule.id, rule.selections.tone) for rule in selecting)
    depth, depth_by = chosen((rule.id, rule.selections.depth) for rule in selecting)
    flow, flow_by = chosen((rule.id, rule.selections.flow) for rule in selecting)
    skills, skills_by = union(selecting, lambda rule: rule.selections.skills)
    tags, tags_by = union(selecting, lambda rule: rule.selections.tags)
    scopes = {
        family: union(selecting, lambda rule, family=family: dict(rule.selections.scope).get(family, ()))  # type: ignore[misc]
        for family in ("plan", "role")
    }
    duties = {duty for rule in restricting for duty in rule.restrictions.obligations}
    credited = {
        "risk": by(risk),
        "automation": by(automation),
        "priority": by(priority),
        "first_response_minutes": by(minutes),
        "queue": queue_by,
        "tone": tone_by,
        "depth": depth_by,
        "flow": flow_by,
        "skills": skills_by,
        "tags": tags_by,
        "obligations": [rule.id for rule in restricting if rule.restrictions.obligations],
        **{f"scope.{family}": names for family, (_, names) in scopes.items()},
    }
    dimensions = Dimensions(
        queue=queue,
        skills=skills,
        tags=tags,
        priority=value(priority, Priority.NORMAL),
        first_response_minutes=minutes[0][1] if minutes else None,
        automation=value(automation, Automation.ANSWER),
        risk=value(risk, RiskTier.LOW),
        scope={family: words for family, (words, _) in scopes.items() if words},
        tone=Tone(tone or Tone.PLAIN),
        depth=Depth(depth or Depth.STANDARD),
        flow=flow,
        determined_by={name: tuple(rules) for name, rules in sorted(credited.items()) if rules},
    )
    return dimensions, tuple(duty for duty in Obligation if duty in duties)


def asked_about(rules: Iterable[Rule], stage: Stage, subject: str) -> list[Rule]:
    """The rules of a stage and subject, by id."""
    here = [rule for rule in rules if rule.stage is stage and (rule.subjects is None or subject in rule.subjects)]
    return sorted(here, key=lambda rule: rule.id)


def decided(rules: Iterable[Rule], stage: Stage, facts: Facts, subject: str) -> Decision:
    """What a reader of the specification would decide by hand."""
    here = asked_about(rules, stage, subject)
    truths = {rule.id: asked(rule.when, facts) for rule in here}
    holding = [rule for rule in here if truths[rule.id] is True]
    restricting = [rule for rule in here if rule.restrictions != Restrictions() and restricts(truths[rule.id], facts)]
    permitting = [rule for rule in holding if rule.permits is not None]
    effects = [(rule.id, effect_of) for rule in restricting if (effect_of := rule.restrictions.effect) is not None]
    strict = strictest(effects, rank)
    base = Effect.ALLOW if permitting else DEFAULTS[stage]
    effect = max(base, value(strict, base), key=rank)
    determining = by(strict) if strict and value(strict, base) is effect else [rule.id for rule in permitting]
    dimensions, duties = combined(holding, restricting)
    credited = {name for names in dimensions.determined_by.values() for name in names}
    named = [*determining, *sorted(credited - set(determining))]
    reason_of = {rule.id: rule.reason for rule in here}
    reasons = [reason_of[name] for name in determining] or [NO_RULE]
    reasons += [reason_of[name] for name in named[len(determining) :]]
    if any(not isinstance(truths[rule.id], bool) for rule in restricting):
        reasons.append(UNKNOWN_FACT)
    read = sorted({name for rule in here for name in rule.names()})
    return Decision(
        stage=stage,
        subject=subject,
        effect=effect,
        reasons=tuple(dict.fromkeys(reasons)),
        rules=tuple(named),
        obligations=duties,
        dimensions=dimensions,
        facts=facts.evidence(read),
        revision="r",
    )


# ------------------------------------------------------------------------------------------------------ rules

TOOLS = ("refund", "status")
STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.AUTHORIZE_TOOLS)
QUESTIONS = [(stage, subject) for stage in Stage for subject in (TOOLS if stage is Stage.AUTHORIZE_TOOLS else (TURN,))]


def choices(values: Sequence[str]) -> st.SearchStrategy[Choice | None]:
    """A choice among `values`; as in a bundle that loads, one precedence has one value, of several precedences."""
    precedences = st.integers(0, len(values) * 2 - 1)
    return st.none() | precedences.map(lambda at: Choice(values[at % len(values)], at))


SCOPES = st.dictionaries(
    st.sampled_from(("plan", "role")), st.frozensets(st.sampled_from(("a", "b", "c")), max_size=2)
).map(lambda found: tuple(sorted(found.items())))
RULE = st.builds(
    Rule,
    id=st.uuids().map(lambda uuid: f"r{uuid.hex[:12]}"),
    stage=st.sampled_from(STAGES),
    reason=st.sampled_from(("ONE", "TWO", "THREE", NO_RULE, UNKNOWN_FACT)),
    when=CONDITIONS,
    where=st.just("a.yaml:1"),
    subjects=st.none() | st.just(frozenset({"refund"})) | st.just(frozenset(TOOLS)),
    permits=st.none() | st.just(Effect.ALLOW),
    restrictions=st.just(Restrictions())
    | st.builds(
        Restrictions,
        effect=st.none() | st.sampled_from((Effect.NOT_YET, Effect.REFUSE, Effect.ESCALATE)),
        automation=st.none() | st.sampled_from(list(Automation)),
        risk=st.none() | st.sampled_from(list(RiskTier)),
        obligations=st.frozensets(st.sampled_from(list(Obligation)), max_size=2),
    ),
    selections=st.just(Selections())
    | st.builds(
        Selections,
        queue=choices(("general", "security")),
        skills=st.frozensets(st.sampled_from(("x", "y")), max_size=2),
        tags=st.frozensets(st.sampled_from(("t", "u")), max_size=2),
        priority=st.none() | st.sampled_from(list(Priority)),
        first_response_minutes=st.none() | st.integers(1, 3),
        scope=SCOPES,
        tone=choices(tuple(Tone)),
        depth=choices(tuple(Depth)),
        flow=choices(("one", "two")),
    ),
)
RULES = st.lists(RULE, max_size=10, unique_by=lambda rule: rule.id).map(tuple)

# ------------------------------------------------------------------------------------------------------- tests


@BOUNDED
@given(RULES, FACTS)
def test_a_decision_is_what_the_rules_say_one_by_one(rules: tuple[Rule, ...], facts: Facts) -> None:
    """Every field of every decision is the reference's; so are `resolve`, what applied, and asking ahead."""
    policy = PolicySet(rules, "r")
    for stage, subject in QUESTIONS:
        wanted = decided(rules, stage, facts, subject)
        assert repr(policy.decide(stage, facts, subject)) == repr(wanted)  # by words, as NaN is not itself
        found = policy.resolve(stage, facts, subject)
        assert (found.effect, found.reasons, found.rules, found.obligations, found.dimensions(), found.risk) == (
            wanted.effect, wanted.reasons, wanted.rules, wanted.obligations, wanted.dimensions, wanted.dimensions.risk
        )  # fmt: skip
        applying = [
            rule
            for rule in asked_about(rules, stage, subject)
            if asked(rule.when, facts) is True
            or (rule.restrictions != Restrictions() and restricts(asked(rule.when, facts), facts))
        ]
        assert found.applied() == tuple(applying)
        assert policy.asked(stage, subject) == tuple(asked_about(rules, stage, subject))
        assert policy.could_go_ahead(stage, facts, subject) is (wanted.effect in (Effect.ALLOW, Effect.NOT_YET))


@BOUNDED
@given(RULES, RULES, FACTS)
def test_shadow_rules_are_recorded_beside_and_never_enforced(
    rules: tuple[Rule, ...], shadows: tuple[Rule, ...], facts: Facts
) -> None:
    """The decision is the one without them; the shadow is the one with them, where one of them applies."""
    policy, plain = PolicySet(rules, "r", shadows), PolicySet(rules, "r")
    for stage, subject in QUESTIONS:
        found, wanted = policy.decide(stage, facts, subject), plain.decide(stage, facts, subject)
        bare = {"facts": (), "shadow": None}
        assert found.model_copy(update=bare) == wanted.model_copy(update=bare)
        tried = asked_about(shadows, stage, subject)
        read = sorted({name for rule in (*tried, *asked_about(rules, stage, subject)) for name in rule.names()})
        assert repr(found.facts) == repr(facts.evidence(read))
        applying = tuple(
            rule.id
            for rule in tried
            if asked(rule.when, facts) is True
            or (rule.restrictions != Restrictions() and restricts(asked(rule.when, facts), facts))
        )
        together = decided((*rules, *shadows), stage, facts, subject)
        shadow = Shadow(
            rules=applying or ("none",),
            effect=together.effect,
            reasons=together.reasons,
            obligations=together.obligations,
            dimensions=together.dimensions,
        )
        assert found.shadow == (shadow if applying else None)


def laid_out(conditions: Sequence[Matcher]) -> tuple[Clauses, Columns, list[object]]:
    """Conditions as a policy set lays them out: clauses, and what reads the facts."""
    leaves: dict[Leaf | Known, int] = {}

    def bit(leaf: Leaf | Known) -> Bits:
        return 1 << leaves.setdefault(leaf, len(leaves))

    clauses = [clause(condition, bit) for condition in conditions]
    found = index(conditions)
    return Clauses(clauses), Columns(tuple(leaves), found), list(clauses)


def state(truth: Truth, facts: Facts) -> int:
    """A truth in the four words of clauses."""
    if isinstance(truth, bool):
        return TRUE if truth else FALSE
    return RESTRICTING if restricts(truth, facts) else IGNORABLE


@BOUNDED
@given(CONDITIONS, FACTS)
@example(Not(AtLeast(0, (AtLeast(1, (compiled({"risk": "low"}), compiled({"owned": True}))),))), Facts())
@example(Not(AtLeast(0, (compiled({"owned": True}),))), Facts())
@example(Not(ALWAYS), Facts())
@example(AtLeast(2, (compiled({"owned": True}), Not(compiled({"owned": True})))), Facts())
def test_a_clause_is_its_condition(condition: Matcher, facts: Facts) -> None:
    """True, false, open for ignorable facts, open in a way that restricts: matcher, clause and reference agree."""
    truth = condition.truth(facts)
    assert truth == asked(condition, facts)
    clauses, columns, (single,) = laid_out([condition])
    read = columns.read(facts)
    wanted = state(truth, facts)
    assert single.truth(read) == wanted  # type: ignore[attr-defined]  # a clause
    answers = clauses.ask(read)
    assert bool(answers.true) is (wanted == TRUE)
    assert bool(answers.doubtful) is (wanted == RESTRICTING)


@BOUNDED
@given(st.lists(CONDITIONS, min_size=1, max_size=40), FACTS)
def test_the_index_skips_only_what_is_false(conditions: list[Matcher], facts: Facts) -> None:
    """A rule whose condition is true or open is always picked, however many others there are."""
    _, columns, _ = laid_out(conditions)
    picked = columns.read(facts).picked
    skipped = [condition for place, condition in enumerate(conditions) if not picked >> place & 1]
    assert [condition for condition in skipped if asked(condition, facts) is not False] == []


@BOUNDED
@given(CONDITIONS, CONDITIONS, st.sampled_from((0, 30)), st.none() | st.sampled_from((0.0, 1799.9, 1800.0, 1e9)), FACTS)
def test_membership_is_entry_or_what_neither_exit_nor_time_has_ended(
    entry: Matcher, leaving: Matcher, minutes: int, seconds: float | None, facts: Facts
) -> None:
    """By the words of the specification, and the same for assignment and for replay, which asks without the words."""
    segment = Segment("one", "SEG_ONE", entry, leaving, minutes)
    earlier = {} if seconds is None else {"one": seconds}
    truth = asked(entry, facts)
    stays = seconds is not None and (asked(leaving, facts) is not True or seconds < minutes * 60)
    wanted: Truth = True if truth is True or stays else truth
    assert holds(segment, facts, earlier) == wanted
    found = assign([segment], facts, earlier)
    (used,) = found.facts
    assert used.name == "segment:one"
    assert used.content == (wanted if isinstance(wanted, bool) else None)
    assert used.on_unknown == ("restrict" if isinstance(wanted, bool) or restricts(wanted, facts) else "ignore")
    assert found.reasons == (("SEG_ONE",) if wanted is True else ())
    assert found.open == (() if isinstance(wanted, bool) else ("one",))
    assert set(found.members) == ({"one"} if wanted is True else set())


def test_the_index_does_skip() -> None:
    """A hundred rules about a hundred channels: one is asked, for an unknown channel all are."""
    conditions = [compiled({"channel": f"c{number}", "owned": True}) for number in range(100)]
    _, columns, _ = laid_out(conditions)
    for content, count in (("c42", 1), ("other", 0), (None, 100), (7, 100)):
        seen = Facts.of([fact("channel", content, "test"), fact("owned", True, "test")])
        assert columns.read(seen).picked.bit_count() == count


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("operator", ["is", "at_least", "at_most", "above", "below"])
def test_numbers_are_compared_exactly_at_their_bounds(operator: str, bound: float) -> None:
    """At a bound and one step beside it, of any size, with other bounds around it."""
    others = [compiled({"count": other}) for other in BOUNDS]
    wanted = compiled({"count": bound if operator == "is" else {operator: bound}})
    clauses, columns, _ = laid_out([wanted, *others])
    for content in (bound, math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf)):
        seen = Facts.of([fact("count", content, "test")])
        answer = clauses.ask(columns.read(seen))
        truth = wanted.truth(seen)
        if not math.isfinite(content):
            assert truth == frozenset({"count"})
            assert answer.doubtful & 1
        else:
            assert bool(answer.true & 1) is truth


@pytest.mark.parametrize("content", [10**400, -(10**400), math.nan, math.inf, -math.inf, True, "1"])
def test_what_is_no_number_is_open(content: FactContent) -> None:
    """Numbers beyond every float, too: nonsense opens the question and stops nothing."""
    seen = Facts.of([fact("count", content, "test")])
    askings: list[object] = [{"count": 1}, {"count": {"above": 0}}, {"not": {"count": {"below": 5}}}]
    for asking in askings:
        assert compiled(asking).truth(seen) == frozenset({"count"})
        clauses, columns, _ = laid_out([compiled(asking)])
        assert clauses.ask(columns.read(seen)).doubtful == 1


def test_a_word_of_a_scale_is_a_word() -> None:
    """A member of an enumeration of words counts as its word, for the matcher and for the bits."""
    asking = compiled({"channel": NeedState.HOW_TO.value})
    used = FactUsed.model_construct(
        name="channel", content=NeedState.HOW_TO, source="test", age_seconds=None, why=None, on_unknown="restrict"
    )
    for seen in (Facts.of([used]), Facts.of([fact("channel", NeedState.HOW_TO, "test")])):
        assert asking.truth(seen) is True
        clauses, columns, _ = laid_out([asking])
        assert clauses.ask(columns.read(seen)).true == 1
