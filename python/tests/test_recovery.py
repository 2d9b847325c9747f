"""Backups come back, damage is found and mended, and what is refused leaves nothing behind."""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from native import run_program

import chromadb
from chromadb import maintenance
from chromadb.errors import InternalError, InvalidArgumentError, NotFoundError
from chromadb_swift_bindings import _chroma

STUB = Path(_chroma.__file__).with_name("_chroma.pyi")

# What a copy says of itself.
COPY = {
    "blob_count",
    "byte_count",
    "copied_blob_count",
    "copied_byte_count",
    "removed_blob_count",
}


def fill(path: Path, ids: list[str], large: bool = False) -> None:
    with chromadb.PersistentClient(path) as client:
        notes = client.get_or_create_collection("notes", embedding_function=None)
        # Documents that no compressor makes small, so that they do not stand in the catalog.
        documents = [os.urandom(50_000).hex() if large else id for id in ids]
        notes.add(ids=ids, embeddings=[[1.0, 2.0]] * len(ids), documents=documents)
        client.flush()


def ids_in(path: Path) -> list[str]:
    with chromadb.PersistentClient(path) as client:
        found: list[str] = client.get_collection("notes", embedding_function=None).get()["ids"]
        return found


def bytes_in(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 2, len(content), 4096):
        content[place] ^= 0xFF
    file.write_bytes(content)


def the_blob(path: Path) -> Path:
    (blob,) = (file for file in (path / "blobs").iterdir() if file.suffix == ".segment")
    return blob


# ---- Backups ------------------------------------------------------------------------------------


def test_a_backup_is_a_database_and_comes_back(tmp_path: Path) -> None:
    source, backup, restored = (tmp_path / name for name in ("db", "backup", "restored"))
    fill(source, ["a", "b"], large=True)
    with chromadb.PersistentClient(source) as client:
        first = client.backup(backup)
        assert set(first) == COPY
        assert first["copied_byte_count"] == first["byte_count"] > 100_000
        assert first["copied_blob_count"] == first["blob_count"] == 1
        client.get_collection("notes", embedding_function=None).add(
            ids=["c"], embeddings=[[3.0, 4.0]]
        )
        again = client.backup(str(backup))
        assert (again["copied_blob_count"], again["removed_blob_count"]) == (0, 0)
        assert again["copied_byte_count"] < first["copied_byte_count"]
    copy = maintenance.restore(backup, restored)
    assert set(copy) == COPY
    assert copy["copied_byte_count"] == copy["byte_count"]
    assert ids_in(restored) == ids_in(source) == ["a", "b", "c"]
    assert ids_in(backup) == ["a", "b", "c"]


def test_a_backup_is_made_while_others_write(tmp_path: Path) -> None:
    fill(tmp_path / "db", ["a"])
    with chromadb.PersistentClient(tmp_path / "db") as client:
        notes = client.get_collection("notes", embedding_function=None)
        written: list[str] = []

        def write(done: int, total: int) -> None:
            assert 0 <= done <= total
            written.append(f"b{len(written)}")
            notes.add(ids=written[-1:], embeddings=[[1.0, 2.0]])

        client.backup(tmp_path / "backup", progress=write)
        assert written
    assert maintenance.verify(tmp_path / "backup") == []
    # What was written meanwhile is in the copy up to some moment, and not after it.
    copied = ids_in(tmp_path / "backup")
    assert copied == ["a", *written][: len(copied)]


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    fill(tmp_path / "db", ["a", "b"], large=True)
    with chromadb.PersistentClient(tmp_path / "db") as client:
        client.backup(tmp_path / "backup")
    blob = the_blob(tmp_path / "backup")
    spoil(blob)
    with pytest.raises(InternalError, match=blob.name):
        maintenance.restore(tmp_path / "backup", tmp_path / "restored")


def test_a_backup_is_refused_where_it_would_do_harm(tmp_path: Path) -> None:
    fill(tmp_path / "db", ["a"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with chromadb.PersistentClient(tmp_path / "db") as client:
        for target in ("db", "db/inside", "other"):
            with pytest.raises(InvalidArgumentError):
                client.backup(tmp_path / target)
    assert bytes_in(tmp_path / "other") == {"letter.txt": b"mine"}
    assert not (tmp_path / "db" / "inside").exists()
    assert ids_in(tmp_path / "db") == ["a"]
    with chromadb.EphemeralClient() as memory, pytest.raises(InvalidArgumentError, match="memory"):
        memory.backup(tmp_path / "backup")
    with pytest.raises(InvalidArgumentError, match="closed"):
        client.backup(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_restoration_harms_no_database(tmp_path: Path) -> None:
    fill(tmp_path / "db", ["a"])
    fill(tmp_path / "other", ["kept"])
    with chromadb.PersistentClient(tmp_path / "db") as client:
        client.backup(tmp_path / "backup")
    with pytest.raises(InternalError):
        maintenance.restore(tmp_path / "backup", tmp_path / "other")
    assert ids_in(tmp_path / "other") == ["kept"]
    with pytest.raises(InvalidArgumentError):
        maintenance.restore(tmp_path / "absent", tmp_path / "new")


# ---- Damage -------------------------------------------------------------------------------------


def test_a_sound_directory_needs_nothing(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"], large=True)
    before = bytes_in(tmp_path)
    assert maintenance.verify(tmp_path) == []
    assert bytes_in(tmp_path) == before
    report = maintenance.repair(tmp_path)
    assert report == {"actions": [], "losses": [], "saved_directory": None}
    assert ids_in(tmp_path) == ["a", "b"]


def test_a_damaged_segment_is_found_and_taken_out(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"], large=True)
    with chromadb.PersistentClient(tmp_path) as client:
        client.create_collection("others", embedding_function=None).add(
            ids=["x"], embeddings=[[1.0]]
        )
        identity = client.get_collection("notes", embedding_function=None).id
    blob = the_blob(tmp_path)
    spoil(blob)
    before = bytes_in(tmp_path)
    findings = maintenance.verify(str(tmp_path))
    assert bytes_in(tmp_path) == before
    damage = [finding for finding in findings if finding["severity"] == "damage"]
    assert damage
    for finding in damage:
        assert finding["file"] == f"blobs/{blob.name}"
        assert (finding["collection_name"], finding["collection_id"]) == ("notes", identity)
        assert finding["what"] and finding["is_repairable"] is True
    report = maintenance.repair(tmp_path)
    assert report["actions"]
    assert report["saved_directory"] is not None
    assert (tmp_path / report["saved_directory"]).is_dir()
    for loss in report["losses"]:
        assert loss["collection_name"] == "notes"
        assert set(loss["ids"]) <= {"a", "b"}
    assert not [f for f in maintenance.verify(tmp_path) if f["severity"] == "damage"]
    assert maintenance.repair(tmp_path)["actions"] == []
    with chromadb.PersistentClient(tmp_path) as client:
        assert client.get_collection("others", embedding_function=None).get()["ids"] == ["x"]
        client.get_collection("notes", embedding_function=None).count()


def test_a_lost_catalog_is_rebuilt(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"], large=True)
    for file in tmp_path.glob("chroma.db*"):
        file.unlink()
    report = maintenance.repair(tmp_path)
    assert report["actions"]
    assert ids_in(tmp_path) == ["a", "b"]


def test_a_directory_that_is_open_is_not_repaired(tmp_path: Path) -> None:
    fill(tmp_path, ["a"])
    with chromadb.PersistentClient(tmp_path), pytest.raises(InternalError):
        maintenance.repair(tmp_path)


@pytest.mark.parametrize("function", [maintenance.verify, maintenance.repair])
def test_there_must_be_a_directory(function: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        function(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


# ---- How they are called ------------------------------------------------------------------------


def call(name: str, tmp_path: Path, **keywords: Any) -> Any:
    """Backs up, restores, verifies or repairs `db`, of which there is a backup."""
    if name == "backup":
        with chromadb.PersistentClient(tmp_path / "db") as client:
            return client.backup(tmp_path / "fresh", **keywords)
    if name == "restore":
        return maintenance.restore(tmp_path / "backup", tmp_path / "new", **keywords)
    return getattr(maintenance, name)(tmp_path / "db", **keywords)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    fill(tmp_path / "db", ["a", "b"], large=True)
    with chromadb.PersistentClient(tmp_path / "db") as client:
        client.backup(tmp_path / "backup")
    return tmp_path


@pytest.mark.parametrize("name", ["backup", "restore", "verify"])
def test_progress_counts_bytes(name: str, prepared: Path) -> None:
    told: list[tuple[int, int]] = []
    call(name, prepared, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told[-1][0] == told[-1][1] > 100_000
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("name", ["backup", "restore", "verify"])
def test_what_progress_raises_comes_out(name: str, prepared: Path) -> None:
    def tell(done: int, total: int) -> None:
        raise LookupError(name)

    with pytest.raises(LookupError, match=name):
        call(name, prepared, progress=tell)
    assert maintenance.verify(prepared / "db") == []


@pytest.mark.parametrize("progress", [5, "yes"], ids=repr)
@pytest.mark.parametrize("name", ["backup", "restore", "verify", "repair"])
def test_progress_is_a_callable_or_a_flag(name: str, progress: Any, prepared: Path) -> None:
    with pytest.raises(TypeError, match="^progress should be a callable, a bool or None"):
        call(name, prepared, progress=progress)


@pytest.mark.parametrize("path", [5, None, b"db", ["db"]], ids=repr)
def test_a_path_is_a_string_or_a_path(path: Any, tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        for function in (
            maintenance.verify,
            maintenance.repair,
            client.backup,
            lambda path: maintenance.restore(path, tmp_path / "new"),
            lambda path: maintenance.restore(tmp_path, path),
        ):
            with pytest.raises(TypeError):
                function(path)


@pytest.mark.parametrize("path", ["", "a\0b"], ids=repr)
def test_an_impossible_path_is_refused(path: str, tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        for function in (maintenance.verify, maintenance.repair, client.backup):
            with pytest.raises(InvalidArgumentError, match="must not be empty or contain NUL"):
                function(path)


def test_the_functions_have_the_parameters_of_the_stub() -> None:
    stated = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.posonlyargs]
            stated[node.name] = (names, len(node.args.defaults))
    found = {}
    for name in ("restore", "verify", "repair"):
        given = inspect.signature(getattr(_chroma, name)).parameters.values()
        defaults = [p for p in given if p.default is not inspect.Parameter.empty]
        found[name] = ([p.name for p in given], len(defaults))
    assert found == stated


@pytest.mark.parametrize("name", ["restore", "verify", "repair"])
def test_the_number_of_arguments_is_checked(name: str) -> None:
    count = 3 if name == "restore" else 2
    for wrong in (count - 2, count + 1):
        with pytest.raises(TypeError, match=rf"{name}\(\) takes up to {count} positional"):
            getattr(_chroma, name)(*["x"] * wrong)


def test_a_thousand_calls_leave_nothing_behind(prepared: Path) -> None:
    printed = run_program(
        """
    import ctypes, pathlib
    library = ctypes.CDLL(str(pathlib.Path(_chroma.__file__).with_name("libchroma.so.1")))
    library.chroma_debug_live_handle_count.restype = ctypes.c_uint64
    root = sys.argv[1]

    def run(count):
        for _ in range(count):
            _chroma.verify(root + "/backup")
            for wrong in (
                lambda: _chroma.verify(root + "/absent"),
                lambda: _chroma.repair(5),
                lambda: _chroma.restore(root + "/backup", root + "/db"),
            ):
                try:
                    wrong()
                except Exception:
                    continue
                raise AssertionError("an answer")

    def held():
        return (
            library.chroma_debug_live_handle_count(),
            len(os.listdir("/proc/self/fd")),
            len(os.listdir("/proc/self/task")),
        )

    run(20)
    before, blocks = held(), sys.getallocatedblocks()
    run(250)
    print(held() == before, sys.getallocatedblocks() - blocks < 250)
    """,
        str(prepared),
    )
    assert printed == "True True\n"
