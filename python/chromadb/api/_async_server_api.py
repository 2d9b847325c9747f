"""What clients and collections need of an engine, as coroutines."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from chromadb.api._async_base_api import AsyncAdminAPI, AsyncBaseAPI
from chromadb.api._server_api import ServerAPI, not_offered
from chromadb.api._steps import End, Result, Steps, next_call
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    UpdateCollectionConfiguration,
)
from chromadb.api.types import (
    AddResult,
    CollectionMetadata,
    DeleteResult,
    DistinctResult,
    GetResult,
    IDs,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    IncludeMetadataDocumentsEmbeddings,
    IndexingStatus,
    Metadata,
    OnConflict,
    QueryResult,
    ReadLevel,
    Schema,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Component
from chromadb.maintenance import CollectionStatistics, Copy, Explanation, Progress
from chromadb.types import Collection as CollectionModel

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix


class AsyncServerAPI(AsyncBaseAPI, AsyncAdminAPI, Component):
    """What clients and collections need of an engine, wherever it runs. See `ServerAPI`."""

    _kept_by_system: ClassVar[bool] = False
    _chosen_by: ClassVar[str | None] = "chroma_api_impl"

    async def _carry_out(self, steps: Steps[Result]) -> Result:
        """Runs an operation to its end, awaiting its calls.

        What it computes between them, it computes on other threads: columns may be long, and
        embedding functions slow.
        """
        answer, failure = None, None
        while True:
            found = await asyncio.to_thread(next_call, steps, answer, failure)
            if isinstance(found, End):
                result: Result = found.result
                return result
            try:
                answer, failure = await found(cast("ServerAPI", self)), None
            except Exception as error:
                answer, failure = None, error

    # ---- Collections ----------------------------------------------------------------------------

    @abstractmethod
    async def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int: ...

    @abstractmethod
    async def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> Sequence[CollectionModel]: ...

    @abstractmethod
    async def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        get_or_create: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel: ...

    @abstractmethod
    async def get_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> CollectionModel: ...

    @abstractmethod
    async def get_collection_by_id(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel: ...

    async def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return await self.create_collection(
            name, schema, configuration, metadata, True, tenant, database
        )

    @abstractmethod
    async def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None: ...

    @abstractmethod
    async def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> None: ...

    @abstractmethod
    async def _fork(
        self,
        collection_id: UUID,
        new_name: str,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel: ...

    @abstractmethod
    async def _fork_count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> int: ...

    @abstractmethod
    async def _get_indexing_status(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> IndexingStatus: ...

    # ---- Records --------------------------------------------------------------------------------

    @abstractmethod
    async def _search(
        self,
        collection_id: UUID,
        searches: list[Any],
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
    ) -> Any: ...

    @abstractmethod
    async def _count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int: ...

    async def _peek(
        self,
        collection_id: UUID,
        n: int = 10,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> GetResult:
        return await self._get(
            collection_id,
            limit=n,
            include=IncludeMetadataDocumentsEmbeddings,
            tenant=tenant,
            database=database,
        )

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
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        *,
        after: str | None = None,
        order_by: str | None = None,
        descending: bool = False,
    ) -> GetResult: ...

    @abstractmethod
    async def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
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
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
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
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool: ...

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
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        *,
        exact: bool = False,
        max_distance: float | None = None,
    ) -> QueryResult: ...

    @abstractmethod
    async def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> DeleteResult: ...

    # ---- What servers of Chroma do not offer ----------------------------------------------------

    async def _existing_ids(self, collection_id: UUID, ids: IDs) -> set[str]:
        raise not_offered("`add` with `on_conflict`")

    async def _insert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        on_conflict: OnConflict,
    ) -> AddResult:
        raise not_offered("`add` with `on_conflict`")

    async def _update_where(
        self,
        collection_id: UUID,
        metadata: Metadata,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
    ) -> UpdateResult:
        raise not_offered("`update_where`")

    async def _distinct(
        self,
        collection_id: UUID,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> DistinctResult:
        raise not_offered("`distinct`")

    async def _explain(
        self,
        collection_id: UUID,
        ids: IDs | None,
        query_embeddings: Matrix | None,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        exact: bool,
    ) -> Explanation:
        raise not_offered("`explain`")

    async def _flush(self, collection_id: UUID | None, progress: Progress) -> None:
        raise not_offered("`flush`")

    async def _compact(self, collection_id: UUID | None, progress: Progress) -> None:
        raise not_offered("`compact`")

    async def _backup(self, path: str, progress: Progress) -> Copy:
        raise not_offered("`backup`")

    async def _statistics(self, collection_id: UUID) -> CollectionStatistics:
        raise not_offered("`statistics`")
