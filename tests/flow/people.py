"""The people of the tests, and what is read of a conversation's feed and log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import TypeVar

from handrail.agent.feed import Item
from handrail.agent.operators import Operator
from tests.flow.stand import SITE, Stand

ANNA = Operator(name="anna.bauer", display="Anna")
BEN = Operator(name="ben.cole", display="Ben")
ItemT = TypeVar("ItemT")


async def feed(stand: Stand, after: int = 0) -> tuple[Item, ...]:
    """What clients of the conversation were told after item `after`; the numbers have no gap."""
    entries = await (await stand.stored()).feed(SITE, stand.conversation, after, 500)
    assert [entry.seq for entry in entries] == list(range(after + 1, after + 1 + len(entries)))
    return tuple(entry.item for entry in entries)


async def head(stand: Stand) -> int:
    """The number of the newest item."""
    heads = await (await stand.stored()).heads(SITE, [stand.conversation])
    return heads.get(stand.conversation, 0)


def names(items: Iterable[Item]) -> list[str]:
    """The events by name."""
    return [item.event for item in items]


def only(items: Iterable[Item], kind: type[ItemT]) -> ItemT:
    """The one item of a kind."""
    (found,) = [item for item in items if isinstance(item, kind)]
    return found


def logged(stand: Stand) -> list[dict[str, object]]:
    """What people and customers did, as the log has it, in order; the log is whole."""
    assert stand.audit_breaks() == ()
    return [payload for payload in _payloads(stand) if "action" in payload]


def whole_log(stand: Stand) -> str:
    """Every payload of the log as one text."""
    return json.dumps(_payloads(stand))


def _payloads(stand: Stand) -> list[dict[str, object]]:
    with closing(sqlite3.connect(stand.folder / "handrail.db")) as connection:
        rows = connection.execute("select payload from audit_payloads order by rowid").fetchall()
    return [json.loads(payload) for (payload,) in rows]
