"""A turn as it can be replayed: its basis, its decisions as plain JSON, and where it was handed to.

Read without models and without validation: a log of months is read in minutes, and what is compared is plain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, cast

from pydantic import JsonValue

from handrail.agent.audit.basis import Basis, NoBasis, read
from handrail.agent.conversation import EventKind
from handrail.guardrails.vocabulary import Stage

KINDS = (EventKind.DECISION, EventKind.REPORT, EventKind.HANDOFF, EventKind.TURN_FINISHED)
"""The kinds of events that a replay reads."""

_GATHERED = '"stage":"assign_segments"'
"""How the one report that is needed is told from the others without parsing them: payloads are canonical JSON."""

_FACTS = ',"facts":['
_AFTER = '],"obligations":['
"""Where the facts of a decision begin and end. A quote inside a string is escaped, so no string can look like these."""

_STAGES = frozenset(stage.value for stage in Stage)


class Unreadable(ValueError):
    """An event of a shape that this version does not know."""


class PlainFact(TypedDict):
    """A recorded fact."""

    name: str
    content: JsonValue
    source: str
    on_unknown: str


class PlainShadow(TypedDict):
    """What shadow rules would have come to."""

    rules: list[str]
    effect: str
    reasons: list[str]
    obligations: list[str]
    dimensions: dict[str, JsonValue]


class PlainDecision(TypedDict):
    """A decision as it was recorded, without its facts; see `Decision`."""

    stage: str
    subject: str
    effect: str
    reasons: list[str]
    rules: list[str]
    obligations: list[str]
    dimensions: dict[str, JsonValue]
    revision: str
    shadow: PlainShadow | None


@dataclass(slots=True)
class RecordedDecision:
    """A recorded decision. Its facts are most of its text, and few are asked for: they are read when they are."""

    plain: PlainDecision
    written: str

    @property
    def stage(self) -> Stage:
        """The stage that decided."""
        return Stage(self.plain["stage"])

    @property
    def subject(self) -> str:
        """What was decided on."""
        return self.plain["subject"]

    def facts(self) -> list[PlainFact]:
        """The facts as they were recorded. Raises Unreadable."""
        found = _json(self.written)
        if not isinstance(found, list) or not all(_named(fact) for fact in found):
            raise Unreadable("the facts of a decision cannot be read")
        return cast("list[PlainFact]", found)


class Trouble(StrEnum):
    """Why a recorded turn cannot be replayed."""

    ERASED = "erased"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a turn: its kind, its payload (None: erased) and its time in microseconds since 1970, UTC."""

    kind: str
    payload: str | None
    at: int


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A finished turn as the log has it. `basis` is None when a step failed before policy was asked, or with `trouble`.

    `members` and `open` are the segments as they were assigned; `queue` is where the turn was handed to, if it was.
    """

    site: str
    conversation_id: str
    turn_id: str
    at: int
    basis: Basis | None = None
    members: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    decisions: tuple[RecordedDecision, ...] = ()
    queue: str | None = None
    trouble: Trouble | None = None


def recorded(site: str, conversation_id: str, turn_id: str, events: Iterable[LoggedEvent]) -> RecordedTurn | None:
    """The turn that `events` tell of; None when it has not ended. What cannot be read is told, never raised."""
    held = tuple(events)
    ended = next((event for event in held if event.kind == EventKind.TURN_FINISHED), None)
    if ended is None:
        return None
    if any(event.payload is None for event in held):
        return RecordedTurn(site, conversation_id, turn_id, ended.at, trouble=Trouble.ERASED)
    try:
        return _read(site, conversation_id, turn_id, ended.at, held)
    except (Unreadable, NoBasis):
        return RecordedTurn(site, conversation_id, turn_id, ended.at, trouble=Trouble.UNREADABLE)


def _read(site: str, conversation_id: str, turn_id: str, at: int, events: tuple[LoggedEvent, ...]) -> RecordedTurn:
    decisions: list[RecordedDecision] = []
    details: Mapping[str, JsonValue] | None = None
    queue: str | None = None
    for event in events:
        text = event.payload or ""
        if event.kind == EventKind.DECISION:
            decisions.append(_decision(text))
        elif event.kind == EventKind.REPORT and _GATHERED in text:
            details = _section(_parsed(text), "details")
        elif event.kind == EventKind.HANDOFF:
            queue = str(_parsed(text).get("queue"))
    if details is None or (not decisions and "error" in details):
        if decisions:
            raise Unreadable("no facts were recorded")
        return RecordedTurn(site, conversation_id, turn_id, at, queue=queue)
    waiting = details.get("open")
    return RecordedTurn(
        site,
        conversation_id,
        turn_id,
        at,
        basis=read(details),
        members=frozenset(_section(details, "segments")),
        open=frozenset(str(name) for name in waiting) if isinstance(waiting, list) else frozenset(),
        decisions=tuple(decisions),
        queue=queue,
    )


def _json(text: str) -> JsonValue:
    try:
        return cast(JsonValue, json.loads(text))
    except ValueError as error:
        raise Unreadable("not JSON") from error


def _parsed(text: str) -> Mapping[str, JsonValue]:
    content = _json(text)
    if not isinstance(content, dict):
        raise Unreadable("not an object")
    return content


def _section(content: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    found = content.get(name)
    if not isinstance(found, dict):
        raise Unreadable(f"{name} is not an object")
    return found


def _named(fact: JsonValue) -> bool:
    return isinstance(fact, dict) and type(fact.get("name")) is str


def _decision(text: str) -> RecordedDecision:
    """The decision in `text`, once everything that a replay touches has been seen to be there."""
    start = text.find(_FACTS)
    end = text.find(_AFTER, start) + 1
    if start < 0 or not end:
        raise Unreadable("not a decision of this version")
    content = _parsed(text[:start] + text[end:])
    lists = (content.get("reasons"), content.get("rules"), content.get("obligations"))
    texts = (content.get("subject"), content.get("effect"), content.get("revision"))
    if content.get("stage") not in _STAGES or not all(type(one) is str for one in texts):
        raise Unreadable("not a decision of this version")
    if not all(type(one) is list for one in lists) or type(content.get("dimensions")) is not dict:
        raise Unreadable("not a decision of this version")
    return RecordedDecision(cast(PlainDecision, content), text[start + len(_FACTS) - 1 : end])
