"""Calls of a million ids: no limit of ours stands in the way.

    python -m rigs.big_calls --records 1000000        from python/tests

One call each adds, gets by id, filters with $in, updates and deletes all records; time and the
largest memory are reported, not judged: what is asserted is every answer.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from chromadb_swift_bindings import _chroma

from .support import PLACE, check, collection_id, directory_byte_count, options

DIMENSION = 4


@contextmanager
def reported(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what}: {time.monotonic() - started:.2f} s, largest memory so far {peak} MiB")


def run(seed: int, record_count: int) -> None:
    ids = [f"record {number}" for number in range(record_count)]
    numbers = np.arange(record_count, dtype=np.float32)
    rows = np.random.default_rng(seed).standard_normal((record_count, DIMENSION), dtype=np.float32)
    # A float32 holds these exactly, and so every vector is the only one of its kind.
    rows[:, 0] = numbers
    with tempfile.TemporaryDirectory(prefix="chroma-big-calls-") as directory:
        engine = _chroma.Engine(directory, False)
        collection = collection_id(engine, "big")
        with reported("add"):
            metadatas = [{"number": number} for number in range(record_count)]
            engine.add(ids, collection, rows, metadatas, None, None, *PLACE)
        read_all(engine, collection, ids, rows)
        engine.close()
        print(f"{directory_byte_count(directory) / (1 << 20):.1f} MiB on disk")

        engine = _chroma.Engine(directory, False)
        with reported("open and count"):
            check(engine.count(collection, *PLACE) == record_count, "records are missing")
        read_all(engine, collection, ids, rows)
        with reported("update"):
            engine.update(collection, ids, rows[::-1].copy(), None, None, None, *PLACE)
        hit = engine.query(collection, None, rows[:1], 1, None, None, [], *PLACE).ids
        check(hit == [ids[-1:]], f"after the update {hit}")
        with reported("delete by id"):
            deleted = engine.delete(collection, ids, None, None, None, *PLACE)
        check(deleted == record_count, f"{deleted} deleted")
        check(engine.count(collection, *PLACE) == 0, "records are left")
        engine.close()


def read_all(engine: _chroma.Engine, collection: str, ids: list[str], rows: np.ndarray) -> None:
    with reported("get by id"):
        found = engine.get(collection, ids[::-1], None, None, 0, None, ["embeddings"], *PLACE)
    check(found.ids == ids, first_difference(ids, found.ids))
    check(np.array_equal(found.embeddings, rows), "other vectors")
    for key, values in {"number": list(range(len(ids))), "absent": ids}.items():
        with reported(f"$in on {key}"):
            where = json.dumps({key: {"$in": values}})
            found = engine.get(collection, None, where, None, 0, None, [], *PLACE)
        expected = ids if key == "number" else []
        check(found.ids == expected, first_difference(expected, found.ids))
    with reported("query among ids"):
        hits = engine.query(collection, ids, rows[-2:], 1, None, None, [], *PLACE).ids
    check(hits == [[ids[-2]], [ids[-1]]], f"the nearest are {hits}")


def first_difference(expected: list[str], found: list[str]) -> str:
    for place, (wanted, present) in enumerate(zip(expected, found)):
        if wanted != present:
            return f"{present!r} at {place}, not {wanted!r}"
    return f"{len(found)} ids, not {len(expected)}"


if __name__ == "__main__":
    chosen = options(__doc__, records=1_000_000)
    run(chosen.seed, chosen.records)
