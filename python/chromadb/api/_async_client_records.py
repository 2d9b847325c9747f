"""The records of any collection of a client's database, by the collection's id, as coroutines.

See `chromadb.api._client_records`.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from chromadb.api._async_base_api import AsyncBaseAPI
from chromadb.api._async_server_api import AsyncServerAPI
from chromadb.api._embeddings import Matrix, embedding_matrix
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
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


class AsyncClientRecords(AsyncBaseAPI):
    """What a client asks of its server for collections of its tenant and database."""

    tenant: str
    database: str

    _server: AsyncServerAPI

    @property
    def _place(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "database": self.database}

    async def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
    ) -> None:
        await self._server._modify(id, new_name, new_metadata, new_configuration, **self._place)

    async def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Any,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = await _matrix(embeddings)
        return await self._server._add(
            ids, collection_id, matrix, metadatas, documents, uris, **self._place
        )

    async def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Any = None,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = None if embeddings is None else await _matrix(embeddings)
        return await self._server._update(
            collection_id, ids, matrix, metadatas, documents, uris, **self._place
        )

    async def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Any,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = await _matrix(embeddings)
        return await self._server._upsert(
            collection_id, ids, matrix, metadatas, documents, uris, **self._place
        )

    async def _count(self, collection_id: UUID) -> int:
        return await self._server._count(collection_id, **self._place)

    async def _peek(self, collection_id: UUID, n: int = 10) -> GetResult:
        return await self._server._peek(collection_id, n, **self._place)

    async def _get(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocuments,
    ) -> GetResult:
        return await self._server._get(
            collection_id, ids, where, limit, offset, where_document, include, **self._place
        )

    async def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult:
        return await self._server._delete(
            collection_id, ids, where, where_document, limit, **self._place
        )

    async def _query(
        self,
        collection_id: UUID,
        query_embeddings: Any,
        ids: IDs | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
    ) -> QueryResult:
        return await self._server._query(
            collection_id,
            await _matrix(query_embeddings),
            ids,
            n_results,
            where,
            where_document,
            include,
            **self._place,
        )


async def _matrix(embeddings: Any) -> Matrix:
    # On a thread: they may be many.
    return await asyncio.to_thread(embedding_matrix, embeddings)
