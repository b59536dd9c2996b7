"""What of the customer's words leaves for a model, heard on the wire in front of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from handrail.agent.model_settings import ModelMask
from handrail.agent.models.openai import OpenAIModel
from handrail.evals.standins.conduct import Conduct
from handrail.evals.standins.openai_server import MODEL, StandIn
from handrail.guardrails.vocabulary import TurnResult
from tests.flow.stand import Scripted, Stand
from tests.support.wiretap import Wiretap

CARD = "4111 1111 1111 1111"
MAIL = "olivia.private@mail.example"
TEXTS = (
    f"How do I add a member to a project? Her mail is {MAIL} and the card {CARD}.",
    "and how do I export my tasks?",
)


async def overheard(stands: Callable[..., Awaitable[Stand]], setting: ModelMask) -> tuple[str, list[TurnResult], Stand]:
    """Everything that went to the model's endpoint in a conversation of two messages, under a setting."""
    async with StandIn(Conduct.GOOD) as server, Wiretap(server.base_url) as tap:
        address = tap.address + urlsplit(server.base_url).path
        model = OpenAIModel(model=MODEL, base_url=address, key=SecretStr("of-no-use"))
        stand = await stands(model=model, customer="olivia", masked=setting.kinds)
        results = [await stand.say(text) for text in TEXTS]
        await model.close()
        return tap.asked.decode(), results, stand


async def test_a_model_never_sees_a_card_number(stands: Callable[..., Awaitable[Stand]]) -> None:
    """Neither in the message nor in the history of the next one; what may be needed for an answer stays."""
    asked, results, stand = await overheard(stands, ModelMask.SECRETS)
    assert asked.count("[card]") >= 2
    assert "4111" not in asked
    assert MAIL in asked
    assert all(result.reply for result in results)
    assert stand.audit_breaks() == ()


@pytest.mark.parametrize(("setting", "seen"), [(ModelMask.NONE, True), (ModelMask.ALL, False)])
async def test_the_setting_decides_what_a_model_sees(
    stands: Callable[..., Awaitable[Stand]], setting: ModelMask, *, seen: bool
) -> None:
    """All of it, or none of it."""
    asked, _, _ = await overheard(stands, setting)
    assert (CARD in asked, MAIL in asked) == (seen, seen)


async def test_calls_with_the_companys_own_numbers_go_on(stands: Callable[..., Awaitable[Stand]]) -> None:
    """What a model can still read it can propose, under every setting."""
    for setting in ModelMask:
        model = Scripted(text="Here you are.", calls=(("get_invoice", {"invoice_id": "INV-2049"}),))
        stand = await stands(model=model, customer="farid", masked=setting.kinds)
        answer = await stand.say("please send me a copy of the invoice INV-2049")
        assert [call.tool for one in model.seen for call in (got.call for got in one.results)] == ["get_invoice"], (
            setting
        )
        assert "TOOL_SUCCEEDED" in answer.reasons
