"""Telling, within this process, that something was stored for a conversation, so that nobody has to keep asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Ring(NamedTuple):
    """Something happened in a conversation. `typing` says that an answer is being written from now on, or no longer."""

    site: str
    conversation_id: str
    typing: bool | None = None


Listener = Callable[[Ring], None]
"""Hears rings, in the thread of the event loop; it only takes note, and never raises."""


class Bell:
    """The store rings it after a commit. What it says is a hint: what was stored is read from the store."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every ring from now on."""
        self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """Tell `listener` nothing more."""
        self._listeners.remove(listener)

    def ring(self, ring: Ring) -> None:
        """Tell everybody."""
        for listener in tuple(self._listeners):
            listener(ring)
