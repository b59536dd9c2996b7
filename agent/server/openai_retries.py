"""Which message of a conversation a request is: a new one, or the newest one again."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header

from handrail.agent.server.asking import Repeatable
from handrail.agent.server.desk import Desk
from handrail.guardrails.vocabulary import Frozen

RECENT = timedelta(minutes=15)
"""How old the message of a retry can be. OpenAI's clients give up on an answer after ten minutes and then try again."""


class Attempt(Frozen):
    """What a request says of itself: the key of its message, and how often it was tried before."""

    key: str | None
    retries: str | None

    @property
    def found_by(self) -> str | None:
        """A name for the conversation of a repeatable message that names none. No client can send a space in one."""
        return None if self.key is None else f"key {self.key}"

    @property
    def again(self) -> bool:
        """Whether the client has tried this very request before."""
        return self.retries is not None and self.retries.isdecimal() and self.retries.strip("0") != ""


async def attempt(
    idempotency_key: Repeatable = None,
    x_stainless_retry_count: Annotated[
        str | None, Header(description="What OpenAI's own clients send: how often they have tried this request before.")
    ] = None,
) -> Attempt:
    """What this request says of itself."""
    return Attempt(key=idempotency_key, retries=x_stainless_retry_count)


Trying = Annotated[Attempt, Depends(attempt)]


async def key_of(desk: Desk, conversation_id: str, text: str, trying: Attempt) -> str:
    """The idempotency key of this message. Raises StoreError.

    A retry that names no key is the newest message again when that has the same words and is recent. In doubt it is:
    a retry taken for a second yes would agree to something that the customer has not seen, while a yes taken for a
    retry only gets the former answer once more.
    """
    if trying.key is not None:
        return trying.key
    if trying.again:
        latest = await desk.service.store.latest_turn(desk.site, conversation_id)
        if latest is not None and latest.text == text and desk.clock.now() - latest.at <= RECENT:
            return latest.key
    return secrets.token_hex(16)
