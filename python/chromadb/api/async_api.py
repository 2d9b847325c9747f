"""The interfaces of `chromadb.api` as coroutines, for programs that run an event loop.

Arguments, results, errors and promises are those of the synchronous interfaces, whose documentation
holds. Nothing here blocks the loop: what computes or waits does so on other threads.

A task that waits on a read may be cancelled, and the read ends. A write that has begun is not
undone: it completes, whole, while its task goes on to whatever cancelled it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chromadb.api._async_base_api import AsyncAdminAPI, AsyncBaseAPI
from chromadb.api._async_server_api import AsyncServerAPI
from chromadb.api._server_api import not_offered
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
)
from chromadb.api.types import (
    CollectionMetadata,
    DataLoader,
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    Loadable,
    Schema,
)
from chromadb.config import DEFAULT_DATABASE
from chromadb.maintenance import Copy, Progress

if TYPE_CHECKING:
    from chromadb.api.models.AsyncCollection import AsyncCollection

__all__ = ["AsyncAdminAPI", "AsyncBaseAPI", "AsyncClientAPI", "AsyncServerAPI"]


class AsyncClientAPI(AsyncBaseAPI, ABC):
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
        raise not_offered("`flush`")

    async def compact(self, progress: Progress = None) -> None:
        raise not_offered("`compact`")

    async def backup(self, path: str | os.PathLike[str], progress: Progress = None) -> Copy:
        raise not_offered("`backup`")

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
