"""The passages of a generation as they lie on disk: cards and texts as JSON lines, embeddings as one array."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.documents import Document, DocumentCard
from handrail.retrieval.reading.markdown import visible
from handrail.retrieval.reading.splitter import passage_ids, split

CARDS = "documents.jsonl"
PASSAGES = "passages.jsonl"
EMBEDDINGS = "embeddings.npy"
PASSAGE_WORDS = "passage_words.npz"
DOCUMENT_WORDS = "document_words.npz"
CHROMA = "chroma"

FrozenT = TypeVar("FrozenT", bound=Frozen)

_MARKUP = re.compile(r"[*`#|]+")


class StoredPassage(Frozen):
    """One passage. `digest` identifies the text that was embedded, so that a later ingest can reuse the embedding."""

    passage_id: str
    doc_id: str
    heading: str
    text: str
    digest: str


def cut(document: Document) -> tuple[StoredPassage, ...]:
    """The passages of a document, in reading order."""
    pieces = split(visible(document.body))
    card = document.card
    return tuple(
        StoredPassage(
            passage_id=passage_id,
            doc_id=card.doc_id,
            heading=piece.heading,
            text=piece.text,
            digest=hashlib.sha256(embedded_text(card.title, piece.heading, piece.text).encode()).hexdigest(),
        )
        for passage_id, piece in zip(passage_ids(card.doc_id, pieces), pieces, strict=True)
    )


def embedded_text(title: str, heading: str, text: str) -> str:
    """What the encoder sees of a passage: title and headings say what the text is about."""
    return f"{title}. {heading + '. ' if heading else ''}{_MARKUP.sub(' ', text)}"


def write_lines(path: Path, items: Iterable[Frozen]) -> None:
    """Write one JSON object per line."""
    with path.open("w", encoding="utf-8") as stream:
        for item in items:
            stream.write(item.model_dump_json() + "\n")


def read_cards(path: Path) -> tuple[DocumentCard | None, ...]:
    """The cards; a malformed one is None, and its document is in nobody's scope.

    Raises:
        OSError: the file cannot be read.
    """
    return tuple(_read(DocumentCard, line) for line in _lines(path))


def read_passages(path: Path) -> tuple[StoredPassage | None, ...]:
    """The passages; a malformed one is None.

    Raises:
        OSError: the file cannot be read.
    """
    return tuple(_read(StoredPassage, line) for line in _lines(path))


def _lines(path: Path) -> Sequence[str]:
    # Not splitlines(): JSON leaves line separators of Unicode inside a text as they are.
    return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]


def _read(model: type[FrozenT], line: str) -> FrozenT | None:
    try:
        return model.model_validate_json(line)
    except ValidationError:
        return None
