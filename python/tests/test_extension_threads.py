"""Threads that share an engine: none waits for another's call, none pulls anything away."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from native import PLACE, add, get_all, new_collection, vectors

from chromadb.errors import InvalidArgumentError, NotFoundError
from chromadb_swift_bindings import _chroma

# Calls after which we give up waiting for a thread to be scheduled during one of them.
CALL_COUNT_MAX = 200_000


@pytest.fixture
def engine() -> Iterator[_chroma.Engine]:
    engine = _chroma.Engine(None, True)
    yield engine
    engine.close()


@contextmanager
def no_preemption() -> Iterator[None]:
    """Meanwhile a thread keeps the GIL until it lets it go itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def run_threads(count: int, target: Callable[..., object], *shared: object) -> None:
    """Calls the target on that many threads with its number; raises what one of them raised."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            target(number, *shared)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


CALLS: dict[str, Callable[[_chroma.Engine, str], Any]] = {
    "heartbeat": lambda engine, _: engine.heartbeat(),
    "reset": lambda engine, _: engine.reset(),
    "get_tenant": lambda engine, _: engine.get_tenant("default_tenant"),
    "get_database": lambda engine, _: engine.get_database(*reversed(PLACE)),
    "list_databases": lambda engine, _: engine.list_databases(None, None, "default_tenant"),
    "count_collections": lambda engine, _: engine.count_collections(*PLACE),
    "list_collections": lambda engine, _: engine.list_collections(None, None, *PLACE),
    "create_collection": lambda engine, _: engine.create_collection(
        "records", None, None, None, True, *PLACE
    ),
    "get_collection": lambda engine, _: engine.get_collection("records", *PLACE),
    "get_collection_by_id": lambda engine, id: engine.get_collection_by_id(id, *PLACE),
    "update_collection": lambda engine, id: engine.update_collection(id, None, {"a": 1}, None),
    "add": lambda engine, id: add(engine, id, ["a"]),
    "insert": lambda engine, id: engine.insert(id, ["a"], vectors(), None, None, None, "replace"),
    "upsert": lambda engine, id: engine.upsert(id, ["a"], vectors(), None, None, None, *PLACE),
    "update": lambda engine, id: engine.update(id, ["a"], vectors(), None, None, None, *PLACE),
    "delete": lambda engine, id: engine.delete(id, ["b"], None, None, None, *PLACE),
    "count": lambda engine, id: engine.count(id, *PLACE),
    "get": lambda engine, id: get_all(engine, id),
    "flush": lambda engine, _: engine.flush(),
    "compact": lambda engine, id: engine.compact(id),
    "statistics": lambda engine, id: engine.statistics(id),
    "query": lambda engine, id: engine.query(id, None, vectors(), 1, None, None, [], *PLACE),
}


@pytest.mark.parametrize("is_main", [True, False], ids=["main thread", "other thread"])
@pytest.mark.parametrize("name", CALLS)
def test_another_thread_runs_during_a_call(
    engine: _chroma.Engine, name: str, is_main: bool
) -> None:
    # Nobody is preempted: what the other thread does, it does while a call has let the GIL go.
    collection = new_collection(engine)
    add(engine, collection, ["a"])
    turn, progress = threading.Semaphore(0), []

    def other() -> None:
        turn.acquire()
        progress.append(name)

    def caller() -> None:
        turn.release()
        for _ in range(CALL_COUNT_MAX):
            if progress:
                return
            CALLS[name](engine, collection)

    thread = threading.Thread(target=other)
    thread.start()
    with no_preemption():
        if is_main:
            caller()
        else:
            run_threads(1, lambda _: caller())
        seen = list(progress)
    thread.join()
    assert seen == [name]


def test_lists_may_change_while_they_are_written(engine: _chroma.Engine) -> None:
    collection = new_collection(engine)
    size, rounds = 50, 300
    ids: list[str] = []
    documents: list[Any] = []
    metadatas: list[Any] = []
    is_over = threading.Event()

    def fill(number: int) -> None:
        # Strings that nobody else refers to: what the call does not hold is freed at once.
        ids[:] = [f"id {number} {row}" for row in range(size)]
        documents[:] = [f"document {number} {row} {'x' * 50}" for row in range(size)]
        metadatas[:] = [{f"key {number}": f"value {number} {row}"} for row in range(size)]

    def change() -> None:
        number = 1
        while not is_over.is_set():
            fill(number)
            for metadata in list(metadatas):
                metadata.clear()
            number += 1

    fill(0)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(rounds):
            engine.upsert(collection, ids, vectors(size), metadatas, documents, None, *PLACE)
    finally:
        is_over.set()
        thread.join()
    found = get_all(engine, collection, "documents", "metadatas")
    assert len(found.ids) >= size
    for id, document, metadata in zip(found.ids, found.documents, found.metadatas, strict=True):
        assert id.startswith("id ") and document.startswith("document ")
        for key, value in (metadata or {}).items():
            assert key.startswith("key ") and value.startswith("value ")


def test_closing_ends_the_calls_of_other_threads_with_an_error(tmp_path: Path) -> None:
    for path in (None, str(tmp_path)):
        engine = _chroma.Engine(path, False)
        collection = new_collection(engine)
        add(engine, collection, [f"id {row}" for row in range(100)])
        called = threading.Barrier(9)

        def call(number: int, engine: Any, collection: str, called: Any) -> None:
            is_first = True
            with pytest.raises(InvalidArgumentError, match="closed"):
                while True:
                    if number % 2:
                        assert len(get_all(engine, collection, "embeddings").ids) == 100
                    else:
                        engine.query(collection, None, vectors(3), 5, None, None, [], *PLACE)
                    if is_first:
                        called.wait()
                    is_first = False

        def close(_: int, engine: Any, __: str, called: Any) -> None:
            called.wait()
            engine.close()

        run_threads(
            9,
            lambda number, *shared: (close if number == 8 else call)(number, *shared),
            *(engine, collection, called),
        )


def test_threads_open_and_close_at_once(tmp_path: Path) -> None:
    def use(number: int) -> None:
        for _ in range(20):
            engine = _chroma.Engine(str(tmp_path), False)
            engine.create_collection("shared", None, None, None, True, *PLACE)
            assert engine.count_collections(*PLACE) == 1
            if number % 2:
                engine.close()

    run_threads(8, use)


def test_writes_of_threads_all_arrive(engine: _chroma.Engine) -> None:
    collection = new_collection(engine)
    run_threads(8, lambda n: [add(engine, collection, [f"{n} {row}"]) for row in range(50)])
    assert engine.count(collection, *PLACE) == 400
    assert sorted(get_all(engine, collection).ids) == sorted(
        f"{number} {row}" for number in range(8) for row in range(50)
    )


def test_who_wants_a_collection_in_any_case_gets_one_while_others_delete_it(
    engine: _chroma.Engine,
) -> None:
    def create_and_delete(number: int) -> None:
        for _ in range(100):
            found = engine.create_collection("shared", None, None, None, True, *PLACE)
            assert found.name == "shared"
            with suppress(NotFoundError):
                engine.delete_collection("shared", *PLACE)

    run_threads(8, create_and_delete)
