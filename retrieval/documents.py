"""Documents of a knowledge base, and the metadata without which none is ingested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from pydantic import Field, JsonValue, ValidationError

from handrail.guardrails.scope import Audience, Authority, Classes, LanguageCode, Validity, Word
from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import PathKey, Problem

DocId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=120)]
Title = Annotated[str, Field(pattern=r"\S", max_length=200)]
Day = Annotated[date, Field(strict=True)]


class FrontMatter(Frozen):
    """The metadata that every document has. Only `valid_until` may be left out."""

    id: DocId
    title: Title
    roles: Classes
    stacks: Classes
    regions: Classes
    plans: Classes
    product_area: Word
    authority: Authority
    language: LanguageCode
    valid_from: Day
    valid_until: Day | None = None
    need_states: Classes


class DocumentCard(Frozen):
    """What a base keeps of a document beside its passages: enough to decide who may see it, and to cite it.

    `path` says where it was read, and `digest` is the SHA-256 of all that it was read from there.
    """

    doc_id: DocId
    title: Title
    product_area: Word
    audience: Audience
    validity: Validity
    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Document:
    """A well-formed document, which begins on `first_line` of its source.

    `body` is Markdown, and `lines` says for each line of it where in the source it stands.
    """

    card: DocumentCard
    body: str
    lines: Sequence[int]
    first_line: int = 1

    def line(self, number: int) -> int:
        """The line of the source for a line of the body, counted from 1."""
        return self.lines[max(0, min(number, len(self.lines)) - 1)]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says of itself, and on which line of `file`; `line` stands for what is said nowhere."""

    file: str
    content: Mapping[str, JsonValue]
    lines: Mapping[PathKey, int] = field(default_factory=dict)
    line: int = 1

    def problem(self, path: PathKey, message: str) -> Problem:
        """A problem with the field, or the item of a field, at `path`."""
        return Problem(self.file, self.lines.get(path, self.lines.get(path[:1], self.line)), message)


def card_of(own: Metadata, given: Mapping[str, JsonValue], digest: str, problems: list[Problem]) -> DocumentCard | None:
    """The card of a document from what it says of itself, and from what is `given` for all that it does not say.

    Everything wrong or missing goes to `problems`, and then the result is None.
    """
    try:
        # Through JSON, because only there a list is a tuple and a text a day under strict rules.
        front = FrontMatter.model_validate_json(json.dumps({**given, **own.content}))
    except ValidationError as error:
        problems.extend(_problems(error, own))
        return None
    try:
        audience = Audience(
            role=front.roles,
            region=front.regions,
            plan=front.plans,
            stack=front.stacks,
            authority=front.authority,
            language=front.language,
            need_state=front.need_states,
        )
    except ValidationError as error:
        for item in error.errors(include_url=False):
            name = f"{item['loc'][0]}s"  # the five lists of the front matter are the plurals of their families
            problems.append(own.problem((name,), f"{name}: {item['msg'].removeprefix('Value error, ')}"))
        return None
    if front.valid_until is not None and front.valid_until < front.valid_from:
        problems.append(own.problem(("valid_until",), "valid_until: lies before valid_from"))
        return None
    return DocumentCard(
        doc_id=front.id,
        title=" ".join(front.title.split()),
        product_area=front.product_area,
        audience=audience,
        validity=Validity(first=front.valid_from, last=front.valid_until),
        path=own.file,
        digest=digest,
    )


def _problems(error: ValidationError, own: Metadata) -> Iterator[Problem]:
    words = {
        "missing": "this field is missing; add it, or give it in the mapping file",
        "extra_forbidden": "no such field; check the spelling, or remove it",
    }
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"]) or "the front matter"
        yield own.problem(item["loc"], f"{where}: {words.get(item['type'], item['msg'])}")
