"""Chroma as a server by URL: one collection per generation, named after base and generation."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection as Of
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from handrail.retrieval.chroma_place import BATCH, Connection, configuration
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import EMBEDDED, REPAIR, BaseFolder, Generation, Manifest, write_durably

if TYPE_CHECKING:
    from chromadb.api.fastapi import FastAPI
    from chromadb.api.models.Collection import Collection

BASE_ID = "chroma.id"
"""The file that holds the name of a base on servers."""

WRITE_SECONDS = 60.0
"""What one request of an ingest may take: the server may be indexing what came before."""

NUMBERS = 1_000_000
"""Numbers in one request of an ingest, some 6 MB: servers and proxies refuse large ones."""

LISTED = 100
"""Collections on one page of a list."""

_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class ChromaServer:
    """A server. `headers` go with every request; `seconds` is what one request of a search may take."""

    url: str
    tenant: str = "default_tenant"
    database: str = "default_database"
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    seconds: float = 2.0

    @property
    def name(self) -> str:
        """Address, tenant and database, without anything secret that may stand in a URL."""
        parts = urlsplit(self.url)
        return f"server {parts.scheme}://{parts.netloc.rpartition('@')[2]} ({self.tenant}/{self.database})"

    def making(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to write a new generation with."""
        return _Connection(self, WRITE_SECONDS, _prefix(_made_id(base)) + generation.generation_id)

    def reading(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to read a generation with."""
        known = _id_of(base)
        if known is None:
            raise RetrievalError(
                f"The knowledge base in {base.path} is damaged: no valid {base.path / BASE_ID}. {REPAIR}"
            )
        return _Connection(self, self.seconds, _prefix(known) + generation.generation_id)

    def holds(self, base: BaseFolder, manifest: Manifest) -> bool:
        """Whether the collection is there with all its passages."""
        if manifest.chroma == EMBEDDED or _id_of(base) is None:
            return False
        with closing(
            _Connection(self, WRITE_SECONDS, _prefix(_made_id(base)) + manifest.generation.generation_id)
        ) as to:
            return to.count() == manifest.passages

    def sweep(self, base: BaseFolder, kept: Of[str]) -> None:
        """Remove the collections of this base that belong to no generation in `kept`."""
        prefix = _prefix(_made_id(base))
        with closing(_Connection(self, WRITE_SECONDS, prefix)) as to:
            for name in to.names():
                if name.startswith(prefix) and name.removeprefix(prefix) not in kept:
                    to.drop(name)


class _Connection:
    """One collection of a server. Nothing is connected before the first request.

    The client that Chroma builds for applications waits for ever, and asks the server three things before a time limit
    could be set; so this uses the layer below it, which is as public and has one HTTP client.
    """

    def __init__(self, server: ChromaServer, seconds: float, name: str) -> None:
        self._server = server
        self._seconds = seconds
        self._name = name

    def create(self) -> Collection:
        """Make the collection."""
        from chromadb.api.models.Collection import Collection

        model = self._api.create_collection(
            self._name,
            configuration=configuration(),
            tenant=self._server.tenant,
            database=self._server.database,
        )
        return Collection(client=self._api, model=model, embedding_function=None)

    def get(self) -> Collection:
        """The collection as it is."""
        from chromadb.api.models.Collection import Collection

        model = self._api.get_collection(self._name, tenant=self._server.tenant, database=self._server.database)
        return Collection(client=self._api, model=model, embedding_function=None)

    def batch(self, dimensions: int) -> int:
        """As many as server and proxies take in one request."""
        most = self._api.get_max_batch_size()
        return max(1, min(BATCH, NUMBERS // dimensions, most if most > 0 else BATCH))

    def count(self) -> int | None:
        """How many passages are in; None without a collection."""
        from chromadb.errors import NotFoundError

        with self._faults():
            try:
                return self.get().count()
            except NotFoundError:
                return None

    def names(self) -> list[str]:
        """The names of all collections of the database."""
        found: list[str] = []
        with self._faults():
            while len(found) % LISTED == 0:
                page = self._api.list_collections(LISTED, len(found), self._server.tenant, self._server.database)
                if not page:
                    break
                found += [model.name for model in page]
        return found

    def drop(self, name: str) -> None:
        """Remove a collection."""
        with self._faults():
            self._api.delete_collection(name, self._server.tenant, self._server.database)

    def fault(self, error: Exception) -> RetrievalError:
        """The server, what went wrong and what to do, without the words of a server that may not be Chroma."""
        return RetrievalError(f"Chroma, {self._server.name}: {self._why(error)}")

    def close(self) -> None:
        """Close the sockets."""
        if "_api" in self.__dict__:
            self._api._session.close()  # noqa: SLF001 - nothing public closes it

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # Chroma's errors share no base
            raise self.fault(error) from error

    @cached_property
    def _api(self) -> FastAPI:
        import httpx
        from chromadb.api.fastapi import FastAPI
        from chromadb.config import Settings, System

        headers = {name: content.get_secret_value() for name, content in self._server.headers.items()}
        system = System(
            Settings(
                anonymized_telemetry=False,
                chroma_server_host=self._server.url.rstrip("/"),
                chroma_server_http_port=urlsplit(self._server.url).port or 80,  # must be set; the URL's one counts
                chroma_server_headers=headers,
            )
        )
        api = system.instance(FastAPI)
        api._session.timeout = httpx.Timeout(self._seconds)  # noqa: SLF001 - the library sets none and has no setting
        return api

    def _why(self, error: Exception) -> str:
        import httpx
        from chromadb.errors import AuthorizationError, ChromaAuthError, ChromaError, NotFoundError

        status = _status(error)
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return (
                f"it did not answer within {self._seconds:g} seconds. Look at its load, or set "
                "HANDRAIL_CHROMA_TIMEOUT_SECONDS higher."
            )
        if isinstance(error, httpx.TransportError):
            return "it cannot be reached. Start it, or correct HANDRAIL_CHROMA_URL."
        if isinstance(error, ChromaAuthError | AuthorizationError) or status in {401, 403}:
            return (
                "it refused access. Check HANDRAIL_CHROMA_HEADERS, HANDRAIL_CHROMA_TENANT and HANDRAIL_CHROMA_DATABASE."
            )
        if isinstance(error, NotFoundError):
            return (
                f"it has no collection {self._name}, or not its tenant or database. Check HANDRAIL_CHROMA_URL, "
                f"HANDRAIL_CHROMA_TENANT and HANDRAIL_CHROMA_DATABASE; if the server lost it, run `handrail kb ingest`."
            )
        if isinstance(error, ChromaError):
            return (
                f"it refused the request ({type(error).__name__}: {str(error)[:200]}). If that is why, correct "
                "HANDRAIL_CHROMA_TENANT and HANDRAIL_CHROMA_DATABASE."
            )
        if status is not None:
            return f"it answered with status {status}. Look at its log, or correct HANDRAIL_CHROMA_URL."
        return (
            f"what it sent is no answer of Chroma ({type(error).__name__}). Correct HANDRAIL_CHROMA_URL, or start a "
            "server of Chroma 1."
        )


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error: the client library raises a bare one while it handles that of its own client."""
    import httpx

    cause = error.__context__
    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else None


def _prefix(base_id: str) -> str:
    return f"handrail-{base_id}-"


def _id_of(base: BaseFolder) -> str | None:
    try:
        known = (base.path / BASE_ID).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return known if _ID.fullmatch(known) else None


def _made_id(base: BaseFolder) -> str:
    """The id of a base, drawn at its first ingest: folders of two machines may have the same path."""
    known = _id_of(base)
    if known is None:
        known = secrets.token_hex(8)
        write_durably(base.path / BASE_ID, known.encode())
    return known
