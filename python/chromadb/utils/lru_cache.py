"""A dictionary that forgets what has not been used for longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """Keeps `capacity` values. What it forgets is given to the callback, as key and value."""

    def __init__(self, capacity: int, callback: Callable[[K, V], Any] | None = None) -> None:
        self.capacity = capacity
        self.cache: OrderedDict[K, V] = OrderedDict()
        self.callback = callback

    def get(self, key: K) -> V | None:
        """The value under a key, which was used now; None if there is none."""
        if key not in self.cache:
            return None
        self.cache.move_to_end(key)
        return self.cache[key]

    def set(self, key: K, value: V) -> None:
        """Keeps a value, and forgets another where there is no room."""
        if key not in self.cache and len(self.cache) == self.capacity:
            forgotten = self.cache.popitem(last=False)
            if self.callback is not None:
                self.callback(*forgotten)
        self.cache[key] = value
        self.cache.move_to_end(key)
