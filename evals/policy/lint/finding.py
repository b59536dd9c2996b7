"""A finding of lint: a stable code, where it stands, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handrail.guardrails.vocabulary import Frozen


class Level(StrEnum):
    """How much a finding weighs: a mistake, something questionable, or something to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: what is wrong when it is found, and what to do about it."""

    id: str
    level: Level
    says: str
    remedy: str


class LintFinding(Frozen):
    """One finding. `kind` and `subject` name what it is about, such as rule and `turn.close`."""

    code: str
    level: Level
    kind: str
    subject: str
    message: str
    file: str
    line: int

    @property
    def where(self) -> str:
        """The place as file:line."""
        return f"{self.file}:{self.line}"
