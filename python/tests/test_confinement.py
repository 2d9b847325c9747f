"""Promise: nothing is written outside the directory, and there is no network.

Method: a process asks Linux (Landlock) to refuse it every write but beneath one directory, and
every TCP connection, and then does everything that a database does.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from native import run_program

CONFINE = """
import ctypes, socket, struct

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # Of every architecture.
linux = ctypes.CDLL(None, use_errno=True).syscall
abi = linux(CREATE_RULESET, None, ctypes.c_size_t(0), 1)

# Writing to a file, and removing and making entries of every kind; cutting a file since ABI 3.
writing = 1 << 1 | sum(1 << bit for bit in range(4, 13)) | (1 << 14 if abi >= 3 else 0)
connecting = 3 if abi >= 4 else 0
NO_NEW_PRIVILEGES, BENEATH = 38, 1


def confine_to(directory):
    refused = struct.pack("=QQ", writing, connecting)[: 16 if abi >= 4 else 8]
    rules = linux(CREATE_RULESET, refused, ctypes.c_size_t(len(refused)), 0)
    allowed = struct.pack("=Qi", writing, os.open(directory, os.O_PATH))
    assert linux(ADD_RULE, rules, BENEATH, allowed, 0) == 0
    assert ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert linux(RESTRICT_SELF, rules, 0) == 0


def is_refused(action):
    try:
        action()
    except PermissionError:
        return True
    return False


directory, outside = sys.argv[1:]
confine_to(directory)
assert is_refused(lambda: open(os.path.join(outside, "file"), "w"))
assert connecting == 0 or is_refused(lambda: socket.create_connection(("127.0.0.1", 9)))
"""

WORK = """
import chromadb

for reopened in (False, True):
    with chromadb.PersistentClient(os.path.join(directory, "notes")) as client:
        notes = client.get_or_create_collection("notes", embedding_function=None)
        # Large enough for a blob, and for a transaction that does not fit SQLite's cache.
        ids = [f"{reopened} {row}" for row in range(3000)]
        documents = [f"{row} " * 300 for row in range(3000)]
        notes.add(ids, np.eye(3000, 8, dtype=np.float32), [{"n": row} for row in range(3000)],
                  documents)
        for row in range(50):
            notes.update([ids[row]], metadatas=[{"text": "x" * 40_000}])
        assert notes.query([[1] * 8], n_results=3, where={"n": {"$gt": 7}})["ids"][0]
        assert notes.get(where_document={"$regex": "^7 +7"})["ids"]
        notes.delete(where={"n": {"$lt": 2000}})
        assert notes.count() == (2000 if reopened else 1000)
        for name in ("second", "third"):
            client.get_or_create_collection(name, embedding_function=None)
            client.delete_collection(name)
client = chromadb.EphemeralClient()
client.create_collection("notes", embedding_function=None).add(["a"], [[1, 2]])
print("done")
"""


def landlock_version() -> int:
    version: int = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
    return version


@pytest.mark.skipif(landlock_version() < 1, reason="this Linux has no Landlock")
def test_a_database_needs_no_file_outside_its_directory_and_no_network(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    assert run_program(CONFINE + WORK, str(inside), str(outside)) == "done\n"
    assert list(outside.iterdir()) == []
