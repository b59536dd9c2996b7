"""The explanation of a turn as plain text, 100 columns wide."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import JsonValue

from handrail.agent.audit.explain import Explanation, ReasonTitle, Step
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
from handrail.agent.conversation import EventKind
from handrail.guardrails.vocabulary import Decision, Detection, Dimensions, FactUsed, Report

WIDTH = 100
AGES = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def as_text(explanation: Explanation) -> str:
    """The whole explanation; what was detected and which segments held come first, then every step in order."""
    blocks = [
        _head(explanation),
        _detected(explanation),
        _segments(explanation),
        _steps(explanation),
        _end(explanation),
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def _head(explanation: Explanation) -> list[str]:
    lines = [
        f"Turn {explanation.turn_id}",
        f"Site {explanation.site}, conversation {explanation.conversation_id}",
    ]
    received = explanation.received
    if received is not None:
        who = received.sender if received.customer is None else f"{received.sender} {received.customer}"
        size = f"{received.characters} characters"
        lines += _wrapped(f"Received from {who}, {received.identity}, by {received.channel}, {size}", "")
        if received.note:
            lines += _wrapped(f"Note: {received.note}", "")
    return lines


def _detected(explanation: Explanation) -> list[str]:
    detection = explanation.finished.detection if explanation.finished else None
    if detection is None:
        return ["DETECTED", "  The log holds no detection of this turn."]
    return ["DETECTED", *_reading(detection), *_signals(detection, explanation.titles)]


def _reading(detection: Detection) -> Iterator[str]:
    intent = f", intent {detection.intent}" if detection.intent else ""
    yield f"  Need state {detection.need_state or 'unknown'}{intent}, confidence {detection.confidence:.2f}"
    if len(detection.need_states) > 1:
        yield from _wrapped(f"In the same message: {', '.join(detection.need_states)}", "  ")
    for other in detection.alternatives:
        yield f"  Alternative {other.need_state}, intent {other.intent}, confidence {other.confidence:.2f}"


def _signals(detection: Detection, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    for signal in detection.signals:
        place = f", characters {signal.span.start} to {signal.span.end}" if signal.span else ""
        title = f" ({titles[signal.code].title})" if signal.code in titles else ""
        yield from _wrapped(f"Signal {signal.code}{title}: {signal.score:.2f} by {signal.detector}{place}", "  ")


def _segments(explanation: Explanation) -> list[str]:
    held = explanation.finished.segments if explanation.finished else ()
    lines = [line for one in held for line in _wrapped(f"{one.segment}: {one.because}", "  ")]
    return ["SEGMENTS", *(lines or ["  None."])]


def _steps(explanation: Explanation) -> list[str]:
    lines = ["STEPS"]
    for step in explanation.steps:
        if isinstance(step.content, ReceivedPayload | FinishedPayload) and step.trouble is None:
            continue
        lines += _step(step, explanation.titles)
    return lines if len(lines) > 1 else ["STEPS", "  None."]


def _step(step: Step, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    yield from _wrapped(f"{step.seq:>3}  {_clock(step.at)}  {_title(step)}", "  ", "       ")
    if step.trouble is not None:
        yield from _wrapped(f"! {step.trouble}", _INDENT)
    yield from _body(step, titles)


_INDENT = " " * 7


def _title(step: Step) -> str:
    content = step.content
    if isinstance(content, Decision):
        return f"{content.stage}: {content.subject} -> {content.effect}"
    if isinstance(content, Report):
        return f"{content.stage}: reported"
    if isinstance(content, ModelCallPayload):
        seconds = "" if content.seconds is None else f", {content.seconds:.2f} s"
        return f"model {content.model}, template {content.template}{seconds}"
    if isinstance(content, ToolPayload):
        return f"tool {content.tool} {_ending(step.kind, content)}"
    if isinstance(content, HandoffPayload):
        return f"handed off to {content.queue}, priority {content.priority}, risk {content.risk}"
    if isinstance(content, ReleasePayload):
        return f"released {content.author}: {content.status}"
    if isinstance(content, OperatorPayload):
        return f"operator {content.by}: {content.action} {content.state or ''}".rstrip()
    return step.kind.replace("_", " ")


def _ending(kind: str, content: ToolPayload) -> str:
    if content.outcome is not None:
        return content.outcome
    return "about to run" if kind == EventKind.TOOL_INTENT else "ended"


def _body(step: Step, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    content = step.content
    if isinstance(content, Decision):
        yield from _decision(content, titles)
    elif isinstance(content, Report):
        yield from _report(content, titles)
    elif isinstance(content, RetrievalPayload):
        yield from _retrieval(content)
    elif isinstance(content, ModelCallPayload):
        for call in content.calls:
            yield from _wrapped(f"proposed {call.tool}, arguments {call.digest[:12]}", _INDENT)
    elif isinstance(content, ToolPayload):
        key = f", key {content.key}" if content.key else ""
        yield from _wrapped(f"arguments {content.digest[:12]}{key}", _INDENT)
        yield from _reasons(content.reasons, titles)
    elif isinstance(content, HandoffPayload):
        yield from _listed("segments", content.segments)
        yield from _wrapped(f"next step: {content.next_step}", _INDENT)
        yield from _reasons(content.reasons, titles)
    elif isinstance(content, ReleasePayload):
        yield from _release(content, titles)
    elif isinstance(content, OperatorPayload) and content.tool:
        yield from _wrapped(f"call of {content.tool}, request {content.approval_id}", _INDENT)
        yield from _listed("approved by", content.approvers)


def _report(content: Report, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    yield from _reasons(content.reasons, titles)
    yield from _opinion(content.details.get("second_opinion"))
    if approvers := content.details.get("approved_by"):
        yield from _wrapped(f"approved by: {_plain(approvers)}", _INDENT)


def _opinion(asked: JsonValue) -> Iterator[str]:
    """What a second opinion said, what became of it, and what local detection had said."""
    if not isinstance(asked, dict):
        return
    who = f"second opinion of {_plain(asked.get('model'))}, template {_plain(asked.get('template'))}"
    why = f" ({_plain(asked['error'])})" if "error" in asked else ""
    yield from _wrapped(f"{who}: {_plain(asked.get('outcome'))}{why}", _INDENT)
    for whose, said in (("it said", asked), ("detection said", asked.get("local"))):
        if isinstance(said, dict) and "need_state" in said:
            names = (said.get("need_state") or "unknown", said.get("intent") or "none")
            sure = f", confidence {_plain(said['confidence'])}" if "confidence" in said else ""
            yield from _wrapped(f"{whose}: need state {names[0]}, intent {names[1]}{sure}", _INDENT)


def _decision(decision: Decision, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    yield from _reasons(decision.reasons, titles)
    yield from _listed("rules", decision.rules)
    yield from _listed("obligations", decision.obligations)
    yield from _dimensions(decision.dimensions)
    for fact in decision.facts:
        yield from _wrapped(f"fact {_fact(fact)}", _INDENT)
    shadow = decision.shadow
    if shadow is not None:
        would = ", ".join((shadow.effect, *shadow.obligations))
        yield from _wrapped(f"shadow rules {', '.join(shadow.rules)} would have decided: {would}", _INDENT)


def _reasons(codes: tuple[str, ...], titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    for code in codes:
        words = titles.get(code)
        text = code if words is None else f"{code} ({words.title}) {words.operator}".rstrip()
        yield from _wrapped(text, _INDENT)


def _dimensions(dimensions: Dimensions) -> Iterator[str]:
    for name, content in dimensions.model_dump(mode="json", exclude_defaults=True).items():
        if name != "determined_by":
            rules = dimensions.determined_by.get(name, ())
            because = f" (by {', '.join(rules)})" if rules else ""
            yield from _wrapped(f"{name} = {_plain(content)}{because}", _INDENT)


def _fact(fact: FactUsed) -> str:
    if fact.content is None:
        return f"{fact.name} unknown ({fact.why or fact.source})"
    content = ", ".join(fact.content) if isinstance(fact.content, tuple) else fact.content
    age = "" if fact.age_seconds is None else f", {_age(fact.age_seconds)} old"
    return f"{fact.name} = {content} ({fact.source}{age})"


def _retrieval(content: RetrievalPayload) -> Iterator[str]:
    yield from _wrapped(f"scope: {_plain(content.scope)}", _INDENT)
    counts = f"eligible documents: {content.eligible}; excluded: {_plain(content.excluded)}"
    yield from _wrapped(f"{counts}; index {content.revision}", _INDENT)
    for passage in content.passages:
        score = "" if passage.score is None else f", score {passage.score:.2f}"
        yield from _wrapped(f"source {passage.doc_id}, passage {passage.passage_id}{score}", _INDENT)


def _release(content: ReleasePayload, titles: Mapping[str, ReasonTitle]) -> Iterator[str]:
    if content.rules:
        yield from _wrapped(f"while the model wrote, by {', '.join(content.rules)}", _INDENT)
        yield from _reasons(content.reasons, titles)
    sentences = content.sentences if isinstance(content.sentences, list) else [content.sentences]
    for sentence in sentences:
        yield from _wrapped(f"> {_plain(sentence)}", _INDENT, _INDENT + "  ")
    for finding in content.checks:
        yield from _wrapped(f"check: {_plain(finding)}", _INDENT)


def _end(explanation: Explanation) -> list[str]:
    finished = explanation.finished
    if finished is None:
        return ["OUTCOME", "  The log holds no end of this turn: it is running, or was interrupted."]
    revisions = ", ".join(f"{name} {revision}" for name, revision in sorted(finished.revisions.items()) if revision)
    return [
        "OUTCOME",
        f"  Conversation is now: {finished.status}",
        *(line[5:] for line in _reasons(finished.reasons, explanation.titles)),
        *_wrapped(f"Revisions: {revisions or 'none recorded'}", "  "),
    ]


def _listed(what: str, names: tuple[str, ...]) -> Iterator[str]:
    if names:
        yield from _wrapped(f"{what}: {', '.join(names)}", _INDENT)


def _plain(content: JsonValue) -> str:
    if isinstance(content, dict):
        return "; ".join(f"{name} {_plain(inner)}" for name, inner in content.items()) or "none"
    if isinstance(content, list):
        return ", ".join(_plain(inner) for inner in content) or "none"
    return content if isinstance(content, str) else json.dumps(content)


def _age(seconds: float) -> str:
    for size, unit in AGES:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "0 s"


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S.%f")[:-3]


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    # Control characters could rewrite the reader's terminal; the log holds what others wrote.
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    following = first + "  " if rest is None else rest
    return textwrap.wrap(shown, WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
