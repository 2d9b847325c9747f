"""Embeddings, from what callers hand over to what the engine takes.

Callers give one vector or many, as lists of numbers, as arrays, or as lists of either. The engine
takes one C-contiguous float32 array with a row for each vector. An array that is that already goes
through as it is, without a copy.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np

from chromadb.base_types import PyVector, Vector
from chromadb.errors import InvalidArgumentError

Matrix: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

# Byte order is converted; narrower integers, unsigned ones and all else are refused, as upstream
# refuses them: they are quantized codes more often than embeddings.
_ACCEPTED_TYPES = (np.float32, np.float64, np.float16, np.int32, np.int64)

_SHOWN_LENGTH_MAX = 1000


def embedding_matrix(target: object) -> Matrix:
    """One row of float32 for each vector in `target`.

    Raises ValueError where `target` holds no vectors or something else, and InvalidArgumentError
    where the vectors differ in length. Whether the numbers are finite is for the engine to say.
    """
    if isinstance(target, np.ndarray):
        return _matrix_of_array(target)
    if not isinstance(target, list):
        raise _not_embeddings(target)
    if not target:
        raise _no_embeddings(target)
    first = target[0]
    if isinstance(first, np.ndarray):
        return _matrix_of_rows(target)
    # A value too large for float32 becomes infinite here, and the engine refuses it.
    with np.errstate(over="ignore"):
        if _is_number(first):
            return np.array([target], dtype=np.float32)
        # An empty first vector is upstream's IndexError.
        if not isinstance(first, list) or not _is_number(first[0]):
            raise _not_embeddings(target)
        try:
            matrix = np.array(target, dtype=np.float32)
        except ValueError:
            # Ragged, or no numbers: a row by itself says which.
            return _matrix_of_rows([np.array(row, dtype=np.float32) for row in target])
    return matrix


def joined(parts: list[Matrix]) -> Matrix:
    """The rows of one matrix after another."""
    if len(parts) == 1:
        return parts[0]
    if any(part.shape[1] != parts[0].shape[1] for part in parts):
        raise InvalidArgumentError("Inconsistent dimensions in provided embeddings")
    return np.concatenate(parts)


def normalize_embeddings(target: object) -> list[Vector] | None:
    """One or many vectors of any accepted form, as a list of one-dimensional arrays."""
    if target is None:
        return None
    if isinstance(target, np.ndarray):
        return list(_rows_of_array(target))
    if isinstance(target, list) and target and isinstance(target[0], np.ndarray):
        return target
    return list(embedding_matrix(target))


def validate_embeddings(embeddings: object) -> list[Vector]:
    """Refuses what is not a list of one-dimensional arrays of an accepted type."""
    if not isinstance(embeddings, (list, np.ndarray)):
        raise ValueError(f"Expected embeddings to be a list, got {type(embeddings).__name__}")
    if len(embeddings) == 0:
        raise ValueError(
            "Expected embeddings to be a list with at least one item, got 0 embeddings"
        )
    _check_rows(embeddings)
    return cast("list[Vector]", embeddings)


def convert_np_embeddings_to_list(embeddings: list[Vector]) -> list[PyVector]:
    """The vectors as lists of Python numbers."""
    return [embedding.tolist() for embedding in embeddings]


def convert_list_embeddings_to_np(embeddings: list[PyVector]) -> list[Vector]:
    """The vectors as arrays."""
    return [np.array(embedding) for embedding in embeddings]


def _matrix_of_array(array: np.ndarray[Any, Any]) -> Matrix:
    rows = _rows_of_array(array)
    if rows.shape[1] == 0 or rows.dtype.type not in _ACCEPTED_TYPES:
        _check_rows(rows[:1])
    # Not of a subclass: what masked arrays and matrices make of indexing is not for the engine.
    with np.errstate(over="ignore"):
        return np.require(np.asarray(rows), np.float32, ("C_CONTIGUOUS", "ALIGNED"))


def _rows_of_array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim not in (1, 2):
        raise _not_embeddings(array)
    if array.shape[0] == 0:
        raise _no_embeddings(array)
    return array if array.ndim == 2 else array[np.newaxis, :]


def _matrix_of_rows(rows: list[Any]) -> Matrix:
    _check_rows(rows)
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise InvalidArgumentError("Inconsistent dimensions in provided embeddings")
    with np.errstate(over="ignore"):
        flat = np.concatenate(rows, dtype=np.float32, casting="same_kind")
    return np.asarray(flat).reshape(len(rows), width)


def _check_rows(rows: Any) -> None:
    if not all(isinstance(row, np.ndarray) for row in rows):
        names = sorted({type(row).__name__ for row in rows})
        raise ValueError(
            f"Expected each embedding in the embeddings to be a numpy array, got {names}"
        )
    for position, row in enumerate(rows):
        if row.ndim != 1:
            raise ValueError(
                f"Expected a 1-dimensional array, got a {row.ndim}-dimensional array {_shown(row)}"
            )
        if row.size == 0:
            raise ValueError(
                "Expected each embedding in the embeddings to be a 1-dimensional numpy array with "
                "at least 1 int/float value. Got a 1-dimensional numpy array with no values at pos "
                f"{position}"
            )
        if row.dtype.type not in _ACCEPTED_TYPES:
            raise ValueError(
                "Expected each value in the embedding to be a int or float, got an embedding with "
                f"{row.dtype} - {_shown(row)}"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _no_embeddings(target: object) -> ValueError:
    return ValueError(
        f"Expected Embeddings to be non-empty list or numpy array, got {_shown(target)}"
    )


def _not_embeddings(target: object) -> ValueError:
    return ValueError(
        "Expected embeddings to be a list of floats or ints, a list of lists, a numpy array, or a "
        f"list of numpy arrays, got {_shown(target)}"
    )


def _shown(value: object) -> str:
    """The value as text, cut where it is so long that it would bury the message."""
    text = str(value)
    if len(text) <= _SHOWN_LENGTH_MAX:
        return text
    return f"{text[:_SHOWN_LENGTH_MAX]}… ({len(text)} characters)"
