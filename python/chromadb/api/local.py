"""The engine of this process, behind the interface that clients use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import numpy as np

from chromadb.api import ServerAPI
from chromadb.api._local_engine import LocalEngine
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    UpdateCollectionConfiguration,
    create_collection_configuration_to_json_str,
    update_collection_configuration_to_json_str,
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
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings, System
from chromadb.maintenance import (
    CollectionStatistics,
    Copy,
    Explanation,
    Progress,
    reporting,
)
from chromadb.types import Collection as CollectionModel
from chromadb.types import Database, Tenant

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix
    from chromadb.api.models.AttachedFunction import AttachedFunction
    from chromadb.auth import UserIdentity
    from chromadb.execution.expression.plan import Search
    from chromadb_swift_bindings import _chroma

_NO_ATTACHED_FUNCTIONS = (
    "Attached functions are only supported when connecting to a Chroma server via HttpClient. The "
    "Rust bindings (embedded mode) do not support attached function operations."
)


class LocalAPI(ServerAPI):
    """Calls the native engine of a system. Any thread, any number at once."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._local_engine = self.require(LocalEngine)

    @property
    def _engine(self) -> _chroma.Engine:
        return self._local_engine.engine

    # ---- The database as a whole ----------------------------------------------------------------

    def heartbeat(self) -> int:
        return self._engine.heartbeat()

    def get_version(self) -> str:
        from chromadb import __version__

        return __version__

    def get_settings(self) -> Settings:
        return self._system.settings

    def get_user_identity(self) -> UserIdentity:
        from chromadb.auth import UserIdentity

        return UserIdentity(user_id="", tenant=DEFAULT_TENANT, databases=[DEFAULT_DATABASE])

    def get_max_batch_size(self) -> int:
        return self._engine.get_max_batch_size()

    def reset(self) -> bool:
        return self._engine.reset()

    # ---- Space and speed ------------------------------------------------------------------------

    def _flush(self, collection_id: UUID | None, progress: Progress) -> None:
        with reporting(progress, "Flushing the database", "") as told:
            self._engine.flush(_optional_str(collection_id), told)

    def _compact(self, collection_id: UUID | None, progress: Progress) -> None:
        with reporting(progress, "Compacting the database", "") as told:
            self._engine.compact(_optional_str(collection_id), told)

    def _backup(self, path: str, progress: Progress) -> Copy:
        with reporting(progress, f"Copying the database to {path}") as told:
            return self._engine.backup(path, told)

    def _statistics(self, collection_id: UUID) -> CollectionStatistics:
        return self._engine.statistics(str(collection_id))

    def _get_indexing_status(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> IndexingStatus:
        return IndexingStatus(*self._engine.indexing_status(str(collection_id)))

    # ---- Tenants and databases ------------------------------------------------------------------

    def create_tenant(self, name: str) -> None:
        self._engine.create_tenant(name)

    def get_tenant(self, name: str) -> Tenant:
        return Tenant(name=self._engine.get_tenant(name).name)

    def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._engine.create_database(name, tenant)

    def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        return _database(self._engine.get_database(name, tenant))

    def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._engine.delete_database(name, tenant)

    def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        return [_database(found) for found in self._engine.list_databases(limit, offset, tenant)]

    # ---- Collections ----------------------------------------------------------------------------

    def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> Sequence[CollectionModel]:
        found = self._engine.list_collections(limit, offset, tenant, database)
        return [_model(collection) for collection in found]

    def count_collections(
        self, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> int:
        return self._engine.count_collections(tenant, database)

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
        text = None
        if configuration:
            text = create_collection_configuration_to_json_str(configuration, metadata)
        return _model(
            self._engine.create_collection(
                name,
                text,
                None if schema is None else json.dumps(schema.serialize_to_json()),
                metadata,
                get_or_create,
                tenant,
                database,
            )
        )

    def get_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> CollectionModel:
        return _model(self._engine.get_collection(name, tenant, database))

    def get_collection_by_id(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        return _model(self._engine.get_collection_by_id(str(collection_id), tenant, database))

    def delete_collection(
        self, name: str, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> None:
        self._engine.delete_collection(name, tenant, database)

    def _modify(
        self,
        id: UUID,
        new_name: str | None = None,
        new_metadata: CollectionMetadata | None = None,
        new_configuration: UpdateCollectionConfiguration | None = None,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> None:
        text = None
        if new_configuration:
            text = update_collection_configuration_to_json_str(new_configuration)
        self._engine.update_collection(str(id), new_name, new_metadata, text)

    def _fork(
        self,
        collection_id: UUID,
        new_name: str,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> CollectionModel:
        raise NotImplementedError("Collection forking is not implemented for Local Chroma")

    def _fork_count(
        self,
        collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> int:
        raise NotImplementedError("Fork count is not implemented for Local Chroma")

    # ---- Records --------------------------------------------------------------------------------

    def _search(
        self,
        collection_id: UUID,
        searches: list[Search],
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
    ) -> SearchResult:
        raise NotImplementedError("Search is not implemented for Local Chroma")

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
        return self._engine.count(
            str(collection_id), tenant, database, _json(where), _json(where_document)
        )

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
        return self._engine.add(
            ids,
            str(collection_id),
            embeddings,
            _dicts(metadatas),
            documents,
            uris,
            tenant,
            database,
        )

    def _existing_ids(self, collection_id: UUID, ids: IDs) -> set[str]:
        found = self._engine.get(
            str(collection_id), ids, None, None, 0, None, [], DEFAULT_TENANT, DEFAULT_DATABASE
        )
        return set(found.ids)

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
        added, existing = self._engine.insert(
            str(collection_id), ids, embeddings, _dicts(metadatas), documents, uris, on_conflict
        )
        is_replacing = on_conflict == "replace"
        return AddResult(
            added=added,
            skipped=0 if is_replacing else existing,
            replaced=existing if is_replacing else 0,
        )

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
        return self._engine.update(
            str(collection_id),
            ids,
            embeddings,
            _dicts(metadatas),
            documents,
            uris,
            tenant,
            database,
        )

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
        return self._engine.upsert(
            str(collection_id),
            ids,
            embeddings,
            _dicts(metadatas),
            documents,
            uris,
            tenant,
            database,
        )

    def _update_where(
        self,
        collection_id: UUID,
        metadata: Metadata,
        ids: IDs | None,
        where: Where | None,
        where_document: WhereDocument | None,
    ) -> UpdateResult:
        updated = self._engine.update_selected(
            str(collection_id), ids, _json(where), _json(where_document), dict(metadata)
        )
        return UpdateResult(updated=updated)

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
        deleted = self._engine.delete(
            str(collection_id), ids, _json(where), _json(where_document), limit, tenant, database
        )
        return DeleteResult(deleted=deleted)

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
        found = self._engine.get(
            str(collection_id),
            ids,
            _json(where),
            limit,
            0 if offset is None else offset,
            _json(where_document),
            cast("list[str]", include),
            tenant,
            database,
            after,
            order_by,
            descending,
        )
        return GetResult(
            ids=found.ids,
            embeddings=None if found.embeddings is None else _doubles(found.embeddings),
            documents=cast(Any, found.documents),
            uris=cast(Any, found.uris),
            included=include,
            data=None,
            metadatas=cast(Any, found.metadatas),
        )

    def _distinct(
        self,
        collection_id: UUID,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> DistinctResult:
        return self._engine.distinct(
            str(collection_id), key, None, _json(where), _json(where_document), limit
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
        found = self._engine.query(
            str(collection_id),
            ids,
            query_embeddings,
            n_results,
            _json(where),
            _json(where_document),
            cast("list[str]", include),
            tenant,
            database,
            exact,
            max_distance,
        )
        return QueryResult(
            ids=found.ids,
            embeddings=(
                None
                if found.embeddings is None
                else [_doubles(embeddings) for embeddings in found.embeddings]
            ),
            documents=cast(Any, found.documents),
            uris=cast(Any, found.uris),
            included=include,
            data=None,
            metadatas=cast(Any, found.metadatas),
            distances=found.distances,
        )

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
        return self._engine.explain(
            str(collection_id),
            ids,
            query_embeddings,
            n_results,
            _json(where),
            _json(where_document),
            exact,
        )

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
        raise NotImplementedError(_NO_ATTACHED_FUNCTIONS)

    def get_attached_function(
        self,
        name: str,
        input_collection_id: UUID,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> AttachedFunction:
        raise NotImplementedError(_NO_ATTACHED_FUNCTIONS)

    def detach_function(
        self,
        name: str,
        input_collection_id: UUID,
        delete_output: bool = False,
        tenant: str = DEFAULT_TENANT,
        database: str = DEFAULT_DATABASE,
    ) -> bool:
        raise NotImplementedError(_NO_ATTACHED_FUNCTIONS)


def _model(found: _chroma.Collection) -> CollectionModel:
    return CollectionModel(
        id=found.id,
        name=found.name,
        configuration_json=found.configuration,
        serialized_schema=found.schema,
        metadata=found.metadata,
        dimension=found.dimension,
        tenant=found.tenant,
        database=found.database,
    )


def _database(found: _chroma.Database) -> Database:
    return Database(id=found.id, name=found.name, tenant=found.tenant)


def _optional_str(id: UUID | None) -> str | None:
    return None if id is None else str(id)


def _json(filter: Where | WhereDocument | None) -> str | None:
    return None if filter is None else json.dumps(filter)


def _dicts(metadatas: list[Metadata | None] | None) -> list[dict[str, Any] | None] | None:
    # Validation has seen to it that they are dicts; the public type is Mapping so that a list of
    # dict[str, str] type-checks.
    return cast("list[dict[str, Any] | None] | None", metadatas)


def _doubles(rows: Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
    # Upstream's answers are doubles, and no rows are an array of one dimension.
    return rows.astype(np.float64) if len(rows) else np.array([], dtype=np.float64)
