"""A collection whose methods are coroutines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from chromadb.api._steps import Result, Steps
from chromadb.api.async_api import AsyncServerAPI
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.models._operations import CollectionOperations
from chromadb.api.models.Collection import Vectors
from chromadb.api.types import (
    AddResult,
    CollectionMetadata,
    DeleteResult,
    DistinctResult,
    GetResult,
    Image,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    IncludeMetadataDocumentsEmbeddings,
    IndexingStatus,
    Metadata,
    OnConflict,
    OneOrMany,
    QueryResult,
    ReadLevel,
    SearchResult,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.maintenance import CollectionStatistics, Explanation, Progress

if TYPE_CHECKING:
    from chromadb.execution.expression.plan import Search


class AsyncCollection(CollectionOperations[AsyncServerAPI]):
    """A `Collection` for event loops. Any loop, any number of tasks at once.

    Each method does what the one of `Collection` does, whose documentation holds. Checks, embedding
    functions, data loaders and what is called about progress run on other threads than the loop's.
    """

    async def _run(self, steps: Steps[Result]) -> Result:
        return await self._client._carry_out(steps)

    # ---- Writes ---------------------------------------------------------------------------------

    @overload
    async def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: None = None,
        progress: Progress = None,
    ) -> None: ...

    @overload
    async def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: OnConflict,
        progress: Progress = None,
    ) -> AddResult: ...

    async def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: OnConflict | None = None,
        progress: Progress = None,
    ) -> AddResult | None:
        """Adds records. Those that exist stay as they are, unless `on_conflict` says otherwise."""
        columns = (ids, embeddings, metadatas, documents, images, uris)
        return await self._run(self._add_steps(columns, on_conflict, progress))

    async def update(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        progress: Progress = None,
    ) -> None:
        """Changes records. Ids that do not exist are passed over, without an error."""
        columns = (ids, embeddings, metadatas, documents, images, uris)
        await self._run(self._update_steps(columns, progress))

    async def update_where(
        self,
        metadata: Metadata,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        *,
        ids: str | list[str] | None = None,
    ) -> UpdateResult:
        """Merges metadata, key by key, into that of the records that the filters match."""
        return await self._run(self._update_where_steps(metadata, where, where_document, ids))

    async def upsert(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        progress: Progress = None,
    ) -> None:
        """Changes the records that exist, as `update`, and adds the others."""
        columns = (ids, embeddings, metadatas, documents, images, uris)
        await self._run(self._upsert_steps(columns, progress))

    async def delete(
        self,
        ids: str | list[str] | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult:
        """Deletes the records with these ids, and those alone that the filters match."""
        return await self._run(self._delete_steps(ids, where, where_document, limit))

    async def modify(
        self,
        name: str | None = None,
        metadata: CollectionMetadata | None = None,
        configuration: UpdateCollectionConfiguration | None = None,
    ) -> None:
        """Renames the collection, replaces its whole metadata, or changes settings of its index."""
        await self._run(self._modify_steps(name, metadata, configuration))

    # ---- Reads ----------------------------------------------------------------------------------

    async def count(
        self,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int:
        """How many records there are, or how many the filters match."""
        return await self._run(self._count_steps(where, where_document))

    async def get(
        self,
        ids: str | list[str] | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocuments,
        *,
        after: str | None = None,
        order_by: str | None = None,
        descending: bool = False,
    ) -> GetResult:
        """Records in the order of insertion: those with these ids that the filters match."""
        return await self._run(
            self._get_steps(
                ids,
                where,
                limit,
                offset,
                where_document,
                include,
                after,
                order_by,
                descending,
            )
        )

    async def peek(self, limit: int = 10) -> GetResult:
        """The first records, with their embeddings."""
        return await self.get(limit=limit, include=IncludeMetadataDocumentsEmbeddings)

    async def distinct(
        self,
        key: str,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DistinctResult:
        """The values under a metadata key, and how many of the records that match have each."""
        return await self._run(self._distinct_steps(key, where, where_document, limit))

    async def query(
        self,
        query_embeddings: Vectors | None = None,
        query_texts: str | list[str] | None = None,
        query_images: Image | list[Image] | None = None,
        query_uris: str | list[str] | None = None,
        ids: str | list[str] | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
        *,
        exact: bool = False,
        max_distance: float | None = None,
    ) -> QueryResult:
        """The nearest records for each query, nearest first."""
        sources = (query_embeddings, query_texts, query_images, query_uris)
        return await self._run(
            self._query_steps(
                sources, ids, n_results, where, where_document, include, exact, max_distance
            )
        )

    async def explain(
        self,
        query_embeddings: Vectors | None = None,
        query_texts: str | list[str] | None = None,
        query_images: Image | list[Image] | None = None,
        query_uris: str | list[str] | None = None,
        ids: str | list[str] | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        *,
        exact: bool = False,
    ) -> Explanation:
        """How `query` answers the same arguments: from which state, and by what way."""
        sources = (query_embeddings, query_texts, query_images, query_uris)
        return await self._run(
            self._explain_steps(sources, ids, n_results, where, where_document, exact)
        )

    async def search(
        self, searches: OneOrMany[Search], read_level: ReadLevel = ReadLevel.INDEX_AND_WAL
    ) -> SearchResult:
        """Ranks records by one or many search expressions; see `chromadb.execution.expression`."""
        return await self._run(self._search_steps(searches, read_level))

    # ---- What servers do with whole collections -------------------------------------------------

    async def fork(self, new_name: str) -> AsyncCollection:
        """A collection that begins as a copy of this one and shares its storage."""
        return AsyncCollection(
            client=self._client,
            model=await self._run(self._fork_steps(new_name)),
            embedding_function=self._embedding_function,
            data_loader=self._data_loader,
        )

    async def fork_count(self) -> int:
        """How many forks of this collection there are."""
        return await self._run(self._fork_count_steps())

    # ---- Space and speed ------------------------------------------------------------------------

    async def flush(self, progress: Progress = None) -> None:
        """Brings the collection to rest, all of it indexed."""
        await self._run(self._flush_steps(progress))

    async def compact(self, progress: Progress = None) -> None:
        """Merges the collection's segments into as few as possible."""
        await self._run(self._compact_steps(progress))

    async def statistics(self) -> CollectionStatistics:
        """What the collection takes."""
        return await self._run(self._statistics_steps())

    async def get_indexing_status(self) -> IndexingStatus:
        """How many of the operations on the collection its index knows."""
        return await self._run(self._indexing_status_steps())
