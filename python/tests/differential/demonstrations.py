"""One short history for each difference that COMPAT.md names.

The last operation of each shows the difference: what it does on our side satisfies `ours`, and what
it did on upstream's does not. So the page can neither go stale nor leave anything out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .values import decode, encode

VECTORS = [[float(number), 1.0] for number in range(4)]


@dataclass(frozen=True)
class Demonstration:
    name: str
    operations: list[dict[str, Any]]
    ours: Callable[[Any], bool]
    persistent: bool = True

    @property
    def history(self) -> dict[str, Any]:
        return {"persistent": self.persistent, "operations": self.operations}

    def shown_by(self, outcome: dict[str, Any]) -> bool:
        try:
            return bool(self.ours(decode(outcome)))
        except (KeyError, TypeError):  # Another kind of outcome altogether.
            return False


def create(name: str = "demo", function: str | None = None, **arguments: Any) -> dict[str, Any]:
    return operation(
        "create_collection", keep=name, name=name, embedding_function=function, **arguments
    )


def on(method: str, collection: str = "demo", **arguments: Any) -> dict[str, Any]:
    return {"on": collection, **operation(method, **arguments)}


def operation(do: str, keep: str | None = None, **arguments: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"do": do, "with": {k: encode(v) for k, v in arguments.items()}}
    return made if keep is None else {**made, "as": keep}


def nested_filter(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"n": 1}
    for _ in range(levels):
        where = {"$and": [where, {"n": 1}]}
    return where


def returns_ids(expected: list) -> Callable[[Any], bool]:
    return lambda outcome: outcome["returns"]["ids"] == expected


def raises(kind: str, *words: str) -> Callable[[Any], bool]:
    return lambda outcome: (
        outcome["raises"].endswith(kind) and all(word in outcome["message"] for word in words)
    )


def points(count: int, seed: int) -> np.ndarray:
    """Vectors without any structure, which are hard for an index."""
    return np.random.default_rng(seed).standard_normal((count, 32)).astype(np.float32)


def nearest_ids(queries: np.ndarray, vectors: np.ndarray) -> list[list[str]]:
    squares = ((queries[:, None].astype(float) - vectors[None]) ** 2).sum(axis=2)
    return [[str(row) for row in rows] for rows in np.argsort(squares, axis=1)[:, :10]]


ALL = [
    Demonstration(
        "A missing id in query(ids=…)",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1]),
            on("query", query_embeddings=VECTORS[:1], ids=["a", "nobody"]),
        ],
        returns_ids([["a"]]),
    ),
    Demonstration(
        "Integers against floats",
        [
            create(),
            on(
                "add",
                ids=["one", "two", "three"],
                embeddings=VECTORS[:3],
                metadatas=[{"n": 1}, {"n": 2}, {"n": 3}],
            ),
            on("get", where={"n": {"$lt": 2.5}}),
        ],
        returns_ids(["one", "two"]),
    ),
    Demonstration(
        "Records lost by approximate search",
        [
            create(),
            on("add", ids=[f"r{n}" for n in range(3000)], embeddings=VECTORS[:1] * 3000),
            on("query", query_embeddings=VECTORS[:1], n_results=3000, include=[]),
        ],
        lambda outcome: len(outcome["returns"]["ids"][0]) == 3000,
    ),
    Demonstration(
        "ef_search of an open collection",
        [
            create(configuration={"hnsw": {"ef_search": 1, "max_neighbors": 8}}),
            on("add", ids=[str(n) for n in range(5000)], embeddings=points(5000, 1).tolist()),
            on("modify", configuration={"hnsw": {"ef_search": 5000}}),
            on("query", query_embeddings=points(20, 2).tolist()),
        ],
        returns_ids(nearest_ids(points(20, 2), points(5000, 1))),
    ),
    Demonstration(
        "The status of indexing",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1]),
            on("get_indexing_status"),
        ],
        lambda outcome: (
            outcome["returns"]
            == {
                "num_indexed_ops": 1,
                "num_unindexed_ops": 0,
                "total_ops": 1,
                "op_indexing_progress": 1.0,
            }
        ),
    ),
    Demonstration(
        "An update of a missing id",
        [
            create(),
            on("update", ids=["x"], embeddings=[[50.0, 1.0]]),
            on("add", ids=["a", "b", "c", "x"], embeddings=VECTORS),
            on("delete", where_document={"$not_contains": "?"}, limit=3),
            on("query", query_embeddings=VECTORS[3:]),
        ],
        lambda outcome: outcome["returns"]["distances"] == [[0.0]],
    ),
    Demonstration(
        "Lists of a deleted collection",
        [
            create("gone"),
            on("add", "gone", ids=["a"], embeddings=VECTORS[:1], metadatas=[{"tags": ["secret"]}]),
            operation("delete_collection", name="gone"),
            create(),
            on("add", ids=["b"], embeddings=VECTORS[:1]),
            on("get"),
        ],
        lambda outcome: outcome["returns"]["metadatas"] == [None],
    ),
    Demonstration(
        "A NUL in a document",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1], documents=["before\x00after"]),
            on("get", where_document={"$contains": "after"}),
        ],
        returns_ids(["a"]),
    ),
    Demonstration(
        "More ids than SQL variables",
        [
            create(),
            on("add", ids=["7"], embeddings=VECTORS[:1]),
            on("get", ids=[str(number) for number in range(33_000)]),
        ],
        returns_ids(["7"]),
    ),
    Demonstration(
        "What a refused write leaves behind",
        [
            create(),
            on("add", ids=[""], embeddings=[[1.0, 2.0, 3.0]]),
            on("add", ids=["a"], embeddings=VECTORS[:1]),
        ],
        lambda outcome: outcome["returns"] is None,
    ),
    Demonstration(
        "Changing a deleted collection",
        [
            create(),
            operation("delete_collection", name="demo"),
            on("modify", metadata={"a": 1}),
        ],
        raises("NotFoundError", "does not exist"),
    ),
    Demonstration(
        "Two mistakes in one call",
        [create(), on("add", ids=["a"], embeddings=[[1.0], [1.0, 2.0]])],
        raises("InvalidArgumentError", "Inconsistent dimensions in provided embeddings"),
    ),
    Demonstration(
        "Large batches",
        [
            create(),
            on("add", ids=[str(n) for n in range(5462)], embeddings=VECTORS[:1] * 5462),
            on("count"),
        ],
        lambda outcome: outcome["returns"] == 5462,
    ),
    Demonstration(
        "Numbers that cannot be kept",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1], metadatas=[{"n": 2**63}]),
        ],
        raises("InvalidArgumentError", '"n"', "64 bits"),
    ),
    Demonstration(
        "Floats that are not finite",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1], metadatas=[{"x": float("nan")}]),
        ],
        raises("InvalidArgumentError", '"x"', "not a finite number"),
    ),
    Demonstration(
        "Lists in the metadata of a collection",
        [create(metadata={"tags": ["a", "b"]})],
        raises("InvalidArgumentError", "'tags'"),
    ),
    Demonstration(
        "A query that is not finite",
        [
            create(),
            on("add", ids=["a", "b"], embeddings=VECTORS[:2]),
            on("query", query_embeddings=[[float("nan"), 1.0]]),
        ],
        raises("InvalidArgumentError", "NaN"),
    ),
    Demonstration(
        "Embeddings of a cosine collection",
        [
            create(configuration={"hnsw": {"space": "cosine"}}),
            on("add", ids=["a"], embeddings=[[0.75, 1.75, -0.25]]),
            on("get", include=["embeddings"]),
        ],
        lambda outcome: outcome["returns"]["embeddings"].tolist() == [[0.75, 1.75, -0.25]],
    ),
    Demonstration(
        "A client after close()",
        [create(), operation("close"), on("count")],
        raises("InvalidArgumentError", "closed"),
    ),
    Demonstration(
        "Letting go of an engine",
        [create(), operation("forget"), operation("count_collections")],
        lambda outcome: outcome["returns"] == 0,
        persistent=False,
    ),
    Demonstration(
        "embedding_function=None",
        [create(), on("add", ids=["a"], documents=["text"])],
        raises("ValueError", "embedding function"),
    ),
    Demonstration(
        "A refused change of the embedding function",
        [
            create(function="letter_counts"),
            on("modify", configuration={"embedding_function": "digit_counts"}),
            operation("get_collection", name="demo", embedding_function=None),
        ],
        lambda outcome: (
            outcome["returns"]["configuration"]["embedding_function"]["name"] == "letter_counts"
        ),
    ),
    Demonstration(
        "Arguments stay as they are",
        [create(), on("modify", configuration={"hnsw": {"ef_search": 7}})],
        lambda outcome: outcome["returns"]["configuration"]["embedding_function"] is None,
    ),
    Demonstration(
        "Arguments of the wrong kind",
        [create(), on("add", ids=["a"], embeddings=VECTORS[:1], metadatas=5)],
        raises("builtins.ValueError", "Expected metadata to be a dict or None, got int"),
    ),
    Demonstration(
        "Long values in messages",
        [create(), on("add", ids=["a"], embeddings=[["no number"] * 1000])],
        lambda outcome: "characters) in add." in outcome["message"],
    ),
    Demonstration(
        "Settings",
        [operation("settings", is_persistent="perhaps")],
        raises("builtins.ValueError", "is_persistent"),
    ),
    Demonstration(
        "Deeply nested filters",
        [
            create(),
            on("add", ids=["a"], embeddings=VECTORS[:1], metadatas=[{"n": 1}]),
            on("get", where=nested_filter(100)),
        ],
        returns_ids(["a"]),
    ),
]
