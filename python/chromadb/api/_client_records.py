"""The records of any collection of a client's database, by the collection's id.

Collections are how programs reach records. These methods are upstream's older way, without the
checks and the embedding that a collection adds; embeddings are taken in any form it takes them.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chromadb.api._base_api import BaseAPI
from chromadb.api._embeddings import embedding_matrix
from chromadb.api._server_api import ServerAPI
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


class ClientRecords(BaseAPI):
    """What a client asks of its server for collections of its tenant and database."""

    tenant: str
    database: str

    _server: ServerAPI

    @property
    def _place(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "database": self.database}

    def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
    ) -> None:
        self._server._modify(id, new_name, new_metadata, new_configuration, **self._place)

    def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Any,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = embedding_matrix(embeddings)
        return self._server._add(
            ids, collection_id, matrix, metadatas, documents, uris, **self._place
        )

    def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Any = None,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = None if embeddings is None else embedding_matrix(embeddings)
        return self._server._update(
            collection_id, ids, matrix, metadatas, documents, uris, **self._place
        )

    def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Any,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
    ) -> bool:
        matrix = embedding_matrix(embeddings)
        return self._server._upsert(
            collection_id, ids, matrix, metadatas, documents, uris, **self._place
        )

    def _count(self, collection_id: UUID) -> int:
        return self._server._count(collection_id, **self._place)

    def _peek(self, collection_id: UUID, n: int = 10) -> GetResult:
        return self._server._peek(collection_id, n, **self._place)

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
        return self._server._get(
            collection_id, ids, where, limit, offset, where_document, include, **self._place
        )

    def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult:
        return self._server._delete(collection_id, ids, where, where_document, limit, **self._place)

    def _query(
        self,
        collection_id: UUID,
        query_embeddings: Any,
        ids: IDs | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
    ) -> QueryResult:
        return self._server._query(
            collection_id,
            embedding_matrix(query_embeddings),
            ids,
            n_results,
            where,
            where_document,
            include,
            **self._place,
        )
