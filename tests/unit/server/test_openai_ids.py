"""Which conversation is meant: every owner has their own, whatever they call it, and nobody reaches another's."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from handrail.agent.server.app import create_app
from handrail.agent.server.identity import Gate
from handrail.agent.settings import Settings
from handrail.guardrails.vocabulary import IdentityLevel
from tests.unit.server.fake import FixedClock
from tests.unit.server.openai_fake import ChatService
from tests.unit.server.openai_side import CHAT, Headers, asked, body, failed


@pytest.fixture
async def service() -> ChatService:
    """A service that echoes, with a feed."""
    return ChatService()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with two servers."""
    keys = {"shop": "s" * 32, "blog": "b" * 32}
    return Settings.model_validate({"data_dir": tmp_path, "port": 0, "server_keys": keys})


SHOP = {"Authorization": f"Bearer {'s' * 32}"}
BLOG = {"Authorization": f"Bearer {'b' * 32}"}


def named(headers: Headers, name: str) -> Headers:
    """The headers of a caller who names a conversation."""
    return headers | {"X-Conversation-Id": name}


async def conversation(client: httpx.AsyncClient, headers: Headers, **more: dict[str, str]) -> str:
    """The conversation in which a message is answered."""
    return (await asked(client, headers, "hello", **more)).support.conversation_id  # type: ignore[arg-type]


async def test_without_a_name_each_request_is_a_new_conversation(client: httpx.AsyncClient) -> None:
    """Nothing else tells which one is meant."""
    assert await conversation(client, SHOP) != await conversation(client, SHOP)


@pytest.mark.parametrize("who", ["server", "customer"])
async def test_the_id_of_an_answer_continues_it(client: httpx.AsyncClient, ada: Headers, who: str) -> None:
    """As header, in the metadata, or where Open WebUI has it."""
    headers = SHOP if who == "server" else ada
    opened = await conversation(client, headers)
    assert await conversation(client, named(headers, opened)) == opened
    assert await conversation(client, headers, metadata={"conversation_id": opened}) == opened
    assert await conversation(client, headers | {"X-OpenWebUI-Chat-Id": opened}) == opened


async def test_names_of_ones_own(client: httpx.AsyncClient, ada: Headers) -> None:
    """The same name is the same conversation, however it is sent; the id that it stands for means it too."""
    opened = await conversation(client, named(ada, "chat-1"))
    assert await conversation(client, named(ada, "chat-1")) == opened
    assert await conversation(client, ada, metadata={"conversation_id": "chat-1"}) == opened
    assert await conversation(client, ada | {"X-OpenWebUI-Chat-Id": "chat-1"}) == opened
    assert await conversation(client, named(ada, opened)) == opened
    assert await conversation(client, named(ada, "chat-2")) != opened


async def test_the_header_counts_before_the_metadata_and_open_web_uis_last(
    client: httpx.AsyncClient, ada: Headers
) -> None:
    """As protocols of the three have it; empty ones count as none."""
    one, two, three = [await conversation(client, named(ada, name)) for name in ("one", "two", "three")]
    web_ui = ada | {"X-OpenWebUI-Chat-Id": "three"}
    assert await conversation(client, named(web_ui, "one"), metadata={"conversation_id": "two"}) == one
    assert await conversation(client, web_ui, metadata={"conversation_id": "two"}) == two
    assert await conversation(client, web_ui, metadata={"conversation_id": ""}) == three
    assert await conversation(client, named(web_ui, "")) == three


async def test_the_same_name_is_another_conversation_for_each_owner(
    client: httpx.AsyncClient, service: ChatService, gate: Gate, ada: Headers, ben: Headers
) -> None:
    """Customers, servers, and a customer through a server: who owns it decides, not who asks."""
    through = SHOP | {"X-Customer-Token": gate.sign("ada", 600)}
    ids = [await conversation(client, named(each, "chat-1")) for each in (ada, ben, SHOP, BLOG, through)]
    assert len(set(ids)) == 4
    assert ids[0] == ids[4]
    assert [service.opened[each].customer_id for each in ids] == ["ada", "ben", None, None, "ada"]


async def test_the_id_of_anothers_conversation_is_only_a_name(
    client: httpx.AsyncClient, service: ChatService, ada: Headers, ben: Headers
) -> None:
    """It leads to a conversation of one's own, exactly as an id that was never given out."""
    ids = {who: await conversation(client, who_asks) for who, who_asks in _callers(ada, ben).items()}
    ids["never"] = "c_" + "0" * 60
    before = {each: list(service.said[each]) for each in ids.values() if each in service.said}
    for who, headers in _callers(ada, ben).items():
        for whose, taken in ids.items():
            if whose != who:
                reached = await conversation(client, named(headers, taken))
                assert reached not in ids.values()
    assert {each: service.said[each] for each in before} == before


def _callers(ada: Headers, ben: Headers) -> dict[str, Headers]:
    return {"ada": ada, "ben": ben, "shop": SHOP, "blog": BLOG}


async def test_a_customer_goes_on_with_a_conversation_from_elsewhere(
    client: httpx.AsyncClient, service: ChatService, ada: Headers, ben: Headers
) -> None:
    """One that was opened in the widget, when it is theirs."""
    opened = "c_" + "7" * 32
    await service.store.ensure_conversation(
        "fernwell", opened, "web", "ada", IdentityLevel.IDENTIFIED, FixedClock().now()
    )
    assert await conversation(client, named(ada, opened)) == opened
    assert await conversation(client, named(ben, opened)) != opened


async def test_visitors_conversations_are_out_of_reach(client: httpx.AsyncClient, service: ChatService) -> None:
    """No server key opens the conversation of an anonymous visitor, though both have no customer."""
    opened = "c_" + "7" * 32
    await service.store.ensure_conversation(
        "fernwell", opened, "web", None, IdentityLevel.ANONYMOUS, FixedClock().now()
    )
    assert await conversation(client, named(SHOP, opened)) != opened
    assert service.said[opened] == []


async def test_ids_survive_a_restart_and_differ_between_installations(
    service: ChatService, settings: Settings, tmp_path: Path
) -> None:
    """They depend on the site's own secret, and on nothing in memory."""
    ids = []
    for place in (settings.data_dir, settings.data_dir, tmp_path / "other"):
        own = settings.model_copy(update={"data_dir": place})
        transport = httpx.ASGITransport(create_app(service, own, FixedClock()))
        async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test") as client:
            ids.append(await conversation(client, named(SHOP, "chat-1")))
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


@pytest.mark.parametrize("name", ["with space", "x" * 201, "tab\there", "naïve"])
async def test_names_that_cannot_be_used(client: httpx.AsyncClient, ada: Headers, name: str) -> None:
    """Are refused, and do not silently mean a new conversation."""
    headers = {each.encode(): content.encode("latin-1") for each, content in named(ada, name).items()}
    answer = await client.post(CHAT, json=body("hello"), headers=headers)
    assert answer.status_code == 400
    assert failed(answer).code == "conversation_id_invalid"
    other = await client.post(CHAT, json=body("hello", metadata={"conversation_id": name}), headers=ada)
    assert other.status_code == 400


@pytest.mark.parametrize("name", [7, True, ["chat-1"], {"id": "chat-1"}])
async def test_names_that_are_no_text(client: httpx.AsyncClient, ada: Headers, name: object) -> None:
    """As above."""
    asking = body("hello")
    asking["metadata"] = {"conversation_id": name}  # type: ignore[dict-item]
    answer = await client.post(CHAT, json=asking, headers=ada)
    assert answer.status_code == 400
    assert failed(answer).code == "conversation_id_invalid"


async def test_an_erased_conversation_is_not_opened_again(
    client: httpx.AsyncClient, service: ChatService, ada: Headers
) -> None:
    """The client hears that it has to begin another one."""
    opened = await conversation(client, named(ada, "chat-1"))
    del service.opened[opened]
    service.store.erased.add(opened)
    answer = await client.post(CHAT, json=body("hello"), headers=named(ada, "chat-1"))
    assert answer.status_code == 404
    error = failed(answer)
    assert error.code == "unknown_conversation"
    assert "X-Conversation-Id" in error.message
