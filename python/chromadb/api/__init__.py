"""The interfaces: what clients offer to users, and what they need of an engine."""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chromadb.api._base_api import AdminAPI, BaseAPI
from chromadb.api._server_api import ServerAPI, not_offered
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    CreateHNSWConfiguration,
    CreateSpannConfiguration,
    UpdateCollectionConfiguration,
    UpdateHNSWConfiguration,
    UpdateSpannConfiguration,
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
    from chromadb.api.models.Collection import Collection

__all__ = [
    "AdminAPI",
    "BaseAPI",
    "ClientAPI",
    "CreateCollectionConfiguration",
    "CreateHNSWConfiguration",
    "CreateSpannConfiguration",
    "ServerAPI",
    "UpdateCollectionConfiguration",
    "UpdateHNSWConfiguration",
    "UpdateSpannConfiguration",
]


# Names that are also to be had here, besides all of `chromadb.api.types` and of
# `chromadb.execution.expression`.
_HOMES = {
    "AsyncAdminAPI": "chromadb.api.async_api",
    "AsyncBaseAPI": "chromadb.api.async_api",
    "AsyncClientAPI": "chromadb.api.async_api",
    "AsyncServerAPI": "chromadb.api.async_api",
    "AttachedFunction": "chromadb.api.models.AttachedFunction",
    "Collection": "chromadb.api.models.Collection",
    "Component": "chromadb.config",
    "DEFAULT_TENANT": "chromadb.config",
    "Database": "chromadb.types",
    "Settings": "chromadb.config",
    "Tenant": "chromadb.types",
    "UserIdentity": "chromadb.auth",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "CollectionModel":
        return importlib.import_module("chromadb.types").Collection
    for home in ("chromadb.api.types", "chromadb.execution.expression"):
        module = importlib.import_module(home)
        if name in module.__all__:
            return getattr(module, name)
    raise AttributeError(f"module 'chromadb.api' has no attribute {name!r}")


class ClientAPI(BaseAPI, ABC):
    """A client: the collections of one database of one tenant."""

    tenant: str
    database: str

    @abstractmethod
    def list_collections(
        self, limit: int | None = None, offset: int | None = None
    ) -> Sequence[Collection]:
        """The collections, ordered by id, `limit` of them after the first `offset`."""

    @abstractmethod
    def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
        get_or_create: bool = False,
    ) -> Collection:
        """Creates a collection.

        Args:
            name: 3 to 512 characters of a-z, A-Z, 0-9, ".", "_" and "-".
            schema: What is indexed, and how. Filters by what is not are refused. It cannot ask for
                something together with a configuration.
            configuration: The index settings, and possibly the embedding function.
            metadata: What the collection is to be labelled with.
            embedding_function: What embeds documents; None for a collection that is only given
                embeddings. The collection remembers it by name and configuration.
            data_loader: What fetches URIs.
            get_or_create: Return the collection of that name, unchanged, if there is one.

        Raises:
            InternalError: There is a collection of that name, and `get_or_create` is False.
            InvalidArgumentError: The name, the metadata or the configuration is refused.
            ValueError: Two embedding functions are given, or another than the collection has.
        """

    @abstractmethod
    def get_collection(
        self,
        name: str,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        """The collection of that name.

        The embedding function that the collection remembers is used unless one is passed, which
        must have the same name.

        Raises:
            NotFoundError: There is none.
            ValueError: The collection remembers another embedding function.
        """

    @abstractmethod
    def get_collection_by_id(
        self,
        id: UUID,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        """The collection of that id; else as `get_collection`."""

    @abstractmethod
    def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        """The collection of that name as it is, or else a new one; see `create_collection`."""

    def flush(self, progress: Progress = None) -> None:
        """Brings all collections, of all databases, to rest.

        All that was written stands in segments then and is indexed, and nothing that was deleted
        or replaced before the call is left in any file of the directory. Writes go on meanwhile.

        Args:
            progress: See `chromadb.maintenance`. Counts thousandths of a collection.

        Raises:
            AuthorizationError: The database was opened to be read only.
            InternalError: The disk is full, a file is damaged, or another process kept writing for
                longer than a write may wait.
        """
        raise not_offered("`flush`")

    def compact(self, progress: Progress = None) -> None:
        """As `flush`; also merges the segments of each collection into as few as possible.

        The engine does this by itself, bit by bit. Afterwards reading is as fast, and the directory
        as small, as they get.
        """
        raise not_offered("`compact`")

    def backup(self, path: str | os.PathLike[str], progress: Progress = None) -> Copy:
        """Copies the whole database into a directory as it is at one moment.

        Anybody may go on reading and writing meanwhile. The copy is a database like any other; the
        next backup into the same directory copies only what is new.

        Args:
            path: Made if missing. What is there must be an earlier backup.
            progress: See `chromadb.maintenance`. Counts bytes.

        Raises:
            InvalidArgumentError: The database is in memory; or the directory is the database, lies
                in it, or holds something that is no backup.
            AuthorizationError: The client is read-only: a backup tells writers of itself in the
                database.
            InternalError: The database is damaged, and the message names the file; or the disk is
                full. An earlier backup stays as it was.
        """
        raise not_offered("`backup`")

    @abstractmethod
    def set_tenant(self, tenant: str, database: str = DEFAULT_DATABASE) -> None:
        """Turns to a database of another tenant.

        Raises:
            NotFoundError: There is no such tenant or database; the client stays where it is.
        """

    @abstractmethod
    def set_database(self, database: str) -> None:
        """Turns to another database of the tenant.

        Raises:
            NotFoundError: There is no such database; the client stays where it is.
        """

    @abstractmethod
    def close(self) -> None:
        """Takes leave of the engine, which closes with its last client. Idempotent."""

    @abstractmethod
    def __enter__(self) -> ClientAPI: ...

    @abstractmethod
    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None: ...

    @staticmethod
    @abstractmethod
    def clear_system_cache() -> None:
        """Lets the next client start an engine of its own. Clients that exist keep theirs."""
