"""An encoder without a model: texts that share words are near each other, and nothing has to be installed."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class HashingEncoder:
    """Adds up one pseudo-random direction per word; the same everywhere and every time. Counts what it embeds."""

    name = "hashing"
    dimensions = 384
    deep_dimensions = 384

    def __init__(self, revision: str = "hashing-1") -> None:
        self.revision = revision
        self.embedded = 0

    def knows(self, word: str) -> bool:
        return True

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()):
                seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
                rows[number] += np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows[lengths[:, 0] == 0.0] = self.dimensions**-0.5
        return np.asarray(rows / np.where(lengths > 0.0, lengths, 1.0), dtype=np.float32)
