"""A bound on the distance of what a query returns, for servers that know of none.

Answers stand nearest first and their distances are exact, so that what a bound lets through is the
beginning of the answer without one.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, cast

from chromadb.api.types import Include, QueryResult

_COLUMNS = ("ids", "embeddings", "documents", "uris", "metadatas", "data", "distances")


def distances_included(include: Include, max_distance: float | None) -> Include:
    """What to ask a server for, so that `within` can do its work."""
    if max_distance is None or "distances" in include:
        return include
    return [*include, "distances"]


def within(result: QueryResult, max_distance: float | None, include: Include) -> QueryResult:
    """The answer without the records farther than the bound, in the columns that were asked for."""
    if max_distance is None:
        return result
    distances = result["distances"] or []
    counts = [bisect_right(row, max_distance) for row in distances]
    bounded = dict(cast("dict[str, Any]", result))
    for name in _COLUMNS:
        if (column := bounded.get(name)) is not None:
            bounded[name] = [row[:count] for row, count in zip(column, counts, strict=True)]
    if "distances" not in include:
        bounded["distances"] = None
    bounded["included"] = include
    return cast(QueryResult, bounded)
