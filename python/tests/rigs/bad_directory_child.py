"""Opens a directory and reads all that is in it, or says what stands in the way.

    python bad_directory_child.py DIRECTORY [make] [unprivileged]

Prints one line: {"raises": class, "message": text}, or {"ids": [...], "found": n}. With `make` it
makes the intact directory first: two collections, one small enough to stand in the log's rows, one
with blobs. With `unprivileged` it first gives up root's right to everything, if it has that.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

import numpy as np

import chromadb
import chromadb.errors

SMALL, LARGE = 3, 700
NOBODY = 65534


def make(directory: str) -> None:
    client = chromadb.PersistentClient(directory)
    for name, count in (("small", SMALL), ("large", LARGE)):
        collection = client.create_collection(name, embedding_function=None)
        collection.add(
            ids=[f"{name}-{number}" for number in range(count)],
            embeddings=np.random.default_rng(count).standard_normal((count, 64)),
            documents=[f"document {number}" for number in range(count)],
            metadatas=[{"number": number} for number in range(count)],
        )
    client.close()


def read(directory: str) -> dict:
    client = chromadb.PersistentClient(directory)
    ids, found = [], 0
    for name in ("small", "large"):
        collection = client.get_collection(name, embedding_function=None)
        rows = collection.get(include=["embeddings", "documents", "metadatas"])
        assert collection.count() == len(rows["ids"])
        result = collection.query(query_embeddings=rows["embeddings"], n_results=1, include=[])
        found += sum(hits == [own] for hits, own in zip(result["ids"], rows["ids"]))
        ids += rows["ids"]
    client.close()
    return {"ids": ids, "found": found}


def give_up_privileges() -> None:
    # First all that is loaded late, which may lie where only root can read.
    with chromadb.EphemeralClient() as client:
        collection = client.create_collection("warm", embedding_function=None)
        collection.add(ids=["a"], embeddings=[[1.0]])
        collection.query(query_embeddings=collection.get(include=["embeddings"])["embeddings"])
        with contextlib.suppress(chromadb.errors.NotFoundError):
            client.get_collection("missing")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def main(directory: str, *flags: str) -> None:
    try:
        if "unprivileged" in flags:
            give_up_privileges()
        if "make" in flags:
            make(directory)
        print(json.dumps(read(directory)))
    except Exception as error:
        kind = type(error)
        name = f"{kind.__module__}.{kind.__qualname__}"
        print(json.dumps({"raises": name, "message": str(error)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
