"""A server on a loopback socket that gives every request the same answer, for adapters that must survive it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


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

    class Talk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fixed.headers.append({name.lower(): text for name, text in self.headers.items()})
            self.rfile.read(int(self.headers["content-length"] or 0))
            fixed.closing.wait(fixed.seconds)
            self.send_response(fixed.status)
            self.send_header("content-length", str(len(fixed.body)))
            self.end_headers()
            self.wfile.write(fixed.body)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the library's names

        def log_message(self, *parts: object) -> None:
            """Nothing on standard error."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *parts: object) -> None:
            """A client that has gone is no news."""

    server = Quiet(("127.0.0.1", 0), Talk)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fixed.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fixed
    finally:
        fixed.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
