"""What clients and servers have in common, and what concerns tenants and databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.types import (
    CollectionMetadata,
    DeleteResult,
    GetResult,
    IDs,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    QueryResult,
    Where,
    WhereDocument,
)
from chromadb.config import DEFAULT_TENANT, Settings
from chromadb.types import Database, Tenant

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix
    from chromadb.auth import UserIdentity
    from chromadb.base_types import Metadata


class BaseAPI(ABC):
    """What can be asked of a client and of what is behind it. Collections go by id."""

    @abstractmethod
    def heartbeat(self) -> int:
        """The time of the engine, in nanoseconds since the epoch."""

    @abstractmethod
    def count_collections(self) -> int:
        """How many collections there are."""

    def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
    ) -> None:
        """Renames a collection, replaces its metadata, or changes settings of its index."""

    @abstractmethod
    def delete_collection(self, name: str) -> None:
        """Deletes a collection and its records.

        Raises:
            NotFoundError: There is none of that name.
        """

    @abstractmethod
    def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        """Adds records to a collection."""

    @abstractmethod
    def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix | None = None,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        """Changes records of a collection."""

    @abstractmethod
    def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        """Changes the records of a collection that exist, and adds the others."""

    @abstractmethod
    def _count(self, collection_id: UUID) -> int:
        """How many records a collection has."""

    @abstractmethod
    def _peek(self, collection_id: UUID, n: int = 10) -> GetResult:
        """The first records of a collection, with their embeddings."""

    @abstractmethod
    def _get(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocuments,
    ) -> GetResult:
        """Records of a collection, in the order of insertion."""

    @abstractmethod
    def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult:
        """Deletes records of a collection."""

    @abstractmethod
    def _query(
        self,
        collection_id: UUID,
        query_embeddings: Matrix,
        ids: IDs | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
    ) -> QueryResult:
        """The nearest records of a collection for each embedding."""

    @abstractmethod
    def reset(self) -> bool:
        """Deletes everything, in all databases of all tenants.

        Raises:
            AuthorizationError: The settings do not say `allow_reset=True`.
        """

    @abstractmethod
    def get_version(self) -> str:
        """The version of Chroma with which the engine is compatible."""

    @abstractmethod
    def get_settings(self) -> Settings:
        """The settings that the engine was opened with."""

    @abstractmethod
    def get_max_batch_size(self) -> int:
        """The largest number of records that one write takes."""

    @abstractmethod
    def get_user_identity(self) -> UserIdentity:
        """Who the client is, and which databases it may reach."""


class AdminAPI(ABC):
    """Tenants and their databases."""

    @abstractmethod
    def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        """Creates a database. InternalError if there is one of that name."""

    @abstractmethod
    def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        """The database of that name. NotFoundError if there is none."""

    @abstractmethod
    def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        """Deletes a database and its collections. NotFoundError if there is none."""

    @abstractmethod
    def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        """The databases of a tenant, ordered by name; none of a tenant that does not exist."""

    @abstractmethod
    def create_tenant(self, name: str) -> None:
        """Creates a tenant. InternalError if there is one of that name."""

    @abstractmethod
    def get_tenant(self, name: str) -> Tenant:
        """The tenant of that name. NotFoundError if there is none."""
