"""A server of Chroma over HTTP, behind the interface that clients use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chromadb.api import ServerAPI, _http_calls
from chromadb.api._embeddings import Matrix
from chromadb.api._http_calls import Call, PreFlightChecks
from chromadb.api._httpx import httpx
from chromadb.api.base_http_client import BaseHTTPClient, Result
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    UpdateCollectionConfiguration,
)
from chromadb.api.models.AttachedFunction import AttachedFunction
from chromadb.api.types import (
    CollectionMetadata,
    DeleteResult,
    GetResult,
    IDs,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    IndexingStatus,
    Metadata,
    QueryResult,
    ReadLevel,
    Schema,
    SearchResult,
    Where,
    WhereDocument,
)
from chromadb.auth import UserIdentity
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings, System
from chromadb.errors import InvalidArgumentError
from chromadb.execution.expression.plan import Search
from chromadb.types import Collection as CollectionModel
from chromadb.types import Database, Tenant

__all__ = ["FastAPI"]


class FastAPI(BaseHTTPClient, ServerAPI):
    """Calls a server over HTTP. Any thread, any number at once.

    The connections end with `stop`, or when nothing refers to the server any more. In the child of
    a fork there are new ones.
    """

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._process = os.getpid()
        self._session: httpx.Client | None = self._new_session()

    def _new_session(self) -> httpx.Client:
        session = httpx.Client(**self._session_arguments())
        session.headers.update(self._headers)
        return session

    def _open_session(self) -> httpx.Client:
        # No lock, which a thread that a child does not have might hold.
        session = self._session
        if session is None:
            raise InvalidArgumentError(
                "The client is closed. Reach the server again with a new client."
            )
        if self._process != os.getpid():
            # What the parent sends on its connections is not ours to read.
            session = self._session = self._new_session()
            self._process = os.getpid()
        return session

    def stop(self) -> None:
        """Ends the connections. Does nothing if they have ended."""
        super().stop()
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _send(self, call: Call[Result]) -> Result:
        response = self._open_session().request(**self._request_arguments(call))
        return self._decoded(call, response)

    # ---- The server -----------------------------------------------------------------------------

    def heartbeat(self) -> int:
        return self._send(_http_calls.heartbeat())

    def get_version(self) -> str:
        return self._send(_http_calls.get_version())

    def get_settings(self) -> Settings:
        return self._settings

    def get_user_identity(self) -> UserIdentity:
        return self._send(_http_calls.get_user_identity())

    def reset(self) -> bool:
        return self._send(_http_calls.reset())

    def get_pre_flight_checks(self) -> Any:
        """What the server says of itself; it is asked once."""
        if self.pre_flight_checks is None:
            self.pre_flight_checks = self._send(_http_calls.pre_flight_checks())
        return self.pre_flight_checks

    def supports_base64_encoding(self) -> bool:
        """Whether embeddings may be sent as base64."""
        return self._checks().supports_base64_encoding

    def get_max_batch_size(self) -> int:
        return self._checks().max_batch_size

    def _checks(self) -> PreFlightChecks:
        return self._read_checks(self.get_pre_flight_checks())

    # ---- Tenants and databases ------------------------------------------------------------------

    def create_tenant(self, name: str) -> None:
        self._send(_http_calls.create_tenant(name))

    def get_tenant(self, name: str) -> Tenant:
        return self._send(_http_calls.get_tenant(name))

    def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._send(_http_calls.create_database(name, tenant))

    def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        return self._send(_http_calls.get_database(name, tenant))

    def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._send(_http_calls.delete_database(name, tenant))

    def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        return self._send(_http_calls.list_databases(limit, offset, tenant))

    # ---- Collections ----------------------------------------------------------------------------

    def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> Sequence[CollectionModel]:
        return self._send(_http_calls.list_collections(limit, offset, tenant, database))

    def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int:
        return self._send(_http_calls.count_collections(tenant, database))

    def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        get_or_create: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return self._send(
            _http_calls.create_collection(
                name, schema, configuration, metadata, get_or_create, tenant, database
            )
        )

    def get_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> CollectionModel:
        return self._send(_http_calls.get_collection(name, tenant, database))

    def get_collection_by_id(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return self._send(_http_calls.get_collection_by_id(collection_id, tenant, database))

    def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None:
        self._send(_http_calls.delete_collection(name, tenant, database))

    def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> None:
        self._send(
            _http_calls.modify(id, new_name, new_metadata, new_configuration, tenant, database)
        )

    def _fork(
        self,
        collection_id: UUID,
        new_name: str,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return self._send(_http_calls.fork(collection_id, new_name, tenant, database))

    def _fork_count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> int:
        return self._send(_http_calls.fork_count(collection_id, tenant, database))

    def _get_indexing_status(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> IndexingStatus:
        return self._send(_http_calls.get_indexing_status(collection_id, tenant, database))

    # ---- Records --------------------------------------------------------------------------------

    def _add(
        self,
        ids: IDs,
        collection_id: UUID,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return self._write("add", collection_id, columns, tenant, database)

    def _update(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix | None = None,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return self._write("update", collection_id, columns, tenant, database)

    def _upsert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None = None,
        documents: list[str | None] | None = None,
        uris: list[str | None] | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return self._write("upsert", collection_id, columns, tenant, database)

    def _write(
        self,
        operation: str,
        collection_id: UUID,
        columns: _http_calls.Columns,
        tenant: str,
        database: str,
    ) -> bool:
        return self._send(
            _http_calls.write(operation, collection_id, columns, tenant, database, self._checks())
        )

    def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> DeleteResult:
        return self._send(
            _http_calls.delete(collection_id, ids, where, where_document, limit, tenant, database)
        )

    def _count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int:
        return self._send(
            _http_calls.count(collection_id, tenant, database, read_level, where, where_document)
        )

    def _get(
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
    ) -> GetResult:
        return self._send(
            _http_calls.get(
                collection_id,
                ids,
                where,
                limit,
                offset,
                where_document,
                include,
                tenant,
                database,
                after,
                order_by,
                descending,
            )
        )

    def _query(
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
    ) -> QueryResult:
        return self._send(
            _http_calls.query(
                collection_id,
                query_embeddings,
                ids,
                n_results,
                where,
                where_document,
                include,
                tenant,
                database,
                exact,
                max_distance,
            )
        )

    def _search(
        self,
        collection_id: UUID,
        searches: list[Search],
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
    ) -> SearchResult:
        return self._send(_http_calls.search(collection_id, searches, tenant, database, read_level))

    # ---- Attached functions ---------------------------------------------------------------------

    def attach_function(
        self,
        function_id: str,
        name: str,
        input_collection_id: UUID,
        output_collection: str,
        params: dict[str, Any] | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> tuple[AttachedFunction, bool]:
        fields, is_new = self._send(
            _http_calls.attach_function(
                function_id, name, input_collection_id, output_collection, params, tenant, database
            )
        )
        return AttachedFunction(client=self, **fields), is_new

    def get_attached_function(
        self,
        name: str,
        input_collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> AttachedFunction:
        fields = self._send(
            _http_calls.get_attached_function(name, input_collection_id, tenant, database)
        )
        return AttachedFunction(client=self, **fields)

    def detach_function(
        self,
        name: str,
        input_collection_id: UUID,
        delete_output: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        return self._send(
            _http_calls.detach_function(name, input_collection_id, delete_output, tenant, database)
        )
