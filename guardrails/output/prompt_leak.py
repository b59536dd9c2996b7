"""OUT_PROMPT_LEAK: a long run of the system prompt, or talk about the instructions themselves."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.fold import squash
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import squashed_text

CODE = "OUT_PROMPT_LEAK"

_TAIL = 6
"""Sentences before this one in which a leaked run may have begun."""


def check(view: View) -> Iterator[Finding]:
    """A run of letters and digits shared with the prompt, also across sentences and whatever the spacing."""
    line = view.line
    if _shares_run(view):
        yield line.finding(CODE, 0, len(line.sentence.text), "words of the system prompt")
        return
    for pattern in view.wording.revealing(line.marks):
        for place in claims(view, pattern):
            if not view.sources.is_fixed(line.squashed):
                yield line.finding_at(CODE, place, pattern.id)
                return


def _shares_run(view: View) -> bool:
    prompt = squashed_text(view.sources.evidence.system_prompt)
    length = min(view.wording.form.leak_characters, len(prompt))
    if length < 24:
        return False
    before = "".join(line.squashed for line in view.earlier[-_TAIL:])[-(length - 1) :]
    text = before + view.line.squashed
    if len(text) < length:
        return False
    # Every shared run of `length` holds at least one whole block that starts at a multiple of half of it.
    step = max(1, length // 2)
    for at in range(0, len(prompt) - step + 1, step):
        block = prompt[at : at + step]
        if block in text and _grows(prompt, text, block, at, length, view):
            return True
    return False


def _grows(prompt: str, text: str, block: str, at: int, length: int, view: View) -> bool:
    """Whether the shared block is part of a shared run of `length` that no public text explains."""
    found = text.find(block)
    while found >= 0:
        start, end = 0, len(block)
        while start < min(at, found) and prompt[at - start - 1] == text[found - start - 1]:
            start += 1
        while at + end < len(prompt) and found + end < len(text) and prompt[at + end] == text[found + end]:
            end += 1
        if start + end >= length and not _is_public(view, text[found - start : found + end]):
            return True
        found = text.find(block, found + 1)
    return False


def _is_public(view: View, run: str) -> bool:
    return any(
        run in squash(text)
        for text in (
            *(passage.text for passage, _ in view.sources.passages),
            *view.sources.evidence.fixed_texts,
            *view.sources.evidence.customer_texts,
        )
    )
