"""Embedding by what a collection's schema says: sparse vectors of records, and texts of searches.

A schema may name, for a key of metadata, a function that makes a sparse vector for it, and what of:
the document, or the text under another key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chromadb.api.types import (
    DOCUMENT_KEY,
    EMBEDDING_KEY,
    Schema,
    SparseVectorIndexConfig,
    ValueTypes,
    validate_embedding_function,
    validate_metadatas,
    validate_sparse_embedding_function,
)

if TYPE_CHECKING:
    from chromadb.execution.expression.operator import Knn, Rank

# Embeds one text as a query, by the collection's own function.
EmbedText = Callable[[str], Any]


# ---- Sparse vectors of records ------------------------------------------------------------------


def has_sparse_index(serialized_schema: dict[str, Any] | None) -> bool:
    """Whether a schema, as JSON, has a sparse index: most have none, and need not be read."""
    keys = (serialized_schema or {}).get("keys") or {}
    for value_types in keys.values():
        sparse = (value_types or {}).get("sparse_vector") or {}
        if (sparse.get("sparse_vector_index") or {}).get("enabled"):
            return True
    return False


def _sparse_targets(schema: Schema) -> Iterator[tuple[str, SparseVectorIndexConfig]]:
    """The keys that sparse vectors are to be made for, with the function and what it embeds."""
    for key, value_types in schema.keys.items():
        index = value_types.sparse_vector and value_types.sparse_vector.sparse_vector_index
        if not index or not index.enabled:
            continue
        if index.config.embedding_function is not None and index.config.source_key is not None:
            yield key, index.config


def with_sparse_vectors(
    schema: Schema, metadatas: Sequence[Any] | None, documents: Sequence[Any] | None
) -> list[Any] | None:
    """The metadata with the sparse vectors that the schema wants and that are not given.

    A record without the text that is embedded gets none.
    """
    targets = list(_sparse_targets(schema))
    if not targets or (metadatas is None and documents is None):
        return None if metadatas is None else list(metadatas)
    rows = metadatas if metadatas is not None else [None] * len(documents or ())
    filled = [dict(row or {}) for row in rows]
    for key, config in targets:
        if config.source_key == DOCUMENT_KEY:
            sources: list[Any] = list(documents or [None] * len(filled))
        else:
            sources = [row.get(config.source_key) for row in filled]
        chosen = [
            (row, source)
            for row, source in zip(filled, sources, strict=True)
            if key not in row and isinstance(source, str)
        ]
        if not chosen:
            continue
        function = config.embedding_function
        validate_sparse_embedding_function(function)
        vectors = function(input=[source for _, source in chosen])
        if len(vectors) != len(chosen):
            raise ValueError("Sparse embedding function returned unexpected number of embeddings.")
        for (row, _), vector in zip(chosen, vectors, strict=True):
            row[key] = vector
    result = [row or None for row in filled]
    validate_metadatas(result)
    return result


# ---- Texts of searches --------------------------------------------------------------------------


def embedded_search(search: Any, schema: Schema, embed_text: EmbedText) -> Any:
    """The search with the texts in its rank embedded; ValueError where there is no function."""
    from chromadb.execution.expression.plan import Search

    if not isinstance(search, Search) or search._rank is None:
        return search
    return search.rank(_embedded_rank(search._rank, schema, embed_text))


def _embedded_rank(rank: Rank, schema: Schema, embed_text: EmbedText) -> Rank:
    from chromadb.execution.expression.operator import Knn

    if isinstance(rank, Knn):
        return _embedded_knn(rank, schema, embed_text)
    # Whatever ranks a rank is made of stand in these fields.
    parts: dict[str, Any] = {
        name: _embedded_rank(part, schema, embed_text)
        for name in ("rank", "left", "right")
        if (part := getattr(rank, name, None)) is not None and not callable(part)
    }
    if (ranks := getattr(rank, "ranks", None)) is not None:
        parts["ranks"] = [_embedded_rank(part, schema, embed_text) for part in ranks]
    result: Rank = replace(rank, **parts) if parts else rank
    return result


def _embedded_knn(knn: Knn, schema: Schema, embed_text: EmbedText) -> Knn:
    from chromadb.execution.expression.operator import Key

    if not isinstance(knn.query, str):
        return knn
    key = knn.key.name if isinstance(knn.key, Key) else knn.key
    if key == EMBEDDING_KEY:
        return replace(knn, query=embed_text(knn.query))
    if key not in schema.keys:
        raise ValueError(
            f"Cannot embed string query for key '{key}': key not found in schema. Please provide "
            "an embedded vector or configure an embedding function for this key in the schema."
        )
    function = _query_function(schema.keys[key])
    if function is None:
        raise ValueError(
            f"Cannot embed string query for key '{key}': no embedding function configured for this "
            "key in the schema. Please provide an embedded vector or configure an embedding "
            "function."
        )
    embed = function.embed_query if hasattr(function, "embed_query") else function
    vectors = embed(input=[knn.query])
    if not vectors or len(vectors) != 1:
        kind = "Sparse embedding" if schema.keys[key].sparse_vector else "Embedding"
        raise ValueError(f"{kind} function returned unexpected number of embeddings")
    return replace(knn, query=vectors[0])


def _query_function(value_types: ValueTypes) -> Any:
    """The function of the sparse or the vector index of a key."""
    sparse = value_types.sparse_vector and value_types.sparse_vector.sparse_vector_index
    if sparse and sparse.enabled and sparse.config.embedding_function is not None:
        validate_sparse_embedding_function(sparse.config.embedding_function)
        return sparse.config.embedding_function
    dense = value_types.float_list and value_types.float_list.vector_index
    if dense and dense.enabled and dense.config.embedding_function is not None:
        validate_embedding_function(dense.config.embedding_function)
        return dense.config.embedding_function
    return None
