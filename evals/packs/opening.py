"""Opens everything that a run needs, and says at once all that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handrail.evals.packs.cases import Case, read_cases
from handrail.evals.packs.loader import load_pack
from handrail.evals.packs.pack import Pack, RecordsFile, missing_effects, read_records
from handrail.guardrails.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Run:
    """A pack, the records that every task begins from, and the cases to decide."""

    pack: Pack
    records: RecordsFile
    cases: tuple[Case, ...]


def open_run(folder: Path, data: Path, source: Path) -> Run:
    """The pack in `folder`, its records in `data` and the cases of the file `source`.

    ConfigError with every problem of all three. Single lines that cannot be read are no such problem: they stand in
    their case.
    """
    problems: list[str] = []
    pack: Pack | None = None
    records: RecordsFile | None = None
    cases: tuple[Case, ...] = ()
    try:
        pack = load_pack(folder)
        problems.extend(missing_effects(pack))
        records = read_records(pack, data)
    except ConfigError as error:
        problems.extend(error.problems)
    try:
        cases = read_cases(source)
    except ConfigError as error:
        problems.extend(error.problems)
    if problems or pack is None or records is None:
        raise ConfigError(problems)
    return Run(pack, records, cases)
