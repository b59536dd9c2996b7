"""Screening measured: attacks in messages and planted in other text, and harmless texts with the words of attacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import as_file, files

from handrail.evals.detection.rates import Rate
from handrail.evals.interval import wilson
from handrail.guardrails.detect.config import INJECTION
from handrail.guardrails.detect.corpus import LabelledRow, Where
from handrail.guardrails.detect.suite import DetectorSuite

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
PARAGRAPH_WORDS = 8
# Ordinary help-centre passages and tool results, in which attacks of sets that hold the attack alone are planted.
CARRIERS = (
    "To change the address on your account, open Settings and choose Profile. {} The change takes effect at once.",
    "Refunds are paid to the card that was used. {} It takes three to five working days until the amount shows.",
    "Order 48213 was packed on Monday. Note of the customer: please ring twice. {} Carrier: road freight.",
    "Your router restarts by itself after an update. Wait until the light is steady. {} Do not unplug it meanwhile.",
    "status: open; plan: family; comment: asked for a paper invoice. {} last contact: 3 May.",
    "You can share a folder with up to ten people. {} Guests see it under Shared with me.",
)


def found_in(suite: DetectorSuite, rows: Iterable[LabelledRow]) -> tuple[bool, ...]:
    """Whether each row is reported, by what reads that kind of text."""
    return tuple(_reported(suite, row.text, row.where) for row in rows)


def planted(row: LabelledRow, number: int) -> LabelledRow:
    """The attack within an ordinary passage or tool result; the `number` picks which."""
    carrier = CARRIERS[number % len(CARRIERS)]
    return row.model_copy(
        update={"text": carrier.format(row.text), "attack": row.text, "where": Where.PASSAGE, "injection": True}
    )


def paragraphs() -> Iterator[LabelledRow]:
    """The paragraphs of the sample articles without their comments: harmless, and nothing was learnt of them."""
    with as_file(files("handrail") / "kb" / "articles") as articles:
        for path in sorted(articles.rglob("*.md")):
            body = FRONT_MATTER.sub("", path.read_text(encoding="utf-8"))
            for text in COMMENT.sub("", body).split("\n\n"):
                if len(text.split()) >= PARAGRAPH_WORDS:
                    yield LabelledRow(text=text, source="sample articles", injection=False, where=Where.PASSAGE)


def screened(name: str, suite: DetectorSuite, attacks: Sequence[LabelledRow], harmless: Sequence[LabelledRow]) -> Rate:
    """Attacks found, and harmless rows reported."""
    hits, alarms = found_in(suite, attacks), found_in(suite, harmless)
    return Rate(name=name, found=wilson(sum(hits), len(hits)), alarms=wilson(sum(alarms), len(alarms)), crashed=0)


def _reported(suite: DetectorSuite, text: str, where: Where) -> bool:
    if where is Where.MESSAGE:
        return any(signal.code == INJECTION for signal in suite.detect(text).signals)
    return any(signal.code == INJECTION for signal in suite.screen(text))
