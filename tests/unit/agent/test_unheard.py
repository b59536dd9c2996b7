"""What a client that only pulls gets with its next answer: each message to the customer once, none twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from handrail.agent.feed import Entry, Item, MessageCompleted, StatusChanged
from handrail.agent.unheard import unheard
from handrail.guardrails.vocabulary import ConversationStatus, Role

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
PLACE = ("site", "c1")


class Written:
    """A feed in memory."""

    def __init__(self, *items: Item) -> None:
        self.items = items
        self.read = 0

    async def heads(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
        return {PLACE[1]: len(self.items)} if self.items else {}

    async def feed(self, site: str, conversation_id: str, after: int, limit: int) -> tuple[Entry, ...]:
        assert (site, conversation_id) == PLACE
        found = [Entry(seq=seq, item=item) for seq, item in enumerate(self.items, 1) if seq > after][:limit]
        self.read += len(found)
        return tuple(found)


def said(role: Role, text: str, turn: str | None) -> MessageCompleted:
    """A message; its text is its id too."""
    name = "Dana" if role is Role.OPERATOR else None
    return MessageCompleted(message_id=text, role=role, text=text, at=AT, turn_id=turn, name=name)


def customer(turn: str) -> MessageCompleted:
    """What the customer writes."""
    return said(Role.CUSTOMER, f"asks {turn}", turn)


def bot(turn: str) -> MessageCompleted:
    """What the machine answers."""
    return said(Role.BOT, f"answers {turn}", turn)


def person(text: str) -> MessageCompleted:
    """What a person writes."""
    return said(Role.OPERATOR, text, None)


STATUS = StatusChanged(status=ConversationStatus.HUMAN)


async def texts(feed: Written, turn: str) -> list[str]:
    """The texts that go out with the answer of a turn."""
    return [each.text for each in await unheard(feed, *PLACE, turn)]


async def test_nothing_in_an_ordinary_conversation() -> None:
    """The answer to the message before was delivered as its answer."""
    assert await texts(Written(customer("t1"), bot("t1"), customer("t2"), bot("t2")), "t2") == []
    assert await texts(Written(customer("t1"), bot("t1")), "t1") == []


async def test_what_a_person_wrote_since_the_message_before() -> None:
    """In order, and only up to the message that is being answered: what comes later goes with the next answer."""
    feed = Written(
        customer("t1"), bot("t1"), STATUS, person("hello"), person("one moment"), customer("t2"), person("here you are")
    )
    assert await texts(feed, "t2") == ["hello", "one moment"]
    assert await texts(Written(*feed.items, customer("t3")), "t3") == ["here you are"]


async def test_a_repeated_request_gets_the_same() -> None:
    """Also after the conversation has gone on."""
    feed = Written(customer("t1"), bot("t1"), person("hello"), customer("t2"), person("later"), customer("t3"))
    assert await texts(feed, "t2") == ["hello"]


async def test_what_a_decision_made_the_machine_say() -> None:
    """An approval that comes between two messages is told with the answer to the second."""
    feed = Written(customer("t1"), bot("t1"), bot("decision"), customer("t2"), bot("t2"))
    assert await texts(feed, "t2") == ["answers decision"]


async def test_a_person_may_write_first() -> None:
    """Before the customer has written anything."""
    assert await texts(Written(person("hello"), customer("t1"), bot("t1")), "t1") == ["hello"]


async def test_a_turn_that_nobody_knows() -> None:
    """An empty feed, or one without this turn, has nothing for it."""
    assert await texts(Written(), "t1") == []
    assert await texts(Written(customer("t1"), person("hello")), "t9") == []


async def test_a_long_conversation_is_not_read_whole() -> None:
    """The end of it is enough, as long as the customer writes now and then."""
    long = [each for number in range(1000) for each in (customer(f"a{number}"), bot(f"a{number}"))]
    feed = Written(*long, person("hello"), customer("t2"))
    assert await texts(feed, "t2") == ["hello"]
    assert feed.read <= 100


async def test_a_person_who_writes_much_is_heard_whole() -> None:
    """However much lies between two messages of the customer."""
    words = [f"part {number}" for number in range(1500)]
    feed = Written(customer("t1"), bot("t1"), *(person(each) for each in words), customer("t2"))
    assert await texts(feed, "t2") == words


@given(st.lists(st.sampled_from(["customer", "silence", "person", "decision"]), max_size=400))
async def test_every_message_is_delivered_exactly_once(happened: list[str]) -> None:
    """Whatever happens in whatever order, a client that keeps asking hears each message once, in order."""
    items: list[Item] = []
    for number, what in enumerate(happened):
        if what in {"customer", "silence"}:
            items.append(customer(f"t{number}"))
        if what == "customer":
            items.append(bot(f"t{number}"))
        if what == "person":
            items += [STATUS, person(f"p{number}")]
        if what == "decision":
            items.append(bot(f"d{number}"))
    items.append(customer("last"))
    feed = Written(*items)
    heard: list[str] = []
    for item in items:
        if isinstance(item, MessageCompleted) and item.role is Role.CUSTOMER and item.turn_id is not None:
            heard += await texts(feed, item.turn_id)
            heard += [f"answers {item.turn_id}"] if bot(item.turn_id) in items else []
    written = [each.text for each in items if isinstance(each, MessageCompleted) and each.role is not Role.CUSTOMER]
    assert heard == written
