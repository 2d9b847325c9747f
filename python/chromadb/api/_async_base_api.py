"""What asynchronous clients and servers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from chromadb.api.collection_configuration import (
    UpdateCollectionConfiguration,
)
from chromadb.api.types import (
    CollectionMetadata,
    DeleteResult,
    GetResult,
    IDs,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    Metadata,
    QueryResult,
    Where,
    WhereDocument,
)
from chromadb.config import DEFAULT_TENANT, Settings
from chromadb.types import Database, Tenant

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix
    from chromadb.auth import UserIdentity


class AsyncBaseAPI(ABC):
    """What can be asked of a client and of what is behind it. See `BaseAPI`."""

    @abstractmethod
    async def heartbeat(self) -> int: ...

    @abstractmethod
    async def count_collections(self) -> int: ...

    async def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
    ) -> None: ...

    @abstractmethod
    async def delete_collection(self, name: str) -> None: ...

    @abstractmethod
    async def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool: ...

    @abstractmethod
    async def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix | None = None,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool: ...

    @abstractmethod
    async def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool: ...

    @abstractmethod
    async def _count(self, collection_id: UUID) -> int: ...

    @abstractmethod
    async def _peek(self, collection_id: UUID, n: int = 10) -> GetResult: ...

    @abstractmethod
    async def _get(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocuments,
    ) -> GetResult: ...

    @abstractmethod
    async def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult: ...

    @abstractmethod
    async def _query(
        self,
        collection_id: UUID,
        query_embeddings: Matrix,
        ids: IDs | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
    ) -> QueryResult: ...

    @abstractmethod
    async def reset(self) -> bool: ...

    @abstractmethod
    async def get_version(self) -> str: ...

    @abstractmethod
    def get_settings(self) -> Settings: ...

    @abstractmethod
    async def get_max_batch_size(self) -> int: ...

    @abstractmethod
    async def get_user_identity(self) -> UserIdentity: ...


class AsyncAdminAPI(ABC):
    """Tenants and their databases. See `AdminAPI`."""

    @abstractmethod
    async def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None: ...

    @abstractmethod
    async def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database: ...

    @abstractmethod
    async def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None: ...

    @abstractmethod
    async def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]: ...

    @abstractmethod
    async def create_tenant(self, name: str) -> None: ...

    @abstractmethod
    async def get_tenant(self, name: str) -> Tenant: ...
