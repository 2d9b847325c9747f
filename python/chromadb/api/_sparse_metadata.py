"""Sparse vectors as values of metadata: objects here, tagged dictionaries on their way."""

from __future__ import annotations

from typing import Any

from chromadb.base_types import (
    SPARSE_VECTOR_TYPE_VALUE,
    TYPE_KEY,
    Metadata,
    SparseVector,
)


def _is_sent_vector(value: object) -> bool:
    return isinstance(value, dict) and value.get(TYPE_KEY) == SPARSE_VECTOR_TYPE_VALUE


def has_sparse_vectors(metadata: object) -> bool:
    """Whether a value of the metadata is a sparse vector, or one as it is sent."""
    return isinstance(metadata, dict) and any(
        isinstance(value, SparseVector) or _is_sent_vector(value) for value in metadata.values()
    )


def normalize_metadata(metadata: Metadata | None) -> Metadata | None:
    """The metadata with vectors that are given as they are sent turned into objects."""
    return None if metadata is None else deserialize_metadata(dict(metadata))


def normalize_metadatas(
    metadatas: Metadata | list[Metadata | None] | None,
) -> list[Metadata | None] | None:
    """The same for one or many metadata, as a list."""
    if metadatas is None:
        return None
    listed = metadatas if isinstance(metadatas, list) else [metadatas]
    return [normalize_metadata(metadata) for metadata in listed]


def serialize_metadata(metadata: Metadata | None) -> dict[str, Any] | None:
    """The metadata as it is sent: sparse vectors become tagged dictionaries."""
    if metadata is None:
        return None
    return {
        key: value.to_dict() if isinstance(value, SparseVector) else value
        for key, value in metadata.items()
    }


def deserialize_metadata(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """The metadata as it came: tagged dictionaries become sparse vectors."""
    if metadata is None:
        return None
    return {
        key: SparseVector.from_dict(value) if _is_sent_vector(value) else value
        for key, value in metadata.items()
    }
