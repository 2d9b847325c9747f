"""The BERT encoder as an ONNX graph, written from its weights with the `onnx` package.

    input_ids, attention_mask, token_type_ids: int64 [batch, sequence]
      -> last_hidden_state: float32 [batch, sequence, hidden]

The architecture is that of Devlin et al. 2018 (arXiv 1810.04805) with post-layer normalisation, as
all-MiniLM-L6-v2 has it: the sum of word, type and position embeddings, normalised; then in each
layer attention and a GELU perceptron, each followed by a residual sum and a normalisation.

Only operators of the ONNX standard are used, in the shapes that ONNX Runtime's optimiser fuses
(layer normalisation with the residual sum, GELU with its bias). Query, key and value share one
matrix product, and the query's weights carry the 1/sqrt(head size), so the graph has neither three
small products nor a scaling.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

# Raised whenever the graph changes, so that a cached model of an older revision is written anew.
REVISION = 1

# 17 is the first with LayerNormalization; ONNX Runtime reads it from version 1.13 on.
_OPSET_VERSION = 17
_IR_VERSION = 8

_LAYER_NORM_EPSILON = 1e-12

# Added to the scores of padding: large enough that its softmax is exactly zero in float32, small
# enough that no sum with a score overflows.
_PADDING_SCORE = -1e9


def build_model(weights: Mapping[str, np.ndarray], head_count: int) -> Any:
    """Returns the `onnx.ModelProto` of the encoder with `weights`, named as Hugging Face names
    those of `BertModel`. The numbers of layers and dimensions are those of the weights.

    Raises `ValueError` when a weight is missing or does not fit the others.
    """
    return _GraphWriter(weights, head_count).model()


class _GraphWriter:
    """Collects nodes and initialisers in the order in which they are computed."""

    def __init__(self, weights: Mapping[str, np.ndarray], head_count: int) -> None:
        import onnx

        self._onnx = onnx
        self._weights = weights
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        word_embeddings = self._weight("embeddings.word_embeddings.weight", None, None)
        self._hidden_size = word_embeddings.shape[1]
        if head_count < 1 or self._hidden_size % head_count:
            raise ValueError(
                f"{head_count} attention heads do not divide {self._hidden_size} dimensions."
            )
        self._head_count = head_count
        self._head_size = self._hidden_size // head_count
        layers = (re.match(r"encoder\.layer\.(\d{1,3})\.", name) for name in weights)
        self._layer_count = 1 + max((int(m.group(1)) for m in layers if m), default=-1)

    def model(self) -> Any:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        hidden = self._embeddings()
        padding_scores = self._padding_scores()
        # [batch, sequence, 3 * hidden] -> [batch, sequence, 3, head, head size], and back; 0 keeps
        # a dimension as it is.
        self._constant("split_shape", np.array([0, 0, 3, self._head_count, self._head_size]))
        self._constant("join_shape", np.array([0, 0, self._hidden_size]))
        self._constant("gelu_divisor", np.float32(math.sqrt(2)))
        self._constant("one", np.float32(1))
        self._constant("half", np.float32(0.5))
        for index in range(self._layer_count):
            hidden = self._layer(f"encoder.layer.{index}", hidden, padding_scores)
        self._node("Identity", [hidden], "last_hidden_state")

        axes = ["batch", "sequence"]
        names = ["input_ids", "attention_mask", "token_type_ids"]
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [helper.make_tensor_value_info(name, types.INT64, axes) for name in names],
            [
                helper.make_tensor_value_info(
                    "last_hidden_state", types.FLOAT, [*axes, self._hidden_size]
                )
            ],
            self._initializers,
        )
        model = helper.make_model(
            graph,
            producer_name="chromadb",
            opset_imports=[helper.make_opsetid("", _OPSET_VERSION)],
            ir_version=_IR_VERSION,
        )
        self._onnx.checker.check_model(model)
        return model

    # ---- The parts of the encoder ------------------------------------------------------------

    def _embeddings(self) -> str:
        """Writes the embedding of each token and returns its name: [batch, sequence, hidden]."""
        hidden_size = self._hidden_size
        summands = []
        for kind, indices in (("word", "input_ids"), ("token_type", "token_type_ids")):
            name = f"embeddings.{kind}_embeddings.weight"
            table = self._constant(name, self._weight(name, None, hidden_size))
            summands.append(self._node("Gather", [table, indices], f"{kind}_embeddings"))

        name = "embeddings.position_embeddings.weight"
        positions = self._constant(name, self._weight(name, None, hidden_size))
        # The first rows of the table, as many as the sequence is long; they broadcast over the
        # batch.
        length = self._node("Shape", ["input_ids"], "sequence_length", start=1, end=2)
        start = self._constant("zero", np.array([0]))
        summands.append(self._node("Slice", [positions, start, length], "position_embeddings"))

        tokens = self._node("Add", summands[:2], "token_embeddings")
        total = self._node("Add", [tokens, summands[2]], "embeddings")
        return self._normalize("embeddings.LayerNorm", total)

    def _padding_scores(self) -> str:
        """Writes what is added to the attention scores and returns its name: 0 for a token and
        `_PADDING_SCORE` for padding, [batch, 1, 1, sequence]."""
        axes = self._constant("mask_axes", np.array([1, 2]))
        kept = self._constant("kept_score", np.float32(0))
        padding = self._constant("padding_score", np.float32(_PADDING_SCORE))
        mask = self._node("Cast", ["attention_mask"], "mask", to=self._onnx.TensorProto.BOOL)
        scores = self._node("Where", [mask, kept, padding], "mask_scores")
        return self._node("Unsqueeze", [scores, axes], "padding_scores")

    def _layer(self, name: str, hidden: str, padding_scores: str) -> str:
        attended = self._attention(f"{name}.attention.self", hidden, padding_scores)
        output = self._dense(f"{name}.attention.output.dense", attended)
        total = self._node("Add", [output, hidden], f"{name}.attention.sum")
        hidden = self._normalize(f"{name}.attention.output.LayerNorm", total)

        inner = self._gelu(name, self._dense(f"{name}.intermediate.dense", hidden))
        output = self._dense(f"{name}.output.dense", inner)
        total = self._node("Add", [output, hidden], f"{name}.sum")
        return self._normalize(f"{name}.output.LayerNorm", total)

    def _attention(self, name: str, hidden: str, padding_scores: str) -> str:
        scale = np.float32(1 / math.sqrt(self._head_size))
        kinds = [("query", scale), ("key", np.float32(1)), ("value", np.float32(1))]
        size = self._hidden_size
        weight = np.hstack([self._weight(f"{name}.{k}.weight", size, size).T * s for k, s in kinds])
        bias = np.hstack([self._weight(f"{name}.{k}.bias", size) * s for k, s in kinds])

        product = self._product(name, hidden, weight, bias)
        split = self._node("Reshape", [product, "split_shape"], f"{name}.split")
        # [3, batch, head, sequence, head size]; the key's last two are swapped in its own step.
        heads = self._node("Transpose", [split], f"{name}.heads", perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self._node("Gather", [heads, self._index(i)], f"{name}.{kind}", axis=0)
            for i, (kind, _) in enumerate(kinds)
        )
        key = self._node("Transpose", [key], f"{name}.key_transposed", perm=[0, 1, 3, 2])
        scores = self._node("MatMul", [query, key], f"{name}.scores")
        masked = self._node("Add", [scores, padding_scores], f"{name}.masked")
        shares = self._node("Softmax", [masked], f"{name}.shares", axis=-1)
        context = self._node("MatMul", [shares, value], f"{name}.context")
        rows = self._node("Transpose", [context], f"{name}.rows", perm=[0, 2, 1, 3])
        return self._node("Reshape", [rows, "join_shape"], f"{name}.joined")

    def _gelu(self, name: str, value: str) -> str:
        """Writes x * (1 + erf(x / sqrt(2))) / 2, in the order that the optimiser recognises."""
        scaled = self._node("Div", [value, "gelu_divisor"], f"{name}.gelu.scaled")
        erf = self._node("Erf", [scaled], f"{name}.gelu.erf")
        shifted = self._node("Add", [erf, "one"], f"{name}.gelu.shifted")
        product = self._node("Mul", [value, shifted], f"{name}.gelu.product")
        return self._node("Mul", [product, "half"], f"{name}.gelu")

    def _dense(self, name: str, value: str) -> str:
        weight = self._weight(f"{name}.weight", None, None)
        return self._product(name, value, weight.T, self._weight(f"{name}.bias", len(weight)))

    def _product(self, name: str, value: str, weight: np.ndarray, bias: np.ndarray) -> str:
        product = self._node(
            "MatMul", [value, self._constant(f"{name}.weight", weight)], f"{name}.product"
        )
        return self._node("Add", [product, self._constant(f"{name}.bias", bias)], name)

    def _normalize(self, name: str, value: str) -> str:
        parameters = [
            self._constant(f"{name}.{part}", self._weight(f"{name}.{part}", self._hidden_size))
            for part in ("weight", "bias")
        ]
        return self._node(
            "LayerNormalization", [value, *parameters], name, axis=-1, epsilon=_LAYER_NORM_EPSILON
        )

    # ---- Nodes, constants, weights -----------------------------------------------------------

    def _node(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        self._nodes.append(
            self._onnx.helper.make_node(operator, list(inputs), [output], output, **attributes)
        )
        return output

    def _constant(self, name: str, value: Any) -> str:
        array = np.ascontiguousarray(value)
        if np.ndim(value) == 0:
            array = array.reshape(())  # ascontiguousarray makes a scalar one-dimensional.
        self._initializers.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def _index(self, index: int) -> str:
        name = f"index_{index}"
        if all(initializer.name != name for initializer in self._initializers):
            self._constant(name, np.int64(index))
        return name

    def _weight(self, name: str, *shape: int | None) -> np.ndarray:
        """Returns a weight whose shape fits `shape`, in which None stands for any number."""
        weight = self._weights.get(name)
        if weight is None:
            raise ValueError(f"The weights have no tensor {name!r}.")
        fits = len(weight.shape) == len(shape) and all(
            expected in (None, actual) for expected, actual in zip(shape, weight.shape)
        )
        if not fits or weight.dtype != np.float32:
            raise ValueError(f"Tensor {name!r} has shape {weight.shape} of {weight.dtype.name}.")
        return weight
