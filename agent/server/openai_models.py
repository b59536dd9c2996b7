"""The models that OpenAI's clients can choose: one."""

from __future__ import annotations

from http import HTTPStatus

from handrail.agent.server.asking import Asking
from handrail.agent.server.faults import Fault
from handrail.agent.server.openai_answers import Model, Models
from handrail.agent.server.openai_bodies import MODEL
from handrail.agent.server.openai_clients import Calling


async def list_models(desk: Asking, _calling: Calling) -> Models:
    """The models on offer to OpenAI's clients: one, which is the whole of Handrail."""
    return Models(data=(Model(owned_by=desk.site),))


async def read_model(desk: Asking, _calling: Calling, model: str) -> Model:
    """One model, by its id."""
    offered(model)
    return Model(owned_by=desk.site)


def offered(model: str) -> None:
    """Refuse a model that is not on offer. Raises Fault (404)."""
    if model != MODEL:
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "model_not_found",
            "There is no such model here.",
            f"Ask for `{MODEL}`; what answers behind it is set where Handrail runs.",
        )
