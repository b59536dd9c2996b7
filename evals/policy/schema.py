"""Editor help: a JSON Schema for every kind of file of a bundle, and its name in the first line of the YAML files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from handrail.evals.policy.case_shapes import CasesFile
from handrail.evals.policy.schema_models import file_schema
from handrail.evals.policy.schema_names import definitions
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.claims import InvariantsFile
from handrail.guardrails.bundle.loader import OPINION
from handrail.guardrails.bundle.sections import (
    AllowedCommitmentsFile,
    AttributesFile,
    ExperimentsFile,
    HandoffFile,
    Manifest,
    QueuesFile,
    ReasonsFile,
    RulesFile,
    SegmentEntry,
    TextsFile,
)
from handrail.guardrails.detect.config import IntentFile, LanguageFile, ShorthandFile, SignalSpec, Thresholds
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.opinion_prompt import OpinionTemplate
from handrail.guardrails.output.policy import (
    ActionsFile,
    CommitmentsFile,
    DisclosureFile,
    FeedbackFile,
    FormFile,
    NamesFile,
    PeopleFile,
    RecordsFile,
    WordsFile,
)
from handrail.guardrails.prompts import PromptTemplate
from handrail.guardrails.toolspec import ToolSpec

FOLDER = "schema"
"""The folder of the schema files in a bundle. They are JSON: the loader reads YAML and does not look at them."""

MARK = "# yaml-language-server: $schema="
"""How a YAML file names its schema; the editors that read it take the path as seen from the file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: the pattern of its files in the bundle folder, the model, and the name of the schema."""

    pattern: str
    model: type[BaseModel]
    name: str


# A kind of file is one line.
KINDS: tuple[Kind, ...] = (
    Kind("bundle.yaml", Manifest, "bundle"),
    Kind("attributes.yaml", AttributesFile, "attributes"),
    Kind("queues.yaml", QueuesFile, "queues"),
    Kind("handoff.yaml", HandoffFile, "handoff"),
    Kind("experiments.yaml", ExperimentsFile, "experiments"),
    Kind("invariants.yaml", InvariantsFile, "invariants"),
    Kind("allowed_commitments.yaml", AllowedCommitmentsFile, "allowed_commitments"),
    Kind("segments/*.yaml", SegmentEntry, "segment"),
    Kind("rules/*.yaml", RulesFile, "rules"),
    Kind("reasons/*.yaml", ReasonsFile, "reasons"),
    Kind("texts/*.yaml", TextsFile, "texts"),
    Kind("tools/*.yaml", ToolSpec, "tool"),
    Kind("flows/*.yaml", FlowSpec, "flow"),
    Kind("prompts/*.yaml", PromptTemplate, "prompt"),
    Kind(OPINION, OpinionTemplate, "opinion_prompt"),
    Kind("tests/**/*.yaml", CasesFile, "tests"),
    Kind("detection/thresholds.yaml", Thresholds, "thresholds"),
    Kind("detection/languages.yaml", LanguageFile, "languages"),
    Kind("detection/shorthand.yaml", ShorthandFile, "shorthand"),
    Kind("detection/intents/*.yaml", IntentFile, "intents"),
    Kind("detection/signals/*.yaml", SignalSpec, "signal"),
    Kind("output/words.yaml", WordsFile, "words"),
    Kind("output/commitments.yaml", CommitmentsFile, "commitments"),
    Kind("output/actions.yaml", ActionsFile, "actions"),
    Kind("output/people.yaml", PeopleFile, "people"),
    Kind("output/disclosure.yaml", DisclosureFile, "disclosure"),
    Kind("output/records.yaml", RecordsFile, "records"),
    Kind("output/names.yaml", NamesFile, "names"),
    Kind("output/form.yaml", FormFile, "form"),
    Kind("output/feedback.yaml", FeedbackFile, "feedback"),
)


def schema_texts(folder: Path, bundle: Bundle) -> dict[str, str]:
    """The schema files of `bundle`, which was loaded from `folder`: text by path in it, the same on every run."""
    names = definitions(folder, bundle)
    found: dict[str, str] = {}
    for kind in KINDS:
        title = f"Handrail policy: {kind.name}"
        schema = file_schema(kind.model, title, names)
        found[f"{FOLDER}/{kind.name}.json"] = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return found


def stale(folder: Path, bundle: Bundle) -> tuple[str, ...]:
    """The schema files in `folder` that are missing or not what `bundle` asks for, by path in the folder."""
    texts = schema_texts(folder, bundle)
    return tuple(sorted(name for name, text in texts.items() if _content(folder / name) != text))


def write_schema(folder: Path, bundle: Bundle) -> tuple[str, ...]:
    """Write the schema files that are stale; returns their paths in the folder."""
    texts = schema_texts(folder, bundle)
    written = tuple(sorted(name for name, text in texts.items() if _content(folder / name) != text))
    (folder / FOLDER).mkdir(exist_ok=True)
    for name in written:
        (folder / name).write_bytes(texts[name].encode())
    return written


def nameless(folder: Path) -> tuple[str, ...]:
    """The YAML files of a kind that name no schema, by path in the folder."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path, _ in _files(folder) if not _marked(path)))


def name_in_files(folder: Path) -> tuple[str, ...]:
    """Put a first line that names the schema into every YAML file that names none; returns their paths.

    A file that names one already, whichever, is left alone. The rest of a file stays as it is, byte for byte.
    """
    named: list[str] = []
    for path, kind in _files(folder):
        if not _marked(path):
            content = path.read_bytes()
            first = first_line(PurePosixPath(path.relative_to(folder).as_posix()), kind).encode()
            order_mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
            ending = b"\r\n" if b"\r\n" in content else b"\n"
            path.write_bytes(order_mark + first + ending + content.removeprefix(order_mark))
            named.append(path.relative_to(folder).as_posix())
    return tuple(sorted(named))


def first_line(path: PurePosixPath, kind: Kind) -> str:
    """The comment by which the file at `path` of the bundle folder names its schema."""
    return MARK + os.path.relpath(f"{FOLDER}/{kind.name}.json", path.parent).replace(os.sep, "/")


def _files(folder: Path) -> Iterator[tuple[Path, Kind]]:
    for kind in KINDS:
        for path in sorted(folder.glob(kind.pattern)):
            yield path, kind


def _marked(path: Path) -> bool:
    """Whether a comment of the file names a schema; editors look for it anywhere before the content."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.startswith(MARK):
            return True
        if line.strip() and not line.startswith("#"):
            return False
    return False


def _content(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None
