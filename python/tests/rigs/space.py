"""Space: what is deleted or replaced gives its bytes back, and its text is gone.

    python -m rigs.space --cycles 20 --upserts 1000000 --seed 1        from python/tests

Four histories, each on a directory of its own, with the engine open and left to itself:

  * `churn`: 2,000 records of dimension 384 are deleted and added again, over and over;
  * `upserts`: ten records are replaced over and over;
  * `small`: a hundred collections of one record each, replaced ten times;
  * `marker`: records that carry marked texts and vectors are deleted, replaced, dropped with their
    collection; after `flush()` no piece of a mark is in any file.

The directory must come down to its bound within ten seconds after the last write, by itself: that
is what is promised, and the only clock here. Live bytes are those of ids, documents, uris, metadata
and vectors.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import numpy as np

from chromadb_swift_bindings import _chroma

from .support import (
    MEBIBYTE,
    PLACE,
    check,
    collection_id,
    directory_byte_count,
    files,
    in_child,
    live_byte_count,
    options,
)
from .support import vectors as random_vectors

SETTLING_SECONDS_MAX = 10.0
PIECE_BYTE_COUNT = 12
SMALL_COUNT = 100
TEXT = "the index of a small house by the river keeps what people say of their days"


def settle(directory: str, bound: float, what: str) -> None:
    """Waits until the directory is within its bound."""
    ended = time.monotonic()
    most = size = directory_byte_count(directory)
    while size > bound and time.monotonic() - ended < SETTLING_SECONDS_MAX:
        time.sleep(0.05)
        size = directory_byte_count(directory)
        most = max(most, size)
    print(
        f"{what}: {size:,} bytes after {time.monotonic() - ended:.1f} s, at most {most:,} after "
        f"the last write; the bound is {bound:,.0f}",
        flush=True,
    )
    parts = sorted(((path.stat().st_size, path.name) for path in files(directory)), reverse=True)
    check(size <= bound, f"{what}: {size:,} bytes, allowed are {bound:,.0f}: {parts[:6]}")


def churn(directory: str, seed: int, cycle_count: int, record_count: int) -> None:
    source = random.Random(seed)
    engine = _chroma.Engine(directory, False)
    collection = collection_id(engine, "churn")
    ids = [f"record-{number}" for number in range(record_count)]
    largest = 0
    for cycle in range(cycle_count):
        if cycle > 0:
            engine.delete(collection, ids, None, None, None, *PLACE)
        rows = random_vectors(source, record_count, 384)
        documents = [" ".join(source.choices(TEXT.split(), k=60)) for _ in ids]
        metadatas = [{"cycle": cycle, "number": number} for number in range(record_count)]
        engine.add(ids, collection, rows, metadatas, documents, None, *PLACE)
        largest = max(largest, directory_byte_count(directory))
    live = live_byte_count(ids, rows, documents, (), metadatas)
    print(f"live: {live:,} bytes; the directory at its largest: {largest:,}")
    settle(directory, 1.5 * live + MEBIBYTE, f"{cycle_count} cycles")
    found = engine.get(collection, None, None, None, 0, None, ["documents", "embeddings"], *PLACE)
    check(found.ids == ids and found.documents == documents, "other records")
    check(np.array_equal(found.embeddings, rows), "other vectors")

    engine.delete(collection, ids[::2], None, None, None, *PLACE)
    live = live_byte_count(ids[1::2], rows[1::2], documents[1::2], (), metadatas[1::2])
    settle(directory, 1.5 * live + MEBIBYTE, "every other record deleted")
    engine.delete(collection, ids, None, None, None, *PLACE)
    settle(directory, MEBIBYTE, "all deleted")
    engine.delete_collection("churn", *PLACE)
    settle(directory, MEBIBYTE, "the collection deleted")
    engine.close()


def upserts(directory: str, seed: int, upsert_count: int) -> None:
    """Calls of ten records each, as many as make up the number of upserts."""
    source = random.Random(seed)
    engine = _chroma.Engine(directory, False)
    collection = collection_id(engine, "upserts")
    ids = [f"record-{number}" for number in range(10)]
    largest = 0
    for call in range(upsert_count // len(ids)):
        rows = random_vectors(source, len(ids), 32)
        documents = [f"{call} {i} " + "x" * 200 for i in ids]
        engine.upsert(collection, ids, rows, None, documents, None, *PLACE)
        if call % 100 == 0:
            largest = max(largest, directory_byte_count(directory))
    live = live_byte_count(ids, rows, documents)
    print(f"live: {live:,} bytes; the directory at its largest: {largest:,}")
    settle(directory, MEBIBYTE + live, f"{upsert_count:,} upserts of {len(ids)} records")
    found = engine.get(collection, None, None, None, 0, None, ["documents", "embeddings"], *PLACE)
    check(found.ids == ids and found.documents == documents, "other records")
    check(np.array_equal(found.embeddings, rows), "other vectors")
    engine.close()


def small(directory: str, seed: int, collection_count: int) -> None:
    """Many collections, each too small for anything to be due: one record, replaced ten times."""
    engine = _chroma.Engine(directory, False)
    source, live = random.Random(seed), 0
    for number in range(collection_count):
        collection = collection_id(engine, f"small-{number}")
        for _ in range(10):
            rows, document = random_vectors(source, 1, 32), f"{source.getrandbits(40_000):x}"
            engine.upsert(collection, ["only"], rows, None, [document], None, *PLACE)
        live += live_byte_count(["only"], rows, [document])
    print(f"live: {live:,} bytes; the directory: {directory_byte_count(directory):,}")
    settle(directory, 1.5 * live + MEBIBYTE, f"{collection_count} collections of one record")
    engine.close()


class Marks:
    """Byte strings that occur nowhere by chance, and where they are found."""

    def __init__(self, seed: int):
        self.source = random.Random(seed)
        self.bytes: dict[str, bytes] = {}

    def text(self, name: str) -> str:
        text = "".join(self.source.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=48))
        self.bytes[name] = text.encode()
        return text

    def vector(self, name: str) -> np.ndarray:
        row = random_vectors(self.source, 1, 64)
        self.bytes[name] = row.tobytes()
        return row

    def found(self, directory: str) -> dict[str, str]:
        """The marks of which any piece is in any file, and which file that is."""
        places = {}
        for path in files(directory):
            contents = path.read_bytes()
            for name, mark in self.bytes.items():
                starts = range(0, len(mark) - PIECE_BYTE_COUNT + 1)
                if any(mark[start : start + PIECE_BYTE_COUNT] in contents for start in starts):
                    places[name] = path.name
        return places


def marker(directory: str, seed: int) -> None:
    marks, source = Marks(seed), random.Random(seed + 1)
    engine = _chroma.Engine(directory, False)

    def add(collection: str, name: str, companions: int) -> None:
        """One record that carries marks among others."""
        identity = collection_id(engine, collection)
        ids = [f"{name} {number}" for number in range(companions)] + [marks.text(f"id, {name}")]
        rows = np.concatenate(
            [random_vectors(source, companions, 64), marks.vector(f"vector, {name}")]
        )
        texts = [f"companion {source.random()}"] * companions
        documents = [*texts, marks.text(f"document, {name}")]
        metadatas = [{"kind": "companion"}] * companions
        metadatas += [{"text": marks.text(f"value, {name}"), marks.text(f"key, {name}"): 1}]
        uris = [*texts, marks.text(f"uri, {name}")]
        engine.add(ids, identity, rows, metadatas, documents, uris, *PLACE)

    def last(name: str) -> list[str]:
        return [marks.bytes[f"id, {name}"].decode()]

    def delete(collection: str, name: str) -> None:
        identity = collection_id(engine, collection)
        engine.delete(identity, last(name), None, None, None, *PLACE)

    # In rows of the log, in blobs of it, and in segments small and large.
    for collection, companions in {"small": 5, "large": 1000}.items():
        add(collection, f"{collection}, in a segment", companions)
    engine.flush()
    for collection, companions in {"small": 5, "large": 1000}.items():
        add(collection, f"{collection}, in the log", companions)
        add(collection, f"{collection}, replaced", companions)
    dropped = marks.text("name of a collection")
    add(dropped, "dropped", 1000)
    before = marks.found(directory)
    # Documents may be compressed by now; what is not must be found, or this search finds nothing.
    unseen = [name for name in marks.bytes if name.startswith(("id", "vector", "name"))]
    unseen = [name for name in unseen if name not in before]
    check(not unseen, f"not found while they are there: {unseen}")

    for collection in ("small", "large"):
        delete(collection, f"{collection}, in a segment")
        delete(collection, f"{collection}, in the log")
        name, identity = f"{collection}, replaced", collection_id(engine, collection)
        engine.upsert(identity, last(name), np.zeros((1, 64), np.float32),
                      [{"text": "new", marks.bytes[f"key, {name}"].decode(): None}],
                      ["new"], ["new"], *PLACE)  # fmt: skip
        del marks.bytes[f"id, {name}"]
    engine.delete_collection(dropped, *PLACE)
    engine.flush()
    after = marks.found(directory)
    print(
        f"{len(before)} of {len(marks.bytes)} marks were in the files; after flush() {len(after)}"
    )
    check(not after, f"still there: {after}")
    for collection, count in {"small": 16, "large": 3001}.items():
        found = engine.count(collection_id(engine, collection), *PLACE)
        check(found == count, f"{collection} holds {found} records, not {count}")
    engine.close()
    check(not marks.found(directory), "closing wrote what had been deleted")


def run(seed: int, cycles: int, records: int, upsert_count: int, part: str) -> None:
    parts = {
        "churn": lambda directory: churn(directory, seed, cycles, records),
        "upserts": lambda directory: upserts(directory, seed, upsert_count),
        "small": lambda directory: small(directory, seed, SMALL_COUNT),
        "marker": lambda directory: marker(directory, seed),
    }
    for name in [part] if part else parts:
        print(name, flush=True)
        with tempfile.TemporaryDirectory(prefix="chroma-space-") as directory:
            in_child(lambda name=name, place=directory: parts[name](place), name, seconds_max=3600)
            check(Path(directory, "chroma.db").exists(), "nothing was written")


if __name__ == "__main__":
    chosen = options(__doc__, cycles=20, records=2000, upserts=1_000_000, part="")
    run(chosen.seed, chosen.cycles, chosen.records, chosen.upserts, chosen.part)
