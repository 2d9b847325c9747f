"""Ranks: what the score of a record is computed from. Lower scores come first.

A rank is a constant, a nearest-neighbour search (`Knn`), or made of others by arithmetic; `Rrf`
fuses several. As `+`, `*`, `max` and `min` do not care how they are grouped, chains of them become
one expression with many parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from chromadb.api._embeddings import normalize_embeddings, validate_embeddings
from chromadb.base_types import SPARSE_VECTOR_TYPE_VALUE, TYPE_KEY, SparseVector
from chromadb.execution.expression._where import K, Key

Chain = TypeVar("Chain", bound="_Chain")


@dataclass
class Rank:
    """An expression that gives each record a number. Numbers stand for constants in arithmetic."""

    def to_dict(self) -> dict[str, Any]:
        """The expression as it is sent."""
        raise NotImplementedError("Subclasses must implement to_dict()")

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Rank:
        """Reads an expression back: an object with one operator, such as `{"$val": 1}`.

        Raises ValueError for what is missing or out of range, TypeError for wrong types.
        """
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for Rank, got {type(data).__name__}")
        if not data:
            raise ValueError("Rank dict cannot be empty")
        if len(data) != 1:
            raise ValueError(f"Rank dict must contain exactly one operator, got {len(data)}")
        ((operator, operand),) = data.items()
        if operator not in _READERS:
            raise ValueError(f"Unknown rank operator: {operator}")
        return _READERS[operator](operator, operand)

    def __add__(self, other: Rank | float) -> Sum:
        return _chained(Sum, self, other)

    def __radd__(self, other: float) -> Sum:
        return Val(other) + self

    def __sub__(self, other: Rank | float) -> Sub:
        return Sub(self, _rank(other))

    def __rsub__(self, other: float) -> Sub:
        return Sub(Val(other), self)

    def __mul__(self, other: Rank | float) -> Mul:
        return _chained(Mul, self, other)

    def __rmul__(self, other: float) -> Mul:
        return Val(other) * self

    def __truediv__(self, other: Rank | float) -> Div:
        return Div(self, _rank(other))

    def __rtruediv__(self, other: float) -> Div:
        return Div(Val(other), self)

    def __neg__(self) -> Mul:
        return Mul([Val(-1), self])

    def __abs__(self) -> Abs:
        return Abs(self)

    def abs(self) -> Abs:
        """The absolute value."""
        return Abs(self)

    def exp(self) -> Exp:
        """e to this power."""
        return Exp(self)

    def log(self) -> Log:
        """The natural logarithm."""
        return Log(self)

    def max(self, other: Rank | float) -> Max:
        """The greater of this and another."""
        return _chained(Max, self, other)

    def min(self, other: Rank | float) -> Min:
        """The lesser of this and another."""
        return _chained(Min, self, other)


def _rank(value: Rank | float) -> Rank:
    return Val(value) if isinstance(value, int | float) else value


@dataclass
class Val(Rank):
    """The same number for every record."""

    value: float

    def to_dict(self) -> dict[str, Any]:
        return {"$val": self.value}


@dataclass
class _Function(Rank):
    rank: Rank
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self._operator: self.rank.to_dict()}


class Abs(_Function):
    """The absolute value of a rank."""

    _operator = "$abs"


class Exp(_Function):
    """e to the power of a rank."""

    _operator = "$exp"


class Log(_Function):
    """The natural logarithm of a rank."""

    _operator = "$log"


@dataclass
class _Pair(Rank):
    left: Rank
    right: Rank
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self._operator: {"left": self.left.to_dict(), "right": self.right.to_dict()}}


class Sub(_Pair):
    """One rank less another."""

    _operator = "$sub"


class Div(_Pair):
    """One rank divided by another."""

    _operator = "$div"


@dataclass
class _Chain(Rank):
    ranks: list[Rank]
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self._operator: [rank.to_dict() for rank in self.ranks]}


class Sum(_Chain):
    """Several ranks added."""

    _operator = "$sum"


class Mul(_Chain):
    """Several ranks multiplied."""

    _operator = "$mul"


class Max(_Chain):
    """The greatest of several ranks."""

    _operator = "$max"


class Min(_Chain):
    """The least of several ranks."""

    _operator = "$min"


def _chained(kind: type[Chain], left: Rank | float, right: Rank | float) -> Chain:
    """Puts two ranks into one chain, and takes apart those that are such chains already."""
    parts: list[Rank] = []
    for rank in (_rank(left), _rank(right)):
        parts += rank.ranks if isinstance(rank, kind) else [rank]
    return kind(parts)


@dataclass
class Knn(Rank):
    """The distance from a query, for the `limit` records that are nearest to it.

    A text is embedded by the collection that is searched. `key` names what is searched: the
    embeddings, or a key of metadata with sparse vectors. Other records get `default`, or drop out
    without one. With `return_rank` it is the place among the nearest, from 0, not the distance.
    """

    query: (
        str
        | list[float]
        | SparseVector
        | NDArray[np.float32]
        | NDArray[np.float64]
        | NDArray[np.int32]
    )
    key: Key | str = K.EMBEDDING
    limit: int = 16
    default: float | None = None
    return_rank: bool = False

    def to_dict(self) -> dict[str, Any]:
        query: Any = self.query
        if isinstance(query, SparseVector):
            query = query.to_dict()
        elif isinstance(query, np.ndarray):
            query = query.tolist()
        key = self.key.name if isinstance(self.key, Key) else self.key
        knn: dict[str, Any] = {"query": query, "key": key, "limit": self.limit}
        if self.default is not None:
            knn["default"] = self.default
        if self.return_rank:
            knn["return_rank"] = self.return_rank
        return {"$knn": knn}


@dataclass
class Rrf(Rank):
    """Reciprocal rank fusion: minus the sum of weight / (k + place) over several rankings.

    The ranks are searches with `return_rank=True`. `normalize` divides the weights by their sum.
    A larger `k` levels the difference between the first places and those behind. See Cormack,
    Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009, where k is 60.
    """

    ranks: list[Rank]
    k: int = 60
    weights: list[float] | None = None
    normalize: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The fusion as the arithmetic that it is; ValueError where its numbers make no sense."""
        if not self.ranks:
            raise ValueError("RRF requires at least one rank")
        if self.k <= 0:
            raise ValueError(f"k must be positive, got {self.k}")
        terms = [
            weight / (self.k + rank)
            for weight, rank in zip(self._final_weights(), self.ranks, strict=True)
        ]
        fused: Rank = terms[0] if len(terms) == 1 else Sum([*terms])
        return (-fused).to_dict()

    def _final_weights(self) -> list[float]:
        weights = [1.0] * len(self.ranks) if self.weights is None else self.weights
        if len(weights) != len(self.ranks):
            raise ValueError(
                f"Number of weights ({len(weights)}) must match number of ranks ({len(self.ranks)})"
            )
        if any(weight < 0.0 for weight in weights):
            raise ValueError("All weights must be non-negative")
        if not self.normalize:
            return weights
        total = sum(weights)
        if total == 0:
            raise ValueError("Sum of weights must be positive when normalize=True")
        return [weight / total for weight in weights]


def _read_value(operator: str, operand: Any) -> Rank:
    if not isinstance(operand, int | float):
        raise TypeError(f"{operator} requires a number, got {type(operand).__name__}")
    return Val(operand)


def _read_function(operator: str, operand: Any) -> Rank:
    if not isinstance(operand, dict):
        raise TypeError(f"{operator} requires a rank dict, got {type(operand).__name__}")
    functions: dict[str, type[_Function]] = {"$abs": Abs, "$exp": Exp, "$log": Log}
    return functions[operator](Rank.from_dict(operand))


def _read_pair(operator: str, operand: Any) -> Rank:
    if not isinstance(operand, dict):
        kind = type(operand).__name__
        raise TypeError(f"{operator} requires a dict with 'left' and 'right', got {kind}")
    if "left" not in operand or "right" not in operand:
        raise ValueError(f"{operator} requires 'left' and 'right' fields")
    pairs: dict[str, type[_Pair]] = {"$sub": Sub, "$div": Div}
    return pairs[operator](Rank.from_dict(operand["left"]), Rank.from_dict(operand["right"]))


def _read_chain(operator: str, operand: Any) -> Rank:
    if not isinstance(operand, list | tuple):
        raise TypeError(f"{operator} requires a list, got {type(operand).__name__}")
    if len(operand) < 2:
        raise ValueError(f"{operator} requires at least 2 ranks, got {len(operand)}")
    chains: dict[str, type[_Chain]] = {"$sum": Sum, "$mul": Mul, "$max": Max, "$min": Min}
    kind = chains[operator]
    ranks = [Rank.from_dict(rank) for rank in operand]
    return reduce(lambda left, right: _chained(kind, left, right), ranks)


def _read_query(query: Any) -> Any:
    if isinstance(query, dict):
        if query.get(TYPE_KEY) != SPARSE_VECTOR_TYPE_VALUE:
            raise ValueError(
                f"Expected dict with {TYPE_KEY}='{SPARSE_VECTOR_TYPE_VALUE}', got {query}"
            )
        return SparseVector.from_dict(query)
    if not isinstance(query, list | tuple | np.ndarray):
        kind = type(query).__name__
        raise TypeError(f"$knn query must be a list, numpy array, or SparseVector dict, got {kind}")
    embeddings = normalize_embeddings(query)
    if not embeddings or len(embeddings) > 1:
        raise ValueError("$knn requires exactly one query embedding")
    return validate_embeddings(embeddings)[0]


def _read_knn(operator: str, operand: Any) -> Rank:
    if not isinstance(operand, dict):
        raise TypeError(f"{operator} requires a dict, got {type(operand).__name__}")
    if "query" not in operand:
        raise ValueError(f"{operator} requires 'query' field")
    query = _read_query(operand["query"])
    key = operand.get("key", "#embedding")
    if not isinstance(key, str):
        raise TypeError(f"$knn key must be a string, got {type(key).__name__}")
    limit = operand.get("limit", 16)
    if not isinstance(limit, int):
        raise TypeError(f"$knn limit must be an integer, got {type(limit).__name__}")
    if limit <= 0:
        raise ValueError(f"$knn limit must be positive, got {limit}")
    return_rank = operand.get("return_rank", False)
    if not isinstance(return_rank, bool):
        raise TypeError(f"$knn return_rank must be a boolean, got {type(return_rank).__name__}")
    return Knn(query, key, limit, operand.get("default"), return_rank)


_READERS: dict[str, Callable[[str, Any], Rank]] = {
    "$val": _read_value,
    "$knn": _read_knn,
    "$abs": _read_function,
    "$exp": _read_function,
    "$log": _read_function,
    "$sub": _read_pair,
    "$div": _read_pair,
    "$sum": _read_chain,
    "$mul": _read_chain,
    "$max": _read_chain,
    "$min": _read_chain,
}
