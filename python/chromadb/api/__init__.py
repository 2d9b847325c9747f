"""The interfaces: what clients offer to users, and what they need of an engine."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

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
    DeleteResult,
    DistinctResult,
    EmbeddingFunction,
    GetResult,
    IDs,
    Include,
    IndexingStatus,
    Loadable,
    Metadata,
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
    from chromadb.api._embeddings import Matrix
    from chromadb.api.models.Collection import Collection
    from chromadb.auth import UserIdentity

__all__ = [
    "AdminAPI",
    "ClientAPI",
    "CreateCollectionConfiguration",
    "CreateHNSWConfiguration",
    "CreateSpannConfiguration",
    "ServerAPI",
    "UpdateCollectionConfiguration",
    "UpdateHNSWConfiguration",
    "UpdateSpannConfiguration",
]


class ClientAPI(ABC):
    """A client: the collections of one database of one tenant."""

    tenant: str
    database: str

    @abstractmethod
    def heartbeat(self) -> int:
        """The time of the engine, in nanoseconds since the epoch."""

    @abstractmethod
    def get_version(self) -> str:
        """The version of Chroma with which the engine is compatible."""

    @abstractmethod
    def get_settings(self) -> Settings:
        """The settings that the engine was opened with."""

    @abstractmethod
    def get_user_identity(self) -> UserIdentity:
        """Who the client is, and which databases it may reach."""

    @abstractmethod
    def get_max_batch_size(self) -> int:
        """The largest number of records that one write takes."""

    @abstractmethod
    def list_collections(
        self, limit: int | None = None, offset: int | None = None
    ) -> Sequence[Collection]:
        """The collections, ordered by id, `limit` of them after the first `offset`."""

    @abstractmethod
    def count_collections(self) -> int:
        """How many collections there are."""

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

    @abstractmethod
    def delete_collection(self, name: str) -> None:
        """Deletes a collection and its records.

        Raises:
            NotFoundError: There is none of that name.
        """

    @abstractmethod
    def reset(self) -> bool:
        """Deletes everything, in all databases of all tenants.

        Raises:
            AuthorizationError: The settings do not say `allow_reset=True`.
        """

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
        raise NotImplementedError("This client reaches no database that it could flush.")

    def compact(self, progress: Progress = None) -> None:
        """As `flush`; also merges the segments of each collection into as few as possible.

        The engine does this by itself, bit by bit. Afterwards reading is as fast, and the directory
        as small, as they get.
        """
        raise NotImplementedError("This client reaches no database that it could compact.")

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
        raise NotImplementedError("This client reaches no database that it could copy.")

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
    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None: ...

    @staticmethod
    @abstractmethod
    def clear_system_cache() -> None:
        """Lets the next client start an engine of its own. Clients that exist keep theirs."""


class AdminAPI(ABC):
    """Tenants and their databases."""

    @abstractmethod
    def create_tenant(self, name: str) -> None:
        """Creates a tenant. InternalError if there is one of that name."""

    @abstractmethod
    def get_tenant(self, name: str) -> Tenant:
        """The tenant of that name. NotFoundError if there is none."""

    @abstractmethod
    def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        """Creates a database. InternalError if there is one of that name."""

    @abstractmethod
    def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        """The database of that name. NotFoundError if there is none."""

    @abstractmethod
    def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        """Deletes a database and its collections. NotFoundError if there is none."""

    @abstractmethod
    def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        """The databases of a tenant, ordered by name; none of a tenant that does not exist."""


class ServerAPI(AdminAPI):
    """What clients and collections need of an engine, wherever it runs.

    Arguments have been validated and embeddings computed. Collections go by id.
    """

    @abstractmethod
    def heartbeat(self) -> int: ...

    @abstractmethod
    def get_version(self) -> str: ...

    @abstractmethod
    def get_settings(self) -> Settings: ...

    @abstractmethod
    def get_user_identity(self) -> UserIdentity: ...

    @abstractmethod
    def get_max_batch_size(self) -> int: ...

    @abstractmethod
    def reset(self) -> bool: ...

    @abstractmethod
    def _flush(self, collection_id: UUID | None, progress: Progress) -> None: ...

    @abstractmethod
    def _compact(self, collection_id: UUID | None, progress: Progress) -> None: ...

    @abstractmethod
    def _backup(self, path: str, progress: Progress) -> Copy: ...

    @abstractmethod
    def _statistics(self, collection_id: UUID) -> CollectionStatistics: ...

    @abstractmethod
    def _get_indexing_status(
        self, collection_id: UUID, tenant: str, database: str
    ) -> IndexingStatus: ...

    @abstractmethod
    def list_collections(
        self, limit: int | None, offset: int | None, tenant: str, database: str
    ) -> Sequence[CollectionModel]: ...

    @abstractmethod
    def count_collections(self, tenant: str, database: str) -> int: ...

    @abstractmethod
    def create_collection(
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
    def get_collection(self, name: str, tenant: str, database: str) -> CollectionModel: ...

    @abstractmethod
    def get_collection_by_id(
        self, collection_id: UUID, tenant: str, database: str
    ) -> CollectionModel: ...

    @abstractmethod
    def delete_collection(self, name: str, tenant: str, database: str) -> None: ...

    @abstractmethod
    def _modify(
        self,
        collection_id: UUID,
        new_name: str | None,
        new_metadata: CollectionMetadata | None,
        new_configuration: UpdateCollectionConfiguration | None,
    ) -> None: ...

    @abstractmethod
    def _count(
        self,
        collection_id: UUID,
        where: Where | None,
        where_document: WhereDocument | None,
        tenant: str,
        database: str,
    ) -> int: ...

    @abstractmethod
    def _add(
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
    def _update(
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
    def _upsert(
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
    def _update_where(
        self,
        collection_id: UUID,
        metadata: Metadata,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
    ) -> UpdateResult: ...

    @abstractmethod
    def _delete(
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
    def _get(
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
    def _distinct(
        self,
        collection_id: UUID,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> DistinctResult: ...

    @abstractmethod
    def _query(
        self,
        collection_id: UUID,
        ids: IDs | None,
        query_embeddings: Matrix,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        include: Include,
        exact: bool,
        tenant: str,
        database: str,
    ) -> QueryResult: ...

    @abstractmethod
    def _explain(
        self,
        collection_id: UUID,
        ids: IDs | None,
        query_embeddings: Matrix | None,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        exact: bool,
    ) -> Explanation: ...
