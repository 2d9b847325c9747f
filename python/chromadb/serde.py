"""Values that know themselves as JSON."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, Generic, Protocol, Self, TypeVar

T = TypeVar("T", covariant=True)


class JSONSerializable(Protocol[T]):
    """A value that goes to JSON and comes back, as text or as an object."""

    def to_json_str(self) -> str:
        """The value as JSON text."""
        ...

    @classmethod
    def from_json_str(cls, json_str: str) -> Self:
        """The value that JSON text stands for."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The value as a JSON object."""
        ...

    @classmethod
    def from_json(cls, json_map: dict[str, Any]) -> Self:
        """The value that a JSON object stands for."""
        ...


class BaseModelJSONSerializable(Generic[T]):
    """The same for what can write itself as JSON text: the object is read from that."""

    def to_json_str(self) -> str:
        """The value as JSON text."""
        return self.model_dump_json()

    def to_json(self) -> dict[str, Any]:
        """The value as a JSON object."""
        parsed: dict[str, Any] = json.loads(self.model_dump_json())
        return parsed

    @abstractmethod
    def model_dump_json(self) -> str:
        """The value as JSON text."""

    @classmethod
    @abstractmethod
    def from_json(cls, json_map: dict[str, Any]) -> T:
        """The value that a JSON object stands for."""
