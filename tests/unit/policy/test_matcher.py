"""Truth tables of the matchers (Kleene's strong three-valued logic)."""

import itertools
import math

import pytest

from handrail.guardrails.policy.facts import FactKind, Facts, fact
from handrail.guardrails.policy.facts import ignorable as unknown_but_ignorable
from handrail.guardrails.policy.matcher import (
    ALWAYS,
    AtLeast,
    Known,
    Matcher,
    Not,
    Truth,
    applies_to_restriction,
    in_segment,
)
from handrail.guardrails.policy.matcher import (
    Test as Leaf,
)
from handrail.guardrails.vocabulary import FactContent

VALUES = (True, False, None)


def leaf(name: str) -> Leaf:
    """A leaf that asks for a fact to be true."""
    return Leaf(name, FactKind.BOOLEAN, "is", True, lambda content: content is True)


def facts(**contents: FactContent | None) -> Facts:
    """Facts with these contents."""
    return Facts({name: fact(name, content, "test") for name, content in contents.items()})


def three(truth: Truth) -> bool | None:
    """True, False, or None for open."""
    return truth if isinstance(truth, bool) else None


def kleene_at_least(count: int, values: tuple[bool | None, ...]) -> bool | None:
    """By definition: the answer that every way of filling in the unknowns agrees on."""
    ways = itertools.product(*((value,) if value is not None else (True, False) for value in values))
    answers = {sum(way) >= count for way in ways}
    return answers.pop() if len(answers) == 1 else None


@pytest.mark.parametrize("values", list(itertools.product(VALUES, repeat=3)))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_k_of_n_is_what_every_filling_in_agrees_on(count: int, values: tuple[bool | None, ...]) -> None:
    """`all` (n of n), `any` (1 of n) and k of n follow the definition for every combination of three parts."""
    names = ("a", "b", "c")
    seen = facts(**dict(zip(names, values, strict=True)))
    found = AtLeast(count, tuple(leaf(name) for name in names)).truth(seen)
    assert three(found) is kleene_at_least(count, values)
    if not isinstance(found, bool):
        assert found <= {name for name, value in zip(names, values, strict=True) if value is None}
        assert found


@pytest.mark.parametrize(("value", "wanted"), [(True, False), (False, True), (None, None)])
def test_not_turns_an_answer_round_and_leaves_unknown(value: bool | None, wanted: bool | None) -> None:
    """Negating an open question does not answer it."""
    assert three(Not(leaf("a")).truth(facts(a=value))) is wanted


@pytest.mark.parametrize("expected", [True, False])
@pytest.mark.parametrize("value", [True, False, None])
def test_known_is_never_unknown(expected: bool, value: bool | None) -> None:
    """Whether something is known is always known, also for a fact nobody provided."""
    assert Known("a", expected).truth(facts(a=value)) is ((value is not None) is expected)
    assert Known("b", expected).truth(facts(a=value)) is (not expected)


def test_always_holds_on_nothing() -> None:
    """A rule without a condition applies to every turn."""
    assert ALWAYS.truth(Facts()) is True
    assert ALWAYS.names() == frozenset()


@pytest.mark.parametrize(
    ("kind", "nonsense"),
    [
        (FactKind.BOOLEAN, "false"),
        (FactKind.BOOLEAN, 0),
        (FactKind.BOOLEAN, ()),
        (FactKind.NUMBER, "3"),
        (FactKind.NUMBER, True),
        (FactKind.NUMBER, math.nan),
        (FactKind.NUMBER, math.inf),
        (FactKind.WORD, 3),
        (FactKind.WORD, ("a",)),
        (FactKind.SET, "a"),
        (FactKind.SET, True),
    ],
)
def test_content_of_another_kind_is_unknown(kind: FactKind, nonsense: FactContent) -> None:
    """Nonsense from a source is unknown, never false: it cannot slip past a restriction."""
    matcher = Leaf("a", kind, "is", True, lambda content: False)
    assert matcher.truth(facts(a=nonsense)) == frozenset({"a"})
    assert applies_to_restriction(matcher.truth(facts(a=nonsense)), facts(a=nonsense))


@pytest.mark.parametrize(
    ("ignorable", "applies"), [(frozenset(), True), (frozenset({"a"}), True), (frozenset({"a", "b"}), False)]
)
def test_a_restriction_is_left_out_only_when_every_unknown_may_be_ignored(
    ignorable: frozenset[str], applies: bool
) -> None:
    """One unknown that may not be ignored is enough to apply a restriction."""
    both = AtLeast(1, (leaf("a"), leaf("b")))
    seen = Facts.of(unknown_but_ignorable(name, "test", "test") for name in ignorable)
    assert applies_to_restriction(both.truth(seen), seen) is applies


def test_the_names_are_all_facts_that_may_be_read() -> None:
    """Evidence is asked for by name, so a matcher must name everything, at any depth."""
    matcher: Matcher = Not(AtLeast(1, (leaf("a"), AtLeast(2, (Known("b", True), in_segment("x"))))))
    assert matcher.names() == {"a", "b", "segment:x"}


def test_the_explanation_names_the_leaves_that_hold() -> None:
    """One line says why, with the value that was found, and nothing that did not hold."""
    words = Leaf("signals", FactKind.SET, "has_any", ("A", "B"), lambda content: True)
    matcher = AtLeast(1, (leaf("a"), leaf("b"), words, in_segment("x"), Known("c", False), Not(leaf("b"))))
    seen = facts(a=True, b=False, signals=("B", "C"), **{"segment:x": True})
    assert matcher.because(seen) == ("a is True", "signals has B", "in segment x", "c is unknown", "b is False")
