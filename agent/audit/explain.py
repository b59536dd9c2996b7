"""Explaining a turn: what was seen, decided, done and released, reconstructed from the log alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from pydantic import ValidationError

from handrail.agent.audit.payloads import (
    FinishedPayload,
    HandoffPayload,
    ModelCallPayload,
    OperatorPayload,
    ReceivedPayload,
    ReleasePayload,
    RetrievalPayload,
    ToolPayload,
)
from handrail.agent.audit.trail import Trail, TrailEvent
from handrail.agent.conversation import EventKind
from handrail.guardrails.vocabulary import Decision, Frozen, Report


class ReasonTitle(Frozen):
    """What operators read for a reason code."""

    title: str
    operator: str = ""


Catalogue: TypeAlias = Mapping[str, ReasonTitle]
"""Reason code to its words. A code that is not there (any more) is shown as it is."""

Content: TypeAlias = (
    Decision
    | Report
    | RetrievalPayload
    | ModelCallPayload
    | ToolPayload
    | HandoffPayload
    | ReleasePayload
    | OperatorPayload
    | ReceivedPayload
    | FinishedPayload
)

READERS: Mapping[EventKind, type[Content]] = {
    EventKind.TURN_RECEIVED: ReceivedPayload,
    EventKind.DECISION: Decision,
    EventKind.REPORT: Report,
    EventKind.RETRIEVAL: RetrievalPayload,
    EventKind.MODEL_CALL: ModelCallPayload,
    EventKind.TOOL_INTENT: ToolPayload,
    EventKind.TOOL_OUTCOME: ToolPayload,
    EventKind.OPERATOR_DECISION: OperatorPayload,
    EventKind.HANDOFF: HandoffPayload,
    EventKind.RELEASE: ReleasePayload,
    EventKind.TURN_FINISHED: FinishedPayload,
}


class Step(Frozen):
    """One event of the turn, read. `content` is None when `trouble` says why it cannot be read."""

    seq: int
    kind: str
    at: datetime
    content: Content | None
    trouble: str | None = None


class Explanation(Frozen):
    """A turn as the log tells it. `titles` holds the words of every reason code that occurs in it."""

    site: str
    conversation_id: str
    turn_id: str
    received: ReceivedPayload | None
    finished: FinishedPayload | None
    steps: tuple[Step, ...]
    titles: dict[str, ReasonTitle]


def explain(trail: Trail, catalogue: Catalogue) -> Explanation:
    """Read the trail of one turn."""
    steps = tuple(_step(event) for event in trail.events)
    received = next((step.content for step in steps if isinstance(step.content, ReceivedPayload)), None)
    finished = next((step.content for step in steps if isinstance(step.content, FinishedPayload)), None)
    codes = sorted({code for step in steps for code in _codes(step.content)})
    return Explanation(
        site=trail.site,
        conversation_id=trail.conversation_id,
        turn_id=trail.turn_id,
        received=received,
        finished=finished,
        steps=steps,
        titles={code: catalogue[code] for code in codes if code in catalogue},
    )


def _step(event: TrailEvent) -> Step:
    content: Content | None = None
    trouble = None if event.sound else "changed after it was written; run `handrail audit verify`"
    if event.payload is None:
        trouble = trouble or "its content was erased"
    else:
        try:
            content = READERS[EventKind(event.kind)].model_validate(event.payload)
        except ValidationError as error:
            fields = sorted({str(found["loc"][0]) for found in error.errors() if found["loc"]})
            trouble = trouble or f"written by another version: {', '.join(fields)} cannot be read"
        except (ValueError, KeyError):
            trouble = trouble or "written by another version: this kind of event is not known"
    return Step(seq=event.seq, kind=event.kind, at=event.at, content=content, trouble=trouble)


def _codes(content: Content | None) -> tuple[str, ...]:
    if isinstance(content, Decision | Report | ToolPayload | HandoffPayload | ReleasePayload | FinishedPayload):
        signals = content.detection.signals if isinstance(content, FinishedPayload) and content.detection else ()
        return content.reasons + tuple(signal.code for signal in signals)
    return ()
