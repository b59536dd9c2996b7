"""What belongs to a conversation beside its messages, its erasure and export; and the accounts of operators."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handrail.agent.conversation import ApprovalState, EventKind
from handrail.agent.export import Consent, Rating
from handrail.agent.feed import RatingGiven
from handrail.agent.operators import OperatorRecord, SessionRecord
from handrail.agent.store.attachments import MOST_BYTES, MOST_FILES
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import (
    ApprovalClosed,
    LeaseLost,
    StoreError,
    TooManyFiles,
    UnknownApproval,
    UnknownConversation,
)
from handrail.guardrails.vocabulary import ToolCall
from tests.unit.store.building import (
    ANNA,
    CALL,
    SITE,
    START,
    SteppingClock,
    asked,
    conversation,
    database_text,
    event,
    exchange,
    finished,
    journalled,
    logged,
    whole,
)
from tests.unit.store.moving import attached, claim, queued, reply, resolve, told_of

EDITED = CALL.model_copy(update={"arguments": {"invoice": "INV-1001", "amount": 20}})
CUSTOMER_ACTION = EventKind.CUSTOMER_ACTION


async def export(store: SqlStore, name: str) -> tuple[Rating | None, tuple[Consent, ...]]:
    """The rating and the consents of a conversation as the customer's copy has them."""
    copy = await store.export_customer(SITE, ANNA)
    (found,) = [each for each in copy.conversations if each.conversation_id == name]
    return found.rating, found.consents


# ---------------------------------------------------------------------------------- ratings and consents


async def test_the_latest_rating_counts(store: SqlStore, url: str) -> None:
    """Each is told and logged; one is kept."""
    name = await conversation(store)
    for score, comment in ((2, "Slow"), (5, None)):
        rated = event("", CUSTOMER_ACTION, action="rate")
        await store.put_rating(SITE, name, score, comment, RatingGiven(score=score), [rated])
    rating, _ = await export(store, name)
    assert rating == Rating(score=5, comment=None, at=START)
    entries = await store.feed(SITE, name, 0, 10)
    assert [(entry.seq, entry.item) for entry in entries] == [(1, RatingGiven(score=2)), (2, RatingGiven(score=5))]
    assert len(logged(url, CUSTOMER_ACTION)) == 2
    with pytest.raises(UnknownConversation):
        await store.put_rating("other-site", name, 1, None, RatingGiven(score=1), ())
    assert whole(url)


async def test_a_refused_purpose_is_known_to_the_next_turn(store: SqlStore, url: str) -> None:
    """The latest word counts, for each purpose by itself; nothing is told in the feed."""
    name = await conversation(store)
    later = START + timedelta(minutes=1)
    for purpose, given, at in (("ai_assistance", False, START), ("training", True, START), ("training", False, later)):
        said = event("", CUSTOMER_ACTION, action="consent")
        await store.put_consent(SITE, name, purpose, given, [said], at)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", later)
    assert received.snapshot.refused == ("ai_assistance", "training")
    await store.put_consent(SITE, name, "ai_assistance", True, (), later)
    assert (await store.snapshot(SITE, name)).refused == ("training",)
    _, consents = await export(store, name)
    assert consents == (
        Consent(purpose="ai_assistance", given=True, at=later),
        Consent(purpose="training", given=False, at=later),
    )
    assert len(await store.feed(SITE, name, 0, 10)) == 1
    assert len(logged(url, CUSTOMER_ACTION)) == 3
    with pytest.raises(UnknownConversation):
        await store.put_consent(SITE, "c_none", "training", True, (), START)


# ------------------------------------------------------------------------------------------------- files


async def test_a_file_is_kept_whole_for_its_conversation(store: SqlStore, url: str) -> None:
    """Its bytes come back as they were; no other conversation gets them."""
    name, other = await conversation(store), await conversation(store)
    content = attached("f_1", bytes(range(256)) * 5)
    said = event("", CUSTOMER_ACTION, action="attach")
    assert await store.put_file(SITE, name, content, told_of(content), [said]) == content.stored
    assert await store.file(SITE, name, "f_1") == content
    for site, place, file_id in ((SITE, other, "f_1"), ("other-site", name, "f_1"), (SITE, name, "f_2")):
        assert await store.file(site, place, file_id) is None
    assert (await store.case(SITE, name)).files == (content.stored,)
    assert [entry.item for entry in await store.feed(SITE, name, 0, 10)] == [told_of(content)]
    assert len(logged(url, CUSTOMER_ACTION)) == 1


async def test_a_conversation_holds_so_many_files(store: SqlStore, url: str) -> None:
    """What is too much leaves no item and no event, also of many that come at once."""
    name = await conversation(store)

    async def put(number: int) -> None:
        content = attached(f"f_{number}")
        await store.put_file(SITE, name, content, told_of(content), [event("", CUSTOMER_ACTION)])

    outcomes = await asyncio.gather(*(put(number) for number in range(MOST_FILES + 3)), return_exceptions=True)
    assert sum(isinstance(outcome, TooManyFiles) for outcome in outcomes) == 3
    assert len((await store.case(SITE, name)).files) == MOST_FILES
    assert len(await store.feed(SITE, name, 0, 100)) == len(logged(url, CUSTOMER_ACTION)) == MOST_FILES


async def test_a_conversation_holds_so_many_bytes(store: SqlStore) -> None:
    """The sum counts, to the last byte."""
    name = await conversation(store)
    half = MOST_BYTES // 2
    for number, size in ((1, half), (2, half - 1)):
        content = attached(f"f_{number}", b"x" * size)
        await store.put_file(SITE, name, content, told_of(content), ())
    two, one = attached("f_3", b"xy"), attached("f_4", b"x")
    with pytest.raises(TooManyFiles):
        await store.put_file(SITE, name, two, told_of(two), ())
    await store.put_file(SITE, name, one, told_of(one), ())


async def test_a_file_is_what_it_is_said_to_be(store: SqlStore) -> None:
    """Bytes that do not fit the description, or a name that cannot be stored, are refused."""
    name, content = await conversation(store), attached("f_1")
    for wrong in ({"size": 1}, {"sha256": "0" * 64}):
        other = content.model_copy(update={"stored": content.stored.model_copy(update=wrong)})
        with pytest.raises(ValueError, match="bytes"):
            await store.put_file(SITE, name, other, told_of(content), ())
    named = attached("f_1", name="a\x00b")
    with pytest.raises(StoreError):
        await store.put_file(SITE, name, named, told_of(named), ())
    assert await store.feed(SITE, name, 0, 10) == ()


# --------------------------------------------------------------------------------------- edited approvals


async def approval_asked(store: SqlStore) -> str:
    """A conversation with a pending request for approval."""
    name = await conversation(store)
    await store.finish(finished(await store.receive(SITE, name, ANNA, "k1", "Refund", START), approval=asked(name)))
    return name


async def test_an_edited_approval_approves_nothing_else(store: SqlStore, url: str) -> None:
    """From now on it is for the edited call; the log names both digests and the person."""
    await approval_asked(store)
    edited = await store.edit_approval(SITE, "appr_1", EDITED, "e" * 64, "olga", START)
    assert (edited.call, edited.state, edited.decided_by) == (EDITED, ApprovalState.APPROVED, "olga")
    assert await store.approval(SITE, "appr_1") == edited
    assert edited.usable("e" * 64, START)
    assert not edited.usable("d" * 64, START)
    (payload,) = logged(url, EventKind.OPERATOR_DECISION)
    assert (payload["digest"], payload["edited_digest"], payload["by"]) == ("d" * 64, "e" * 64, "olga")
    assert payload["state"] == "approved"
    with pytest.raises(ApprovalClosed):
        await store.edit_approval(SITE, "appr_1", CALL, "d" * 64, "olga", START)
    assert await store.approval(SITE, "appr_1") == edited
    assert whole(url)


async def test_only_a_pending_request_is_edited(store: SqlStore) -> None:
    """Not an unknown one, not another tool's call, not after its time; then the call stays as it was."""
    await approval_asked(store)
    with pytest.raises(UnknownApproval):
        await store.edit_approval("other-site", "appr_1", EDITED, "e" * 64, "olga", START)
    other = ToolCall(call_id="call_1", tool="delete_account", arguments={})
    with pytest.raises(ValueError, match="not the tool"):
        await store.edit_approval(SITE, "appr_1", other, "e" * 64, "olga", START)
    with pytest.raises(ApprovalClosed):
        await store.edit_approval(SITE, "appr_1", EDITED, "e" * 64, "olga", START + timedelta(hours=1))
    expired = await store.approval(SITE, "appr_1")
    assert expired is not None
    assert (expired.state, expired.call, expired.digest) == (ApprovalState.EXPIRED, CALL, "d" * 64)


async def test_an_edit_and_a_decision_do_not_both_count(store: SqlStore, url: str) -> None:
    """Of two racing operators one succeeds, and what is stored is wholly theirs."""
    await approval_asked(store)
    outcomes = await asyncio.gather(
        store.edit_approval(SITE, "appr_1", EDITED, "e" * 64, "olga", START),
        store.decide_approval(SITE, "appr_1", ApprovalState.DENIED, "otto", START),
        return_exceptions=True,
    )
    assert sorted(isinstance(outcome, ApprovalClosed) for outcome in outcomes) == [False, True]
    held = await store.approval(SITE, "appr_1")
    assert held is not None
    assert (held.state, held.digest) in {(ApprovalState.APPROVED, "e" * 64), (ApprovalState.DENIED, "d" * 64)}
    assert len(logged(url, EventKind.OPERATOR_DECISION)) == 1


# ------------------------------------------------------------------------------------- erasure and export


async def full_of_secrets(store: SqlStore, customer_id: str = ANNA) -> str:
    """A conversation in which every table has something to forget."""
    name = await conversation(store, customer_id)
    await queued(store, name, f"h_{name}", customer_id=customer_id)
    await store.move_case(SITE, name, claim("olga"), START)
    await store.move_case(SITE, name, reply("olga", "SECRET said by olga", key="SECRET-key"), START)
    await store.move_case(SITE, name, resolve("olga"), START)
    received = await store.receive(SITE, name, customer_id, "SECRET-idempotency", "SECRET asked", START)
    await store.intend(received.turn, journalled(received.turn, key=f"SECRET-{name}"), ())
    await store.finish(finished(received, "SECRET answered", approval=asked(name, f"appr_{name}")))
    await store.put_rating(SITE, name, 1, "SECRET comment", RatingGiven(score=1), [event("", CUSTOMER_ACTION)])
    await store.put_consent(SITE, name, "SECRET-purpose", False, (), START)
    content = attached(f"f_{name}", b"SECRET bytes", name="SECRET.pdf")
    await store.put_file(SITE, name, content, told_of(content), ())
    await store.decide_approval(SITE, f"appr_{name}", ApprovalState.DENIED, "otto", START)
    return name


async def test_the_customers_copy_is_complete(store: SqlStore) -> None:
    """What was said, told, given and thought; the bytes of files under their ids."""
    name = await full_of_secrets(store)
    (copy,) = (await store.export_customer(SITE, ANNA)).conversations
    case = await store.case(SITE, name)
    assert copy.messages == case.messages
    assert copy.feed == await store.feed(SITE, name, 0, 100)
    assert copy.files == case.files
    assert copy.approvals == case.approvals
    assert copy.handoffs == (case.packet,)
    assert copy.rating == Rating(score=1, comment="SECRET comment", at=START)
    assert copy.consents == (Consent(purpose="SECRET-purpose", given=False, at=START),)
    assert copy.status is case.status


@pytest.mark.parametrize("erased", ["conversation", "customer"])
async def test_erasure_leaves_no_word(store: SqlStore, url: str, erased: str) -> None:
    """No table keeps anything of the customer's; the chain stays whole, and says what the staff did."""
    name, other = await full_of_secrets(store), await conversation(store, "cus_bert")
    await exchange(store, await conversation(store), "k1", "Another conversation")
    if erased == "conversation":
        await store.erase_conversation(SITE, name)
        assert len((await store.export_customer(SITE, ANNA)).conversations) == 1
    else:
        assert await store.erase_customer(SITE, ANNA) == 2
    left = database_text(url)
    assert "SECRET" not in left
    assert "INV-1001" not in left
    assert (await store.snapshot(SITE, other)).customer_id == "cus_bert"
    assert await store.feed(SITE, name, 0, 100) == ()
    assert await store.heads(SITE, [name, other]) == {other: 0}
    assert await store.results(SITE, name, 10) == ()
    assert await store.latest_turn(SITE, name) is None
    (staff,) = [payload["staff"] for payload in logged(url, EventKind.ERASURE) if payload["staff"]]
    assert isinstance(staff, list)
    acts = [(act["by"], act["action"]) for act in staff if isinstance(act, dict)]
    assert acts == [("olga", "claim"), ("olga", "reply"), ("olga", "resolve"), ("otto", "approval")]
    assert whole(url)


async def test_what_is_erased_is_unknown(store: SqlStore) -> None:
    """To every method that names it, and a turn that runs loses its lease; erasing it again is refused."""
    name = await conversation(store)
    running = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    await store.erase_conversation(SITE, name)
    content = attached("f_1")
    refused = (
        store.case(SITE, name),
        store.snapshot(SITE, name),
        store.move_case(SITE, name, claim("olga"), START),
        store.put_rating(SITE, name, 1, None, RatingGiven(score=1), ()),
        store.put_consent(SITE, name, "training", True, (), START),
        store.put_file(SITE, name, content, told_of(content), ()),
        store.erase_conversation(SITE, name),
        store.receive(SITE, name, ANNA, "k2", "Hello?", START),
    )
    for attempt in refused:
        with pytest.raises(UnknownConversation):
            await attempt
    with pytest.raises(LeaseLost):
        await store.finish(finished(running))
    assert await store.interrupted() == ()


# ------------------------------------------------------------------------------------------------- staff


def account(name: str, hashed: str = "scrypt$1") -> OperatorRecord:
    """A person's account."""
    return OperatorRecord(
        name=name, display=name.title(), password=hashed, queues=("billing", "sales"), created_at=START
    )


async def test_accounts_are_kept_by_site_and_name(store: SqlStore) -> None:
    """A changed account replaces the old one."""
    for record in (account("otto"), account("olga"), account("otto", "scrypt$2")):
        await store.put_operator(SITE, record)
    disabled = account("olga").model_copy(update={"disabled_at": START})
    await store.put_operator(SITE, disabled)
    assert await store.operators(SITE) == (disabled, account("otto", "scrypt$2"))
    assert await store.operators("other-site") == ()
    with pytest.raises(StoreError):
        await store.put_operator(SITE, account(""))


async def test_sessions_end(store: SqlStore, clock: SteppingClock) -> None:
    """By time, by sign-out, and all of a person's at once; never all of everybody's by mistake."""

    def session(digest: str, name: str, seconds: int) -> SessionRecord:
        return SessionRecord(token_digest=digest, name=name, expires_at=START + timedelta(seconds=seconds))

    short, long, second, other = (
        session("a" * 64, "olga", 60), session("b" * 64, "olga", 600), session("c" * 64, "olga", 600),
        session("d" * 64, "otto", 600),
    )  # fmt: skip
    for record in (account("olga"), account("otto")):
        await store.put_operator(SITE, record)
    for each in (short, long, second, other):
        assert await store.put_session(SITE, each, "scrypt$1")
    assert await store.session(SITE, short.token_digest) == short
    assert await store.session("other-site", short.token_digest) is None
    clock.move(60)
    assert await store.session(SITE, short.token_digest) is None
    assert await store.drop_sessions(SITE, token_digest=long.token_digest) == 1
    assert await store.session(SITE, long.token_digest) is None
    assert await store.drop_sessions("other-site", name="olga") == 0
    with pytest.raises(ValueError, match="name"):
        await store.drop_sessions(SITE)
    assert await store.put_session(SITE, session("e" * 64, "otto", 700), "scrypt$1")
    assert await store.drop_sessions(SITE, name="olga") == 1, "the expired one was dropped before"
    assert await store.session(SITE, other.token_digest) == other


async def test_a_session_needs_the_password_that_is_stored_now(store: SqlStore) -> None:
    """And an account that is there and open."""
    session = SessionRecord(token_digest="a" * 64, name="olga", expires_at=START + timedelta(hours=1))
    assert not await store.put_session(SITE, session, "scrypt$1")
    await store.put_operator(SITE, account("olga", "scrypt$2"))
    assert not await store.put_session(SITE, session, "scrypt$1")
    await store.put_operator(SITE, account("olga").model_copy(update={"disabled_at": START}))
    assert not await store.put_session(SITE, session, "scrypt$1")
    assert await store.session(SITE, session.token_digest) is None
