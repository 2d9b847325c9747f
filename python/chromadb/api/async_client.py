"""The clients for event loops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from chromadb.api._async_client_records import AsyncClientRecords
from chromadb.api._client_steps import ClientSteps
from chromadb.api._steps import Result, Steps
from chromadb.api.async_api import AsyncAdminAPI, AsyncClientAPI, AsyncServerAPI
from chromadb.api.async_local import AsyncLocalAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.AsyncCollection import AsyncCollection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.api.types import (
    CollectionMetadata,
    DataLoader,
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    Loadable,
    Schema,
)
from chromadb.auth import UserIdentity
from chromadb.auth.utils import settled_tenant_and_database
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings, System, get_class
from chromadb.maintenance import Copy, Progress
from chromadb.types import Database, Tenant

AnyClient = TypeVar("AnyClient", bound="_AsyncSharedClient")

__all__ = ["AsyncAdminClient", "AsyncClient"]


class _AsyncSharedClient(SharedSystemClient):
    """The system behind an asynchronous client, and its end."""

    _server: AsyncServerAPI

    def _server_of(self, system: System) -> AsyncServerAPI:
        chosen = get_class(system.settings.chroma_api_impl, object)
        if issubclass(chosen, AsyncServerAPI):
            return system.instance(chosen)
        # Its methods are made by name, which is not visible to a type checker.
        return system.instance(AsyncLocalAPI)  # type: ignore[type-abstract]

    async def close(self) -> None:  # type: ignore[override]
        """Waits for the calls under way, and takes leave of the engine. Idempotent."""
        await asyncio.to_thread(super().close)

    def __enter__(self) -> NoReturn:
        """Refused: the end of a `with` block cannot wait."""
        raise TypeError("An asynchronous client is used with `async with`, not with `with`.")

    async def __aenter__(self: AnyClient) -> AnyClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncClient(_AsyncSharedClient, ClientSteps, AsyncClientRecords, AsyncClientAPI):
    """The collections of one database of one tenant, for event loops.

    Made by `create`, or by the functions of `chromadb`: a constructor cannot wait.
    """

    @classmethod
    async def create(
        cls,
        tenant: str | None = DEFAULT_TENANT,
        database: str | None = DEFAULT_DATABASE,
        settings: Settings | None = None,
    ) -> AsyncClient:
        """Opens the database that the settings describe. Raises as the synchronous clients do."""
        # Opening a directory takes a while, and so does the first import of what a server needs.
        return await (await asyncio.to_thread(cls, settings))._settle(tenant, database)

    @classmethod
    async def from_system_async(
        cls,
        system: System,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> AsyncClient:
        """A client of a system that somebody made, which is started if need be."""
        client = cls.__new__(cls)
        await asyncio.to_thread(client._join_system, system)
        return await client._settle(tenant, database)

    @classmethod
    def from_system(cls, system: System) -> NoReturn:
        """Refused: see `from_system_async`."""
        raise NotImplementedError(
            "AsyncClient cannot be created synchronously. Use .from_system_async() instead."
        )

    async def _run(self, steps: Steps[Result]) -> Result:
        return await self._server._carry_out(steps)

    async def _settle(self, tenant: str | None, database: str | None) -> AsyncClient:
        try:
            self.tenant, self.database = settled_tenant_and_database(
                await self.get_user_identity(), self._system.settings, tenant, database
            )
            await self._validate_tenant_database(self.tenant, self.database)
        except BaseException:
            await self.close()
            raise
        return self

    async def heartbeat(self) -> int:
        return await self._server.heartbeat()

    async def get_version(self) -> str:
        return await self._server.get_version()

    def get_settings(self) -> Settings:
        return self._server.get_settings()

    async def get_user_identity(self) -> UserIdentity:
        return await self._run(self._identity_steps())

    async def get_max_batch_size(self) -> int:
        return await self._server.get_max_batch_size()

    async def list_collections(
        self, limit: int | None = None, offset: int | None = None
    ) -> Sequence[AsyncCollection]:
        models = await self._server.list_collections(limit, offset, self.tenant, self.database)
        return [AsyncCollection(client=self._server, model=model) for model in models]

    async def count_collections(self) -> int:
        return await self._server.count_collections(self.tenant, self.database)

    async def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
        get_or_create: bool = False,
    ) -> AsyncCollection:
        model = await self._run(
            self._create_collection_steps(
                name, schema, configuration, metadata, embedding_function, get_or_create
            )
        )
        return AsyncCollection(self._server, model, embedding_function, data_loader)

    async def get_collection(
        self,
        name: str,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection:
        model = await self._run(
            self._get_collection_steps(
                lambda server: server.get_collection(name, self.tenant, self.database),
                embedding_function,
            )
        )
        return AsyncCollection(self._server, model, embedding_function, data_loader)

    async def get_collection_by_id(
        self,
        id: UUID,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection:
        model = await self._run(
            self._get_collection_steps(
                lambda server: server.get_collection_by_id(id, self.tenant, self.database),
                embedding_function,
            )
        )
        return AsyncCollection(self._server, model, embedding_function, data_loader)

    async def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> AsyncCollection:
        return await self.create_collection(
            name,
            schema,
            configuration,
            metadata,
            embedding_function,
            data_loader,
            get_or_create=True,
        )

    async def delete_collection(self, name: str) -> None:
        await self._server.delete_collection(name, self.tenant, self.database)

    async def reset(self) -> bool:
        return await self._server.reset()

    async def flush(self, progress: Progress = None) -> None:
        await self._server._flush(None, progress)

    async def compact(self, progress: Progress = None) -> None:
        await self._server._compact(None, progress)

    async def backup(self, path: str | os.PathLike[str], progress: Progress = None) -> Copy:
        return await self._server._backup(os.fspath(path), progress)

    async def set_tenant(self, tenant: str, database: str = DEFAULT_DATABASE) -> None:
        await self._validate_tenant_database(tenant, database)
        self.tenant = tenant
        self.database = database

    async def set_database(self, database: str) -> None:
        await self._validate_tenant_database(self.tenant, database)
        self.database = database

    async def _validate_tenant_database(self, tenant: str, database: str) -> None:
        await self._run(self._validate_steps(tenant, database))


class AsyncAdminClient(_AsyncSharedClient, AsyncAdminAPI):
    """Tenants and their databases, for event loops.

    The constructor opens the database, which a loop should not wait for: see `create`.
    """

    @classmethod
    async def create(cls, settings: Settings | None = None) -> AsyncAdminClient:
        """Opens the database that the settings describe."""
        return await asyncio.to_thread(cls, settings)

    async def create_tenant(self, name: str) -> None:
        await self._server.create_tenant(name)

    async def get_tenant(self, name: str) -> Tenant:
        return await self._server.get_tenant(name)

    async def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        await self._server.create_database(name, tenant)

    async def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        return await self._server.get_database(name, tenant)

    async def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        await self._server.delete_database(name, tenant)

    async def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        return await self._server.list_databases(limit, offset, tenant)
