"""Every call of the HTTP API that clients make, described once: what to send, and how to read the
answer.

Nothing here does any I/O: `FastAPI` and `AsyncFastAPI` send what these functions describe. A path
is the segments below the API's own path, which are escaped when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import numpy as np

from chromadb.api._max_distance import distances_included, within
from chromadb.api._packing import optional_embeddings_to_base64_strings
from chromadb.api._server_api import not_offered
from chromadb.api._sparse_metadata import deserialize_metadata, serialize_metadata
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    UpdateCollectionConfiguration,
    create_collection_configuration_to_json,
    update_collection_configuration_to_json,
)
from chromadb.api.types import (
    CollectionMetadata,
    DeleteResult,
    GetResult,
    IDs,
    Include,
    IndexingStatus,
    Metadata,
    QueryResult,
    ReadLevel,
    Schema,
    SearchResult,
    Where,
    WhereDocument,
)
from chromadb.auth import UserIdentity
from chromadb.types import Collection as CollectionModel
from chromadb.types import Database, Tenant

if TYPE_CHECKING:
    from chromadb.api._embeddings import Matrix
    from chromadb.execution.expression.plan import Search

Result = TypeVar("Result")

# The ids, embeddings, metadata, documents and URIs of a write.
Columns: TypeAlias = tuple[
    IDs,
    "Matrix | None",
    list[Metadata | None] | None,
    list[str | None] | None,
    list[str | None] | None,
]


@dataclass(frozen=True)
class Call(Generic[Result]):
    """A request, and what makes the result of the JSON that answers it."""

    method: str
    path: tuple[str, ...]
    decode: Callable[[Any], Result]
    params: dict[str, Any] | None = None
    body: Any = None


@dataclass(frozen=True)
class PreFlightChecks:
    """What a server says of itself before it is sent records."""

    # Negative where it does not say.
    max_batch_size: int
    supports_base64_encoding: bool


def _nothing(_: Any) -> None:
    return None


def _page(limit: int | None, offset: int | None) -> dict[str, Any]:
    given = {"limit": limit, "offset": offset}
    return {name: value for name, value in given.items() if value is not None}


def _collections(tenant: str, database: str) -> tuple[str, ...]:
    return ("tenants", tenant, "databases", database, "collections")


def _collection(id: UUID, tenant: str, database: str) -> tuple[str, ...]:
    return (*_collections(tenant, database), str(id))


# ---- The server ---------------------------------------------------------------------------------


def heartbeat() -> Call[int]:
    return Call("GET", ("heartbeat",), lambda answer: int(answer["nanosecond heartbeat"]))


def get_version() -> Call[str]:
    return Call("GET", ("version",), str)


def get_user_identity() -> Call[UserIdentity]:
    def decode(answer: dict[str, Any]) -> UserIdentity:
        return UserIdentity(
            user_id=answer["user_id"],
            tenant=answer.get("tenant"),
            databases=answer.get("databases"),
            attributes=answer.get("attributes"),
        )

    return Call("GET", ("auth", "identity"), decode)


def pre_flight_checks() -> Call[dict[str, Any]]:
    return Call("GET", ("pre-flight-checks",), dict)


def reset() -> Call[bool]:
    return Call("POST", ("reset",), bool)


# ---- Tenants and databases ----------------------------------------------------------------------


def create_tenant(name: str) -> Call[None]:
    return Call("POST", ("tenants",), _nothing, body={"name": name})


def get_tenant(name: str) -> Call[Tenant]:
    return Call("GET", ("tenants", name), lambda answer: Tenant(name=answer["name"]))


def _database(answer: Any) -> Database:
    # The id is a string here, as upstream's clients of servers have it.
    return Database(id=answer["id"], name=answer["name"], tenant=answer["tenant"])


def create_database(name: str, tenant: str) -> Call[None]:
    return Call("POST", ("tenants", tenant, "databases"), _nothing, body={"name": name})


def get_database(name: str, tenant: str) -> Call[Database]:
    return Call("GET", ("tenants", tenant, "databases", name), _database)


def delete_database(name: str, tenant: str) -> Call[None]:
    return Call("DELETE", ("tenants", tenant, "databases", name), _nothing)


def list_databases(limit: int | None, offset: int | None, tenant: str) -> Call[list[Database]]:
    return Call(
        "GET",
        ("tenants", tenant, "databases"),
        lambda answer: [_database(found) for found in answer],
        params=_page(limit, offset),
    )


# ---- Collections --------------------------------------------------------------------------------


def list_collections(
    limit: int | None, offset: int | None, tenant: str, database: str
) -> Call[list[CollectionModel]]:
    return Call(
        "GET",
        _collections(tenant, database),
        lambda answer: [CollectionModel.from_json(found) for found in answer],
        params=_page(limit, offset),
    )


def count_collections(tenant: str, database: str) -> Call[int]:
    return Call("GET", ("tenants", tenant, "databases", database, "collections_count"), int)


def create_collection(
    name: str,
    schema: Schema | None,
    configuration: CreateCollectionConfiguration | None,
    metadata: CollectionMetadata | None,
    get_or_create: bool,
    tenant: str,
    database: str,
) -> Call[CollectionModel]:
    if configuration and configuration.get("vector_dtype", "f32") != "f32":
        raise not_offered("`create_collection` with `vector_dtype`")
    body = {
        "name": name,
        "metadata": metadata,
        "configuration": (
            create_collection_configuration_to_json(configuration, metadata)
            if configuration
            else None
        ),
        "schema": None if schema is None else schema.serialize_to_json(),
        "get_or_create": get_or_create,
    }
    return Call("POST", _collections(tenant, database), CollectionModel.from_json, body=body)


def get_collection(name: str, tenant: str, database: str) -> Call[CollectionModel]:
    return Call("GET", (*_collections(tenant, database), name), CollectionModel.from_json)


def get_collection_by_id(collection_id: UUID, tenant: str, database: str) -> Call[CollectionModel]:
    path = (*_collections(tenant, database), "by-id", str(collection_id))
    return Call("GET", path, CollectionModel.from_json)


def delete_collection(name: str, tenant: str, database: str) -> Call[None]:
    return Call("DELETE", (*_collections(tenant, database), name), _nothing)


def modify(
    id: UUID,
    new_name: str | None,
    new_metadata: CollectionMetadata | None,
    new_configuration: UpdateCollectionConfiguration | None,
    tenant: str,
    database: str,
) -> Call[None]:
    body = {
        "new_name": new_name,
        "new_metadata": new_metadata,
        "new_configuration": (
            update_collection_configuration_to_json(new_configuration)
            if new_configuration
            else None
        ),
    }
    return Call("PUT", _collection(id, tenant, database), _nothing, body=body)


def fork(collection_id: UUID, new_name: str, tenant: str, database: str) -> Call[CollectionModel]:
    path = (*_collection(collection_id, tenant, database), "fork")
    return Call("POST", path, CollectionModel.from_json, body={"new_name": new_name})


def fork_count(collection_id: UUID, tenant: str, database: str) -> Call[int]:
    path = (*_collection(collection_id, tenant, database), "fork_count")
    return Call("GET", path, lambda answer: int(answer["count"]))


def get_indexing_status(collection_id: UUID, tenant: str, database: str) -> Call[IndexingStatus]:
    path = (*_collection(collection_id, tenant, database), "indexing_status")
    return Call(
        "GET",
        path,
        lambda answer: IndexingStatus(
            num_indexed_ops=answer["num_indexed_ops"],
            num_unindexed_ops=answer["num_unindexed_ops"],
            total_ops=answer["total_ops"],
            op_indexing_progress=answer["op_indexing_progress"],
        ),
    )


# ---- Writes of records --------------------------------------------------------------------------


def write(
    operation: str,
    collection_id: UUID,
    columns: Columns,
    tenant: str,
    database: str,
    checks: PreFlightChecks,
) -> Call[bool]:
    """`add`, `update` or `upsert`. ValueError where the server takes no such number of records."""
    ids, embeddings, metadatas, documents, uris = columns
    if 0 <= checks.max_batch_size < len(ids):
        raise ValueError(
            f"Batch size {len(ids)} exceeds maximum batch size {checks.max_batch_size}"
        )
    vectors: Any = None
    if checks.supports_base64_encoding:
        vectors = optional_embeddings_to_base64_strings(embeddings)
    elif embeddings is not None:
        vectors = embeddings.tolist()
    body = {
        "ids": ids,
        "embeddings": vectors,
        "metadatas": (
            None if metadatas is None else [serialize_metadata(metadata) for metadata in metadatas]
        ),
        "documents": documents,
        "uris": uris,
    }
    path = (*_collection(collection_id, tenant, database), operation)
    return Call("POST", path, lambda _: True, body=body)


def delete(
    collection_id: UUID,
    ids: IDs | None,
    where: Where | None,
    where_document: WhereDocument | None,
    limit: int | None,
    tenant: str,
    database: str,
) -> Call[DeleteResult]:
    body: dict[str, Any] = {"ids": ids, "where": where, "where_document": where_document}
    if limit is not None:
        body["limit"] = limit
    path = (*_collection(collection_id, tenant, database), "delete")
    # Servers before 1.4 did not count.
    return Call(
        "POST",
        path,
        lambda answer: DeleteResult(deleted=(answer or {}).get("deleted", 0)),
        body=body,
    )


# ---- Reads of records ---------------------------------------------------------------------------


def count(
    collection_id: UUID,
    tenant: str,
    database: str,
    read_level: ReadLevel,
    where: Where | None,
    where_document: WhereDocument | None,
) -> Call[int]:
    if where is not None or where_document is not None:
        raise not_offered("`count` with a filter")
    path = (*_collection(collection_id, tenant, database), "count")
    return Call("GET", path, int, params={"read_level": ReadLevel(read_level).value})


def _sent(include: Include) -> list[str]:
    # Clients load data themselves, from URIs.
    return [column for column in include if column != "data"]


def _doubles(rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(rows, dtype=np.float64)


def get(
    collection_id: UUID,
    ids: IDs | None,
    where: Where | None,
    limit: int | None,
    offset: int | None,
    where_document: WhereDocument | None,
    include: Include,
    tenant: str,
    database: str,
    after: str | None,
    order_by: str | None,
    descending: bool,
) -> Call[GetResult]:
    if after is not None:
        raise not_offered("`get` with `after`")
    if order_by is not None or descending:
        raise not_offered("`get` with `order_by`")
    body = {
        "ids": ids,
        "where": where,
        "limit": limit,
        "offset": offset,
        "where_document": where_document,
        "include": _sent(include),
    }

    def decode(answer: dict[str, Any]) -> GetResult:
        embeddings = answer.get("embeddings")
        metadatas = answer.get("metadatas")
        return GetResult(
            ids=answer["ids"],
            embeddings=None if embeddings is None else _doubles(embeddings),
            documents=answer.get("documents"),
            uris=answer.get("uris"),
            included=include,
            data=None,
            metadatas=None if metadatas is None else _metadatas(metadatas),
        )

    path = (*_collection(collection_id, tenant, database), "get")
    return Call("POST", path, decode, body=body)


def query(
    collection_id: UUID,
    query_embeddings: Matrix,
    ids: IDs | None,
    n_results: int,
    where: Where | None,
    where_document: WhereDocument | None,
    include: Include,
    tenant: str,
    database: str,
    exact: bool,
    max_distance: float | None,
) -> Call[QueryResult]:
    if exact:
        raise not_offered("`query` with `exact=True`")
    asked = distances_included(include, max_distance)
    body = {
        "ids": ids,
        "query_embeddings": query_embeddings.tolist(),
        "n_results": n_results,
        "where": where,
        "where_document": where_document,
        "include": _sent(asked),
    }

    def decode(answer: dict[str, Any]) -> QueryResult:
        embeddings = answer.get("embeddings")
        metadatas = answer.get("metadatas")
        result = QueryResult(
            ids=answer["ids"],
            embeddings=None if embeddings is None else [_doubles(rows) for rows in embeddings],
            documents=answer.get("documents"),
            uris=answer.get("uris"),
            included=include,
            data=None,
            metadatas=None if metadatas is None else [_metadatas(column) for column in metadatas],
            distances=answer.get("distances"),
        )
        return within(result, max_distance, include)

    path = (*_collection(collection_id, tenant, database), "query")
    return Call("POST", path, decode, body=body)


def search(
    collection_id: UUID,
    searches: Sequence[Search],
    tenant: str,
    database: str,
    read_level: ReadLevel,
) -> Call[SearchResult]:
    body = {
        "searches": [search.to_dict() for search in searches],
        "read_level": ReadLevel(read_level).value,
    }

    def decode(answer: dict[str, Any]) -> SearchResult:
        metadatas = answer.get("metadatas")
        if metadatas is not None:
            answer["metadatas"] = [
                None if column is None else _metadatas(column) for column in metadatas
            ]
        return SearchResult(answer)

    path = (*_collection(collection_id, tenant, database), "search")
    return Call("POST", path, decode, body=body)


def _metadatas(column: list[Any]) -> Any:
    return [deserialize_metadata(metadata) for metadata in column]


# ---- Attached functions -------------------------------------------------------------------------


def attach_function(
    function_id: str,
    name: str,
    input_collection_id: UUID,
    output_collection: str,
    params: dict[str, Any] | None,
    tenant: str,
    database: str,
) -> Call[tuple[dict[str, Any], bool]]:
    """The function as `AttachedFunction` is made of it, and whether it was not there before."""
    body = {
        "name": name,
        "function_id": function_id,
        "output_collection": output_collection,
        "params": params,
    }

    def decode(answer: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        # The answer repeats neither the output nor the parameters.
        found = {"output_collection": output_collection, "params": params}
        found |= answer["attached_function"]
        return (
            _attached_function(found, input_collection_id, tenant, database),
            bool(answer.get("created", True)),
        )

    path = (*_collection(input_collection_id, tenant, database), "functions", "attach")
    return Call("POST", path, decode, body=body)


def get_attached_function(
    name: str, input_collection_id: UUID, tenant: str, database: str
) -> Call[dict[str, Any]]:
    """The function as `AttachedFunction` is made of it."""
    path = (*_collection(input_collection_id, tenant, database), "functions", name)
    return Call(
        "GET",
        path,
        lambda answer: _attached_function(
            answer["attached_function"], input_collection_id, tenant, database
        ),
    )


def detach_function(
    name: str, input_collection_id: UUID, delete_output: bool, tenant: str, database: str
) -> Call[bool]:
    path = (
        *_collection(input_collection_id, tenant, database),
        "attached_functions",
        name,
        "detach",
    )
    body = {"delete_output": delete_output}
    return Call("POST", path, lambda answer: bool(answer["success"]), body=body)


def _attached_function(
    found: dict[str, Any], input_collection_id: UUID, tenant: str, database: str
) -> dict[str, Any]:
    return {
        "id": UUID(found["id"]),
        "name": found["name"],
        "function_name": found["function_name"],
        "input_collection_id": input_collection_id,
        "output_collection": found["output_collection"],
        "params": found.get("params"),
        "tenant": tenant,
        "database": database,
    }
