"""What an ingest says: its steps on the way, and its report at the end."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.generation import Generation, Quarantine


class Step(StrEnum):
    """The steps of an ingest, in order."""

    READ = "read"
    EMBED = "embed"
    INDEX = "index"
    SWITCH = "switch"


Progress: TypeAlias = Callable[[Step, int, int], None]
"""Told the step, and how much of how much of it is done."""


class Outcome(StrEnum):
    """What an ingest came to."""

    BUILT = "built"
    UNCHANGED = "unchanged"


class IngestReport(Frozen):
    """What was ingested. `embedded` passages were computed, `reused` ones taken over from the generation before.

    `documents_unchanged` were not even read. `problems` say with file and line (in an export the number of the record)
    what is wrong with `bad_documents`, which were left out; `notes` say what was left out on purpose, as drafts are,
    and which rules of the mapping fitted nothing.
    """

    outcome: Outcome
    generation: Generation
    documents: int
    documents_unchanged: int
    passages: int
    embedded: int
    reused: int
    quarantined: tuple[Quarantine, ...]
    bad_documents: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
