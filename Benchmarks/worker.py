"""One side of a comparison: does what it is told on its interpreter's `chromadb`, and measures.

Reads one JSON request a line from standard input, {"step": NAME, "round": N, ...}, and answers with
{"cpu": seconds, "wall": seconds, ...}. CPU is of the whole process, its native threads included.
The data are those that `prepare.py` leaves.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

started = time.process_time()
import numpy as np  # noqa: E402

import chromadb  # noqa: E402  Its import is one of the things measured, with numpy, which it needs.

imported = time.process_time()

from dataset import RESULT_COUNT, Dataset  # noqa: E402

BATCH_SIZE = 1000
QUERY_COUNT = 20
BUSY_COUNT = 20_000
CONFIGURATION = {
    "hnsw": {"space": "cosine", "max_neighbors": 16, "ef_construction": 100, "ef_search": 100}
}


class Side:
    """A collection in a directory of its own, and the steps of the comparison."""

    def __init__(self, data: Path, directory: Path, count: int) -> None:
        self.directory = directory
        self.data = Dataset(data, count)
        self.vectors = np.asarray(self.data.vectors)
        self.records = self.data.records()
        self.open()
        self.collection = self.create("glosses")

    def open(self) -> None:
        self.client = chromadb.PersistentClient(path=str(self.directory))

    def create(self, name: str) -> Any:
        return self.client.create_collection(
            name, embedding_function=None, configuration=CONFIGURATION
        )

    def add(self, round_: int) -> None:
        self.add_batch(self.collection, round_)

    def add_batch(self, collection: Any, round_: int) -> None:
        first = round_ * BATCH_SIZE
        rows = self.records[first : first + BATCH_SIZE]
        collection.add(
            ids=[row[0] for row in rows],
            documents=[row[1] for row in rows],
            metadatas=[row[2] for row in rows],
            embeddings=self.vectors[first : first + BATCH_SIZE],
        )

    def finish(self, collection: Any = None) -> None:
        """Until everything is indexed: ours is asked to. Official indexes what it is given, but for
        the last records, which its next query reads."""
        collection = collection or self.collection
        if hasattr(collection, "flush"):
            collection.flush()
        collection.query(query_embeddings=self.data.queries[:1], n_results=1)

    def add_one(self, round_: int) -> None:
        self.collection.upsert(
            ids=[f"one-{round_}"],
            documents=["a single record"],
            metadatas=[{"lemma": "one", "bucket": -1}],
            embeddings=self.data.queries[round_ : round_ + 1],
        )

    def delete_ones(self, round_: int) -> None:
        self.collection.delete(where={"bucket": -1})

    def query(self, rows: list[int], wheres: list[Any]) -> list[list[str]]:
        """The ids of the neighbours of these queries, each with its own filter, so that no cache of
        plans or results can help."""
        answers = []
        for row, where in zip(rows, wheres, strict=True):
            result = self.collection.query(
                query_embeddings=self.data.queries[row : row + 1],
                n_results=RESULT_COUNT,
                where=where,
            )
            answers.append(result["ids"][0])
        return answers

    def query_document(self, round_: int) -> None:
        words = random.Random(round_).choices(
            ["water", "light", "music", "plant", "small"], k=QUERY_COUNT
        )
        for row, word in enumerate(words):
            self.collection.query(
                query_embeddings=self.data.queries[row : row + 1],
                n_results=RESULT_COUNT,
                where_document={"$contains": word},
            )

    def get(self, round_: int) -> None:
        for index in random.Random(round_).sample(range(len(self.records)), QUERY_COUNT):
            self.collection.get(ids=[self.records[index][0]])

    def count(self, round_: int) -> None:
        for _ in range(QUERY_COUNT):
            self.collection.count()

    def reopen(self, round_: int) -> None:
        self.client.close()
        self.open()
        self.collection = self.client.get_collection("glosses", embedding_function=None)
        self.collection.query(query_embeddings=self.data.queries[:1], n_results=RESULT_COUNT)

    def busy(self) -> list[float]:
        """The seconds of each query while another thread fills the same collection and has it
        indexed."""
        collection = self.create("busy")
        self.add_batch(collection, 0)

        def fill() -> None:
            for round_ in range(1, min(BUSY_COUNT, len(self.records)) // BATCH_SIZE):
                self.add_batch(collection, round_)
            self.finish(collection)

        thread = threading.Thread(target=fill)
        thread.start()
        times = []
        while thread.is_alive():
            row = len(times) % len(self.data.queries)
            begin = time.perf_counter()
            collection.query(
                query_embeddings=self.data.queries[row : row + 1], n_results=RESULT_COUNT
            )
            times.append(time.perf_counter() - begin)
        thread.join()
        return times

    def byte_count(self) -> int:
        return sum(file.stat().st_size for file in self.directory.rglob("*") if file.is_file())


def main() -> None:
    data, directory, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    side = Side(data, directory, count)
    for line in sys.stdin:
        request = json.loads(line)
        step = request.pop("step")
        cpu, wall = time.process_time(), time.perf_counter()
        if step == "import":
            answer: dict[str, Any] = {"cpu": imported - started, "wall": imported - started}
        else:
            value = getattr(side, step)(**request)
            answer = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
            if value is not None:
                answer["value"] = value
        print(json.dumps(answer), flush=True)
    side.client.close()
    os._exit(0)  # Interpreters that take long to end would be measured as the other side.


if __name__ == "__main__":
    main()
