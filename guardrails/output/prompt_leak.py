"""OUT_PROMPT_LEAK: a long run of what only a model is told, names of tools, or talk about the instructions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.fold import squash
from handrail.guardrails.output.reading import View

CODE = "OUT_PROMPT_LEAK"

_TAIL = 6
"""Sentences before this one in which a leaked run may have begun."""

_BEGUN = 12
"""Letters and digits in a row, the last of a text, that may be the beginning of a leaked run: two or three words."""

_LEAST = 24
"""Of a prompt that is shorter than this nothing can leak."""


def check(view: View) -> Iterator[Finding]:
    """A run of letters and digits shared with the prompt, also across sentences and whatever the spacing."""
    line = view.line
    if _shares_run(view):
        yield line.finding(CODE, 0, len(line.sentence.text), "words of the system prompt")
        return
    names = view.sources.tool_names
    written = line.sentence.text.lower() if names else ""
    if any(name in written for name in names):
        yield line.finding(CODE, 0, len(line.sentence.text), "the name of a tool")
        return
    for pattern in view.wording.revealing(line.marks):
        for place in claims(view, pattern):
            if not view.sources.is_fixed(line.squashed):
                yield line.finding_at(CODE, place, pattern.id)
                return


def begun(view: View) -> int:
    """How many of the last letters and digits may be the beginning of a leak that what follows would complete; or 0."""
    prompt = view.sources.prompt
    longest = min(view.wording.form.leak_characters, len(prompt))
    if longest < _LEAST:
        return 0
    text = "".join(line.squashed for line in view.lines[-_TAIL:])[-longest:]
    if len(text) < _BEGUN or text[-_BEGUN:] not in prompt:
        return 0
    return next(length for length in range(len(text), 0, -1) if text[-length:] in prompt)


def _shares_run(view: View) -> bool:
    prompt = view.sources.prompt
    length = min(view.wording.form.leak_characters, len(prompt))
    if length < _LEAST:
        return False
    text = view.line.squashed
    for line in reversed(view.lines[-_TAIL - 1 : -1]):
        if len(text) - len(view.line.squashed) >= length - 1:
            break
        text = line.squashed + text
    text = text[-(length - 1 + len(view.line.squashed)) :]
    if len(text) < length:
        return False
    # Every shared run of `length` holds a whole block of half of it that starts at a multiple of that half.
    half = length // 2
    blocks = _blocks(prompt, half)
    for at in range(0, len(text) - half + 1, half):
        if text[at : at + half] in blocks and _grows(view, prompt, text, at, length):
            return True
    return False


@lru_cache(maxsize=16)
def _blocks(prompt: str, size: int) -> frozenset[str]:
    """Every run of `size` characters of the (squashed) prompt."""
    return frozenset(prompt[at : at + size] for at in range(len(prompt) - size + 1))


def _grows(view: View, prompt: str, text: str, at: int, length: int) -> bool:
    """Whether the block of `text` at `at` is in a run of `length` shared with the prompt that no source explains."""
    for start in range(max(0, at - length // 2), at + 1):
        run = text[start : start + length]
        if len(run) == length and run in prompt and not _is_public(view, run):
            return True
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
