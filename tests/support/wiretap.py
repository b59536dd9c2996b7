"""A tap in front of a server: hears every byte that goes in and out, and can lose answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

PIECE = 65_536


class Wiretap:
    """Passes connections on to `target`, an address such as http://127.0.0.1:8321.

    `heard` is called with each piece that the server sends, before it is passed on. The answers of the first `losing`
    connections never arrive: their connection breaks instead.
    """

    def __init__(self, target: str, heard: Callable[[bytes], None] | None = None, losing: int = 0) -> None:
        split = urlsplit(target)
        assert split.hostname is not None
        assert split.port is not None
        self._target = (split.hostname, split.port)
        self._heard = heard
        self._losing = losing
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.out = bytearray()
        """Everything the server has sent, in order of arrival."""
        self.asked = bytearray()
        """Everything that was sent to the server."""

    async def __aenter__(self) -> Wiretap:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and break what still runs."""
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    @property
    def address(self) -> str:
        """Where to connect instead."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loses = self._losing > 0
        self._losing -= 1
        from_server, to_server = await asyncio.open_connection(*self._target)
        asking = asyncio.create_task(_pass(reader, to_server, self.asked))
        try:
            while piece := await from_server.read(PIECE):
                self.out += piece
                if self._heard is not None:
                    self._heard(piece)
                if loses:
                    break
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # the client has gone, which is what some tests want
        finally:
            asking.cancel()
            for each in (writer, to_server):
                each.close()
                with suppress(ConnectionError):
                    await each.wait_closed()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            heard += piece
            writer.write(piece)
            await writer.drain()
        writer.close()  # a client that leaves is seen to leave
