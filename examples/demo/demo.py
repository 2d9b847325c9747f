"""The whole job once, on real input: embed, store, search, kill, reopen, prove.

    python demo.py [FOLDER]

The glosses of WordNet are embedded by all-MiniLM-L6-v2 and stored with their metadata in a
persistent collection; texts are searched for with and without filters; processes that write more
are killed with SIGKILL in the middle of it; and a new process shows that every acknowledged record
is there and is found by its own vector. The exit status is 1 if anything is not as it must be.

`DEMO_COUNT` is the number of glosses to store, 10,000 if it is not set.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import wordnet
from job import COLLECTION_NAME, KILLED_BATCH_SIZE, Job, Progress

import chromadb
from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

DEFAULT_COUNT = 10_000
STORE_BATCH_SIZE = 1000
EMBED_BATCH_SIZE = 512
KILL_COUNT = 5
RESULT_COUNT = 5
SHOWN_COUNT = 3

# A process is killed when it has acknowledged so many batches, and may write a few more.
ACKNOWLEDGED_BEFORE_KILL = (5, 15)
BATCHES_BEHIND = 8
KILLED_COUNT = KILL_COUNT * (ACKNOWLEDGED_BEFORE_KILL[1] + BATCHES_BEHIND) * KILLED_BATCH_SIZE


@dataclass(frozen=True)
class Search:
    """A text to search for, its filters, and the filters' meaning to check them by."""

    text: str
    where: dict[str, Any] | None = None
    where_document: dict[str, Any] | None = None
    matches: Callable[[wordnet.Record], bool] = lambda record: True


SEARCHES = [
    Search("a person who plays music"),
    Search(
        "a person who plays music",
        where={"part_of_speech": "verb"},
        matches=lambda record: record.metadata["part_of_speech"] == "verb",
    ),
    Search(
        "something to drink",
        where={
            "$and": [
                {"lexicographer_file": {"$in": ["noun.food", "noun.plant"]}},
                {"word_count": {"$gte": 2}},
            ]
        },
        matches=lambda record: (
            record.metadata["lexicographer_file"] in ("noun.food", "noun.plant")
            and record.metadata["word_count"] >= 2
        ),
    ),
    Search(
        "bad weather",
        where_document={"$contains": "wind"},
        matches=lambda record: "wind" in record.document,
    ),
    Search(
        "to move fast",
        where={"pointer_count": {"$lt": 4}},
        where_document={"$not_contains": "move"},
        matches=lambda record: (
            record.metadata["pointer_count"] < 4 and "move" not in record.document
        ),
    ),
]


class Report:
    """The steps with their times, and what is to be said at the end."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, str]] = []
        self._note = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        print(f"\n{len(self.steps) + 1}. {title}", flush=True)
        begin = time.perf_counter()
        self._note = ""
        yield
        self.steps.append((title, time.perf_counter() - begin, self._note))

    def note(self, text: str) -> None:
        """What the running step has to say in the report."""
        self._note = text

    def print(self) -> None:
        width = max(len(title) for title, _, _ in self.steps)
        print()
        for title, seconds, note in self.steps:
            print(f"  {title:<{width}}  {seconds:7.1f} s  {note}")
        total = sum(seconds for _, seconds, _ in self.steps)
        print(f"  {'All of it':<{width}}  {total:7.1f} s")


def main(folder: Path, count: int) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = Job(folder, count, KILLED_COUNT)
    report = Report()
    if not sys.stderr.isatty():
        # What is shown on a terminal goes to the log elsewhere: that a model is downloaded, say.
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="    %(message)s")
    print(f"chromadb {chromadb.__version__}, {os.cpu_count()} cores; the database is in {folder}.")

    with report.step("Read the glosses of WordNet"):
        records = wordnet.choose_records(count + KILLED_COUNT)
        if len(records) < count + KILLED_COUNT:
            raise SystemExit(f"WordNet has too few glosses for DEMO_COUNT={count}.")
        byte_count = sum(len(record.document.encode()) for record in records[:count])
        report.note(f"{count:,} to store, {byte_count / 1e6:.1f} MB; {KILLED_COUNT:,} for later")
    with report.step("Load the embedding model"):
        embed = ONNXMiniLM_L6_V2()
        embed(["warm"])
    with report.step("Embed the glosses"):
        begin = time.perf_counter()
        embeddings = embed_all(embed, [record.document for record in records])
        rate = len(records) / (time.perf_counter() - begin)
        report.note(f"{len(records):,}, {rate:,.0f} a second")
        job.save(records, embeddings)
    with report.step("Store them"):
        client, collection, rate = store(job, embed, records[:count], embeddings[:count])
        report.note(f"{rate:,.0f} a second, {size_of(job.database) / 1e6:.1f} MB on disk")
    with report.step("Search"):
        report.note(search(collection, embed, records[:count], embeddings[:count]))
        client.close()
    with report.step(f"Write more, killed {KILL_COUNT} times with SIGKILL"):
        acknowledged_batches = kill_writers(job)
        report.note(f"{acknowledged_batches * KILLED_BATCH_SIZE:,} more records acknowledged")
    with report.step("Reopen and prove"):
        proof_command = python("proof.py", str(folder), str(acknowledged_batches))
        if subprocess.run(proof_command).returncode != 0:
            return 1
        proof = json.loads((folder / "proof.json").read_text())
        report.note(
            f"open in {proof['open_seconds'] * 1000:.0f} ms, "
            f"{proof['count'] / proof['find_seconds']:,.0f} queries a second"
        )

    report.print()
    print_result(proof, size_of(job.database), embeddings.itemsize * embeddings.shape[1])
    return 0


def print_result(proof: dict[str, Any], byte_count: int, vector_byte_count: int) -> None:
    print(f"""
  Each of {proof["acknowledged"]:,} acknowledged records is there with its document, its metadata
  and its exact vector, and is found by its own vector ({proof["tied"]:,} beside others as near).
  The database has {byte_count / 1e6:.1f} MB: {byte_count / proof["count"]:,.0f} bytes a record, \
{vector_byte_count:,} of them its vector.
""")


def embed_all(embed: ONNXMiniLM_L6_V2, documents: Sequence[str]) -> np.ndarray:
    progress = Progress("glosses embedded", len(documents))
    vectors: list[np.ndarray] = []
    for start in range(0, len(documents), EMBED_BATCH_SIZE):
        vectors.extend(embed(list(documents[start : start + EMBED_BATCH_SIZE])))
        progress.show(len(vectors))
    return np.stack(vectors)


def store(
    job: Job, embed: ONNXMiniLM_L6_V2, records: Sequence[wordnet.Record], embeddings: np.ndarray
) -> tuple[Any, Any, float]:
    """Stores the records; returns the open client and collection, and the records a second."""
    begin = time.perf_counter()
    client = chromadb.PersistentClient(path=str(job.database))
    collection = client.create_collection(
        COLLECTION_NAME, embedding_function=embed, configuration={"hnsw": {"space": "cosine"}}
    )
    progress = Progress("records stored", len(records))
    for start in range(0, len(records), STORE_BATCH_SIZE):
        batch = records[start : start + STORE_BATCH_SIZE]
        collection.add(
            ids=[record.id for record in batch],
            embeddings=embeddings[start : start + STORE_BATCH_SIZE],
            documents=[record.document for record in batch],
            metadatas=[record.metadata for record in batch],
        )
        progress.show(start + len(batch))
    return client, collection, len(records) / (time.perf_counter() - begin)


def search(
    collection: Any,
    embed: ONNXMiniLM_L6_V2,
    records: Sequence[wordnet.Record],
    embeddings: np.ndarray,
) -> str:
    """Shows the searches' results, checks them by an exact scan, and says how fast they are."""
    for item in SEARCHES:
        found = collection.query(
            query_texts=[item.text],
            n_results=RESULT_COUNT,
            where=item.where,
            where_document=item.where_document,
        )
        conditions = [f"{name} {value}" for name, value in vars(item).items() if is_filter(value)]
        print(f'\n    "{item.text}"{", " if conditions else ""}{" and ".join(conditions)}')
        for metadata, document, distance in list(
            zip(found["metadatas"][0], found["documents"][0], found["distances"][0])
        )[:SHOWN_COUNT]:
            gloss = document if len(document) <= 60 else f"{document[:57]}..."
            print(
                f"      {distance:.3f}  {metadata['lemma']} ({metadata['part_of_speech']}): {gloss}"
            )

        rows = [row for row, record in enumerate(records) if item.matches(record)]
        exact = np.sort(1 - embeddings[rows] @ embed([item.text])[0])[:RESULT_COUNT]
        if not np.allclose(found["distances"][0], exact, atol=1e-5):
            raise SystemExit(f"    FAILED: an exact scan finds distances {exact}.")

    times = []
    for row in range(0, len(records), max(1, len(records) // 100)):
        begin = time.perf_counter()
        collection.query(query_embeddings=embeddings[row : row + 1], n_results=10)
        times.append(time.perf_counter() - begin)
    milliseconds = float(np.median(times)) * 1000
    print("\n    Every result is what an exact scan of the vectors gives.", flush=True)
    return f"10 nearest of {len(records):,} in {milliseconds:.1f} ms"


def is_filter(value: Any) -> bool:
    return isinstance(value, dict)


def kill_writers(job: Job) -> int:
    """Kills one process after another as it writes; returns how many batches are acknowledged."""
    chosen = random.Random(5)
    acknowledged = 0
    for round_number in range(1, KILL_COUNT + 1):
        command = python("writer.py", str(job.folder), str(acknowledged))
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer:
            milliseconds, count = check_opened(job, acknowledged, read_line(writer))
            first = acknowledged
            acknowledged = kill_in_the_middle(writer, acknowledged, chosen)
        if writer.returncode >= 0:
            raise SystemExit(f"    FAILED: the writer exited with {writer.returncode}, not killed.")
        print(
            f"    {round_number}: opened in {milliseconds:.0f} ms with {count:,} records; "
            f"killed after {acknowledged - first} more batches of {KILLED_BATCH_SIZE}",
            flush=True,
        )
    return acknowledged


def check_opened(job: Job, acknowledged: int, line: str) -> tuple[float, int]:
    """Checks what a writer found when it opened the database; returns the milliseconds it took
    and the number of records."""
    milliseconds, count, in_flight = float(line.split()[0]), *map(int, line.split()[1:])
    expected = job.stored_count + acknowledged * KILLED_BATCH_SIZE + in_flight
    if count != expected or in_flight not in (0, KILLED_BATCH_SIZE):
        raise SystemExit(
            f"    FAILED: {count:,} records instead of {expected:,}, {in_flight} of them of the "
            "batch that was cut short."
        )
    return milliseconds, count


def kill_in_the_middle(
    writer: subprocess.Popen[str], acknowledged: int, chosen: random.Random
) -> int:
    """Lets the writer write for a while and kills it; returns how many batches are acknowledged."""
    assert writer.stdin is not None and writer.stdout is not None
    awaited = chosen.randint(*ACKNOWLEDGED_BEFORE_KILL)
    writer.stdin.write("\n" * (awaited + BATCHES_BEHIND))
    writer.stdin.flush()
    begin = time.perf_counter()
    for _ in range(awaited):
        acknowledged = 1 + int(read_line(writer))
    # Somewhere in the next four commits.
    now = time.perf_counter()
    moment = now + chosen.uniform(0, 4 * (now - begin) / awaited)
    while time.perf_counter() < moment:
        pass
    writer.kill()
    # What it had said before it died is acknowledged too.
    return acknowledged + writer.stdout.read().count("\n")


def read_line(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    line = writer.stdout.readline()
    if not line:
        raise SystemExit("    FAILED: the writer ended by itself.")
    return line


def python(name: str, *arguments: str) -> list[str]:
    """The command that runs a file beside this one."""
    return [sys.executable, str(Path(__file__).resolve().with_name(name)), *arguments]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    count_text = os.environ.get("DEMO_COUNT", str(DEFAULT_COUNT))
    if not count_text.isdecimal() or int(count_text) < RESULT_COUNT:
        sys.exit(f"DEMO_COUNT must be a number of at least {RESULT_COUNT}; it is {count_text!r}.")
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo"), int(count_text)))
