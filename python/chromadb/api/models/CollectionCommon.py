"""What collections do before and after they call the engine: check, embed, and complete results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast
from uuid import UUID

from chromadb.api._embeddings import Matrix, embedding_matrix, joined
from chromadb.api._validation import (
    DATA_LOADER_NEEDED,
    maybe_cast_one_to_many,
    validate_documents,
    validate_ids,
    validate_images,
    validate_lengths,
    validate_metadatas,
    validating,
)
from chromadb.api._validation import validation_context as validation_context
from chromadb.api.collection_configuration import (
    CollectionConfiguration,
    UpdateCollectionConfiguration,
    load_collection_configuration_from_json,
    validate_embedding_function_update,
)
from chromadb.api.models._schema_embedding import has_sparse_index, with_sparse_vectors
from chromadb.api.types import (
    EMBEDDING_KEY,
    CollectionMetadata,
    DataLoader,
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    Include,
    Loadable,
    Metadata,
    Schema,
    normalize_metadatas,
    validate_embedding_function,
    validate_metadata,
)
from chromadb.base_types import Vector
from chromadb.types import Collection as CollectionModel

# Who is told how many of how many records are done.
Told: TypeAlias = Callable[[int, int], object] | None

# Inputs are embedded in slices where somebody wants to know how far that is: in about twenty. Each
# is a multiple of the 32 that the default function runs at once, and no more than services like.
_SLICE_COUNT = 20
_SLICE_SIZE_STEP = 32
_SLICE_SIZE_MAX = 1024


def _slice_size(count: int) -> int:
    size = -(-count // (_SLICE_COUNT * _SLICE_SIZE_STEP)) * _SLICE_SIZE_STEP
    return min(size, _SLICE_SIZE_MAX)


def _items(column: Any, places: list[int]) -> Any:
    return None if column is None else [column[place] for place in places]


# A ServerAPI or an AsyncServerAPI.
ServerT = TypeVar("ServerT")


class Records(NamedTuple):
    """The columns of one write, checked and embedded. None stands for no column."""

    ids: list[str]
    embeddings: Matrix | None
    metadatas: list[Metadata | None] | None
    documents: list[str | None] | None
    uris: list[str | None] | None

    def rows(self, places: list[int]) -> Records:
        """Those of these places, in their order."""
        return Records(
            ids=_items(self.ids, places),
            embeddings=None if self.embeddings is None else self.embeddings[places],
            metadatas=_items(self.metadatas, places),
            documents=_items(self.documents, places),
            uris=_items(self.uris, places),
        )


class Inputs(NamedTuple):
    """What is to be embedded for a write."""

    source: str
    """documents, images or uris."""
    items: list[Any]


class CollectionCommon(Generic[ServerT]):
    """A collection as it was when it was fetched, and the function that embeds for it."""

    def __init__(
        self,
        client: ServerT,
        model: CollectionModel,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> None:
        if embedding_function is not None:
            validate_embedding_function(embedding_function)
        self._client = client
        self._model = model
        self._embedding_function = embedding_function
        self._data_loader = data_loader
        # The function that the collection remembers, once it has been needed.
        self._remembered_function: EmbeddingFunction[Any] | None = None

    # ---- Properties -----------------------------------------------------------------------------

    @property
    def id(self) -> UUID:
        return self._model.id

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def metadata(self) -> CollectionMetadata | None:
        return cast("CollectionMetadata | None", self._model.metadata)

    @property
    def tenant(self) -> str:
        return self._model.tenant

    @property
    def database(self) -> str:
        return self._model.database

    @property
    def configuration_json(self) -> dict[str, Any]:
        """The configuration as JSON values."""
        return self._model.configuration_json

    @property
    def configuration(self) -> CollectionConfiguration:
        """The configuration, with the remembered embedding function built anew.

        Raises ValueError where its name is not registered.
        """
        return load_collection_configuration_from_json(self._model.configuration_json)

    @property
    def schema(self) -> Schema:
        """What is indexed, and how; built anew each time, so that changes of it change nothing."""
        return Schema.deserialize_from_json(self._model.serialized_schema or {})

    def get_model(self) -> CollectionModel:
        """The collection as the engine described it."""
        return self._model

    def __repr__(self) -> str:
        return f"Collection(name={self.name})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CollectionCommon)
            and self._model == other._model
            and self._embedding_function == other._embedding_function
            and self._data_loader == other._data_loader
        )

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    # ---- Before a write -------------------------------------------------------------------------

    def _prepare(
        self,
        operation: str,
        sources: tuple[str, ...],
        ids: Any,
        embeddings: Any,
        metadatas: Any,
        documents: Any,
        images: Any,
        uris: Any,
    ) -> tuple[Records, Inputs | None]:
        """Checks the columns of a write, and says what is to be embedded: what has no embeddings.

        `sources` are the columns that may be embedded. An update need not have one.
        """
        with validating(operation):
            matrix = None if embeddings is None else embedding_matrix(embeddings)
            ids = maybe_cast_one_to_many(ids)
            metadatas = normalize_metadatas(metadatas)
            documents = maybe_cast_one_to_many(documents)
            images = maybe_cast_one_to_many(images)
            uris = maybe_cast_one_to_many(uris)
            validate_lengths(
                {
                    "ids": ids,
                    "metadatas": metadatas,
                    "embeddings": matrix,
                    "documents": documents,
                    "images": images,
                    "uris": uris,
                }
            )
            validate_ids(ids)
            if metadatas is not None:
                validate_metadatas(metadatas)
            if documents is not None:
                validate_documents(documents, nullable=matrix is not None)
            if images is not None:
                validate_images(images)
            columns = {"documents": documents, "images": images, "uris": uris}
            given = [name for name in sources if columns[name] is not None]
            if matrix is None and len(given) != 1 and (given or operation != "update"):
                raise ValueError(f"Exactly one of {', '.join(sources)} must be provided")
        records = Records(ids, matrix, metadatas, documents, uris)
        return records, Inputs(given[0], columns[given[0]]) if matrix is None and given else None

    def _embedded(
        self,
        operation: str,
        records: Records,
        inputs: Inputs | None,
        told: Told = None,
        done: int = 0,
    ) -> Records:
        """The records with their embeddings.

        Who wants to be told how many are done has them embedded in slices, and is told after each
        but the last: all of them are done when they are written. `done` of them are already.
        """
        records = self._with_sparse_vectors(operation, records)
        if inputs is None:
            return records
        count = len(inputs.items)
        size = count if told is None else _slice_size(count)
        parts: list[Matrix] = []
        for start in range(0, count, size):
            items = inputs.items[start : start + size]
            parts.append(self._vectors(operation, inputs.source, items))
            if told is not None and start + size < count:
                told(done + start + size, done + count)
        with validating(operation):
            return records._replace(embeddings=joined(parts))

    def _with_sparse_vectors(self, operation: str, records: Records) -> Records:
        """The records with the sparse vectors that the schema wants in their metadata."""
        if not has_sparse_index(self._model.serialized_schema):
            return records
        with validating(operation):
            metadatas = with_sparse_vectors(self.schema, records.metadatas, records.documents)
        return records._replace(metadatas=metadatas)

    def _prepare_queries(
        self, query_embeddings: Any, query_texts: Any, query_images: Any, query_uris: Any
    ) -> Matrix:
        """One vector for each query, embedded where none are given."""
        columns = {
            "documents": maybe_cast_one_to_many(query_texts),
            "images": maybe_cast_one_to_many(query_images),
            "uris": maybe_cast_one_to_many(query_uris),
        }
        with validating("query"):
            given = [name for name, column in columns.items() if column is not None]
            if query_embeddings is None and not given:
                raise ValueError(
                    "At least one of one of embeddings, documents, images, uris must be provided"
                )
            validate_lengths({name: columns[name] for name in given})
            if columns["documents"] is not None:
                validate_documents(columns["documents"])
            if columns["images"] is not None:
                validate_images(columns["images"])
            if query_embeddings is not None:
                return embedding_matrix(query_embeddings)
            if len(given) > 1:
                raise ValueError("Exactly one of documents, images, uris must be provided")
        return self._vectors("query", given[0], columns[given[0]])

    def _vectors(self, operation: str, source: str, inputs: Any) -> Matrix:
        """Embeds documents, images, or what URIs lead to."""
        with validating(operation):
            if source == "uris":
                if self._data_loader is None:
                    raise ValueError(DATA_LOADER_NEEDED)
                inputs = self._data_loader(inputs)
            return embedding_matrix(self._embed(inputs, is_query=operation == "query"))

    def _embed(self, input: Any, is_query: bool = False) -> Any:
        """What the collection's function makes of documents, images or queries."""
        function = self._function()
        # A plain callable may serve as a function, and has no `embed_query`.
        if is_query and hasattr(function, "embed_query"):
            return function.embed_query(input)
        return function(input=input)

    def _function(self) -> EmbeddingFunction[Any]:
        """The function that was passed; else the remembered one; else the default one if passed."""
        passed = self._embedding_function
        if passed is not None and not isinstance(passed, DefaultEmbeddingFunction):
            return passed
        if self._remembered_function is None:
            configured = self.configuration.get("embedding_function")
            self._remembered_function = configured or self._function_of_schema()
        function = self._remembered_function or passed
        if function is None:
            raise ValueError(
                "You must provide an embedding function to compute embeddings."
                "https://docs.trychroma.com/guides/embeddings"
            )
        return function

    def _function_of_schema(self) -> EmbeddingFunction[Any] | None:
        """The function of a schema whose configuration, of some server's, has none."""
        schema = self.schema
        if schema is None:
            return None
        for types in (schema.keys.get(EMBEDDING_KEY), schema.defaults):
            vectors = types and types.float_list and types.float_list.vector_index
            function = vectors.config.embedding_function if vectors else None
            # The default one stands there where nothing is said, too.
            if function is not None and not isinstance(function, DefaultEmbeddingFunction):
                return function
        return None

    def _embed_search_text(self, text: str) -> Vector:
        """One vector for a text that is searched for."""
        vectors: list[Vector] = list(embedding_matrix(self._embed([text], is_query=True)))
        if len(vectors) != 1:
            raise ValueError("Embedding function returned unexpected number of embeddings")
        return vectors[0]

    # ---- Around a read --------------------------------------------------------------------------

    def _requested(self, include: Include) -> Include:
        """The columns to ask the engine for: data are loaded from URIs."""
        if "data" in include and "uris" not in include:
            return [*include, "uris"]
        return list(include)

    # ---- Modify ---------------------------------------------------------------------------------

    def _validate_modify(
        self,
        metadata: CollectionMetadata | None,
        configuration: UpdateCollectionConfiguration | None,
    ) -> None:
        if metadata is not None:
            validate_metadata(metadata)
            if "hnsw:space" in metadata:
                raise ValueError(
                    "Changing the distance function of a collection once it is created is not "
                    "supported currently."
                )
        if configuration is None:
            return
        if not isinstance(configuration, dict):
            raise ValueError(f"Expected configuration to be a dict, got {configuration}")
        stored = self._model.configuration_json
        only_spann = configuration.get("spann") is not None and configuration.get("hnsw") is None
        if only_spann and stored.get("spann") is None:
            raise ValueError("Trying to update SPANN config but schema has HNSW")
        function = configuration.get("embedding_function")
        if function is not None:
            validate_embedding_function(function)
            validate_embedding_function_update(function, stored.get("embedding_function"))
