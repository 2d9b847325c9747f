"""A server of Chroma over HTTP, behind the interface that asynchronous clients use.

What is sent is described in `_http_calls`. Bodies are written and answers read on other threads
than the event loop's: they may be long.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec
from uuid import UUID

from chromadb.api import _http_calls
from chromadb.api._async_server_api import AsyncServerAPI
from chromadb.api._embeddings import Matrix
from chromadb.api._http_calls import Call, PreFlightChecks
from chromadb.api._httpx import httpx
from chromadb.api.base_http_client import BaseHTTPClient, Result
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
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

__all__ = ["AsyncFastAPI"]

P = ParamSpec("P")


class AsyncFastAPI(BaseHTTPClient, AsyncServerAPI):
    """Calls a server over HTTP. Any event loop, any number of tasks at once.

    Each event loop has connections of its own, as no other can use them. They end with `stop`.
    """

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._lock = threading.Lock()
        self._is_stopped = False
        self._sessions: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def _new_session(self) -> httpx.AsyncClient:
        # Connections keep their loop alive: those of loops that ended are let go here.
        with self._lock:
            for loop in [loop for loop in self._sessions if loop.is_closed()]:
                del self._sessions[loop]
        session = httpx.AsyncClient(**self._session_arguments())
        session.headers.update(self._headers)
        return session

    async def _open_session(self) -> httpx.AsyncClient:
        """The connections of the running loop."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            # On a thread, as it reads the certificates of the system.
            made = await asyncio.to_thread(self._new_session)
            with self._lock:
                if self._is_stopped:
                    raise InvalidArgumentError(
                        "The client is closed. Reach the server again with a new client."
                    )
                session = self._sessions.setdefault(loop, made)
        return session

    def stop(self) -> None:
        """Ends the connections. Does nothing if they have ended."""
        super().stop()
        with self._lock:
            sessions, self._sessions = self._sessions, {}
            self._is_stopped = True
        ends = [
            asyncio.run_coroutine_threadsafe(session.aclose(), loop)
            for loop, session in sessions.items()
            if loop.is_running()
        ]
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            # On a loop's own thread there is no waiting for what the loop has yet to do.
            concurrent.futures.wait(ends)

    async def _send(
        self, describe: Callable[P, Call[Result]], *arguments: P.args, **named: P.kwargs
    ) -> Result:
        def described() -> tuple[Call[Result], dict[str, Any]]:
            call = describe(*arguments, **named)
            return call, self._request_arguments(call)

        call, request = await asyncio.to_thread(described)
        response = await (await self._open_session()).request(**request)
        return await asyncio.to_thread(self._decoded, call, response)

    # ---- The server -----------------------------------------------------------------------------

    async def heartbeat(self) -> int:
        return await self._send(_http_calls.heartbeat)

    async def get_version(self) -> str:
        return await self._send(_http_calls.get_version)

    def get_settings(self) -> Settings:
        return self._settings

    async def get_user_identity(self) -> UserIdentity:
        return await self._send(_http_calls.get_user_identity)

    async def reset(self) -> bool:
        return await self._send(_http_calls.reset)

    async def get_pre_flight_checks(self) -> Any:
        """What the server says of itself; it is asked once."""
        if self.pre_flight_checks is None:
            self.pre_flight_checks = await self._send(_http_calls.pre_flight_checks)
        return self.pre_flight_checks

    async def supports_base64_encoding(self) -> bool:
        """Whether embeddings may be sent as base64."""
        return (await self._checks()).supports_base64_encoding

    async def get_max_batch_size(self) -> int:
        return (await self._checks()).max_batch_size

    async def _checks(self) -> PreFlightChecks:
        return self._read_checks(await self.get_pre_flight_checks())

    # ---- Tenants and databases ------------------------------------------------------------------

    async def create_tenant(self, name: str) -> None:
        await self._send(_http_calls.create_tenant, name)

    async def get_tenant(self, name: str) -> Tenant:
        return await self._send(_http_calls.get_tenant, name)

    async def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        await self._send(_http_calls.create_database, name, tenant)

    async def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        return await self._send(_http_calls.get_database, name, tenant)

    async def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        await self._send(_http_calls.delete_database, name, tenant)

    async def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        return await self._send(_http_calls.list_databases, limit, offset, tenant)

    # ---- Collections ----------------------------------------------------------------------------

    async def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> Sequence[CollectionModel]:
        return await self._send(_http_calls.list_collections, limit, offset, tenant, database)

    async def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int:
        return await self._send(_http_calls.count_collections, tenant, database)

    async def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        get_or_create: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return await self._send(
            _http_calls.create_collection,
            name,
            schema,
            configuration,
            metadata,
            get_or_create,
            tenant,
            database,
        )

    async def get_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> CollectionModel:
        return await self._send(_http_calls.get_collection, name, tenant, database)

    async def get_collection_by_id(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return await self._send(_http_calls.get_collection_by_id, collection_id, tenant, database)

    async def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None:
        await self._send(_http_calls.delete_collection, name, tenant, database)

    async def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> None:
        await self._send(
            _http_calls.modify, id, new_name, new_metadata, new_configuration, tenant, database
        )

    async def _fork(
        self,
        collection_id: UUID,
        new_name: str,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return await self._send(_http_calls.fork, collection_id, new_name, tenant, database)

    async def _fork_count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> int:
        return await self._send(_http_calls.fork_count, collection_id, tenant, database)

    async def _get_indexing_status(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> IndexingStatus:
        return await self._send(_http_calls.get_indexing_status, collection_id, tenant, database)

    # ---- Records --------------------------------------------------------------------------------

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
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return await self._write("add", collection_id, columns, tenant, database)

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
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return await self._write("update", collection_id, columns, tenant, database)

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
    ) -> bool:
        columns = (ids, embeddings, metadatas, documents, uris)
        return await self._write("upsert", collection_id, columns, tenant, database)

    async def _write(
        self,
        operation: str,
        collection_id: UUID,
        columns: _http_calls.Columns,
        tenant: str,
        database: str,
    ) -> bool:
        return await self._send(
            _http_calls.write,
            operation,
            collection_id,
            columns,
            tenant,
            database,
            await self._checks(),
        )

    async def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> DeleteResult:
        return await self._send(
            _http_calls.delete, collection_id, ids, where, where_document, limit, tenant, database
        )

    async def _count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int:
        return await self._send(
            _http_calls.count, collection_id, tenant, database, read_level, where, where_document
        )

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
    ) -> GetResult:
        return await self._send(
            _http_calls.get,
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
    ) -> QueryResult:
        return await self._send(
            _http_calls.query,
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

    async def _search(
        self,
        collection_id: UUID,
        searches: list[Search],
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
    ) -> SearchResult:
        return await self._send(
            _http_calls.search, collection_id, searches, tenant, database, read_level
        )
