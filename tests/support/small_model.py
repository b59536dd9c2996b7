"""A sentence encoder with random weights, small enough to build within a test, and a wheel that carries it."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from handrail.model_download import Source

HIDDEN = 64
LAYERS = 2
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "refund", "invoice", "password", "reset", "please", "my")

Weights = dict[str, NDArray[np.float32]]


def small_weights(seed: int = 0) -> Weights:
    """Return weights under the names of the real model, with the spread that training leaves."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return random.normal(0.0, 0.3, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": draw(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": draw(32, HIDDEN),
        "embeddings.token_type_embeddings.weight": draw(2, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{index}" for index in range(LAYERS)):
        dense = {f"attention.self.{part}": (HIDDEN, HIDDEN) for part in ("query", "key", "value")}
        dense |= {"attention.output.dense": (HIDDEN, HIDDEN)}
        dense |= {"intermediate.dense": (4 * HIDDEN, HIDDEN), "output.dense": (HIDDEN, 4 * HIDDEN)}
        for name, (rows, columns) in dense.items():
            weights[f"{layer}.{name}.weight"] = draw(rows, columns)
            weights[f"{layer}.{name}.bias"] = draw(rows)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        weights[f"{name}.weight"] = 1 + draw(HIDDEN)
        weights[f"{name}.bias"] = draw(HIDDEN)
    return weights


def small_tokenizer() -> str:
    """Return the JSON of a tokeniser that knows ``WORDS``."""
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer.to_str()


def small_wheel(folder: Path, seed: int = 0) -> tuple[Path, Source]:
    """Write a wheel with the small model into ``folder``; return it with the source that pins it."""
    weights, tokenizer = save(small_weights(seed)), small_tokenizer().encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("small/model.safetensors", weights)
        archive.writestr("small/tokenizer.json", tokenizer)
    wheel = folder / f"small-1.{seed}-py3-none-any.whl"
    wheel.write_bytes(buffer.getvalue())
    return wheel, Source(
        package="small",
        version=f"1.{seed}",
        wheel_sha256=_sha256(buffer.getvalue()),
        weights="small/model.safetensors",
        weights_sha256=_sha256(weights),
        tokenizer="small/tokenizer.json",
        tokenizer_sha256=_sha256(tokenizer),
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
