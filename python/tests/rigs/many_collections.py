"""Thousands of collections in a process that may hold few descriptors, and opening over and over.

    python -m rigs.many_collections --collections 10000 --cycles 1000     from python/tests

A child under `ulimit -n 128` adds, gets and queries in every collection, one in BLOB_EVERY of which
is large enough for files of its own; another child opens what the first one left and does so again.
Then one process opens, uses and closes the directory over and over: its threads, descriptors,
mappings and memory must stay what they were.
"""

from __future__ import annotations

import random
import resource
import tempfile

import numpy as np

from chromadb_swift_bindings import _chroma

from .support import MEBIBYTE, PLACE, check, collection_id, in_child, options, process_figures
from .support import vectors as random_vectors

DESCRIPTOR_COUNT_MAX = 128
BLOB_EVERY = 50
SMALL, LARGE = 4, 400
DIMENSION = 64
#: Cycles before the first measurement, by when everything that is made once has been made.
WARM_UP_COUNT = 20
#: By how much a process may differ at its last cycle from what it was after the first ones.
SLACK = {"threads": 0, "descriptors": 0, "mappings": 8, "resident bytes": 4 * MEBIBYTE}


def records(seed: int, number: int) -> tuple[list[str], np.ndarray]:
    count = LARGE if number % BLOB_EVERY == 0 else SMALL
    ids = [f"{number}-{row}" for row in range(count)]
    return ids, random_vectors(random.Random(f"{seed}/{number}"), count, DIMENSION)


def name(number: int) -> str:
    return f"collection-{number}"


def limit_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTOR_COUNT_MAX, DESCRIPTOR_COUNT_MAX))


def use_all(directory: str, seed: int, collection_count: int, fill: bool) -> None:
    """Every collection in some order: fills it if asked to, and looks whether all is there."""
    limit_descriptors()
    engine = _chroma.Engine(directory, False)
    numbers = list(range(collection_count))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        collection = collection_id(engine, name(number))
        ids, rows = records(seed, number)
        if fill:
            engine.add(ids, collection, rows, None, ids, None, *PLACE)
        look(engine, collection, ids, rows)
    check(engine.count_collections(*PLACE) == collection_count, "collections are missing")
    print("opened again:" if not fill else "filled:", process_figures(), flush=True)
    engine.close()


def look(engine: _chroma.Engine, collection: str, ids: list[str], rows: np.ndarray) -> None:
    check(engine.count(collection, *PLACE) == len(ids), f"{ids[0]}: another count")
    found = engine.get(collection, None, None, None, 0, None, ["documents", "embeddings"], *PLACE)
    check(found.ids == ids and found.documents == ids, f"{ids[0]}: other records")
    check(np.array_equal(found.embeddings, rows), f"{ids[0]}: other vectors")
    hits = engine.query(collection, None, rows[-1:], 1, None, None, [], *PLACE).ids
    check(hits == [ids[-1:]], f"{ids[0]}: {ids[-1]} is not found by its vector")


def open_and_close(directory: str, seed: int, collection_count: int, cycle_count: int) -> None:
    """Opens, reads, writes and closes; every other time by dropping the last reference."""
    limit_descriptors()
    source = random.Random(seed)
    before: dict[str, int] = {}
    for cycle in range(cycle_count):
        if cycle == WARM_UP_COUNT:
            before = process_figures()
        engine = _chroma.Engine(directory, False)
        number = source.randrange(collection_count)
        collection = collection_id(engine, name(number))
        ids, rows = records(seed, number)
        look(engine, collection, ids, rows)
        engine.upsert(collection, ids[:1], rows[:1], None, ids[:1], None, *PLACE)
        if cycle % 2:
            engine.close()
        del engine
    after = process_figures()
    print(f"{cycle_count} cycles: {before}, then {after}", flush=True)
    grown = [key for key, most in SLACK.items() if after[key] - before[key] > most]
    check(not grown, f"{', '.join(grown)} grew")


def run(seed: int, collection_count: int, cycle_count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="chroma-many-collections-") as directory:
        for what, action in {
            "filling": lambda: use_all(directory, seed, collection_count, fill=True),
            "reading": lambda: use_all(directory, seed, collection_count, fill=False),
            "cycling": lambda: open_and_close(directory, seed, collection_count, cycle_count),
        }.items():
            in_child(action, what, seconds_max=1800)


if __name__ == "__main__":
    chosen = options(__doc__, collections=10_000, cycles=1000)
    run(chosen.seed, chosen.collections, chosen.cycles)
