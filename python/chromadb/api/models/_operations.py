"""What each method of a collection does, once for the synchronous and the asynchronous class.

See `chromadb.api._steps`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from chromadb.api._steps import Steps
from chromadb.api._validation import (
    DATA_LOADER_NEEDED,
    ids_exist_message,
    maybe_cast_one_to_many,
    validate_delete,
    validate_distinct,
    validate_flag,
    validate_include,
    validate_max_distance,
    validate_n_results,
    validate_on_conflict,
    validate_order,
    validate_reads,
    validate_update_where,
    validating,
)
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.models._schema_embedding import embedded_search
from chromadb.api.models.CollectionCommon import CollectionCommon, Records, ServerT
from chromadb.api.types import (
    AddResult,
    CollectionMetadata,
    DeleteResult,
    DistinctResult,
    GetResult,
    Include,
    IndexingStatus,
    Metadata,
    OnConflict,
    QueryResult,
    ReadLevel,
    SearchResult,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.errors import IDAlreadyExistsError
from chromadb.maintenance import CollectionStatistics, Explanation, Progress, reporting
from chromadb.types import Collection as CollectionModel

# The ids, embeddings, metadatas, documents, images and URIs of a write.
WriteColumns: TypeAlias = tuple[Any, Any, Any, Any, Any, Any]

# The embeddings, texts, images and URIs of a query.
QuerySources: TypeAlias = tuple[Any, Any, Any, Any]


class CollectionOperations(CollectionCommon[ServerT]):
    """The operations on a collection. Arguments and results are those of its public methods."""

    # ---- Writes ---------------------------------------------------------------------------------

    def _add_steps(
        self,
        columns: WriteColumns,
        on_conflict: OnConflict | None = None,
        progress: Progress = None,
    ) -> Steps[AddResult | None]:
        with validating("add"):
            validate_on_conflict(on_conflict)
        records, inputs = self._prepare("add", ("documents", "images", "uris"), *columns)
        count = len(records.ids)
        with reporting(progress, f"Adding {count:,} records", "records") as told:
            if on_conflict in ("ignore", "error") and inputs is not None:
                # Embedding may take long, and cost money: not for what will not be stored.
                existing: set[str] = yield lambda server: server._existing_ids(self.id, records.ids)
                if existing and on_conflict == "error":
                    raise IDAlreadyExistsError(ids_exist_message(records.ids, existing))
                places = [at for at, id in enumerate(records.ids) if id not in existing]
                records = records.rows(places)
                inputs = inputs._replace(items=[inputs.items[at] for at in places])
            result = None
            if records.ids:
                result = yield from self._added_steps(
                    self._embedded("add", records, inputs, told, count - len(records.ids)),
                    on_conflict,
                )
            if told is not None:
                told(count, count)
        if on_conflict is None:
            return None
        result = result or AddResult(added=0, skipped=0, replaced=0)
        result["skipped"] += count - len(records.ids)
        return result

    def _added_steps(
        self, records: Records, on_conflict: OnConflict | None
    ) -> Steps[AddResult | None]:
        assert (matrix := records.embeddings) is not None
        if on_conflict is not None:
            result: AddResult = yield lambda server: server._insert(
                collection_id=self.id,
                ids=records.ids,
                embeddings=matrix,
                metadatas=records.metadatas,
                documents=records.documents,
                uris=records.uris,
                on_conflict=on_conflict,
            )
            return result
        yield lambda server: server._add(
            ids=records.ids,
            collection_id=self.id,
            embeddings=matrix,
            metadatas=records.metadatas,
            documents=records.documents,
            uris=records.uris,
            tenant=self.tenant,
            database=self.database,
        )
        return None

    def _update_steps(self, columns: WriteColumns, progress: Progress = None) -> Steps[None]:
        records, inputs = self._prepare("update", ("documents", "images"), *columns)
        count = len(records.ids)
        with reporting(progress, f"Updating {count:,} records", "records") as told:
            records = self._embedded("update", records, inputs, told)
            yield lambda server: server._update(
                collection_id=self.id,
                ids=records.ids,
                embeddings=records.embeddings,
                metadatas=records.metadatas,
                documents=records.documents,
                uris=records.uris,
                tenant=self.tenant,
                database=self.database,
            )
            if told is not None:
                told(count, count)

    def _upsert_steps(self, columns: WriteColumns, progress: Progress = None) -> Steps[None]:
        records, inputs = self._prepare("upsert", ("documents", "images"), *columns)
        count = len(records.ids)
        with reporting(progress, f"Upserting {count:,} records", "records") as told:
            records = self._embedded("upsert", records, inputs, told)
            assert (matrix := records.embeddings) is not None
            yield lambda server: server._upsert(
                collection_id=self.id,
                ids=records.ids,
                embeddings=matrix,
                metadatas=records.metadatas,
                documents=records.documents,
                uris=records.uris,
                tenant=self.tenant,
                database=self.database,
            )
            if told is not None:
                told(count, count)

    def _update_where_steps(
        self,
        metadata: Metadata,
        where: Where | None,
        where_document: WhereDocument | None,
        ids: str | list[str] | None,
    ) -> Steps[UpdateResult]:
        with validating("update_where"):
            id_list = maybe_cast_one_to_many(ids)
            validate_update_where(metadata, id_list, where, where_document)
        result: UpdateResult = yield lambda server: server._update_where(
            collection_id=self.id,
            metadata=metadata,
            ids=id_list,
            where=where,
            where_document=where_document,
        )
        return result

    def _delete_steps(
        self,
        ids: str | list[str] | None,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> Steps[DeleteResult]:
        with validating("delete"):
            id_list = maybe_cast_one_to_many(ids)
            validate_delete(id_list, where, where_document, limit)
        result: DeleteResult = yield lambda server: server._delete(
            collection_id=self.id,
            ids=id_list,
            where=where,
            where_document=where_document,
            limit=limit,
            tenant=self.tenant,
            database=self.database,
        )
        return result

    def _modify_steps(
        self,
        name: str | None,
        metadata: CollectionMetadata | None,
        configuration: UpdateCollectionConfiguration | None,
    ) -> Steps[None]:
        self._validate_modify(metadata, configuration)
        # By position: the official name of the first parameter differs between the classes.
        yield lambda server: server._modify(
            self.id, name, metadata, configuration, self.tenant, self.database
        )
        if name is not None:
            self._model.name = name
        if metadata is not None:
            self._model.metadata = metadata
        if configuration is not None:
            fresh: CollectionModel = yield lambda server: server.get_collection_by_id(
                self.id, tenant=self.tenant, database=self.database
            )
            self._model.configuration_json = fresh.configuration_json
            self._model.serialized_schema = fresh.serialized_schema
            self._remembered_function = None
            function = configuration.get("embedding_function")
            if function is not None:
                self._embedding_function = function

    # ---- Reads ----------------------------------------------------------------------------------

    def _count_steps(self, where: Where | None, where_document: WhereDocument | None) -> Steps[int]:
        with validating("count"):
            validate_reads(None, where, where_document)
        result: int = yield lambda server: server._count(
            collection_id=self.id,
            where=where,
            where_document=where_document,
            tenant=self.tenant,
            database=self.database,
        )
        return result

    def _get_steps(
        self,
        ids: str | list[str] | None,
        where: Where | None,
        limit: int | None,
        offset: int | None,
        where_document: WhereDocument | None,
        include: Include,
        after: str | None,
        order_by: str | None,
        descending: bool,
    ) -> Steps[GetResult]:
        loader = self._data_loader
        with validating("get"):
            id_list = maybe_cast_one_to_many(ids)
            validate_reads(id_list, where, where_document)
            validate_include(include, dissalowed=["distances"])
            validate_order(after, order_by, descending)
            if "data" in include and loader is None:
                raise ValueError(DATA_LOADER_NEEDED)
        result: GetResult = yield lambda server: server._get(
            collection_id=self.id,
            ids=id_list,
            where=where,
            limit=limit,
            offset=offset,
            where_document=where_document,
            include=self._requested(include),
            after=after,
            order_by=order_by,
            descending=descending,
            tenant=self.tenant,
            database=self.database,
        )
        if "data" in include and loader is not None:
            result["data"] = loader(result["uris"])
        return result

    def _distinct_steps(
        self,
        key: str,
        where: Where | None,
        where_document: WhereDocument | None,
        limit: int | None,
    ) -> Steps[DistinctResult]:
        with validating("distinct"):
            validate_distinct(key, limit)
            validate_reads(None, where, where_document)
        result: DistinctResult = yield lambda server: server._distinct(
            collection_id=self.id, key=key, where=where, where_document=where_document, limit=limit
        )
        return result

    def _query_steps(
        self,
        sources: QuerySources,
        ids: str | list[str] | None,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        include: Include,
        exact: bool,
        max_distance: float | None,
    ) -> Steps[QueryResult]:
        with validating("query"):
            validate_reads(None, where, where_document)
            validate_include(include)
            validate_n_results(n_results)
            validate_flag("exact", exact)
            bound = validate_max_distance(max_distance)
        queries = self._prepare_queries(*sources)
        result: QueryResult = yield lambda server: server._query(
            collection_id=self.id,
            ids=maybe_cast_one_to_many(ids),
            query_embeddings=queries,
            n_results=n_results,
            where=where,
            where_document=where_document,
            include=self._requested(include),
            exact=exact,
            max_distance=bound,
            tenant=self.tenant,
            database=self.database,
        )
        loader = self._data_loader
        if "data" in include and loader is not None:
            result["data"] = [loader(uris) for uris in result["uris"] or []]
        return result

    def _explain_steps(
        self,
        sources: QuerySources,
        ids: str | list[str] | None,
        n_results: int,
        where: Where | None,
        where_document: WhereDocument | None,
        exact: bool,
    ) -> Steps[Explanation]:
        with validating("query"):
            validate_reads(None, where, where_document)
            validate_n_results(n_results)
            validate_flag("exact", exact)
        has_queries = any(source is not None for source in sources)
        queries = self._prepare_queries(*sources) if has_queries else None
        result: Explanation = yield lambda server: server._explain(
            collection_id=self.id,
            ids=maybe_cast_one_to_many(ids),
            query_embeddings=queries,
            n_results=n_results,
            where=where,
            where_document=where_document,
            exact=exact,
        )
        return result

    def _search_steps(self, searches: Any, read_level: ReadLevel) -> Steps[SearchResult]:
        schema = self.schema
        embedded = [
            embedded_search(search, schema, self._embed_search_text)
            for search in maybe_cast_one_to_many(searches) or []
        ]
        result: SearchResult = yield lambda server: server._search(
            collection_id=self.id,
            searches=embedded,
            tenant=self.tenant,
            database=self.database,
            read_level=read_level,
        )
        return result

    # ---- What servers do with whole collections -------------------------------------------------

    def _fork_steps(self, new_name: str) -> Steps[CollectionModel]:
        result: CollectionModel = yield lambda server: server._fork(
            collection_id=self.id, new_name=new_name, tenant=self.tenant, database=self.database
        )
        return result

    def _fork_count_steps(self) -> Steps[int]:
        result: int = yield lambda server: server._fork_count(
            collection_id=self.id, tenant=self.tenant, database=self.database
        )
        return result

    # ---- Space and speed ------------------------------------------------------------------------

    def _flush_steps(self, progress: Progress) -> Steps[None]:
        yield lambda server: server._flush(self.id, progress)

    def _compact_steps(self, progress: Progress) -> Steps[None]:
        yield lambda server: server._compact(self.id, progress)

    def _statistics_steps(self) -> Steps[CollectionStatistics]:
        result: CollectionStatistics = yield lambda server: server._statistics(self.id)
        return result

    def _indexing_status_steps(self) -> Steps[IndexingStatus]:
        result: IndexingStatus = yield lambda server: server._get_indexing_status(
            self.id, tenant=self.tenant, database=self.database
        )
        return result
