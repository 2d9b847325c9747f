"""What clients and collections need of an engine, wherever it runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from chromadb.api._base_api import AdminAPI, BaseAPI
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
    SearchResult,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Component
from chromadb.maintenance import CollectionStatistics, Copy, Explanation, Progress
from chromadb.types import Collection as CollectionModel

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix
    from chromadb.api.models.AttachedFunction import AttachedFunction
    from chromadb.execution.expression.plan import Search


def not_offered(what: str) -> NotImplementedError:
    """The error for what this project's engine can do, and servers of Chroma cannot."""
    return NotImplementedError(
        f"Servers of Chroma do not offer {what}. It takes a database that this process opens, "
        "with chromadb.PersistentClient or chromadb.EphemeralClient."
    )


class ServerAPI(BaseAPI, AdminAPI, Component):
    """What clients and collections need of an engine, wherever it runs.

    Arguments have been validated and embeddings computed. Collections go by id. Arguments that can
    only be passed by name are not upstream's.
    """

    _kept_by_system: ClassVar[bool] = False
    _chosen_by: ClassVar[str | None] = "chroma_api_impl"

    # ---- Collections ----------------------------------------------------------------------------

    @abstractmethod
    def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int: ...

    @abstractmethod
    def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> Sequence[CollectionModel]: ...

    @abstractmethod
    def create_collection(
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
    def get_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> CollectionModel: ...

    @abstractmethod
    def get_collection_by_id(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel: ...

    def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return self.create_collection(name, schema, configuration, metadata, True, tenant, database)

    @abstractmethod
    def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None: ...

    @abstractmethod
    def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> None: ...

    @abstractmethod
    def _fork(
        self,
        collection_id: UUID,
        new_name: str,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel: ...

    @abstractmethod
    def _fork_count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> int: ...

    @abstractmethod
    def _get_indexing_status(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> IndexingStatus: ...

    # ---- Records --------------------------------------------------------------------------------

    @abstractmethod
    def _search(
        self,
        collection_id: UUID,
        searches: list[Search],
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
    ) -> SearchResult: ...

    @abstractmethod
    def _count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int: ...

    def _peek(
        self,
        collection_id: UUID,
        n: int = 10,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> GetResult:
        return self._get(
            collection_id,
            limit=n,
            include=IncludeMetadataDocumentsEmbeddings,
            tenant=tenant,
            database=database,
        )

    @abstractmethod
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
    ) -> GetResult: ...

    @abstractmethod
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
    ) -> bool: ...

    @abstractmethod
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
    ) -> bool: ...

    @abstractmethod
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
    ) -> bool: ...

    @abstractmethod
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
    ) -> QueryResult: ...

    @abstractmethod
    def _delete(
        self,
        collection_id: UUID,
        ids: IDs | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> DeleteResult: ...

    # ---- Attached functions ---------------------------------------------------------------------

    @abstractmethod
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
        """Has a function run over a collection; returns it, and whether it was not there before."""

    @abstractmethod
    def get_attached_function(
        self,
        name: str,
        input_collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> AttachedFunction:
        """The function of that name. NotFoundError if none is attached."""

    @abstractmethod
    def detach_function(
        self,
        name: str,
        input_collection_id: UUID,
        delete_output: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        """Ends the runs of a function."""

    # ---- What servers of Chroma do not offer ----------------------------------------------------

    def _existing_ids(self, collection_id: UUID, ids: IDs) -> set[str]:
        """Those of the ids that records have: asked before an insertion that may skip them."""
        raise not_offered("`add` with `on_conflict`")

    def _insert(
        self,
        collection_id: UUID,
        ids: IDs,
        embeddings: Matrix,
        metadatas: list[Metadata | None] | None,
        documents: list[str | None] | None,
        uris: list[str | None] | None,
        on_conflict: OnConflict,
    ) -> AddResult:
        """Adds, and says what it met. IDAlreadyExistsError if records exist and may not."""
        raise not_offered("`add` with `on_conflict`")

    def _update_where(
        self,
        collection_id: UUID,
        metadata: Metadata,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
    ) -> UpdateResult:
        raise not_offered("`update_where`")

    def _distinct(
        self,
        collection_id: UUID,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> DistinctResult:
        raise not_offered("`distinct`")

    def _explain(
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

    def _flush(self, collection_id: UUID | None, progress: Progress) -> None:
        raise not_offered("`flush`")

    def _compact(self, collection_id: UUID | None, progress: Progress) -> None:
        raise not_offered("`compact`")

    def _backup(self, path: str, progress: Progress) -> Copy:
        raise not_offered("`backup`")

    def _statistics(self, collection_id: UUID) -> CollectionStatistics:
        raise not_offered("`statistics`")
