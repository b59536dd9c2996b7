"""`OpenAISecondOpinion`: asks an OpenAI-compatible endpoint what a message is about, once, with a closed answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from handrail.agent.models.blocks import block
from handrail.agent.models.endpoint import OpenAIEndpoint, read_response, told
from handrail.agent.models.wire import Unusable
from handrail.agent.ports import Enquiry, Opinion, PortError
from handrail.guardrails.vocabulary import NeedState

if TYPE_CHECKING:
    from openai.types.shared_params import ResponseFormatJSONSchema

UNKNOWN = "unknown"
"""How the model says that it cannot tell the need state."""

NONE = "none"
"""How the model says that no intent fits."""

MAX_ANSWER = 1_000
"""Characters of an answer; one that is meant holds two names."""


class _Said(BaseModel):
    """The one form that an answer may have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    need_state: str
    intent: str


class OpenAISecondOpinion(OpenAIEndpoint):
    """One question, one attempt, temperature 0. One instance serves one event loop."""

    async def ask(self, enquiry: Enquiry, seconds: float) -> Opinion:
        """An opinion within `seconds`.

        Raises:
            PortError: the endpoint failed or was late, or the answer is not one of the choices. It holds neither the
                endpoint's words nor the key.
        """
        try:
            async with asyncio.timeout(seconds):
                text = await self._answered(enquiry)
        except TimeoutError:
            raise PortError(f"the second opinion did not come within {seconds:g} seconds") from None
        except PortError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is a fault of this port
            # `from None`: an endpoint's error text can repeat the key.
            raise PortError(told(error, "HANDRAIL_SECOND_OPINION_MODEL", "HANDRAIL_SECOND_OPINION")) from None
        return _read(text, enquiry)

    async def _answered(self, enquiry: Enquiry) -> str:
        async with self.completions.create(
            model=self.model,
            # INVARIANT: the system message is the rendered template and nothing else.
            messages=[
                {"role": "system", "content": enquiry.system},
                {"role": "user", "content": block("message", "from a customer", enquiry.text)},
            ],
            response_format=_form(enquiry),
            temperature=0,
        ) as response:
            return (await read_response(response)).text


def _form(enquiry: Enquiry) -> ResponseFormatJSONSchema:
    """The form of the answer, for endpoints that hold a model to it; what comes back is checked all the same."""
    states = [*(state.value for state in enquiry.choices), UNKNOWN]
    intents = [*dict.fromkeys(intent for of_state in enquiry.choices.values() for intent in of_state), NONE]
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "reading",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {
                    "need_state": {"type": "string", "enum": states},
                    "intent": {"type": "string", "enum": intents},
                },
                "required": ["need_state", "intent"],
                "additionalProperties": False,
            },
        },
    }


def _read(text: str, enquiry: Enquiry) -> Opinion:
    if len(text) > MAX_ANSWER:
        raise Unusable("the second opinion is too long to be one")
    try:
        said = _Said.model_validate_json(text)
    except ValidationError:
        # `from None`: the error would repeat what the endpoint sent.
        raise Unusable("the second opinion is not in the form that was asked for") from None
    if said.need_state == UNKNOWN:
        return Opinion(need_state=None, intent=None)
    state = next((state for state in enquiry.choices if state.value == said.need_state), None)
    if state is None:
        raise Unusable("the second opinion names a need state that there is not")
    return Opinion(need_state=state, intent=_intent(said.intent, state, enquiry))


def _intent(name: str, state: NeedState, enquiry: Enquiry) -> str | None:
    if name == NONE:
        return None
    if name not in enquiry.choices[state]:
        raise Unusable("the second opinion names an intent that is none of its need state")
    return name
