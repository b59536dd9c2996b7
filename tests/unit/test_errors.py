import copy
import pickle

import pytest

from handrail.guardrails.errors import ConfigError, HandrailError


def test_one_problem_is_its_message() -> None:
    """A single problem is not dressed up as a list."""
    assert str(ConfigError(["a.yaml:3: unknown field"])) == "a.yaml:3: unknown field"


def test_all_problems_are_kept() -> None:
    """Every problem is kept, in order."""
    error = ConfigError(["first", "second"])
    assert error.problems == ("first", "second")
    assert isinstance(error, HandrailError)


@pytest.mark.parametrize("nothing", [[], (), "text"])
def test_needs_a_sequence_of_problems(nothing: list[str] | tuple[str, ...] | str) -> None:
    """No problem is no error, and a bare string would be taken apart into letters."""
    with pytest.raises(ValueError, match="non-empty sequence"):
        ConfigError(nothing)


def test_can_cross_processes() -> None:
    """The error survives copying and pickling."""
    error = ConfigError(["first", "second"])
    assert copy.copy(error).problems == pickle.loads(pickle.dumps(error)).problems == error.problems
