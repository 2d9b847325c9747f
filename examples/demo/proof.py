"""The proof: a new process opens what the killed ones left, and looks for every record.

    python proof.py FOLDER ACKNOWLEDGED_BATCHES

`ACKNOWLEDGED_BATCHES` is how many batches were acknowledged behind the records stored at first; the
batch after them was being written when the last process was killed, and is there whole or not at
all. Prints what it found, writes `proof.json`, and exits with 1 if anything is missing or wrong.

A record is found by its own vector if it is among the first 1 + n results, where n is the number of
other records at its distance or nearer: equal glosses have equal vectors.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import wordnet
from job import KILLED_BATCH_SIZE, Job, Progress

PAGE_SIZE = 1000
QUERY_COUNT = 100

# Of a distance computed in float32: what counts as equal.
DISTANCE_ERROR = 1e-5


class Failed(Exception):
    """What is not as it must be, in one sentence."""


def prove(folder: Path, acknowledged_batches: int) -> dict[str, Any]:
    job = Job.load(folder)
    records, embeddings = job.records(), job.embeddings()

    begin = time.perf_counter()
    _client, collection = job.open_collection()
    count = collection.count()
    open_seconds = time.perf_counter() - begin

    acknowledged = job.stored_count + acknowledged_batches * KILLED_BATCH_SIZE
    if count not in (acknowledged, acknowledged + KILLED_BATCH_SIZE):
        raise Failed(f"{count:,} records are there, and {acknowledged:,} were acknowledged.")
    in_flight = "was stored whole" if count > acknowledged else "left nothing"
    print(
        f"    opened in {open_seconds * 1000:.0f} ms with {count:,} records: {acknowledged:,} were "
        f"acknowledged, and the batch that was cut short {in_flight}",
        flush=True,
    )

    records, embeddings = records[:count], embeddings[:count]
    compare(collection, records, embeddings)
    begin = time.perf_counter()
    tied = find_by_own_vector(collection, records, embeddings)
    return {
        "count": count,
        "acknowledged": acknowledged,
        "open_seconds": open_seconds,
        "find_seconds": time.perf_counter() - begin,
        "tied": tied,
    }


def compare(collection: Any, records: Sequence[wordnet.Record], embeddings: np.ndarray) -> None:
    """Raises unless every record is there with its document, metadata and exact vector."""
    progress = Progress("records compared", len(records))
    for start in range(0, len(records), PAGE_SIZE):
        page = records[start : start + PAGE_SIZE]
        got = collection.get(
            ids=[record.id for record in page], include=["documents", "metadatas", "embeddings"]
        )
        rows = {id: row for row, id in enumerate(got["ids"])}
        for index, record in enumerate(page, start):
            row = rows.get(record.id)
            if row is None:
                raise Failed(f"Record {record.id} ({record.metadata['lemma']}) is missing.")
            if got["documents"][row] != record.document:
                raise Failed(f"Record {record.id} has another document.")
            if got["metadatas"][row] != record.metadata:
                raise Failed(f"Record {record.id} has other metadata: {got['metadatas'][row]}.")
            if not np.array_equal(got["embeddings"][row], embeddings[index]):
                raise Failed(f"Record {record.id} has another vector.")
        progress.show(start + len(page))


def find_by_own_vector(
    collection: Any, records: Sequence[wordnet.Record], embeddings: np.ndarray
) -> int:
    """Raises unless every record is found by its own vector; returns how many needed more than one
    result for it."""
    progress = Progress("records found by their own vector", len(records))
    tied = 0
    for start in range(0, len(records), QUERY_COUNT):
        queries = embeddings[start : start + QUERY_COUNT]
        first = collection.query(query_embeddings=queries, n_results=1, include=[])["ids"]
        for index, ids in enumerate(first, start):
            if ids[0] != records[index].id:
                find_among_ties(collection, records[index], embeddings, index)
                tied += 1
        progress.show(start + len(queries))
    return tied


def find_among_ties(
    collection: Any, record: wordnet.Record, embeddings: np.ndarray, index: int
) -> None:
    # The vectors have length 1, so their products are the cosines.
    distances = 1 - embeddings @ embeddings[index]
    others = int((distances <= distances[index] + DISTANCE_ERROR).sum()) - 1
    found = collection.query(
        query_embeddings=embeddings[index : index + 1], n_results=1 + others, include=[]
    )["ids"][0]
    if record.id not in found:
        raise Failed(f"Record {record.id} is not among the {1 + others} nearest to its own vector.")


def main(folder: Path, acknowledged_batches: int) -> int:
    try:
        result = prove(folder, acknowledged_batches)
    except Failed as failure:
        print(f"    FAILED: {failure}", flush=True)
        return 1
    (folder / "proof.json").write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
