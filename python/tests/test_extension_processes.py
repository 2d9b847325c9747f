"""Signals, forks, interpreters, and the end of the process. Each case is a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from native import run_program

from chromadb_swift_bindings import _chroma

# A query that takes minutes unless it is cancelled, and a thread that does something while the
# main thread is inside it: nobody is preempted, so the thread runs only once the query let it.
LONG_QUERY = """
    engine = _chroma.Engine(None, False)
    collection = new_collection(engine)
    add(engine, collection, [f"id {row}" for row in range(20_000)])
    queries = np.zeros((2_000_000, 2), dtype=np.float32)

    def query(wanted=queries):
        return engine.query(collection, None, wanted, 1, None, None, [], *PLACE)

    def during_query(action):
        may_act = threading.Semaphore(0)
        def act():
            may_act.acquire()
            action()
        thread = threading.Thread(target=act)
        thread.start()
        may_act.release()
        return thread

    sys.setswitchinterval(1000)
"""


def test_ctrl_c_ends_a_long_query() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    query(queries[:1])
    thread = during_query(lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        query()
    except KeyboardInterrupt:
        print("interrupted")
    thread.join()
    print(query(queries[:1]).ids, engine.count(collection, *PLACE))
    """
    )
    assert printed == "interrupted\n[['id 0']] 20000\n"


def test_ctrl_c_ends_a_long_get() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    # Each of these terms is looked at for each record.
    where = '{"$or": [%s]}' % ",".join('{"key": {"$eq": %d}}' % n for n in range(100_000))
    thread = during_query(lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        engine.get(collection, None, where, None, 0, None, [], *PLACE)
    except KeyboardInterrupt:
        print("interrupted")
    thread.join()
    """
    )
    assert printed == "interrupted\n"


def test_a_signal_handler_that_returns_lets_the_query_go_on() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    seen = []
    # A handler may use the engine: the query that it interrupts is still under way.
    def handle(number, frame):
        seen.append(query(queries[:1]).ids)
        is_over.set()
    signal.signal(signal.SIGUSR1, handle)
    is_over = threading.Event()
    thread = during_query(lambda: os.kill(os.getpid(), signal.SIGUSR1))
    while not is_over.is_set():
        found = query(queries[:500])
    thread.join()
    print(seen, len(found.ids))
    """
    )
    assert printed == "[[['id 0']]] 500\n"


def test_a_handler_that_raises_anything_ends_the_query_with_it() -> None:
    # This thread, the one that indexes, and one that reads with a helper for each processor; the
    # same for another's last moments. One thread that every query left behind would be more.
    thread_count_max = 4 + 2 * (os.cpu_count() or 1)
    printed = run_program(
        LONG_QUERY
        + f"""
    def handle(number, frame):
        raise TimeoutError("too long")
    signal.signal(signal.SIGUSR1, handle)
    for _ in range({thread_count_max} + 12):
        thread = during_query(lambda: os.kill(os.getpid(), signal.SIGUSR1))
        try:
            query()
        except TimeoutError as error:
            print(error)
        thread.join()
    print(len(os.listdir("/proc/self/task")) <= {thread_count_max})
    """
    )
    assert printed == "too long\n" * (thread_count_max + 12) + "True\n"


def test_a_handler_that_forks_leaves_the_query_to_the_parent() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    def handle(number, frame):
        children.append(os.fork())
        if children[-1] == 0:
            signal.alarm(60)
    children = []
    # There are several threads indeed.
    warnings.simplefilter("ignore", DeprecationWarning)
    signal.signal(signal.SIGUSR1, handle)
    thread = during_query(lambda: os.kill(os.getpid(), signal.SIGUSR1))
    try:
        while not children:
            found = query(queries[:500])
        if children[0] == 0:
            os._exit(1)
    except RuntimeError as error:
        os._exit(0 if "forked" in str(error) else 2)
    thread.join()
    print(os.waitpid(children[0], 0)[1], len(found.ids))
    """
    )
    assert printed == "0 500\n"


# The query runs on this thread, and on another one the request is made.
@pytest.mark.parametrize("thread", ["main", "other"])
def test_a_cancel_ends_the_reads_of_the_thread_that_runs_it(thread: str) -> None:
    printed = run_program(
        LONG_QUERY
        + """
    cancel, others = _chroma.Cancel(), _chroma.Cancel()

    def run():
        requester = during_query(cancel.request)
        try:
            cancel.run(query)
        except Exception as error:
            print(type(error).__name__)
        requester.join()
        # It stays requested; reads outside of it, and of another, are not its.
        try:
            cancel.run(query)
        except Exception as error:
            print(type(error).__name__)
        print(query(queries[:1]).ids, others.run(lambda: query(queries[:1])).ids)
        # What runs within another takes its place, and gives it back.
        try:
            cancel.run(lambda: (print(others.run(lambda: query(queries[:1])).ids), query()))
        except Exception as error:
            print(type(error).__name__)

    if sys.argv[1] == "main":
        run()
    else:
        runner = threading.Thread(target=run)
        runner.start()
        runner.join()
    """,
        thread,
    )
    found = "[['id 0']]"
    assert printed == f"InternalError\nInternalError\n{found} {found}\n{found}\nInternalError\n"


def test_a_cancel_lets_its_function_return_and_raise() -> None:
    cancel = _chroma.Cancel()
    assert cancel.run(lambda: 5) == 5
    with pytest.raises(LookupError, match="mine"):
        cancel.run(lambda: (_ for _ in ()).throw(LookupError("mine")))
    with pytest.raises(TypeError):
        _chroma.Cancel(5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="not callable"):
        cancel.run(5)  # type: ignore[arg-type]


FORK = """
    def in_child(action):
        # The exit status of a child that does it.
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            try:
                action()
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


# On the main thread this shows, too, that queries leave no thread behind: since Python 3.12 a fork
# with threads is a warning.
@pytest.mark.parametrize("thread", ["main", "other"])
def test_a_persistent_engine_works_in_a_child_process(tmp_path: Path, thread: str) -> None:
    printed = run_program(
        FORK
        + """
    engine = _chroma.Engine(sys.argv[1], False)
    collection = new_collection(engine)
    add(engine, collection, ["parent"])

    def query():
        return engine.query(collection, None, vectors(), 9, None, None, [], *PLACE).ids

    def use():
        assert query() == [["parent"]]
        add(engine, collection, ["child"])
        assert query() == [["parent", "child"]]
        assert in_child(lambda: add(engine, collection, ["grandchild"])) == 0
        engine.close()

    query()
    status = []
    if sys.argv[2] == "main":
        status.append(in_child(use))
    else:
        warnings.simplefilter("ignore", DeprecationWarning)
        fork = threading.Thread(target=lambda: status.append(in_child(use)))
        fork.start()
        fork.join()
    print(status, sorted(query()[0]))
    """,
        str(tmp_path),
        thread,
    )
    assert printed == "[0] ['child', 'grandchild', 'parent']\n"


def test_a_database_in_memory_stays_with_its_process() -> None:
    printed = run_program(
        FORK
        + """
    from chromadb.errors import InvalidArgumentError
    engine = _chroma.Engine(None, False)
    collection = new_collection(engine)
    add(engine, collection, ["a"])

    def use():
        for attempt in (lambda: get_all(engine, collection), engine.heartbeat):
            try:
                attempt()
            except InvalidArgumentError as error:
                assert "process that forked" in str(error), error
            else:
                raise AssertionError("an answer")
        engine.close()
        fresh = _chroma.Engine(None, False)
        add(fresh, new_collection(fresh), ["a"])

    print(in_child(use), get_all(engine, collection).ids)
    """
    )
    assert printed == "0 ['a']\n"


def test_an_interpreter_ends_with_engines_open(tmp_path: Path) -> None:
    printed = run_program(
        """
    import atexit
    engine = _chroma.Engine(None, False)
    persistent = _chroma.Engine(sys.argv[1], False)
    add(persistent, new_collection(persistent), ["a"])
    class Cycle:
        pass
    cycle = Cycle()
    cycle.itself, cycle.engine = cycle, _chroma.Engine(sys.argv[1], False)
    del cycle
    atexit.register(lambda: print(persistent.count_collections(*PLACE)))
    sys.modules["kept"] = persistent
    results = persistent.list_collections(None, None, *PLACE)
    """,
        str(tmp_path),
    )
    assert printed == "1\n"


def test_an_interpreter_ends_while_threads_are_in_calls(tmp_path: Path) -> None:
    for _ in range(5):
        printed = run_program(
            """
        for path in (None, sys.argv[1]):
            engine = _chroma.Engine(path, False)
            collection = str(engine.create_collection("some", None, None, None, True, *PLACE).id)
            add(engine, collection, [str(row) for row in range(1000)])
            started = threading.Barrier(5)
            def work(number, engine=engine, collection=collection, started=started):
                started.wait()
                while True:
                    if number % 2:
                        engine.query(collection, None, vectors(), 5, None, None, [], *PLACE)
                    else:
                        engine.upsert(collection, ["a"], vectors(), None, None, None, *PLACE)
            for number in range(4):
                threading.Thread(target=work, args=(number,), daemon=True).start()
            started.wait()
        print("ends")
        """,
            str(tmp_path),
        )
        assert printed == "ends\n"


# Runs in an interpreter that shares the GIL with the main one. Without numpy, which does not like
# to be loaded twice.
SECOND_INTERPRETER = """
from chromadb import errors
from chromadb_swift_bindings import _chroma
engine = _chroma.Engine(None, False)
place = ("default_tenant", "default_database")
id = str(engine.create_collection("mine", None, None, {"a": 1}, False, *place).id)
row = memoryview(bytes(8)).cast("f", (1, 2))
engine.add(["x"], id, row, [{"key": 5}], ["text"], None, *place)
found = engine.query(id, None, row, 1, None, None, ["documents", "metadatas"], *place)
assert found.documents == [["text"]] and found.metadatas == [[{"key": 5}]], found
try:
    engine.get_collection("absent", *place)
except errors.NotFoundError:
    print("not found", engine.count_collections(*place), flush=True)
"""


INTERPRETERS = """
    try:
        import _interpreters as interpreters
        kinds = {"shared": {"config": "legacy"}, "own": {"config": "isolated"}}
    except ImportError:
        import _xxsubinterpreters as interpreters
        kinds = {"shared": {"isolated": False}, "own": {"isolated": True}}

    def run(kind, program):
        # In a new interpreter that shares the GIL or has its own; what went wrong, as text.
        made = interpreters.create(**kinds[kind])
        try:
            prelude = f"import sys; sys.path[:] = {sys.path!r}"
            failure = interpreters.run_string(made, prelude + program)
            return failure and failure.formatted
        except interpreters.RunFailedError as failure:
            return str(failure)
        finally:
            interpreters.destroy(made)
"""


def test_interpreters_of_one_process_have_engines_of_their_own() -> None:
    printed = run_program(
        INTERPRETERS
        + """
    engine = _chroma.Engine(None, False)
    add(engine, new_collection(engine), ["a"])
    for _ in range(2):
        failure = run("shared", sys.argv[1])
        assert failure is None, failure
    print(engine.count_collections(*PLACE))
    """,
        SECOND_INTERPRETER,
    )
    assert printed == "not found 1\n" * 2 + "1\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters share the GIL before 3.12")
def test_an_interpreter_with_its_own_gil_is_refused_with_a_sentence() -> None:
    printed = run_program(
        INTERPRETERS
        + """
    print(run("own", "\\nfrom chromadb_swift_bindings import _chroma"))
    """
    )
    assert (
        "module chromadb_swift_bindings._chroma does not support loading in subinterpreters"
        in printed
    )
