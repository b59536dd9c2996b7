"""The documents and passages of a generation as they are read back: only those that can be read and belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import REPAIR, Manifest
from handrail.retrieval.passages import CARDS, EMBEDDINGS, PASSAGES, StoredPassage, read_cards, read_passages


@dataclass(frozen=True, slots=True)
class Stored:
    """What is sound in the files of a generation. `embeddings` have shape (passages, dimensions) and length one.

    `numbers` and `rows` say which of the `card_lines` cards and of the `lines` passages these are: a document or a
    passage that cannot be read is nobody's.
    """

    cards: Sequence[DocumentCard]
    passages: Sequence[StoredPassage]
    embeddings: NDArray[np.float32]
    numbers: Sequence[int]
    rows: Sequence[int]
    card_lines: int
    lines: int

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> Self:
        """Read the files in `folder`; the embeddings are mapped and not copied where all passages are sound.

        Raises:
            RetrievalError: a file is missing or damaged as a whole.
        """
        try:
            cards, passages = read_cards(folder / CARDS), read_passages(folder / PASSAGES)
            embeddings = np.load(folder / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise damaged(folder, str(error)) from error
        if embeddings.shape != (len(passages), manifest.dimensions):
            raise damaged(folder, "embeddings and passages differ in number")
        numbers, rows = _sound(cards, passages)
        return cls(
            cards=[card for number in numbers if (card := cards[number]) is not None],
            passages=[passage for row in rows if (passage := passages[row]) is not None],
            embeddings=embeddings.view(np.ndarray) if len(rows) == len(passages) else embeddings[rows],
            numbers=numbers,
            rows=rows,
            card_lines=len(cards),
            lines=len(passages),
        )


def damaged(folder: Path, why: str) -> RetrievalError:
    """The error that says what is wrong with the files in `folder`, and what to run."""
    return RetrievalError(f"The knowledge base in {folder} is damaged ({why}). {REPAIR}")


def _sound(
    cards: Sequence[DocumentCard | None], passages: Sequence[StoredPassage | None]
) -> tuple[list[int], list[int]]:
    """Numbers of the cards that can be read, and rows of the passages that belong to one of them."""
    kept, known, doubtful = [], set[str](), set[str]()
    for number, card in enumerate(cards):
        if card is None:
            continue
        (doubtful if card.doc_id in known else known).add(card.doc_id)
        kept.append(number)
    # INVARIANT: a document with two cards has no card, because nobody knows which one is true.
    kept = [number for number in kept if (card := cards[number]) is not None and card.doc_id not in doubtful]
    known -= doubtful
    return kept, [row for row, passage in enumerate(passages) if passage is not None and passage.doc_id in known]
