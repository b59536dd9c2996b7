import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from handrail.minilm_graph import HEAD_SIZE, build_graph, write_quantised
from tests.support.small_model import HIDDEN, LAYERS, Weights, small_weights

Array = NDArray[np.float64]


def forward(weights: Weights, ids: list[int]) -> Array:
    """BERT with mean pooling for one sentence without padding, written from the papers and in float64."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(x: Array, name: str) -> Array:
        product: Array = x @ w[f"{name}.weight"].T
        return product + w[f"{name}.bias"]

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        scaled: Array = centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"]
        return scaled

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{index}" for index in range(LAYERS)):
        q, k, v = (linear(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        mixed = np.empty_like(q)
        for start in range(0, HIDDEN, HEAD_SIZE):
            head = slice(start, start + HEAD_SIZE)
            scores = np.exp(q[:, head] @ k[:, head].T / math.sqrt(HEAD_SIZE))
            mixed[:, head] = scores / scores.sum(-1, keepdims=True) @ v[:, head]
        x = norm(x + linear(mixed, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        inner = linear(x, f"{layer}.intermediate.dense")
        gelu = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = norm(x + linear(gelu, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def run(model: bytes | Path, ids: list[list[int]], mask: list[list[int]]) -> Array:
    """Run a model on padded token ids."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["embedding"], {"input_ids": np.array(ids), "attention_mask": np.array(mask)})[0])


@pytest.mark.parametrize("ids", [[2, 3], [2, 4, 5, 3], [2, 6, 7, 8, 9, 4, 4, 1, 3]])
def test_graph_computes_the_network(ids: list[int]) -> None:
    """The graph gives what a plain forward pass gives."""
    weights = small_weights()
    built = run(build_graph(weights).SerializeToString(), [ids], [[1] * len(ids)])
    assert built.shape == (1, HIDDEN)
    assert np.abs(built[0] - forward(weights, ids)).max() < 1e-4


def test_padding_changes_nothing() -> None:
    """A sentence that is padded to the length of another keeps its embedding."""
    weights = small_weights(1)
    ids = [[2, 4, 5, 3, 0, 0], [2, 9, 8, 7, 6, 3]]
    built = run(build_graph(weights).SerializeToString(), ids, [[1, 1, 1, 1, 0, 0], [1] * 6])
    assert np.abs(built[0] - forward(weights, ids[0][:4])).max() < 1e-4
    assert np.abs(built[1] - forward(weights, ids[1])).max() < 1e-4


def test_quantised_graph_is_close_and_smaller(tmp_path: Path) -> None:
    """Int8 keeps the direction of an embedding, takes less room, and comes out the same every time."""
    weights = small_weights(2)
    ids = [2, 4, 5, 6, 3]
    for name in ("first.onnx", "second.onnx"):
        write_quantised(build_graph(weights), tmp_path / name)
    quantised = run(tmp_path / "first.onnx", [ids], [[1] * len(ids)])
    assert float(quantised[0] @ forward(weights, ids)) > 0.98
    assert (tmp_path / "first.onnx").stat().st_size < len(build_graph(weights).SerializeToString()) / 2
    assert (tmp_path / "first.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()


def test_a_missing_tensor_is_named() -> None:
    """Weights of another network are refused with the name of what is missing."""
    weights = small_weights()
    del weights["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        build_graph(weights)
