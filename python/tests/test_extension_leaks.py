"""Calls leave no memory behind, whether they answer or raise."""

from __future__ import annotations

from pathlib import Path

import pytest
from native import run_program

MEBIBYTE = 1 << 20

# What is called 10,000 times. Written as programs because each is measured in a process of its own.
CALLS = {
    "heartbeat": "engine.heartbeat()",
    "get_max_batch_size": "engine.get_max_batch_size()",
    "reset": "engine.reset()",
    "create_tenant, refused": "fails(engine.create_tenant, 'default_tenant')",
    "get_tenant": "engine.get_tenant('default_tenant')",
    "create_database and delete_database": (
        "engine.create_database('other', 'default_tenant');"
        "engine.delete_database('other', 'default_tenant')"
    ),
    "get_database": "engine.get_database(*reversed(PLACE))",
    "list_databases": "engine.list_databases(None, None, 'default_tenant')",
    "count_collections": "engine.count_collections(*PLACE)",
    "list_collections": "engine.list_collections(None, None, *PLACE)",
    "create_collection and delete_collection": (
        "engine.create_collection('other', None, None, metadata, False, *PLACE);"
        "engine.delete_collection('other', *PLACE)"
    ),
    "get_collection": "engine.get_collection('records', *PLACE)",
    "get_collection, refused": "fails(engine.get_collection, 'absent', *PLACE)",
    "get_collection_by_id": "engine.get_collection_by_id(id, *PLACE)",
    "get_collection_by_id, refused": "fails(engine.get_collection_by_id, id, 'no', 'no')",
    "update_collection": "engine.update_collection(id, None, metadata, None)",
    "add, refused": "fails(engine.add, ['x'], id, nan, [lists], ['x'], ['x'], *PLACE)",
    "add, not converted": "fails(engine.add, ['x', 5], id, row, [lists], ['x'], None, *PLACE)",
    "metadata, not converted": (
        "fails(engine.add, ['x'], id, row, [lists | {'y': [1, object()]}], None, None, *PLACE)"
    ),
    "update of nothing": "engine.update(id, ['no'], row, [lists], ['x'], ['x'], *PLACE, flags)",
    "upsert and delete": (
        "engine.upsert(id, ['x'], row, [lists], ['x'], ['x'], *PLACE);"
        "engine.delete(id, ['x'], None, None, None, *PLACE)"
    ),
    "flush of an empty collection": "engine.flush(empty, tell)",
    "flush, refused": "fails(engine.flush, 'no uuid', tell)",
    "flush, not converted": "fails(engine.flush, id, 5)",
    "flush, raised by progress": "fails(engine.flush, empty, raises)",
    "statistics": "engine.statistics(id)",
    "indexing_status": "engine.indexing_status(id)",
    "count": "engine.count(id, *PLACE)",
    "count, filtered": "engine.count(id, *PLACE, where, None)",
    "count, refused": "fails(engine.count, id, *PLACE, '{', None)",
    "get": "engine.get(id, ids, where, 5, 0, None, everything, *PLACE)",
    "get, refused": "fails(engine.get, id, None, '{', None, 0, None, [], *PLACE)",
    "get, ordered": "engine.get(id, ids, where, 5, 0, None, [], *PLACE, 'id 1', 'c', True)",
    "get, after nothing": "fails(engine.get, id, None, None, 5, 0, None, [], *PLACE, 'absent')",
    "get, in no order": (
        "fails(engine.get, id, None, None, 5, 0, None, [], *PLACE, None, None, True)"
    ),
    "distinct": "engine.distinct(id, 'g', ids, where, None, 5)",
    "distinct, refused": "fails(engine.distinct, id, 'g', None, '{', None, None)",
    "distinct, not converted": "fails(engine.distinct, id, 'g', ids, None, 5, None)",
    "query": "engine.query(id, ids, rows, 5, where, None, everything, *PLACE)",
    "query, exact": "engine.query(id, ids, rows, 5, where, None, everything, *PLACE, True)",
    "explain": "engine.explain(id, ids, rows, 5, where, None, True)",
    "explain of a selection": "engine.explain(id, ids, None, 5, where, None, False)",
    "explain, refused": "fails(engine.explain, id, None, nan, 5, None, None, False)",
    "explain, not converted": "fails(engine.explain, id, ids, rows, 5, None, None, 5)",
    "query, bounded": (
        "engine.query(id, ids, rows, 5, where, None, everything, *PLACE, False, 2.5)"
    ),
    "query, bound refused": (
        "fails(engine.query, id, ids, rows, 5, None, None, [], *PLACE, False, float('nan'))"
    ),
    "query, bound not converted": (
        "fails(engine.query, id, ids, rows, 5, None, None, [], *PLACE, False, 'x')"
    ),
    "insert": "engine.insert(id, ['id 1'], row, [lists], ['x'], ['x'], 'replace')",
    "insert of nothing": "engine.insert(id, ['id 1'], row, [lists], ['x'], ['x'], 'ignore')",
    "insert, refused": "fails(engine.insert, id, ['id 1'], row, None, None, None, 'error')",
    "insert, not converted": "fails(engine.insert, id, ids, row, [lists], 5, None, 'error')",
    "insert, no policy": "fails(engine.insert, id, ids, row, None, None, None, 'no')",
    "cancel": "_chroma.Cancel().run(engine.heartbeat)",
    "cancel, requested": "cancelled(engine.flush)",
    "query, refused": "fails(engine.query, id, None, nan, 5, None, None, [], *PLACE)",
    "query, not converted": "fails(engine.query, id, ids, 5, 5, None, None, [], *PLACE)",
}

MEASURES = """
    import ctypes, pathlib, resource
    library = ctypes.CDLL(str(pathlib.Path(_chroma.__file__).with_name("libchroma.so.1")))
    library.chroma_debug_live_handle_count.restype = ctypes.c_uint64
    handle_count = library.chroma_debug_live_handle_count

    def resident_byte_count():
        # What malloc keeps for later is no leak.
        ctypes.CDLL(None).malloc_trim(0)
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
"""

PROGRAM = (
    MEASURES
    + """
    def fails(method, *arguments):
        try:
            method(*arguments)
        except Exception:
            return
        raise AssertionError("an answer")

    engine = _chroma.Engine(None, True)
    metadata = {"a": 1, "b": 0.5, "c": "text", "d": True}
    lists = metadata | {"e": [1, 2], "f": [0.5], "g": ["x", "y"], "h": [True], "i": np.int64(1)}
    ids = [f"id {n}" for n in range(10)]
    row, rows, flags = vectors(), vectors(3), np.ones(1, dtype=np.bool_)
    nan = np.full((1, 2), np.nan, dtype=np.float32)
    where = '{"a": {"$gte": 1}}'
    everything = ["documents", "embeddings", "metadatas", "uris", "distances"]

    def cancelled(method):
        cancel = _chroma.Cancel()
        cancel.request()
        fails(cancel.run, method)

    def tell(done, total):
        pass

    def raises(done, total):
        raise LookupError("progress")

    def run(count):
        # What the calls wrote is dropped at the end: a database may grow.
        id = str(engine.create_collection("records", None, None, metadata, False, *PLACE).id)
        empty = new_collection(engine, "empty")
        engine.add(ids, id, vectors(10), [lists] * 10, ids, ids, *PLACE)
        for _ in range(count):
            CALL
        engine.reset()

    run(2_000)
    handles, blocks, before = handle_count(), sys.getallocatedblocks(), resident_byte_count()
    run(10_000)
    grown = resident_byte_count() - before
    print(handle_count() - handles, sys.getallocatedblocks() - blocks, grown)
"""
)


@pytest.mark.parametrize("name", CALLS)
def test_ten_thousand_calls_take_no_memory(name: str) -> None:
    handles, blocks, grown = map(int, run_program(PROGRAM.replace("CALL", CALLS[name])).split())
    assert handles == 0
    # Blocks are the small objects of Python. One lost in each call would be 10,000.
    assert blocks <= 1_000
    assert grown <= 4 * MEBIBYTE


@pytest.mark.parametrize("is_persistent", [False, True])
def test_a_thousand_openings_leave_nothing_behind(tmp_path: Path, is_persistent: bool) -> None:
    printed = run_program(
        MEASURES
        + """
    path = sys.argv[1] or None

    def open_and_close():
        engine = _chroma.Engine(path, False)
        collection = engine.create_collection("records", None, None, None, True, *PLACE)
        get_all(engine, str(collection.id), "embeddings")
        engine.close()

    def descriptors_threads_handles():
        tasks = [len(os.listdir(f"/proc/self/{kind}")) for kind in ("fd", "task")]
        return *tasks, handle_count()

    for _ in range(100):
        open_and_close()
    held, before = descriptors_threads_handles(), resident_byte_count()
    for _ in range(1000):
        open_and_close()
    print(resident_byte_count() - before, descriptors_threads_handles() == held)
    """,
        str(tmp_path) if is_persistent else "",
    )
    grown, is_flat = printed.split()
    assert is_flat == "True"
    assert int(grown) <= 4 * MEBIBYTE
