"""Writers and readers on one directory, killed and stopped at random, judged by a model.

    python -m rigs.many_processes --kills 500 --seed 1        from python/tests

Each writer has records of its own in a collection that all share, and makes the calls that the seed
says (`call_of`), one after the other. Memory that all processes share says which call each writer
has begun and which has returned, so a reader knows, whenever it asks, between which two states of
every writer the answer must lie. What is judged:

  * by readers, in `get`, `query` and `count`: a state that is at least what had been acknowledged,
    to anybody, and at least what any reader had seen before the call began; a batch is whole;
  * by a writer that follows one that was killed: the state after the last acknowledged call, or
    after the one that was under way;
  * at the end, by a fresh process: all states, each record found by its own vector;
  * fairness: between a writer's request and its answer, the others commit at most FAIRNESS times
    as often as if all took turns. This is counted in commits, not in seconds, and not while the
    writer was stopped;
  * whoever is killed while it holds the write turn (LOCK names it) delays nobody: the time until
    anybody's next commit is reported, and is below a second.
"""

from __future__ import annotations

import copy
import mmap
import os
import random
import signal
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from model import ModelCollection, check_ranking

from chromadb_swift_bindings import _chroma

from .space import settle
from .support import (
    MEBIBYTE,
    PLACE,
    Failure,
    check,
    collection_id,
    fork,
    in_child,
    live_byte_count,
    options,
)

COLLECTION = "shared"
DIMENSION = 8
ID_COUNT = 60
BATCH_COUNT_MAX = 20
#: How many times its fair share of commits a writer may have to wait for.
FAIRNESS = 10
#: How long the death of whoever writes may delay the next commit of anybody. Asserted of the middle
#: one: on a busy machine the longest says how busy it is. A turn that nobody takes for much longer
#: is stuck.
HOLDER_DELAY_SECONDS_MAX, STUCK_SECONDS = 1.0, 30.0
HOLDER_OFFSET = 32  # In LOCK: process id, then since when (docs/FORMAT.md).

Call = tuple[str, dict[str, Any]]


def call_of(seed: int, writer: int, step: int) -> Call:
    """What a writer does at a step: the method of a model, and its arguments.

    Each may be repeated without effect, so that a writer may repeat the call of a predecessor.
    """
    source = random.Random(f"{seed}/{writer}/{step}")
    method = source.choices(["add", "upsert", "update", "delete", "where"], [3, 5, 2, 2, 1])[0]
    count = source.randint(1, BATCH_COUNT_MAX)
    ids = [f"w{writer}-{number}" for number in source.sample(range(ID_COUNT), count)]
    if method == "delete":
        return "delete", {"ids": ids}
    if method == "where":
        old = {"step": {"$lte": step - source.randint(5, 30)}}
        return "delete", {"where": {"$and": [{"writer": writer}, old]}}
    rows = [[source.gauss(0, 1) for _ in range(DIMENSION)] for _ in ids]
    # Now and then a batch is too large for a row of the log.
    length = source.choice([400] * 19 + [12_000])
    return method, {
        "ids": ids,
        "embeddings": np.array(rows, dtype=np.float32),
        "documents": [f"step {step} of {writer}: " + "x" * source.randint(0, length) for _ in ids],
        "metadatas": [{"writer": writer, "step": step, f"key{step % 3}": step / 2} for _ in ids],
    }


class Shared:
    """Numbers that all processes see: written by one each, read by all."""

    COLUMNS = ("begun", "returned", "returned_at", "stops", "longest_wait", "commits")

    def __init__(self, writer_count: int, reader_count: int):
        column_count = len(self.COLUMNS) + reader_count + 1
        memory = mmap.mmap(-1, column_count * writer_count * 8)
        table = np.frombuffer(memory, dtype=np.int64).reshape(column_count, writer_count)
        for number, name in enumerate(self.COLUMNS):
            setattr(self, name, table[number])
        #: The newest step of each writer that each reader has seen.
        self.seen = table[len(self.COLUMNS) : -1]
        #: Not of writers: [0] whether all shall end, [1] answers that readers have judged.
        self.control = table[-1]

    begun: np.ndarray
    returned: np.ndarray
    returned_at: np.ndarray
    stops: np.ndarray
    longest_wait: np.ndarray
    commits: np.ndarray

    def known(self) -> np.ndarray:
        """The steps of all writers that whoever asks now must see."""
        return np.maximum(self.returned, self.seen.max(axis=0))


class Model:
    """One writer's records after a step."""

    def __init__(self, seed: int, writer: int):
        self.seed, self.writer = seed, writer
        self.step = 0
        self.records = ModelCollection()

    def advance(self, step: int) -> Model:
        while self.step < step:
            self.step += 1
            method, arguments = call_of(self.seed, self.writer, self.step)
            getattr(self.records, method)(**arguments)
        return self

    def difference(self, found: _chroma.GetResponse) -> str | None:
        """How an answer differs from this state; None if it does not."""
        records = self.records.records
        if list(records) != found.ids:
            return first_difference(list(records), found.ids)
        for row, (identifier, record) in enumerate(records.items()):
            if found.documents[row] != record.document:
                return f"document of {identifier}: {found.documents[row]!r}"
            if found.metadatas[row] != record.metadata:
                return f"metadata of {identifier}: {found.metadatas[row]}, not {record.metadata}"
            if not np.array_equal(found.embeddings[row], record.embedding):
                return f"vector of {identifier}"
        return None


def first_difference(expected: list[str], found: list[str]) -> str:
    if absent := set(expected) - set(found):
        return f"{len(absent)} records are missing, {min(absent)} for one"
    if extra := set(found) - set(expected):
        return f"{len(extra)} records too many, {min(extra)} for one"
    return f"the records stand in another order: {found}, not {expected}"


class Process:
    """What writers and readers have in common: an engine, and how to ask it for one writer's."""

    def __init__(self, directory: str, seed: int, shared: Shared, **settings: Any):
        self.seed, self.shared = seed, shared
        self.engine = _chroma.Engine(directory, False, **settings)
        self.collection = collection_id(self.engine, COLLECTION)

    def records_of(self, writer: int) -> _chroma.GetResponse:
        where = f'{{"writer": {writer}}}'
        include = ["documents", "embeddings", "metadatas"]
        return self.engine.get(self.collection, None, where, None, 0, None, include, *PLACE)

    def over(self) -> bool:
        return bool(self.shared.control[0])


class Writer(Process):
    def run(self, writer: int, step_max: int, defect: str) -> None:
        shared = self.shared
        model = Model(self.seed, writer).advance(int(shared.returned[writer]))
        if difference := model.difference(self.records_of(writer)):
            # Perhaps the call that was under way when the one before was killed had happened.
            model.advance(int(shared.begun[writer]))
            if later := model.difference(self.records_of(writer)):
                raise Failure(
                    f"writer {writer} is neither in state {shared.returned[writer]} "
                    f"({difference}) nor in {shared.begun[writer]} ({later})"
                )
            shared.returned[writer] = model.step
        for step in range(model.step + 1, step_max + 1):
            if self.over():
                return
            self.make(writer, step, defect)
            source = random.Random(f"{self.seed}/{writer}/{step}/maintenance")
            if source.random() < 0.02:
                # Changes no answer, wherever it is when this process is killed.
                source.choice([self.engine.flush, self.engine.compact])()

    def make(self, writer: int, step: int, defect: str) -> None:
        shared = self.shared
        method, arguments = call_of(self.seed, writer, step)
        stops, before = shared.stops[writer], shared.commits.sum()
        shared.begun[writer] = step
        if defect == "early":
            shared.returned[writer] = step
        self.call(method, **arguments)
        shared.returned_at[writer] = time.monotonic_ns()
        shared.returned[writer] = step
        waited = shared.commits.sum() - before
        shared.commits[writer] += 1
        if stops == shared.stops[writer]:
            shared.longest_wait[writer] = max(shared.longest_wait[writer], waited)

    def call(self, method: str, **arguments: Any) -> None:
        if method == "delete":
            where = arguments.get("where")
            text = None if where is None else repr(where).replace("'", '"')
            ids = arguments.get("ids")
            self.engine.delete(self.collection, ids, text, None, None, *PLACE)
            return
        columns = [arguments["embeddings"], arguments["metadatas"], arguments["documents"], None]
        if method == "add":
            self.engine.add(arguments["ids"], self.collection, *columns, *PLACE)
        else:
            act = getattr(self.engine, method)
            act(self.collection, arguments["ids"], *columns, *PLACE)


class Reader(Process):
    def run(self, reader: int) -> None:
        source = random.Random(f"{self.seed}/reader {reader}/{os.getpid()}")
        writer_count = len(self.shared.begun)
        self.models = [Model(self.seed, writer) for writer in range(writer_count)]
        while not self.over():
            writer = source.randrange(writer_count)
            found = self.get(reader, writer)
            if found.ids:
                self.query(writer, found.embeddings[source.randrange(len(found.ids))])
            if source.random() < 0.05:
                self.count()
            self.shared.control[1] += 1
            time.sleep(source.uniform(0, 0.01))  # Leaves the processors to the writers.

    def get(self, reader: int, writer: int) -> _chroma.GetResponse:
        low = int(self.shared.known()[writer])
        found = self.records_of(writer)
        high = int(self.shared.begun[writer])
        model = self.models[writer].advance(low)
        first = model.difference(found)
        difference = first
        while difference is not None and model.step < high:
            difference = model.advance(model.step + 1).difference(found)
        if difference is not None:
            raise Failure(
                f"reader {reader}: writer {writer} is in no state from {low} to {high}. "
                f"Beside the first: {first}. Beside the last: {difference}"
            )
        self.shared.seen[reader, writer] = max(self.shared.seen[reader, writer], model.step)
        return found

    def query(self, writer: int, vector: np.ndarray) -> None:
        """The nearest of the writer's records, of the state that `get` saw or a later one."""
        low, where = int(self.shared.known()[writer]), f'{{"writer": {writer}}}'
        found = self.engine.query(
            self.collection, None, vector[None, :], 5, where, None, ["distances"], *PLACE
        )
        high = int(self.shared.begun[writer])
        model = self.models[writer].advance(low)
        # States later than `get`'s must not be skipped by the next `get`, which begins at `known`.
        trial = model if model.step == high else copy.deepcopy(model)
        while True:
            ranking = trial.records.ranking(vector)
            difference = check_ranking(
                trial.records, vector, ranking, 5, found.ids[0], found.distances[0]
            )
            if difference is None:
                return
            if trial.step >= high:
                raise Failure(f"query of writer {writer}, steps {low} to {high}: {difference}")
            trial.advance(trial.step + 1)

    def count(self) -> None:
        """As many records as the writers' states between request and answer can add up to."""
        low = self.shared.known()
        count = self.engine.count(self.collection, *PLACE)
        high = self.shared.begun.copy()
        fewest = most = 0
        for writer, model in enumerate(self.models):
            trial = copy.deepcopy(model.advance(int(low[writer])))
            sizes = [trial.records.count()]
            while trial.step < high[writer]:
                sizes.append(trial.advance(trial.step + 1).records.count())
            fewest, most = fewest + min(sizes), most + max(sizes)
        check(fewest <= count <= most, f"count() is {count}, not in {fewest}...{most}")


class Rig:
    def __init__(
        self, directory: str, seed: int, writer_count: int, reader_count: int, defect: str
    ):
        self.directory, self.seed, self.defect = directory, seed, defect
        self.shared = Shared(writer_count, reader_count)
        self.random = random.Random(seed)
        self.children: dict[int, tuple[str, int]] = {}
        self.kill_count = 0
        self.holder_delays: list[float] = []

    def start(self, kind: str, number: int) -> None:
        def act() -> None:
            if kind == "writer":
                Writer(self.directory, self.seed, self.shared).run(number, 1 << 40, self.defect)
            else:
                # Some without maps, some with hardly any memory.
                os.environ["CHROMA_NO_MMAP"] = str(number % 2)
                limit = MEBIBYTE if number % 3 == 0 else None
                Reader(self.directory, self.seed, self.shared, memory_limit_bytes=limit).run(number)

        self.children[fork(act)] = (kind, number)

    def run(self, kill_count: int, writer_count: int, reader_count: int) -> None:
        for number in range(writer_count):
            self.start("writer", number)
        for number in range(reader_count):
            self.start("reader", number)
        try:
            while self.kill_count < kill_count:
                time.sleep(self.random.uniform(0, 0.1))
                self.look_for_failures()
                self.random.choices([self.kill, self.kill_holder, self.stop], [4, 2, 2])[0]()
            self.shared.control[0] = 1
            self.reap_all()
        finally:
            for child in list(self.children):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def look_for_failures(self) -> None:
        for child, (kind, number) in list(self.children.items()):
            if os.waitpid(child, os.WNOHANG)[0]:
                del self.children[child]
                raise Failure(f"{kind} {number} ended by itself; what it said stands above")

    def reap_all(self) -> None:
        for child, (kind, number) in list(self.children.items()):
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            del self.children[child]
            check(code == 0, f"{kind} {number} ended with {code}")

    def replace(self, child: int) -> None:
        """Kills a process and starts one in its place."""
        os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        kind, number = self.children.pop(child)
        check(code == -signal.SIGKILL, f"{kind} {number} had ended with {code}")
        self.kill_count += 1
        self.start(kind, number)

    def kill(self) -> None:
        for child in self.random.sample(sorted(self.children), self.random.choice([1, 1, 1, 3])):
            self.replace(child)

    def kill_holder(self) -> None:
        """Kills whoever writes at this moment, and waits for the next commit of anybody."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            holder = self.holder()
            if holder in self.children:
                break
        else:
            return
        killed = time.monotonic_ns()
        self.replace(holder)
        while self.shared.returned_at.max() < killed:
            self.look_for_failures()
            waited = (time.monotonic_ns() - killed) / 1e9
            check(waited < STUCK_SECONDS, f"nobody writes {waited:.0f} s after the holder's death")
            time.sleep(0.001)
        self.holder_delays.append((int(self.shared.returned_at.max()) - killed) / 1e9)

    def holder(self) -> int | None:
        """The process that LOCK names as the one that writes."""
        try:
            with open(Path(self.directory, "LOCK"), "rb") as lock:
                fields = os.pread(lock.fileno(), 4, HOLDER_OFFSET)
        except FileNotFoundError:
            return None
        return struct.unpack("<I", fields)[0] if len(fields) == 4 else None

    def stop(self) -> None:
        """Stops a process for a while, wherever it is; it may hold the turn, or a place in it."""
        child = self.random.choice(sorted(self.children))
        kind, number = self.children[child]
        if kind == "writer":
            self.shared.stops[number] += 1
        os.kill(child, signal.SIGSTOP)
        time.sleep(self.random.uniform(0, 0.3))
        if self.random.random() < 0.3:
            self.replace(child)
        else:
            os.kill(child, signal.SIGCONT)

    def judge(self) -> None:
        """All that was acknowledged, in a process that has seen nothing of it."""
        process = Process(self.directory, self.seed, self.shared)
        total = live = 0
        for writer, step in enumerate(self.shared.returned.tolist()):
            found = process.records_of(writer)
            model = Model(self.seed, writer).advance(step)
            difference = model.difference(found)
            check(difference is None, f"writer {writer} after step {step}: {difference}")
            total += len(found.ids)
            live += live_byte_count(
                found.ids, found.embeddings, found.documents, (), found.metadatas
            )
            if found.ids:
                hits = process.engine.query(
                    process.collection, None, found.embeddings, 1, None, None, [], *PLACE
                ).ids
                check(hits == [[i] for i in found.ids], f"writer {writer}: not found by vector")
        count = process.engine.count(process.collection, *PLACE)
        check(count == total, f"{count} records, not {total}")
        # The next write removes what those who were killed had begun.
        Writer.call(process, "delete", ids=["nobody's"])
        settle(self.directory, 1.5 * live + MEBIBYTE, "what the killed left behind")


def run(seed: int, kills: int, writers: int, readers: int, defect: str = "none") -> None:
    with tempfile.TemporaryDirectory(prefix="chroma-many-processes-") as directory:
        rig = Rig(directory, seed, writers, readers, defect)
        rig.run(kills, writers, readers)
        in_child(rig.judge, "the last check")
    shared = rig.shared
    print(f"{rig.kill_count} kills, {len(rig.holder_delays)} of them of whoever was writing")
    print(f"commits of each writer: {shared.commits.tolist()}")
    print(f"answers judged by readers: {shared.control[1]}")
    delays = sorted(rig.holder_delays) or [0.0]
    middle, longest = delays[len(delays) // 2], delays[-1]
    print(f"from a holder's death to the next commit: {middle:.3f} s, at most {longest:.3f} s")
    waits = shared.longest_wait.tolist()
    print(f"commits of others between a request and its answer, at most: {waits}")
    check(middle <= HOLDER_DELAY_SECONDS_MAX, "whoever is killed while it writes delays the others")
    check(max(waits) <= FAIRNESS * writers, f"a writer waited for {max(waits)} commits of others")


if __name__ == "__main__":
    chosen = options(__doc__, kills=500, writers=8, readers=8, defect="none")
    run(chosen.seed, chosen.kills, chosen.writers, chosen.readers, chosen.defect)
