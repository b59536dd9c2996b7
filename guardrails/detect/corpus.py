"""A corpus: labelled messages from many companies, read from folders of JSON Lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import NeedState, RiskTier

CLEAR = "clear"
MAX_PROBLEMS = 20
PATTERN = "*.jsonl"


class Where(StrEnum):
    """What kind of text a row is. Instructions to the model mean something else in each."""

    MESSAGE = "message"
    PASSAGE = "passage"
    TOOL_RESULT = "tool_result"


class LabelledRow(BaseModel):
    """One text and what is known about it; a field that is absent says nothing.

    Attributes:
        text: The words, as they were written.
        source: Who wrote it: data set or author, and after a slash the domain, tenant or theme.
        need_state: The main thing that the customer wants.
        confidence: How sure the label is. Only `clear` rows are learnt from and measured on.
        risk: The tier that belongs to the text.
        signals: Every signal that is present; an empty list says that none is.
        subject: The signal that the text is about, present or nearly so.
        injection: Whether the text addresses the model to change what it does.
        where: What kind of text it is.
        attack: The planted words of an injection within other text.
        split: The source's own split, if it has one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)] = "unnamed"
    need_state: NeedState | None = None
    confidence: str = CLEAR
    risk: RiskTier | None = None
    signals: tuple[str, ...] | None = None
    subject: str | None = None
    injection: bool | None = None
    where: Where = Where.MESSAGE
    attack: str | None = None
    label: str | int | None = None
    split: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.attack is not None and self.attack not in self.text:
            raise ValueError("the attack is no part of the text")
        return self

    @property
    def is_injection(self) -> bool | None:
        """Whether it is an injection; sets of attacks say so by a label of 1 or 0."""
        if self.injection is not None:
            return self.injection
        return bool(self.label) if isinstance(self.label, int) else None

    @property
    def dataset(self) -> str:
        """The source without its domain, tenant or theme; every authored theme is a set of its own."""
        first, _, rest = self.source.partition("/")
        return self.source if first == "authored" and rest else first


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows, in the order of the files, and the hash of what they were read from."""

    rows: tuple[LabelledRow, ...]
    sha256: str

    def without(self, source: str) -> Corpus:
        """The corpus without a data set, or without one domain of it; the hash says so."""
        rows = tuple(row for row in self.rows if source not in {row.source, row.dataset})
        return Corpus(rows, hashlib.sha256(f"{self.sha256} without {source}".encode()).hexdigest())


def read_corpus(folders: Sequence[Path]) -> Corpus:
    """Read every `*.jsonl` file of `folders`, by name; the same content gives the same corpus.

    Raises:
        ConfigError: a folder holds no such file, or lines cannot be read; it lists them with file and line.
    """
    rows: list[LabelledRow] = []
    problems: list[str] = []
    digest = hashlib.sha256()
    for folder in folders:
        files = sorted(folder.glob(PATTERN))
        if not files:
            problems.append(f"{folder}: no {PATTERN} file lies there.")
        for file in files:
            content = file.read_bytes()
            digest.update(f"{file.name} {hashlib.sha256(content).hexdigest()}\n".encode())
            rows += _rows(file.name, content, problems)
    if problems:
        more = len(problems) - MAX_PROBLEMS
        raise ConfigError([*problems[:MAX_PROBLEMS], *([f"... and {more} more problems"] if more > 0 else [])])
    return Corpus(tuple(rows), digest.hexdigest())


def _rows(name: str, content: bytes, problems: list[str]) -> Iterator[LabelledRow]:
    for number, line in enumerate(content.decode("utf-8", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield LabelledRow.model_validate(json.loads(line))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            problems.append(f"{name}, line {number}: {where}: {first['msg']}")
        except (json.JSONDecodeError, RecursionError) as error:
            problems.append(f"{name}, line {number}: not JSON ({error})")
