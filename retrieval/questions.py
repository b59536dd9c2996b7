"""A file of questions for searching in one go: JSON lines with id, query and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.scope import Authority, Family, ScopePlan

ATTRIBUTES = ("role", "stack", "region", "plan")
"""The attributes of a customer that a scope can be made of, each called like its family."""


LANGUAGE = "en"


def scope_of(attributes: Mapping[str, tuple[str, ...]], on: datetime) -> ScopePlan:
    """What a customer with these attributes may see at that moment: their own classes, every authority, English."""
    granted = {Family.AUTHORITY.value: tuple(one.value for one in Authority), Family.LANGUAGE.value: (LANGUAGE,)}
    return ScopePlan(families={**attributes, **granted}, on=on)


class Question(BaseModel):
    """One line. `attributes` hold the customer's classes by family; a single word stands for a list of one.

    `doc_id` is the right document and `also` are others that would do; neither is asked for to search. Other fields
    and other attributes are passed over.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    query: str
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    doc_id: str | None = None
    also: tuple[str, ...] = ()

    @property
    def right(self) -> frozenset[str]:
        """The documents that answer; none where nothing does, or nobody said."""
        return frozenset((self.doc_id, *self.also)) if self.doc_id is not None else frozenset()

    @field_validator("attributes", mode="before")
    @classmethod
    def _known(cls, found: object) -> object:
        if not isinstance(found, dict):
            return found
        known = {name: found[name] for name in ATTRIBUTES if found.get(name) is not None}
        return {name: (content,) if isinstance(content, str) else content for name, content in known.items()}


def read_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a file; empty lines are passed over.

    Raises:
        ConfigError: the file cannot be read, or lines are wrong; it lists all of them.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read ({error}). Name a file of JSON lines."]) from error
    problems: list[str] = []
    questions: list[Question] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                questions.append(Question.model_validate_json(line))
            except ValidationError as error:
                for item in error.errors(include_url=False):
                    where = ".".join(str(part) for part in item["loc"]) or "the line"
                    problems.append(f"{path}:{number}: {where}: {item['msg']}")
    if problems:
        raise ConfigError(problems)
    return tuple(questions)
