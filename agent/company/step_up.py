"""Raises the identity level by a six-digit code that goes to the address on record."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlalchemy import Connection, insert, select, update

from handrail.agent.company.database import CompanyDatabase
from handrail.agent.company.outbox import MessageKind, send, sent_since
from handrail.agent.company.records import find_customer
from handrail.agent.company.tables import step_up_checks, step_up_codes
from handrail.agent.ports import Clock, ToolRefused

VALID = timedelta(minutes=10)
"""How long a code is good."""

ATTEMPTS = 3
"""Wrong codes that use a code up."""

PER_HOUR = 5
"""Codes that one customer gets in an hour: with the attempts, 15 guesses at a million."""

_ROUNDS = 100_000


class CompanyStepUp:
    """Sends and checks codes. Only a salted hash of a code is kept; the newest code makes the earlier ones void."""

    def __init__(self, database: CompanyDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def start(self, customer_id: str, key: str) -> str:
        """Send a code once per `key`; returns the masked address it went to.

        Raises ToolRefused for an unknown customer, for a key of another customer and after too many codes.
        """
        return await self._database.write(lambda connection: self._start(connection, customer_id, key))

    async def check(self, customer_id: str, code: str, key: str) -> bool:
        """Whether `code` is the current one; then it is used up. A wrong one counts as an attempt.

        A repeat under the same `key` returns the first answer and counts nothing; with another code it is wrong.
        """
        return await self._database.write(lambda connection: self._check_once(connection, customer_id, code, key))

    def _start(self, connection: Connection, customer_id: str, key: str) -> str:
        table, now = step_up_codes, self._clock.now()
        sent = connection.execute(select(table).where(table.c.key == key)).first()
        if sent is not None:
            if sent.customer_id != customer_id:
                raise ToolRefused("this key belongs to another customer; use a new one")
            return str(sent.address_masked)
        customer = find_customer(connection, customer_id)
        if customer is None:
            raise ToolRefused("the customer is unknown; a code can only go to an address on record")
        if sent_since(connection, customer_id, MessageKind.STEP_UP_CODE, now, timedelta(hours=1)) >= PER_HOUR:
            raise ToolRefused("too many codes were sent in the last hour; a person can help")
        code, salt = f"{secrets.randbelow(10**6):06d}", secrets.token_bytes(16)
        current = (table.c.customer_id == customer_id) & (table.c.state == "current")
        connection.execute(update(table).where(current).values(state="replaced"))
        text = f"Your Fernwell verification code is {code}"
        to = send(connection, customer, MessageKind.STEP_UP_CODE, "email", text, now)
        connection.execute(
            insert(table).values(
                key=key,
                customer_id=customer_id,
                salt=salt,
                hash=_hash(code, salt),
                address_masked=to,
                sent_at=now,
                expires_at=now + VALID,
                attempts=0,
                state="current",
            )
        )
        return to

    def _check_once(self, connection: Connection, customer_id: str, code: str, key: str) -> bool:
        table, written = step_up_checks, "".join(code.split())
        known = connection.execute(select(table).where(table.c.key == key)).first()
        if known is not None:
            same = known.customer_id == customer_id and hmac.compare_digest(known.hash, _hash(written, known.salt))
            return same and bool(known.passed)
        passed, salt = self._check(connection, customer_id, written), secrets.token_bytes(16)
        row = {"key": key, "customer_id": customer_id, "salt": salt, "hash": _hash(written, salt), "passed": passed}
        connection.execute(insert(table).values(**row, at=self._clock.now()))
        return passed

    def _check(self, connection: Connection, customer_id: str, written: str) -> bool:
        table, now = step_up_codes, self._clock.now()
        current = (table.c.customer_id == customer_id) & (table.c.state == "current")
        row = connection.execute(select(table).where(current)).first()
        if row is None or now >= row.expires_at:
            return False
        right = written.isascii() and hmac.compare_digest(row.hash, _hash(written, row.salt))
        attempts = row.attempts if right else row.attempts + 1
        state = "used" if right else "used_up" if attempts >= ATTEMPTS else "current"
        connection.execute(update(table).where(table.c.key == row.key).values(attempts=attempts, state=state))
        return right


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", code[:64].encode("utf-8", "surrogatepass"), salt, _ROUNDS)
