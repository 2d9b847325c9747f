"""A search, and the plans of the other reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chromadb.execution.expression._rank import Rank
from chromadb.execution.expression._result import GroupBy, Limit, Select
from chromadb.execution.expression._where import Key, Where
from chromadb.execution.expression.operator import KNN, Filter, Projection, Scan

__all__ = ["CountPlan", "GetPlan", "KNNPlan", "Search"]


@dataclass
class CountPlan:
    """How many records."""

    scan: Scan


@dataclass
class GetPlan:
    """The records that a filter matches, in the order of their ids in the segment."""

    scan: Scan
    filter: Filter = field(default_factory=Filter)
    limit: Limit = field(default_factory=Limit)
    projection: Projection = field(default_factory=Projection)


@dataclass
class KNNPlan:
    """The neighbours of vectors, among the records that a filter matches."""

    scan: Scan
    knn: KNN
    filter: Filter = field(default_factory=Filter)
    projection: Projection = field(default_factory=Projection)


class Search:
    """What `Collection.search` is asked: a filter, a rank, a grouping, a limit, and what to return.

    Each part is given as its object or as the dictionary that stands for it; the limit as a number
    too, what to return as a list or set of names too. A search never changes: each method returns
    another one.

        Search().where(Key("year") > 1990).rank(Knn(query="bees")).limit(10).select_all()
    """

    def __init__(
        self,
        where: Where | dict[str, Any] | None = None,
        rank: Rank | dict[str, Any] | None = None,
        group_by: GroupBy | dict[str, Any] | None = None,
        limit: Limit | dict[str, Any] | int | None = None,
        select: Select | dict[str, Any] | list[str] | set[str] | None = None,
    ) -> None:
        self._where = _part("where", Where, where)
        self._rank = _part("rank", Rank, rank)
        self._group_by = _part("group_by", GroupBy, group_by) or GroupBy()
        if isinstance(limit, int):
            limit = {"limit": limit, "offset": 0}
        self._limit = _part("limit", Limit, limit, "dict, int") or Limit()
        if isinstance(select, list | set):
            select = {"keys": list(select)}
        self._select = _part("select", Select, select, "dict, list, set") or Select()

    def to_dict(self) -> dict[str, Any]:
        """The search as it is sent."""
        return {
            "filter": None if self._where is None else self._where.to_dict(),
            "rank": None if self._rank is None else self._rank.to_dict(),
            "group_by": self._group_by.to_dict(),
            "limit": self._limit.to_dict(),
            "select": self._select.to_dict(),
        }

    def where(self, where: Where | dict[str, Any] | None) -> Search:
        """The search with this filter instead, or without one."""
        return self._with(where=where)

    def rank(self, rank_expr: Rank | dict[str, Any] | None) -> Search:
        """The search with this rank instead, or without one."""
        return self._with(rank=rank_expr)

    def group_by(self, group_by: GroupBy | dict[str, Any] | None) -> Search:
        """The search with this grouping instead, or without one."""
        return self._with(group_by=group_by)

    def limit(self, limit: int, offset: int = 0) -> Search:
        """The search for so many records instead, behind the first `offset`."""
        return self._with(limit=Limit(offset=offset, limit=limit))

    def select(self, *keys: Key | str) -> Search:
        """The search that returns these fields instead."""
        return self._with(select=Select(keys=set(keys)))

    def select_all(self) -> Search:
        """The search that returns document, embedding, metadata and score."""
        return self.select(Key.DOCUMENT, Key.EMBEDDING, Key.METADATA, Key.SCORE)

    def _with(self, **changes: Any) -> Search:
        parts = {
            "where": self._where,
            "rank": self._rank,
            "group_by": self._group_by,
            "limit": self._limit,
            "select": self._select,
        }
        return Search(**(parts | changes))


def _part(name: str, kind: Any, value: Any, others: str = "dict") -> Any:
    """A part of a search: itself, or read from its dictionary; None for None."""
    if value is None or isinstance(value, kind):
        return value
    if isinstance(value, dict):
        return kind.from_dict(value)
    raise TypeError(
        f"{name} must be a {kind.__name__} object, {others}, or None, got {type(value).__name__}"
    )
