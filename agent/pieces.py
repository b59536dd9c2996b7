"""The pieces in which a released reply reaches whoever is there when it is released."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.agent.feed import Item, MessageCompleted, MessageDelta
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.vocabulary import Role


def deltas(item: Item) -> Iterator[MessageDelta]:
    """The pieces of a released reply, sentence by sentence; together they are its whole text. None of anything else.

    None of a reply either whose beginning was told while the model still wrote: the rest is told by the whole.
    """
    if not isinstance(item, MessageCompleted) or item.role is not Role.BOT or item.begun:
        return
    for piece in pieces(item.text):
        yield MessageDelta(message_id=item.message_id, text=piece, turn_id=item.turn_id)


def pieces(text: str) -> Iterator[str]:
    """The sentences, each with the white space before it; together they are the text, whatever it is."""
    ends = [sentence.span.end for sentence in sentences(text)]
    start = 0
    for end in (*ends[:-1], len(text)):
        yield text[start:end]
        start = end
