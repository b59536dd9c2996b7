"""Files that customers attach: what is stored of them. They are for people; no model sees them."""

from __future__ import annotations

from datetime import datetime

from handrail.guardrails.vocabulary import Frozen


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
