"""One side of a comparison: does what it is told on its interpreter's `chromadb`, and measures.

Reads one JSON request a line from standard input, {"step": NAME, "round": N, ...}, and answers with
{"cpu": seconds, "wall": seconds, ...}. CPU is of the whole process, its native threads included.
The data come from a folder that `make demo` leaves: embeddings.npy and records.json.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

started = time.process_time()
import numpy as np  # noqa: E402

import chromadb  # noqa: E402  Its import is one of the things measured, with numpy, which it needs.

imported = time.process_time()

BATCH_SIZE = 1000
QUERY_COUNT = 20
RESULT_COUNT = 10


class Side:
    """A collection in a directory of its own, and the steps of the comparison."""

    def __init__(self, data: Path, directory: Path, count: int) -> None:
        self.directory = directory
        self.embeddings = np.load(data / "embeddings.npy")[:count]
        self.records = json.loads((data / "records.json").read_text())[:count]
        self.open()
        self.collection = self.client.create_collection(
            "glosses", embedding_function=None, metadata={"hnsw:space": "cosine"}
        )

    def open(self) -> None:
        self.client = chromadb.PersistentClient(path=str(self.directory))

    def add(self, round_: int) -> None:
        first = round_ * BATCH_SIZE
        rows = self.records[first : first + BATCH_SIZE]
        self.collection.add(
            ids=[row[0] for row in rows],
            documents=[row[1] for row in rows],
            metadatas=[row[2] for row in rows],
            embeddings=self.embeddings[first : first + BATCH_SIZE],
        )

    def add_one(self, round_: int) -> None:
        self.collection.upsert(
            ids=[f"one-{round_}"],
            documents=["a single record"],
            metadatas=[{"lemma": "one"}],
            embeddings=self.embeddings[round_ : round_ + 1],
        )

    def queries(self, round_: int) -> np.ndarray:
        chosen = random.Random(round_).sample(range(len(self.embeddings)), QUERY_COUNT)
        return self.embeddings[chosen]

    def query(self, round_: int) -> None:
        for vector in self.queries(round_):
            self.collection.query(query_embeddings=[vector], n_results=RESULT_COUNT)

    def query_where(self, round_: int, selectivity: str) -> None:
        # Another operand in every query, so that no cache of plans or results can help.
        chance = random.Random(round_)
        for vector in self.queries(round_):
            where: dict[str, Any]
            if selectivity == "half":
                where = {"synset_offset": {"$gt": chance.randint(6_000_000, 9_000_000)}}
            else:
                where = {"pointer_count": chance.randint(12, 20)}
            self.collection.query(query_embeddings=[vector], n_results=RESULT_COUNT, where=where)

    def query_document(self, round_: int) -> None:
        words = random.Random(round_).choices(
            ["water", "light", "music", "plant", "small"], k=QUERY_COUNT
        )
        for vector, word in zip(self.queries(round_), words, strict=True):
            self.collection.query(
                query_embeddings=[vector],
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
        self.collection.query(query_embeddings=self.embeddings[:1], n_results=RESULT_COUNT)

    def answers(self) -> list[list[str]]:
        """What both sides are compared by: their neighbours of the same vectors."""
        result = self.collection.query(
            query_embeddings=list(self.queries(4711)), n_results=RESULT_COUNT, include=[]
        )
        ids: list[list[str]] = result["ids"]
        return ids

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
            value = getattr(side, step)(*request.values())
            answer = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
            if value is not None:
                answer["value"] = value
        print(json.dumps(answer), flush=True)
    side.client.close()
    os._exit(0)  # Interpreters that take long to end would be measured as the other side.


if __name__ == "__main__":
    main()
