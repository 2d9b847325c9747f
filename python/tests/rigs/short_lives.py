"""Short lives: thousands of processes, each of which adds a few records and is killed.

    python -m rigs.short_lives --lives 5000 --seed 1        from python/tests

Nobody lives long enough to tidy up at leisure, so whoever writes must keep the log short. The rig
asserts, of quantities that do not depend on the machine's speed:

  * the tail (rows and bytes of the log, read by another SQLite) is not longer in the second half
    of the lives than it was in the first;
  * so are the bytes that a process reads before its first answer, and the number of blobs;
  * every record is there at the end, found by its own vector.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import struct
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chromadb_swift_bindings import _chroma

from .support import (
    PLACE,
    check,
    collection_id,
    fast_folder,
    fork,
    in_child,
    options,
    read_byte_count,
    vectors,
)

RECORD_COUNT = 20
DIMENSION = 16
REPORT = struct.Struct("=qqq")


class Life(NamedTuple):
    tail_row_count: int
    tail_byte_count: int
    blob_count: int
    read_byte_count: int
    nanoseconds: int


def identifiers(life: int) -> list[str]:
    return [f"{life}-{number}" for number in range(RECORD_COUNT)]


def embeddings(seed: int, life: int) -> np.ndarray:
    return vectors(random.Random(f"{seed}/{life}"), RECORD_COUNT, DIMENSION)


def live(directory: str, seed: int, life: int, report: int) -> None:
    """Opens, asks, adds, says so, and waits to be killed."""
    before, started = read_byte_count(), time.monotonic_ns()
    engine = _chroma.Engine(directory, False)
    collection = collection_id(engine, "lives")
    count = engine.count(collection, *PLACE)
    if life > 0:
        first = engine.get(collection, ["0-0"], None, None, 0, None, [], *PLACE)
        check(first.ids == ["0-0"], "the first record is gone")
    ended, after = time.monotonic_ns(), read_byte_count()
    rows = embeddings(seed, life)
    engine.add(identifiers(life), collection, rows, None, None, None, *PLACE)
    os.write(report, REPORT.pack(count, after - before, ended - started))
    signal.pause()


def one_life(directory: str, seed: int, life: int) -> Life:
    reader, writer = os.pipe()
    child = fork(lambda: live(directory, seed, life, writer))
    os.close(writer)
    said = os.read(reader, REPORT.size)
    os.close(reader)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    check(len(said) == REPORT.size, f"life {life} ended by itself")
    count, read_byte_count, nanoseconds = REPORT.unpack(said)
    check(count == life * RECORD_COUNT, f"life {life} found {count} records")
    blob_count = sum(1 for path in Path(directory, "blobs").rglob("*") if path.is_file())
    return Life(*tail(directory), blob_count, read_byte_count, nanoseconds)


def tail(directory: str) -> tuple[int, int]:
    """Rows and bytes of the log, as a SQLite that is not ours sees them."""
    connection = sqlite3.connect(f"file:{directory}/chroma.db?mode=ro", uri=True)
    try:
        return connection.execute(
            "SELECT count(*), ifnull(sum(ifnull(blob_byte_count, length(payload))), 0) FROM log"
        ).fetchone()
    finally:
        connection.close()


def find_all(directory: str, seed: int, life_count: int) -> None:
    engine = _chroma.Engine(directory, False)
    collection = collection_id(engine, "lives")
    found = engine.get(collection, None, None, None, 0, None, ["embeddings"], *PLACE)
    expected = [i for life in range(life_count) for i in identifiers(life)]
    check(found.ids == expected, f"{len(found.ids)} records, not {len(expected)}")
    for life in range(life_count):
        rows = embeddings(seed, life)
        start = life * RECORD_COUNT
        check(
            np.array_equal(found.embeddings[start : start + RECORD_COUNT], rows),
            f"other vectors of life {life}",
        )
        if life % max(1, life_count // 100) == 0:
            hits = engine.query(collection, None, rows, 1, None, None, [], *PLACE).ids
            check(hits == [[i] for i in identifiers(life)], f"life {life} is not found: {hits}")
    engine.close()


def run(seed: int, life_count: int) -> list[Life]:
    with tempfile.TemporaryDirectory(prefix="chroma-short-lives-", dir=fast_folder()) as directory:
        lives = []
        for life in range(life_count):
            lives.append(one_life(directory, seed, life))
            if (life + 1) % max(1, life_count // 10) == 0:
                print(f"{life + 1} lives: {lives[-1]}", flush=True)
        in_child(lambda: find_all(directory, seed, life_count), "the last check")
    judge(lives)
    return lives


def judge(lives: list[Life]) -> None:
    half = len(lives) // 2
    failures = []
    for column, name in enumerate(Life._fields):
        first = max(life[column] for life in lives[:half])
        last = max(life[column] for life in lives[half:])
        print(f"{name}: at most {first} in the first half, {last} in the second")
        # Ids and counts get a digit longer, and a segment has a header.
        if name != "nanoseconds" and last > first * 1.25 + SLACK[name]:
            failures.append(f"{name} grew from {first} to {last}")
    check(not failures, "; ".join(failures))


SLACK = {"tail_row_count": 2, "tail_byte_count": 4096, "blob_count": 16, "read_byte_count": 65536}


if __name__ == "__main__":
    chosen = options(__doc__, lives=5000)
    run(chosen.seed, chosen.lives)
