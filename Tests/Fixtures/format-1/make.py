"""Writes the directories beside this script, and what they must read as.

    python make.py        with the `chromadb` of a release that writes format 1

A process writes `closed` and closes it. Another one writes the same to `killed`, and is killed: the
WAL still holds most of it. `expected.json` holds every collection of both, in its records' order.
It is what the calls below come to, worked out here and not read back.

The test that reads them is Tests/ChromaEngineTests/FixtureTests.swift. They are never written
again: a later release reads what this one wrote.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EVERYTHING = {
    "bool": True,
    "int": -(2**63),
    "float": 0.1,
    "string": "x\0y",
    "empty": "",
    "bools": [True, False],
    "ints": [1, 2**63 - 1],
    "floats": [-0.5, 1e300],
    "strings": ["é", "e\u0301"],
}


class Recorder:
    """A collection, and beside it what it must come to."""

    def __init__(self, client: Any, name: str, **options: Any):
        self.collection = client.create_collection(name, embedding_function=None, **options)
        self.metadata = options.get("metadata")
        self.records: dict[str, dict[str, Any]] = {}

    def _merge(self, record: dict[str, Any], columns: dict[str, Any], row: int) -> None:
        for name, values in columns.items():
            value = values[row]
            if name == "metadatas":
                merged = {**(record["metadata"] or {}), **(value or {})}
                kept = {key: entry for key, entry in merged.items() if entry is not None}
                record["metadata"] = kept or None
            elif value is not None:
                record[name[:-1]] = value

    def _new(self) -> dict[str, Any]:
        return {"embedding": None, "document": None, "uri": None, "metadata": None}

    def add(self, ids: list[str], **columns: Any) -> None:
        self.collection.add(ids, **columns)
        for row, id in enumerate(ids):
            if id not in self.records:
                self.records[id] = self._new()
                self._merge(self.records[id], columns, row)

    def update(self, ids: list[str], **columns: Any) -> None:
        self.collection.update(ids, **columns)
        for row, id in enumerate(ids):
            if id in self.records:
                self._merge(self.records[id], columns, row)

    def upsert(self, ids: list[str], **columns: Any) -> None:
        self.collection.upsert(ids, **columns)
        for row, id in enumerate(ids):
            self._merge(self.records.setdefault(id, self._new()), columns, row)

    def delete(self, ids: list[str]) -> None:
        self.collection.delete(ids)
        for id in ids:
            self.records.pop(id, None)

    def expected(self, tenant: str, database: str) -> dict[str, Any]:
        for record in self.records.values():
            if record["metadata"] is None and record["uri"] is not None:
                record["metadata"] = {}  # A uri counts as metadata, as in official Chroma.
        return {
            "tenant": tenant,
            "database": database,
            "name": self.collection.name,
            "metadata": self.metadata,
            "records": [{"id": id, **record} for id, record in self.records.items()],
        }


def vector(number: int, dimension: int) -> list[float]:
    """Halves and quarters, which are the same as 32-bit floats."""
    return [((number * 7 + index * 3) % 33 - 16) / 4 for index in range(dimension)]


def write_mixed(client: Any) -> Recorder:
    """Every operation and every kind of metadata."""
    mixed = Recorder(
        client, "mixed", metadata={"purpose": "fixture", "é": 1, "hnsw:space": "cosine"}
    )
    mixed.add(
        ["a", "é", "e\u0301", "nul\0", "🐝", "gone"],
        embeddings=[vector(number, 3) for number in range(1, 7)],
        documents=["a document", "", "\u4e2d\u6587 and \U0001f600", None, "nul\0byte", "gone"],
        uris=[None, "file:///é", None, None, "u", "gone"],
        metadatas=[EVERYTHING, {"n": 1}, None, {"n": 2.5}, {"n": "one"}, {"n": 6}],
    )
    mixed.add(["a", "late"], embeddings=[vector(90, 3), vector(7, 3)])
    mixed.update(
        ["a", "missing", "é"],
        embeddings=[vector(8, 3), vector(9, 3), vector(10, 3)],
        documents=[None, "missing", "changed"],
        metadatas=[{"bool": None, "int": 7, "new": ["x"]}, {"n": 1}, {"n": None}],
    )
    mixed.upsert(
        ["nul\0", "upserted", "again"],
        embeddings=[vector(number, 3) for number in range(11, 14)],
        documents=["now one", "new", None],
        metadatas=[{"added": True}, {"n": [0.25]}, None],
    )
    mixed.delete(["gone", "again", "never there"])
    mixed.add(["gone"], embeddings=[vector(14, 3)], documents=["back, and last"])
    return mixed


def write_large(client: Any) -> Recorder:
    """One batch that is larger than a log row, and a small one after it."""
    large = Recorder(client, "large")
    ids = [f"record {number}" for number in range(130)]
    large.add(ids, embeddings=[vector(number, 128) for number in range(len(ids))])
    large.update(ids[:1], documents=["the first"], embeddings=[vector(1000, 128)])
    return large


def write(directory: str) -> list[dict[str, Any]]:
    import chromadb

    admin = chromadb.AdminClient(chromadb.Settings(is_persistent=True, persist_directory=directory))
    admin.create_tenant("tenant é")
    admin.create_database("database two", tenant="tenant é")
    client = chromadb.PersistentClient(directory)
    other = chromadb.PersistentClient(directory, tenant="tenant é", database="database two")
    mixed = write_mixed(client)
    large = write_large(client)
    Recorder(client, "empty")
    emptied = Recorder(client, "emptied", configuration={"hnsw": {"space": "ip"}})
    emptied.add(["x"], embeddings=[vector(1, 2)])
    emptied.delete(["x"])
    dropped = Recorder(client, "dropped")
    dropped.add(["x"], embeddings=[vector(1, 2)], documents=["dropped"])
    client.delete_collection("dropped")
    same = Recorder(other, "mixed")
    same.add(["a"], embeddings=[vector(99, 5)], metadatas=[{"which": "the other database"}])
    default = ("default_tenant", "default_database")
    expected = [
        mixed.expected(*default),
        large.expected(*default),
        emptied.expected(*default),
        same.expected("tenant é", "database two"),
    ]
    expected.append(
        {
            "tenant": default[0],
            "database": default[1],
            "name": "empty",
            "metadata": None,
            "records": [],
        }
    )
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
