"""The files that customers attach, with their bytes."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, func, insert, select

from handrail.agent.files import FileContent, StoredFile
from handrail.agent.store.conversations import LONGEST_NAME, Place, checked
from handrail.agent.store.tables import files
from handrail.agent.store_port import TooManyFiles

MOST_FILES = 10
MOST_BYTES = 20 * 1024 * 1024
"""Both per conversation."""

_WITHOUT_BYTES = select(
    files.c.file_id, files.c.name, files.c.media_type, files.c.size, files.c.sha256, files.c.at
).order_by(files.c.at, files.c.file_id)


def put(connection: Connection, place: Place, content: FileContent) -> StoredFile:
    """Store a file of a locked conversation. Raises TooManyFiles, ValueError when the bytes are not those described."""
    stored = content.stored
    if len(content.content) != stored.size or hashlib.sha256(content.content).hexdigest() != stored.sha256:
        raise ValueError("the size or the digest of the file are not those of its bytes")
    checked("file name", stored.name)
    checked("media type", stored.media_type, LONGEST_NAME)
    number, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(
            files.c.site == place.site, files.c.conversation_id == place.conversation_id
        )
    ).one()
    if number >= MOST_FILES:
        raise TooManyFiles(f"this conversation holds {number} files already, and may hold no more")
    if size + stored.size > MOST_BYTES:
        raise TooManyFiles(f"the files of this conversation would hold more than {MOST_BYTES} bytes together")
    connection.execute(insert(files).values(**place._asdict(), **stored.model_dump(), content=content.content))
    return stored


def one(connection: Connection, place: Place, file_id: str) -> FileContent | None:
    """One file of a conversation with its bytes."""
    row = (
        connection.execute(
            _WITHOUT_BYTES.add_columns(files.c.content).where(
                files.c.site == place.site,
                files.c.conversation_id == place.conversation_id,
                files.c.file_id == file_id,
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    described = {name: value for name, value in row.items() if name != "content"}
    return FileContent(stored=StoredFile.model_validate(described), content=bytes(row["content"]))


def of_conversation(connection: Connection, place: Place) -> tuple[StoredFile, ...]:
    """The files of a conversation without their bytes, oldest first."""
    rows = connection.execute(
        _WITHOUT_BYTES.where(files.c.site == place.site, files.c.conversation_id == place.conversation_id)
    )
    return tuple(StoredFile.model_validate(dict(row)) for row in rows.mappings())
