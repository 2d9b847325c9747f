"""Directories that are opened read-only: right answers, and nothing changes.

    python -m rigs.read_only --seed 1 --rounds 40        from python/tests

Still directories: one that was closed, one whose writer was killed, and that one without the index
of its log; each in a writable folder, in a folder whose rights forbid writing, and on a read-only
mount. Everything that can be read is compared with what its writer read, a write and an opening for
writing are refused, and the directory is the same afterwards, down to inodes and times.

A live one: in each round a writer in a process of its own adds, deletes, closes and opens again, or
is killed; another SQLite folds its log back. After each acknowledgement a reader that has the
directory open all the time and one on a read-only mount see exactly what was acknowledged; between
the rounds one that opens it anew and a forked child too. While no writer lives, the directory does
not change.

Rights bind nobody who is root, so readers give those up first. Where mounting is not allowed, that
part is skipped, and says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import uuid  # noqa: F401 - the extension loads it, and could not without the rights of root
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chromadb.errors import AuthorizationError, InternalError
from chromadb_swift_bindings import _chroma

from .support import PLACE, check, collection_id, fork, in_child, options

NOBODY = 65534
DIMENSION = 4


def main() -> None:
    chosen = options(__doc__, rounds=40)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        home = Path(folder)
        still(home, chosen.seed)
        live(home, chosen.seed, chosen.rounds)


# ---- What is compared ---------------------------------------------------------------------------


def digest(directory: Path) -> dict[str, tuple[Any, ...]]:
    """Names, kinds, rights, inodes, sizes, contents, and the times of all changes."""
    entries = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        times = (status.st_mtime_ns, status.st_ctime_ns)
        entries[str(path.relative_to(directory))] = (
            status.st_mode,
            status.st_ino,
            status.st_size,
            times,
            content,
        )
    return entries


def expect_same(directory: Path, before: dict[str, tuple[Any, ...]], what: str) -> None:
    after = digest(directory)
    changed = sorted(name for name in before | after if before.get(name) != after.get(name))
    check(not changed, f"{what} changed {changed}")


def answers(engine: _chroma.Engine) -> str:
    collection = str(engine.get_collection("records", *PLACE).id)
    found = engine.get(
        collection, None, None, None, 0, None, ["documents", "embeddings", "metadatas"], *PLACE
    )
    query = np.ones((1, DIMENSION), dtype=np.float32)
    near = engine.query(collection, None, query, 5, None, None, ["distances"], *PLACE)
    return json.dumps(
        [
            engine.count(collection, *PLACE),
            found.ids,
            np.asarray(found.embeddings).tolist(),
            found.documents,
            found.metadatas,
            near.ids,
            near.distances,
        ]
    )


def add(engine: _chroma.Engine, first: int, count: int, byte_count: int = 20) -> None:
    rows = range(first, first + count)
    engine.upsert(
        collection_id(engine, "records"),
        [f"id {row}" for row in rows],
        np.asarray([[row, row % 7, row % 5, 1] for row in rows], dtype=np.float32),
        [{"row": row} for row in rows],
        [str(row % 10) * byte_count for row in rows],
        None,
        *PLACE,
    )


def delete(engine: _chroma.Engine, rows: list[int]) -> None:
    ids = [f"id {row}" for row in rows]
    engine.delete(collection_id(engine, "records"), ids, None, None, None, *PLACE)


# ---- Still directories --------------------------------------------------------------------------


def still(home: Path, seed: int) -> None:
    source = random.Random(seed)
    closed, killed, bare = home / "closed", home / "killed", home / "bare"
    expected_file = home / "expected"

    def write() -> None:
        engine = _chroma.Engine(str(killed), False)
        for step in range(12):
            add(engine, 10 * step, 10, source.choice([20, 20, 9000]))
        delete(engine, source.sample(range(120), 15))
        expected_file.write_text(answers(engine))
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(fork(write), 0)
    expected = expected_file.read_text()
    shutil.copytree(killed, closed)
    shutil.copytree(killed, bare)
    (bare / "chroma.db-shm").unlink()
    (bare / "LOCK").unlink()
    in_child(lambda: _chroma.Engine(str(closed), False).close())
    check(not (closed / "chroma.db-wal").exists(), "closing left a log")
    for directory in (closed, killed, bare):
        let_all_read(directory)
        in_writable_folder(directory, expected)
        in_folder_without_rights(directory, expected)
        on_mount(home, directory, expected)
        print(f"still: {directory.name}")


def let_all_read(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def in_writable_folder(directory: Path, expected: str) -> None:
    before = digest(directory)
    in_child(lambda: read_and_try_to_write(directory, expected, is_writable=True))
    expect_same(directory, before, f"reading {directory.name}")


def in_folder_without_rights(directory: Path, expected: str) -> None:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = digest(directory)

    def read() -> None:
        give_up_rights()
        read_and_try_to_write(directory, expected, is_writable=False)

    in_child(read)
    expect_same(directory, before, f"reading {directory.name} without rights")
    let_all_read(directory)


def on_mount(home: Path, directory: Path, expected: str) -> None:
    with read_only_mount(home, directory) as mounted:
        if mounted is not None:
            before = digest(directory)
            in_child(lambda: read_and_try_to_write(mounted, expected, is_writable=False))
            expect_same(directory, before, f"reading {directory.name} on a mount")


def give_up_rights() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def read_and_try_to_write(directory: Path, expected: str, is_writable: bool) -> None:
    engine = _chroma.Engine(str(directory), False, read_only=True)
    for _ in range(2):
        check(answers(engine) == expected, f"{directory} reads otherwise")
    try:
        add(engine, 0, 1)
    except AuthorizationError as error:
        check("read-only" in str(error), str(error))
    else:
        check(False, "a write was not refused")
    in_child(lambda: check(answers(engine) == expected, f"a child reads {directory} otherwise"))
    engine.close()
    if is_writable:
        return
    try:
        _chroma.Engine(str(directory), False)
    except InternalError as error:
        check(str(directory) in str(error) and "read-only" in str(error), str(error))
    else:
        check(False, f"{directory} was opened for writing")


@contextlib.contextmanager
def read_only_mount(home: Path, directory: Path) -> Iterator[Path | None]:
    """The directory under another path, where nobody can write; None where one may not mount."""
    place = home / "mount"
    place.mkdir(exist_ok=True)
    refusal = mount("--bind", str(directory), str(place))
    if refusal is None:
        refusal = mount("-o", "remount,bind,ro", str(place))
        try:
            yield place if refusal is None else None
        finally:
            subprocess.run(["umount", str(place)], check=True)
    else:
        yield None
    if refusal is not None:
        print(f"SKIPPED a read-only mount: {refusal}")


def mount(*arguments: str) -> str | None:
    """Why it could not be mounted, if it could not."""
    if shutil.which("mount") is None:
        return "there is no mount"
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip() or "mount failed"


# ---- A live writer ------------------------------------------------------------------------------


class Writer:
    """A process that does what it is told, and says when it is done."""

    def __init__(self, directory: Path):
        self.wishes, child_wishes = os.pipe()[::-1]
        child_answers, self.answers = os.pipe()[::-1]
        self.process = fork(lambda: self.obey(directory, child_wishes, child_answers))
        os.close(child_wishes)
        os.close(child_answers)
        self.is_alive = True

    def obey(self, directory: Path, wishes: int, said: int) -> None:
        os.close(self.wishes)
        engine = _chroma.Engine(str(directory), False)
        os.write(said, b".")
        while wish := os.read(wishes, 4096):
            action, *numbers = json.loads(wish)
            if action == "add":
                add(engine, *numbers)
            elif action == "delete":
                delete(engine, numbers)
            else:
                engine.close()
                engine = _chroma.Engine(str(directory), False)
            os.write(said, b".")

    def wait(self) -> None:
        check(os.read(self.answers, 1) == b".", "the writer ended by itself")

    def do(self, *wish: Any) -> None:
        os.write(self.wishes, json.dumps(wish).encode())
        self.wait()

    def end(self, is_killed: bool) -> None:
        if is_killed:
            os.kill(self.process, signal.SIGKILL)
        os.close(self.wishes)
        os.close(self.answers)
        os.waitpid(self.process, 0)


def live(home: Path, seed: int, round_count: int) -> None:
    source = random.Random(seed)
    directory = home / "live"
    in_child(lambda: add(_chroma.Engine(str(directory), False), 0, 3))
    let_all_read(directory)
    records, next_row = {0, 1, 2}, 3
    lasting = _chroma.Engine(str(directory), False, read_only=True)
    counts = {"kills": 0, "checkpoints": 0, "writes": 0}

    def expect(what: str) -> None:
        in_child(lambda: expect_records(directory, None, records, what))
        in_child(lambda: expect_records(directory, lasting, records, f"{what}, after a fork"))
        expect_records(directory, lasting, records, what)

    with read_only_mount(home, directory) as mounted:
        for number in range(round_count):
            what = f"seed {seed}, round {number}"
            writer = Writer(directory)
            writer.wait()
            expect(f"{what}, a writer came")
            for _ in range(source.randint(1, 4)):
                if source.random() < 0.3 and len(records) > 5:
                    rows = source.sample(sorted(records), 3)
                    writer.do("delete", *rows)
                    records -= set(rows)
                elif source.random() < 0.1:
                    writer.do("reopen")
                else:
                    count = source.randint(1, 12)
                    writer.do("add", next_row, count, source.choice([20, 20, 12_000]))
                    records |= set(range(next_row, next_row + count))
                    next_row += count
                counts["writes"] += 1
                expect_records(directory, lasting, records, what)
                if mounted is not None:
                    in_child(lambda: expect_records(mounted, None, records, f"{what}, mounted"))
                if source.random() < 0.3:
                    in_child(lambda: fold_back(directory))
                    counts["checkpoints"] += 1
                    expect_records(directory, lasting, records, f"{what}, folded back")
            is_killed = source.random() < 0.5
            writer.end(is_killed)
            counts["kills"] += is_killed
            before = digest(directory)
            expect(f"{what}, no writer")
            expect_same(directory, before, f"{what}: reading")
            if source.random() < 0.3:
                lasting.close()
                lasting = _chroma.Engine(str(directory), False, read_only=True)
    lasting.close()
    print("live:", *(f"{name} {count}" for name, count in counts.items()))


def expect_records(
    directory: Path, engine: _chroma.Engine | None, records: set[int], what: str
) -> None:
    reader = engine or _chroma.Engine(str(directory), False, read_only=True)
    collection = str(reader.get_collection("records", *PLACE).id)
    found = reader.get(collection, None, None, None, 0, None, [], *PLACE).ids
    expected = [f"id {row}" for row in sorted(records)]
    check(found == expected, f"{what}: {sorted(set(found) ^ set(expected))[:5]} differ")
    check(reader.count(collection, *PLACE) == len(expected), f"{what}: count() differs")


def fold_back(directory: Path) -> None:
    connection = sqlite3.connect(directory / "chroma.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


if __name__ == "__main__":
    main()
