"""How well personal data is found and masked: on labelled sentences, on drawn values, and on ordinary messages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from pydantic import BaseModel, ConfigDict

from handrail.evals.detection.personal_values import Value, draw
from handrail.evals.interval import Proportion, wilson
from handrail.guardrails.detect.labels import LABELS
from handrail.guardrails.detect.masking import mask
from handrail.guardrails.detect.personal import KINDS, find_personal_data
from handrail.guardrails.vocabulary import Frozen

TIMED = 2_000
LONG = 1_000_000
RUN = 4
"""So many characters of a value in a row that stay behind count as a part of it."""

CODES = {
    "CREDIT_CARD": "PII_CARD",
    "DOMAIN_NAME": "PII_URL",
    "EMAIL_ADDRESS": "PII_EMAIL",
    "IBAN_CODE": "PII_IBAN",
    "IP_ADDRESS": "PII_IP",
    "PERSON": "PII_NAME",
    "PHONE_NUMBER": "PII_PHONE",
    "STREET_ADDRESS": "PII_ADDRESS",
    "US_DRIVER_LICENSE": "PII_NATIONAL_ID",
    "US_SSN": "PII_NATIONAL_ID",
    "ZIP_CODE": "PII_ADDRESS",
}
"""The codes that stand for the types of labelled rows; types without one (dates, towns, companies) are left alone."""


class PersonalSpan(Frozen):
    """A labelled piece of a text: its type, and its place in characters."""

    kind: str
    start: int
    end: int


class PersonalRow(Frozen):
    """A text with everything in it that is labelled."""

    text: str
    spans: tuple[PersonalSpan, ...]


class KindRecall(Frozen):
    """What of one kind was found: wholly whatever it was taken for, at least in part, and wholly as what it is."""

    kind: str
    whole: Proportion
    part: Proportion
    exact: Proportion


class KindAlarms(Frozen):
    """Finds of one code in ordinary messages, some of which do hold personal data: pieces, and messages with any."""

    code: str
    finds: int
    messages: Proportion


class PersonalMeasure(Frozen):
    """All measures. `unstable` are texts that a second masking changes; `left` are values of which a part stayed.

    Times are milliseconds of detection alone, on one core; `long_ms` is for one message of a million characters.
    """

    labelled: tuple[KindRecall, ...]
    drawn: tuple[KindRecall, ...]
    alarms: tuple[KindAlarms, ...]
    unstable: Proportion
    left: Proportion
    median_ms: float
    p99_ms: float
    long_ms: float


class _LabelledSpan(BaseModel):
    model_config = ConfigDict(extra="ignore")

    entity_type: str
    start_position: int
    end_position: int


class _LabelledRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    full_text: str
    spans: tuple[_LabelledSpan, ...]


def read_personal_rows(path: Path) -> tuple[PersonalRow, ...]:
    """The rows of a file in JSON lines. Raises OSError, and ValueError for a line of another shape."""
    with path.open(encoding="utf-8") as lines:
        read = [_LabelledRow.model_validate_json(line) for line in lines if line.strip()]
    return tuple(
        PersonalRow(
            text=row.full_text,
            spans=tuple(
                PersonalSpan(kind=one.entity_type, start=one.start_position, end=one.end_position) for one in row.spans
            ),
        )
        for row in read
    )


def measure_personal(rows: Sequence[PersonalRow], messages: Sequence[str]) -> PersonalMeasure:
    """Recall on labelled rows and on drawn values, finds in `messages`, what masking leaves, and time."""
    values = draw()
    labelled, drawn = _Recall(), _Recall()
    for row in rows:
        covered = _covered(row.text)
        for span in row.spans:
            if span.kind in CODES:
                labelled.note(
                    span.kind, CODES[span.kind], row.text[span.start : span.end], covered[span.start : span.end]
                )
    for value in values:
        covered = _covered(value.text)[value.start : value.end]
        drawn.note(value.name, value.code, value.text[value.start : value.end], covered)
    texts = [*(row.text for row in rows), *(value.text for value in values), *messages]
    once = [mask(text) for text in texts]
    unstable = sum(mask(text) != text for text in once)
    left = sum(remains(value, masked) for value, masked in zip(values, once[len(rows) :], strict=False))
    times = sorted(_milliseconds(text) for text in (messages or [value.text for value in values])[:TIMED])
    return PersonalMeasure(
        labelled=labelled.summary(),
        drawn=drawn.summary(),
        alarms=_alarms(messages),
        unstable=wilson(unstable, len(texts)),
        left=wilson(left, len(values)),
        median_ms=median(times),
        p99_ms=quantiles(times, n=100)[-1],
        long_ms=_milliseconds((" ".join(value.text for value in values) * 9)[:LONG]),
    )


def remains(value: Value, masked: str) -> bool:
    """Whether four letters or digits in a row of a value stand in the masked text that are not the sentence's own."""
    before, behind = value.frame[: value.start], value.frame[value.start :]
    kept, own = _squeezed(masked), " ".join(_squeezed(before + label + behind) for label in LABELS.values())
    secret = _squeezed(value.text[value.start : value.end])
    runs = (secret[at : at + RUN] for at in range(len(secret) - RUN + 1))
    return any(run in kept and run not in own for run in runs)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


class _Recall:
    """Counts by kind."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._whole: Counter[str] = Counter()
        self._part: Counter[str] = Counter()
        self._exact: Counter[str] = Counter()

    def note(self, kind: str, code: str, text: str, covered: Sequence[str | None]) -> None:
        """Count one piece; signs and spaces between its letters may belong to another find."""
        self._seen[kind] += 1
        self._whole[kind] += None not in covered
        self._part[kind] += any(covered)
        found = [by for by, character in zip(covered, text, strict=True) if character.isalnum()]
        self._exact[kind] += bool(found) and all(by == code for by in found)

    def summary(self) -> tuple[KindRecall, ...]:
        """The recall of each kind, in alphabetical order."""
        return tuple(
            KindRecall(
                kind=kind,
                whole=wilson(self._whole[kind], seen),
                part=wilson(self._part[kind], seen),
                exact=wilson(self._exact[kind], seen),
            )
            for kind, seen in sorted(self._seen.items())
        )


def _covered(text: str) -> list[str | None]:
    """For each character the code that it was found as."""
    covered: list[str | None] = [None] * len(text)
    for signal in find_personal_data(text):
        if signal.span is not None:
            covered[signal.span.start : signal.span.end] = [signal.code] * (signal.span.end - signal.span.start)
    return covered


def _alarms(messages: Sequence[str]) -> tuple[KindAlarms, ...]:
    finds: Counter[str] = Counter()
    holding: defaultdict[str, int] = defaultdict(int)
    for message in messages:
        codes = [signal.code for signal in find_personal_data(message)]
        finds.update(codes)
        for code in set(codes):
            holding[code] += 1
    return tuple(
        KindAlarms(code=kind.code, finds=finds[kind.code], messages=wilson(holding[kind.code], len(messages)))
        for kind in KINDS
    )


def _milliseconds(text: str) -> float:
    started = perf_counter()
    find_personal_data(text)
    return (perf_counter() - started) * 1_000
