"""The mapping file: metadata for documents that do not say themselves whom they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from handrail.guardrails import yamlsource
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.scope import ALL, Authority, Classes, LanguageCode, Word
from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.documents import Day

Globs = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]+)*$")]


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules can tell documents by. `path` is relative to its source.

    A group (section, category, collection) stands there by its id and by its name, and so do those above it.
    `segments` are ids of the groups of readers that the help centre keeps the document for; none means everybody there.
    """

    path: str
    sections: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class When(Frozen):
    """Which documents a rule is for: every field that is given must fit, by one of its patterns."""

    paths: Globs | None = None
    sections: Globs | None = None
    categories: Globs | None = None
    collections: Globs | None = None
    labels: Globs | None = None
    locales: Globs | None = None
    segments: Globs | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of " + ", ".join(type(self).model_fields))
        return self

    def fits(self, subject: Subject) -> bool:
        """Whether a rule with this condition is for the document."""
        return all(any(map(pattern.fullmatch, found(subject))) for pattern, found in self._patterns)

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], _Names], ...]:
        rows = []
        for name in type(self).model_fields:
            globs: Sequence[str] | None = getattr(self, name)
            if globs is not None:
                rows.append((_pattern(globs, in_paths=name == "paths"), _Names(name)))
        return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Names:
    field: str

    def __call__(self, subject: Subject) -> Iterable[str]:
        found: str | tuple[str, ...] = getattr(subject, "path" if self.field == "paths" else self.field)
        return (found,) if isinstance(found, str) else found


class Give(Frozen):
    """The metadata that a rule gives; everything but id and title, which belong to one document."""

    roles: Classes | None = None
    stacks: Classes | None = None
    regions: Classes | None = None
    plans: Classes | None = None
    product_area: Word | None = None
    authority: Authority | None = None
    language: LanguageCode | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    need_states: Classes | None = None

    @model_validator(mode="after")
    def _all_stands_alone(self) -> Self:
        for name in ("roles", "stacks", "regions", "plans", "need_states"):
            classes: tuple[str, ...] = getattr(self, name) or ()
            if ALL in classes and len(classes) > 1:
                raise ValueError(f"{name}: `all` stands alone: remove it or the other classes")
        return self

    @cached_property
    def content(self) -> dict[str, JsonValue]:
        """The fields that are given, as they stand in front matter."""
        return self.model_dump(mode="json", exclude_none=True)


class Rule(Frozen):
    """Gives metadata to the documents that `when` fits."""

    when: When
    give: Give

    @model_validator(mode="after")
    def _restricted_readers_are_named(self) -> Self:
        if self.when.segments is not None and self.give.roles is None:
            raise ValueError("a rule for segments must give roles: it says who the restricted readers are")
        return self


class MappingFile(Frozen):
    """The content of a mapping file. `languages` says which language a locale of a help centre is."""

    defaults: Give = Give()
    languages: dict[Locale, LanguageCode] = {}
    rules: tuple[Rule, ...] = ()


class MetadataMapping:
    """A mapping file in use; it remembers which of its rules fitted a document."""

    def __init__(self, content: MappingFile, file: str, lines: Sequence[int]) -> None:
        self._content = content
        self._file = file
        self._lines = lines
        self._unused = set(range(len(content.rules)))

    @property
    def revision(self) -> str:
        """Changes when the same document may get other metadata."""
        return self._content.model_dump_json()

    def language(self, locale: str) -> str:
        """The language of a locale: as the file says, else its first part (`en-us` is `en`)."""
        return self._content.languages.get(locale, locale.partition("-")[0])

    def metadata(self, subject: Subject) -> dict[str, JsonValue]:
        """What the file gives to a document: the defaults, then every rule that fits, a later one over an earlier one.

        A restricted document gets its roles from rules that name one of its segments, and from nothing else; these
        rules come after all others.
        """
        fitting = [number for number, rule in enumerate(self._content.rules) if rule.when.fits(subject)]
        self._unused.difference_update(fitting)
        given = dict(self._content.defaults.content)
        rules = [self._content.rules[number] for number in fitting]
        for rule in rules:
            given |= rule.give.content
        if subject.segments:
            # INVARIANT: what a help centre keeps for some is never opened to others by a rule about something else.
            given.pop("roles", None)
            for rule in rules:
                given |= rule.give.content if rule.when.segments is not None else {}
        return given

    def note(self, subject: Subject) -> None:
        """Remember which rules fit a document that is not read again; cheap once every rule fitted one."""
        rules = self._content.rules
        self._unused -= {number for number in self._unused if rules[number].when.fits(subject)}

    def unused(self) -> tuple[Problem, ...]:
        """The rules that fitted no document so far: mistyped, or left over."""
        return tuple(
            Problem(self._file, self._lines[number], "this rule fits no document; check the spelling, or remove it")
            for number in sorted(self._unused)
        )


def load_mapping(path: Path) -> MetadataMapping:
    """Read a mapping file.

    Raises:
        ConfigError: it cannot be read or used; everything that is wrong with it is listed with its line.
    """
    problems: list[Problem] = []
    source = yamlsource.read(path, str(path), problems)
    content = None if source is None else source.parse(MappingFile, problems)
    if source is None or content is None:
        raise ConfigError([str(problem) for problem in problems])
    return MetadataMapping(content, str(path), [source.line(("rules", number)) for number in range(len(content.rules))])


def _pattern(globs: Sequence[str], *, in_paths: bool) -> re.Pattern[str]:
    """One pattern for globs. Names know no letter case; in paths only `**` crosses folders."""
    flags = 0 if in_paths else re.IGNORECASE
    return re.compile("|".join(_translated(glob, in_paths=in_paths) for glob in globs), flags | re.DOTALL)


def _translated(glob: str, *, in_paths: bool) -> str:
    inside: Mapping[str, str] = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*" if in_paths else ".*", "?": "."}
    return "".join(
        inside.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*|\?)" if in_paths else r"(\*|\?)", glob)
    )
