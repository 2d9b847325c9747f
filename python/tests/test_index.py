"""Queries of a collection that has an index: what they find, that every process finds the same,
what says how, and what changes it.

Method: clustered vectors from a seed, enough for an index, and numpy's exact answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb.api.types import IndexingStatus
from chromadb.config import Settings
from chromadb.errors import InvalidArgumentError, NotFoundError

SEED = 20
COUNT = 8000
DIMENSION = 48
QUERY_COUNT = 50
RESULT_COUNT = 10


def sets(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around sixty centers, and queries of the same kind."""
    print(f"seed {seed}")
    source = np.random.default_rng(seed)
    centers = source.standard_normal((60, DIMENSION))
    every = centers[source.integers(60, size=COUNT + QUERY_COUNT)]
    every = (every + 0.7 * source.standard_normal(every.shape)).astype(np.float32)
    return every[:COUNT], every[COUNT:]


def distances(space: str, vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Of each query from each vector."""
    left, right = queries.astype(np.float64), vectors.astype(np.float64)
    products = left @ right.T
    squares = (left**2).sum(1)[:, None], (right**2).sum(1)[None]
    if space == "ip":
        return 1 - products
    if space == "cosine":
        return 1 - products / np.sqrt(squares[0] * squares[1])
    return squares[0] + squares[1] - 2 * products


@dataclass
class Indexed:
    """A collection that was flushed, and what stands in it."""

    directory: Path
    space: str
    collection: Any
    vectors: np.ndarray
    queries: np.ndarray

    def truth(self, allowed: np.ndarray | None = None) -> list[list[str]]:
        """The ids nearest to each query, by numpy."""
        rows = np.arange(COUNT) if allowed is None else np.flatnonzero(allowed)
        order = np.argsort(distances(self.space, self.vectors[rows], self.queries), axis=1)
        return [[f"id-{row}" for row in rows[near]] for near in order[:, :RESULT_COUNT]]

    def query(self, **changes: Any) -> Any:
        return self.collection.query(
            **{
                "query_embeddings": self.queries,
                "n_results": RESULT_COUNT,
                "include": ["distances"],
                **changes,
            }
        )


def recall(found: list[list[str]], truth: list[list[str]]) -> float:
    shared = sum(len(set(a) & set(b)) for a, b in zip(found, truth, strict=True))
    return shared / sum(len(b) for b in truth)


def fill(collection: Any, vectors: np.ndarray) -> None:
    for start in range(0, len(vectors), 2000):
        rows = range(start, min(start + 2000, len(vectors)))
        collection.add(
            ids=[f"id-{row}" for row in rows],
            embeddings=vectors[rows.start : rows.stop],
            metadatas=[{"row": row} for row in rows],
        )


@pytest.fixture(scope="module", params=["l2", "cosine", "ip"])
def indexed(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    directory = tmp_path_factory.mktemp("indexed")
    vectors, queries = sets(SEED)
    # By its engine, which the fixture of all tests does not take away.
    client = chromadb.PersistentClient(directory)
    collection = client.create_collection(
        "points", embedding_function=None, configuration={"hnsw": {"space": request.param}}
    )
    fill(collection, vectors)
    collection.flush()
    yield Indexed(directory, request.param, collection, vectors, queries)
    client.close()


# ---- What is found ------------------------------------------------------------------------------


def test_an_index_finds_nearly_all_of_the_nearest(indexed: Indexed) -> None:
    found = indexed.query()
    assert recall(found["ids"], indexed.truth()) >= 0.97
    for row, near in zip(found["distances"], indexed.query(exact=True)["distances"], strict=True):
        assert row == sorted(row)
        assert row[0] >= near[0]


def test_distances_are_exact(indexed: Indexed) -> None:
    found = indexed.query()
    all_distances = distances(indexed.space, indexed.vectors, indexed.queries)
    for query, (ids, measured) in enumerate(zip(found["ids"], found["distances"], strict=True)):
        rows = [int(id_.removeprefix("id-")) for id_ in ids]
        assert measured == pytest.approx(all_distances[query, rows], rel=1e-4, abs=1e-4)


def test_exact_is_what_numpy_finds(indexed: Indexed) -> None:
    found = indexed.query(exact=True)
    all_distances = np.sort(distances(indexed.space, indexed.vectors, indexed.queries), axis=1)
    assert recall(found["ids"], indexed.truth()) >= 0.999  # Two may be as near but for a float.
    assert np.allclose(found["distances"], all_distances[:, :RESULT_COUNT], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1, 0.01, 0.002])
def test_a_filter_loses_nothing(indexed: Indexed, kept: float) -> None:
    end = int(COUNT * kept)
    found = indexed.query(where={"row": {"$lt": end}})
    assert recall(found["ids"], indexed.truth(np.arange(COUNT) < end)) >= 0.97


def test_fewer_results_are_the_first_of_more(indexed: Indexed) -> None:
    ten = indexed.query()
    for count in (1, 5, 9):
        few = indexed.query(n_results=count)
        assert few["ids"] == [ids[:count] for ids in ten["ids"]]
        assert few["distances"] == [row[:count] for row in ten["distances"]]


def test_every_record_is_found_by_its_own_vector(indexed: Indexed) -> None:
    if indexed.space == "ip":
        pytest.skip("a longer vector may be nearer by inner product than the vector itself")
    missing = []
    for start in range(0, COUNT, 500):
        found = indexed.query(query_embeddings=indexed.vectors[start : start + 500], n_results=1)
        missing += [
            f"id-{start + row}"
            for row, ids in enumerate(found["ids"])
            if ids != [f"id-{start + row}"]
        ]
    assert missing == []


# ---- Every process finds the same ---------------------------------------------------------------

ANSWER = """
    import json, sys
    import numpy as np
    import chromadb
    from chromadb.config import Settings
    directory, queries, read_only = sys.argv[1:]
    settings = Settings(chroma_read_only=bool(int(read_only)))
    with chromadb.PersistentClient(directory, settings) as client:
        collection = client.get_collection("points", embedding_function=None)
        queries = np.load(queries)
        found = collection.query(query_embeddings=queries, include=["distances"])
        state = collection.explain(query_embeddings=queries)
        print(json.dumps([found["ids"], found["distances"], state]))
"""


def in_another_process(indexed: Indexed, folder: Path, *, is_read_only: bool) -> Any:
    file = folder / "queries.npy"
    np.save(file, indexed.queries)
    arguments = [str(indexed.directory), str(file), str(int(is_read_only))]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ANSWER), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("is_read_only", [False, True])
def test_another_process_gives_the_same_answers(
    indexed: Indexed, tmp_path: Path, is_read_only: bool
) -> None:
    ids, measured, state = in_another_process(indexed, tmp_path, is_read_only=is_read_only)
    here = indexed.query()
    assert (ids, measured) == (here["ids"], here["distances"])
    assert state == indexed.collection.explain(query_embeddings=indexed.queries)


def test_threads_give_the_same_answers(indexed: Indexed) -> None:
    wanted = indexed.query()
    differing: list[Any] = []

    def ask() -> None:
        found = indexed.query()
        if found != wanted:
            differing.append(found)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert differing == []


# ---- What says how ------------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["cosine", "l2"])
def test_clusters_too_tight_for_codes_lose_nothing(client: Any, space: str) -> None:
    """A walk that ended on the island of a wrong cluster was once taken for an answer."""
    source = np.random.default_rng(1)
    centers = 3 * source.standard_normal((40, 32))
    vectors = centers[source.integers(40, size=6000)]
    vectors = (vectors + 0.05 * source.standard_normal(vectors.shape)).astype(np.float32)
    collection = client.create_collection("tight", configuration={"hnsw": {"space": space}})
    fill(collection, vectors)
    collection.flush()
    found = collection.query(query_embeddings=vectors[:300], n_results=10)["ids"]
    exact = collection.query(query_embeddings=vectors[:300], n_results=10, exact=True)["ids"]
    assert recall(found, exact) >= 0.999
    assert all(f"id-{row}" in ids for row, ids in enumerate(found))


def test_an_explanation_names_the_state(indexed: Indexed) -> None:
    state = indexed.collection.explain(query_embeddings=indexed.queries, n_results=RESULT_COUNT)
    statistics = indexed.collection.statistics()
    assert state["version"] == statistics["version"] > 0
    assert state["position"] == statistics["position"] == COUNT
    assert state["generation"] > 0
    assert state["indexed_position"] == COUNT
    assert (state["record_count"], state["candidate_count"]) == (COUNT, COUNT)
    assert (state["unindexed_count"], state["ef_search"]) == (0, 100)
    assert len(state["searches"]) == QUERY_COUNT
    for search in state["searches"]:
        assert set(search) == {
            "strategy",
            "has_switched",
            "scanned_count",
            "measured_count",
            "reranked_count",
        }
        assert search["scanned_count"] == 0
        assert 0 < search["reranked_count"] <= search["measured_count"] <= COUNT


def test_an_exact_search_is_a_scan(indexed: Indexed) -> None:
    state = indexed.collection.explain(query_embeddings=indexed.queries[0], exact=True)
    (search,) = state["searches"]
    assert search["strategy"] in ("exact scan", "code scan")
    few = indexed.collection.explain(query_embeddings=indexed.queries[0], where={"row": 17})
    assert few["candidate_count"] == 1
    assert few["searches"][0]["strategy"] in ("exact scan", "code scan")


def test_an_explanation_takes_what_a_query_takes(indexed: Indexed) -> None:
    explain = indexed.collection.explain
    one = indexed.queries[0]
    assert explain(query_embeddings=one, ids=["id-1", "absent"])["candidate_count"] == 1
    with pytest.raises(InvalidArgumentError, match="expecting embedding with dimension of 48"):
        explain(query_embeddings=[1.0])
    with pytest.raises(ValueError, match="Expected exact to be a bool, got 1 in query"):
        explain(query_embeddings=one, exact=1)
    with pytest.raises(ValueError, match="Expected exact to be a bool, got 1 in query"):
        indexed.collection.query(query_embeddings=one, exact=1)
    with pytest.raises(TypeError, match="Number of requested results 0"):
        explain(query_embeddings=one, n_results=0)
    with pytest.raises(TypeError):
        explain(query_embeddings=one, include=[])


# ---- How much is indexed ------------------------------------------------------------------------


def test_a_flush_indexes_everything_and_tells_how_far_it_is() -> None:
    vectors, queries = sets(SEED + 1)
    with chromadb.EphemeralClient(Settings(chroma_indexing_threads=2)) as client:
        collection = client.create_collection("points", embedding_function=None)
        assert collection.get_indexing_status() == IndexingStatus(0, 0, 0, 1.0)
        fill(collection, vectors)
        before = collection.get_indexing_status()
        assert before.num_indexed_ops + before.num_unindexed_ops == before.total_ops == COUNT
        assert before.op_indexing_progress == pytest.approx(before.num_indexed_ops / COUNT)
        exact = collection.query(query_embeddings=queries, exact=True)

        told: list[tuple[int, int]] = []
        collection.flush(progress=lambda done, total: told.append((done, total)))
        assert collection.get_indexing_status() == IndexingStatus(COUNT, 0, COUNT, 1.0)
        assert told[-1] == (1000, 1000)
        assert told == sorted(told)
        assert collection.query(query_embeddings=queries, exact=True) == exact

        # What is written now is found at once, and indexed by the next flush.
        collection.add(ids=["new"], embeddings=queries[:1])
        assert collection.query(query_embeddings=queries[:1], n_results=1)["ids"] == [["new"]]
        state = collection.explain(query_embeddings=queries[:1])
        assert (state["unindexed_count"], state["position"]) == (1, COUNT + 1)
        assert state["searches"][0]["scanned_count"] == 1
        collection.delete(ids=["id-0"])
        collection.flush()
        assert collection.get_indexing_status() == IndexingStatus(COUNT + 2, 0, COUNT + 2, 1.0)
        assert collection.query(query_embeddings=queries[:1], n_results=1)["ids"] == [["new"]]
        nearest = collection.query(query_embeddings=vectors[:1], n_results=1)["ids"]
        assert nearest != [["id-0"]]

        client.delete_collection("points")
        with pytest.raises(NotFoundError):
            collection.get_indexing_status()
        with pytest.raises(NotFoundError):
            collection.explain(query_embeddings=queries[:1])


def test_a_small_collection_counts_as_indexed(client: Any) -> None:
    collection = client.create_collection("points", embedding_function=None)
    collection.add(ids=["a", "b"], embeddings=[[1.0, 0.0], [0.0, 1.0]])
    collection.update(ids=["a"], metadatas=[{"x": 1}])
    assert collection.get_indexing_status() == IndexingStatus(3, 0, 3, 1.0)
    state = collection.explain(query_embeddings=[1.0, 0.0])
    assert (state["generation"], state["position"]) == (0, 3)
    assert state["searches"][0]["strategy"] == "exact scan"


# ---- What changes it ----------------------------------------------------------------------------

MODIFY = """
    import sys
    import chromadb
    with chromadb.PersistentClient(sys.argv[1]) as client:
        collection = client.get_collection("points", embedding_function=None)
        collection.modify(configuration={"hnsw": {"ef_search": int(sys.argv[2])}})
"""


def test_ef_search_holds_for_the_next_query_of_every_process(indexed: Indexed) -> None:
    def modify(ef: int) -> None:
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(MODIFY), str(indexed.directory), str(ef)],
            check=True,
            timeout=120,
        )

    def measured() -> int:
        state = indexed.collection.explain(query_embeddings=indexed.queries)
        return sum(search["measured_count"] for search in state["searches"])

    truth = indexed.truth()
    usual = indexed.query()
    modify(10)
    assert indexed.collection.explain(query_embeddings=[indexed.queries[0]])["ef_search"] == 10
    narrow, narrow_count = recall(indexed.query()["ids"], truth), measured()
    modify(400)
    wide, wide_count = recall(indexed.query()["ids"], truth), measured()
    modify(100)
    assert indexed.query() == usual
    assert narrow <= wide and wide >= 0.99
    assert narrow_count < wide_count


def test_the_settings_of_an_index_are_stored_and_honoured(client: Any) -> None:
    settings = {"space": "cosine", "max_neighbors": 4, "ef_construction": 20, "ef_search": 30}
    vectors, queries = sets(SEED + 2)
    collection = client.create_collection(
        "points", embedding_function=None, configuration={"hnsw": settings}
    )
    fill(collection, vectors)
    collection.flush()
    stored = collection.configuration_json["hnsw"]
    assert {name: stored[name] for name in settings} == settings
    state = collection.explain(query_embeddings=queries)
    assert state["ef_search"] == 30 and state["generation"] > 0
    exact = collection.query(query_embeddings=queries, exact=True)["ids"]
    assert 0.3 < recall(collection.query(query_embeddings=queries)["ids"], exact) < 1


@pytest.mark.parametrize(
    "settings",
    [
        {"max_neighbors": 0},
        {"ef_construction": 0},
        {"ef_search": 0},
        {"max_neighbors": 100_000},
        {"num_threads": 1, "batch_size": 7, "sync_threshold": 9, "resize_factor": 3.0},
    ],
    ids=repr,
)
def test_whatever_upstream_accepts_gives_a_working_index(
    client: Any, settings: dict[str, Any]
) -> None:
    vectors, queries = sets(SEED + 3)
    collection = client.create_collection(
        "points", embedding_function=None, configuration={"hnsw": settings}
    )
    fill(collection, vectors[:5000])
    collection.flush()
    found = collection.query(query_embeddings=queries)
    assert [len(ids) for ids in found["ids"]] == [10] * QUERY_COUNT
    assert collection.explain(query_embeddings=queries)["generation"] > 0
    for row in found["distances"]:
        assert row == sorted(row)


def test_a_spann_collection_is_indexed_as_others_are(client: Any) -> None:
    vectors, queries = sets(SEED + 4)
    collection = client.create_collection(
        "points",
        embedding_function=None,
        configuration={"spann": {"space": "cosine", "search_nprobe": 10}},
    )
    fill(collection, vectors)
    collection.flush()
    assert collection.configuration_json["hnsw"]["space"] == "cosine"
    exact = collection.query(query_embeddings=queries, exact=True)["ids"]
    assert recall(collection.query(query_embeddings=queries)["ids"], exact) >= 0.97
