"""The event loop never stands still, and what is cancelled ends.

That the loop goes on is shown by what waits for it: the engine, an embedding function, the opening
of a directory is made to wait until the loop has run something meanwhile. A loop that waited for
them in turn would hang, and the wait is given up with an error.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import LengthFunction
from native import run_program

import chromadb
from chromadb.api.async_local import AsyncLocalAPI
from chromadb.config import System
from chromadb.errors import InvalidArgumentError

# Seconds after which the loop is held to stand still. Nothing here takes as long.
PATIENCE = 60


class Gate:
    """Lets a thread pass once the event loop has run something while it waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.passed = 0

    def __call__(self) -> None:
        has_run = threading.Event()
        self._loop.call_soon_threadsafe(has_run.set)
        if not has_run.wait(PATIENCE):
            raise AssertionError("the event loop stands still")
        self.passed += 1


class GatedServer:
    """A server of which each call waits at the gate."""

    def __init__(self, server: Any, gate: Callable[[], None]) -> None:
        self._server = server
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._server, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._gate()
            return member(*arguments, **named)

        return call


class GatedFunction(LengthFunction):
    """Embeds once the gate lets it."""

    def __init__(self, gate: Callable[[], None]) -> None:
        super().__init__(2)
        self.gate = gate

    def __call__(self, input: Any) -> Any:
        self.gate()
        return super().__call__(input)

    @staticmethod
    def name() -> str:
        return "gated"

    def get_config(self) -> dict[str, Any]:
        self.gate()
        return {}


def gated(client: Any, gate: Callable[[], None]) -> Any:
    client._server._local = GatedServer(client._server._local, gate)
    return client


def chroma_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("chroma")]


CLIENT_CALLS: dict[str, Callable[[Any], Any]] = {
    "heartbeat": lambda c: c.heartbeat(),
    "get_version": lambda c: c.get_version(),
    "get_max_batch_size": lambda c: c.get_max_batch_size(),
    "get_user_identity": lambda c: c.get_user_identity(),
    "list_collections": lambda c: c.list_collections(),
    "count_collections": lambda c: c.count_collections(),
    "create_collection": lambda c: c.create_collection("other", embedding_function=None),
    "get_collection": lambda c: c.get_collection("records"),
    "delete_collection": lambda c: c.delete_collection("records"),
    "flush": lambda c: c.flush(),
    "compact": lambda c: c.compact(),
    "reset": lambda c: c.reset(),
    "set_tenant": lambda c: c.set_tenant("default_tenant"),
    "set_database": lambda c: c.set_database("default_database"),
}

COLLECTION_CALLS: dict[str, Callable[[Any], Any]] = {
    "add": lambda c: c.add(ids=["b"], embeddings=[[1, 2]]),
    "update": lambda c: c.update(ids=["a"], metadatas=[{"a": 1}]),
    "update_where": lambda c: c.update_where({"a": 1}, ids="a"),
    "upsert": lambda c: c.upsert(ids=["a"], embeddings=[[1, 2]]),
    "delete": lambda c: c.delete(ids=["a"]),
    "modify": lambda c: c.modify(configuration={"hnsw": {"ef_search": 50}}),
    "count": lambda c: c.count(),
    "get": lambda c: c.get(),
    "peek": lambda c: c.peek(),
    "distinct": lambda c: c.distinct("key"),
    "query": lambda c: c.query(query_embeddings=[[1, 2]]),
    "explain": lambda c: c.explain(query_embeddings=[[1, 2]]),
    "flush": lambda c: c.flush(),
    "compact": lambda c: c.compact(),
    "statistics": lambda c: c.statistics(),
    "get_indexing_status": lambda c: c.get_indexing_status(),
}


@pytest.mark.parametrize("name", CLIENT_CALLS)
def test_the_loop_goes_on_while_a_client_waits_for_the_engine(name: str) -> None:
    async def main() -> None:
        settings = chromadb.Settings(allow_reset=True)
        async with await chromadb.AsyncEphemeralClient(settings) as client:
            await client.create_collection("records", embedding_function=None)
            gate = Gate()
            await CLIENT_CALLS[name](gated(client, gate))
            assert gate.passed > 0

    asyncio.run(main())


@pytest.mark.parametrize("name", COLLECTION_CALLS)
def test_the_loop_goes_on_while_a_collection_waits_for_the_engine(name: str) -> None:
    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection("records", embedding_function=None)
            await records.add(ids=["a"], embeddings=[[1, 2]])
            gate = Gate()
            gated(client, gate)
            await COLLECTION_CALLS[name](records)
            assert gate.passed > 0

    asyncio.run(main())


def test_the_loop_goes_on_while_texts_are_embedded_and_functions_are_configured() -> None:
    async def main() -> None:
        gate = Gate()
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection(
                "records", embedding_function=GatedFunction(gate)
            )
            assert gate.passed > 0
            for number, call in enumerate((records.add, records.upsert, records.update)):
                before = gate.passed
                await call(ids=["a"], documents=["x" * number])
                assert gate.passed > before
            before = gate.passed
            await records.query(query_texts=["x"])
            assert gate.passed > before

    asyncio.run(main())


def test_the_loop_goes_on_while_columns_are_checked_and_data_are_loaded() -> None:
    class Slow(dict[str, Any]):
        """Metadata that are long in being looked through."""

        gate: Callable[[], None]

        def items(self) -> Any:
            self.gate()
            return super().items()

    async def main() -> None:
        gate = Slow.gate = Gate()

        def load(uris: Any) -> list[str]:
            gate()
            return [str(uri) for uri in uris]

        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection(
                "records", embedding_function=LengthFunction(), data_loader=load
            )
            await records.add(
                ids=["a"], embeddings=[[1, 2]], uris=["there"], metadatas=[Slow(key=1)]
            )
            checked = gate.passed
            assert checked > 0
            assert (await records.get(include=["data"]))["data"] == ["there"]
            assert gate.passed > checked

    asyncio.run(main())


def test_the_loop_goes_on_while_a_directory_is_opened_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        gate = Gate()
        start, stop = System.start, System.stop
        monkeypatch.setattr(System, "start", lambda self: (gate(), start(self)))
        monkeypatch.setattr(System, "stop", lambda self: (gate(), stop(self)))
        client = await chromadb.AsyncPersistentClient(tmp_path)
        assert gate.passed == 1
        await client.close()
        assert gate.passed == 2

    asyncio.run(main())


# ---- Cancelling ---------------------------------------------------------------------------------

# A query that takes minutes unless it is cancelled, which close() would wait for.
LONG_QUERY = """
    import asyncio
    import chromadb

    async def begin():
        client = await chromadb.AsyncEphemeralClient()
        records = await client.create_collection("records", embedding_function=None)
        for part in range(4):
            ids = [f"id {part} {row}" for row in range(5_000)]
            await records.add(ids=ids, embeddings=vectors(5_000))
        has_begun = asyncio.Event()
        loop, server = asyncio.get_running_loop(), client._server._local
        query = server._query
        def signalling(*arguments, **named):
            loop.call_soon_threadsafe(has_begun.set)
            return query(*arguments, **named)
        server._query = signalling
        queries = np.zeros((2_000_000, 2), dtype=np.float32)
        task = asyncio.create_task(records.query(query_embeddings=queries, n_results=1))
        await has_begun.wait()
        return client, task
"""


def test_cancelling_a_task_ends_its_query_in_the_engine() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    async def main():
        client, task = await begin()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled")
        # Waits for the thread, and so for the query.
        await client.close()
        print([each.name for each in threading.enumerate() if each.name.startswith("chroma")])

    asyncio.run(main())
    """
    )
    assert printed == "cancelled\n[]\n"


def test_a_timeout_ends_a_query() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    async def main():
        client, task = await begin()
        try:
            await asyncio.wait_for(task, 0)
        except TimeoutError:
            print("too long")
        await client.close()

    asyncio.run(main())
    """
    )
    assert printed == "too long\n"


def test_ctrl_c_ends_a_query_that_a_program_waits_for() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    async def main():
        client, task = await begin()
        os.kill(os.getpid(), signal.SIGINT)
        await task

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("interrupted")
    """
    )
    assert printed == "interrupted\n"


def test_an_interpreter_ends_while_a_query_is_under_way() -> None:
    printed = run_program(
        LONG_QUERY
        + """
    # Ends with the task still waiting: asyncio.run() cancels it.
    asyncio.run(begin())
    print("ends")
    """
    )
    assert printed == "ends\n"


def test_a_write_that_was_cancelled_while_it_embedded_does_not_begin(tmp_path: Path) -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        has_begun.set()
        assert may_go_on.wait(PATIENCE)

    class Held(LengthFunction):
        def __call__(self, input: Any) -> Any:
            hold()
            return super().__call__(input)

    async def main() -> None:
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            records = await client.create_collection("records", embedding_function=Held())
            task = asyncio.create_task(records.add(ids=["a"], documents=["text"]))
            await asyncio.to_thread(has_begun.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            may_go_on.set()
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            assert await (await client.get_collection("records")).count() == 0

    asyncio.run(main())


def test_a_write_that_was_cancelled_after_it_began_completes_whole(tmp_path: Path) -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        has_begun.set()
        assert may_go_on.wait(PATIENCE)

    async def main() -> None:
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            records = await client.create_collection("records", embedding_function=None)
            gated(client, hold)
            ids = [str(number) for number in range(100)]
            task = asyncio.create_task(records.add(ids=ids, embeddings=[[1.0]] * 100))
            await asyncio.to_thread(has_begun.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            may_go_on.set()
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            assert await (await client.get_collection("records")).count() == 100

    asyncio.run(main())


def test_a_call_that_was_cancelled_before_a_thread_was_free_is_not_made() -> None:
    may_go_on = threading.Event()
    calls: list[int] = []

    def hold() -> None:
        calls.append(1)
        assert may_go_on.wait(PATIENCE)

    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            gated(client, hold)
            thread_count = client._server._threads()._max_workers
            holding = [asyncio.create_task(client.heartbeat()) for _ in range(thread_count)]
            waiting = asyncio.create_task(client.heartbeat())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            may_go_on.set()
            await asyncio.gather(*holding)
            assert len(calls) == thread_count

    asyncio.run(main())


# ---- Calls out of calls -------------------------------------------------------------------------


class Caller(LengthFunction):
    """Asks something of the client that it embeds for, in an event loop of its own."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__(2)
        self.ask = ask

    def __call__(self, input: Any) -> Any:
        asyncio.run(self.ask())
        return super().__call__(input)


def test_functions_that_call_their_own_client_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            function = Caller(client.count_collections)
            records = await client.create_collection("records", embedding_function=function)
            calls = 2 * client._server._threads()._max_workers
            adds = (records.add(ids=[str(n)], documents=["text"]) for n in range(calls))
            await asyncio.wait_for(asyncio.gather(*adds), PATIENCE)
            assert await records.count() == calls
        assert chroma_threads() == []

    asyncio.run(main())


def test_a_function_may_close_its_own_client() -> None:
    async def main() -> None:
        client = await chromadb.AsyncEphemeralClient()
        records = await client.create_collection("records", embedding_function=Caller(client.close))
        with pytest.raises(InvalidArgumentError, match="closed"):
            await asyncio.wait_for(records.add(ids=["a"], documents=["text"]), PATIENCE)

    asyncio.run(main())


def test_a_call_on_a_closed_client_leaves_no_thread() -> None:
    async def main() -> None:
        client = await chromadb.AsyncEphemeralClient()
        await client.close()
        with pytest.raises(InvalidArgumentError, match="closed"):
            await client.count_collections()
        for thread in chroma_threads():
            await asyncio.to_thread(thread.join, PATIENCE)
        assert chroma_threads() == []

    asyncio.run(main())


# ---- Many at once -------------------------------------------------------------------------------


def test_many_tasks_read_and_write_at_once() -> None:
    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection("records", embedding_function=None)

            async def work(number: int) -> list[list[str]]:
                await records.add(ids=[str(number)], embeddings=[[float(number), 0.0]])
                found = await records.query(query_embeddings=[[float(number), 0.0]], n_results=1)
                return found["ids"]

            found = await asyncio.gather(*(work(number) for number in range(500)))
            assert found == [[[str(number)]] for number in range(500)]
            assert await records.count() == 500

    asyncio.run(main())


def test_a_client_serves_one_event_loop_after_another_and_several_at_once(tmp_path: Path) -> None:
    async def begin() -> tuple[Any, Any]:
        client = await chromadb.AsyncPersistentClient(tmp_path)
        return client, await client.create_collection("records", embedding_function=None)

    client, records = asyncio.run(begin())

    async def work(number: int) -> None:
        for row in range(20):
            await records.add(ids=[f"{number} {row}"], embeddings=[[1.0]])

    asyncio.run(work(0))
    threads = [
        threading.Thread(target=lambda number=number: asyncio.run(work(number)))
        for number in range(1, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(records.count()) == 100
    asyncio.run(client.close())


@pytest.fixture
def no_warning_of_threads() -> Iterator[None]:
    with warnings.catch_warnings():
        # There are several threads indeed when it forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def test_a_client_works_in_a_child_process(tmp_path: Path, no_warning_of_threads: None) -> None:
    async def begin() -> tuple[Any, Any]:
        client = await chromadb.AsyncPersistentClient(tmp_path)
        records = await client.create_collection("records", embedding_function=None)
        await records.add(ids=["parent"], embeddings=[[1.0]])
        return client, records

    client, records = asyncio.run(begin())
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(records.add(ids=["child"], embeddings=[[2.0]]))
            asyncio.run(client.close())
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asyncio.run(records.get())["ids"] == ["parent", "child"]
    asyncio.run(client.close())


# ---- What comes back ----------------------------------------------------------------------------


def test_what_a_function_raises_arrives_as_it_was_raised() -> None:
    class Broken(LengthFunction):
        def __call__(self, input: Any) -> Any:
            raise LookupError("no model", 5)

    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection("records", embedding_function=Broken())
            with pytest.raises(LookupError) as raised:
                await records.add(ids=["a"], documents=["text"])
            assert raised.value.args[0].startswith("no model")

    asyncio.run(main())


def test_a_callback_that_raises_stop_iteration_ends_the_call_with_an_error() -> None:
    def stop(done: int, total: int) -> None:
        raise StopIteration

    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection("records", embedding_function=None)
            await records.add(ids=["a"], embeddings=[[1.0]])
            with pytest.raises(RuntimeError, match="StopIteration"):
                await records.flush(stop)

    asyncio.run(main())


def test_embedding_functions_see_the_context_of_the_task() -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request")
    seen: list[str] = []

    class Seeing(LengthFunction):
        def __call__(self, input: Any) -> Any:
            seen.append(request.get())
            return super().__call__(input)

    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            records = await client.create_collection("records", embedding_function=Seeing())
            request.set("mine")
            await records.add(ids=["a"], documents=["text"])

    asyncio.run(main())
    assert seen == ["mine"]


def test_the_threads_end_with_the_client(tmp_path: Path) -> None:
    async def main() -> None:
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            await asyncio.gather(*(client.heartbeat() for _ in range(20)))
            assert chroma_threads() != []
        assert chroma_threads() == []
        dropped: Any = await chromadb.AsyncPersistentClient(tmp_path)
        await dropped.heartbeat()
        threads = chroma_threads()
        assert threads != []
        del dropped
        gc.collect()
        for thread in threads:
            await asyncio.to_thread(thread.join, PATIENCE)
        assert chroma_threads() == []

    asyncio.run(main())


def test_every_method_of_the_interface_runs_on_a_thread() -> None:
    assert AsyncLocalAPI.__abstractmethods__ == frozenset()
