"""What is known of the pieces of a text between white space: each is read once, however often it comes.

What is kept is kept by the piece alone, never by the sentence it stood in, and only of words and of numbers of one or
two digits. All other numbers, keys and addresses are read afresh.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

ReadT = TypeVar("ReadT")

_MOST = 20_000
_LONGEST = 24
_TELLING = re.compile(r"[@/]|\d\D*\d\D*\d")


class Pieces(dict[str, ReadT], Generic[ReadT]):
    """What `read` makes of each piece. Ask for it as for an item; a reader looks at nothing but the piece."""

    def __init__(self, read: Callable[[str], ReadT]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, piece: str) -> ReadT:
        found = self._read(piece)
        if len(piece) <= _LONGEST and len(self) < _MOST and not _TELLING.search(piece):
            self[piece] = found
        return found
