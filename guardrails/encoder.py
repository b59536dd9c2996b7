"""Sentence embeddings: the port, the local encoder behind it, and a cache so that a text is embedded once."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.model_folder import MODEL, TOKENIZER, EncoderUnavailable, ModelFolder, open_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["CachingEmbedder", "CachingEncoder", "Embedder", "Encoder", "EncoderUnavailable", "MiniLMEncoder"]

MINILM = "all-MiniLM-L6-v2 int8"
"""What people call the local model."""

MAX_TOKENS = 256  # what the model was trained for; later tokens are cut
MAX_CHARACTERS = 4_096  # 256 word pieces of ordinary text are some 1,200 characters
RAW_CHARACTERS = 4 * MAX_CHARACTERS  # how much is looked at to drop surplus white space
WARM_UP = "How do I reset my password?"


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity: all that retrieval asks for."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def revision(self) -> str:
        """Identifies all that makes the vectors; vectors of different revisions cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length one per text, shape (n, dimensions), in the order of ``texts``."""
        ...


class Encoder(Embedder, Protocol):
    """An embedder that detection can look into."""

    @property
    def deep_dimensions(self) -> int:
        """Length of a row of ``encode_deep``, at least ``dimensions``."""
        ...

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same vectors, each followed by what inner layers say, shape (n, deep_dimensions)."""
        ...

    def knows(self, word: str) -> bool:
        """Whether ``word``, in lower case, is common enough to be in the vocabulary as a whole."""
        ...


class _Session(Protocol):
    """The one method of an onnxruntime session that is used here."""

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, NDArray[np.int64]]
    ) -> Sequence[NDArray[np.float32]]: ...


class MiniLMEncoder:
    """all-MiniLM-L6-v2 in int8 on one CPU thread; safe to share between threads."""

    def __init__(self, session: _Session, tokenizer: "Tokenizer", *, revision: str, dimensions: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._revision = revision
        self._dimensions = dimensions

    @classmethod
    def load(cls, folder: Path | ModelFolder) -> Self:
        """Open an installed model; about 0.3 s, most of it the import of onnxruntime.

        Raises:
            EncoderUnavailable: the folder is missing, damaged, or cannot be run.
        """
        opened = folder if isinstance(folder, ModelFolder) else open_folder(folder)
        try:
            encoder = cls(
                _open_session(opened.path / MODEL),
                _open_tokenizer(opened.path / TOKENIZER),
                revision=opened.manifest.revision,
                dimensions=opened.manifest.dimensions,
            )
            encoder.encode([WARM_UP])
        except Exception as error:  # both libraries raise bare exceptions
            raise EncoderUnavailable(
                f"The sentence encoder in {opened.path} cannot be run ({error}). Run `handrail model install --force`."
            ) from error
        return encoder

    @property
    def name(self) -> str:
        """What people call it: the model and its precision."""
        return MINILM

    @property
    def revision(self) -> str:
        """SHA-256 over model and tokeniser."""
        return self._revision

    @property
    def dimensions(self) -> int:
        """Length of a vector: 384."""
        return self._dimensions

    @property
    def deep_dimensions(self) -> int:
        """Length of a vector with those of two inner layers: 1,152."""
        return 3 * self._dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length one per text, shape (n, 384); no texts give (0, 384).

        Texts beyond 256 tokens are cut. A text of any length takes milliseconds.
        """
        return self.encode_deep(texts)[:, : self._dimensions]

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vector of each text and the mean token vectors of two inner layers, shape (n, 1152).

        One pass of the network gives all three, so this costs what ``encode`` costs.
        """
        # INVARIANT: a row depends on its text alone. Dynamic int8 takes one scale from everything in a batch, so texts
        # that share a batch move each other (cosine down to 0.95), and decisions could not be replayed. On one thread a
        # batch is no faster than its texts one by one.
        rows = np.empty((len(texts), self.deep_dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._encode_one(text)
        return rows

    def knows(self, word: str) -> bool:
        """Whether ``word`` is one of the 30,000 pieces that texts are taken apart into."""
        return self._tokenizer.token_to_id(word) is not None

    def _encode_one(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.encode(shorten(text)).ids], dtype=np.int64)
        parts = self._session.run(["embedding", "layers"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.concatenate(parts, axis=1).reshape(self.deep_dimensions)


def shorten(text: str) -> str:
    """Return the part of ``text`` that an encoder looks at, with white space collapsed and no lone surrogates."""
    # White space goes first, so that a wall of it cannot push the words out of view.
    head = " ".join(text.lstrip()[:RAW_CHARACTERS].split())[:MAX_CHARACTERS]
    return head.encode("utf-8", errors="replace").decode("utf-8")


def _open_session(path: Path) -> _Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Short texts leave too little work to share: two threads measured three times slower than one.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return cast("_Session", session)


def _open_tokenizer(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


class CachingEmbedder:
    """An embedder that remembers the last ``capacity`` texts, by digest and not by text; thread-safe."""

    def __init__(self, inner: Embedder, capacity: int = 4_096) -> None:
        self._inner = inner
        self._rows = _RowCache(capacity)

    @property
    def name(self) -> str:
        """What people call the embedder behind the cache."""
        return self._inner.name

    @property
    def revision(self) -> str:
        """Revision of the embedder behind the cache."""
        return self._inner.revision

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text, shape (n, dimensions), computing only those that are not remembered."""
        return self._rows.of(texts, self._inner.encode)


class CachingEncoder(CachingEmbedder):
    """The same for an encoder (4.6 kB each): both of its vectors share what is remembered."""

    def __init__(self, inner: Encoder, capacity: int = 4_096) -> None:
        super().__init__(inner, capacity)
        self._encoder = inner

    @property
    def deep_dimensions(self) -> int:
        """Length of a row with the inner layers."""
        return self._encoder.deep_dimensions

    def knows(self, word: str) -> bool:
        """Whether the encoder behind the cache knows ``word``."""
        return self._encoder.knows(word)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text, shape (n, dimensions), computing only those that are not remembered."""
        return self.encode_deep(texts)[:, : self.dimensions]

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text, shape (n, deep_dimensions), in the same way."""
        return self._rows.of(texts, self._encoder.encode_deep)


class _RowCache:
    """The rows of the last texts, by digest."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._rows: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def of(self, texts: Sequence[str], compute: Callable[[Sequence[str]], NDArray[np.float32]]) -> NDArray[np.float32]:
        """One row per text; ``compute`` is asked for those that are not remembered."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        known = self._recall(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if not keys:
            return compute([])  # which knows how long a row is
        if missing:
            # Outside the lock: two threads may compute the same text at once, which is cheaper than waiting.
            fresh = dict(zip(missing, compute(list(missing.values())), strict=True))
            self._remember(fresh)
            known |= fresh
        return np.stack([known[key] for key in keys])

    def _recall(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        with self._lock:
            known = {key: self._rows[key] for key in keys if key in self._rows}
            for key in known:
                self._rows.move_to_end(key)
        return known

    def _remember(self, fresh: Mapping[bytes, NDArray[np.float32]]) -> None:
        with self._lock:
            for key, row in fresh.items():
                self._rows[key] = row.copy()  # a view would keep the whole batch alive
            while len(self._rows) > self._capacity:
                self._rows.popitem(last=False)
