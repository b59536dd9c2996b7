"""What the gate alone needs around it, in memory: the company's real tools, the real journal, and a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import ParamSpec

from pydantic import JsonValue
from sqlalchemy import Connection, create_engine, event, select
from sqlalchemy.pool import StaticPool

from handrail.agent.company.context import sample_attributes
from handrail.agent.company.database import CompanyDatabase, ResultT, Work
from handrail.agent.company.seed import seed
from handrail.agent.conversation import Approval, AuditEvent, Granted, JournalEntry, JournalState
from handrail.agent.ports import AttributeValue, CallFacts, CustomerEvent, PortError
from handrail.agent.store import journal, tables
from handrail.agent.store.conversations import Place
from handrail.agent.store.schema import SCHEMA
from handrail.evals.substitutes import OFFICE_HOURS, Recorder
from handrail.guardrails.vocabulary import Signal, ToolCall, Turn

P = ParamSpec("P")

STUMBLES = 40
"""One execution in so many ends with a company that cannot say what happened, and one with an answer that is lost."""

CODE = "314159"
"""The one code that is right."""


@dataclass(slots=True)
class JumpingClock:
    """A clock that moves only when it is told to."""

    at: datetime = OFFICE_HOURS

    def now(self) -> datetime:
        """The current instant."""
        return self.at

    def move(self, minutes: float) -> None:
        """Let time pass."""
        self.at += timedelta(minutes=minutes)


class MemoryDatabase(CompanyDatabase):
    """A database in memory on one connection, without threads; `forget` brings back what was there at the start."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        super().__init__(engine)
        event.listen(engine, "connect", _by_hand)
        event.listen(engine, "begin", _begin)
        seed(engine, OFFICE_HOURS)
        SCHEMA.create_all(engine)
        self.connection: Connection = engine.connect()
        self._whole = self.connection.begin()

    async def read(self, work: Work[ResultT]) -> ResultT:
        """The result of `work`, at once."""
        return work(self.connection)

    async def write(self, work: Work[ResultT]) -> ResultT:
        """The result of `work`; whatever it raises leaves nothing behind."""
        with self.connection.begin_nested():
            return work(self.connection)

    def forget(self) -> None:
        """Undo everything since the start."""
        self._whole.rollback()
        self._whole = self.connection.begin()


@dataclass(slots=True)
class JournalBook:
    """The journal of the real store, and approvals by id."""

    database: MemoryDatabase
    approvals: dict[str, Approval] = field(default_factory=dict)

    async def intend(
        self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent], seen: Granted | None = None
    ) -> None:
        """Journal a write before it runs. Raises StoreError for a key that is known, GrantsMoved for an old sum."""
        journal.intend(self.database.connection, Place(turn.site, turn.conversation_id), entry, seen)

    async def granted(self, site: str, customer_id: str, tools: Sequence[str], since: datetime, but: str) -> Granted:
        """What the customer was granted since an instant."""
        return journal.granted(self.database.connection, site, customer_id, tools, since, but)

    async def conclude(self, turn: Turn, entry: JournalEntry, events: Sequence[AuditEvent]) -> None:
        """Journal how it ended."""
        journal.conclude(self.database.connection, Place(turn.site, turn.conversation_id), entry)

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """A request for approval."""
        return self.approvals.get(approval_id)

    def ran(self) -> tuple[str, ...]:
        """Digests of the calls that have run, or may have."""
        entries = tables.journal
        found = select(entries.c.digest).where(entries.c.state != JournalState.FAILED.value).distinct()
        return tuple(self.database.connection.execute(found).scalars())


class Unsuspicious:
    """Detectors that find nothing in what tools answer: the company's own records hold no instructions."""

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """No signals."""
        return ()


class AtOnce(Executor):
    """Does work where it is asked for, so that runs can be repeated."""

    def submit(self, fn: Callable[P, ResultT], /, *args: P.args, **kwargs: P.kwargs) -> Future[ResultT]:
        """The result, at once."""
        done: Future[ResultT] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class OneCode:
    """A step-up whose code is always the same."""

    async def start(self, customer_id: str, key: str) -> str:
        """Say where the code went."""
        return "y•••@fernwell.example"

    async def check(self, customer_id: str, code: str, key: str) -> bool:
        """Whether it is the code."""
        return code == CODE


@dataclass(slots=True)
class Stumbling:
    """A company whose answer is lost now and then, after or before it has done what it was asked."""

    inner: Recorder
    random: Random

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The company's own facts."""
        return await self.inner.toolbox.call_facts(call, customer_id)

    async def outcome(self, key: str) -> JsonValue:
        """What the company recorded, when it can say so."""
        return await self.inner.toolbox.outcome(key)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call; or do not; or run it and say nothing."""
        kind = self.random.randrange(STUMBLES)
        if kind == 0:
            raise PortError("nobody knows")
        answer = await self.inner.execute(call, customer_id, key)
        if kind == 1:
            raise PortError("nobody knows")
        return answer


@dataclass(slots=True)
class KnownCustomers:
    """The sample's attributes, and the tool runs of the conversation. Implements CustomerContext."""

    clock: JumpingClock
    ran: list[CustomerEvent] = field(default_factory=list)

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """What the sample knows of the customer."""
        return _known().get(customer_id, ())

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """What ran since then."""
        return tuple(one for one in self.ran if one.at >= since)


@cache
def _known() -> Mapping[str, tuple[AttributeValue, ...]]:
    return sample_attributes(OFFICE_HOURS)


def _by_hand(connection: object, _: object) -> None:
    # The driver's own transactions would end at every savepoint.
    connection.isolation_level = None  # type: ignore[attr-defined]


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
