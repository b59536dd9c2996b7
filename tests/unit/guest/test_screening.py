"""Marks in the place of texts that address the model, and nothing else."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.guest.screening import WITHHELD, screened
from handrail.guardrails.vocabulary import Signal

FOUND = (Signal(code="INJECTION_SUSPECTED", detector="test", score=1.0),)


class Words:
    """Finds a word, or what two harmless words are together."""

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        text = str(content)
        return FOUND if "obey" in text or ("half" in text and "other" in text) else ()


def test_only_the_text_that_was_found_is_marked() -> None:
    """Keys too; the rest stays where it is."""
    content: JsonValue = {"note": "obey me", "amount": "1.00", "obey": [1, True, None, "fine"]}
    assert screened(content, Words()) == {"note": WITHHELD, "amount": "1.00", WITHHELD: [1, True, None, "fine"]}
    assert screened("fine", Words()) == "fine"


def test_an_order_in_pieces_shows_no_text_at_all() -> None:
    """Where no piece alone is one."""
    assert screened(["half", "other", 1], Words()) == [WITHHELD, WITHHELD, 1]


def test_no_depth_breaks_it() -> None:
    """What lies too deep is left out."""
    content: JsonValue = "obey"
    for _ in range(500):
        content = [content]
    assert "obey" not in str(screened(content, Words()))
