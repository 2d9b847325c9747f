"""Filters as expressions: `Key("status") == "new"`, joined by `&` and `|`.

An expression knows the dictionary that it is on the wire, and is read back from one. What is
written is always explicit: a comparison names its operator, a value alone is no equality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from chromadb.base_types import LiteralValue

Joined = TypeVar("Joined", "And", "Or")


@dataclass
class Where:
    """A condition on records. `a & b` holds where both do, `a | b` where one does."""

    def to_dict(self) -> dict[str, Any]:
        """The condition as it is sent."""
        raise NotImplementedError("Subclasses must implement to_dict()")

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Where:
        """Reads a filter: `{"a": 1}`, `{"a": {"$gt": 1}}`, `{"$and": […]}` or `{"$or": […]}`.

        Raises ValueError for one that says nothing or too much, TypeError for one of wrong types.
        """
        if not isinstance(data, dict):
            raise TypeError(f"Expected dict for Where, got {type(data).__name__}")
        if not data:
            raise ValueError("Where dict cannot be empty")
        for operator, join in _JOINS.items():
            if operator in data:
                return join(_read_conditions(operator, data))
        if len(data) != 1:
            raise ValueError(f"Where dict must contain exactly one field, got {len(data)}")
        ((name, condition),) = data.items()
        if not isinstance(name, str):
            raise TypeError(f"Field name must be a string, got {type(name).__name__}")
        if not isinstance(condition, dict):
            return Eq(name, condition)
        return _read_comparison(name, condition)

    def __and__(self, other: Where) -> And:
        return _join(And, [self, other])

    def __or__(self, other: Where) -> Or:
        return _join(Or, [self, other])


@dataclass
class And(Where):
    """All of several conditions."""

    conditions: list[Where]

    def to_dict(self) -> dict[str, Any]:
        return {"$and": [condition.to_dict() for condition in self.conditions]}


@dataclass
class Or(Where):
    """At least one of several conditions."""

    conditions: list[Where]

    def to_dict(self) -> dict[str, Any]:
        return {"$or": [condition.to_dict() for condition in self.conditions]}


def _join(kind: type[Joined], conditions: list[Where]) -> Joined:
    """Joins conditions; those that are of the kind themselves are taken apart first."""
    flat: list[Where] = []
    for condition in conditions:
        flat += condition.conditions if isinstance(condition, kind) else [condition]
    return kind(flat)


@dataclass
class _ValueComparison(Where):
    key: str
    value: Any
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self.key: {self._operator: self.value}}


class Eq(_ValueComparison):
    """The value under a key is this one."""

    _operator = "$eq"


class Ne(_ValueComparison):
    """The value under a key is not this one."""

    _operator = "$ne"


class Gt(_ValueComparison):
    """The number under a key is greater."""

    _operator = "$gt"


class Gte(_ValueComparison):
    """The number under a key is greater or equal."""

    _operator = "$gte"


class Lt(_ValueComparison):
    """The number under a key is less."""

    _operator = "$lt"


class Lte(_ValueComparison):
    """The number under a key is less or equal."""

    _operator = "$lte"


class Contains(_ValueComparison):
    """The list under a key has the value; the document has the text."""

    _operator = "$contains"


class NotContains(_ValueComparison):
    """The list under a key lacks the value; the document lacks the text."""

    _operator = "$not_contains"


@dataclass
class _ListComparison(Where):
    key: str
    values: list[Any]
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self.key: {self._operator: self.values}}


class In(_ListComparison):
    """The value under a key is one of these."""

    _operator = "$in"


class Nin(_ListComparison):
    """The value under a key is none of these."""

    _operator = "$nin"


@dataclass
class _PatternComparison(Where):
    key: str
    pattern: str
    _operator: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {self.key: {self._operator: self.pattern}}


class Regex(_PatternComparison):
    """The text matches a regular expression."""

    _operator = "$regex"


class NotRegex(_PatternComparison):
    """The text does not match a regular expression."""

    _operator = "$not_regex"


class Key:
    """Names a field of records: of metadata, or with `#` one that every record has.

    Comparisons with a key are conditions: `Key("stars") >= 4`, `Key.DOCUMENT.contains("bees")`.
    So `==` never tells whether two keys are the same; their `name` does.
    """

    ID: ClassVar[Key]
    DOCUMENT: ClassVar[Key]
    EMBEDDING: ClassVar[Key]
    METADATA: ClassVar[Key]
    SCORE: ClassVar[Key]

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    def __eq__(self, value: Any) -> Eq:  # type: ignore[override]  # A condition, not an answer.
        return Eq(self.name, value)

    def __ne__(self, value: Any) -> Ne:  # type: ignore[override]  # A condition, not an answer.
        return Ne(self.name, value)

    def __gt__(self, value: Any) -> Gt:
        return Gt(self.name, value)

    def __ge__(self, value: Any) -> Gte:
        return Gte(self.name, value)

    def __lt__(self, value: Any) -> Lt:
        return Lt(self.name, value)

    def __le__(self, value: Any) -> Lte:
        return Lte(self.name, value)

    def is_in(self, values: list[Any]) -> In:
        """The value is one of these."""
        return In(self.name, values)

    def not_in(self, values: list[Any]) -> Nin:
        """The value is none of these."""
        return Nin(self.name, values)

    def regex(self, pattern: str) -> Regex:
        """The text matches the regular expression."""
        return Regex(self.name, pattern)

    def not_regex(self, pattern: str) -> NotRegex:
        """The text does not match the regular expression."""
        return NotRegex(self.name, pattern)

    def contains(self, value: LiteralValue) -> Contains:
        """The list has the value; of `Key.DOCUMENT`, the text has this text."""
        self._check_operand("$contains", value)
        return Contains(self.name, value)

    def not_contains(self, value: LiteralValue) -> NotContains:
        """The list lacks the value; of `Key.DOCUMENT`, the text lacks this text."""
        self._check_operand("$not_contains", value)
        return NotContains(self.name, value)

    def _check_operand(self, operator: str, value: object) -> None:
        if self.name == "#document" and not isinstance(value, str):
            raise TypeError(f"{operator} on #document requires a string pattern")


Key.ID = Key("#id")
Key.DOCUMENT = Key("#document")
Key.EMBEDDING = Key("#embedding")
Key.METADATA = Key("#metadata")
Key.SCORE = Key("#score")

K = Key


def _all_of(conditions: list[Where]) -> Where:
    return conditions[0] if len(conditions) == 1 else _join(And, conditions)


def _any_of(conditions: list[Where]) -> Where:
    return conditions[0] if len(conditions) == 1 else _join(Or, conditions)


_JOINS: dict[str, Callable[[list[Where]], Where]] = {"$and": _all_of, "$or": _any_of}


def _read_conditions(operator: str, data: dict[str, Any]) -> list[Where]:
    conditions = data[operator]
    if not isinstance(conditions, list):
        raise TypeError(f"{operator} must be a list, got {type(conditions).__name__}")
    if not conditions:
        raise ValueError(f"{operator} requires at least one condition")
    if len(data) > 1:
        raise ValueError(f"{operator} cannot be combined with other fields in the same dict")
    return [Where.from_dict(condition) for condition in conditions]


# What each operator makes of a key and an operand, and the operands that it takes.
_COMPARISONS: dict[str, Callable[[Key, Any], Where]] = {
    "$eq": lambda key, operand: key == operand,
    "$ne": lambda key, operand: key != operand,
    "$gt": Key.__gt__,
    "$gte": Key.__ge__,
    "$lt": Key.__lt__,
    "$lte": Key.__le__,
    "$in": Key.is_in,
    "$nin": Key.not_in,
    "$contains": Key.contains,
    "$not_contains": Key.not_contains,
    "$regex": Key.regex,
    "$not_regex": Key.not_regex,
}
_LIST: tuple[str, type | tuple[type, ...]] = ("list", list)
_SCALAR: tuple[str, type | tuple[type, ...]] = ("str, int, float, or bool", (str, int, float))
_PATTERN: tuple[str, type | tuple[type, ...]] = ("string pattern", str)
_OPERANDS = {
    "$in": _LIST,
    "$nin": _LIST,
    "$contains": _SCALAR,
    "$not_contains": _SCALAR,
    "$regex": _PATTERN,
    "$not_regex": _PATTERN,
}


def _read_comparison(name: str, condition: dict[str, Any]) -> Where:
    if not condition:
        raise ValueError(f"Operator dict for field '{name}' cannot be empty")
    if len(condition) != 1:
        raise ValueError(f"Operator dict for field '{name}' must contain exactly one operator")
    ((operator, operand),) = condition.items()
    if operator not in _COMPARISONS:
        raise ValueError(f"Unknown operator: {operator}")
    if operator in _OPERANDS:
        wanted, types = _OPERANDS[operator]
        if not isinstance(operand, types):
            raise TypeError(f"{operator} requires a {wanted}, got {type(operand).__name__}")
    return _COMPARISONS[operator](Key(name), operand)
