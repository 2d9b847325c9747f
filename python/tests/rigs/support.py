"""What the rigs of many processes, forks, space and damage share.

A rig is a program of its own, so that its first process is fresh: it has imported everything,
opened nothing, and forks children that start at once.

    python -m rigs.NAME --seed 1 ...        from python/tests
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from chromadb_swift_bindings import _chroma

PLACE = ("default_tenant", "default_database")
TESTS = Path(__file__).resolve().parent.parent
#: A child that takes longer hangs. Generous: the machine may be busy.
CHILD_SECONDS_MAX = 120
MEBIBYTE = 1 << 20


class Failure(AssertionError):
    """What a rig found. Its text says where the first difference is."""


def check(holds: bool, sentence: str) -> None:
    if not holds:
        raise Failure(sentence)


# ---- Running ------------------------------------------------------------------------------------


def run_rig(name: str, *arguments: object, seconds_max: float = 3600) -> str:
    """Runs a rig as a program, for a test; what it printed."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", f"rigs.{name}", *map(str, arguments)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds_max,
        check=False,
    )
    assert done.returncode == 0, f"rigs.{name} {arguments}: {done.returncode}\n{done.stdout}"
    return done.stdout


def options(description: str | None, **defaults: Any) -> argparse.Namespace:
    """The options of a rig by their names and defaults, with --seed; prints them."""
    parser = argparse.ArgumentParser(description=description)
    for name, value in {"seed": 1, **defaults}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    chosen = parser.parse_args()
    print(*(f"{name} {value}" for name, value in vars(chosen).items()), sep=", ", flush=True)
    return chosen


def fork(action: Callable[[], object]) -> int:
    """Starts a child that does this and ends without cleaning up; its process id."""
    sys.stdout.flush()
    child = os.fork()
    if child != 0:
        return child
    try:
        action()
        sys.stdout.flush()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def in_child(
    action: Callable[[], object], what: str = "the child", seconds_max: int = CHILD_SECONDS_MAX
) -> None:
    """Does it in a child, which must end well."""
    code = os.waitstatus_to_exitcode(os.waitpid(fork(limited(action, seconds_max)), 0)[1])
    check(code == 0, f"{what} ended with {code}")


def limited(
    action: Callable[[], object], seconds_max: int = CHILD_SECONDS_MAX
) -> Callable[[], object]:
    """The same, ended by a signal when it hangs."""

    def act() -> object:
        signal.alarm(seconds_max)
        return action()

    return act


def fast_folder() -> str | None:
    """A folder in memory, if there is one with room, for what does not depend on the disk."""
    try:
        status = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if status.f_bavail * status.f_frsize >= 1 << 30 else None


# ---- Records ------------------------------------------------------------------------------------


def collection_id(engine: _chroma.Engine, name: str) -> str:
    """The id of a collection, which is created where it is missing."""
    return str(engine.create_collection(name, None, None, None, True, *PLACE).id)


def vectors(source: random.Random, count: int, dimension: int) -> np.ndarray:
    bits = np.random.default_rng(source.getrandbits(64))
    return bits.standard_normal((count, dimension), dtype=np.float32)


# ---- Sizes --------------------------------------------------------------------------------------


def files(directory: str | Path) -> list[Path]:
    return sorted(path for path in Path(directory).rglob("*") if path.is_file())


def directory_byte_count(directory: str | Path) -> int:
    """Bytes of all files, as long as they are or as much as they occupy, whichever is more."""
    total = 0
    for path in files(directory):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # Removed by a compaction since it was listed.
        total += max(status.st_size, status.st_blocks * 512)
    return total


def live_byte_count(
    ids: Iterable[str],
    embeddings: np.ndarray,
    documents: Iterable[str | None] = (),
    uris: Iterable[str | None] = (),
    metadatas: Iterable[dict[str, Any] | None] = (),
) -> int:
    """Bytes of what the records hold: texts in UTF-8, numbers at 8 bytes, vectors at 4."""
    texts = [*ids, *documents, *uris]
    return (
        sum(len(text.encode()) for text in texts if text is not None)
        + embeddings.size * 4
        + sum(value_byte_count(metadata) for metadata in metadatas if metadata is not None)
    )


def value_byte_count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(key.encode()) + value_byte_count(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(value_byte_count, value))
    if isinstance(value, str):
        return len(value.encode())
    return 1 if isinstance(value, bool) else 8


# ---- What a process holds -----------------------------------------------------------------------


def process_figures() -> dict[str, int]:
    """Threads, descriptors, mappings and resident bytes of this process."""
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mappings": len(Path("/proc/self/maps").read_text().splitlines()),
        "resident bytes": resident_byte_count(),
    }


def resident_byte_count() -> int:
    ctypes.CDLL(None).malloc_trim(0)  # What malloc keeps for later is no leak.
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def read_byte_count() -> int:
    """Bytes that this process has asked the kernel to read, from its start."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])
