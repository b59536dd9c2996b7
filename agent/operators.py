"""The people who take handoffs: their accounts and sessions."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.passwords import Cost, hashed, matches
from handrail.agent.ports import Clock
from handrail.agent.refusals import OperatorRefused
from handrail.guardrails.gate.writing import plain_words
from handrail.guardrails.vocabulary import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from handrail.agent.store_port import Store

ResultT = TypeVar("ResultT")

SESSION_HOURS = 12
TOKEN_BYTES = 32
TOKEN_PREFIX = "hro_"  # noqa: S105 - what a token begins with, so that a leaked one is recognised; no secret
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
"""Characters. No work is spent on a longer one."""
LONGEST_DISPLAY = 80

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


class OperatorRecord(Frozen):
    """A person's account. `name` signs in and stands in the audit log; `display` is what customers see.

    `password` is the salted scrypt hash with its parameters, never the password. `queues` narrows what is listed
    first, not what may be seen. A disabled account cannot sign in, and its sessions are over.
    """

    name: str
    display: str
    password: str
    queues: tuple[str, ...] = ()
    created_at: datetime
    disabled_at: datetime | None = None


class SessionRecord(Frozen):
    """A signed-in person. `token_digest` is the SHA-256 (hex) of the token, which is stored nowhere."""

    token_digest: str
    name: str
    expires_at: datetime


class Operator(Frozen):
    """A person who takes handoffs, without the password. `name` is for the audit log, `display` for customers."""

    name: str
    display: str
    queues: tuple[str, ...] = ()
    disabled: bool = False


class Session(Frozen):
    """A fresh sign-in. `token` is shown this once and stored nowhere."""

    token: str
    operator: Operator
    expires_at: datetime


class Operators:
    """The accounts of one site. Sign-in costs the same for a wrong name as for a wrong password."""

    def __init__(self, store: Store, clock: Clock, executor: Executor, site: str, cost: Cost | None = None) -> None:
        """Keep accounts in `store`; hash in `executor`, off the event loop, at `cost`."""
        self._store = store
        self._clock = clock
        self._executor = executor
        self._site = site
        self._cost = cost or Cost()
        # A wrong name is compared with this, so that it takes as long as a wrong password.
        self._nobody: str | None = None

    async def add(self, name: str, display: str, password: str, queues: tuple[str, ...] = ()) -> Operator:
        """Make an account. Raises OperatorRefused for a taken or unfit name, display or password."""
        if _NAME.fullmatch(name) is None:
            raise OperatorRefused("the name must be 1 to 60 of a-z, 0-9, dot, hyphen and underscore")
        if not 0 < len(display) <= LONGEST_DISPLAY or display != plain_words(display):
            raise OperatorRefused(
                f"the display name must be 1 to {LONGEST_DISPLAY} characters on one line, without markup"
            )
        _check_password(password)
        if await self._record(name) is not None:
            raise OperatorRefused(f"there is an account {name} already: change its password, or choose another name")
        record = OperatorRecord(
            name=name,
            display=display,
            password=await self._hashed(password),
            queues=queues,
            created_at=self._clock.now(),
        )
        await self._put(record, "OPERATOR_ADDED")
        return _operator(record)

    async def list(self) -> tuple[Operator, ...]:
        """Every account, by name."""
        return tuple(_operator(record) for record in await self._store.operators(self._site))

    async def disable(self, name: str) -> None:
        """Close an account and end its sessions. Raises OperatorRefused for an unknown name."""
        record = await self._known(name)
        disabled = record.model_copy(update={"disabled_at": record.disabled_at or self._clock.now()})
        await self._put(disabled, "OPERATOR_DISABLED")
        await self._store.drop_sessions(self._site, name=name)

    async def set_password(self, name: str, password: str) -> None:
        """Give an account another password and end its sessions; a disabled one is open again.

        Raises OperatorRefused.
        """
        _check_password(password)
        record = await self._known(name)
        changed = record.model_copy(update={"password": await self._hashed(password), "disabled_at": None})
        await self._put(changed, "OPERATOR_PASSWORD_SET")
        await self._store.drop_sessions(self._site, name=name)

    async def sign_in(self, name: str, password: str) -> Session | None:
        """A session of 12 hours; None for a wrong name, a wrong password or a disabled account, all alike."""
        if len(password) > LONGEST_PASSWORD:
            return None
        record, nobody = await self._record(name), await self._nobodys()
        expected = nobody if record is None else record.password
        fits = await self._compute(lambda: matches(password, expected))
        if record is None or not fits or record.disabled_at is not None:
            return None
        token = f"{TOKEN_PREFIX}{secrets.token_urlsafe(TOKEN_BYTES)}"
        until = self._clock.now() + timedelta(hours=SESSION_HOURS)
        fresh = SessionRecord(token_digest=_digest(token), name=name, expires_at=until)
        if not await self._store.put_session(self._site, fresh, record.password):
            return None
        return Session(token=token, operator=_operator(record), expires_at=until)

    async def who(self, token: str) -> Operator | None:
        """Whose session `token` is; None when it is nobody's, has expired, or its account is disabled."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        session = await self._store.session(self._site, _digest(token))
        if session is None or self._clock.now() >= session.expires_at:
            return None
        record = await self._record(session.name)
        return None if record is None or record.disabled_at is not None else _operator(record)

    async def sign_out(self, token: str) -> None:
        """End the session of `token`; nothing happens when there is none."""
        await self._store.drop_sessions(self._site, token_digest=_digest(token))

    async def _known(self, name: str) -> OperatorRecord:
        record = await self._record(name)
        if record is None:
            raise OperatorRefused("there is no account of that name: list them to see which there are")
        return record

    async def _record(self, name: str) -> OperatorRecord | None:
        found = await self._store.operators(self._site)
        return next((record for record in found if record.name == name), None)

    async def _put(self, record: OperatorRecord, reason: str) -> None:
        await self._store.put_operator(self._site, record)
        event = AuditEvent(
            kind=EventKind.OPERATOR_ACTION,
            turn_id="",
            at=self._clock.now(),
            payload={"action": "account", "reasons": [reason], "operator": record.name},
        )
        await self._store.record(self._site, None, [event])

    async def _nobodys(self) -> str:
        if self._nobody is None:
            self._nobody = await self._hashed(secrets.token_urlsafe(TOKEN_BYTES))
        return self._nobody

    async def _hashed(self, password: str) -> str:
        return await self._compute(lambda: hashed(password, self._cost))

    async def _compute(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _operator(record: OperatorRecord) -> Operator:
    return Operator(
        name=record.name, display=record.display, queues=record.queues, disabled=record.disabled_at is not None
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise OperatorRefused(f"the password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
