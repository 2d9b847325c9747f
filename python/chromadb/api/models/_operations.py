"""What each method of a collection does, once for the synchronous and the asynchronous class.

An operation is a generator: it checks and embeds, yields each call that it needs of the server as a
function of that server, is sent the answer, and returns the result. So it knows neither threads nor
event loops. Who runs it decides on both: `carry_out` makes the calls where it stands.

A call is yielded outside of `with` blocks: where it fails, the generator is dropped, not resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from chromadb.api import ServerAPI
from chromadb.api._validation import (
    DATA_LOADER_NEEDED,
    maybe_cast_one_to_many,
    validate_delete,
    validate_distinct,
    validate_flag,
    validate_include,
    validate_n_results,
    validate_order,
    validate_reads,
    validate_update_where,
    validating,
)
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.models.CollectionCommon import CollectionCommon, ServerT
from chromadb.api.types import (
    CollectionMetadata,
    DeleteResult,
    DistinctResult,
    GetResult,
    Include,
    IndexingStatus,
    Metadata,
    QueryResult,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.maintenance import CollectionStatistics, Explanation, Progress
from chromadb.types import Collection as CollectionModel

Result = TypeVar("Result")
Call: TypeAlias = Callable[[ServerAPI], Any]
Steps: TypeAlias = Generator[Call, Any, Result]

# The embeddings, texts, images and URIs of a query.
QuerySources: TypeAlias = tuple[Any, Any, Any, Any]


class End(NamedTuple):
    """That an operation is over."""

    result: Any


def next_call(steps: Steps[Any], answer: object) -> Call | End:
    """Goes on with an operation after the answer to its last call, at first None."""
    try:
        return steps.send(answer)
    except StopIteration as end:
        return End(end.value)


def carry_out(
    steps: Steps[Result], server: ServerAPI, before_call: Callable[[], object] | None = None
) -> Result:
    """Runs an operation to its end on this thread. What `before_call` raises ends it."""
    answer = None
    while True:
        found = next_call(steps, answer)
        if isinstance(found, End):
            result: Result = found.result
            return result
        if before_call is not None:
            before_call()
        answer = found(server)


class CollectionOperations(CollectionCommon[ServerT]):
    """The operations on a collection. Arguments and results are those of its public methods."""

    # ---- Writes ---------------------------------------------------------------------------------

    def _add_steps(
        self, ids: Any, embeddings: Any, metadatas: Any, documents: Any, images: Any, uris: Any
    ) -> Steps[None]:
        records = self._prepare(
            "add",
            ("documents", "images", "uris"),
            ids,
            embeddings,
            metadatas,
            documents,
            images,
            uris,
        )
        assert (matrix := records.embeddings) is not None
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

    def _update_steps(
        self, ids: Any, embeddings: Any, metadatas: Any, documents: Any, images: Any, uris: Any
    ) -> Steps[None]:
        records = self._prepare(
            "update", ("documents", "images"), ids, embeddings, metadatas, documents, images, uris
        )
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

    def _upsert_steps(
        self, ids: Any, embeddings: Any, metadatas: Any, documents: Any, images: Any, uris: Any
    ) -> Steps[None]:
        records = self._prepare(
            "upsert", ("documents", "images"), ids, embeddings, metadatas, documents, images, uris
        )
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
    ) -> Steps[QueryResult]:
        with validating("query"):
            validate_reads(None, where, where_document)
            validate_include(include)
            validate_n_results(n_results)
            validate_flag("exact", exact)
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
