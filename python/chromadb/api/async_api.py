"""The interfaces of `chromadb.api` as coroutines, for programs that run an event loop.

Arguments, results, errors and promises are those of the synchronous interfaces, whose documentation
holds. Nothing here blocks the loop: what computes or waits does so on other threads.

A task that waits on a read may be cancelled, and the read ends. A write that has begun is not
undone: it completes, whole, while its task goes on to whatever cancelled it.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    UpdateCollectionConfiguration,
)
from chromadb.api.types import (
    AddResult,
    CollectionMetadata,
    DataLoader,
    DefaultEmbeddingFunction,
    DeleteResult,
    DistinctResult,
    EmbeddingFunction,
    GetResult,
    IDs,
    Include,
    IndexingStatus,
    Loadable,
    Metadata,
    OnConflict,
    QueryResult,
    Schema,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings
from chromadb.maintenance import CollectionStatistics, Copy, Explanation, Progress
from chromadb.types import Collection as CollectionModel
from chromadb.types import Database, Tenant

if TYPE_CHECKING:
    from chromadb.api import ServerAPI
    from chromadb.api._embeddings import Matrix
    from chromadb.api.models._operations import Result, Steps
    from chromadb.api.models.AsyncCollection import AsyncCollection
    from chromadb.auth import UserIdentity


class AsyncBaseAPI(ABC):
    """What clients and servers have in common."""

    @abstractmethod
    async def heartbeat(self) -> int: ...

    @abstractmethod
    async def get_version(self) -> str: ...

    @abstractmethod
    def get_settings(self) -> Settings: ...

    @abstractmethod
    async def get_user_identity(self) -> UserIdentity: ...

    @abstractmethod
    async def get_max_batch_size(self) -> int: ...

    @abstractmethod
    async def count_collections(self) -> int: ...

    @abstractmethod
    async def delete_collection(self, name: str) -> None: ...

    @abstractmethod
    async def reset(self) -> bool: ...


class AsyncClientAPI(AsyncBaseAPI):
    """A client: the collections of one database of one tenant. See `ClientAPI`."""

    tenant: str
    database: str

    @abstractmethod
    async def list_collections(
        self, limit: int | None = None, offset: int | None = None
    ) -> Sequence[AsyncCollection]: ...

    @abstractmethod
    async def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
        get_or_create: bool = False,
    ) -> AsyncCollection: ...

    @abstractmethod
    async def get_collection(
        self,
        name: str,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection: ...

    @abstractmethod
    async def get_collection_by_id(
        self,
        id: UUID,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection: ...

    @abstractmethod
    async def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection: ...

    async def flush(self, progress: Progress = None) -> None:
        raise NotImplementedError("This client reaches no database that it could flush.")

    async def compact(self, progress: Progress = None) -> None:
        raise NotImplementedError("This client reaches no database that it could compact.")

    async def backup(self, path: str | os.PathLike[str], progress: Progress = None) -> Copy:
        raise NotImplementedError("This client reaches no database that it could copy.")

    @abstractmethod
    async def set_tenant(self, tenant: str, database: str = DEFAULT_DATABASE) -> None: ...

    @abstractmethod
    async def set_database(self, database: str) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def __aenter__(self) -> AsyncClientAPI: ...

    @abstractmethod
    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None: ...

    @staticmethod
    @abstractmethod
    def clear_system_cache() -> None: ...


class AsyncAdminAPI(ABC):
    """Tenants and their databases. See `AdminAPI`."""

    @abstractmethod
    async def create_tenant(self, name: str) -> None: ...

    @abstractmethod
    async def get_tenant(self, name: str) -> Tenant: ...

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


class AsyncServerAPI(AsyncBaseAPI, AsyncAdminAPI):
    """What clients and collections need of an engine, wherever it runs. See `ServerAPI`."""

    async def _carry_out(self, steps: Steps[Result]) -> Result:
        """Runs an operation of a collection to its end, awaiting its calls.

        What it computes between them, it computes on other threads: columns may be long, and
        embedding functions slow.
        """
        from chromadb.api.models._operations import End, next_call

        answer = None
        while True:
            found = await asyncio.to_thread(next_call, steps, answer)
            if isinstance(found, End):
                result: Result = found.result
                return result
            answer = await found(cast("ServerAPI", self))

    @abstractmethod
    async def _flush(self, collection_id: UUID | None, progress: Progress) -> None: ...

    @abstractmethod
    async def _compact(self, collection_id: UUID | None, progress: Progress) -> None: ...

    @abstractmethod
    async def _backup(self, path: str, progress: Progress) -> Copy: ...

    @abstractmethod
    async def _statistics(self, collection_id: UUID) -> CollectionStatistics: ...

    @abstractmethod
    async def _get_indexing_status(
        self, collection_id: UUID, tenant: str, database: str
    ) -> IndexingStatus: ...

    @abstractmethod
    async def list_collections(
        self, limit: int | None, offset: int | None, tenant: str, database: str
    ) -> Sequence[CollectionModel]: ...

    @abstractmethod
    async def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int: ...

    @abstractmethod
    async def create_collection(
        self,
        name: str,
        schema: Schema | None,
        configuration: CreateCollectionConfiguration | None,
        metadata: CollectionMetadata | None,
        get_or_create: bool,
        tenant: str,
        database: str,
    ) -> CollectionModel: ...

    @abstractmethod
    async def get_collection(self, name: str, tenant: str, database: str) -> CollectionModel: ...

    @abstractmethod
    async def get_collection_by_id(
        self, collection_id: UUID, tenant: str, database: str
    ) -> CollectionModel: ...

    @abstractmethod
    async def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None: ...

    @abstractmethod
    async def _modify(
        self,
        collection_id: UUID,
        new_name: str | None,
        new_metadata: CollectionMetadata | None,
        new_configuration: UpdateCollectionConfiguration | None,
    ) -> None: ...

    @abstractmethod
    async def _count(
        self,
        collection_id: UUID,
        where: Where | None,
        where_document: WhereDocument | None,
        tenant: str,
        database: str,
    ) -> int: ...

    @abstractmethod
    async def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        tenant: str,
        database: str,
    ) -> bool: ...

    @abstractmethod
    async def _existing_ids(self, collection_id: UUID, ids: IDs) -> set[str]: ...

    @abstractmethod
    async def _insert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        on_conflict: OnConflict,
    ) -> AddResult: ...

    @abstractmethod
    async def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix | None,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        tenant: str,
        database: str,
    ) -> bool: ...

    @abstractmethod
    async def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        tenant: str,
        database: str,
    ) -> bool: ...

    @abstractmethod
    async def _update_where(
        self,
        collection_id: UUID,
        metadata: Metadata,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
    ) -> UpdateResult: ...

    @abstractmethod
    async def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
        tenant: str,
        database: str,
    ) -> DeleteResult: ...

    @abstractmethod
    async def _get(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None,
        limit: int | None,
        offset: int | None,
        where_document: WhereDocument | None,
        include: Include,
        after: str | None,
        order_by: str | None,
        descending: bool,
        tenant: str,
        database: str,
    ) -> GetResult: ...

    @abstractmethod
    async def _distinct(
        self,
        collection_id: UUID,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> DistinctResult: ...

    @abstractmethod
    async def _query(
        self,
        collection_id: UUID,
        ids: IDs | None,
        query_embeddings: Matrix,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        include: Include,
        exact: bool,
        max_distance: float | None,
        tenant: str,
        database: str,
    ) -> QueryResult: ...

    @abstractmethod
    async def _explain(
        self,
        collection_id: UUID,
        ids: IDs | None,
        query_embeddings: Matrix | None,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        exact: bool,
    ) -> Explanation: ...
