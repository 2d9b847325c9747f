"""Another library's index, driven by `index.py`: the same lines as Benchmarks/Index/main.swift.

    index_peer.py NAME VECTORS QUERIES COUNT

    build THREADS          -> CPU-SECONDS WALL-SECONDS
    query EF FIRST COUNT   -> CPU-SECONDS WALL-SECONDS ROW ROW …

Vectors are of unit length, the space is cosine; a query's answer is ten rows, on one thread.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from typing import Any

import numpy as np

MAX_NEIGHBORS = 16
EF_CONSTRUCTION = 100
RESULT_COUNT = 10


class Hnswlib:
    """HNSW over float32, as official Chroma has inside."""

    def build(self, vectors: np.ndarray, thread_count: int) -> None:
        import hnswlib

        self.index = hnswlib.Index(space="cosine", dim=vectors.shape[1])
        self.index.init_index(len(vectors), ef_construction=EF_CONSTRUCTION, M=MAX_NEIGHBORS)
        self.index.add_items(vectors, num_threads=thread_count)

    def query(self, queries: np.ndarray, ef: int) -> Any:
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=RESULT_COUNT, num_threads=1)[0]


class Glass:
    """HNSW searched by 8-bit codes, the best of the pool measured again in float32.

    In l2 space, which orders vectors of unit length as cosine does."""

    def build(self, vectors: np.ndarray, thread_count: int) -> None:
        import glass

        glass.set_num_threads(thread_count)
        index = glass.Index("HNSW", "L2", "FP32", R=2 * MAX_NEIGHBORS, L=EF_CONSTRUCTION)
        self.graph = index.build(vectors)
        self.vectors = vectors  # The searcher refers to them.
        self.searcher = glass.Searcher(self.graph, vectors, "L2", "SQ8U", "FP32")

    def query(self, queries: np.ndarray, ef: int) -> Any:
        self.searcher.set_ef(ef)
        answer = self.searcher.batch_search(queries, RESULT_COUNT, 1)
        return answer[0] if isinstance(answer, tuple) else answer


class Chromadb:
    """A whole collection of official Chroma: what its index costs with all that is around it."""

    BATCH_SIZE = 5000

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="chroma-index-")

    def build(self, vectors: np.ndarray, thread_count: int) -> None:
        import chromadb

        settings = {"max_neighbors": MAX_NEIGHBORS, "ef_construction": EF_CONSTRUCTION}
        self.client = chromadb.PersistentClient(path=self.folder)
        self.collection = self.client.create_collection(
            f"vectors-{time.monotonic_ns()}",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "num_threads": thread_count, **settings}},
        )
        for start in range(0, len(vectors), self.BATCH_SIZE):
            rows = vectors[start : start + self.BATCH_SIZE]
            ids = [str(start + row) for row in range(len(rows))]
            self.collection.add(ids=ids, embeddings=rows)

    def query(self, queries: np.ndarray, ef: int) -> Any:
        # Its `ef_search` cannot be changed in an open collection: it is always the default, 100.
        answer = self.collection.query(
            query_embeddings=queries, n_results=RESULT_COUNT, include=["distances"]
        )
        return [[int(id_) for id_ in ids] for ids in answer["ids"]]


def main() -> None:
    name, vectors_file, queries_file, count = sys.argv[1:]
    vectors = np.array(np.load(vectors_file, mmap_mode="r")[: int(count)])
    queries = np.load(queries_file)
    peer = {"hnswlib": Hnswlib, "glass": Glass, "chromadb": Chromadb}[name]()
    for line in sys.stdin:
        command, *arguments = line.split()
        numbers = [int(argument) for argument in arguments]
        rows: Any = []
        cpu, wall = time.process_time(), time.perf_counter()
        if command == "build":
            peer.build(vectors, numbers[0])
        else:
            ef, first, query_count = numbers
            rows = peer.query(queries[first : first + query_count], ef)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print("answer", cpu, wall, *np.asarray(rows).ravel().tolist(), flush=True)
    if isinstance(peer, Chromadb):
        shutil.rmtree(peer.folder, ignore_errors=True)
    os._exit(0)  # Ending takes some interpreters long, and would be measured as the next side.


if __name__ == "__main__":
    main()
