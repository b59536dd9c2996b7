"""A database of the first version, with content: it opens, and nothing that was said is lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from handrail.agent.case import CaseQuery
from handrail.agent.feed import MessageCompleted, StatusChanged
from handrail.agent.store.columns import micros
from handrail.agent.store.database import Database, parsed
from handrail.agent.store.opening import MIGRATIONS, VERSION_TABLE
from handrail.agent.store.schema import SCHEMA
from handrail.agent.store_port import UnknownConversation
from handrail.guardrails.vocabulary import ConversationStatus, Priority, Role, TurnResult
from tests.unit.store.building import ANNA, CALL, SITE, START, exchange, handed_off, opened, whole
from tests.unit.store.moving import claim

QUEUED = ConversationStatus.QUEUED


def at(seconds: int) -> int:
    """An instant as it is stored."""
    return micros(START + timedelta(seconds=seconds))


def insert(connection: Connection, table: str, **columns: str | int | None) -> None:
    """One row."""
    names = ", ".join(columns)
    places = ", ".join(f":{name}" for name in columns)
    # S608: names of tables and columns are constants of this module.
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), columns)  # noqa: S608


def old_conversation(connection: Connection, name: str, status: str = "bot", **columns: str | int | None) -> None:
    """A conversation as the first version stored it."""
    state = json.dumps({"status": status})
    insert(
        connection, "conversations",
        **{
            "site": SITE, "conversation_id": name, "channel": "web", "customer_id": ANNA, "identity": "verified",
            "opened_at": at(0), "status": status, "state": state, "version": 4, "last_message": 0, **columns,
        },
    )  # fmt: skip


def old_message(connection: Connection, name: str, seq: int, role: str, said: str, second: int) -> None:
    """A message as the first version stored it."""
    insert(
        connection, "messages",
        site=SITE, conversation_id=name, seq=seq, message_id=f"m_{seq}", role=role, text=said, at=at(second),
    )  # fmt: skip


def old_turn(connection: Connection, name: str, turn_id: str, key: str, before: int, done: int | None) -> None:
    """A turn as the first version stored it."""
    status = ConversationStatus.BOT
    result = TurnResult(turn_id=turn_id, reply="", status=status, decisions=(), reasons=("POLICY_DEFAULT",))
    insert(
        connection, "turns",
        turn_id=turn_id, site=SITE, conversation_id=name, key=key, text="asked", before_message=before,
        progress="received" if done is None else "finished", at=at(before),
        finished_at=None if done is None else at(done),
        result=None if done is None else result.model_dump_json(),
    )  # fmt: skip


def old_handoff(connection: Connection, name: str, handoff_id: str, second: int, closed: int | None) -> None:
    """A packet as the first version stored it."""
    insert(
        connection, "handoffs",
        site=SITE, handoff_id=handoff_id, conversation_id=name,
        packet=handed_off(handoff_id, Priority.URGENT).model_dump_json(), urgency=-Priority.URGENT.rank,
        at=at(second), closed_at=None if closed is None else at(closed),
    )  # fmt: skip


def old_approval(connection: Connection, approval_id: str, state: str, by: str | None) -> None:
    """A request for approval as versions before the third stored it."""
    insert(
        connection, "approvals",
        site=SITE, approval_id=approval_id, conversation_id="c_talk", turn_id="t_one", call=CALL.model_dump_json(),
        digest="d" * 64, state=state, queue="billing", requested_at=at(1), expires_at=at(3600),
        decided_by=by, decided_at=None if by is None else at(2),
    )  # fmt: skip


def old_write(connection: Connection) -> None:
    """A write call as versions before the third journalled it."""
    insert(
        connection, "journal",
        site=SITE, key="w_1", conversation_id="c_talk", turn_id="t_one", call=CALL.model_dump_json(), digest="d" * 64,
        state="succeeded", content="null", intended_at=at(2), at=at(3),
    )  # fmt: skip


def fill(connection: Connection) -> None:
    """One conversation with the bot, one in the queue, one erased, one empty."""
    old_conversation(connection, "c_talk", last_message=4)
    for seq, role, said, second in (
        (1, "customer", "Where is my invoice? ☂", 1), (2, "bot", "Here it is.", 3),
        (3, "operator", "Olga here.", 4), (4, "customer", "Thanks", 5),
    ):  # fmt: skip
        old_message(connection, "c_talk", seq, role, said, second)
    old_turn(connection, "c_talk", "t_one", "c:k1", 1, done=3)
    old_turn(connection, "c_talk", "t_two", "c:k2", 4, done=None)
    # A decision that began before the customer wrote again.
    old_turn(connection, "c_talk", "t_zed", "o:t_0", 4, done=4)
    for approval_id, state, by in (
        ("a_open", "pending", None), ("a_yes", "approved", "olga"), ("a_no", "denied", "otto"),
    ):  # fmt: skip
        old_approval(connection, approval_id, state, by)
    old_write(connection)
    old_conversation(connection, "c_wait", "queued", last_message=1)
    old_message(connection, "c_wait", 1, "customer", "A person!", 1)
    old_handoff(connection, "c_wait", "h_old", 2, closed=3)
    old_handoff(connection, "c_wait", "h_now", 3, closed=None)
    old_conversation(connection, "c_gone", customer_id=None, erased_at=at(9), last_message=2)
    old_conversation(connection, "c_empty")


@pytest.fixture
def old(url: str) -> str:
    """The address of a database of the first version."""

    def make(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "r0001")
        fill(connection)

    database = Database(parsed(url), 1)
    database.write(make)
    database.close()
    return url


async def test_an_open_chat_still_sees_its_history(old: str) -> None:
    """The feed holds every message with its turn, numbered from 1, and goes on from there."""
    async with opened(old) as store:
        items = [entry.item for entry in await store.feed(SITE, "c_talk", 0, 100)]
        said = [item for item in items if isinstance(item, MessageCompleted)]
        assert [(m.role, m.text, m.turn_id) for m in said] == [
            (Role.CUSTOMER, "Where is my invoice? ☂", "t_one"),
            (Role.BOT, "Here it is.", "t_one"),
            (Role.OPERATOR, "Olga here.", None),
            (Role.CUSTOMER, "Thanks", "t_two"),
        ]
        messages = await store.messages(SITE, "c_talk", 0, 10)
        assert [(m.message_id, m.at) for m in said] == [(m.message_id, m.at) for m in messages]
        assert await store.heads(SITE, ["c_talk", "c_wait", "c_gone", "c_empty"]) == {
            "c_talk": 4, "c_wait": 2, "c_empty": 0,
        }  # fmt: skip
        (turn,) = await store.interrupted()
        assert turn.turn_id == "t_two"
        await exchange(store, "c_talk", "k3", "And now?")
        assert [entry.seq for entry in await store.feed(SITE, "c_talk", 4, 100)] == [5, 6]
        latest = await store.latest_turn(SITE, "c_talk")
        assert latest is not None
        assert latest.key == "k3"
        results = await store.results(SITE, "c_talk", 10)
        assert [result.turn_id for result in results] == ["t_one", "t_zed", latest.turn_id]


async def test_who_waited_still_waits(old: str) -> None:
    """With the newest packet, in its queue, and a person can claim it."""
    async with opened(old) as store:
        assert [entry.item for entry in await store.feed(SITE, "c_wait", 1, 100)] == [StatusChanged(status=QUEUED)]
        (case,) = await store.cases(SITE, CaseQuery(queue="billing"))
        assert (case.conversation_id, case.priority) == ("c_wait", Priority.URGENT)
        claimed = await store.move_case(SITE, "c_wait", claim("olga"), START)
        assert claimed.packet == handed_off("h_now", Priority.URGENT)
        assert await store.handoffs(SITE) == ()


async def test_who_had_approved_has_approved(old: str) -> None:
    """One approval stays one approval; a denial and an open request have none."""
    async with opened(old) as store:
        held = {one.approval_id: one for one in await store.approvals(SITE)}
    assert {name: one.approvers for name, one in held.items()} == {"a_open": (), "a_yes": ("olga",), "a_no": ()}
    assert held["a_yes"].usable("d" * 64, START + timedelta(seconds=5))
    assert not held["a_yes"].edited


async def test_amounts_of_earlier_calls_are_unknown(old: str) -> None:
    """The call counts, and nobody says that it granted nothing."""
    async with opened(old) as store:
        found = await store.granted(SITE, ANNA, (CALL.tool,), START, "another")
    assert [(grant.key, grant.tool, grant.amounts) for grant in found.grants] == [("w_1", CALL.tool, ())]


async def test_what_was_erased_stays_so(old: str) -> None:
    """Nothing is made up for a conversation whose customer is forgotten."""
    async with opened(old) as store:
        assert await store.feed(SITE, "c_gone", 0, 100) == ()
        with pytest.raises(UnknownConversation):
            await store.case(SITE, "c_gone")
    assert whole(old)


async def test_a_migrated_database_is_like_a_new_one(old: str) -> None:
    """The tables are those that the code uses, and opening it again changes nothing."""
    async with opened(old) as store:
        before = await store.feed(SITE, "c_talk", 0, 100)
    async with opened(old) as store:
        assert await store.feed(SITE, "c_talk", 0, 100) == before

    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}), SCHEMA)

    database = Database(parsed(old), 1)
    assert database.read(differences) == []
    database.close()
