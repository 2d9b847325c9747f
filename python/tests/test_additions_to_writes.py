"""What `add` does with ids that exist, when it is told, and what bulk writes tell of themselves.

That records read back as they should after any history of such additions is in `test_records.py`.
"""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb.errors import AuthorizationError, DuplicateIDError, IDAlreadyExistsError

EVERYTHING = ["embeddings", "documents", "uris", "metadatas"]


class CountingFunction(chromadb.EmbeddingFunction[chromadb.Documents]):
    """Embeds a text as its length, and keeps what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, input: chromadb.Documents) -> Any:
        self.calls.append(list(input))
        return [[float(len(text)), 1.0] for text in input]

    @staticmethod
    def name() -> str:
        return "counting"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> CountingFunction:
        return CountingFunction()

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def function() -> CountingFunction:
    return CountingFunction()


@pytest.fixture
def notes(client: Any, function: CountingFunction) -> Any:
    """A collection of `a` and `b`, which have all that a record may have."""
    notes = client.create_collection("notes", embedding_function=function)
    notes.add(
        ids=["a", "b"],
        embeddings=[[1, 1], [2, 1]],
        documents=["A", "BB"],
        uris=["u", "v"],
        metadatas=[{"n": 1}, {"n": 2}],
    )
    return notes


def everything(collection: Any) -> dict[str, Any]:
    found = dict(collection.get(include=EVERYTHING))
    return {**found, "embeddings": found["embeddings"].tolist()}


# ---- Ids that exist -----------------------------------------------------------------------------


def test_without_a_word_on_conflicts_nothing_is_counted(notes: Any) -> None:
    assert notes.add(ids=["a", "c"], documents=["new", "C"]) is None
    assert notes.get("a")["documents"] == ["A"]
    assert notes.count() == 3


def test_what_is_ignored_is_counted_and_never_embedded(
    notes: Any, function: CountingFunction
) -> None:
    before = everything(notes)
    counts = notes.add(ids=["x", "a", "b"], documents=["X", "a?", "b?"], on_conflict="ignore")
    assert counts == {"added": 1, "skipped": 2, "replaced": 0}
    assert function.calls == [["X"]]
    counts = notes.add(ids=["b", "a"], documents=["b?", "a?"], on_conflict="ignore")
    assert counts == {"added": 0, "skipped": 2, "replaced": 0}
    assert function.calls == [["X"]]
    assert notes.get()["ids"] == ["a", "b", "x"]
    notes.delete(ids="x")
    assert everything(notes) == before


def test_of_what_is_left_each_column_goes_with_its_id(notes: Any) -> None:
    notes.add(
        ids=["a", "c", "b", "d"],
        documents=["-", "C", "-", "DDD"],
        metadatas=[{"n": 0}, {"n": 3}, None, None],
        on_conflict="ignore",
    )
    found = notes.get(ids=["c", "d"], include=EVERYTHING)
    assert found["documents"] == ["C", "DDD"]
    assert found["metadatas"] == [{"n": 3}, None]
    assert found["embeddings"].tolist() == [[1, 1], [3, 1]]
    assert everything(notes)["documents"] == ["A", "BB", "C", "DDD"]


@pytest.mark.parametrize("is_embedded", [False, True])
def test_an_id_that_exists_can_be_an_error_which_stores_and_embeds_nothing(
    notes: Any, function: CountingFunction, is_embedded: bool
) -> None:
    before = everything(notes)
    vectors = {"embeddings": [[1.0, 1.0]] * 3} if is_embedded else {}
    with pytest.raises(IDAlreadyExistsError) as refusal:
        notes.add(ids=["x", "a", "b"], documents=["X", "?", "?"], on_conflict="error", **vectors)
    # The same sentence, whether the engine says it or who would have embedded.
    assert str(refusal.value) == (
        '2 of the 3 ids exist already: "a", "b". Nothing was added. Leave these records out, or '
        "ask for them to be ignored or replaced."
    )
    assert refusal.value.code() == 409
    assert function.calls == []
    assert everything(notes) == before
    counts = notes.add(ids=["x"], documents=["X"], on_conflict="error")
    assert counts == {"added": 1, "skipped": 0, "replaced": 0}


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_replaced_record_is_what_a_new_one_would_be_at_its_place(
    notes: Any, client: Any, is_compacted: bool
) -> None:
    if is_compacted:
        notes.compact()
    counts = notes.add(ids=["c", "a"], embeddings=[[7.0, 7.0], [8.0, 8.0]], on_conflict="replace")
    assert counts == {"added": 1, "skipped": 0, "replaced": 1}
    fresh = client.create_collection("fresh", embedding_function=None)
    fresh.add(ids=["a"], embeddings=[[8.0, 8.0]])
    fresh.add(
        ids=["b"], embeddings=[[2.0, 1.0]], documents=["BB"], uris=["v"], metadatas=[{"n": 2}]
    )
    fresh.add(ids=["c"], embeddings=[[7.0, 7.0]])
    for _ in range(2):
        assert everything(notes) == everything(fresh)
        assert notes.get(where={"n": 1})["ids"] == []
        assert notes.get(where_document={"$contains": "A"})["ids"] == []
        assert notes.query(query_embeddings=[[8.0, 8.0]], n_results=1)["ids"] == [["a"]]
        notes.compact()


def test_a_replacement_lasts(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        notes = client.create_collection("notes", embedding_function=None)
        notes.add(ids=["a"], embeddings=[[1.0]], documents=["A"], metadatas=[{"n": 1}])
        notes.add(ids=["a"], embeddings=[[2.0]], uris=["u"], on_conflict="replace")
        before = everything(notes)
    with chromadb.PersistentClient(tmp_path) as client:
        assert everything(client.get_collection("notes", embedding_function=None)) == before


def test_counts_hold_whoever_else_adds(client: Any) -> None:
    notes = client.create_collection("races", embedding_function=CountingFunction())
    added: list[int] = []

    def add() -> None:
        for number in range(20):
            ids = [str(number + step) for step in range(5)]
            counts = notes.add(ids=ids, documents=ids, on_conflict="ignore")
            assert counts["added"] + counts["skipped"] == len(ids)
            added.append(counts["added"])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(added) == 80
    assert sum(added) == notes.count() == 24


@pytest.mark.parametrize("on_conflict", ["Ignore", "skip", "", 1, True, ["ignore"]], ids=repr)
def test_what_is_no_policy_is_refused(notes: Any, on_conflict: Any) -> None:
    with pytest.raises(
        ValueError, match="^Expected on_conflict to be one of ignore, error, replace, got .* in add"
    ):
        notes.add(ids=["x"], documents=["X"], on_conflict=on_conflict)
    assert notes.count() == 2


@pytest.mark.parametrize("on_conflict", ["ignore", "error", "replace"])
def test_an_id_given_twice_is_an_error_as_ever(notes: Any, on_conflict: Any) -> None:
    with pytest.raises(DuplicateIDError):
        notes.add(ids=["x", "x"], documents=["X", "Y"], on_conflict=on_conflict)


@pytest.mark.parametrize("on_conflict", ["ignore", "error", "replace"])
def test_a_client_that_only_reads_adds_nothing(
    notes: Any, tmp_path: Path, on_conflict: Any
) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        client.create_collection("notes", embedding_function=None)
    with chromadb.PersistentClient(tmp_path, read_only=True) as client:
        notes = client.get_collection("notes", embedding_function=None)
        with pytest.raises(AuthorizationError):
            notes.add(ids=["x"], embeddings=[[1.0]], on_conflict=on_conflict)


# ---- Progress -----------------------------------------------------------------------------------


def test_documents_are_embedded_at_once_unless_somebody_wants_to_be_told(
    notes: Any, function: CountingFunction
) -> None:
    ids = [f"id {number}" for number in range(100)]
    notes.add(ids=ids, documents=ids)
    assert [len(call) for call in function.calls] == [100]


@pytest.mark.parametrize("method", ["add", "upsert", "update"])
def test_slices_are_told_as_they_are_embedded_and_all_when_they_are_written(
    client: Any, method: str
) -> None:
    function = CountingFunction()
    notes = client.create_collection("bulk", embedding_function=function)
    ids = [str(number) for number in range(1000)]
    documents = ["x" * (number % 50) for number in range(1000)]
    if method == "update":
        notes.add(ids=ids, embeddings=np.zeros((1000, 2)))
    told: list[tuple[int, int]] = []
    counts: list[int] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        counts.append(notes.count())

    assert getattr(notes, method)(ids=ids, documents=documents, progress=progress) is None
    assert told == [(done, 1000) for done in range(64, 1000, 64)] + [(1000, 1000)]
    assert counts[-1] == 1000
    assert set(counts[:-1]) == {1000 if method == "update" else 0}
    assert [len(call) for call in function.calls] == [64] * 15 + [40]
    assert [text for call in function.calls for text in call] == documents
    found = notes.get(include=["embeddings", "documents"])
    assert found["documents"] == documents
    assert found["embeddings"][:, 0].tolist() == [len(text) for text in documents]


def test_what_was_skipped_counts_as_done(notes: Any) -> None:
    ids = ["a", *(str(number) for number in range(40)), "b"]
    told: list[tuple[int, int]] = []
    counts = notes.add(
        ids=ids,
        documents=ids,
        on_conflict="ignore",
        progress=lambda done, total: told.append((done, total)),
    )
    assert counts == {"added": 40, "skipped": 2, "replaced": 0}
    assert told == [(34, 42), (42, 42)]


def test_records_with_embeddings_are_told_once_when_they_are_written(notes: Any) -> None:
    told: list[tuple[int, int]] = []
    ids = [str(number) for number in range(5000)]
    notes.add(
        ids=ids,
        embeddings=np.zeros((5000, 2), dtype=np.float32),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(5000, 5000)]


def test_what_the_callable_raises_ends_the_call_with_nothing_written(
    notes: Any, function: CountingFunction
) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    ids = [str(number) for number in range(100)]
    with pytest.raises(Enough):
        notes.upsert(ids=ids, documents=ids, progress=stop)
    assert [len(call) for call in function.calls] == [32]
    assert notes.count() == 2


def test_a_function_whose_slices_differ_in_dimension_is_refused(client: Any) -> None:
    class Uneven(CountingFunction):
        def __call__(self, input: chromadb.Documents) -> Any:
            return [[1.0] * (2 if "0" in input else 3)] * len(input)

    notes = client.create_collection("uneven", embedding_function=Uneven())
    ids = [str(number) for number in range(40)]
    with pytest.raises(
        chromadb.errors.InvalidArgumentError, match="^Inconsistent dimensions in provided"
    ):
        notes.add(ids=ids, documents=ids, progress=lambda done, total: None)
    assert notes.count() == 0


@pytest.mark.parametrize("is_refused", [False, True])
def test_on_a_terminal_a_bar_is_drawn_and_its_line_ended(
    notes: Any, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    ids = [str(number) for number in range(64)]
    columns = {"metadatas": [{"n": float("nan")}] * 64} if is_refused else {}
    try:
        notes.add(ids=ids, documents=ids, progress=True, **columns)
    except chromadb.errors.InvalidArgumentError:
        assert is_refused
        assert terminal.getvalue().endswith("  50%  32 records of 64 records\n")
    else:
        assert not is_refused
        assert terminal.getvalue().endswith(" 100%  64 records of 64 records\n")
    assert terminal.getvalue().startswith("Adding 64 records\n")


@pytest.mark.parametrize("progress", [5, "yes", []], ids=repr)
def test_progress_is_a_callable_or_a_flag(notes: Any, progress: Any) -> None:
    for method in (notes.add, notes.update, notes.upsert):
        with pytest.raises(TypeError, match="^progress should be a callable, a bool or None, got "):
            method(ids=["x"], documents=["X"], progress=progress)
    assert notes.count() == 2
