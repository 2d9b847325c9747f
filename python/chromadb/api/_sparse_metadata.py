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


def normalize_metadata(metadata: Any) -> Any:
    """The metadata with vectors that are given as they are sent turned into objects.

    Metadata without such vectors, and what is no metadata, is returned as it is.
    """
    if isinstance(metadata, dict) and any(map(_is_sent_vector, metadata.values())):
        return deserialize_metadata(metadata)
    return metadata


def normalize_metadatas(metadatas: Any) -> Any:
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
