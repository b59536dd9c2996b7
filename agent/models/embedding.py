"""`EndpointEmbedder`: sentence embeddings from an OpenAI-compatible endpoint, checked before anything uses them."""

from __future__ import annotations

import hashlib
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from handrail.agent.models.embedding_wire import Unfit, bounded, vectors_of
from handrail.agent.models.endpoint import told
from handrail.agent.models.retrying import StopBefore, Wait, may_pass
from handrail.agent.ports import PortError
from handrail.guardrails.encoder import MAX_CHARACTERS, shorten
from handrail.retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from openai import OpenAI

ATTEMPTS = 6
MAX_INPUTS = 32
"""Texts of one request: what the smallest of the usual servers take."""

MAX_REQUEST = 48_000
"""Characters of one request, some 12,000 tokens of English."""

RECIPE = 1
"""Raised whenever texts are prepared, or vectors treated, in another way."""

OPENAI = "https://api.openai.com/v1"
"""Where the client library goes without an address. Written out, because it would look into the environment first."""

_UNFIT = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class EmbeddingEndpoint:
    """A model at an endpoint.

    `dimensions` is asked for and must come back; None takes the model's own length and asks for none. `characters` is
    how much of a text is sent.
    """

    model: str
    base_url: str | None = None
    key: SecretStr | None = None
    dimensions: int | None = None
    characters: int = MAX_CHARACTERS

    @property
    def address(self) -> str:
        """Scheme, host, port and path, without anything secret that may stand in a URL."""
        parts = urlsplit(self.base_url or OPENAI)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"

    @property
    def name(self) -> str:
        """Model and host."""
        length = "" if self.dimensions is None else f" ({self.dimensions} dimensions)"
        return f"{self.model}{length} @ {self.address.partition('://')[2].partition('/')[0]}"

    @property
    def revision(self) -> str:
        """SHA-256 over all that makes the vectors, as far as it is known here; the key does not."""
        parts = ["openai", str(RECIPE), self.address, self.model, str(self.dimensions), str(self.characters)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class EndpointEmbedder:
    """Embeds through an endpoint, in threads of the caller; safe to share between them.

    `seconds` are what one request may take with all its attempts: few where a customer waits, many for an ingest.
    `prepare` is what a text goes through before it leaves, such as masking.
    """

    def __init__(
        self, endpoint: EmbeddingEndpoint, seconds: float, *, prepare: Callable[[str], str] = lambda text: text
    ) -> None:
        self._endpoint = endpoint
        self._seconds = seconds
        self._prepare = prepare
        self._client: OpenAI = _client(endpoint)
        # Searches that run when a service ends may still use it; the sockets go with the last one.
        weakref.finalize(self, self._client.close)
        self._learnt: int | None = endpoint.dimensions
        self._learning = Lock()

    @property
    def name(self) -> str:
        """Model and host."""
        return self._endpoint.name

    @property
    def revision(self) -> str:
        """SHA-256 over address, model, dimensions and how texts are cut."""
        return self._endpoint.revision

    @property
    def dimensions(self) -> int:
        """Length of a vector; unless it is set, the first one that comes tells it, and one may be asked for.

        Raises:
            RetrievalError: see `encode`.
        """
        if self._learnt is None:
            return len(self.encode(["length"])[0])
        return self._learnt

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length one per text, shape (n, dimensions), in the order of ``texts``.

        Raises:
            RetrievalError: the endpoint failed, was late, or what it sent is no embedding of these texts. It holds
                neither the endpoint's words nor the key.
        """
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        # An empty input is refused by most endpoints.
        prepared = [shorten(self._prepare(text))[: self._endpoint.characters] or "." for text in texts]
        return np.concatenate([self._vectors(batch) for batch in _batches(prepared)])

    def _vectors(self, batch: Sequence[str]) -> NDArray[np.float32]:
        deadline = time.monotonic() + self._seconds
        retrying = Retrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_attempt(ATTEMPTS) | StopBefore(deadline),
            wait=Wait(),
            reraise=True,
        )
        try:
            rows: NDArray[np.float32] = retrying(self._ask, batch, deadline)
        except PortError as error:
            raise self._failed(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is a fault of this port
            # `from None`: an endpoint's error text can repeat the key.
            raise self._failed(self._told(error)) from None
        return rows

    def _ask(self, batch: Sequence[str], deadline: float) -> NDArray[np.float32]:
        from openai import omit

        left = deadline - time.monotonic()
        with self._client.embeddings.with_streaming_response.create(
            model=self._endpoint.model,
            input=list(batch),
            encoding_format="float",
            dimensions=self._endpoint.dimensions or omit,
            timeout=max(left, 0.01),
        ) as response:
            content = bounded(response.iter_bytes(), deadline, self._seconds)
        return self._sized(vectors_of(content, len(batch)))

    def _sized(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """`rows`, if they are as long as all before them."""
        with self._learning:
            if self._learnt is None:
                self._learnt = rows.shape[1]
        if rows.shape[1] != self._learnt:
            raise Unfit(
                f"it sent vectors of {rows.shape[1]} numbers where {self._learnt} were agreed; "
                "check HANDRAIL_EMBEDDING_DIMENSIONS and HANDRAIL_EMBEDDING_MODEL"
            )
        return rows

    def _failed(self, why: str) -> RetrievalError:
        return RetrievalError(f"Texts could not be embedded by {self.name}: {why}.")

    def _told(self, error: Exception) -> str:
        from openai import APIStatusError, APITimeoutError, RateLimitError

        if isinstance(error, APITimeoutError):
            return f"the endpoint did not answer within {self._seconds:g} seconds"
        if isinstance(error, RateLimitError):
            return "the endpoint says that too much was asked for (status 429); check its limits and your quota"
        if isinstance(error, APIStatusError) and error.status_code in _UNFIT:
            return (
                f"the endpoint refused the request (status {error.status_code}); check HANDRAIL_EMBEDDING_MODEL and "
                "HANDRAIL_EMBEDDING_DIMENSIONS, and set HANDRAIL_EMBEDDING_CHARACTERS lower if the model takes less"
            )
        return told(error, "HANDRAIL_EMBEDDING_MODEL", "HANDRAIL_EMBEDDING")


def _client(endpoint: EmbeddingEndpoint) -> OpenAI:
    """A client that makes one attempt; retries are its caller's."""
    from openai import OpenAI

    key = endpoint.key
    # Without a key of its own the library would take one from the environment.
    return OpenAI(
        api_key=key.get_secret_value() if key is not None else "none",
        base_url=endpoint.base_url or OPENAI,
        max_retries=0,
    )


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start, size = 0, 0
    for number, text in enumerate(texts):
        if number > start and (number - start == MAX_INPUTS or size + len(text) > MAX_REQUEST):
            yield texts[start:number]
            start, size = number, 0
        size += len(text)
    yield texts[start:]
