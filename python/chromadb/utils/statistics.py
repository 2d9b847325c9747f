"""How often each value of metadata occurs in a collection, as a function on the server counts it.

The function writes what it counts into another collection, as records with the metadata `key`,
`value`, `type`, `count` and sometimes `value_label`. A local database has no such functions;
`Collection.distinct` counts there.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from chromadb.api.functions import STATISTICS_FUNCTION
from chromadb.api.types import OneOrMany, maybe_cast_one_to_many

if TYPE_CHECKING:
    from chromadb.api.models.AttachedFunction import AttachedFunction
    from chromadb.api.models.Collection import Collection

# A filter by more keys is more than servers take.
_KEY_COUNT_MAX = 30


def get_statistics_fn_name(collection: Collection) -> str:
    """The name that the function has on a collection."""
    return f"{collection.name}_stats"


def attach_statistics_function(
    collection: Collection, stats_collection_name: str
) -> tuple[AttachedFunction, bool]:
    """Has the server count into the other collection; returns what `attach_function` does."""
    return collection.attach_function(
        function=STATISTICS_FUNCTION,
        name=get_statistics_fn_name(collection),
        output_collection=stats_collection_name,
    )


def get_statistics_fn(collection: Collection) -> AttachedFunction:
    """The function that counts. NotFoundError if there is none."""
    attached = collection.get_attached_function(get_statistics_fn_name(collection))
    if attached.function_name != STATISTICS_FUNCTION.value:
        raise AssertionError("Attached function is not a statistics function")
    return attached


def detach_statistics_function(
    collection: Collection, delete_stats_collection: bool = False
) -> bool:
    """Ends the counting, and deletes what was counted if that is asked for."""
    attached = get_statistics_fn(collection)
    return collection.detach_function(
        attached.name, delete_output_collection=delete_stats_collection
    )


def get_statistics(
    collection: Collection, stats_collection_name: str, keys: OneOrMany[str] | None = None
) -> dict[str, Any]:
    """What was counted: `{"statistics": {key: {value: {"count": n}}}, "summary": {…}}`.

    `keys` are the keys to tell of, at most 30. The summary has the `total_count` of records.
    """
    wanted = maybe_cast_one_to_many(keys)
    if wanted is not None and len(wanted) > _KEY_COUNT_MAX:
        raise ValueError(
            f"Too many keys provided: {len(wanted)}. Maximum allowed is {_KEY_COUNT_MAX} keys per "
            "request. Consider calling get_statistics multiple times with smaller key batches."
        )
    where = None if wanted is None else {"key": {"$in": [*wanted, "summary"]}}
    statistics: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    summary: dict[str, Any] = {}
    for metadata in _counted(collection, stats_collection_name, where):
        if any(metadata.get(name) is None for name in ("key", "value", "type", "count")):
            continue
        key, value, count = metadata["key"], metadata["value"], metadata["count"]
        if key != "summary":
            label = metadata.get("value_label")
            statistics[key][value if label is None else label]["count"] = count
        elif value == "total_count":
            summary["total_count"] = count
    result: dict[str, Any] = {"statistics": dict(statistics)}
    return result | {"summary": summary} if summary else result


def _counted(collection: Collection, name: str, where: Any) -> list[dict[str, Any]]:
    """The metadata of all records of the other collection, page by page."""
    counted = type(collection)(
        client=collection._client,
        model=collection._client.get_collection(
            name=name, tenant=collection.tenant, database=collection.database
        ),
        embedding_function=None,
    )
    rows: list[Any] = []
    while page := counted.get(include=["metadatas"], offset=len(rows), where=where)["metadatas"]:
        rows += page
    return [row for row in rows if row is not None]
