"""The ONNX graph of all-MiniLM-L6-v2, built node by node from its weights.

The network is BERT (Devlin et al. 2019) with post-layer normalisation; the sentence vector is the mean of the token
vectors under the attention mask, scaled to length one (Reimers and Gurevych 2019). The size of the network is read
from the shapes of the weights, so that tests can build a small one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

Weights = Mapping[str, NDArray[np.float32]]

HEAD_SIZE = 32  # all MiniLM models; not derivable from the shapes of the weights
LAYER_NORM_EPSILON = 1e-12
MASKED_SCORE = -10_000.0  # far below any attention score, and finite so that an all-padding row stays a number
OPSET = 20  # the first with Gelu
IR_VERSION = 9  # what goes with that opset; newer ones shut out older runtimes


class GraphBuilder:
    """Collects nodes and constants; every method returns the name of the tensor it makes."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def node(self, op: str, *inputs: str, **attributes: int | float | Sequence[int]) -> str:
        """Add one node with one output."""
        from onnx import helper

        output = f"{op.lower()}_{len(self.nodes)}"
        node = helper.make_node(op, list(inputs), [output], name=output)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return output

    def constant(self, name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant tensor, once per name."""
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def scalar(self, name: str, value: float) -> str:
        """Add a float constant without dimensions."""
        return self.constant(name, np.array(value, dtype=np.float32))

    def integers(self, name: str, values: Sequence[int]) -> str:
        """Add a vector of integers: axes or a shape."""
        return self.constant(name, np.array(values, dtype=np.int64))

    def weight(self, name: str) -> str:
        """Add a tensor of the model under its own name."""
        return self.constant(name, self.weights[name])

    def linear(self, x: str, *names: str) -> str:
        """Add x · Wᵀ + b for one dense layer, or for several that share x, side by side in one product."""
        matrix = np.concatenate([self.weights[f"{name}.weight"] for name in names]).T
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names])
        product = self.node("MatMul", x, self.constant(f"{names[0]}.matrix", matrix))
        return self.node("Add", product, self.constant(f"{names[0]}.vector", bias))

    def layer_norm(self, x: str, name: str) -> str:
        """Add layer normalisation over the last axis."""
        return self.node(
            "LayerNormalization",
            x,
            self.weight(f"{name}.weight"),
            self.weight(f"{name}.bias"),
            axis=-1,
            epsilon=LAYER_NORM_EPSILON,
        )


def build_graph(weights: Weights) -> "ModelProto":
    """Return the float32 model: ``input_ids`` and ``attention_mask`` (n, t) int64 in, two matrices out.

    ``embedding`` (n, hidden) is the sentence vector. ``layers`` (n, 2 hidden) holds the mean token vectors after the
    third and the second layer from the end: they keep more of who did what to whom than the last one, which was
    trained to say what a text is about.

    Raises:
        KeyError: a tensor of the network is missing from ``weights``.
    """
    from onnx import TensorProto, checker, helper

    hidden = weights["embeddings.word_embeddings.weight"].shape[1]
    builder = GraphBuilder(weights)
    mask = builder.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    bias = _attention_bias(builder, mask)
    states = [_embed(builder)]
    for index in range(_layers(weights)):
        states.append(_layer(builder, states[-1], bias, f"encoder.layer.{index}", hidden))
    _normalised(builder, _mean(builder, states[-1], mask))
    builder.nodes[-1].output[0] = "embedding"
    builder.node("Concat", *(_mean(builder, state, mask) for state in states[-3:-1]), axis=1)
    builder.nodes[-1].output[0] = "layers"

    graph = helper.make_graph(
        builder.nodes,
        "minilm",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", hidden]),
            helper.make_tensor_value_info("layers", TensorProto.FLOAT, ["n", 2 * hidden]),
        ],
        list(builder.constants.values()),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="handrail"
    )
    # Nothing is left to fold or fuse; without this mark the quantiser warns on the root logger.
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    checker.check_model(model)
    return model


def write_quantised(model: "ModelProto", path: Path) -> None:
    """Write ``model`` with its dense layers and word vectors in int8; about a quarter of the size.

    Raises:
        OSError: ``path`` cannot be written.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        model,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,  # cosine to float32 at least 0.96; one scale per matrix gives 0.78
        reduce_range=True,  # 7 bits cannot overflow on CPUs without VNNI: the same vectors on every machine
    )


def _layers(weights: Weights) -> int:
    """Return how many encoder layers the weights hold."""
    return len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})


def _embed(builder: GraphBuilder) -> str:
    """Add word + position + segment vectors, normalised: (n, t, hidden)."""
    words = builder.node("Gather", builder.weight("embeddings.word_embeddings.weight"), "input_ids")
    # Every token belongs to segment 0, so its vector is folded into the table of positions.
    table = (
        builder.weights["embeddings.position_embeddings.weight"]
        + builder.weights["embeddings.token_type_embeddings.weight"][0]
    )
    length = builder.node("Shape", "input_ids", start=1, end=2)
    positions = builder.node(
        "Slice",
        builder.constant("positions", table),
        builder.integers("zero", [0]),
        length,
        builder.integers("rows", [0]),
    )
    return builder.layer_norm(builder.node("Add", words, positions), "embeddings.LayerNorm")


def _attention_bias(builder: GraphBuilder, mask: str) -> str:
    """Add what is added to attention scores: 0 at tokens, very low at padding; (n, 1, 1, t)."""
    inverted = builder.node("Sub", builder.scalar("one", 1.0), mask)
    scores = builder.node("Mul", inverted, builder.scalar("masked", MASKED_SCORE))
    return builder.node("Unsqueeze", scores, builder.integers("head_axes", [1, 2]))


def _layer(builder: GraphBuilder, x: str, bias: str, name: str, hidden: int) -> str:
    """Add one encoder layer: attention and feed-forward, each with residual and normalisation."""
    attended = _attention(builder, x, bias, f"{name}.attention.self", hidden)
    projected = builder.linear(attended, f"{name}.attention.output.dense")
    x = builder.layer_norm(builder.node("Add", projected, x), f"{name}.attention.output.LayerNorm")
    inner = builder.node("Gelu", builder.linear(x, f"{name}.intermediate.dense"))
    projected = builder.linear(inner, f"{name}.output.dense")
    return builder.layer_norm(builder.node("Add", projected, x), f"{name}.output.LayerNorm")


def _attention(builder: GraphBuilder, x: str, bias: str, name: str, hidden: int) -> str:
    """Add softmax(Q · Kᵀ / √d + bias) · V over all heads."""
    from onnx import helper

    split_shape = builder.integers("split_shape", [0, 0, 3, hidden // HEAD_SIZE, HEAD_SIZE])
    joined = builder.linear(x, f"{name}.query", f"{name}.key", f"{name}.value")
    heads = builder.node("Reshape", joined, split_shape)
    parts = [f"{name}.{part}" for part in ("q", "k", "v")]
    stacked = builder.node("Transpose", heads, perm=[2, 0, 3, 1, 4])
    builder.nodes.append(helper.make_node("Split", [stacked], parts, name=f"{name}.split", axis=0, num_outputs=3))
    first = builder.integers("first_axis", [0])
    query, key, value = (builder.node("Squeeze", part, first) for part in parts)

    scores = builder.node("MatMul", query, builder.node("Transpose", key, perm=[0, 1, 3, 2]))
    scaled = builder.node("Mul", scores, builder.scalar("scale", HEAD_SIZE**-0.5))
    attention = builder.node("Softmax", builder.node("Add", scaled, bias), axis=-1)
    mixed = builder.node("Transpose", builder.node("MatMul", attention, value), perm=[0, 2, 1, 3])
    return builder.node("Reshape", mixed, builder.integers("joined_shape", [0, 0, hidden]))


def _mean(builder: GraphBuilder, x: str, mask: str) -> str:
    """Add the mean over tokens: (n, hidden)."""
    token_axis = builder.integers("token_axis", [1])
    weights = builder.node("Unsqueeze", mask, builder.integers("last_axis", [2]))
    total = builder.node("ReduceSum", builder.node("Mul", x, weights), token_axis, keepdims=0)
    count = builder.node("ReduceSum", mask, token_axis, keepdims=1)
    return builder.node("Div", total, builder.node("Max", count, builder.scalar("tiny", 1e-9)))


def _normalised(builder: GraphBuilder, x: str) -> str:
    """Add the scaling of each row to length one."""
    length = builder.node("ReduceL2", x, builder.integers("token_axis", [1]), keepdims=1)
    return builder.node("Div", x, builder.node("Max", length, builder.scalar("tiny", 1e-9)))
