"""A server on a loopback socket, for stand-ins that answer in a way of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


class Talk(BaseHTTPRequestHandler):
    """A request to a stand-in."""

    def log_message(self, *parts: object) -> None:
        """Nothing on standard error."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *parts: object) -> None:
        """A client that has gone is no news."""


@contextmanager
def listening(talk: type[Talk], closing: Event) -> Iterator[str]:
    """A server that runs inside the context, by its address; `closing` is set at its end, before it waits for talks."""
    server = _Quiet(("127.0.0.1", 0), talk)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
