"""Space, speed and safety from Python: flush, compact, statistics, and what long calls show."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

import chromadb
from chromadb.config import Settings
from chromadb.errors import AuthorizationError, InvalidArgumentError, NotFoundError


@pytest.fixture
def database(tmp_path: Path) -> Any:
    """A client of a directory, with two collections of three records."""
    with chromadb.PersistentClient(tmp_path / "db") as client:
        for name in ("first", "second"):
            collection = client.create_collection(name, embedding_function=None)
            collection.add(ids=["a", "b", "c"], embeddings=[[1, 0], [0, 1], [1, 1]])
        yield client


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_flush_and_compact_change_no_answer(database: Any) -> None:
    first, second = (
        database.get_collection(name, embedding_function=None) for name in ("first", "second")
    )
    first.delete(ids=["b"])
    before = first.get(include=["embeddings"])["embeddings"].tolist()
    database.flush()
    for collection in (first, second):
        assert collection.statistics()["log_row_count"] == 0
        assert collection.statistics()["segment_count"] == 1
    first.upsert(ids=["a"], embeddings=[[5, 5]])
    first.flush()
    database.compact()
    first.compact()
    assert first.statistics()["dead_row_count"] == 0
    assert first.get(include=["embeddings"])["embeddings"].tolist() == [[5, 5], *before[1:]]
    assert first.count() == first.statistics()["record_count"] == 2


def test_a_deleted_collection_has_no_statistics(database: Any) -> None:
    collection = database.get_collection("first", embedding_function=None)
    database.delete_collection("first")
    for method in (collection.flush, collection.compact, collection.statistics):
        with pytest.raises(NotFoundError):
            method()


def test_a_closed_client_does_no_maintenance(database: Any) -> None:
    collection = database.get_collection("first", embedding_function=None)
    database.close()
    for method in (database.flush, database.compact, collection.flush, collection.statistics):
        with pytest.raises(InvalidArgumentError, match="closed"):
            method()


@pytest.mark.parametrize("method", ["flush", "compact"])
def test_progress_is_called_with_what_is_done(database: Any, method: str) -> None:
    told: list[tuple[int, int]] = []
    getattr(database, method)(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2000, 2000)


@pytest.mark.parametrize("progress", [None, False])
def test_without_progress_nothing_is_printed(
    database: Any, progress: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    database.flush(progress=progress)
    database.compact(progress)
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_a_terminal_gets_a_bar(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    database.compact(progress=True)
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert shown.startswith("Compacting the database\n")
    assert shown.endswith(f"[{'#' * 30}] 100%\n")


def test_what_is_no_terminal_gets_a_line_in_the_log(
    database: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, logger="chromadb.maintenance"):
        database.flush(progress=True)
    assert caplog.messages == ["Flushing the database"]
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize("progress", [5, "yes", []], ids=repr)
def test_progress_is_a_callable_or_a_flag(database: Any, progress: Any) -> None:
    with pytest.raises(TypeError, match="^progress should be a callable, a bool or None, got "):
        database.flush(progress=progress)


# ---- Settings -----------------------------------------------------------------------------------


def test_a_memory_limit_is_taken_from_the_settings(tmp_path: Path) -> None:
    settings = Settings(chroma_memory_limit_bytes=1)
    with chromadb.PersistentClient(tmp_path, settings) as client:
        for name in ("first", "second"):
            client.create_collection(name, embedding_function=None).add(
                ids=["a"], embeddings=[[1.0]], documents=[name]
            )
        for name in ("first", "second"):
            found = client.get_collection(name, embedding_function=None).get()
            assert found["documents"] == [name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"memory_limit": "1GB"}, "chroma_memory_limit_bytes is '1GB'. It should be a number of b"),
        ({"memory_limit": 1.5}, "chroma_memory_limit_bytes is 1.5. It should be a number of bytes"),
        ({"read_only": "yes"}, "chroma_read_only is 'yes'. It should be True or False."),
    ],
)
def test_what_is_no_limit_or_no_flag_is_refused_by_name(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^The setting {message}"):
        chromadb.PersistentClient(tmp_path, **arguments)


def test_a_memory_limit_beyond_every_memory_is_one(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path, memory_limit=2**64) as client:
        assert client.count_collections() == 0


def test_a_memory_limit_is_not_negative() -> None:
    with pytest.raises(ValueError, match=r"^The setting chroma_memory_limit_bytes is -1\. "):
        chromadb.EphemeralClient(Settings(chroma_memory_limit_bytes=-1))


def test_indexing_threads_are_taken_from_the_settings() -> None:
    with chromadb.EphemeralClient(Settings(chroma_indexing_threads=1)) as client:
        client.create_collection("notes", embedding_function=None)
    with pytest.raises(ValueError, match=r"^The setting chroma_indexing_threads is -1\. "):
        chromadb.EphemeralClient(Settings(chroma_indexing_threads=-1))


def test_a_read_only_client_reads(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        client.create_collection("notes", embedding_function=None).add(
            ids=["a"], embeddings=[[1.0]]
        )
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with chromadb.PersistentClient(tmp_path, Settings(chroma_read_only=True)) as client:
        notes = client.get_collection("notes", embedding_function=None)
        assert notes.get()["ids"] == ["a"]
        assert notes.query(query_embeddings=[1.0])["ids"] == [["a"]]
        assert notes.statistics()["record_count"] == 1
        for refused in (
            lambda: notes.add(ids=["b"], embeddings=[[1.0]]),
            lambda: notes.delete(ids=["a"]),
            lambda: client.create_collection("more", embedding_function=None),
            lambda: client.delete_collection("notes"),
            client.flush,
            client.compact,
            lambda: client.backup(tmp_path.with_name("copy")),
            notes.flush,
        ):
            with pytest.raises(AuthorizationError):
                refused()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_the_arguments_of_a_client_stand_for_the_settings(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path, memory_limit=1_000_000) as client:
        assert client.get_settings().chroma_memory_limit_bytes == 1_000_000
        assert not client.get_settings().chroma_read_only
        for others in ({}, {"memory_limit": 1}, {"memory_limit": 1_000_000, "read_only": True}):
            with pytest.raises(ValueError, match="already exists .* with different settings"):
                chromadb.PersistentClient(tmp_path, **others)  # type: ignore[arg-type]
        chromadb.PersistentClient(tmp_path, memory_limit=1_000_000).close()
    with (
        chromadb.PersistentClient(tmp_path, read_only=True) as client,
        pytest.raises(AuthorizationError),
    ):
        client.create_collection("notes")
    # What is not said is as the settings say.
    given = Settings(chroma_read_only=True, chroma_memory_limit_bytes=5)
    with chromadb.PersistentClient(tmp_path, given) as client:
        assert client.get_settings().chroma_read_only
        assert client.get_settings().chroma_memory_limit_bytes == 5
    with chromadb.PersistentClient(tmp_path, given, read_only=False) as client:
        client.create_collection("notes")
    with pytest.raises(NotFoundError):
        chromadb.PersistentClient(tmp_path / "absent", read_only=True)
    with chromadb.EphemeralClient(memory_limit=7) as client:
        assert client.get_settings().chroma_memory_limit_bytes == 7


def test_a_read_only_client_makes_no_directory(tmp_path: Path) -> None:
    read_only = Settings(chroma_read_only=True)
    with pytest.raises(NotFoundError):
        chromadb.PersistentClient(tmp_path / "absent", read_only)
    assert not (tmp_path / "absent").exists()
    with pytest.raises(InvalidArgumentError):
        chromadb.EphemeralClient(Settings(chroma_read_only=True))
