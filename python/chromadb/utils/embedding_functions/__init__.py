"""The embedding functions that ship with Chroma, and the registry of all that are known by name.

A collection remembers its embedding function by name and configuration; when it is opened again,
the registry says which class builds the function from them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from chromadb.api.types import DefaultEmbeddingFunction, EmbeddingFunction
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

__all__ = [
    "DefaultEmbeddingFunction",
    "EmbeddingFunction",
    "ONNXMiniLM_L6_V2",
    "config_to_embedding_function",
    "get_builtins",
    "known_embedding_functions",
    "register_embedding_function",
]

F = TypeVar("F", bound=type[Any])

known_embedding_functions: dict[str, type[EmbeddingFunction[Any]]] = {
    "default": DefaultEmbeddingFunction,
    "onnx_mini_lm_l6_v2": ONNXMiniLM_L6_V2,
}

_BUILTINS = frozenset(cls.__name__ for cls in known_embedding_functions.values())


def get_builtins() -> set[str]:
    """The class names of the embedding functions that ship with Chroma."""
    return set(_BUILTINS)


@overload
def register_embedding_function(ef_class: F) -> F: ...
@overload
def register_embedding_function(ef_class: None = None) -> Callable[[F], F]: ...
def register_embedding_function(ef_class: F | None = None) -> F | Callable[[F], F]:
    """Makes a class known by its `name()`. A decorator, with or without parentheses."""
    if ef_class is None:
        return register_embedding_function
    name = ef_class.name()
    if not isinstance(name, str):
        raise ValueError(
            f"The class {ef_class.__name__} cannot be registered: its name() returns no str."
        )
    known_embedding_functions[name] = ef_class
    return ef_class


def config_to_embedding_function(config: dict[str, Any]) -> EmbeddingFunction[Any]:
    """The function that a `{"name": …, "config": {…}}` describes."""
    name = config["name"]
    if name not in known_embedding_functions:
        raise ValueError(f"Unsupported embedding function: {name}")
    return known_embedding_functions[name].build_from_config(config["config"])
