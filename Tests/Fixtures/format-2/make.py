"""Writes the directories beside this script, and what they must read as.

    python make.py        with the `chromadb` of a release that writes format 2

A process writes `closed` and closes it. Another one writes the same to `killed`, and is killed: the
WAL still holds most of it. They hold what those of format 1 do, and segments: one in the catalog
and one in a blob, with dead rows and a log after each, and two that were merged. `expected.json`
holds every collection of both, in its records' order, worked out and not read back.

The tests that read them are those that read format 1. They are never written again: a later release
reads what this one wrote.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

spec = importlib.util.spec_from_file_location("format_1", HERE.parent / "format-1/make.py")
format_1 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(format_1)
Recorder, vector = format_1.Recorder, format_1.vector


def write_segments(client: Any) -> list[Recorder]:
    """Collections that are more than their log."""
    merged = Recorder(client, "merged-segments", configuration={"hnsw": {"space": "ip"}})
    ids = [f"merged {number}" for number in range(60)]
    merged.add(ids[:50], embeddings=[vector(number, 8) for number in range(50)])
    merged.collection.flush()
    merged.delete(ids[:40])
    merged.upsert(ids[45:60], embeddings=[vector(number, 8) for number in range(200, 215)])
    merged.collection.compact()

    small = Recorder(client, "small-segment")
    ids = [f"small {number}" for number in range(40)]
    small.add(
        ids,
        embeddings=[vector(number, 8) for number in range(40)],
        documents=[f"document {number}" if number % 3 else None for number in range(40)],
        uris=[f"uri {number}" if number % 5 == 0 else None for number in range(40)],
        metadatas=[{"n": number, "kind": "a" if number % 2 else "b"} for number in range(40)],
    )
    small.collection.flush()
    small.delete(ids[5:9])
    small.update(ids[:2], embeddings=[vector(100, 8), vector(101, 8)], metadatas=[{"n": -1}, None])
    small.collection.flush()
    small.delete(ids[20:22])
    small.add(["after"], embeddings=[vector(102, 8)], documents=["in the log"])

    large = Recorder(client, "large-segment", configuration={"hnsw": {"space": "cosine"}})
    ids = [f"large {number}" for number in range(280)]
    large.add(
        ids,
        embeddings=[vector(number, 96) for number in range(280)],
        metadatas=[{"n": number / 4} for number in range(280)],
    )
    large.collection.flush()
    large.delete(ids[10:30])
    # So many batches become a segment of their own, and the dead rows of the first one are noted.
    for number in range(70):
        large.upsert(
            [f"large {number * 7}"],
            embeddings=[vector(number, 96)],
            documents=[f"written again {number}"],
        )
    large.update(ids[:3], metadatas=[{"late": True}, {"n": None}, {"n": 1}])
    large.add(ids[10:12], embeddings=[vector(103, 96), vector(104, 96)])
    return [merged, small, large]


def write(directory: str) -> list[dict[str, Any]]:
    import chromadb

    admin = chromadb.AdminClient(chromadb.Settings(is_persistent=True, persist_directory=directory))
    admin.create_tenant("tenant é")
    admin.create_database("database two", tenant="tenant é")
    client = chromadb.PersistentClient(directory)
    other = chromadb.PersistentClient(directory, tenant="tenant é", database="database two")
    mixed = format_1.write_mixed(client)
    large = format_1.write_large(client)
    empty = Recorder(client, "empty")
    emptied = Recorder(client, "emptied", configuration={"hnsw": {"space": "ip"}})
    emptied.add(["x"], embeddings=[vector(1, 2)])
    emptied.collection.flush()
    emptied.delete(["x"])
    emptied.collection.flush()
    dropped = Recorder(client, "dropped")
    dropped.add(["x"], embeddings=[vector(1, 2)], documents=["dropped"])
    client.delete_collection("dropped")
    same = Recorder(other, "mixed")
    same.add(["a"], embeddings=[vector(99, 5)], metadatas=[{"which": "the other database"}])
    same.collection.flush()
    segments = write_segments(client)
    default = ("default_tenant", "default_database")
    recorders = [mixed, large, empty, emptied, *segments]
    expected = [recorder.expected(*default) for recorder in recorders]
    expected.append(same.expected("tenant é", "database two"))
    if Path(directory).name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    other.close()
    client.close()
    return expected


def main() -> None:
    if len(sys.argv) == 2:
        expected = write(sys.argv[1])
        Path(HERE / "expected.json").write_text(
            json.dumps(expected, ensure_ascii=True, indent=None, separators=(",", ":"))
            .replace('{"id"', '\n  {"id"')
            .replace('{"tenant"', '\n{"tenant"')
            + "\n"
        )
        return
    for name in ["killed", "closed"]:
        shutil.rmtree(HERE / name, ignore_errors=True)
        subprocess.run([sys.executable, __file__, str(HERE / name)], check=name == "closed")


if __name__ == "__main__":
    main()
