"""The parts of searches, by the path that programs import them from.

The plans of reads in `chromadb.execution.expression.plan` are made of some more: `Scan`, `Filter`,
`KNN` and `Projection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chromadb.api.types import Embeddings, IDs, Include
from chromadb.execution.expression._rank import (
    Abs,
    Div,
    Exp,
    Knn,
    Log,
    Max,
    Min,
    Mul,
    Rank,
    Rrf,
    Sub,
    Sum,
    Val,
)
from chromadb.execution.expression._result import (
    Aggregate,
    GroupBy,
    Limit,
    MaxK,
    MinK,
    Select,
)
from chromadb.execution.expression._where import (
    And,
    Contains,
    Eq,
    Gt,
    Gte,
    In,
    K,
    Key,
    Lt,
    Lte,
    Ne,
    Nin,
    NotContains,
    NotRegex,
    Or,
    Regex,
    Where,
)
from chromadb.types import Collection, RequestVersionContext, Segment

__all__ = [
    "KNN",
    "Abs",
    "Aggregate",
    "And",
    "Contains",
    "Div",
    "Eq",
    "Exp",
    "Filter",
    "GroupBy",
    "Gt",
    "Gte",
    "In",
    "K",
    "Key",
    "Knn",
    "Limit",
    "Log",
    "Lt",
    "Lte",
    "Max",
    "MaxK",
    "Min",
    "MinK",
    "Mul",
    "Ne",
    "Nin",
    "NotContains",
    "NotRegex",
    "Or",
    "Projection",
    "Rank",
    "Regex",
    "Rrf",
    "Scan",
    "Select",
    "Sub",
    "Sum",
    "Val",
    "Where",
]


@dataclass
class Scan:
    """A collection, and the segments that a read of it goes through."""

    collection: Collection
    knn: Segment
    metadata: Segment
    record: Segment

    @property
    def version(self) -> RequestVersionContext:
        """The state of the collection that is read."""
        return {
            "collection_version": self.collection.version,
            "log_position": self.collection.log_position,
        }


@dataclass
class Filter:
    """Which records: by their ids, and by the two kinds of filters of `get` and `query`."""

    user_ids: IDs | None = None
    where: Any | None = None
    where_document: Any | None = None


@dataclass
class KNN:
    """What to find neighbours of, and how many of each."""

    embeddings: Embeddings
    fetch: int


@dataclass
class Projection:
    """Which columns of the records."""

    document: bool = False
    embedding: bool = False
    metadata: bool = False
    rank: bool = False
    uri: bool = False

    @property
    def included(self) -> Include:
        """The columns by the names that `include` has for them."""
        columns: Include = []
        if self.document:
            columns.append("documents")
        if self.embedding:
            columns.append("embeddings")
        if self.metadata:
            columns.append("metadatas")
        if self.rank:
            columns.append("distances")
        if self.uri:
            columns.append("uris")
        return columns
