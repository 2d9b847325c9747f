"""Clients and collections leave no memory behind, whether their calls answer or raise.

In the manner of test_extension_leaks.py, a layer above it: each call is made 10,000 times, in a
process of its own, by the synchronous classes and by the asynchronous ones.
"""

from __future__ import annotations

import pytest
from native import run_program
from test_extension_leaks import MEASURES, MEBIBYTE

# What is called, awaited where it is asynchronous.
CALLS = {
    "create_collection and delete_collection": (
        "AWAIT client.create_collection('other', metadata={'a': 1}, embedding_function=function);"
        "AWAIT client.delete_collection('other')"
    ),
    "get_collection": "AWAIT client.get_collection('records', function)",
    "get_collection, refused": "AWAIT fails(client.get_collection, 'absent')",
    "add, refused": "AWAIT fails(records.add, ids=['x', 'x'], embeddings=[[1.0, 2.0]] * 2)",
    "upsert and delete": (
        "AWAIT records.upsert(ids=['x'], documents=['text'], metadatas=[metadata]);"
        "AWAIT records.delete(ids=['x'])"
    ),
    "update of nothing": "AWAIT records.update(ids=['no'], embeddings=vector, metadatas=metadata)",
    "get": "AWAIT records.get(ids=ids, where={'a': 1}, include=everything)",
    "query": "AWAIT records.query(query_texts=['text'], n_results=5, include=everything)",
    "query, refused": "AWAIT fails(records.query, query_embeddings=[[1.0]])",
}

PROGRAM = (
    MEASURES
    + """
    import asyncio, gc
    import chromadb
    from conftest import LengthFunction

    DEFINE fails(method, *arguments, **named):
        try:
            AWAIT method(*arguments, **named)
        except Exception:
            return
        raise AssertionError("an answer")

    DEFINE run(client, count):
        # What the calls wrote is dropped at the end: a database may grow.
        records = AWAIT client.create_collection("records", embedding_function=function)
        AWAIT records.add(ids=ids, documents=ids, metadatas=[metadata] * 10)
        for _ in range(count):
            CALL
        AWAIT client.reset()

    DEFINE main():
        client = AWAIT OPEN(chromadb.Settings(allow_reset=True))
        AWAIT run(client, 1_000)
        gc.collect()
        handles, blocks, before = handle_count(), sys.getallocatedblocks(), resident_byte_count()
        AWAIT run(client, 10_000)
        gc.collect()
        grown = resident_byte_count() - before
        print(handle_count() - handles, sys.getallocatedblocks() - blocks, grown)

    metadata = {"a": 1, "b": 0.5, "c": "text", "d": True, "e": ["x", "y"]}
    ids = [f"id {n}" for n in range(10)]
    vector = np.ones((1, 3), dtype=np.float32)
    function = LengthFunction()
    everything = ["documents", "embeddings", "metadatas", "uris"]
    RUN
"""
)

KINDS = {
    "synchronous": {
        "DEFINE": "def",
        "AWAIT ": "",
        "OPEN": "chromadb.EphemeralClient",
        "RUN": "main()",
    },
    "asynchronous": {
        "DEFINE": "async def",
        "AWAIT ": "await ",
        "OPEN": "chromadb.AsyncEphemeralClient",
        "RUN": "asyncio.run(main())",
    },
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_ten_thousand_calls_take_no_memory(kind: str, name: str) -> None:
    program = PROGRAM.replace("CALL", CALLS[name])
    for word, meaning in KINDS[kind].items():
        program = program.replace(word, meaning)
    handles, blocks, grown = map(int, run_program(program).split())
    assert handles == 0
    # Blocks are the small objects of Python. One lost in each call would be 10,000.
    assert blocks <= 1_000
    assert grown <= 4 * MEBIBYTE


@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_clients_leave_nothing_behind(kind: str) -> None:
    program = (
        MEASURES
        + """
    import asyncio, gc, tempfile
    import chromadb

    DEFINE use(count, path):
        for number in range(count):
            client = AWAIT OPEN(path)
            records = AWAIT client.get_or_create_collection("records", embedding_function=None)
            AWAIT records.count()
            # Every other one is dropped.
            if number % 2:
                AWAIT client.close()
            del client, records
        gc.collect()

    def held():
        return [len(os.listdir(f"/proc/self/{kind}")) for kind in ("fd", "task")], handle_count()

    DEFINE main():
        with tempfile.TemporaryDirectory() as path:
            AWAIT use(100, path)
            at_first, before = held(), resident_byte_count()
            AWAIT use(400, path)
            print(resident_byte_count() - before, held() == at_first or (held(), at_first))

    RUN
    """
    )
    for word, meaning in KINDS[kind].items():
        program = program.replace(word, meaning.replace("Ephemeral", "Persistent"))
    grown, _, is_flat = run_program(program).partition(" ")
    assert is_flat == "True\n"
    assert int(grown) <= 4 * MEBIBYTE
