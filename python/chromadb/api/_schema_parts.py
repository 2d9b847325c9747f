"""What a schema is made of, and the names of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from chromadb.api._index_configs import (
    BoolInvertedIndexConfig,
    FloatInvertedIndexConfig,
    FtsIndexConfig,
    IntInvertedIndexConfig,
    SparseVectorIndexConfig,
    StringInvertedIndexConfig,
    VectorIndexConfig,
)

EMBEDDING_KEY: Final = "#embedding"
META_KEY_CHROMA_DOCUMENT: Final = "chroma:document"

# The types of values.
STRING_VALUE_NAME: Final = "string"
INT_VALUE_NAME: Final = "int"
BOOL_VALUE_NAME: Final = "bool"
FLOAT_VALUE_NAME: Final = "float"
FLOAT_LIST_VALUE_NAME: Final = "float_list"
SPARSE_VECTOR_VALUE_NAME: Final = "sparse_vector"

# Their indexes.
FTS_INDEX_NAME: Final = "fts_index"
VECTOR_INDEX_NAME: Final = "vector_index"
SPARSE_VECTOR_INDEX_NAME: Final = "sparse_vector_index"
STRING_INVERTED_INDEX_NAME: Final = "string_inverted_index"
INT_INVERTED_INDEX_NAME: Final = "int_inverted_index"
FLOAT_INVERTED_INDEX_NAME: Final = "float_inverted_index"
BOOL_INVERTED_INDEX_NAME: Final = "bool_inverted_index"
HNSW_INDEX_NAME: Final = "hnsw_index"
SPANN_INDEX_NAME: Final = "spann_index"


# ---- Encryption keys of customers ---------------------------------------------------------------


class CmekProvider(str, Enum):
    """Who keeps the key."""

    GCP = "gcp"


@dataclass
class Cmek:
    """A customer's key, which Chroma Cloud encrypts a collection with. A local database keeps the
    name and encrypts nothing."""

    provider: CmekProvider
    resource: str

    @classmethod
    def gcp(cls, resource: str) -> Cmek:
        """A key at Google: projects/…/locations/…/keyRings/…/cryptoKeys/…"""
        return cls(CmekProvider.GCP, resource)

    def validate_pattern(self) -> bool:
        """Whether the name has the form of one. Whether the key exists is not asked."""
        form = r"projects/.+/locations/.+/keyRings/.+/cryptoKeys/.+$"
        return re.match(form, self.resource) is not None

    def to_dict(self) -> dict[str, Any]:
        return {CmekProvider(self.provider).value: self.resource}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cmek:
        if CmekProvider.GCP.value not in data:
            raise ValueError(f"Unsupported or missing CMEK provider in data: {data}")
        resource = data[CmekProvider.GCP.value]
        if not isinstance(resource, str):
            raise ValueError(f"CMEK gcp resource must be a string, got: {type(resource)}")
        return cls.gcp(resource)


# ---- What a schema is made of -------------------------------------------------------------------


@dataclass
class FtsIndexType:
    enabled: bool
    config: FtsIndexConfig


@dataclass
class VectorIndexType:
    enabled: bool
    config: VectorIndexConfig


@dataclass
class SparseVectorIndexType:
    enabled: bool
    config: SparseVectorIndexConfig


@dataclass
class StringInvertedIndexType:
    enabled: bool
    config: StringInvertedIndexConfig


@dataclass
class IntInvertedIndexType:
    enabled: bool
    config: IntInvertedIndexConfig


@dataclass
class FloatInvertedIndexType:
    enabled: bool
    config: FloatInvertedIndexConfig


@dataclass
class BoolInvertedIndexType:
    enabled: bool
    config: BoolInvertedIndexConfig


@dataclass
class StringValueType:
    fts_index: FtsIndexType | None = None
    string_inverted_index: StringInvertedIndexType | None = None


@dataclass
class FloatListValueType:
    vector_index: VectorIndexType | None = None


@dataclass
class SparseVectorValueType:
    sparse_vector_index: SparseVectorIndexType | None = None


@dataclass
class IntValueType:
    int_inverted_index: IntInvertedIndexType | None = None


@dataclass
class FloatValueType:
    float_inverted_index: FloatInvertedIndexType | None = None


@dataclass
class BoolValueType:
    bool_inverted_index: BoolInvertedIndexType | None = None


@dataclass
class ValueTypes:
    """The indexes of values, by their type; None for what is not said."""

    string: StringValueType | None = None
    float_list: FloatListValueType | None = None
    sparse_vector: SparseVectorValueType | None = None
    int_value: IntValueType | None = None
    float_value: FloatValueType | None = None
    boolean: BoolValueType | None = None
