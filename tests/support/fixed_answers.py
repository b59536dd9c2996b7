"""A server on a loopback socket that gives every request the same answer, for adapters that must survive it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from tests.support.loopback import Talk, listening


@dataclass
class FixedAnswers:
    """What is sent, after `seconds`, and what headers came in."""

    status: int = 200
    body: bytes = b""
    seconds: float = 0.0
    url: str = ""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    closing: Event = field(default_factory=Event)


@contextmanager
def answering(status: int, body: bytes = b"", seconds: float = 0.0) -> Iterator[FixedAnswers]:
    """A server that runs inside the context."""
    fixed = FixedAnswers(status, body, seconds)

    class Answer(Talk):
        def do_GET(self) -> None:  # noqa: N802 - the library's name
            fixed.headers.append({name.lower(): text for name, text in self.headers.items()})
            self.rfile.read(int(self.headers["content-length"] or 0))
            fixed.closing.wait(fixed.seconds)
            self.send_response(fixed.status)
            self.send_header("content-length", str(len(fixed.body)))
            self.end_headers()
            self.wfile.write(fixed.body)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the library's names

    with listening(Answer, fixed.closing) as address:
        fixed.url = address
        yield fixed
