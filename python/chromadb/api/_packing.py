"""Embeddings as base64 text: float32, little-endian, one after another."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chromadb.base_types import PyVector, Vector


def pack_embedding_safely(embedding: Vector | PyVector) -> str:
    """The vector as base64. A number beyond float32 becomes infinite, which servers refuse."""
    with np.errstate(over="ignore"):
        packed = np.asarray(embedding, dtype="<f4")
    return base64.b64encode(packed.tobytes()).decode("ascii")


def optional_embeddings_to_base64_strings(
    embeddings: Iterable[Any] | None,
) -> list[str | None] | None:
    """Each vector as base64, None as None."""
    if embeddings is None:
        return None
    return [None if vector is None else pack_embedding_safely(vector) for vector in embeddings]


def optional_base64_strings_to_embeddings(
    b64_strings: Sequence[str | None] | None,
) -> list[Any] | None:
    """Each base64 text as a list of floats, None as None."""
    if b64_strings is None:
        return None
    return [
        None if text is None else np.frombuffer(base64.b64decode(text), dtype="<f4").tolist()
        for text in b64_strings
    ]
