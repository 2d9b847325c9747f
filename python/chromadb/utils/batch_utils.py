"""Cutting what is too large for one write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chromadb.api import ClientAPI


def create_batches(
    api: ClientAPI,
    ids: list[str],
    embeddings: Sequence[Any] | None = None,
    metadatas: Sequence[Any] | None = None,
    documents: Sequence[str] | None = None,
) -> list[tuple[list[str], Any, Any, Any]]:
    """The records in slices that fit `api.get_max_batch_size()`, in order.

    Each slice is a tuple (ids, embeddings, metadatas, documents). What fits whole comes back whole.
    """
    size = api.get_max_batch_size()
    if len(ids) <= size:
        return [(ids, embeddings, metadatas, documents)]
    return [
        (
            ids[start : start + size],
            embeddings[start : start + size] if embeddings is not None else None,
            metadatas[start : start + size] if metadatas is not None else None,
            documents[start : start + size] if documents is not None else None,
        )
        for start in range(0, len(ids), size)
    ]
