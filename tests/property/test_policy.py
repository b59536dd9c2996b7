"""Properties of `PolicySet.decide`, over generated rule sets and facts."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.guardrails.policy.facts import FactKind, Facts, fact
from handrail.guardrails.policy.facts import ignorable as unknown_but_ignorable
from handrail.guardrails.policy.matcher import ALWAYS, AtLeast, Known, Matcher, Not
from handrail.guardrails.policy.matcher import Test as Leaf
from handrail.guardrails.policy.policyset import DEFAULTS, TURN, PolicySet
from handrail.guardrails.policy.rule import Choice, Restrictions, Rule, Selections
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Depth,
    Effect,
    FactContent,
    FactUsed,
    Obligation,
    Priority,
    RiskTier,
    Stage,
    Tone,
)

BOUNDED = settings(max_examples=60, deadline=None)  # no deadline: a busy machine is not a failure
NAMES = ("a", "b", "c", "d")
TOOLS = ("refund", "status")
STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT)
NOT_ALLOW = (Effect.NOT_YET, Effect.REFUSE, Effect.ESCALATE)


def is_true(name: str) -> Leaf:
    """A leaf that asks for a fact to be true."""
    return Leaf(name, FactKind.BOOLEAN, "is", True, lambda content: content is True)


LEAVES = st.sampled_from(NAMES).map(is_true)


def matchers(leaves: st.SearchStrategy[Matcher]) -> st.SearchStrategy[Matcher]:
    """Conditions of any shape over `leaves`."""

    def grow(parts: st.SearchStrategy[Matcher]) -> st.SearchStrategy[Matcher]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        k_of_n = several.flatmap(lambda some: st.integers(1, len(some)).map(lambda count: AtLeast(count, some)))
        return k_of_n | parts.map(Not)

    return st.just(ALWAYS) | st.recursive(leaves, grow, max_leaves=5)


PLAIN = matchers(LEAVES)
ANY = matchers(LEAVES | st.builds(Known, st.sampled_from(NAMES), st.booleans()))

RESTRICTIONS = st.builds(
    Restrictions,
    effect=st.none() | st.sampled_from(NOT_ALLOW),
    automation=st.none() | st.sampled_from(list(Automation)),
    risk=st.none() | st.sampled_from(list(RiskTier)),
    obligations=st.frozensets(st.sampled_from(list(Obligation)), max_size=2),
)


def choices(values: tuple[str, ...]) -> st.SearchStrategy[Choice | None]:
    """A choice among `values`; as in a bundle that loads, one precedence has one value."""
    return st.none() | st.integers(0, len(values) - 1).map(lambda at: Choice(values[at], at))


SELECTIONS = st.builds(
    Selections,
    queue=choices(("general", "security")),
    skills=st.frozensets(st.sampled_from(("x", "y"))),
    tags=st.frozensets(st.sampled_from(("t", "u"))),
    priority=st.none() | st.sampled_from(list(Priority)),
    first_response_minutes=st.none() | st.integers(1, 3),
    scope=st.just(()) | st.just((("role", frozenset({"admin"})),)) | st.just((("role", frozenset({"it"})),)),
    tone=choices(tuple(Tone)),
    depth=choices(tuple(Depth)),
    flow=choices(("one", "two")),
)


def rules(when: st.SearchStrategy[Matcher] = ANY) -> st.SearchStrategy[tuple[Rule, ...]]:
    """Up to eight rules with conditions from `when`."""
    one = st.builds(
        Rule,
        id=st.uuids().map(lambda uuid: f"r{uuid.hex[:12]}"),
        stage=st.sampled_from(STAGES),
        reason=st.sampled_from(("ONE", "TWO", "THREE")),
        when=when,
        where=st.just("a.yaml:1"),
        subjects=st.none() | st.just(frozenset({"refund"})),
        permits=st.none() | st.just(Effect.ALLOW),
        restrictions=RESTRICTIONS,
        selections=SELECTIONS,
    )
    return st.lists(one, max_size=8, unique_by=lambda rule: rule.id).map(tuple)


CONTENTS: st.SearchStrategy[dict[str, FactContent | None]] = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from((True, False, None))
)
IGNORABLE = st.frozensets(st.sampled_from(NAMES))
SUBJECTS = st.sampled_from(TOOLS)


def facts_from(contents: dict[str, FactContent | None], ignorable: frozenset[str] = frozenset()) -> Facts:
    """Facts with these contents."""
    left_out = (name for name in ignorable if contents.get(name) is None)
    return Facts.of((*_known(contents), *(unknown_but_ignorable(name, "test", "test") for name in left_out)))


def _known(contents: dict[str, FactContent | None]) -> list[FactUsed]:
    return [fact(name, content, "test") for name, content in contents.items()]


def decisions(policy: PolicySet, facts: Facts) -> list[Decision]:
    """One decision for every stage, and for every tool where tools are decided on."""
    return [
        policy.decide(stage, facts, subject)
        for stage in Stage
        for subject in (TOOLS if stage is Stage.AUTHORIZE_TOOLS else (TURN,))
    ]


@BOUNDED
@given(rules(), st.randoms(use_true_random=False), CONTENTS, IGNORABLE)
def test_the_order_of_rules_is_irrelevant(
    some: tuple[Rule, ...], random: Random, contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """Any order of the rules gives the same decisions, to the last field; so does asking twice."""
    facts = facts_from(contents, ignorable)
    shuffled = list(some)
    random.shuffle(shuffled)
    policy = PolicySet(some, "r")
    found = decisions(policy, facts)
    assert found == decisions(PolicySet(shuffled, "r"), facts)
    assert found == decisions(policy, facts)


@BOUNDED
@given(rules(), rules(), CONTENTS, IGNORABLE)
def test_more_restrictions_never_relax_a_decision(
    some: tuple[Rule, ...], more: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """Rules that permit nothing can only make a decision stricter: effect, automation, risk and obligations."""
    facts = facts_from(contents, ignorable)
    restricting = tuple(replace(rule, permits=None) for rule in more)
    before = decisions(PolicySet(some, "r"), facts)
    after = decisions(PolicySet((*some, *restricting), "r"), facts)
    for one, other in zip(before, after, strict=True):
        assert other.effect >= one.effect
        assert other.dimensions.automation >= one.dimensions.automation
        assert other.dimensions.risk >= one.dimensions.risk
        assert set(one.obligations) <= set(other.obligations)


@BOUNDED
@given(rules(), rules(), CONTENTS, IGNORABLE)
def test_no_further_rule_takes_an_obligation_away(
    some: tuple[Rule, ...], more: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """Whatever is added, permits too: obligations, tier and automation of the rules before it stay."""
    facts = facts_from(contents, ignorable)
    before = decisions(PolicySet(some, "r"), facts)
    after = decisions(PolicySet((*some, *more), "r"), facts)
    for one, other in zip(before, after, strict=True):
        assert set(one.obligations) <= set(other.obligations)
        assert other.dimensions.automation >= one.dimensions.automation
        assert other.dimensions.risk >= one.dimensions.risk
        assert other.dimensions.priority >= one.dimensions.priority or one.dimensions.priority is Priority.NORMAL


@BOUNDED
@given(rules(PLAIN), CONTENTS, st.sets(st.sampled_from(NAMES)))
def test_losing_a_fact_never_opens_anything(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], lost: set[str]
) -> None:
    """A fact that becomes unknown turns no decision into allow, lowers no tier and drops no obligation.

    Conditions that ask `known` say themselves what being unknown means, and are left out here.
    """
    policy = PolicySet(some, "r")
    before = decisions(policy, facts_from(contents))
    after = decisions(policy, facts_from({name: None if name in lost else held for name, held in contents.items()}))
    for one, other in zip(before, after, strict=True):
        assert one.allowed or not other.allowed
        assert other.effect >= one.effect
        assert other.dimensions.risk >= one.dimensions.risk
        assert other.dimensions.automation >= one.dimensions.automation
        assert set(one.obligations) <= set(other.obligations)


@BOUNDED
@given(rules(PLAIN), CONTENTS, st.sampled_from(("false", "true", 0, 1.5, ("a",))))
def test_nonsense_opens_nothing_that_unknown_does_not(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], nonsense: FactContent
) -> None:
    """A value of the wrong kind decides exactly as an unknown one."""
    policy = PolicySet(some, "r")
    wrong = decisions(policy, facts_from(dict.fromkeys(contents, nonsense)))
    unknown = decisions(policy, facts_from(dict.fromkeys(contents)))
    plain = {"facts": ()}
    assert [one.model_copy(update=plain) for one in wrong] == [one.model_copy(update=plain) for one in unknown]


@BOUNDED
@given(CONTENTS)
def test_no_rules_allow_nothing(contents: dict[str, FactContent | None]) -> None:
    """The empty policy allows no stage and no tool, and says that nothing permits it."""
    for found in decisions(PolicySet((), "r"), facts_from(contents)):
        assert not found.allowed
        assert found.effect is DEFAULTS[found.stage]
        assert found.reasons == ("POLICY_NO_PERMIT",)


@BOUNDED
@given(rules(), CONTENTS)
def test_nothing_is_allowed_without_a_permit(some: tuple[Rule, ...], contents: dict[str, FactContent | None]) -> None:
    """Restrictions and selections alone, whatever they say, allow nothing."""
    silent = tuple(replace(rule, permits=None) for rule in some)
    assert not any(found.allowed for found in decisions(PolicySet(silent, "r"), facts_from(contents)))


@BOUNDED
@given(rules(), CONTENTS, IGNORABLE)
def test_every_decision_explains_itself(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """Reasons, revision, the rules of its own stage and subject, and a determining rule for every dimension."""
    by_id = {rule.id: rule for rule in some}
    for found in decisions(PolicySet(some, "the revision"), facts_from(contents, ignorable)):
        assert found.reasons
        assert found.revision == "the revision"
        named = [by_id[name] for name in found.rules]
        assert all(rule.stage is found.stage for rule in named)
        assert all(rule.subjects is None or found.subject in rule.subjects for rule in named)
        assert {rule.reason for rule in named} <= set(found.reasons)
        credited = {name for names in found.dimensions.determined_by.values() for name in names}
        assert credited <= set(found.rules)
        if found.obligations:
            assert found.dimensions.determined_by["obligations"]
        if found.allowed:
            assert any(rule.permits is Effect.ALLOW for rule in named)


@BOUNDED
@given(rules(), CONTENTS, IGNORABLE)
def test_a_decision_is_replayed_from_its_own_record(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """The facts in a decision, read back from JSON, give the very same decision."""
    policy = PolicySet(some, "r")
    for found in decisions(policy, facts_from(contents, ignorable)):
        stored = Decision.model_validate_json(found.model_dump_json())
        assert stored == found
        again = policy.decide(stored.stage, Facts.of(stored.facts), stored.subject)
        assert again == found


@BOUNDED
@given(rules(), CONTENTS, IGNORABLE)
def test_facts_that_no_rule_asks_for_change_nothing(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """A decision depends on the facts of its own rules only, and records no others."""
    policy = PolicySet(some, "r")
    facts = facts_from(contents, ignorable)
    assert decisions(policy, facts) == decisions(policy, facts.with_facts([fact("stray", True, "test")]))


@BOUNDED
@given(rules(), CONTENTS)
def test_precedence_decides_where_one_value_can_win(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None]
) -> None:
    """The queue is the one of the largest precedence among the rules that hold, and no other rule is credited."""
    facts = facts_from(contents)
    here = [rule for rule in some if rule.stage is Stage.APPLY_POLICY and rule.subjects is None]
    holding = [rule for rule in here if rule.when.truth(facts) is True]
    wanted = [rule.selections.queue for rule in holding if rule.selections.queue is not None]
    found = PolicySet(some, "r").decide(Stage.APPLY_POLICY, facts).dimensions
    if not wanted:
        assert found.queue is None
        return
    best = max(wanted, key=lambda choice: choice.precedence)
    assert found.queue == best.value
    assert set(found.determined_by["queue"]) == {rule.id for rule in holding if rule.selections.queue == best}


@BOUNDED
@given(rules(), CONTENTS, IGNORABLE)
def test_asking_ahead_agrees_with_the_decision(
    some: tuple[Rule, ...], contents: dict[str, FactContent | None], ignorable: frozenset[str]
) -> None:
    """What could go ahead is what the decision allows, now or after a next step."""
    policy, facts = PolicySet(some, "r"), facts_from(contents, ignorable)
    for decision in decisions(policy, facts):
        ahead = policy.could_go_ahead(decision.stage, facts, decision.subject)
        assert ahead is (decision.effect in (Effect.ALLOW, Effect.NOT_YET))
