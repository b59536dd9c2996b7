"""What the demo page gets to see."""

from __future__ import annotations

from pydantic import Field

from handrail.agent.server.views import StageView
from handrail.guardrails.vocabulary import Frozen


class DemoCustomer(Frozen):
    """One of the sample customers. `about` says in a few words what is special."""

    id: str = Field(examples=["mia"])
    name: str = Field(examples=["Mia Lindqvist"])
    about: str = Field(examples=["owner of a trial, setting things up"])
    plan: str = Field(examples=["trial"])
    role: str = Field(examples=["admin"])


class DemoToken(Frozen):
    """A customer token."""

    token: str


class ReasonView(Frozen):
    """A reason code with its title in the catalogue."""

    code: str = Field(examples=["RISK_ASSESSED"])
    title: str = Field(examples=["Risk assessed"])


class DemoTurn(Frozen):
    """Why one turn came out as it did: all its reasons, and the decision of each stage."""

    turn_id: str
    reasons: tuple[ReasonView, ...]
    decisions: tuple[StageView, ...]
