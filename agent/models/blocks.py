"""Untrusted text for a model: delimited blocks that their content cannot close."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from handrail.guardrails.vocabulary import Passage, ToolOutcome, ToolResult

OPEN, CLOSE = "<<<", ">>>"
MAX_RESULT = 16_000
"""Characters of one tool result that a model sees."""


def block(kind: str, label: str, text: str) -> str:
    """`text` between an opening and a closing line. Delimiters inside it are made harmless."""
    return f"{OPEN}{kind} {inert(label)}{CLOSE}\n{inert(text)}\n{OPEN}end of {kind}{CLOSE}"


def inert(text: str) -> str:
    """`text` without anything that could be read as one of our delimiters."""
    return text.replace(OPEN, "< < <").replace(CLOSE, "> > >")


def passage_blocks(passages: Sequence[Passage]) -> list[str]:
    """The passages, best first. Flagged ones are left out: no model may read them."""
    shown = [passage for passage in passages if not passage.flagged]
    return [
        block("passage", f"{number}: {passage.title} / {passage.heading}", passage.text)
        for number, passage in enumerate(shown, 1)
    ]


def known_block(known: Mapping[str, str]) -> list[str]:
    """What verified records say of the customer."""
    if not known:
        return []
    return [
        block("record", "verified, about this customer", "\n".join(f"{name}: {known[name]}" for name in sorted(known)))
    ]


def result_block(result: ToolResult) -> str:
    """What came of a call: a typed outcome, and the content as delimited JSON."""
    head = f"outcome: {result.outcome.value}"
    if result.reasons or result.outcome is not ToolOutcome.SUCCEEDED:
        head += "\nreasons: " + (", ".join(result.reasons) or "none given")
    content = json.dumps(result.content, ensure_ascii=False, sort_keys=True)[:MAX_RESULT]
    return f"{head}\n{block('tool result', result.call.tool, content)}"
