"""What stands beside the client: embedding functions, data loaders, batches, distances."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeVar

C = TypeVar("C")


def get_class(fqn: str, type: type[C]) -> type[C]:
    """The class at a dotted path."""
    module, _, name = fqn.rpartition(".")
    found: Any = getattr(import_module(module), name)
    return found  # type: ignore[no-any-return]  # The caller says what it is.
