"""Flush, compact and statistics: what they do to files and answers, and to who waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from native import PLACE, add, get_all, new_collection, run_program, vectors

from chromadb.errors import InvalidArgumentError, NotFoundError
from chromadb_swift_bindings import _chroma

MARKER = "the marker of a deleted document"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[_chroma.Engine]:
    engine = _chroma.Engine(str(tmp_path / "db"), True, background=False)
    yield engine
    engine.close()


def files_with(text: str, directory: Path) -> list[str]:
    return [
        path.name
        for path in directory.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_statistics_say_what_a_flush_does(engine: _chroma.Engine) -> None:
    collection = new_collection(engine)
    assert set(engine.statistics(collection).values()) == {0}
    add(engine, collection, ["a", "b", "c"])
    engine.upsert(collection, ["a"], vectors(), None, None, None, *PLACE)
    before = engine.statistics(collection)
    assert before["record_count"] == 3
    assert (before["version"], before["position"]) == (0, 4)
    assert (before["log_row_count"], before["log_record_count"]) == (2, 4)
    assert before["log_byte_count"] > 0
    engine.flush()
    after = engine.statistics(collection)
    assert after["record_count"] == 3
    assert (after["version"], after["position"]) == (1, 4)
    assert (after["log_row_count"], after["log_record_count"], after["log_byte_count"]) == (0, 0, 0)
    assert (after["segment_count"], after["dead_row_count"]) == (1, 0)
    assert after["compacted_byte_count"] >= after["segment_byte_count"] > 0


def test_a_compaction_makes_one_segment_of_many(engine: _chroma.Engine) -> None:
    collection, other = new_collection(engine), new_collection(engine, "other")
    for round in range(3):
        for each in (collection, other):
            add(engine, each, [f"{round} {row}" for row in range(100)])
        engine.flush()
    engine.delete(collection, ["0 0"], None, None, None, *PLACE)
    answer = get_all(engine, collection, "embeddings")
    engine.compact(collection)
    assert engine.statistics(collection)["segment_count"] == 1
    assert engine.statistics(collection)["dead_row_count"] == 0
    assert engine.statistics(other)["segment_count"] >= 1
    again = get_all(engine, collection, "embeddings")
    assert again.ids == answer.ids
    assert np.array_equal(again.embeddings, answer.embeddings)


@pytest.mark.parametrize("size", [1, 5_000], ids=["in the catalog", "in a blob"])
def test_deleted_text_is_in_no_file_after_a_flush(
    engine: _chroma.Engine, tmp_path: Path, size: int
) -> None:
    collection = new_collection(engine)
    document = f"{MARKER} {np.random.default_rng(1).bytes(8 * size).hex()}"
    engine.add(["kept", "gone"], collection, vectors(2), None, ["x", document], None, *PLACE)
    assert files_with(MARKER, tmp_path) != []
    engine.delete(collection, ["gone"], None, None, None, *PLACE)
    engine.flush()
    assert files_with(MARKER, tmp_path) == []
    assert get_all(engine, collection).ids == ["kept"]


@pytest.mark.parametrize("method", ["flush", "compact"])
@pytest.mark.parametrize("is_main", [True, False], ids=["main thread", "other thread"])
def test_progress_is_told_to_the_thread_that_waits(
    engine: _chroma.Engine, method: str, is_main: bool
) -> None:
    for number in range(3):
        add(engine, new_collection(engine, f"collection-{number}"), ["a"])
    told: list[tuple[int, int]] = []
    threads: set[int] = set()

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        threads.add(threading.get_ident())

    def call() -> None:
        assert getattr(engine, method)(None, tell) is None
        assert threads == {threading.get_ident()}

    if is_main:
        call()
    else:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert told[-1] == (3000, 3000)
    assert told == sorted(told)


@pytest.mark.parametrize("method", ["flush", "compact"])
def test_what_progress_raises_comes_out(engine: _chroma.Engine, method: str) -> None:
    collection = new_collection(engine)
    add(engine, collection, ["a"])

    def tell(done: int, total: int) -> None:
        raise LookupError(method)

    with pytest.raises(LookupError, match=method):
        getattr(engine, method)(None, tell)
    assert get_all(engine, collection).ids == ["a"]
    getattr(engine, method)()
    assert engine.statistics(collection)["log_row_count"] == 0


def test_progress_may_use_the_engine(engine: _chroma.Engine) -> None:
    collection = new_collection(engine)
    add(engine, collection, ["a"])
    counted: list[Any] = []
    engine.flush(None, lambda *_: counted.append(get_all(engine, collection).ids))
    assert set(map(tuple, counted)) == {("a",)}


# More collections than can be flushed before somebody acts, and a way to act meanwhile.
MANY_COLLECTIONS = """
    engine = _chroma.Engine(None, False, background=False)
    collections = [new_collection(engine, f"collection-{n}") for n in range(2_000)]
    for collection in collections:
        add(engine, collection, ["a"])

    def left():
        return sum(engine.statistics(id)["version"] == 0 for id in collections)
"""


def test_ctrl_c_ends_a_flush_between_two_collections() -> None:
    printed = run_program(
        MANY_COLLECTIONS
        + """
    may_act = threading.Semaphore(0)
    def act():
        may_act.acquire()
        os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=act)
    thread.start()
    sys.setswitchinterval(1000)
    may_act.release()
    try:
        engine.flush()
    except KeyboardInterrupt:
        print("interrupted")
    thread.join()
    print(left() > 0)
    engine.flush()
    print(left(), engine.count(collections[-1], *PLACE))
    """
    )
    assert printed == "interrupted\nTrue\n0 1\n"


def test_what_progress_raises_ends_a_flush() -> None:
    printed = run_program(
        MANY_COLLECTIONS
        + """
    def tell(done, total):
        print("told")
        raise LookupError

    def flush():
        try:
            engine.flush(None, tell)
        except LookupError:
            print("raised")

    thread = threading.Thread(target=flush)
    thread.start()
    thread.join()
    print(left() > 0)
    """
    )
    assert printed == "told\nraised\nTrue\n"


def test_a_child_that_progress_forks_is_not_waited_for() -> None:
    printed = run_program(
        MANY_COLLECTIONS
        + """
    def tell(done, total):
        if done < total and not children:
            children.append(os.fork())

    children = []
    warnings.simplefilter("ignore")
    try:
        engine.flush(None, tell)
        os.waitpid(children[0], 0)
        print("flushed", left())
    except RuntimeError as error:
        print(error)
        sys.stdout.flush()
        os._exit(0)
    """
    )
    assert printed == (
        "A signal handler or a progress callback forked during this call, which goes on in the "
        "parent process only.\nflushed 0\n"
    )


@pytest.mark.parametrize(
    "arguments", [(None, 5), (None, "progress"), (None, True)], ids=lambda a: repr(a[1])
)
@pytest.mark.parametrize("method", ["flush", "compact"])
def test_progress_is_callable(engine: _chroma.Engine, method: str, arguments: Any) -> None:
    with pytest.raises(TypeError, match="^argument 'progress': '.*' object is not callable$"):
        getattr(engine, method)(*arguments)


@pytest.mark.parametrize("method", ["flush", "compact", "statistics"])
def test_a_collection_must_exist(engine: _chroma.Engine, method: str) -> None:
    collection = new_collection(engine)
    engine.delete_collection("records", *PLACE)
    with pytest.raises(NotFoundError):
        getattr(engine, method)(collection)
    with pytest.raises(InvalidArgumentError, match="expected UUID"):
        getattr(engine, method)("no uuid")


def test_a_small_memory_limit_changes_no_answer(tmp_path: Path) -> None:
    engine = _chroma.Engine(str(tmp_path), False, memory_limit_bytes=1)
    collections = [new_collection(engine, f"collection-{number}") for number in range(5)]
    for round in range(3):
        for number, collection in enumerate(collections):
            add(engine, collection, [f"{number} {round}"])
    for number, collection in enumerate(collections):
        assert get_all(engine, collection).ids == [f"{number} {round}" for round in range(3)]
    engine.close()
