"""The processes of the kill loop: `write` until killed, `check` what is there.

    python child.py write DIRECTORY SEED WRITER FIRST_STEP STEP_COUNT SIZE DEFECT
    python child.py check DIRECTORY OUTPUT.json

A writer says on standard output, a line each: "opening", "open", the number of each step that
returned, and, when it is through its steps, "closing" and "closed". Its DEFECT is "none", or what
the loop must find: "early" acknowledges before the call, "halves" makes two calls of one.

A checker opens the directory, writes what it finds to a file, closes, opens again and does so
again: {"count": n, "rows": [[id, embedding, document, metadata], ...], "lost": [id, ...],
"is_indexed": whether there is an index}, twice. `lost` are the records that a query with their own
vector does not find.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from workload import COLLECTION, DIMENSION, step

import chromadb


def write(
    directory: str, seed: int, writer: int, first: int, count: int, size: str, defect: str
) -> None:
    say("opening")
    client = chromadb.PersistentClient(directory)
    collection = client.get_or_create_collection(COLLECTION, embedding_function=None)
    say("open")
    for number in range(first, first + count):
        call = step(seed, writer, number, size)
        if defect == "early":
            say(str(number))
        for arguments in halves(call["with"]) if defect == "halves" else [call["with"]]:
            getattr(collection, call["do"])(**arguments)
        if size == "large" and number % 2 == 1 and hasattr(collection, "flush"):
            collection.flush()  # So that there is an index however soon the kills come.
        if defect != "early":
            say(str(number))
    say("closing")
    client.close()
    say("closed")


def halves(arguments: dict) -> list[dict]:
    middle = len(arguments["ids"]) // 2
    parts = [slice(None, middle), slice(middle, None)] if middle else [slice(None)]
    return [{name: column[part] for name, column in arguments.items()} for part in parts]


def say(line: str) -> None:
    print(line, flush=True)


def check(directory: str, output: str) -> None:
    Path(output).write_text(json.dumps([look(directory), look(directory)]))


def look(directory: str) -> dict:
    client = chromadb.PersistentClient(directory)
    collection = client.get_or_create_collection(COLLECTION, embedding_function=None)
    found = collection.get(include=["embeddings", "documents", "metadatas"])
    vectors = [tuple(row) for row in found["embeddings"].tolist()]
    columns = zip(found["ids"], vectors, found["documents"], found["metadatas"])
    seen = {
        "count": collection.count(),
        "rows": [list(row) for row in columns],
        "lost": lost(collection, found["ids"], vectors),
        "is_indexed": is_indexed(collection),
    }
    client.close()
    return seen


def is_indexed(collection) -> bool:
    # Official Chroma has no explain(), and always has an index.
    if not hasattr(collection, "explain"):
        return True
    return collection.explain(query_embeddings=[[0.0] * DIMENSION])["generation"] > 0


def lost(collection, ids: list[str], vectors: list[tuple]) -> list[str]:
    """The records that are not among as many results as there are vectors equal to theirs."""
    occurrences = Counter(vectors)
    groups = defaultdict(list)
    for identifier, vector in zip(ids, vectors):
        groups[occurrences[vector]].append((identifier, vector))
    missing = []
    for n_results, members in groups.items():
        for start in range(0, len(members), 200):
            part = members[start : start + 200]
            result = collection.query(
                query_embeddings=[list(vector) for _, vector in part],
                n_results=n_results,
                include=[],
            )
            missing += [i for (i, _), hits in zip(part, result["ids"]) if i not in hits]
    return missing


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], *(int(argument) for argument in sys.argv[3:7]), *sys.argv[7:9])
    else:
        check(sys.argv[2], sys.argv[3])
