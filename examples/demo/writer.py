"""The process that is killed: adds batch after batch, and says so after each one that is stored.

    python writer.py FOLDER FIRST_BATCH

Prints one line when it has opened the collection, with the milliseconds it took, the number of
records, and how many records of the first batch are there already. Then it writes a batch for each
line of its input, and prints the batch's number once `add` has returned. What it has printed is
acknowledged, so it must be there whatever happens.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from job import Job


def main(folder: Path, first_batch: int) -> None:
    job = Job.load(folder)
    records, embeddings = job.records(), job.embeddings()

    begin = time.perf_counter()
    _client, collection = job.open_collection()
    count = collection.count()
    milliseconds = (time.perf_counter() - begin) * 1000
    ids = [record.id for record in records[job.rows_of_batch(first_batch)]]
    print(f"{milliseconds:.1f} {count} {len(collection.get(ids=ids)['ids'])}", flush=True)

    for batch, _ in zip(range(first_batch, job.batch_count), sys.stdin):
        rows = job.rows_of_batch(batch)
        collection.add(
            ids=[record.id for record in records[rows]],
            embeddings=embeddings[rows],
            documents=[record.document for record in records[rows]],
            metadatas=[record.metadata for record in records[rows]],
        )
        print(batch, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
