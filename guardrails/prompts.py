"""Prompt templates as data, and the one function that renders the system text from them (spec S16.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from handrail.guardrails.vocabulary import Depth, Frozen, Obligation, Tone

PLACEHOLDERS = frozenset({"tone", "depth", "obligations", "language"})
"""All that a system text may leave open. Passages, tool results and customer text are not among them on purpose."""

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

_FIELD = re.compile(r"\{([^{}]*)\}")


class PromptTemplate(Frozen):
    """A versioned system text with its words for every tone, depth, obligation and language.

    `obligations` has words for everything a model can carry out itself; `languages` maps a language code to the name
    that stands in the text.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    system: Annotated[str, Field(min_length=1, max_length=8000)]
    tones: dict[Tone, str]
    depths: dict[Depth, str]
    obligations: dict[Obligation, str]
    languages: Annotated[dict[str, str], Field(min_length=1)]

    @property
    def revision(self) -> str:
        """Id and version as the audit log names them, such as `answer@1.0.0`."""
        return f"{self.id}@{self.version}"

    @model_validator(mode="after")
    def _whole(self) -> PromptTemplate:
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        used = _FIELD.findall(self.system)
        for name in sorted(set(used) - PLACEHOLDERS):
            yield f"unknown placeholder {{{name}}}; there are {', '.join(sorted(PLACEHOLDERS))}"
        for name in sorted(PLACEHOLDERS - set(used)):
            yield f"the placeholder {{{name}}} is missing from the system text"
        if re.search(r"[{}]", _FIELD.sub("", self.system)):
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
    return _FIELD.sub(lambda match: filling[match[1]], template.system).strip()
