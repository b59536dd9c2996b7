"""Files that customers attach: what is stored of them. They are for people; no model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handrail.guardrails.vocabulary import Frozen

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes."""


class StoredFile(Frozen):
    """A file without its bytes. `size` in bytes, `sha256` in hex."""

    file_id: str
    name: str
    media_type: str
    size: int
    sha256: str
    at: datetime


class FileContent(Frozen):
    """A file with its bytes."""

    stored: StoredFile
    content: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a customer sent it. `name` is what they call it; what it is, is read from `content` alone."""

    name: str
    content: bytes
