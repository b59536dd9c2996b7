"""Accounts and sessions of the people who take handoffs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from handrail.agent import operators as module
from handrail.agent.conversation import AuditEvent
from handrail.agent.operators import SESSION_HOURS, OperatorRecord, Operators, SessionRecord
from handrail.agent.passwords import Cost, matches
from handrail.agent.refusals import OperatorRefused
from handrail.agent.store_port import Store

PASSWORD = "correct horse battery"
SITE = "fernwell"


class Calendar:
    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Accounts:
    """The part of the store that accounts need."""

    def __init__(self) -> None:
        self.held: dict[str, OperatorRecord] = {}
        self.sessions: dict[str, SessionRecord] = {}
        self.events: list[AuditEvent] = []

    async def put_operator(self, site: str, record: OperatorRecord) -> None:
        self.held[record.name] = record

    async def operators(self, site: str) -> tuple[OperatorRecord, ...]:
        return tuple(self.held[name] for name in sorted(self.held))

    async def put_session(self, site: str, session: SessionRecord, password: str) -> bool:
        if self.held[session.name].password == password and self.held[session.name].disabled_at is None:
            self.sessions[session.token_digest] = session
            return True
        return False

    async def session(self, site: str, token_digest: str) -> SessionRecord | None:
        return self.sessions.get(token_digest)

    async def drop_sessions(self, site: str, *, token_digest: str | None = None, name: str | None = None) -> int:
        gone = [each for each in self.sessions.values() if token_digest == each.token_digest or name == each.name]
        for each in gone:
            del self.sessions[each.token_digest]
        return len(gone)

    async def record(self, site: str, conversation_id: str | None, events: Sequence[AuditEvent]) -> None:
        assert conversation_id is None
        self.events += events


@pytest.fixture
def clock() -> Calendar:
    """A clock that stands still."""
    return Calendar()


@pytest.fixture
def accounts() -> Accounts:
    """An empty store."""
    return Accounts()


@pytest.fixture
async def operators(accounts: Accounts, clock: Calendar) -> AsyncIterator[Operators]:
    """Accounts with cheap hashes."""
    with ThreadPoolExecutor(1) as executor:
        yield Operators(cast(Store, accounts), clock, executor, SITE, Cost(n=16, r=1, p=1))


async def test_who_signs_in_is_known_by_the_token(operators: Operators, clock: Calendar) -> None:
    """For twelve hours."""
    added = await operators.add("anna", "Anna B.", PASSWORD, ("billing",))
    session = await operators.sign_in("anna", PASSWORD)
    assert session is not None
    assert session.operator == added
    assert session.expires_at == clock.at + timedelta(hours=SESSION_HOURS)
    assert await operators.who(session.token) == added


async def test_only_a_digest_of_the_token_is_stored(operators: Operators, accounts: Accounts) -> None:
    """Who reads the database signs in as nobody; the same holds of the password."""
    await operators.add("anna", "Anna B.", PASSWORD)
    session = await operators.sign_in("anna", PASSWORD)
    assert session is not None
    assert len(session.token) > 40
    stored = "".join(each.model_dump_json() for each in (*accounts.sessions.values(), *accounts.held.values()))
    assert session.token not in stored
    assert PASSWORD not in stored
    assert await operators.who(f"hro_{next(iter(accounts.sessions))}") is None


async def test_two_sessions_have_two_tokens(operators: Operators) -> None:
    """Signing out of one leaves the other."""
    await operators.add("anna", "Anna B.", PASSWORD)
    first, second = await operators.sign_in("anna", PASSWORD), await operators.sign_in("anna", PASSWORD)
    assert first is not None
    assert second is not None
    assert first.token != second.token
    await operators.sign_out(first.token)
    assert await operators.who(first.token) is None
    assert await operators.who(second.token) is not None


@pytest.mark.parametrize(
    ("name", "password"),
    [("anna", "correct horse batterY"), ("anna", ""), ("nobody", PASSWORD), ("", PASSWORD), ("anna", "x" * 100_000)],
)
async def test_whatever_is_wrong_the_answer_is_the_same(operators: Operators, name: str, password: str) -> None:
    """Nobody learns which names there are."""
    await operators.add("anna", "Anna B.", PASSWORD)
    assert await operators.sign_in(name, password) is None


async def test_a_wrong_name_costs_as_much_as_a_wrong_password(
    operators: Operators, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison with a hash of the same parameters, whatever the name, also for a disabled account."""
    compared: list[str] = []

    def counted(password: str, stored: str) -> bool:
        compared.append(stored.rsplit("$", 2)[0])
        return matches(password, stored)

    monkeypatch.setattr(module, "matches", counted)
    await operators.add("anna", "Anna B.", PASSWORD)
    await operators.add("ben", "Ben C.", PASSWORD)
    await operators.disable("ben")
    for name in ("anna", "nobody", "ben"):
        before = len(compared)
        assert await operators.sign_in(name, "wrong password!") is None
        assert len(compared) == before + 1
    assert len(set(compared)) == 1


async def test_a_session_ends_after_its_time(operators: Operators, clock: Calendar) -> None:
    """At the second."""
    await operators.add("anna", "Anna B.", PASSWORD)
    session = await operators.sign_in("anna", PASSWORD)
    assert session is not None
    clock.at += timedelta(hours=SESSION_HOURS) - timedelta(seconds=1)
    assert await operators.who(session.token) is not None
    clock.at += timedelta(seconds=1)
    assert await operators.who(session.token) is None


async def test_a_disabled_account_is_out_at_once(operators: Operators, accounts: Accounts) -> None:
    """Its sessions are over, and the right password does not help; even a session that was left is nobody's."""
    await operators.add("anna", "Anna B.", PASSWORD)
    session = await operators.sign_in("anna", PASSWORD)
    assert session is not None
    left = dict(accounts.sessions)
    await operators.disable("anna")
    assert accounts.sessions == {}
    assert await operators.sign_in("anna", PASSWORD) is None
    accounts.sessions.update(left)
    assert await operators.who(session.token) is None
    (listed,) = await operators.list()
    assert listed.disabled


async def test_another_password_ends_the_sessions(operators: Operators) -> None:
    """Who stole one loses it; the account is open again if it was disabled."""
    await operators.add("anna", "Anna B.", PASSWORD)
    session = await operators.sign_in("anna", PASSWORD)
    assert session is not None
    await operators.disable("anna")
    await operators.set_password("anna", "another horse battery")
    assert await operators.who(session.token) is None
    assert await operators.sign_in("anna", PASSWORD) is None
    assert await operators.sign_in("anna", "another horse battery") is not None


@pytest.mark.parametrize("token", ["", "hro_", "hro_x", "Bearer", "hro_\ud800"])
async def test_a_token_that_is_none_is_nobodys(operators: Operators, token: str) -> None:
    """And signing out with it does no harm."""
    assert await operators.who(token) is None
    await operators.sign_out(token)


@pytest.mark.parametrize(
    ("name", "display", "password"),
    [
        ("Anna", "Anna", PASSWORD),
        ("", "Anna", PASSWORD),
        ("an na", "Anna", PASSWORD),
        ("a" * 61, "Anna", PASSWORD),
        ("anna", "", PASSWORD),
        ("anna", "A" * 81, PASSWORD),
        ("anna", "Anna\nB", PASSWORD),
        ("anna", "<b>Anna</b>", PASSWORD),
        ("anna", "Anna\u202e", PASSWORD),
        ("anna", "Anna", "short"),
        ("anna", "Anna", "x" * 2000),
        ("ben", "Ben again", PASSWORD),
    ],
)
async def test_an_unfit_account_is_refused(
    operators: Operators, accounts: Accounts, name: str, display: str, password: str
) -> None:
    """The words say what would fit; nothing is stored."""
    await operators.add("ben", "Ben C.", PASSWORD)
    with pytest.raises(OperatorRefused):
        await operators.add(name, display, password)
    assert set(accounts.held) == {"ben"}


async def test_an_unknown_account_cannot_be_changed(operators: Operators) -> None:
    """It is said where to look."""
    for change in (operators.disable("nobody"), operators.set_password("nobody", PASSWORD)):
        with pytest.raises(OperatorRefused, match="list them"):
            await change


async def test_changes_of_accounts_are_in_the_audit_log(operators: Operators, accounts: Accounts) -> None:
    """With the reason and the name, never with the password."""
    await operators.add("anna", "Anna B.", PASSWORD)
    await operators.set_password("anna", "another horse battery")
    await operators.disable("anna")
    reasons = [event.payload["reasons"] for event in accounts.events]
    assert reasons == [["OPERATOR_ADDED"], ["OPERATOR_PASSWORD_SET"], ["OPERATOR_DISABLED"]]
    assert all(event.payload["operator"] == "anna" for event in accounts.events)
    assert "horse" not in "".join(event.model_dump_json() for event in accounts.events)
