"""What the configurations of collections may say."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from chromadb.api._embedding_function import EmbeddingFunction
from chromadb.base_types import Space

VectorDtype = Literal["f32", "f16", "bf16", "int8"]


class HNSWConfiguration(TypedDict, total=False):
    space: Space
    ef_construction: int
    max_neighbors: int
    ef_search: int
    num_threads: int
    batch_size: int
    sync_threshold: int
    resize_factor: float


class SpannConfiguration(TypedDict, total=False):
    space: Space
    search_nprobe: int
    write_nprobe: int
    ef_construction: int
    ef_search: int
    max_neighbors: int
    reassign_neighbor_count: int
    split_threshold: int
    merge_threshold: int


CreateHNSWConfiguration = HNSWConfiguration
CreateSpannConfiguration = SpannConfiguration


class UpdateHNSWConfiguration(TypedDict, total=False):
    ef_search: int
    num_threads: int
    batch_size: int
    sync_threshold: int
    resize_factor: float


class UpdateSpannConfiguration(TypedDict, total=False):
    search_nprobe: int
    ef_search: int


class CollectionConfiguration(TypedDict, total=False):
    """What a collection answers."""

    hnsw: HNSWConfiguration | None
    spann: SpannConfiguration | None
    embedding_function: EmbeddingFunction[Any] | None
    vector_dtype: VectorDtype


class CreateCollectionConfiguration(TypedDict, total=False):
    """What a new collection is given.

    `vector_dtype` is how embeddings are stored, for good: "f32" unless it says otherwise. They are
    rounded when they are written, and distances are exact for the rounded values.
    """

    hnsw: HNSWConfiguration | None
    spann: SpannConfiguration | None
    embedding_function: EmbeddingFunction[Any] | None
    vector_dtype: VectorDtype | None


class UpdateCollectionConfiguration(TypedDict, total=False):
    """What may be changed later."""

    hnsw: UpdateHNSWConfiguration | None
    spann: UpdateSpannConfiguration | None
    embedding_function: EmbeddingFunction[Any] | None
