"""Queries with a bound on the distance: the beginning of the answer without one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chromadb.api._max_distance import distances_included, within

INCLUDES: list[Any] = [
    [],
    ["distances"],
    ["documents", "metadatas", "embeddings", "uris", "distances"],
    ["documents", "embeddings"],
]


def filled(client: Any, space: str) -> Any:
    collection = client.create_collection(
        f"in-{space}", embedding_function=None, configuration={"hnsw": {"space": space}}
    )
    random = np.random.default_rng(5)
    collection.add(
        ids=[str(number) for number in range(200)],
        embeddings=random.integers(-3, 4, (200, 4)).astype(np.float32),
        documents=[f"document {number}" for number in range(200)],
        metadatas=[{"number": number} for number in range(200)],
    )
    return collection


def listed(answer: Any) -> dict[str, Any]:
    rows = answer["embeddings"]
    return {**answer, "embeddings": rows and [row.tolist() for row in rows]}


@pytest.mark.parametrize("space", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("exact", [False, True])
def test_what_is_within_the_bound_is_the_beginning_of_the_answer(
    client: Any, space: str, exact: bool
) -> None:
    collection = filled(client, space)
    queries = [[1.0, 2.0, 3.0, 1.0], [-1.0, 0.0, 0.0, 2.0]]
    unbound = collection.query(query_embeddings=queries, n_results=50, exact=exact)
    # Each distance as it was returned is a bound that includes it.
    for bound in sorted({row[rank] for row in unbound["distances"] for rank in (0, 7, 30, 49)}):
        for include in INCLUDES:
            found = collection.query(
                query_embeddings=queries,
                n_results=50,
                exact=exact,
                max_distance=bound,
                include=include,
            )
            counts = [sum(d <= bound for d in row) for row in unbound["distances"]]
            assert found["ids"] == [
                ids[:count] for ids, count in zip(unbound["ids"], counts, strict=True)
            ]
            # What a client does for a server that knows no bounds is the same.
            asked = distances_included(include, bound)
            trimmed = within(
                collection.query(
                    query_embeddings=queries, n_results=50, exact=exact, include=asked
                ),
                bound,
                include,
            )
            assert repr(listed(found)) == repr(listed(trimmed))


def test_a_bound_counts_after_the_filters(client: Any) -> None:
    collection = filled(client, "l2")
    found = collection.query(
        query_embeddings=[[0.0] * 4], n_results=200, where={"number": {"$lt": 50}}, max_distance=9
    )
    expected = {
        id
        for id, vector in zip(
            *[collection.get(include=["embeddings"])[key] for key in ("ids", "embeddings")],
            strict=True,
        )
        if int(id) < 50 and (vector**2).sum() <= 9
    }
    assert set(found["ids"][0]) == expected
    assert len(found["ids"][0]) == len(expected) > 0


def test_nothing_within_the_bound_is_an_answer(client: Any) -> None:
    collection = filled(client, "l2")
    for bound in (-1, -math.inf, np.float32(-0.5)):
        found = collection.query(query_embeddings=[[0.5] * 4] * 2, max_distance=bound)
        assert found["ids"] == [[], []]
        assert found["distances"] == [[], []]
        assert found["documents"] == [[], []]


def test_an_infinite_bound_is_none(client: Any) -> None:
    collection = filled(client, "ip")
    found = collection.query(query_embeddings=[[1.0] * 4], max_distance=math.inf)
    assert found == collection.query(query_embeddings=[[1.0] * 4])


def test_a_bound_beyond_every_float_is_one(client: Any) -> None:
    collection = filled(client, "l2")
    query = {"query_embeddings": [[0.5] * 4], "n_results": 5}
    assert collection.query(**query, max_distance=10**5000) == collection.query(**query)
    assert collection.query(**query, max_distance=-(10**5000))["ids"] == [[]]


@pytest.mark.parametrize("bound", [math.nan, "1", True, [1.0], np.float32("nan")], ids=repr)
def test_what_is_no_number_is_refused(collection: Any, bound: Any) -> None:
    with pytest.raises(ValueError, match="^Expected max_distance to be a number, got .* in query"):
        collection.query(query_embeddings=[[1.0] * 3], max_distance=bound)


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(st.lists(st.floats(-4, 4, width=32), max_size=6).map(sorted), max_size=3),
    bound=st.floats(allow_nan=False) | st.none(),
)
def test_trimming_keeps_every_column_in_step(rows: list[list[float]], bound: float | None) -> None:
    names = [[f"{row}-{rank}" for rank in range(len(rows[row]))] for row in range(len(rows))]
    answer: Any = {"ids": names, "documents": names, "uris": None, "distances": rows}
    answer |= {"embeddings": [np.array(row) for row in rows], "metadatas": None, "data": None}
    answer["included"] = ["documents", "embeddings", "distances"]
    trimmed: Any = within(answer, bound, answer["included"])
    limit = math.inf if bound is None else bound
    assert trimmed["distances"] == [[d for d in row if d <= limit] for row in rows]
    for row, distances in enumerate(trimmed["distances"]):
        assert trimmed["ids"][row] == trimmed["documents"][row] == names[row][: len(distances)]
        assert len(trimmed["embeddings"][row]) == len(distances)
    assert trimmed["uris"] is None
