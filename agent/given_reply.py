"""A given reply: what somebody else wrote, and all that it may rest on, as it is handed in to be checked."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from handrail.guardrails.output.evidence import AllowedCommitment, PersonState
from handrail.guardrails.vocabulary import RiskTier, ToolOutcome

CALL_FIELDS = frozenset({"content", "result", "output", "outcome", "arguments"})
"""One of them makes an object with a tool or a name a call, and not just the content of one."""

SOME_READ = "get_result"
CUSTOMER_ROLES = frozenset({"customer", "user"})
BOT_ROLES = frozenset({"assistant", "bot"})


class GivenPassage(BaseModel):
    """A passage that was found for the turn. `shown` tells that the customer has seen it before."""

    model_config = ConfigDict(extra="ignore")

    text: str
    title: str = ""
    heading: str = ""
    authority: str = "authoritative"
    shown: bool = False


OUTCOMES = {
    "success": ToolOutcome.SUCCEEDED,
    "ok": ToolOutcome.SUCCEEDED,
    "done": ToolOutcome.SUCCEEDED,
    "error": ToolOutcome.FAILED,
    "failure": ToolOutcome.FAILED,
    "denied": ToolOutcome.REFUSED,
    "blocked": ToolOutcome.REFUSED,
}
"""What other systems call the outcomes of a call."""


def _outcome(given: object) -> object:
    return OUTCOMES.get(given.lower(), given.lower()) if isinstance(given, str) else given


class GivenResult(BaseModel):
    """What a tool answered in this turn. Without an outcome it counts as succeeded."""

    model_config = ConfigDict(extra="ignore")

    tool: Annotated[str, Field(validation_alias=AliasChoices("tool", "name"), min_length=1)]
    outcome: Annotated[ToolOutcome, BeforeValidator(_outcome)] = ToolOutcome.SUCCEEDED
    arguments: dict[str, JsonValue] = {}
    content: Annotated[JsonValue, Field(validation_alias=AliasChoices("content", "result", "output"))] = None


class GivenMessage(BaseModel):
    """One message of the conversation so far."""

    model_config = ConfigDict(extra="ignore")

    role: str = "customer"
    text: Annotated[str, Field(validation_alias=AliasChoices("text", "content"))]


class GivenFacts(BaseModel):
    """What else is known of the turn. Fields beyond these are verified facts about the customer, and sources.

    Attributes:
        today: The day of the turn; today's date without it.
        language: Language code of the conversation.
        tools_succeeded: Names of tools that succeeded and of which there is no result.
        allowed_commitments: What policy lets the reply promise: words that make up the commitment, or kind and words.
        system_prompt: The instructions of the model that wrote the reply, beside those of the bundle.
        person: Whether a person was asked for, and whether one has the conversation; by detection without it.
        risk: The tier of the turn.
    """

    model_config = ConfigDict(extra="allow")

    today: Annotated[date | None, Field(validation_alias=AliasChoices("today", "now", "date"))] = None
    language: str | None = None
    tools_succeeded: tuple[str, ...] = ()
    allowed_commitments: tuple[str | AllowedCommitment, ...] = ()
    system_prompt: str = ""
    person: PersonState | None = None
    risk: RiskTier = RiskTier.LOW


def _result(given: object) -> object:
    """Anything that names no tool is the content of a read."""
    if isinstance(given, dict) and isinstance(given.get("tool", given.get("name")), str) and CALL_FIELDS & given.keys():
        return given
    return {"tool": SOME_READ, "content": given}


class GivenReply(BaseModel):
    """A reply and all that it may rest on; what is not in here counts as made up."""

    model_config = ConfigDict(extra="ignore")

    id: str | int
    reply: Annotated[str, Field(strict=True)]
    passages: tuple[str | GivenPassage, ...] = ()
    tool_results: tuple[Annotated[GivenResult, BeforeValidator(_result)], ...] = ()
    history: tuple[str | GivenMessage, ...] = ()
    facts: GivenFacts = GivenFacts()
