import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.evals.interval import wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # From the formula by hand; 81 of 263 is the example of Newcombe (1998), table I.
    [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718), (29, 29, 0.8830, 1.0)],
)
def test_bounds_agree_with_published_ones(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998) gives these bounds for the score method."""
    found = wilson(successes, n)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_without_trials_nothing_is_known() -> None:
    """No share, and the widest interval."""
    found = wilson(0, 0)
    assert (found.share, found.low, found.high, str(found)) == (None, 0.0, 1.0, "0 of 0")


def test_more_successes_than_trials_are_refused() -> None:
    """A mistake in counting must not become an interval."""
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        wilson(3, 2)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(counted: tuple[int, int]) -> None:
    """The bounds stay within 0 and 1."""
    found = wilson(*counted)
    assert found.share is not None
    assert 0 <= found.low <= found.share <= found.high <= 1
