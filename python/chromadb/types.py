"""What the engine says about tenants, databases and collections."""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

from chromadb.base_types import (
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

__all__ = [
    "Collection",
    "Database",
    "LiteralValue",
    "LogicalOperator",
    "Metadata",
    "OperatorExpression",
    "PyVector",
    "Tenant",
    "UpdateMetadata",
    "Vector",
    "Where",
    "WhereDocument",
    "WhereDocumentOperator",
    "WhereOperator",
]


class Tenant(TypedDict):
    name: str


class Database(TypedDict):
    id: UUID
    name: str
    tenant: str


class Collection:
    """A collection as the engine described it when it was fetched."""

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
        self.id = id
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
        try:
            return self.__dict__[key]
        except KeyError:
            raise KeyError(f"A collection has no field {key!r}.") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"Collection({fields})"
