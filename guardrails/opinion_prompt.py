"""The template of a second opinion as data, and the one function that renders it (spec S5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field

from handrail.guardrails.detect.config import IntentFile
from handrail.guardrails.system_template import SystemTemplate
from handrail.guardrails.vocabulary import NeedState


class OpinionTemplate(SystemTemplate):
    """A versioned system text for a model that is asked what a message is about, with words for every need state."""

    PLACEHOLDERS = frozenset({"company", "needs"})
    FIELD = re.compile(r"\{([a-z_]+)\}")  # other braces stay: the text shows the JSON that is asked for

    need_states: dict[NeedState, Annotated[str, Field(min_length=1, max_length=300)]]

    def _problems(self) -> Iterator[str]:
        for state in sorted(set(NeedState) - set(self.need_states)):
            yield f"there are no words for the need state {state.value}"


def render_opinion(template: OpinionTemplate, company: str, intents: Iterable[IntentFile]) -> str:
    """The system text, with every need state and intent that may be chosen. Each intent is told by its title."""
    lines: list[str] = []
    for file in intents:
        lines.append(f"- {file.need_state.value}: {template.need_states[file.need_state]}")
        lines += [f"  - {intent.id}: {intent.title}" for intent in file.intents]
    filling = {"company": company, "needs": "\n".join(lines)}
    return template.filled(filling)
