"""A reply in pieces is the reply."""

from __future__ import annotations

import pytest

from handrail.agent.feed import MessageCompleted, RatingGiven
from handrail.agent.pieces import deltas
from handrail.guardrails.vocabulary import Role
from tests.unit.store.building import START


@pytest.mark.parametrize(
    "text",
    [
        "One sentence.",
        "  Two here. And there!\n\nThen:\n- a list\n- of items, e.g. this one\n\n",
        "No end",
        "Preis: 3,50 €. Bis zum 1. März! …",
        "👩‍👩‍👧 a.b? c",
    ],
)
def test_pieces_are_the_whole_text(text: str) -> None:
    """Nothing is lost or added between sentences; each piece names the message."""
    message = MessageCompleted(message_id="m_1", role=Role.BOT, text=text, at=START)
    pieces = list(deltas(message))
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    assert {piece.message_id for piece in pieces} == {"m_1"}


def test_only_replies_come_in_pieces() -> None:
    """A person's message comes whole, and so does the customer's own."""
    for role in (Role.CUSTOMER, Role.OPERATOR):
        assert not list(deltas(MessageCompleted(message_id="m_1", role=role, text="A. B.", at=START)))
    assert not list(deltas(RatingGiven(score=1)))
