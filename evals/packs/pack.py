"""A loaded pack: everything that decides the calls of one company, validated, with its revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from handrail.evals.packs.functions import FILE, Functions
from handrail.evals.packs.manifest import PackManifest
from handrail.guardrails.bundle.sections import ReasonEntry
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import Access, ToolSpec

MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Pack:
    """What `load_pack` returns. `revision` is a hash over every file of the pack and over what all packs share.

    `places` says where tools and reasons stand, as file:line by "kind:id".
    """

    manifest: PackManifest
    revision: str
    tools: Mapping[str, ToolSpec]
    reasons: Mapping[str, ReasonEntry]
    policy: PolicySet
    functions: Functions
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordsFile:
    """The content of a records file, from which every task begins anew."""

    model: type[BaseModel]
    content: bytes

    def fresh(self) -> BaseModel:
        """The records as they stand in the file."""
        return self.model.model_validate_json(self.content)


def read_records(pack: Pack, folder: Path) -> RecordsFile:
    """The records of `pack` in the folder of its data; ConfigError when they are missing or not of the pack's shape."""
    name = pack.manifest.records
    if name is None:
        raise ConfigError(["pack.yaml:1: the pack names no records; name the JSON file that tasks begin from"])
    path = folder / name
    try:
        found = RecordsFile(pack.functions.records, path.read_bytes())
        found.fresh()
    except OSError as error:
        raise ConfigError([f"{path}:1: cannot read the records: {error.strerror or error}"]) from error
    except ValidationError as error:
        raise ConfigError(_unfit(path, error)) from error
    return found


def missing_effects(pack: Pack) -> tuple[str, ...]:
    """What keeps calls from being played one after the other: write tools of which nobody says what they change."""
    return tuple(
        f"{pack.places[f'tool:{name}']}: {FILE} does not say what {name} changes; add `def {name}(call, records)` to it"
        for name, spec in pack.tools.items()
        if spec.access is Access.WRITE and name not in pack.functions.effects
    )


def _unfit(path: Path, error: ValidationError) -> list[str]:
    """What is wrong, by its path inside the file: JSON keeps no lines. Values are not repeated."""
    found: list[str] = []
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]) or "the file"
        found.append(f"{path}:1: {where}: {item['msg'][0].lower()}{item['msg'][1:]}")
    more = len(found) - MAX_SHOWN
    return found if more <= 0 else [*found[:MAX_SHOWN], f"{path}:1: and {more} more"]
