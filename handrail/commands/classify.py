"""`handrail classify`: what the detectors and the risk policy say of messages in a file, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

import click
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from handrail.agent.assessment import Assess, Assessment, assess_with
from handrail.commands.json_lines import LineWork
from handrail.guardrails.vocabulary import Detection, Span

HUMAN_REQUESTED = "HUMAN_REQUESTED"
INJECTION = "INJECTION_SUSPECTED"
PERSONAL_DATA_PREFIX = "PII_"
EXAMPLE = """\b
Example:
  echo '{"id": "1", "text": "I was billed double"}' | handrail classify - -
"""


class Reader(Protocol):
    """The one method of the detectors that is used here."""

    def detect(self, text: str, earlier: tuple[str, ...] = ()) -> Detection:
        """All readings and signals of `text`; `earlier` are the customer's previous messages, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Classifier:
    """Detectors and policy, ready to be asked."""

    detectors: Reader
    assess: Assess


class _Said(BaseModel):
    """One message of a history; fields beyond these two are left alone."""

    model_config = ConfigDict(extra="ignore")

    role: str = "customer"
    text: str


class MessageLine(BaseModel):
    """One line of input; fields beyond these are left alone, so that labelled files can be read as they are."""

    model_config = ConfigDict(extra="ignore")

    id: str | int
    text: Annotated[str, Field(strict=True)]
    history: tuple[str | _Said, ...] = ()

    @property
    def earlier(self) -> tuple[str, ...]:
        """The customer's own earlier messages; what others said is no evidence of what the customer wants."""
        said = (_Said(text=item) if isinstance(item, str) else item for item in self.history)
        return tuple(item.text for item in said if item.role in {"customer", "user"})


@click.command(epilog=EXAMPLE)
@click.argument("source", metavar="IN.jsonl", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(dir_okay=False, allow_dash=True))
@click.pass_context
def classify(ctx: click.Context, source: str, target: str) -> None:
    """Classify messages, one JSON object per line: {"id", "text", "history"?}; - is standard input or output.

    Writes need state, intent, confidence, alternatives, risk, always_human, human_requested, injection, language,
    pii and signals per message, in the order of the input. The history is a list of earlier messages (strings, or
    objects with role and text); only the customer's own count. Lines that cannot be read are reported on standard
    error and written as {"id", "error"}; the exit code is then 1.
    """
    classifier = ctx.obj if isinstance(ctx.obj, Classifier) else build_classifier()
    if line_work(classifier).run(source, target):
        ctx.exit(1)


def build_classifier() -> Classifier:
    """Detectors and policy of the bundle that the settings name, or of the shipped one."""
    from handrail.agent.composition import bundle_of
    from handrail.agent.settings import load_settings
    from handrail.guardrails.detect.suite import DetectorSuite
    from handrail.guardrails.encoder import MiniLMEncoder
    from handrail.guardrails.model_folder import find_model

    settings = load_settings()
    bundle = bundle_of(settings)
    # No cache of embeddings: messages of a file rarely repeat.
    encoder = MiniLMEncoder.load(find_model(settings.cache_dir))
    detectors = DetectorSuite.build(bundle.detection, encoder, settings.cache_dir, settings.detection_model)
    return Classifier(detectors, assess_with(bundle.policy))


def line_work(classifier: Classifier) -> LineWork[MessageLine]:
    """What is done with every line."""

    def answer(line: MessageLine) -> dict[str, JsonValue]:
        detection = classifier.detectors.detect(line.text, line.earlier)
        return _result(line.id, detection, classifier.assess(detection))

    return LineWork(MessageLine, answer, '{"id": ..., "text": ...}')


def _result(identifier: str | int, detection: Detection, assessment: Assessment) -> dict[str, JsonValue]:
    codes = [signal.code for signal in detection.signals]
    return {
        "id": identifier,
        "need_state": detection.need_state,
        "intent": detection.intent,
        "confidence": detection.confidence,
        "alternatives": [item.model_dump(mode="json") for item in detection.alternatives],
        "risk": assessment.risk,
        "always_human": assessment.always_human,
        "human_requested": HUMAN_REQUESTED in codes,
        "injection": INJECTION in codes,
        "language": detection.language,
        "pii": [
            {"code": signal.code, **_place(signal.span)}
            for signal in detection.signals
            if signal.code.startswith(PERSONAL_DATA_PREFIX)
        ],
        "signals": [
            {"code": signal.code, "detector": signal.detector, "score": signal.score, **_place(signal.span)}
            for signal in detection.signals
        ],
    }


def _place(span: Span | None) -> dict[str, JsonValue]:
    return {} if span is None else {"start": span.start, "end": span.end}
