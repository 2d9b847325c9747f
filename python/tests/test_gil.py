"""A long call of the Python API lets other threads go on, and Ctrl-C through.

Nobody is preempted here: while one thread computes, another runs only once the first lets the GIL
go. So what another thread does during a call, it does while the engine works.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from native import run_program

RECORD_COUNT = 5_000
DIMENSION = 64

# Calls after which we give up waiting for a thread to be scheduled during one of them.
CALL_COUNT_MAX = 1_000


@pytest.fixture
def no_preemption() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


def vectors(seed: int) -> Any:
    generator = np.random.default_rng(seed)
    return generator.random((RECORD_COUNT, DIMENSION), dtype=np.float32)


LONG_CALLS: dict[str, Callable[[Any, int], Any]] = {
    "add": lambda records, number: records.add(
        ids=[f"{number} {row}" for row in range(RECORD_COUNT)], embeddings=vectors(number)
    ),
    "upsert": lambda records, number: records.upsert(
        ids=[f"{row}" for row in range(RECORD_COUNT)], embeddings=vectors(number)
    ),
    "query": lambda records, number: records.query(
        query_embeddings=vectors(number)[:200], n_results=10, exact=True
    ),
    "get": lambda records, number: records.get(include=["embeddings"]),
    "delete": lambda records, number: records.delete(ids=["0"]),
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_another_thread_goes_on_during_a_long_call(
    client: Any, name: str, no_preemption: None
) -> None:
    records = client.create_collection("records", embedding_function=None)
    records.add(ids=[f"{row}" for row in range(RECORD_COUNT)], embeddings=vectors(0))
    turn, turns_taken, is_over = threading.Semaphore(0), [0], False
    method = f"_{name}"
    call = getattr(records._client, method)

    def other() -> None:
        while not is_over:
            turn.acquire()
            turns_taken[0] += 1

    def observed(*arguments: Any, **named: Any) -> Any:
        # All that Python does before has been done.
        nonlocal is_over
        before = turns_taken[0]
        turn.release()
        answer = call(*arguments, **named)
        is_over = is_over or turns_taken[0] > before
        return answer

    setattr(records._client, method, observed)
    thread = threading.Thread(target=other)
    thread.start()
    for number in range(CALL_COUNT_MAX):
        LONG_CALLS[name](records, number)
        if is_over:
            break
    has_gone_on, is_over = is_over, True
    turn.release()
    thread.join()
    assert has_gone_on


def test_ctrl_c_ends_a_long_query_of_a_collection() -> None:
    printed = run_program(
        """
    import chromadb
    client = chromadb.EphemeralClient()
    records = client.create_collection("records", embedding_function=None)
    for part in range(4):
        ids = [f"id {part} {row}" for row in range(5_000)]
        records.add(ids=ids, embeddings=vectors(5_000))
    # Takes minutes unless it is interrupted.
    queries = np.zeros((2_000_000, 2), dtype=np.float32)
    server, query, is_inside = records._client, records._client._query, threading.Event()

    def signalling(*arguments, **named):
        is_inside.set()
        return query(*arguments, **named)

    def interrupt():
        is_inside.wait()
        os.kill(os.getpid(), signal.SIGINT)

    server._query = signalling
    # The thread runs once the query has let the GIL go.
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        records.query(query_embeddings=queries, n_results=1)
    except KeyboardInterrupt:
        print("interrupted")
    thread.join()
    server._query = query
    print(records.query(query_embeddings=queries[:1], n_results=1)["ids"], records.count())
    """
    )
    assert printed == "interrupted\n[['id 0 0']] 20000\n"
