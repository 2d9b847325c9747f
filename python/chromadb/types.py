"""What the engine says about tenants, databases and collections, and the records of its log."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypedDict, TypeVar
from uuid import UUID

from chromadb.base_types import (
    InclusionExclusionOperator,
    LiteralValue,
    LogicalOperator,
    Metadata,
    OperatorExpression,
    PyVector,
    UpdateMetadata,
    Vector,
    Where,
    WhereDocument,
    WhereDocumentOperator,
    WhereOperator,
)
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT
from chromadb.serde import BaseModelJSONSerializable

if TYPE_CHECKING:
    from chromadb.api.collection_configuration import CollectionConfiguration

__all__ = [
    "CloudClientArg",
    "Collection",
    "CollectionAndSegments",
    "Configurable",
    "Database",
    "InclusionExclusionOperator",
    "LiteralValue",
    "LogRecord",
    "LogicalOperator",
    "Metadata",
    "MetadataEmbeddingRecord",
    "NamespacedName",
    "Operation",
    "OperationRecord",
    "OperatorExpression",
    "OptionalArgument",
    "PyVector",
    "RequestVersionContext",
    "ScalarEncoding",
    "Segment",
    "SegmentScope",
    "SeqId",
    "Tenant",
    "Unspecified",
    "UpdateMetadata",
    "Vector",
    "VectorEmbeddingRecord",
    "VectorQuery",
    "VectorQueryResult",
    "Where",
    "WhereDocument",
    "WhereDocumentOperator",
    "WhereOperator",
]

T = TypeVar("T")
C = TypeVar("C")

# A name that means the same wherever it is written.
NamespacedName: TypeAlias = str
# A position in the log.
SeqId: TypeAlias = int


# ---- The catalog --------------------------------------------------------------------------------


class Tenant(TypedDict):
    """Who databases belong to."""

    name: str


class Database(TypedDict):
    """Where the names of collections are unique."""

    id: UUID
    name: str
    tenant: str


@dataclass(init=False, eq=False)
class Collection(BaseModelJSONSerializable["Collection"]):
    """A collection as the engine described it when it was fetched. Its fields are items too."""

    id: UUID
    name: str
    configuration_json: dict[str, Any]
    serialized_schema: dict[str, Any] | None
    metadata: Metadata | None
    dimension: int | None
    tenant: str
    database: str
    version: int
    log_position: int

    def __init__(
        self,
        id: UUID,
        name: str,
        configuration_json: dict[str, Any],
        serialized_schema: dict[str, Any] | None = None,
        metadata: Metadata | None = None,
        dimension: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        version: int = 0,
        log_position: int = 0,
    ) -> None:
        self.id = id if isinstance(id, UUID) else UUID(id)
        self.name = name
        self.configuration_json = configuration_json
        self.serialized_schema = serialized_schema
        self.metadata = metadata
        self.dimension = dimension
        self.tenant = tenant
        self.database = database
        self.version = version
        self.log_position = log_position

    def __getitem__(self, key: str) -> Any:
        """A field by its name, `"configuration"` too; None where there is no such field."""
        if key == "configuration":
            return self.get_configuration()
        return getattr(self, key) if key in self.get_model_fields() else None

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "configuration":
            self.set_configuration(value)
        elif key in self.get_model_fields():
            setattr(self, key, value)
        else:
            raise KeyError(f"No such key: {key}, valid keys are: {list(self.get_model_fields())}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    def get_model_fields(self) -> dict[Any, Any]:
        """The fields by their names."""
        return {field.name: field for field in fields(self)}

    def get_configuration(self) -> CollectionConfiguration:
        """The configuration, with its embedding function as an object."""
        from chromadb.api.collection_configuration import load_collection_configuration_from_json

        try:
            return load_collection_configuration_from_json(self.configuration_json)
        except Exception as error:
            raise ValueError(f"Could not deserialize configuration_json: {error}") from error

    def set_configuration(self, configuration: CollectionConfiguration) -> None:
        """Replaces the configuration that is described here, not that of the collection."""
        from chromadb.api.collection_configuration import collection_configuration_to_json

        self.configuration_json = collection_configuration_to_json(configuration)

    def get_serialized_schema(self) -> dict[str, Any] | None:
        """The schema as JSON."""
        return self.serialized_schema

    def set_serialized_schema(self, serialized_schema: dict[str, Any]) -> None:
        """Replaces the schema that is described here, not that of the collection."""
        self.serialized_schema = serialized_schema

    def pretty_schema(self) -> str:
        """The schema as indented JSON text."""
        if self.serialized_schema is None:
            return "No schema"
        return json.dumps(self.serialized_schema, indent=2)

    def model_dump(self) -> dict[str, Any]:
        """The fields and their values."""
        return dict(self.__dict__)

    def model_dump_json(self) -> str:
        """The fields as JSON text."""
        return json.dumps(self.model_dump(), default=str, separators=(",", ":"))

    @classmethod
    def from_json(cls, json_map: dict[str, Any]) -> Self:
        """Reads what a server sends, where the schema is called `schema`."""
        return cls(
            id=json_map["id"],
            name=json_map["name"],
            configuration_json=json_map.get("configuration_json") or {},
            serialized_schema=json_map.get("schema"),
            metadata=json_map.get("metadata"),
            dimension=json_map.get("dimension"),
            tenant=json_map["tenant"],
            database=json_map["database"],
            version=json_map.get("version", 0),
            log_position=json_map.get("log_position", 0),
        )


class Configurable(Generic[C], ABC):
    """What has a configuration that can be replaced."""

    @abstractmethod
    def get_configuration(self) -> C:
        """The configuration."""

    @abstractmethod
    def set_configuration(self, configuration: C) -> None:
        """Replaces the configuration."""


# ---- Segments and the log -----------------------------------------------------------------------


class SegmentScope(Enum):
    """What a segment keeps of the records of a collection."""

    VECTOR = "VECTOR"
    METADATA = "METADATA"
    RECORD = "RECORD"


class Segment(TypedDict):
    """A part of a collection's storage."""

    id: UUID
    type: NamespacedName
    scope: SegmentScope
    collection: UUID
    metadata: Metadata | None
    file_paths: Mapping[str, Sequence[str]]


class CollectionAndSegments(TypedDict):
    """A collection with the parts of its storage."""

    collection: Collection
    segments: Sequence[Segment]


class ScalarEncoding(Enum):
    """How the numbers of a vector are written."""

    FLOAT32 = "FLOAT32"
    INT32 = "INT32"


class Operation(Enum):
    """What a record of the log does."""

    ADD = "ADD"
    UPDATE = "UPDATE"
    UPSERT = "UPSERT"
    DELETE = "DELETE"


class OperationRecord(TypedDict):
    """One change of one record."""

    id: str
    embedding: Vector | None
    encoding: ScalarEncoding | None
    metadata: UpdateMetadata | None
    operation: Operation


class LogRecord(TypedDict):
    """A change, and where in the log it stands."""

    log_offset: int
    record: OperationRecord


class VectorEmbeddingRecord(TypedDict):
    """A record as a vector segment has it."""

    id: str
    embedding: Vector


class MetadataEmbeddingRecord(TypedDict):
    """A record as a metadata segment has it."""

    id: str
    metadata: Metadata | None


class RequestVersionContext(TypedDict):
    """The state of a collection that a request is about."""

    collection_version: int
    log_position: int


class VectorQuery(TypedDict):
    """What a vector segment is asked."""

    vectors: Sequence[Vector]
    k: int
    allowed_ids: Sequence[str] | None
    include_embeddings: bool
    options: dict[str, str | int | float | bool] | None
    request_version_context: RequestVersionContext


class VectorQueryResult(TypedDict):
    """A neighbour that a vector segment found."""

    id: str
    distance: float
    embedding: Vector | None


# ---- Arguments ----------------------------------------------------------------------------------


class Unspecified:
    """Stands for an argument that was not given, where None means something. There is only one."""

    _instance: ClassVar[Self | None] = None

    def __new__(cls) -> Self:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance


OptionalArgument: TypeAlias = T | Unspecified


@dataclass
class CloudClientArg:
    """An argument of `CloudClient`, and the variable of the environment that it may come from."""

    name: str
    env_var: str
    value: str | None = None
