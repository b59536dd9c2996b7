"""An article of a help centre in one language, and how it becomes a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.documents import Document, Metadata, card_of
from handrail.retrieval.reading.mapping import MetadataMapping, Subject
from handrail.retrieval.reading.markdown import visible
from handrail.retrieval.reading.markup import to_markdown
from handrail.retrieval.reading.records import Record
from handrail.retrieval.reading.unread import Unread, sound

MAX_CHARACTERS = 2_000_000
"""A longer body is not an article."""

MAX_DEPTH = 20
"""Groups above one another that are followed."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _nothing_to_empty(value: object) -> object:
    return () if value is None else value


Id: TypeAlias = Annotated[str, BeforeValidator(_text)]
"""Ids are numbers in some versions of the APIs and text in others."""

Ids: TypeAlias = Annotated[tuple[Id, ...], BeforeValidator(_nothing_to_empty)]
Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_nothing_to_empty)]


def locale_of(text: str) -> str:
    """A locale as it stands in ids and rules: `pt-br`."""
    return sound(text).lower().replace("_", "-")


class Foreign(BaseModel):
    """A record of somebody else's: what is used of it is checked, and everything else passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Groups:
    """Sections, categories or collections by id: their names, and the id of the group above."""

    names: dict[str, set[str]] = field(default_factory=dict)
    above: dict[str, str] = field(default_factory=dict)

    def add(self, group: str, name: str, above: str | None = None) -> None:
        """Add a group; one that is exported in several languages has several names."""
        self.names.setdefault(group, set()).add(sound(name))
        if above is not None:
            self.above[group] = above

    def path(self, groups: Sequence[str]) -> tuple[str, ...]:
        """The ids of the groups and of all above them."""
        found: list[str] = []
        pending = list(groups)
        while pending and len(found) < MAX_DEPTH:
            group = pending.pop(0)
            if group not in found:
                found.append(group)
                pending += [self.above[group]] if group in self.above else []
        return tuple(found)

    def called(self, groups: Sequence[str]) -> tuple[str, ...]:
        """The ids and names of the groups and of all above them."""
        path = self.path(groups)
        return (*path, *sorted({name for group in path for name in self.names.get(group, ())}))


@dataclass(frozen=True, slots=True)
class Exported:
    """One article in one language. `locale` is empty where the help centre has a single language and names none."""

    source: str
    record: Record
    article_id: str
    locale: str
    title: str
    html: str
    subject: Subject

    @property
    def doc_id(self) -> str:
        """Stays as long as the article is the same one there."""
        return "-".join(part for part in (self.source, self.article_id, self.locale) if part).lower()

    def unread(self, mapping: MetadataMapping) -> Unread:
        """The article as a document of the source."""
        language = mapping.language(self.locale) if self.locale else ""
        content = [self.title, self.html, language, str(self.subject)]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        path = f"{self.record.file}#{sound(self.doc_id)}"
        return Unread(path, digest, self.subject, partial(self._parse, path, digest, language))

    def _parse(
        self, path: str, digest: str, language: str, given: Mapping[str, JsonValue], problems: list[Problem]
    ) -> Document | None:
        own = {"id": sound(self.doc_id), "title": sound(self.title)} | ({"language": language} if language else {})
        number = self.record.number
        if self.subject.segments and "roles" not in given:
            segments = ", ".join(self.subject.segments)
            problems.append(Problem(path, number, f"restricted to readers of segment {segments}: {_HOW_TO_NAME}"))
            return None
        if len(self.html) > MAX_CHARACTERS:
            problems.append(Problem(path, number, f"longer than {MAX_CHARACTERS:,} characters; split the article"))
            return None
        page = to_markdown(sound(self.html))
        card = card_of(Metadata(path, own, line=number), given, digest, problems)
        if card is None:
            return None
        if not visible(page.body).strip():
            problems.append(Problem(path, number, "the article has no text"))
            return None
        return Document(card, page.body, [number], number)


_HOW_TO_NAME = "it stays out unless a rule of the mapping file names the segment and says which roles it is"


def wrong_record(record: Record, error: ValidationError) -> Iterator[Problem]:
    """What is wrong with a record that cannot be used."""
    name = sound(str(record.content.get("id", record.number)))
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"]) or record.kind.value
        said = "this field is missing" if item["type"] == "missing" else item["msg"]
        yield Problem(f"{record.file}#{name}", record.number, f"{where}: {said}")
