"""Passwords as they are stored."""

from __future__ import annotations

import pytest

from handrail.agent.passwords import Cost, hashed, matches

CHEAP = Cost(n=16, r=1, p=1)


def test_only_the_password_itself_matches() -> None:
    """Not another one, not a part, not the hash."""
    stored = hashed("correct horse battery", CHEAP)
    assert matches("correct horse battery", stored)
    for other in ("correct horse batter", "Correct horse battery", "", stored):
        assert not matches(other, stored)


def test_the_same_password_is_stored_differently_each_time() -> None:
    """A salt of its own: equal passwords cannot be seen, and no table of hashes helps."""
    first, second = hashed("correct horse battery", CHEAP), hashed("correct horse battery", CHEAP)
    assert first != second
    assert "correct horse battery" not in first
    assert matches("correct horse battery", second)


def test_the_parameters_stand_in_the_hash() -> None:
    """An account that was hashed at another cost can still sign in."""
    stored = hashed("correct horse battery", Cost(n=32, r=2, p=1))
    assert stored.startswith("scrypt$32$2$1$")
    assert matches("correct horse battery", stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "scrypt$16$1$1$####$####",
        "scrypt$x$1$1$AAAA$AAAA",
        "md5$16$1$1$AAAA$AAAA",
        "scrypt$3$1$1$AA==$AA==",
    ],
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    """A damaged row locks out; it neither lets in nor fails the sign-in."""
    assert not matches("correct horse battery", stored)


def test_any_text_can_be_a_password() -> None:
    """Even what no encoding takes."""
    stored = hashed("pass\ud800word\x00", CHEAP)
    assert matches("pass\ud800word\x00", stored)
    assert not matches("password", stored)
