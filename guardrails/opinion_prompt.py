"""The template of a second opinion as data, and the one function that renders it (spec S5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field, model_validator

from handrail.guardrails.detect.config import IntentFile
from handrail.guardrails.vocabulary import Frozen, NeedState

PLACEHOLDERS = frozenset({"company", "needs"})
"""All that the system text leaves open. The customer's text is not among them on purpose."""

_FIELD = re.compile(r"\{([a-z_]+)\}")


class OpinionTemplate(Frozen):
    """A versioned system text for a model that is asked what a message is about, with words for every need state."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    system: Annotated[str, Field(min_length=1, max_length=8000)]
    need_states: dict[NeedState, Annotated[str, Field(min_length=1, max_length=300)]]

    @property
    def revision(self) -> str:
        """Id and version as the audit log names them, such as `second_opinion@1.0.0`."""
        return f"{self.id}@{self.version}"

    @model_validator(mode="after")
    def _whole(self) -> OpinionTemplate:
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
        for state in sorted(set(NeedState) - set(self.need_states)):
            yield f"there are no words for the need state {state.value}"


def render_opinion(template: OpinionTemplate, company: str, intents: Iterable[IntentFile]) -> str:
    """The system text, with every need state and intent that may be chosen. Each intent is told by its title."""
    lines: list[str] = []
    for file in intents:
        lines.append(f"- {file.need_state.value}: {template.need_states[file.need_state]}")
        lines += [f"  - {intent.id}: {intent.title}" for intent in file.intents]
    filling = {"company": company, "needs": "\n".join(lines)}
    return _FIELD.sub(lambda match: filling[match[1]], template.system).strip()
