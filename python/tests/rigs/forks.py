"""Forks of every kind, in processes that have used the engine, and a second SQLite in a process.

    python -m rigs.forks --seed 1 --rounds 20 [--case preload]       from python/tests

Each case is a process of its own. In all of them parent and children share one directory, and
each must see what the others have acknowledged; the records that each wrote must all be there at
the end.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import tempfile
import threading
import warnings
from collections.abc import Callable

from chromadb_swift_bindings import _chroma

from .support import PLACE, Failure, check, collection_id, fork, in_child, limited, options
from .support import vectors as random_vectors

DIMENSION = 8
BATCH_COUNT = 40


class Database:
    """One process's view of the directory, and what it and its relatives wrote."""

    def __init__(self, directory: str):
        self.directory = directory
        self.engine = _chroma.Engine(directory, False)
        self.collection = collection_id(self.engine, "shared")

    def write(self, author: str, batch: int) -> None:
        """Adds a batch; it must be there at once, whole, and found by its own vectors."""
        ids = [f"{author}/{batch}/{row}" for row in range(BATCH_COUNT)]
        rows = random_vectors(random.Random(ids[0]), BATCH_COUNT, DIMENSION)
        self.engine.add(ids, self.collection, rows, None, ids, None, *PLACE)
        if batch % 3 == 2:  # Something to compact.
            self.engine.upsert(self.collection, ids, rows, None, ids, None, *PLACE)
        self.read(author, batch)

    def read(self, author: str, batch: int) -> None:
        ids = [f"{author}/{batch}/{row}" for row in range(BATCH_COUNT)]
        found = self.engine.get(
            self.collection, ids, None, None, 0, None, ["embeddings", "documents"], *PLACE
        )
        check(found.ids == ids, f"{author}/{batch}: {len(found.ids)} of {BATCH_COUNT} are there")
        check(found.documents == ids, f"{author}/{batch}: other documents")
        query = found.embeddings[:1].copy()
        hits = self.engine.query(self.collection, None, query, 1, None, None, [], *PLACE).ids
        check(hits == [ids[:1]], f"{ids[0]} is not found by its vector: {hits}")

    def expect(self, authors: dict[str, int]) -> None:
        """All that these authors wrote, and nothing else."""
        for author, batch_count in authors.items():
            for batch in range(batch_count):
                self.read(author, batch)
        expected = sum(authors.values()) * BATCH_COUNT
        count = self.engine.count(self.collection, *PLACE)
        check(count == expected, f"{count} records, not {expected}")


def join(children: list[int]) -> None:
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    check(not any(codes), f"the children ended with {codes}")


def os_fork(database: Database, rounds: int) -> None:
    """A child of a process that is using the engine, and a child of that child."""
    database.write("parent", 0)
    authors = {"parent": 1}

    def child(name: str) -> None:
        database.read("parent", 0)
        database.write(name, 0)
        in_child(lambda: database.write(f"{name}'s child", 0))
        database.read(f"{name}'s child", 0)
        if len(name) % 2:
            database.engine.close()

    for number in range(rounds):
        name = f"child {number}"
        in_child(lambda name=name: child(name))
        authors |= {name: 1, f"{name}'s child": 1}
        database.read(name, 0)
        database.write("parent", authors["parent"])
        authors["parent"] += 1
    database.expect(authors)


def worker(directory: str, author: str, batch_count: int) -> None:
    """What a process of `multiprocessing` does; a function of the module, for `spawn`."""
    database = Database(directory)
    for batch in range(batch_count):
        database.write(author, batch)


def by_multiprocessing(method: str) -> Callable[[Database, int], None]:
    def case(database: Database, rounds: int) -> None:
        context = multiprocessing.get_context(method)
        database.write("parent", 0)
        names = [f"worker {number}" for number in range(4)]
        processes = [
            context.Process(target=worker, args=(database.directory, name, rounds))
            for name in names
        ]
        for process in processes:
            process.start()
        for batch in range(1, rounds):
            database.write("parent", batch)
        for process in processes:
            process.join()
        codes = [process.exitcode for process in processes]
        check(not any(codes), f"the workers ended with {codes}")
        database.expect({"parent": rounds} | dict.fromkeys(names, rounds))

    return case


def inherited_worker(database: Database, author: str, batch_count: int) -> None:
    for batch in range(batch_count):
        database.write(author, batch)
        database.read("parent", 0)


def preload(database: Database, rounds: int) -> None:
    """As `gunicorn --preload`: the parent opens and fills, the workers use what they inherit."""
    # Enough that a compaction may be under way at the fork.
    filled = 200
    for batch in range(filled):
        database.write("parent", batch)
    names = [f"worker {number}" for number in range(4)]
    children = []
    for name in names:
        act = lambda name=name: inherited_worker(database, name, rounds)  # noqa: E731
        children.append(fork(limited(act)))
        database.write("parent", filled)
        filled += 1
    join(children)
    database.expect({"parent": filled} | dict.fromkeys(names, rounds))


def threads(database: Database, rounds: int) -> None:
    """A parent of eight threads, all inside the engine while it forks."""
    database.write("parent", 0)
    over = threading.Event()
    written = [0] * 8
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while not over.is_set():
                if number % 2:
                    database.read("parent", 0)
                else:
                    database.write(f"thread {number}", written[number])
                    written[number] += 1
        except BaseException as failure:
            failures.append(failure)

    started = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in started:
        thread.start()
    authors = {"parent": 1}
    try:
        for number in range(rounds):
            name = f"child {number}"
            in_child(lambda name=name: inherited_worker(database, name, 2), name)
            authors[name] = 2
    finally:
        over.set()
        for thread in started:
            thread.join()
    if failures:
        raise failures[0]
    authors |= {f"thread {number}": written[number] for number in range(0, 8, 2)}
    database.expect(authors)


def second_sqlite(database: Database, rounds: int) -> None:
    """Python's own SQLite opens and closes our file in our process while we and others write.

    With POSIX locks its `close` would drop ours, and the writers would overwrite each other.
    """
    over = threading.Event()
    opened = [0]

    def look() -> None:
        while not over.is_set():
            with_mode = f"file:{database.directory}/chroma.db?mode=ro"
            connection = sqlite3.connect(with_mode, uri=True)
            connection.execute("SELECT count(*) FROM collections").fetchall()
            connection.close()
            opened[0] += 1

    thread = threading.Thread(target=look)
    thread.start()
    names = [f"worker {number}" for number in range(3)]
    children = []
    try:
        for name in names:
            act = lambda name=name: worker(database.directory, name, rounds)  # noqa: E731
            children.append(fork(limited(act)))
        for batch in range(rounds):
            database.write("parent", batch)
            for name in names:  # Readers of our process must not tear what others commit.
                database.engine.count(database.collection, *PLACE)
        join(children)
    finally:
        over.set()
        thread.join()
    check(opened[0] > 0, "the other SQLite did not open anything")
    print(f"opened {opened[0]} times by another SQLite")
    database.expect({"parent": rounds} | dict.fromkeys(names, rounds))
    connection = sqlite3.connect(f"file:{database.directory}/chroma.db?mode=ro", uri=True)
    verdict = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    check(verdict == [("ok",)], f"SQLite's own check says {verdict}")


CASES: dict[str, Callable[[Database, int], None]] = {
    "os_fork": os_fork,
    "multiprocessing_fork": by_multiprocessing("fork"),
    "multiprocessing_spawn": by_multiprocessing("spawn"),
    "multiprocessing_forkserver": by_multiprocessing("forkserver"),
    "preload": preload,
    "threads": threads,
    "second_sqlite": second_sqlite,
}


def run(case: str, seed: int, rounds: int) -> None:
    # Python warns of what is tried here: a fork of a process with threads.
    warnings.simplefilter("ignore", DeprecationWarning)
    with tempfile.TemporaryDirectory(prefix="chroma-forks-") as directory:
        in_child(lambda: CASES[case](Database(directory), rounds), case)
        # What is on disk, as a process sees it that has inherited nothing.
        in_child(lambda: Database(directory).write("last", 0), "reopening")


if __name__ == "__main__":
    chosen = options(__doc__, rounds=20, case="")
    if chosen.case and chosen.case not in CASES:
        raise Failure(f"there is no case {chosen.case}; there are {', '.join(CASES)}")
    for name in [chosen.case] if chosen.case else CASES:
        print(name, flush=True)
        run(name, chosen.seed, chosen.rounds)
