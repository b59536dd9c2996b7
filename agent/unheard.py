"""What was written to a customer between two of their own messages: for channels that only pull.

A client that cannot be told anything by itself gets, with each answer, what a person or a decision wrote since the
customer's message before. What that is follows from the feed alone, so a repeated request gets the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from handrail.agent.feed import Entry, MessageCompleted
from handrail.agent.releasing import GAP
from handrail.guardrails.vocabulary import Role

_FIRST_LOOK = 100
"""Items read at first: a customer seldom writes less often than once in so many."""


class Feeds(Protocol):
    """The feeds of conversations; `Store` has the details."""

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest item of each feed."""
        ...

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        """Items numbered above `after`, in order."""
        ...


async def unheard(feeds: Feeds, site: str, conversation_id: str, turn_id: str) -> tuple[MessageCompleted, ...]:
    """The messages to the customer between the one that began turn `turn_id` and their message before, oldest first.

    The reply to the message before is none of them: it was its answer. Raises StoreError.
    """
    head = (await feeds.heads(site, [conversation_id])).get(conversation_id, 0)
    look = _FIRST_LOOK
    while True:
        after = max(0, head - look)
        entries = await feeds.feed(site, conversation_id, after, head - after) if head else ()
        messages = [each.item for each in entries if isinstance(each.item, MessageCompleted)]
        begun, before = _places(messages, turn_id)
        if before is not None or after == 0:
            break
        look *= 4
    if begun is None:
        return ()
    if before is None:
        return tuple(messages[:begun])
    answered = messages[before].turn_id
    return tuple(each for each in messages[before + 1 : begun] if each.turn_id is None or each.turn_id != answered)


def told(before: Sequence[MessageCompleted], reply: str | None) -> str:
    """What a client that only pulls is told: the messages `before`, then the reply."""
    return GAP.join([*map(signed, before), *([reply] if reply else [])])


def signed(message: MessageCompleted) -> str:
    """A message as its reader sees it: with the name of the person who wrote it."""
    return message.text if message.name is None else f"{message.name}: {message.text}"


def _places(messages: list[MessageCompleted], turn_id: str) -> tuple[int | None, int | None]:
    """Where the customer's message of the turn stands, and where their message before."""
    said = [place for place, each in enumerate(messages) if each.role is Role.CUSTOMER]
    begun = next((place for place in said if messages[place].turn_id == turn_id), None)
    return begun, next((place for place in reversed(said) if begun is not None and place < begun), None)
