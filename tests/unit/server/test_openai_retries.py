"""A request that is sent again is answered once; a second message with the same words is a message of its own."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.unit.server.openai_fake import ChatService
from tests.unit.server.openai_side import CHAT, Headers, asked, body, failed


@pytest.fixture
async def service() -> ChatService:
    """A service that echoes, with a feed."""
    return ChatService()


@pytest.fixture
def headers(ada: Headers) -> Headers:
    """A customer in a conversation of their own, with a client that has not tried before."""
    return ada | {"X-Conversation-Id": "chat-1", "X-Stainless-Retry-Count": "0"}


def retried(headers: Headers, times: str = "1") -> Headers:
    """The same request once more, as OpenAI's clients send it."""
    return headers | {"X-Stainless-Retry-Count": times}


async def test_a_retry_gets_the_same_answer(client: httpx.AsyncClient, service: ChatService, headers: Headers) -> None:
    """Without a second turn, as often as it comes."""
    first = await asked(client, headers, "yes")
    assert await asked(client, retried(headers), "yes") == first
    assert await asked(client, retried(headers, "2"), "yes") == first
    assert service.heard() == ["yes"]


async def test_a_retry_while_the_turn_runs_waits_for_it(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """A client that gave up too early gets the answer of the turn that it began."""
    first = asyncio.create_task(asked(client, headers, "slow"))
    await asyncio.wait_for(service.began.wait(), 10)
    second = asyncio.create_task(asked(client, retried(headers), "slow"))
    await asyncio.sleep(0)
    service.go.set()
    assert await first == await second
    assert service.heard() == ["slow"]


async def test_a_second_yes_is_a_second_message(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """The same words from a client that has not tried before."""
    first = await asked(client, headers, "yes")
    second = await asked(client, headers, "yes")
    assert second.id != first.id
    assert service.heard() == ["yes", "yes"]


@pytest.mark.parametrize("times", ["", "0", "00", "-1", "1.5", "one", "²"])
async def test_only_a_count_makes_a_retry(
    client: httpx.AsyncClient, service: ChatService, headers: Headers, times: str
) -> None:
    """Anything else is a first attempt."""
    await asked(client, headers, "yes")
    coded = {name.encode(): content.encode("latin-1") for name, content in retried(headers, times).items()}
    assert (await client.post(CHAT, json=body("yes"), headers=coded)).status_code == 200
    assert service.heard() == ["yes", "yes"]


async def test_a_retry_of_what_never_arrived_is_new(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """The newest message has other words, or there is none."""
    await asked(client, retried(headers), "first")
    await asked(client, retried(headers), "second")
    assert service.heard() == ["first", "second"]


async def test_only_the_newest_message_is_retried(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """A retry that comes after another message is a message of its own."""
    await asked(client, headers, "yes")
    await asked(client, headers, "no")
    await asked(client, retried(headers), "yes")
    assert service.heard() == ["yes", "no", "yes"]


@pytest.mark.parametrize(("minutes", "heard"), [(15, 1), (15.01, 2)])
async def test_old_messages_are_not_retried(
    client: httpx.AsyncClient, service: ChatService, headers: Headers, minutes: float, heard: int
) -> None:
    """Clients give up on an answer after ten minutes."""
    first = await asked(client, headers, "yes")
    service.age(first.support.conversation_id, minutes=minutes)
    await asked(client, retried(headers), "yes")
    assert len(service.heard()) == heard


async def test_a_retry_in_another_conversation_is_new(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """The words of one conversation say nothing about another."""
    await asked(client, headers, "yes")
    await asked(client, retried(headers) | {"X-Conversation-Id": "chat-2"}, "yes")
    assert service.heard() == ["yes", "yes"]


async def test_a_key_counts_before_the_count(client: httpx.AsyncClient, service: ChatService, headers: Headers) -> None:
    """The same key is the same message; another key another one, however often the client has tried."""
    first = await asked(client, headers | {"Idempotency-Key": "k1"}, "yes")
    assert await asked(client, headers | {"Idempotency-Key": "k1"}, "yes") == first
    await asked(client, retried(headers) | {"Idempotency-Key": "k2"}, "yes")
    assert service.heard() == ["yes", "yes"]


async def test_a_key_with_other_words_is_refused(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """As elsewhere, with 400 as OpenAI's clients know it."""
    await asked(client, headers | {"Idempotency-Key": "k1"}, "yes")
    answer = await client.post(CHAT, json=body("no"), headers=headers | {"Idempotency-Key": "k1"})
    assert answer.status_code == 400
    assert failed(answer).code == "key_reused"
    assert service.heard() == ["yes"]


async def test_a_key_without_a_conversation_finds_its_own_again(
    client: httpx.AsyncClient, service: ChatService, ada: Headers, ben: Headers
) -> None:
    """The first message of a conversation can be repeated too; the same key of another customer is another message."""
    first = await asked(client, ada | {"Idempotency-Key": "k1"}, "hello")
    assert await asked(client, ada | {"Idempotency-Key": "k1"}, "hello") == first
    assert service.heard() == ["hello"]
    assert (await asked(client, ben | {"Idempotency-Key": "k1"}, "hello")).support != first.support


async def test_a_repeated_answer_holds_what_the_person_had_written(
    client: httpx.AsyncClient, service: ChatService, headers: Headers
) -> None:
    """Nothing that was delivered with an answer is lost when the answer was; nothing new slips into it."""
    from handrail.guardrails.vocabulary import Role

    opened = (await asked(client, headers, "hello")).support.conversation_id
    service.write(opened, Role.OPERATOR, "I am here.")
    first = await asked(client, headers, "yes")
    service.write(opened, Role.OPERATOR, "Later.")
    again = await asked(client, retried(headers), "yes")
    assert again.choices == first.choices
    assert "I am here." in (again.choices[0].message.content or "")
