"""What a check of the base finds: a code, how grave it is, where it stands, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.documents import DocumentCard


class Severity(StrEnum):
    """How grave a finding is, the gravest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """The kinds of findings, in the order in which they are told."""

    CONTRADICTION = "KB_CONTRADICTION"
    EXPIRED = "KB_EXPIRED"
    EXPIRES_SOON = "KB_EXPIRES_SOON"
    NOT_YET_VALID = "KB_NOT_YET_VALID"
    UNKNOWN_CLASS = "KB_UNKNOWN_CLASS"
    LINK_BROKEN = "KB_LINK_BROKEN"
    NEVER_ELIGIBLE = "KB_NEVER_ELIGIBLE"
    QUARANTINED = "KB_QUARANTINED"
    NEED_UNSERVED = "KB_NEED_UNSERVED"
    ACCESS_HOLE = "KB_ACCESS_HOLE"


class Place(Frozen):
    """Where something stands in the base. Empty parts say nothing; a line of 0 is not known."""

    path: str
    doc_id: str
    line: int = 0
    heading: str = ""
    sentence: str = ""
    values: tuple[str, ...] = ()


class Finding(Frozen):
    """One finding: `found` says what is so, `to_do` what to do about it. Without places it is about the whole base."""

    code: Code
    severity: Severity
    places: tuple[Place, ...]
    found: str
    to_do: str


def place_of(card: DocumentCard, *, line: int = 0, heading: str = "", sentence: str = "") -> Place:
    """A place in the document of `card`."""
    return Place(path=card.path, doc_id=card.doc_id, line=line, heading=heading, sentence=sentence)
