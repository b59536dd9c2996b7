"""Running the web application: the port, the server, and a shutdown that finishes what was begun."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from handrail.agent.server.desk import Desk
from handrail.guardrails.errors import ConfigError

GRACE_SECONDS = 25
"""How long a shutdown waits for turns that run; a little more than a turn's deadline."""


def claim(host: str, port: int) -> socket.socket:
    """Take the address, without answering on it yet, so that a used port is known before anything is built.

    Raises:
        ConfigError: the port is used, needs other rights, or the host is not an address of this machine.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, proto)
    except OSError as error:
        raise ConfigError([f"HANDRAIL_HOST: {host} is not an address ({error}). Try 127.0.0.1 or 0.0.0.0."]) from error
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        # Two sockets may be bound to one port as long as neither listens; listening settles it.
        taken.listen(1)
    except OSError as error:
        taken.close()
        raise ConfigError([_why(error, host, port)]) from error
    return taken


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8321
        return (
            f"port {port} of {host} is in use. Stop the program that uses it, or try `handrail serve --port {other}`."
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs other rights. Use one above 1023, such as `handrail serve --port 8321`."
    return f"{host} is not an address of this machine ({error.strerror}). Try `handrail serve --host 127.0.0.1`."


def address_of(taken: socket.socket) -> str:
    """The URL that reaches a claimed address from this machine."""
    host, port = taken.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - what it is compared with, not bound to
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Announcing(uvicorn.Server):
    """A server that says when it answers, and when it begins to stop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Uvicorn waits for open connections: streams have to hear of it, or it would wait for all of them."""
        self._stopping()
        await super().shutdown(sockets)


def config_of(app: FastAPI, grace: int, proxies: str = "127.0.0.1") -> uvicorn.Config:
    """How the application is served; `grace` is how many seconds closing waits for requests that run."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=grace,
        ws="none",
        forwarded_allow_ips=proxies,
    )


async def serve(app: FastAPI, taken: socket.socket, ready: Callable[[], None], proxies: str = "127.0.0.1") -> None:
    """Answer until SIGINT or SIGTERM, then finish the requests that run; a second signal gives up on them.

    Streams that only follow a conversation end at once. `proxies` are the addresses, separated by commas, whose word
    about the caller's address and scheme is taken.
    """
    desk: object = app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - create_app puts it there
    config = config_of(app, GRACE_SECONDS, proxies)
    with _signals_end_quietly():
        await _Announcing(config, ready, desk.streams.closing.set).serve(sockets=[taken])


@contextlib.contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """Uvicorn raises the signal again when it is done; that must not kill the process before the store is closed."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        pass

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
