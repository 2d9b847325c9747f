"""Which function embeds for a collection, on whatever `chromadb` this interpreter imports.

    python trials.py OUTCOMES.json

Collections are created in every way that a function can be given, opened in every way, and asked
to embed a text. A vector says which function made it. Writes a JSON object: for each step its
result or error.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import chromadb
from chromadb.api.types import DefaultEmbeddingFunction, EmbeddingFunction
from chromadb.utils.embedding_functions import (
    known_embedding_functions,
    register_embedding_function,
)
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

# Of each function, the number in its vectors.
NUMBERS = {"default": 9.0, "own": 1.0, "other": 2.0, "plain": 3.0, "nameless": 4.0}


class Own(EmbeddingFunction[Any]):
    """One that can be remembered."""

    number = NUMBERS["own"]

    def __init__(self, dimension: int = 3) -> None:
        self.dimension = dimension

    def __call__(self, input: Any) -> Any:
        return [[self.number] * self.dimension for _ in input]

    @staticmethod
    def name() -> str:
        return "own"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        return Own(config["dimension"])

    def get_config(self) -> dict[str, Any]:
        return {"dimension": self.dimension}


class Other(Own):
    number = NUMBERS["other"]

    @staticmethod
    def name() -> str:
        return "other"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        return Other(config["dimension"])


class WithoutConfig(Own):
    """Its get_config() raises."""

    @staticmethod
    def name() -> str:
        return "without config"

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("It has no configuration.")


class Lost(Own):
    """It cannot be built again."""

    @staticmethod
    def name() -> str:
        return "lost"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        raise ValueError("The key is missing.")


class Unstorable(Own):
    @staticmethod
    def name() -> str:
        return "unstorable"

    def get_config(self) -> dict[str, Any]:
        return {"dimension": object()}


class Invalid(Own):
    """Its configuration does not stand its own check."""

    @staticmethod
    def name() -> str:
        return "invalid"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        return Invalid(config["dimension"])

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        raise ValueError("It is wrong.")


class Unbuilt(EmbeddingFunction[Any]):
    """It lacks build_from_config()."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [[NUMBERS["own"]] * 3 for _ in input]

    @staticmethod
    def name() -> str:
        return "unbuilt"

    def get_config(self) -> dict[str, Any]:
        return {}


class Nameless(EmbeddingFunction[Any]):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [[NUMBERS["nameless"]] * 3 for _ in input]


class Plain:
    """No EmbeddingFunction at all."""

    def __call__(self, input: Any) -> Any:
        return [[NUMBERS["plain"]] * 3 for _ in input]


def schema(function: Any) -> Any:
    return chromadb.Schema().create_index(chromadb.VectorIndexConfig(embedding_function=function))


def configured(function: Any) -> dict[str, Any]:
    return {"configuration": {"embedding_function": function}}


CREATIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "own": lambda: {"embedding_function": Own()},
    "plain": lambda: {"embedding_function": Plain()},
    "nameless": lambda: {"embedding_function": Nameless()},
    "none": lambda: {"embedding_function": None},
    "none, configured": lambda: {
        "embedding_function": None,
        "configuration": {"hnsw": {"space": "ip"}},
    },
    "own in the configuration": lambda: configured(Own()),
    "own in the configuration, none": lambda: {**configured(Own()), "embedding_function": None},
    "own in the configuration, other": lambda: {
        **configured(Own()),
        "embedding_function": Other(),
    },
    "without config": lambda: {"embedding_function": WithoutConfig()},
    "lost": lambda: {"embedding_function": Lost()},
    "unbuilt": lambda: {"embedding_function": Unbuilt()},
    "unstorable": lambda: {"embedding_function": Unstorable()},
    "invalid": lambda: {"embedding_function": Invalid()},
    "schema": lambda: {"schema": chromadb.Schema()},
    "own in the schema": lambda: {"schema": schema(Own())},
    "own in the schema, none": lambda: {"schema": schema(Own()), "embedding_function": None},
    "own in the schema, other": lambda: {"schema": schema(Own()), "embedding_function": Other()},
    "plain in the schema": lambda: {"schema": schema(Plain())},
    "invalid in the schema": lambda: {"schema": schema(Invalid())},
    "none in the schema": lambda: {"schema": schema(None)},
}

OPENINGS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "none": lambda: {"embedding_function": None},
    "default": lambda: {"embedding_function": DefaultEmbeddingFunction()},
    "own": lambda: {"embedding_function": Own()},
    "other": lambda: {"embedding_function": Other()},
    "plain": lambda: {"embedding_function": Plain()},
    "nameless": lambda: {"embedding_function": Nameless()},
}


def embeds(collection: Any) -> str:
    """Which function a collection embeds with."""
    id = str(collection.count())
    collection.add(ids=[id], documents=["text"])
    (vector,) = collection.get(ids=[id], include=["embeddings"])["embeddings"]
    return next(name for name, number in NUMBERS.items() if number == vector[0])


def attempt(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def created(client: Any, name: str, creation: str) -> Iterator[tuple[str, Any]]:
    """A collection that is created so, and opened in every way."""
    made: list[Any] = []
    error = attempt(lambda: made.append(client.create_collection(name, **CREATIONS[creation]())))
    yield creation, error
    if error is not None:
        return
    (collection,) = made
    stored = collection.configuration_json
    yield f"{creation}: stored", stored["embedding_function"]
    yield f"{creation}: space", stored["hnsw"]["space"]
    yield (
        f"{creation}: configuration",
        attempt(lambda: type(collection.configuration["embedding_function"]).__name__),
    )
    yield f"{creation}: embeds", attempt(lambda: embeds(collection))
    (listed,) = (found for found in client.list_collections() if found.name == name)
    yield f"{creation}: listed", attempt(lambda: embeds(listed))
    for method in (client.get_collection, client.get_or_create_collection):
        for opening, arguments in OPENINGS.items():
            yield (
                f"{creation}: {method.__name__} with {opening}",
                attempt(lambda m=method, a=arguments: embeds(m(name, **a()))),
            )


def unregistered(client: Any) -> Iterator[tuple[str, Any]]:
    """A collection whose function nobody knows any more."""
    register_embedding_function(Own)
    client.create_collection("unregistered", embedding_function=Own())
    del known_embedding_functions["own"]
    for opening in ("nothing", "none"):
        found = client.get_collection("unregistered", **OPENINGS[opening]())
        yield f"unregistered, opened with {opening}", attempt(lambda f=found: embeds(f))
        yield (
            f"unregistered, opened with {opening}: configuration",
            attempt(lambda f=found: f.configuration["embedding_function"]),
        )
    yield (
        "unregistered, opened with itself",
        attempt(lambda: embeds(client.get_collection("unregistered", embedding_function=Own()))),
    )


def trials() -> Iterator[tuple[str, Any]]:
    """Each step and its outcome."""
    with (
        warnings.catch_warnings(),
        patch.object(ONNXMiniLM_L6_V2, "__init__", lambda self: None),
        patch.object(ONNXMiniLM_L6_V2, "__call__", lambda self, input: [[NUMBERS["default"]] * 3]),
    ):
        warnings.simplefilter("ignore")
        client = chromadb.EphemeralClient()
        for number, creation in enumerate(CREATIONS):
            yield from created(client, f"collection-{number}", creation)
        yield from unregistered(client)


def main(path: str) -> None:
    Path(path).write_text(json.dumps(dict(trials()), indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
