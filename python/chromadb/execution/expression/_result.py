"""Which of the ranked records a search returns, and what of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chromadb.execution.expression._where import Key


@dataclass
class Limit:
    """How many records come, and how many are passed over before them."""

    offset: int = 0
    limit: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The numbers as they are sent; no limit is left out."""
        numbers = {"offset": self.offset}
        if self.limit is not None:
            numbers["limit"] = self.limit
        return numbers

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Limit:
        """Reads `{"offset": 10, "limit": 20}`, of which either may be missing."""
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for Limit, got {type(data).__name__}")
        offset = data.get("offset", 0)
        if not isinstance(offset, int):
            raise TypeError(f"Limit offset must be an integer, got {type(offset).__name__}")
        if offset < 0:
            raise ValueError(f"Limit offset must be non-negative, got {offset}")
        limit = data.get("limit")
        if limit is not None:
            if not isinstance(limit, int):
                raise TypeError(f"Limit limit must be an integer, got {type(limit).__name__}")
            if limit <= 0:
                raise ValueError(f"Limit limit must be positive, got {limit}")
        if unexpected := set(data) - {"offset", "limit"}:
            raise ValueError(f"Unexpected keys in Limit dict: {unexpected}")
        return Limit(offset=offset, limit=limit)


_NAMED_KEYS = {
    key.name: key for key in (Key.ID, Key.DOCUMENT, Key.EMBEDDING, Key.METADATA, Key.SCORE)
}


@dataclass
class Select:
    """Which fields of the records come: the predefined keys, or keys of metadata."""

    keys: set[Key | str] = field(default_factory=set)

    def to_dict(self) -> dict[str, Any]:
        """The names as they are sent. Those of a set come in order, as a set has none."""
        names = _names(self.keys)
        if isinstance(self.keys, set | frozenset):
            names.sort(key=str)
        return {"keys": list(dict.fromkeys(names))}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Select:
        """Reads `{"keys": ["#document", "title"]}`."""
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for Select, got {type(data).__name__}")
        names = data.get("keys", [])
        if not isinstance(names, list | tuple | set):
            raise TypeError(f"Select keys must be a list/tuple/set, got {type(names).__name__}")
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"Select key must be a string, got {type(name).__name__}")
        if unexpected := set(data) - {"keys"}:
            raise ValueError(f"Unexpected keys in Select dict: {unexpected}")
        return Select(keys={_NAMED_KEYS.get(name) or Key(name) for name in names})


@dataclass
class Aggregate:
    """Which records of a group are kept: see `MinK` and `MaxK`."""

    def to_dict(self) -> dict[str, Any]:
        """The aggregate as it is sent."""
        raise NotImplementedError("Subclasses must implement to_dict()")

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Aggregate:
        """Reads `{"$min_k": {"keys": […], "k": 3}}`, or the same with `$max_k`."""
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for Aggregate, got {type(data).__name__}")
        if not data:
            raise ValueError("Aggregate dict cannot be empty")
        if len(data) != 1:
            raise ValueError(f"Aggregate dict must contain exactly one operator, got {len(data)}")
        ((operator, operand),) = data.items()
        kinds: dict[str, type[_FirstOfGroup]] = {"$min_k": MinK, "$max_k": MaxK}
        if operator not in kinds:
            raise ValueError(f"Unknown aggregate operator: {operator}")
        keys, k = _read_first_of_group(operator, operand)
        return kinds[operator](keys=keys, k=k)


@dataclass
class _FirstOfGroup(Aggregate):
    keys: Key | str | list[Key | str]
    k: int
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self._operator: {"keys": _names(_listed(self.keys)), "k": self.k}}


class MinK(_FirstOfGroup):
    """Keeps the k records of a group with the least values under the keys, the first key first."""

    _operator = "$min_k"


class MaxK(_FirstOfGroup):
    """Keeps the k records of a group with the greatest values under the keys."""

    _operator = "$max_k"


@dataclass
class GroupBy:
    """Groups the records by the values under the keys, and keeps some of each group.

    Without keys or without an aggregate nothing is grouped.
    """

    keys: Key | str | list[Key | str] = field(default_factory=list)
    aggregate: Aggregate | None = None

    def to_dict(self) -> dict[str, Any]:
        """The grouping as it is sent; an empty object where nothing is grouped."""
        if not self.keys or self.aggregate is None:
            return {}
        return {"keys": _names(_listed(self.keys)), "aggregate": self.aggregate.to_dict()}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> GroupBy:
        """Reads `{"keys": […], "aggregate": {…}}`, or an empty object."""
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for GroupBy, got {type(data).__name__}")
        if not data:
            return GroupBy()
        for name in ("keys", "aggregate"):
            if name not in data:
                raise ValueError(f"GroupBy requires '{name}' field")
        keys, aggregate = data["keys"], data["aggregate"]
        if not isinstance(keys, list | tuple):
            raise TypeError(f"GroupBy keys must be a list, got {type(keys).__name__}")
        if not keys:
            raise ValueError("GroupBy keys cannot be empty")
        if not isinstance(aggregate, dict):
            raise TypeError(f"GroupBy aggregate must be a dict, got {type(aggregate).__name__}")
        return GroupBy(keys=_keys(keys), aggregate=Aggregate.from_dict(aggregate))


def _listed(keys: Key | str | list[Key | str]) -> list[Key | str]:
    return keys if isinstance(keys, list) else [keys]


def _names(keys: Iterable[Key | str]) -> list[str]:
    return [key.name if isinstance(key, Key) else key for key in keys]


def _keys(names: Iterable[Any]) -> list[Key | str]:
    return [Key(name) if isinstance(name, str) else name for name in names]


def _read_first_of_group(operator: str, operand: Any) -> tuple[list[Key | str], int]:
    if not isinstance(operand, dict):
        raise TypeError(f"{operator} requires a dict, got {type(operand).__name__}")
    for name in ("keys", "k"):
        if name not in operand:
            raise ValueError(f"{operator} requires '{name}' field")
    keys, k = operand["keys"], operand["k"]
    if not isinstance(keys, list | tuple):
        raise TypeError(f"{operator} keys must be a list, got {type(keys).__name__}")
    if not keys:
        raise ValueError(f"{operator} keys cannot be empty")
    if not isinstance(k, int):
        raise TypeError(f"{operator} k must be an integer, got {type(k).__name__}")
    if k <= 0:
        raise ValueError(f"{operator} k must be positive, got {k}")
    return _keys(keys), k
