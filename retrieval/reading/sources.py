"""What a base is made from: folders of articles and exports of help centres, told apart by what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.reading.files import is_article, unread_file
from handrail.retrieval.reading.intercom import Intercom
from handrail.retrieval.reading.mapping import MetadataMapping
from handrail.retrieval.reading.records import SUFFIXES, Record, read_records
from handrail.retrieval.reading.unread import Unread, sound
from handrail.retrieval.reading.zendesk import Zendesk

MAPPING_NEEDED = (
    "a help-centre export does not say which roles, stacks, regions and plans its articles are for; say it in a "
    "mapping file and name that with --mapping (docs/knowledge-base.md has one to start from)"
)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a source: where it is, how it is called in reports, and its path within the source."""

    path: Path
    shown_as: str
    inside: str
    named: bool

    @property
    def may_be_export(self) -> bool:
        """Whether it is looked at for records; a file that somebody named is, whatever its name."""
        return not is_article(self.inside) and (self.named or self.path.suffix.lower() in SUFFIXES)


class Sources:
    """The documents of several sources, as one set. What is wrong, and what was left out on purpose, is gathered.

    `problems` are documents and files that cannot be used; `notes` are drafts, and JSON files that are no exports.
    """

    def __init__(self, paths: Sequence[Path], mapping: MetadataMapping | None = None) -> None:
        self.mapping = mapping
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self._files = [file for path in paths for file in _files(path, alone=len(paths) == 1)]
        self._records = self._exports()

    def __len__(self) -> int:
        """How many files and records there are; an article in several languages is one record."""
        return sum(is_article(file.inside) for file in self._files) + len(self._records)

    def documents(self) -> Iterator[Unread]:
        """The documents, in the order of the sources and then of their paths; those of exports come last."""
        for file in self._files:
            if is_article(file.inside):
                mapped = self.mapping is not None
                unread = unread_file(file.path, file.shown_as, file.inside, self.problems, mapped=mapped)
                if unread is not None:
                    yield unread
        if self.mapping is None:
            files = dict.fromkeys(record.file for record in self._records)
            self.problems += [Problem(file, 1, MAPPING_NEEDED) for file in files]
            return
        for centre in (Zendesk(self._records, self.problems), Intercom(self._records, self.problems)):
            for article in centre.articles(self.notes):
                yield article.unread(self.mapping)

    def _exports(self) -> tuple[Record, ...]:
        records: list[Record] = []
        for file in self._files:
            if not file.may_be_export:
                continue
            found = read_records(file.path, file.shown_as, file.inside, self.problems)
            records += found or ()
            if found is None:
                said = "this is JSON, but no export of Zendesk Guide or Intercom articles that is known"
                (self.problems if file.named else self.notes).append(Problem(file.shown_as, 1, said))
        return tuple(records)


def _files(source: Path, *, alone: bool) -> Sequence[_File]:
    """The files of a source that may hold documents, ordered by path; hidden files and folders are passed over."""
    if source.is_file():
        return [_File(source, sound(source.name if alone else str(source)), sound(source.name), named=True)]
    if not source.is_dir():
        raise RetrievalError(f"{source} is no file or folder. Name a folder of articles, or an export.")
    files = []
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = Path(folder).relative_to(source).as_posix()
        for name in names:
            if not name.startswith(".") and (is_article(name) or Path(name).suffix.lower() in SUFFIXES):
                inside = sound(name if within == "." else f"{within}/{name}")
                shown_as = inside if alone else f"{sound(str(source))}/{inside}"
                files.append(_File(Path(folder, name), shown_as, inside, named=False))
    if not files:
        kinds = "no Markdown, HTML or text file and no export (*.json, *.jsonl)"
        raise RetrievalError(f"{source} holds {kinds}, so there is nothing to ingest.")
    files.sort(key=lambda file: file.inside.split("/"))
    return files
