"""The models that scenarios are played with: the embedded one, and a stand-in for every other behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from handrail.agent.models.openai import OpenAIModel
from handrail.agent.models.quoting import QuotingModel
from handrail.agent.ports import Model
from handrail.evals.scenario import Behaviour
from handrail.evals.standins.conduct import Conduct, Form
from handrail.evals.standins.openai_server import MODEL, StandIn


def missing(models: Mapping[Behaviour, Model], behaviour: Behaviour) -> str | None:
    """Why a case cannot be played with these models; None when one of them behaves as it needs."""
    return None if behaviour in models else f"there is no model that behaves like {behaviour.value}"


@asynccontextmanager
async def all_models() -> AsyncIterator[Mapping[Behaviour, Model]]:
    """A model for every behaviour; the stand-ins are reached over HTTP, like any endpoint."""
    async with AsyncExitStack() as until:
        models: dict[Behaviour, Model] = {Behaviour.EMBEDDED: QuotingModel()}
        for behaviour in Behaviour:
            if behaviour not in models:
                server = await until.enter_async_context(StandIn(Conduct(behaviour.value), form=Form.IN_TURN))
                model = OpenAIModel(model=MODEL, base_url=server.base_url, key=SecretStr("of-no-use"))
                until.push_async_callback(model.close)
                models[behaviour] = model
        yield models
