"""Reads what an embeddings endpoint sends, within limits; everything unexpected is `Unusable`."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from handrail.agent.models.wire import MAX_BODY, TooLarge, Unusable
from handrail.agent.ports import PortError


class Unfit(PortError):
    """An answer that another attempt would not mend."""


class _Row(BaseModel):
    index: int
    embedding: list[float] | str


class _Body(BaseModel):
    data: list[_Row]


def bounded(pieces: Iterator[bytes], deadline: float, seconds: float) -> bytes:
    """What the pieces come to, by `deadline`, a time of the monotonic clock, which was `seconds` away.

    Raises:
        PortError: they are too many, or too late.
    """
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > MAX_BODY:
            raise TooLarge(f"its answer is larger than {MAX_BODY} bytes")
        if time.monotonic() > deadline:
            raise Unfit(f"the endpoint did not answer within {seconds:g} seconds")
    return bytes(content)


def vectors_of(content: bytes, count: int) -> NDArray[np.float32]:
    """The vectors of an answer for `count` texts in their order, at length one; shape (count, dimensions).

    Raises:
        Unusable: they are none, or not those of these texts.
    """
    return _normal(_rows(content, count))


def _rows(content: bytes, count: int) -> NDArray[np.float32]:
    """The vectors of an answer in the order of their indexes, as long as they are there."""
    try:
        body = _Body.model_validate_json(content)
    except ValidationError:
        # `from None`: the error would repeat what the endpoint sent.
        raise Unusable("it sent something that is no list of embeddings; check HANDRAIL_EMBEDDING_BASE_URL") from None
    if len(body.data) != count:
        raise Unusable(f"it sent {len(body.data)} embeddings for {count} texts")
    if sorted(row.index for row in body.data) != list(range(count)):
        raise Unusable(f"its embeddings are not numbered 0 to {count - 1}")
    vectors = [_vector(row.embedding) for row in sorted(body.data, key=lambda row: row.index)]
    if len({len(vector) for vector in vectors}) != 1 or not len(vectors[0]):
        raise Unusable("its embeddings differ in length or are empty")
    return np.stack(vectors)


def _vector(embedding: list[float] | str) -> NDArray[np.float32]:
    """One embedding. Some endpoints send Base64 of little-endian float32 without being asked."""
    if not isinstance(embedding, str):
        return np.array(embedding, dtype=np.float32)
    try:
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    except (binascii.Error, ValueError):
        raise Unusable("one of its embeddings is neither a list of numbers nor Base64 of float32") from None


def _normal(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows` at length one."""
    # In double precision: the squares of large numbers go beyond float32.
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0.0).all():
        raise Unusable("one of its embeddings is zero or not finite, so it has no direction")
    return np.asarray(rows / lengths, dtype=np.float32)
