"""Clients of servers on event loops: whose connections, who waits, and what ends.

What calls answer is compared with the synchronous clients in test_async_client.py.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from test_async_event_loop import PATIENCE, Gate, GatedFunction
from v2_server import V2Server

import chromadb
from chromadb.api import base_http_client
from chromadb.api.async_fastapi import AsyncFastAPI
from chromadb.errors import InvalidArgumentError, NotFoundError
from chromadb.utils.async_to_sync import async_class_to_sync, async_to_sync


@pytest.fixture
def server() -> Iterator[V2Server]:
    with V2Server() as server:
        yield server


def test_the_factory_reaches_a_server_as_http_client_does(server: V2Server) -> None:
    async def main() -> None:
        headers = {"X-Mine": "5"}
        async with await chromadb.AsyncHttpClient("127.0.0.1", server.port, headers=headers) as c:
            assert isinstance(c, chromadb.AsyncClientAPI)
            await c.create_collection("records")
        assert {request.headers["x-mine"] for request in server.requests} == {"5"}
        url = f"http://127.0.0.1:{server.port}"
        async with await chromadb.AsyncHttpClient(host=url, port=1) as client:
            assert await client.count_collections() == 1
        with pytest.raises(NotFoundError, match=r"Tenant \[absent\] not found"):
            await chromadb.AsyncHttpClient(port=server.port, tenant="absent")
        with pytest.raises(ValueError, match="is different to the one provided in HttpClient"):
            await chromadb.AsyncHttpClient(
                "localhost", settings=chromadb.Settings(chroma_server_host="other")
            )

    asyncio.run(main())


def test_where_no_server_answers_the_error_says_so() -> None:
    with V2Server() as server:
        port = server.port

    async def main() -> None:
        with pytest.raises(ValueError, match="Could not connect to a Chroma server"):
            await chromadb.AsyncHttpClient("127.0.0.1", port)

    asyncio.run(main())


def test_the_loop_goes_on_while_bodies_are_written_and_texts_embedded(
    server: V2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        gate = Gate()
        write, raise_error = base_http_client._json, AsyncFastAPI._raise_chroma_error
        monkeypatch.setattr(base_http_client, "_json", lambda body: (gate(), write(body))[1])
        monkeypatch.setattr(
            AsyncFastAPI,
            "_raise_chroma_error",
            staticmethod(lambda response: (gate(), raise_error(response))),
        )
        async with await chromadb.AsyncHttpClient(port=server.port) as client:
            # Each answer that was read so far: identity, tenant, database.
            assert gate.passed == 3
            records = await client.create_collection(
                "records", embedding_function=GatedFunction(gate)
            )
            before = gate.passed
            await records.add(ids=["a"], documents=["text"])
            # What the server says of itself, the text, the body and the answer.
            assert gate.passed == before + 4

    asyncio.run(main())


def test_cancelling_a_task_ends_its_wait_for_the_server(
    server: V2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    async def main() -> None:
        async with await chromadb.AsyncHttpClient(port=server.port) as client:
            answer = server.answer

            def held(request: Any) -> Any:
                is_asked.set()
                assert may_answer.wait(PATIENCE)
                return answer(request)

            monkeypatch.setattr(server, "answer", held)
            task = asyncio.create_task(client.count_collections())
            await asyncio.to_thread(is_asked.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            may_answer.set()
            assert await client.count_collections() == 0

    asyncio.run(main())


def test_many_tasks_read_and_write_at_once(server: V2Server) -> None:
    async def main() -> None:
        async with await chromadb.AsyncHttpClient(port=server.port) as client:
            records = await client.create_collection("records", embedding_function=None)

            async def work(number: int) -> list[list[str]]:
                await records.add(ids=[str(number)], embeddings=[[float(number), 0.0]])
                found = await records.query(query_embeddings=[[float(number), 0.0]], n_results=1)
                return found["ids"]

            found = await asyncio.gather(*(work(number) for number in range(50)))
            assert found == [[[str(number)]] for number in range(50)]

    asyncio.run(main())


def test_each_event_loop_has_connections_of_its_own(server: V2Server) -> None:
    client: Any = asyncio.run(chromadb.AsyncHttpClient(port=server.port))

    async def use(number: int) -> None:
        for row in range(5):
            await client.create_collection(f"records-{number}-{row}", embedding_function=None)

    # One loop after another, and several at once.
    asyncio.run(use(0))
    threads = [
        threading.Thread(target=lambda number=number: asyncio.run(use(number)))
        for number in range(1, 4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(client.count_collections()) == 20
    asyncio.run(client.close())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_connections_of_a_loop_that_ended_are_let_go(server: V2Server) -> None:
    client: Any = asyncio.run(chromadb.AsyncHttpClient(port=server.port))
    sessions = client._server._sessions
    ended = weakref.ref(next(iter(sessions)))
    asyncio.run(client.heartbeat())
    gc.collect()
    assert ended() is None
    assert len(sessions) == 1
    asyncio.run(client.close())


def test_closing_ends_the_connections_of_every_loop(server: V2Server) -> None:
    async def main() -> None:
        async with await chromadb.AsyncHttpClient(port=server.port) as client:
            other = asyncio.new_event_loop()
            thread = threading.Thread(target=other.run_forever)
            thread.start()
            asked = asyncio.run_coroutine_threadsafe(client.heartbeat(), other)
            await asyncio.wrap_future(asked)
            sessions = list(client._server._sessions.values())
            assert len(sessions) == 2
        assert [session.is_closed for session in sessions] == [True, True]
        other.call_soon_threadsafe(other.stop)
        await asyncio.to_thread(thread.join)
        other.close()
        await client.close()
        with pytest.raises(InvalidArgumentError, match="closed"):
            await client.heartbeat()

    asyncio.run(main())


def test_a_system_may_be_stopped_on_the_thread_of_a_loop(server: V2Server) -> None:
    async def main() -> None:
        client: Any = await chromadb.AsyncHttpClient(port=server.port)
        (session,) = client._server._sessions.values()
        client._system.stop()
        # The loop comes to it when it is let.
        while not session.is_closed:
            await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_coroutines_become_plain_functions_for_tests(server: V2Server) -> None:
    client = async_to_sync(chromadb.AsyncHttpClient)(port=server.port)
    made: Any = client.create_collection("records", embedding_function=None)
    made.add(ids=["a"], embeddings=[[1.0]])
    assert [each.count() for each in client.list_collections()] == [1]
    client.close()

    class Answering:
        async def answer(self) -> int:
            return 5

    assert async_class_to_sync(Answering()).answer() == 5

    async def within() -> None:
        # A loop that runs cannot be run: the coroutine is there to be awaited.
        assert await async_to_sync(Answering().answer)() == 5

    asyncio.run(within())
