"""What audit payloads say, by kind of event, as `explain` reads them.

Readers are lenient where writers are strict: a log outlives versions, so fields that are new or gone do no harm.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue

from handrail.guardrails.vocabulary import Detection


class Payload(BaseModel):
    """Base of all payloads: frozen, and indifferent to fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ReceivedPayload(Payload):
    """A turn began. `sender` is customer or operator; `customer` is a pseudonym."""

    sender: str = "customer"
    channel: str = ""
    identity: str = ""
    customer: str | None = None
    message_id: str | None = None
    characters: int = 0
    note: str | None = None


class FoundPassage(Payload):
    """One passage that was used."""

    passage_id: str
    doc_id: str = ""
    score: float | None = None


class RetrievalPayload(Payload):
    """A search: its scope, what it found, how many documents the scope excluded and left eligible."""

    scope: JsonValue = None
    passages: tuple[FoundPassage, ...] = ()
    excluded: JsonValue = None
    eligible: int | None = None
    revision: str | None = None


class ProposedCall(Payload):
    """A call that a model proposed, by the digest of its arguments."""

    tool: str
    digest: str = ""


class ModelCallPayload(Payload):
    """One call of a model, and how long it took in seconds."""

    model: str
    template: str = ""
    calls: tuple[ProposedCall, ...] = ()
    seconds: float | None = None


class ToolPayload(Payload):
    """A tool call before it ran (no outcome) or after."""

    tool: str
    digest: str = ""
    key: str | None = None
    outcome: str | None = None
    reasons: tuple[str, ...] = ()


class HandoffPayload(Payload):
    """A conversation was handed to a person."""

    queue: str
    priority: str = ""
    risk: str = ""
    reasons: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    next_step: str = ""


class ReleasePayload(Payload):
    """What left for the customer: sentences (text or number of them), and what the output checks found.

    `reasons` and `rules` are those of the decision that let out what left while a model was still writing.
    """

    sentences: JsonValue = None
    checks: tuple[JsonValue, ...] = ()
    author: str = ""
    status: str = ""
    reasons: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class OperatorPayload(Payload):
    """An operator's decision."""

    action: str = ""
    by: str = ""
    state: str | None = None
    tool: str | None = None
    approval_id: str | None = None
    approvers: tuple[str, ...] = ()


class AssignedSegment(Payload):
    """A segment that held in the turn, with the one line that names the signal."""

    segment: str
    because: str = ""


class FinishedPayload(Payload):
    """How a turn ended, what was detected, which segments held, and under which revisions."""

    revisions: dict[str, str | None] = {}
    status: str = ""
    reasons: tuple[str, ...] = ()
    detection: Detection | None = None
    segments: tuple[AssignedSegment, ...] = ()
