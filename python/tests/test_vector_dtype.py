"""Collections that store their embeddings narrow: what is stored is what numpy rounds to, and
distances are numpy's for the stored values, before and after the collection is opened again.

Method: vectors from a seed, one collection for each type and space.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb.errors import InvalidArgumentError

SEED = 5
COUNT = 300
DIMENSION = 37
DTYPES = ["f32", "f16", "bf16", "int8"]


def rounded(vectors: np.ndarray, dtype: str) -> np.ndarray:
    """The nearest values that a type of floats has."""
    if dtype == "f16":
        return vectors.astype(np.float16).astype(np.float32)
    if dtype == "bf16":
        bits = vectors.view(np.uint32).astype(np.uint64)
        bits = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16
        return bits.astype(np.uint32).view(np.float32)
    return vectors


def distances(space: str, stored: np.ndarray, query: np.ndarray) -> np.ndarray:
    left, right = query.astype(np.float64), stored.astype(np.float64)
    if space == "l2":
        return ((right - left) ** 2).sum(1)
    if space == "ip":
        return 1 - right @ left
    return 1 - right @ left / np.sqrt((right**2).sum(1) * (left**2).sum())


def create(client: Any, dtype: str, space: str = "l2", name: str = "things") -> Any:
    return client.create_collection(
        name,
        embedding_function=None,
        configuration={"vector_dtype": dtype, "hnsw": {"space": space}},
    )


@pytest.mark.parametrize("space", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_distances_are_exact_for_what_is_stored(tmp_path: Path, dtype: str, space: str) -> None:
    print(f"seed {SEED}")
    source = np.random.default_rng(SEED)
    vectors = source.standard_normal((COUNT, DIMENSION)).astype(np.float32)
    query = source.standard_normal(DIMENSION).astype(np.float32)
    ids = [str(number) for number in range(COUNT)]

    with chromadb.PersistentClient(tmp_path) as client:
        create(client, dtype, space).add(ids=ids, embeddings=vectors)

    for compacts in (False, True):
        with chromadb.PersistentClient(tmp_path) as client:
            if compacts:
                client.compact()
            collection = client.get_collection("things", embedding_function=None)
            stored = collection.get(include=["embeddings"])["embeddings"]
            if dtype == "int8":
                largest = np.abs(vectors).max(1, keepdims=True)
                assert (np.abs(stored - vectors) <= largest / 127 * 0.5001).all()
            else:
                assert (stored == rounded(vectors, dtype)).all()

            found = collection.query(query, n_results=COUNT, include=["distances"])
            exact = distances(space, stored, query)
            for record, distance in zip(found["ids"][0], found["distances"][0], strict=True):
                assert distance == pytest.approx(exact[int(record)], rel=1e-5, abs=1e-5)
            assert found["distances"][0] == sorted(found["distances"][0])


def test_the_type_is_shown_where_it_is_not_the_default(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        narrow = create(client, "int8", name="narrow")
        assert narrow.configuration["vector_dtype"] == "int8"
        assert narrow.configuration_json["vector_dtype"] == "int8"
        plain = create(client, "f32", name="plain")
        assert "vector_dtype" not in plain.configuration
        assert "vector_dtype" not in plain.configuration_json
    with chromadb.PersistentClient(tmp_path) as client:
        narrow = client.get_collection("narrow", embedding_function=None)
        narrow.modify(configuration={"hnsw": {"ef_search": 50}})
        assert narrow.configuration["vector_dtype"] == "int8"


def test_the_type_cannot_change(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        collection = create(client, "f16")
        with pytest.raises(InvalidArgumentError, match="vector_dtype of a collection cannot be"):
            collection.modify(configuration={"vector_dtype": "int8"})


@pytest.mark.parametrize("dtype", ["float16", "F16", 16, ["f16"]])
def test_an_unknown_type_is_refused(tmp_path: Path, dtype: Any) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        with pytest.raises(InvalidArgumentError, match="one of `f32`, `f16`, `bf16`, `int8`"):
            create(client, dtype)
        assert client.count_collections() == 0


def test_a_value_that_the_type_does_not_hold_is_named(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        collection = create(client, "f16")
        with pytest.raises(InvalidArgumentError, match="element -70000.0 at index 1.*up to 65504"):
            collection.add(ids=["a", "b"], embeddings=[[1.0, 2.0], [3.0, -70000.0]])
        assert collection.count() == 0
