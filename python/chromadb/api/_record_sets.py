"""Sets of records in columns, as writes take them and requests carry them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict, cast

from chromadb.api._embeddings import normalize_embeddings, validate_embeddings
from chromadb.api._sparse_metadata import normalize_metadatas
from chromadb.api._validation import (
    maybe_cast_one_to_many,
    validate_documents,
    validate_ids,
    validate_images,
    validate_lengths,
    validate_metadatas,
    validate_where,
    validate_where_document,
)
from chromadb.base_types import (
    Documents,
    Images,
    Metadata,
    URIs,
    Vector,
    Where,
    WhereDocument,
)


class BaseRecordSet(TypedDict):
    """What records are found by: embeddings, and what embeddings are made of."""

    embeddings: list[Vector] | None
    documents: Documents | None
    images: Images | None
    uris: URIs | None


class InsertRecordSet(BaseRecordSet):
    """Records to be written."""

    ids: list[str]
    metadatas: list[Metadata] | None


class FilterSet(TypedDict):
    """Which records."""

    where: Where | None
    where_document: WhereDocument | None


class AddRequest(TypedDict):
    """What an addition carries."""

    ids: list[str]
    embeddings: list[Vector]
    metadatas: list[Metadata] | None
    documents: Documents | None
    uris: URIs | None


class UpsertRequest(AddRequest):
    """What an upsert carries."""


class UpdateRequest(TypedDict):
    """What an update carries."""

    ids: list[str]
    embeddings: list[Vector] | None
    metadatas: list[Metadata] | None
    documents: Documents | None
    uris: URIs | None


class GetRequest(TypedDict):
    """What a read by ids and filters carries."""

    ids: list[str] | None
    where: Where | None
    where_document: WhereDocument | None
    include: list[str]


class QueryRequest(TypedDict):
    """What a query carries."""

    embeddings: list[Vector]
    ids: list[str] | None
    where: Where | None
    where_document: WhereDocument | None
    include: list[str]
    n_results: int


class DeleteRequest(TypedDict):
    """What a deletion carries."""

    ids: list[str] | None
    where: Where | None
    where_document: WhereDocument | None
    limit: int | None


class IndexMetadata(TypedDict):
    """What the former Python index knew of itself."""

    dimensionality: int
    curr_elements: int
    total_elements_added: int
    time_created: float


def get_default_embeddable_record_set_fields() -> set[str]:
    """The columns that embeddings can be made of."""
    return {"documents", "images", "uris"}


def normalize_base_record_set(
    embeddings: Any = None, documents: Any = None, images: Any = None, uris: Any = None
) -> BaseRecordSet:
    """The columns as lists, embeddings as arrays. A value by itself is a column of one."""
    return {
        "embeddings": normalize_embeddings(embeddings),
        "documents": maybe_cast_one_to_many(documents),
        "images": maybe_cast_one_to_many(images),
        "uris": maybe_cast_one_to_many(uris),
    }


def normalize_insert_record_set(
    ids: Any,
    embeddings: Any,
    metadatas: Any = None,
    documents: Any = None,
    images: Any = None,
    uris: Any = None,
) -> InsertRecordSet:
    """The same with ids and metadata, whose sparse vectors become objects."""
    columns = normalize_base_record_set(embeddings, documents, images, uris)
    return {
        "ids": maybe_cast_one_to_many(ids),
        "metadatas": cast("list[Metadata] | None", normalize_metadatas(metadatas)),
        **columns,
    }


def validate_base_record_set(record_set: BaseRecordSet) -> None:
    """Refuses columns that are missing, empty, of different lengths or of the wrong types."""
    _validate_lengths(record_set)
    embeddings = record_set["embeddings"]
    if embeddings is not None:
        validate_embeddings(embeddings)
    if record_set["documents"] is not None:
        validate_documents(record_set["documents"], nullable=embeddings is not None)
    if record_set["images"] is not None:
        validate_images(record_set["images"])


def validate_insert_record_set(record_set: InsertRecordSet) -> None:
    """The same with ids and metadata."""
    validate_base_record_set(record_set)
    validate_ids(record_set["ids"])
    if record_set["metadatas"] is not None:
        validate_metadatas(record_set["metadatas"])


def _validate_lengths(record_set: BaseRecordSet) -> None:
    columns = cast("dict[str, Any]", record_set)
    if all(column is None for column in columns.values()):
        raise ValueError(f"At least one of one of {', '.join(columns)} must be provided")
    validate_lengths(columns)


def validate_record_set_for_embedding(
    record_set: BaseRecordSet, embeddable_fields: set[str] | None = None
) -> None:
    """Refuses records that have embeddings, or not exactly one column to make them of."""
    if record_set["embeddings"] is not None:
        raise ValueError("Attempting to embed a record that already has embeddings.")
    validate_record_set_contains_one(
        record_set,
        get_default_embeddable_record_set_fields()
        if embeddable_fields is None
        else embeddable_fields,
    )


def validate_record_set_contains_any(record_set: BaseRecordSet, contains_any: set[str]) -> None:
    """Refuses records that have none of the columns."""
    names, given = _columns_among(record_set, contains_any)
    if given == 0:
        raise ValueError(f"At least one of {names} must be provided")


def validate_record_set_contains_one(record_set: BaseRecordSet, contains_one: set[str]) -> None:
    """Refuses records that do not have exactly one of the columns."""
    names, given = _columns_among(record_set, contains_one)
    if given != 1:
        raise ValueError(f"Exactly one of {names} must be provided")


def _columns_among(record_set: BaseRecordSet, wanted: Iterable[str]) -> tuple[str, int]:
    """The names of the columns, and how many of them are given."""
    columns = cast("dict[str, Any]", record_set)
    names = ", ".join(sorted(wanted))
    if any(name not in columns for name in wanted):
        raise ValueError(
            f"Invalid field in contains: {names}, available fields: {', '.join(columns)}"
        )
    return names, sum(columns[name] is not None for name in wanted)


def validate_filter_set(filter_set: FilterSet) -> None:
    """Refuses filters that are none."""
    if filter_set["where"] is not None:
        validate_where(filter_set["where"])
    if filter_set["where_document"] is not None:
        validate_where_document(filter_set["where_document"])


def validate_batch(batch: tuple[Any, ...], limits: dict[str, Any]) -> None:
    """Refuses more records than a server takes at once; the batch's ids come first."""
    if len(batch[0]) > limits["max_batch_size"]:
        raise ValueError(
            f"Batch size {len(batch[0])} exceeds maximum batch size {limits['max_batch_size']}"
        )
