"""`handrail classify`: what the detectors and the risk policy say of messages in a file, line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Protocol

import click
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from handrail.agent.assessment import Assess, Assessment, assess_with
from handrail.guardrails.vocabulary import Detection, Span

HUMAN_REQUESTED = "HUMAN_REQUESTED"
INJECTION = "INJECTION_SUSPECTED"
PERSONAL_DATA_PREFIX = "PII_"
MAX_LINE_CHARACTERS = 4_000_000
THREADS = 2
BATCH = 64  # lines in memory
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


class _Line(BaseModel):
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
    if source != "-" and target != "-" and Path(source).resolve() == Path(target).resolve():
        raise click.UsageError("IN.jsonl and OUT.jsonl are the same file; write to another one.")
    with click.open_file(source, encoding="utf-8", errors="replace") as lines, _opened(target) as output:
        wrong = classify_lines(lines, output, classifier, report=lambda text: click.echo(text, err=True))
    if wrong:
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


def classify_lines(lines: Iterable[str], output: IO[str], classifier: Classifier, report: Callable[[str], None]) -> int:
    """Write one line to `output` per line of input, holding a few in memory at a time; the number of bad lines.

    Two threads read: the encoder lets go of the interpreter while it computes, and more would only wait.
    """
    wrong = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for several in _batched(_numbered(lines), BATCH):
            for written in pool.map(lambda numbered: _classified(numbered, classifier), several):
                if written.problem is not None:
                    wrong += 1
                    report(written.problem)
                output.write(json.dumps(written.content, ensure_ascii=False) + "\n")
    return wrong


@dataclass(frozen=True, slots=True)
class _Numbered:
    """One line of input and its number."""

    number: int
    line: str


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written for one line, and what was wrong with it."""

    content: dict[str, JsonValue]
    problem: str | None = None


def _classified(numbered: _Numbered, classifier: Classifier) -> _Written:
    try:
        parsed = _parse(numbered.line)
    except ValueError as error:
        return _Written({"id": _id_of(numbered.line), "error": str(error)}, f"line {numbered.number}: {error}")
    detection = classifier.detectors.detect(parsed.text, parsed.earlier)
    return _Written(_result(parsed.id, detection, classifier.assess(detection)))


def _batched(lines: Iterator[_Numbered], size: int) -> Iterator[tuple[_Numbered, ...]]:
    """Tuples of up to `size`; `itertools.batched` came with Python 3.12."""
    while several := tuple(islice(lines, size)):
        yield several


def _opened(target: str) -> IO[str]:
    if target == "-":
        return click.open_file("-", "w", encoding="utf-8")
    try:
        return Path(target).open("w", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error


def _numbered(lines: Iterable[str]) -> Iterator[_Numbered]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _Numbered(number, line)


def _parse(line: str) -> _Line:
    """Raise ValueError, with a reason in words, for anything that is not a line of input."""
    if len(line) > MAX_LINE_CHARACTERS:
        raise ValueError(f"longer than {MAX_LINE_CHARACTERS} characters")
    try:
        content = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError('not an object; expected {"id": ..., "text": ...}')  # noqa: TRY004 - one error for all of them
    try:
        return _Line.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


def _id_of(line: str) -> str | int | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str | int) else None


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
