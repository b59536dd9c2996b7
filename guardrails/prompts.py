"""Prompt templates as data, and the one function that renders the system text from them (spec S16.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from handrail.guardrails.system_template import SystemTemplate
from handrail.guardrails.vocabulary import Depth, Obligation, Tone

# These are carried out by the gate and the flow; a model that read of them could only get in the way.
ENFORCED = frozenset(
    {
        Obligation.VERIFY_IDENTITY,
        Obligation.CONFIRM,
        Obligation.APPROVE,
        Obligation.PERSON_DECIDES,
        Obligation.CLOSE,
        Obligation.COURTESY,
    }
)


class PromptTemplate(SystemTemplate):
    """A versioned system text with its words for every tone, depth, obligation and language.

    `obligations` has words for everything a model can carry out itself; `languages` maps a language code to the name
    that stands in the text.
    """

    PLACEHOLDERS = frozenset({"tone", "depth", "obligations", "language"})
    FIELD = re.compile(r"\{([^{}]*)\}")

    tones: dict[Tone, str]
    depths: dict[Depth, str]
    obligations: dict[Obligation, str]
    languages: Annotated[dict[str, str], Field(min_length=1)]

    def _problems(self) -> Iterator[str]:
        if re.search(r"[{}]", self.FIELD.sub("", self.system)):
            yield "a single brace stands in the system text"
        for tone in sorted(set(Tone) - set(self.tones)):
            yield f"there are no words for the tone {tone.value}"
        for depth in sorted(set(Depth) - set(self.depths)):
            yield f"there are no words for the depth {depth.value}"
        for obligation in sorted(set(Obligation) - ENFORCED - set(self.obligations)):
            yield f"there are no words for the obligation {obligation.value}"


def render(
    template: PromptTemplate, tone: Tone, depth: Depth, obligations: tuple[Obligation, ...], language: str | None
) -> str:
    """The system text. An undeclared language falls back to the first one declared."""
    words = [template.obligations[duty] for duty in sorted(set(obligations) - ENFORCED)]
    filling = {
        "tone": template.tones[tone],
        "depth": template.depths[depth],
        "obligations": "\n".join(["This time in particular:", *(f"- {word}" for word in words)]) if words else "",
        "language": template.languages.get(language or "", next(iter(template.languages.values()))),
    }
    return template.filled(filling)
