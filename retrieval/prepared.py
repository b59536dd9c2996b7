"""Documents made ready for a base: read, screened and cut, or taken over from the live generation as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import FORMAT, BaseFolder, Generation, Quarantine
from handrail.retrieval.passages import CARDS, PASSAGES, StoredPassage, cut, read_cards, read_passages
from handrail.retrieval.reading.mapping import MetadataMapping
from handrail.retrieval.reading.sources import Sources
from handrail.retrieval.reading.unread import Unread
from handrail.retrieval.screen import Screen, screen_document


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a generation will hold of a document. One in quarantine has no passages."""

    card: DocumentCard
    passages: tuple[StoredPassage, ...]
    quarantine: Quarantine | None = None


@dataclass(frozen=True, slots=True)
class PreparedSet:
    """All usable documents of the sources, in their order; `taken_over` of them were not read again.

    `problems` tell what is wrong with the others, and `notes` what else somebody should know.
    """

    documents: tuple[Prepared, ...]
    taken_over: int
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]

    @property
    def bad_files(self) -> tuple[str, ...]:
        """The files that have documents which were left out."""
        return tuple(sorted({problem.file for problem in self.problems}))

    def insist(self) -> None:
        """Raise RetrievalError, which tells what is wrong, when no document can be used."""
        if not self.documents:
            wrong = "\n".join(f"  - {one}" for one in (*self.problems, *self.notes))
            raise RetrievalError(f"No article can be used:\n{wrong}")


def prepare(
    sources: Sources, screen: Screen, known: Mapping[str, Prepared], progress: Callable[[int, int], None]
) -> PreparedSet:
    """Make every document of `sources` ready. Of several with one id only the first counts.

    A document of which `known` has the same content, by its path, is taken over. `progress` is told how many documents
    are done, and how many there are at least.
    """
    problems = sources.problems
    total = len(sources)
    taken_over = 0
    documents: dict[str, Prepared] = {}
    for done, unread in enumerate(sources.documents(), start=1):
        found = known.get(unread.path)
        if found is None or found.card.digest != unread.digest:
            found = _read(unread, sources.mapping, screen, problems)
        else:
            taken_over += 1
            if sources.mapping is not None:
                sources.mapping.note(unread.subject)
        if found is not None:
            first = documents.setdefault(found.card.doc_id, found)
            if first is not found:
                where = f"the id {found.card.doc_id!r} belongs to {first.card.path} already; choose another one"
                problems.append(Problem(unread.path, 1, where))
        progress(done, max(done, total))
    unused = () if sources.mapping is None else sources.mapping.unused()
    return PreparedSet(tuple(documents.values()), taken_over, tuple(problems), (*sources.notes, *unused))


def _read(unread: Unread, mapping: MetadataMapping | None, screen: Screen, problems: list[Problem]) -> Prepared | None:
    document = unread.read(mapping, problems)
    if document is None:
        return None
    suspicion = screen_document(document, screen)
    return Prepared(document.card, () if suspicion else cut(document), suspicion)


def reading(screen: Screen, mapping: MetadataMapping | None) -> str:
    """Names the way in which documents are read: the same file, read the same way, gives the same passages."""
    content = "" if mapping is None else mapping.revision
    return hashlib.sha256(f"{FORMAT}\n{screen.revision}\n{content}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Making:
    """How a generation is made, beside what it is made from."""

    encoder: str
    calibration: Calibration
    read_by: str


def revision_of(making: Making, quarantined: Iterable[Quarantine], lines: Iterable[bytes]) -> str:
    """The revision of a generation from all that decides about searches; `lines` are its cards and passages."""
    made = (str(FORMAT), making.encoder, making.calibration.model_dump_json(), making.read_by)
    digest = hashlib.sha256("\n".join(made).encode())
    for part in (b"\n", *map(as_line, quarantined), b"\n", *lines):
        digest.update(part)
    return digest.hexdigest()


def as_line(item: Frozen) -> bytes:
    """An item as it stands in a file of JSON lines."""
    return item.model_dump_json().encode() + b"\n"


def in_generation(base: BaseFolder, live: Generation | None, read_by: str) -> dict[str, Prepared]:
    """The documents of the live generation by path, if they were read in this way; none if anything is doubtful."""
    if live is None:
        return {}
    folder = base.folder(live)
    try:
        manifest = base.manifest(live)
        files = (folder / CARDS).read_bytes(), (folder / PASSAGES).read_bytes()
        # INVARIANT: what is taken over is what was once read; files that were changed since have another revision.
        making = Making(manifest.encoder, manifest.calibration, manifest.read_by)
        if manifest.read_by != read_by or revision_of(making, manifest.quarantined, files) != live.revision:
            return {}
        cards, passages = read_cards(folder / CARDS), read_passages(folder / PASSAGES)
    except (RetrievalError, OSError):
        return {}
    by_document: dict[str, list[StoredPassage]] = {}
    for one in passages:
        if one is not None:
            by_document.setdefault(one.doc_id, []).append(one)
    # The line of a suspicion may have moved within an export, so what is in quarantine is read again.
    closed = {entry.doc_id for entry in manifest.quarantined}
    return {
        card.path: Prepared(card, tuple(by_document.get(card.doc_id, ())))
        for card in cards
        if card is not None and card.doc_id not in closed
    }
