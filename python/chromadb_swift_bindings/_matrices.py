"""Embeddings, from what official's Python layer hands over to what the engine takes.

That is a sequence of vectors, each an array or a sequence of numbers, and in an update also None.
What is refused, and in which words, is what official's native module refuses: a value is whatever
`float()` takes but text. The engine takes one C-contiguous float32 array with a row per vector.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Matrix: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_NO_ROWS = np.empty((0, 0), np.float32)


def matrix(vectors: object, argument: str) -> Matrix:
    """One row for each vector."""
    if isinstance(vectors, np.ndarray) and vectors.ndim == 2 and vectors.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            return np.require(np.asarray(vectors), np.float32, ("C_CONTIGUOUS", "ALIGNED"))
    rows = [_row(vector, argument) for vector in _sequence(vectors, argument)]
    return _stacked(rows) if rows else _NO_ROWS


def partial_matrix(
    vectors: object, argument: str, ids: Sequence[str]
) -> tuple[Matrix | None, Flags | None]:
    """As `matrix`, where vectors may be None: their rows are zeros, and False among the flags.

    No matrix where each of the ids has None, no flags where none has.
    """
    if vectors is None:
        return None, None
    items = _sequence(vectors, argument)
    flags = np.array([item is not None for item in items], np.bool_)
    if flags.all():
        return matrix(vectors, argument), None
    if not flags.any():
        if len(items) == len(_sequence(ids, "ids")):
            return None, None
        # For the engine to refuse.
        return np.empty((len(items), 0), np.float32), flags
    present = matrix([item for item in items if item is not None], argument)
    rows = np.zeros((len(flags), present.shape[1]), np.float32)
    rows[flags] = present
    return rows, flags


def _stacked(rows: list[np.ndarray[Any, Any]]) -> Matrix:
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        from chromadb.errors import InvalidArgumentError

        raise InvalidArgumentError("Inconsistent dimensions in provided embeddings")
    # A value too large for float32 becomes infinite, and the engine says what it thinks of that.
    with np.errstate(over="ignore"):
        flat = np.concatenate(rows, dtype=np.float32, casting="unsafe")
    return flat.reshape(len(rows), width)


def _row(vector: object, argument: str) -> np.ndarray[Any, Any]:
    if isinstance(vector, np.ndarray) and vector.ndim == 1 and vector.dtype.kind in "fiub":
        return np.asarray(vector)
    values = _sequence(vector, argument)
    try:
        # Unlike NumPy, which would also take "1" for a number.
        return np.frombuffer(array("f", list(values)), np.float32)
    except TypeError as error:
        raise TypeError(f"argument '{argument}': {error}") from None


def _sequence(value: Any, argument: str) -> Sequence[Any]:
    """The value, if it is what C takes for a sequence and no text."""
    if isinstance(value, str):
        raise TypeError(f"argument '{argument}': Can't extract `str` to `Vec`")
    kind = type(value)
    if isinstance(value, dict) or not (hasattr(kind, "__getitem__") and hasattr(kind, "__len__")):
        raise TypeError(
            f"argument '{argument}': '{kind.__name__}' object cannot be converted to 'Sequence'"
        )
    return value  # type: ignore[no-any-return]
