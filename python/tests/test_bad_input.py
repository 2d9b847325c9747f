"""Promise: bad input of any kind costs an error sentence. Never a crash; nothing is lost.

Method: processes of their own, which must end by themselves with exit code 0 and a typed exception;
afterwards another process looks whether the intact data are still there.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from rigs import bad_calls, bad_directories

import chromadb

CHILDREN = Path(__file__).with_name("rigs")
LONG = bool(os.environ.get("CHROMA_TEST_LONG"))
FLIP_COUNT = int(os.environ.get("FLIP_COUNT", "200" if LONG else "12"))
SEED = int(os.environ.get("FLIP_SEED", "1"))


def run_child(script: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(CHILDREN / script), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )


# ---- Calls --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """Makes all calls in one process, on a directory of three records."""
    directory = str(tmp_path_factory.mktemp("intact"))
    client = chromadb.PersistentClient(directory)
    client.create_collection("intact", embedding_function=None).add(**bad_calls.RECORDS)
    client.close()
    process = run_child("bad_calls.py", directory)
    return directory, process


def test_no_bad_call_ends_the_process(called):
    _, process = called
    last = process.stdout.splitlines()[-2:]
    assert process.returncode == 0, f"exit code {process.returncode} after {last}: {process.stderr}"


def test_bad_calls_change_nothing(called):
    directory, _ = called
    client = chromadb.PersistentClient(directory)
    collection = client.get_collection("intact", embedding_function=None)
    found = collection.get(include=["embeddings", "documents", "metadatas"])
    client.close()
    assert found["ids"] == bad_calls.RECORDS["ids"]
    assert found["embeddings"].tolist() == bad_calls.RECORDS["embeddings"]
    assert found["documents"] == bad_calls.RECORDS["documents"]
    assert found["metadatas"] == bad_calls.RECORDS["metadatas"]


@pytest.mark.parametrize("name", bad_calls.CALLS)
def test_a_bad_call_is_answered_as_it_should_be(called, name):
    _, process = called
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    outcome = lines[lines.index({"call": name}) + 1]
    kind, words = bad_calls.EXPECTED[name]
    if kind is None:
        assert words in outcome.get("returns", ""), outcome
    else:
        assert outcome.get("raises", "").rsplit(".", 1)[-1] == kind, outcome
        assert words in outcome["message"], outcome


# ---- Directories --------------------------------------------------------------------------------

INTACT = {"small": 3, "large": 700}


@pytest.fixture(scope="module")
def intact(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("template") / "database"
    process = run_child("bad_directory_child.py", str(directory), "make")
    assert json.loads(process.stdout)["found"] == sum(INTACT.values()), process
    return directory


@pytest.fixture
def copy(intact, tmp_path) -> Path:
    return Path(shutil.copytree(intact, tmp_path / "copy", symlinks=True))


def look(directory: Path) -> dict:
    process = run_child("bad_directory_child.py", str(directory))
    assert process.returncode == 0, f"exit code {process.returncode}: {process.stderr}"
    return json.loads(process.stdout)


def digests(directory: Path) -> dict[str, str]:
    """The contents of every file, but the lock file, which any opening may make."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "LOCK"
    }


def assert_refused(outcome: dict, *words: str) -> None:
    assert outcome.get("raises", "").startswith("chromadb.errors."), outcome
    assert all(word in outcome["message"] for word in words), outcome


def assert_whole(outcome: dict) -> None:
    expected = [f"{name}-{n}" for name, count in INTACT.items() for n in range(count)]
    assert outcome == {"ids": expected, "found": len(expected)}


@pytest.mark.parametrize("spoil", bad_directories.REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_is_not_ours_is_refused_and_left_as_it_is(copy, spoil):
    spoil(copy)
    before = digests(copy)
    assert_refused(look(copy), "chroma.db")
    assert digests(copy) == before


def test_a_newer_format_opens_again_in_the_release_that_wrote_it(intact, copy):
    bad_directories.a_newer_format(copy)
    assert_refused(look(copy), "newer release")
    bad_directories.set_format_version(copy, bad_directories.FORMAT_VERSION)
    assert digests(copy) == digests(intact)
    assert_whole(look(copy))


@pytest.mark.parametrize("number", range(len(bad_directories.DAMAGED)))
def test_damage_is_an_error_that_names_the_file(copy, number):
    bad_directories.DAMAGED[number](copy)
    assert_refused(look(copy), str(copy))


def test_damage_to_one_collection_leaves_the_others_working(copy):
    bad_directories.blobs_of_random_bytes(copy)
    assert_refused(look(copy), str(copy / "blobs"))
    client = chromadb.PersistentClient(copy)
    small = client.get_collection("small", embedding_function=None)
    assert small.get()["ids"] == [f"small-{number}" for number in range(INTACT["small"])]
    small.add(ids=["new"], embeddings=[[0.0] * 64])
    assert small.query(query_embeddings=[[0.0] * 64], n_results=1)["ids"] == [["new"]]
    client.close()


@pytest.mark.parametrize("number", range(FLIP_COUNT))
def test_a_flipped_bit_never_gives_a_wrong_answer(copy, number):
    source = random.Random(SEED * 1_000_003 + number)
    path = source.choice([copy / "chroma.db", *bad_directories.blobs(copy)])
    offset = bad_directories.flip_bit(path, source)
    outcome = look(copy)
    if "raises" in outcome:
        assert_refused(outcome, str(copy))
    else:
        # In bytes that hold nothing, such as a page that was never used.
        assert_whole(outcome), f"seed {SEED}, {path.name} at {offset}"


def test_a_file_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert_refused(look(tmp_path / "file"), "file")
    assert_refused(look(tmp_path / "file" / "below"), "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_missing_directory_is_made_with_its_parents(tmp_path):
    directory = tmp_path / "a" / "b" / "\u00e9 \U0001f600"
    process = run_child("bad_directory_child.py", str(directory), "make")
    assert_whole(json.loads(process.stdout))


@pytest.mark.parametrize("path", ["a\x00b", "\ud800", "x" * 300, "y/" * 3000])
def test_a_path_that_cannot_be_is_an_error(tmp_path, path):
    with pytest.raises((chromadb.errors.ChromaError, ValueError)):
        chromadb.PersistentClient(str(tmp_path) + "/" + path)


@pytest.fixture
def open_to_all(intact):
    """A copy of the intact directory that every user can reach and read, but nobody else change."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = Path(shutil.copytree(intact, Path(folder, "copy")))
        yield copy
        set_modes(copy, 0o755, 0o644)


def set_modes(directory: Path, folder_mode: int, file_mode: int) -> None:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(folder_mode if path.is_dir() else file_mode)


def look_without_privileges(directory: Path) -> dict:
    process = run_child("bad_directory_child.py", str(directory), "unprivileged")
    assert process.returncode == 0, f"exit code {process.returncode}: {process.stderr}"
    return json.loads(process.stdout)


def test_a_directory_that_may_not_be_written_is_refused(open_to_all):
    before = digests(open_to_all)
    set_modes(open_to_all, 0o555, 0o444)
    assert_refused(look_without_privileges(open_to_all), str(open_to_all))
    assert digests(open_to_all) == before


def test_a_directory_that_may_not_be_read_is_refused(open_to_all):
    set_modes(open_to_all, 0o755, 0o644)
    open_to_all.chmod(0)
    assert_refused(look_without_privileges(open_to_all), str(open_to_all))
    open_to_all.chmod(0o755)
    assert_whole(look(open_to_all))


def test_a_directory_that_may_not_be_made_is_refused(open_to_all):
    open_to_all.chmod(0o555)
    assert_refused(look_without_privileges(open_to_all / "new"), str(open_to_all / "new"))
    assert not (open_to_all / "new").exists()


def test_a_path_without_an_end_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert_refused(look(tmp_path / "loop"), "loop")
