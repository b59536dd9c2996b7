"""Articles as Markdown with front matter; whatever is wrong with one is reported with file and line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from handrail.guardrails import yamlsource
from handrail.guardrails.scope import Audience, Authority, Classes, LanguageCode, Validity, Word
from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.errors import RetrievalError

MAX_BYTES = 2_000_000
"""A larger file is not an article."""

FENCE = "---"

DocId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=120)]
Title = Annotated[str, Field(pattern=r"\S", max_length=200)]
Day = Annotated[date, Field(strict=True)]


class FrontMatter(Frozen):
    """The metadata that an article starts with. Only `valid_until` may be left out."""

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

    `digest` is the SHA-256 of the file.
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
    """A well-formed article. `body_line` is the line of the file on which `body` begins, from 1."""

    card: DocumentCard
    body: str
    body_line: int


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """All articles of a folder, ordered by path, and what was wrong with the others."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]

    @property
    def bad_files(self) -> tuple[str, ...]:
        """The files that were left out."""
        return tuple(sorted({problem.file for problem in self.problems}))


def read_folder(folder: Path, progress: Callable[[int, int], None] | None = None) -> DocumentSet:
    """Read every `*.md` below `folder`; hidden files and folders are passed over.

    `progress` is told how many files of how many are done. Of several documents with one id only the first counts.

    Raises:
        RetrievalError: `folder` is not a folder, or holds no Markdown file.
    """
    if not folder.is_dir():
        raise RetrievalError(f"{folder} is not a folder. Name the folder that holds the articles (Markdown files).")
    paths = sorted(path for path in folder.rglob("*.md") if not _hidden(path.relative_to(folder)))
    if not paths:
        raise RetrievalError(f"{folder} holds no Markdown file (*.md), so there is nothing to ingest.")
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for done, path in enumerate(paths, start=1):
        shown_as = path.relative_to(folder).as_posix()
        document = read_document(path, shown_as, problems)
        if document is not None:
            first = documents.setdefault(document.card.doc_id, document)
            if first is not document:
                where = f"the id {document.card.doc_id!r} belongs to {first.card.path} already; choose another one"
                problems.append(Problem(shown_as, 1, where))
        if progress is not None:
            progress(done, len(paths))
    return DocumentSet(tuple(documents.values()), tuple(problems))


def read_document(path: Path, shown_as: str, problems: list[Problem]) -> Document | None:
    """Read one article; everything wrong with it goes to `problems`, and then the result is None."""
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.append(Problem(shown_as, 1, f"larger than {MAX_BYTES:,} bytes; split the article"))
            return None
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(shown_as, 1, f"cannot read the file as UTF-8: {error}"))
        return None
    return parse_document(text, shown_as, hashlib.sha256(raw).hexdigest(), problems)


def parse_document(text: str, shown_as: str, digest: str, problems: list[Problem]) -> Document | None:
    """Parse the text of an article; see `read_document`."""
    lines = re.split(r"\r\n|\r|\n", text)
    if lines[0].rstrip() != FENCE:
        problems.append(Problem(shown_as, 1, "no front matter: the first line must be `---`, then the metadata"))
        return None
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == FENCE), None)
    if end is None:
        problems.append(Problem(shown_as, 1, "the front matter has no end: close it with a line `---`"))
        return None
    # One empty line stands for the opening fence, so that lines of YAML are lines of the file.
    source = yamlsource.parse("\n".join(["", *lines[1:end]]), shown_as, problems)
    if source is None:
        return None
    try:
        # Through JSON, because only there a list is a tuple and a text a day under strict rules.
        front = FrontMatter.model_validate_json(json.dumps(source.content))
    except ValidationError as error:
        problems.extend(_problems(error, source))
        return None
    card = _card(front, shown_as, digest, source, problems)
    if card is None:
        return None
    body = "\n".join(lines[end + 1 :])
    if not body.strip():
        problems.append(Problem(shown_as, end + 2, "the article has no text"))
        return None
    return Document(card, body, end + 2)


def _card(
    front: FrontMatter, path: str, digest: str, source: yamlsource.Document, problems: list[Problem]
) -> DocumentCard | None:
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
            field = f"{item['loc'][0]}s"  # the five lists of the front matter are the plurals of their families
            problems.append(source.problem((field,), f"{field}: {item['msg'].removeprefix('Value error, ')}"))
        return None
    if front.valid_until is not None and front.valid_until < front.valid_from:
        problems.append(source.problem(("valid_until",), "valid_until: lies before valid_from"))
        return None
    return DocumentCard(
        doc_id=front.id,
        title=" ".join(front.title.split()),
        product_area=front.product_area,
        audience=audience,
        validity=Validity(first=front.valid_from, last=front.valid_until),
        path=path,
        digest=digest,
    )


def _problems(error: ValidationError, source: yamlsource.Document) -> Iterator[Problem]:
    words = {"missing": "this field is missing", "extra_forbidden": "no such field; check the spelling, or remove it"}
    for item in error.errors(include_url=False):
        # The name of a missing field stands nowhere in the file, so the line is that of the front matter.
        where = ".".join(str(part) for part in item["loc"]) or "the front matter"
        yield source.problem(item["loc"], f"{where}: {words.get(item['type'], item['msg'])}")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
