"""The names of the API: values, results, and the functions that check them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar, cast

import numpy as np

from chromadb.api._embedding_function import (
    D,
    DataLoader,
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    L,
    SparseEmbeddingFunction,
    validate_embedding_function,
    validate_sparse_embedding_function,
    validate_sparse_vectors,
)
from chromadb.api._embeddings import (
    convert_list_embeddings_to_np,
    convert_np_embeddings_to_list,
    normalize_embeddings,
    validate_embeddings,
)
from chromadb.api._index_configs import (
    DOCUMENT_KEY,
    BoolInvertedIndexConfig,
    FloatInvertedIndexConfig,
    FtsIndexConfig,
    HnswIndexConfig,
    IndexConfig,
    IntInvertedIndexConfig,
    SpannIndexConfig,
    SparseVectorIndexConfig,
    StringInvertedIndexConfig,
    VectorIndexConfig,
)
from chromadb.api._packing import (
    optional_base64_strings_to_embeddings,
    optional_embeddings_to_base64_strings,
    pack_embedding_safely,
)
from chromadb.api._record_sets import (
    AddRequest,
    BaseRecordSet,
    DeleteRequest,
    FilterSet,
    GetRequest,
    IndexMetadata,
    InsertRecordSet,
    QueryRequest,
    UpdateRequest,
    UpsertRequest,
    get_default_embeddable_record_set_fields,
    normalize_base_record_set,
    normalize_insert_record_set,
    validate_base_record_set,
    validate_batch,
    validate_filter_set,
    validate_insert_record_set,
    validate_record_set_contains_any,
    validate_record_set_contains_one,
    validate_record_set_for_embedding,
)
from chromadb.api._schema_parts import (
    BOOL_INVERTED_INDEX_NAME,
    BOOL_VALUE_NAME,
    EMBEDDING_KEY,
    FLOAT_INVERTED_INDEX_NAME,
    FLOAT_LIST_VALUE_NAME,
    FLOAT_VALUE_NAME,
    FTS_INDEX_NAME,
    HNSW_INDEX_NAME,
    INT_INVERTED_INDEX_NAME,
    INT_VALUE_NAME,
    META_KEY_CHROMA_DOCUMENT,
    SPANN_INDEX_NAME,
    SPARSE_VECTOR_INDEX_NAME,
    SPARSE_VECTOR_VALUE_NAME,
    STRING_INVERTED_INDEX_NAME,
    STRING_VALUE_NAME,
    VECTOR_INDEX_NAME,
    BoolInvertedIndexType,
    BoolValueType,
    Cmek,
    CmekProvider,
    FloatInvertedIndexType,
    FloatListValueType,
    FloatValueType,
    FtsIndexType,
    IntInvertedIndexType,
    IntValueType,
    SparseVectorIndexType,
    SparseVectorValueType,
    StringInvertedIndexType,
    StringValueType,
    ValueTypes,
    VectorIndexType,
)
from chromadb.api._sparse_metadata import (
    deserialize_metadata,
    normalize_metadata,
    normalize_metadatas,
    serialize_metadata,
)
from chromadb.api._validation import (
    is_document,
    is_image,
    maybe_cast_one_to_many,
    validate_documents,
    validate_ids,
    validate_images,
    validate_include,
    validate_metadata,
    validate_metadatas,
    validate_n_results,
    validate_update_metadata,
    validate_where,
    validate_where_document,
)
from chromadb.api.schema import Schema
from chromadb.base_types import (
    SPARSE_VECTOR_TYPE_VALUE,
    TYPE_KEY,
    URI,
    Document,
    Documents,
    Embeddable,
    Image,
    ImageDType,
    Images,
    LiteralValue,
    Loadable,
    LogicalOperator,
    Metadata,
    OperatorExpression,
    PyVector,
    Space,
    SparseVector,
    SparseVectors,
    UpdateMetadata,
    URIs,
    Vector,
    Where,
    WhereDocument,
    WhereDocumentOperator,
    WhereOperator,
)
from chromadb.config import is_thin_client as is_thin_client

__all__ = [
    "BOOL_INVERTED_INDEX_NAME",
    "BOOL_VALUE_NAME",
    "D",
    "DOCUMENT_KEY",
    "EMBEDDING_KEY",
    "FLOAT_INVERTED_INDEX_NAME",
    "FLOAT_LIST_VALUE_NAME",
    "FLOAT_VALUE_NAME",
    "FTS_INDEX_NAME",
    "HNSW_INDEX_NAME",
    "ID",
    "INT_INVERTED_INDEX_NAME",
    "INT_VALUE_NAME",
    "L",
    "META_KEY_CHROMA_DOCUMENT",
    "SPANN_INDEX_NAME",
    "SPARSE_VECTOR_INDEX_NAME",
    "SPARSE_VECTOR_TYPE_VALUE",
    "SPARSE_VECTOR_VALUE_NAME",
    "STRING_INVERTED_INDEX_NAME",
    "STRING_VALUE_NAME",
    "TYPE_KEY",
    "URI",
    "VECTOR_INDEX_NAME",
    "AddRequest",
    "BaseRecordSet",
    "BoolInvertedIndexConfig",
    "BoolInvertedIndexType",
    "BoolValueType",
    "Cmek",
    "CmekProvider",
    "CollectionMetadata",
    "DataLoader",
    "DefaultEmbeddingFunction",
    "DeleteRequest",
    "DeleteResult",
    "DistinctResult",
    "Document",
    "Documents",
    "Embeddable",
    "Embedding",
    "EmbeddingFunction",
    "Embeddings",
    "FilterSet",
    "FloatInvertedIndexConfig",
    "FloatInvertedIndexType",
    "FloatListValueType",
    "FloatValueType",
    "FtsIndexConfig",
    "FtsIndexType",
    "GetRequest",
    "GetResult",
    "HnswIndexConfig",
    "IDs",
    "Image",
    "ImageDType",
    "Images",
    "Include",
    "IncludeMetadataDocuments",
    "IncludeMetadataDocumentsDistances",
    "IncludeMetadataDocumentsEmbeddings",
    "IncludeMetadataDocumentsEmbeddingsDistances",
    "IndexConfig",
    "IndexMetadata",
    "IndexingStatus",
    "InsertRecordSet",
    "IntInvertedIndexConfig",
    "IntInvertedIndexType",
    "IntValueType",
    "LiteralValue",
    "Loadable",
    "LogicalOperator",
    "Metadata",
    "Metadatas",
    "OneOrMany",
    "OperatorExpression",
    "Parameter",
    "PyEmbedding",
    "PyEmbeddings",
    "PyVector",
    "QueryRequest",
    "QueryResult",
    "ReadLevel",
    "Schema",
    "SearchResult",
    "SearchResultRow",
    "Space",
    "SpannIndexConfig",
    "SparseEmbeddingFunction",
    "SparseVector",
    "SparseVectorIndexConfig",
    "SparseVectorIndexType",
    "SparseVectorValueType",
    "SparseVectors",
    "StringInvertedIndexConfig",
    "StringInvertedIndexType",
    "StringValueType",
    "URIs",
    "UpdateCollectionMetadata",
    "UpdateMetadata",
    "UpdateRequest",
    "UpdateResult",
    "UpsertRequest",
    "ValueTypes",
    "Vector",
    "VectorIndexConfig",
    "VectorIndexType",
    "Where",
    "WhereDocument",
    "WhereDocumentOperator",
    "WhereOperator",
    "convert_list_embeddings_to_np",
    "convert_np_embeddings_to_list",
    "deserialize_metadata",
    "get_default_embeddable_record_set_fields",
    "is_document",
    "is_image",
    "maybe_cast_one_to_many",
    "normalize_base_record_set",
    "normalize_embeddings",
    "normalize_insert_record_set",
    "normalize_metadata",
    "normalize_metadatas",
    "optional_base64_strings_to_embeddings",
    "optional_embeddings_to_base64_strings",
    "pack_embedding_safely",
    "serialize_metadata",
    "validate_base_record_set",
    "validate_batch",
    "validate_documents",
    "validate_embedding_function",
    "validate_embeddings",
    "validate_filter_set",
    "validate_ids",
    "validate_images",
    "validate_include",
    "validate_insert_record_set",
    "validate_metadata",
    "validate_metadatas",
    "validate_n_results",
    "validate_record_set_contains_any",
    "validate_record_set_contains_one",
    "validate_record_set_for_embedding",
    "validate_sparse_embedding_function",
    "validate_sparse_vectors",
    "validate_update_metadata",
    "validate_where",
    "validate_where_document",
]

T = TypeVar("T")

# One value, or a list of it. Only a list counts as many: a tuple is one value.
OneOrMany: TypeAlias = T | list[T]

ID: TypeAlias = str
IDs: TypeAlias = list[ID]
Embedding: TypeAlias = Vector
Embeddings: TypeAlias = list[Embedding]
PyEmbedding: TypeAlias = PyVector
PyEmbeddings: TypeAlias = list[PyEmbedding]
Metadatas: TypeAlias = list[Metadata]
CollectionMetadata: TypeAlias = dict[str, Any]
UpdateCollectionMetadata: TypeAlias = dict[str, Any]

Parameter = TypeVar("Parameter", Document, Image, Embedding, Metadata, ID)

Include: TypeAlias = list[
    Literal["documents", "embeddings", "metadatas", "distances", "uris", "data"]
]
IncludeMetadataDocuments: Include = ["metadatas", "documents"]
IncludeMetadataDocumentsDistances: Include = ["metadatas", "documents", "distances"]
IncludeMetadataDocumentsEmbeddings: Include = ["metadatas", "documents", "embeddings"]
IncludeMetadataDocumentsEmbeddingsDistances: Include = [
    "metadatas",
    "documents",
    "embeddings",
    "distances",
]


class ReadLevel(str, Enum):
    """How much of the log a read takes in. A local database always reads all of it."""

    INDEX_AND_WAL = "index_and_wal"
    INDEX_ONLY = "index_only"
    INDEX_AND_BOUNDED_WAL = "index_and_bounded_wal"


class GetResult(TypedDict):
    """Records in columns, a place for each id. A column that was not asked for is None.

    So is the place of a record that has no document, uri or metadata, which upstream's types, that
    programs are checked against, do not say.
    """

    ids: list[ID]
    embeddings: np.ndarray[Any, np.dtype[np.float64]] | None
    documents: list[Document] | None
    uris: list[URI] | None
    included: Include
    data: Loadable | None
    metadatas: list[Metadata] | None


class QueryResult(TypedDict):
    """The neighbours of each query, in columns. See GetResult for what can be None."""

    ids: list[list[ID]]
    embeddings: list[np.ndarray[Any, np.dtype[np.float64]]] | None
    documents: list[list[Document]] | None
    uris: list[list[URI]] | None
    included: Include
    data: list[Loadable] | None
    metadatas: list[list[Metadata]] | None
    distances: list[list[float]] | None


@dataclass
class IndexingStatus:
    """How many of the operations on a collection its index knows."""

    num_indexed_ops: int
    num_unindexed_ops: int
    total_ops: int
    op_indexing_progress: float


class DeleteResult(TypedDict):
    """How many records a deletion removed; of one by ids alone, how many ids it was given."""

    deleted: int


OnConflict: TypeAlias = Literal["ignore", "error", "replace"]


class AddResult(TypedDict):
    """What an addition with `on_conflict` met: the three add up to the records given."""

    added: int
    skipped: int
    replaced: int


class UpdateResult(TypedDict):
    """How many records an update by filter changed."""

    updated: int


class DistinctResult(TypedDict):
    """The values under a key, ascending, and how many records have each."""

    values: list[str | int | float | bool]
    counts: list[int]


class SearchResultRow(TypedDict, total=False):
    """A record that a search found: its id, and what the search selected and the record has."""

    id: str
    document: str | None
    embedding: list[float] | None
    metadata: dict[str, Any] | None
    score: float | None


# The columns of a search's answer, and what they are called in a row.
_ROW_FIELDS = {
    "documents": "document",
    "embeddings": "embedding",
    "metadatas": "metadata",
    "scores": "score",
}


class SearchResult(dict[str, Any]):
    """The records that searches found, in columns, for each search. See `rows`.

    Its items are `ids`, `documents`, `embeddings`, `metadatas`, `scores` and `select`. A column is
    None where its search did not select it.
    """

    def rows(self) -> list[list[SearchResultRow]]:
        """The same as rows, for each search a list of them."""
        return [self._rows_of(number, ids) for number, ids in enumerate(self.get("ids", []))]

    def _rows_of(self, number: int, ids: list[str]) -> list[SearchResultRow]:
        rows: list[dict[str, Any]] = [{"id": identifier} for identifier in ids]
        for column, name in _ROW_FIELDS.items():
            columns = self.get(column) or []
            values = columns[number] if number < len(columns) else None
            for row, value in zip(rows, values or [], strict=False):
                if value is not None:
                    row[name] = value
        return cast("list[SearchResultRow]", rows)
