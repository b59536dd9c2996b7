"""The values that stand for a fact tell apart all that conditions tell apart, and the fact can be each of them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.evals.policy.domains import ANOTHER, NEED, Domain, domains_of, possible
from handrail.evals.policy.domains import tests as leaves_of
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import ANY_NUMBER, COUNT, FactKind, FactSpec, Range
from handrail.guardrails.policy.matcher import AtLeast, Matcher
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import FactContent, Stage
from handrail.guardrails.yamlsource import Document

OPERATORS = ("at_least", "at_most", "above", "below")
BOUNDS = st.one_of(
    st.integers(-5, 20),
    st.floats(-3, 20, allow_nan=False),
    st.sampled_from((1e-9, 0.1 + 0.2, 1e16, -1e300, 1e300, 1.7e308)),
)
RANGES = (ANY_NUMBER, COUNT, Range(whole=True), Range(least=0, most=1), Range(most=3, whole=True), Range(least=2.5))
LETTERS = st.sampled_from(("another", "another_one", "red", "green", "blue"))


class Asking:
    """Bundles of one rule; a class of its own, because a bundle in words is too long for reports of a property."""

    def __init__(self, shipped: Bundle) -> None:
        """Begin with the shipped bundle, without any condition."""
        self.empty = replace(shipped, policy=PolicySet((), "none"), segments=(), invariants=())

    def __call__(self, spec: FactSpec, asked: list[JsonValue]) -> Bundle:
        """A bundle whose one rule asks the fact of `spec` all of `asked`."""
        facts = {**self.empty.facts, spec.name: spec}
        when = AtLeast(1, tuple(_read(facts, {spec.name: one}) for one in asked))
        rule = Rule("one", Stage.APPLY_POLICY, "TURN_ANSWER", when, "drawn:1")
        return replace(self.empty, facts=facts, policy=PolicySet([rule], "one"))


@pytest.fixture(scope="module")
def asking(shipped: Bundle) -> Asking:
    """Makes bundles of one rule."""
    return Asking(shipped)


def _read(facts: dict[str, FactSpec], content: dict[str, JsonValue]) -> Matcher:
    reader = ConditionReader(Document("drawn", None, {}), facts, frozenset(), [])
    found = reader.read(content, (), Stage.APPLY_POLICY)
    assert not reader.problems, reader.problems
    return found


def domain_of(bundle: Bundle, name: str) -> Domain:
    """The domain of a fact, without what is usual."""
    return domains_of([bundle], {})[name]


def truths(bundle: Bundle, content: FactContent) -> tuple[bool, ...]:
    """What each comparison of the one rule makes of a content."""
    return tuple(leaf.holds(content) for leaf in leaves_of(bundle.policy.rules[0].when))


@settings(max_examples=300, deadline=None)
@given(
    asked=st.lists(st.tuples(st.sampled_from(OPERATORS), BOUNDS), min_size=1, max_size=5),
    within=st.sampled_from(RANGES),
    number=st.one_of(BOUNDS, st.integers(-30, 30)),
)
def test_every_number_has_one_that_stands_for_it(
    asking: Asking, asked: list[tuple[str, float]], within: Range, number: float
) -> None:
    """Whatever number a fact can be, some value of its domain makes every comparison come out the same."""
    spec = FactSpec("size", FactKind.NUMBER, "a size", range=within)
    bundle = asking(spec, [{operator: bound} for operator, bound in asked])
    values = domain_of(bundle, "size").values
    assert all(possible(float(one), within) for one in values)
    if possible(float(number), within):
        assert any(truths(bundle, one) == truths(bundle, number) for one in values), (values, number)


@settings(max_examples=100, deadline=None)
@given(
    asked=st.lists(st.lists(LETTERS, min_size=1, max_size=3), min_size=1, max_size=3),
    closed=st.booleans(),
    word=st.one_of(LETTERS, st.text("abc", max_size=3)),
)
def test_every_word_has_one_that_stands_for_it(
    asking: Asking, asked: list[list[str]], word: str, *, closed: bool
) -> None:
    """A word that no condition names is told apart from all that are named, even where `another` is named."""
    values = frozenset(("another", "another_one", "red", "green", "blue", "a", "b"))
    spec = FactSpec("colour", FactKind.WORD, "a colour", values=values if closed else None)
    bundle = asking(spec, [{"in": [*words]} for words in asked])
    found = domain_of(bundle, "colour").values
    assert len(set(found)) == len(found)
    assert not closed or set(found) <= values
    if not closed or word in values:
        assert any(truths(bundle, one) == truths(bundle, word) for one in found), (found, word)


def _asking(asked: list[tuple[str, list[str]]]) -> list[JsonValue]:
    return [{operator: [*words]} for operator, words in asked]


@settings(max_examples=100, deadline=None)
@given(
    asked=st.lists(st.tuples(st.sampled_from(("has_any", "has_all")), st.lists(LETTERS, min_size=1, max_size=3))),
    held=st.frozensets(st.one_of(LETTERS, st.text("abc", min_size=1, max_size=2))),
)
def test_every_set_has_one_that_stands_for_it(
    asking: Asking, asked: list[tuple[str, list[str]]], held: frozenset[str]
) -> None:
    """Members that no condition names make no difference, so a set is told by the named ones it holds."""
    spec = FactSpec("colours", FactKind.SET, "colours")
    wanted: list[JsonValue] = [{"has": "red"}, *_asking(asked)]
    bundle = asking(spec, wanted)
    members = domain_of(bundle, "colours").values
    standing = tuple(sorted(str(one) for one in members if one in held))
    assert truths(bundle, standing) == truths(bundle, tuple(sorted(held)))


def test_what_a_whole_number_is_compared_with_need_not_be_whole(asking: Asking) -> None:
    """Above 2.5 there is 3, below it 2: both stand for something, though 1.5 and 3.5 are no counts."""
    bundle = asking(FactSpec("size", FactKind.NUMBER, "a size", range=COUNT), [{"above": 2.5}])
    assert domain_of(bundle, "size").values == (0, 2, 3)


def test_what_is_usual_is_among_the_values(shipped: Bundle) -> None:
    """An example can be ordinary: what an ordinary turn holds is a value even where no condition names it."""
    found = domains_of([shipped], {"unresolved_turns": 17, "identity": "identified"})
    assert 17 in found["unresolved_turns"].values
    assert "identified" in found["identity"].values


def test_the_need_state_is_always_there_and_whole(asking: Asking) -> None:
    """Coverage is told by need state, so every one of them is an input, read by a condition or not."""
    assert set(domain_of(asking.empty, NEED).values) == needs(asking.empty)


def needs(bundle: Bundle) -> frozenset[str]:
    """Every need state, and unknown."""
    values = bundle.facts[NEED].values
    assert values is not None
    return values


def test_two_bundles_share_the_values_of_both(asking: Asking) -> None:
    """A bound or a word of either bundle tells inputs apart for both, over the numbers that the fact can be in any."""
    one = asking(FactSpec("size", FactKind.NUMBER, "a size", range=COUNT), [{"at_least": 2}])
    other = asking(FactSpec("size", FactKind.NUMBER, "a size"), [{"below": 0.5}])
    values = domains_of([one, other], {})["size"].values
    assert {0.5, 2} <= set(values)
    assert min(float(value) for value in values) < 0
    words = FactSpec("colour", FactKind.WORD, "a colour", values=frozenset(("red", "blue")))
    first, second = asking(words, ["red"]), asking(replace(words, values=None), ["grey"])
    assert domains_of([first, second], {})["colour"].values == ("grey", "red", ANOTHER)


def test_a_fact_of_two_kinds_cannot_be_compared(asking: Asking) -> None:
    """Two bundles in which a name is a word and a number have no input in common; the message names the fact."""
    one = asking(FactSpec("size", FactKind.NUMBER, "a size"), [{"at_least": 2}])
    other = asking(FactSpec("size", FactKind.WORD, "a size"), ["large"])
    with pytest.raises(ConfigError, match="size is a number in one bundle and a word in the other"):
        domains_of([one, other], {})
