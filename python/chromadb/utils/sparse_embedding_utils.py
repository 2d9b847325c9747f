"""Making sparse vectors of what models return."""

from __future__ import annotations

from chromadb.base_types import SparseVector


def normalize_sparse_vector(
    indices: list[int], values: list[float], labels: list[str] | None = None
) -> SparseVector:
    """A sparse vector of indices in any order, each with its value and label."""
    if not indices:
        return SparseVector(indices=[], values=[])
    # As many as the shortest has; what is alike in its index stays in order, and is refused.
    columns = (indices, values) if labels is None else (indices, values, labels)
    rows = sorted(zip(*columns, strict=False), key=lambda row: row[0])
    return SparseVector(*(list(column) for column in zip(*rows, strict=True)))
