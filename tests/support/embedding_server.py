"""An OpenAI-compatible endpoint for embeddings on a loopback socket, which answers as a test wants, well or badly."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

import numpy as np
from pydantic import BaseModel

from tests.support.hashing_encoder import HashingEncoder
from tests.support.loopback import Talk, listening


class Asked(BaseModel):
    """A request as it came in."""

    model: str
    input: list[str]
    encoding_format: str = "float"
    dimensions: int | None = None
    key: str = ""


@dataclass
class Bad:
    """What is sent in the place of an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How long to wait before the body."""


@dataclass
class EmbeddingServer:
    """The endpoint at `url`. It sends what is in `bad`, one after the other, and is good from then on.

    Its vectors are those of `HashingEncoder`, seven times as long, cut to the dimensions that are asked for.
    """

    url: str = ""
    bad: list[Bad] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    shuffled: bool = False
    packed: bool = False
    length: int = HashingEncoder.dimensions
    closing: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    @property
    def texts(self) -> list[str]:
        """All that was embedded."""
        return [text for one in self.asked for text in one.input]

    def answer(self, asked: Asked) -> Bad:
        """What goes out."""
        with self._lock:
            self.asked.append(asked)
            if self.bad:
                return self.bad.pop(0)
        return Bad(body=self.body(asked.input, asked.dimensions or self.length))

    def body(self, texts: Sequence[str], length: int) -> bytes:
        """A good answer."""
        rows = 7.0 * HashingEncoder().encode(texts)[:, :length]
        found = [
            {"object": "embedding", "index": number, "embedding": self._written(row)} for number, row in enumerate(rows)
        ]
        if self.shuffled:
            found.reverse()
        return json.dumps({"object": "list", "data": found, "usage": {"prompt_tokens": 1, "total_tokens": 1}}).encode()

    def _written(self, row: np.ndarray) -> list[float] | str:
        return base64.b64encode(row.astype("<f4").tobytes()).decode() if self.packed else row.tolist()


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """A server that runs inside the context."""
    served = EmbeddingServer()

    class Answer(Talk):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802 - the library's name
            content = self.rfile.read(int(self.headers["content-length"]))
            asked = Asked.model_validate_json(content).model_copy(update={"key": self.headers["authorization"] or ""})
            sent = served.answer(asked) if self.path == "/v1/embeddings" else Bad(status=404)
            served.closing.wait(sent.seconds)
            self.send_response(sent.status)
            for name, text in {"content-type": "application/json", **sent.headers}.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(sent.body)))
            self.end_headers()
            self.wfile.write(sent.body)

    with listening(Answer, served.closing) as address:
        served.url = f"{address}/v1"
        yield served
