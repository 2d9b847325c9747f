"""A collection: records with ids, embeddings, documents, URIs and metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from chromadb.api import ServerAPI
from chromadb.api._steps import Result, Steps, carry_out
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.functions import Function
from chromadb.api.models._operations import CollectionOperations
from chromadb.api.models.AttachedFunction import AttachedFunction
from chromadb.api.types import (
    AddResult,
    CollectionMetadata,
    DeleteResult,
    DistinctResult,
    Embedding,
    GetResult,
    Image,
    Include,
    IncludeMetadataDocuments,
    IncludeMetadataDocumentsDistances,
    IncludeMetadataDocumentsEmbeddings,
    IndexingStatus,
    Metadata,
    OnConflict,
    OneOrMany,
    PyEmbedding,
    QueryResult,
    ReadLevel,
    SearchResult,
    UpdateResult,
    Where,
    WhereDocument,
)
from chromadb.maintenance import CollectionStatistics, Explanation, Progress

if TYPE_CHECKING:
    from chromadb.execution.expression.plan import Search

# One vector, or one for each record or query.
Vectors: TypeAlias = PyEmbedding | Embedding | Sequence[PyEmbedding] | Sequence[Embedding]


class Collection(CollectionOperations[ServerAPI]):
    """A collection of a local database. Any thread, any number at once.

    Arguments that take one value or many take a list for many; a tuple is one value. Embeddings
    may be lists of numbers or numpy arrays; one contiguous float32 array with a row for each record
    is passed on without a copy.
    """

    def _run(self, steps: Steps[Result]) -> Result:
        return carry_out(steps, self._client)

    # ---- Writes ---------------------------------------------------------------------------------

    @overload
    def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: None = None,
        progress: Progress = None,
    ) -> None: ...

    @overload
    def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: OnConflict,
        progress: Progress = None,
    ) -> AddResult: ...

    def add(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        on_conflict: OnConflict | None = None,
        progress: Progress = None,
    ) -> AddResult | None:
        """Adds records: all that are to be stored, or none.

        Records whose ids exist are left as they are, without an error, unless `on_conflict` says
        otherwise. Where it says anything, the result counts what became of the records, and what
        would not be stored is not embedded.

        Args:
            ids: The ids; each may occur once.
            embeddings: The vectors. Without them the documents, the images or what the URIs lead
                to are embedded; exactly one of these must then be given.
            metadatas: Values under string keys: str, int, float, bool, or a list of one of these.
            documents: The texts.
            images: Arrays of at least two dimensions. They are embedded, and not stored.
            uris: Where the data of the records are.
            on_conflict: "ignore" leaves those that exist as they are; "error" stores nothing of the
                call if there is one; "replace" makes them exactly what is given: what they were is
                gone, but for their place in the order of insertion. Which ids exist is decided
                while nobody else writes.
            progress: A callable that gets `(done, total)`, in records, on the thread of the call,
                as they are embedded, in slices, and when they are written; or True for a bar on
                standard error where that is a terminal. What it raises ends the call.

        Raises:
            IDAlreadyExistsError: There is such a record, and `on_conflict` is "error".
            ValueError: The arguments do not fit together, or have the wrong types.
            DuplicateIDError: An id occurs twice.
            InvalidArgumentError: The engine refuses a value: the vectors have another dimension
                than the collection, or numbers that are not finite.
        """
        columns = (ids, embeddings, metadatas, documents, images, uris)
        return self._run(self._add_steps(columns, on_conflict, progress))

    def update(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        progress: Progress = None,
    ) -> None:
        """Changes records. Ids that do not exist are passed over, without an error.

        What is given replaces what was there; metadata are merged key by key, and a value of None
        deletes its key. Documents or images without embeddings are embedded anew. Raises, and tells
        how far it is, as `add`.
        """
        columns = (ids, embeddings, metadatas, documents, images, uris)
        self._run(self._update_steps(columns, progress))

    def update_where(
        self,
        metadata: Metadata,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        *,
        ids: str | list[str] | None = None,
    ) -> UpdateResult:
        """Merges metadata, key by key, into that of the records that the filters match.

        A value of None deletes its key. Of `ids`, if given, only those that match are changed. All
        or nothing; which records match is decided while nobody else writes.
        """
        return self._run(self._update_where_steps(metadata, where, where_document, ids))

    def upsert(
        self,
        ids: str | list[str],
        embeddings: Vectors | None = None,
        metadatas: Metadata | Sequence[Metadata | None] | None = None,
        documents: str | Sequence[str | None] | None = None,
        images: Image | Sequence[Image] | None = None,
        uris: str | Sequence[str | None] | None = None,
        *,
        progress: Progress = None,
    ) -> None:
        """Changes the records that exist, as `update`, and adds the others.

        Raises, and tells how far it is, as `add`.
        """
        columns = (ids, embeddings, metadatas, documents, images, uris)
        self._run(self._upsert_steps(columns, progress))

    def delete(
        self,
        ids: str | list[str] | None = None,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DeleteResult:
        """Deletes the records with these ids, and those alone that the filters match.

        `limit` bounds how many records the filters take, in the order of insertion. The result
        counts the records deleted; of a deletion by ids alone, the ids given.
        """
        return self._run(self._delete_steps(ids, where, where_document, limit))

    def modify(
        self,
        name: str | None = None,
        metadata: CollectionMetadata | None = None,
        configuration: UpdateCollectionConfiguration | None = None,
    ) -> None:
        """Renames the collection, replaces its whole metadata, or changes settings of its index.

        The distance and the kind of embedding function cannot change.
        """
        self._run(self._modify_steps(name, metadata, configuration))

    # ---- Reads ----------------------------------------------------------------------------------

    def count(
        self,
        read_level: ReadLevel = ReadLevel.INDEX_AND_WAL,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
    ) -> int:
        """How many records there are, or how many the filters match.

        A local database always counts all writes that returned. Where an index answers a filter,
        no record is read for it.
        """
        return self._run(self._count_steps(where, where_document))

    def get(
        self,
        ids: str | list[str] | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocuments,
        *,
        after: str | None = None,
        order_by: str | None = None,
        descending: bool = False,
    ) -> GetResult:
        """Records in the order of insertion: those with these ids that the filters match.

        `limit` and `offset` count what is left after filtering.

        Args:
            after: The id of a record, which need not match: only what comes behind it in the order
                is returned. Pages that begin after the last record of the page before show every
                record once that stays as it is, whatever is added and deleted meanwhile; an
                `offset` counts anew each time.
            order_by: A metadata key, to order the records by: first bools, False first; then
                numbers by value, int and float together; then strings by their UTF-8 bytes.
                Records that are equal stand in the order of insertion, and those without such a
                value, or with a list, come last in the order of insertion.
            descending: Whether the greatest value comes first. The last two rules stay as they are.

        Raises:
            NotFoundError: `after` is the id of no record: it was deleted.
            ValueError: An argument has the wrong type; `descending` without `order_by`.
            InvalidArgumentError: The engine refuses a filter.
        """
        return self._run(
            self._get_steps(
                ids,
                where,
                limit,
                offset,
                where_document,
                include,
                after,
                order_by,
                descending,
            )
        )

    def peek(self, limit: int = 10) -> GetResult:
        """The first records, with their embeddings."""
        return self.get(limit=limit, include=IncludeMetadataDocumentsEmbeddings)

    def distinct(
        self,
        key: str,
        *,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        limit: int | None = None,
    ) -> DistinctResult:
        """The values under a metadata key, and how many of the records that match have each.

        Values are the scalars under the key and the elements of lists, each once, in the order that
        `get` has for `order_by`. Numbers that are equal, as 1 and 1.0, are one value, an int if one
        of them is. A record counts once for each of its values: for a scalar, as often as
        `count(where={key: value})` counts it.

        `limit` keeps the first values, and the memory that the call takes small. Raises as `get`.
        """
        return self._run(self._distinct_steps(key, where, where_document, limit))

    def query(
        self,
        query_embeddings: Vectors | None = None,
        query_texts: str | list[str] | None = None,
        query_images: Image | list[Image] | None = None,
        query_uris: str | list[str] | None = None,
        ids: str | list[str] | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        include: Include = IncludeMetadataDocumentsDistances,
        *,
        exact: bool = False,
        max_distance: float | None = None,
    ) -> QueryResult:
        """The nearest records for each query, nearest first.

        Without `query_embeddings`, exactly one of the texts, the images and the URIs is embedded.
        The ids and the filters say which records are candidates at all.

        A collection of some thousand records or more has an index, which finds nearly all of the
        nearest: more of them with a larger `ef_search` in the collection's configuration, which
        `modify` changes for the next query. If `exact`, all candidates are measured instead.

        Records farther than `max_distance` are left out, so that there may be fewer than
        `n_results`. It is compared to the distance as it is returned, of whichever space; a record
        exactly as far stays.
        """
        sources = (query_embeddings, query_texts, query_images, query_uris)
        return self._run(
            self._query_steps(
                sources, ids, n_results, where, where_document, include, exact, max_distance
            )
        )

    def explain(
        self,
        query_embeddings: Vectors | None = None,
        query_texts: str | list[str] | None = None,
        query_images: Image | list[Image] | None = None,
        query_uris: str | list[str] | None = None,
        ids: str | list[str] | None = None,
        n_results: int = 10,
        where: Where | None = None,
        where_document: WhereDocument | None = None,
        *,
        exact: bool = False,
    ) -> Explanation:
        """How `query` answers the same arguments: from which state, and by what way.

        Without anything to query for, how the ids and filters are evaluated, as for `get`.
        """
        sources = (query_embeddings, query_texts, query_images, query_uris)
        return self._run(self._explain_steps(sources, ids, n_results, where, where_document, exact))

    def search(
        self, searches: OneOrMany[Search], read_level: ReadLevel = ReadLevel.INDEX_AND_WAL
    ) -> SearchResult:
        """Ranks records by one or many search expressions; see `chromadb.execution.expression`.

        Texts in `Knn` are embedded first: by the collection's function, or by the one that the
        schema has for the key. Only some servers of Chroma can search so; others, and a local
        database, raise NotImplementedError or ChromaError.
        """
        return self._run(self._search_steps(searches, read_level))

    # ---- What servers do with whole collections -------------------------------------------------

    def fork(self, new_name: str) -> Collection:
        """A collection that begins as a copy of this one and shares its storage.

        A local database has none yet: NotImplementedError.
        """
        return Collection(
            client=self._client,
            model=self._run(self._fork_steps(new_name)),
            embedding_function=self._embedding_function,
            data_loader=self._data_loader,
        )

    def fork_count(self) -> int:
        """How many forks of this collection there are. A local database: NotImplementedError."""
        return self._run(self._fork_count_steps())

    def attach_function(
        self,
        function: Function,
        name: str,
        output_collection: str,
        params: dict[str, Any] | None = None,
    ) -> tuple[AttachedFunction, bool]:
        """Has the server run a function over this collection whenever it changes.

        What it computes is written to the collection `output_collection`. Returns the function as
        attached, and whether it was not there before. A local database: NotImplementedError.
        """
        return self._client.attach_function(
            function_id=function.value if isinstance(function, Function) else function,
            name=name,
            input_collection_id=self.id,
            output_collection=output_collection,
            params=params,
            tenant=self.tenant,
            database=self.database,
        )

    def get_attached_function(self, name: str) -> AttachedFunction:
        """The function that was attached under a name. NotFoundError if there is none."""
        attached: AttachedFunction = self._client.get_attached_function(
            name=name,
            input_collection_id=self.id,
            tenant=self.tenant,
            database=self.database,
        )
        return attached

    def detach_function(self, name: str, delete_output_collection: bool = False) -> bool:
        """Ends the runs of a function, and deletes what it wrote if that is asked for."""
        return self._client.detach_function(
            name=name,
            input_collection_id=self.id,
            delete_output=delete_output_collection,
            tenant=self.tenant,
            database=self.database,
        )

    # ---- Space and speed ------------------------------------------------------------------------

    def flush(self, progress: Progress = None) -> None:
        """Brings the collection to rest, all of it indexed; see `flush` of the client."""
        self._run(self._flush_steps(progress))

    def compact(self, progress: Progress = None) -> None:
        """Merges the collection's segments into as few as possible; see `compact` of the client."""
        self._run(self._compact_steps(progress))

    def statistics(self) -> CollectionStatistics:
        """What the collection takes.

        Raises:
            NotFoundError: It was deleted.
        """
        return self._run(self._statistics_steps())

    def get_indexing_status(self) -> IndexingStatus:
        """How many of the operations on the collection its index knows.

        The others need not wait for it: their records are found by measuring them. A collection
        too small for an index counts as indexed.

        Raises:
            NotFoundError: It was deleted.
        """
        return self._run(self._indexing_status_steps())
