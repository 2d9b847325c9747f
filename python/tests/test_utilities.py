"""Promise: the utilities beside the client do what programs that import them count on."""

from __future__ import annotations

import base64
import struct
import sys
import threading
import types
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

import chromadb
from chromadb.api.types import (
    normalize_base_record_set,
    normalize_insert_record_set,
    optional_base64_strings_to_embeddings,
    optional_embeddings_to_base64_strings,
    pack_embedding_safely,
    validate_base_record_set,
    validate_batch,
    validate_insert_record_set,
    validate_record_set_contains_any,
    validate_record_set_contains_one,
    validate_record_set_for_embedding,
)
from chromadb.types import Collection as CollectionModel
from chromadb.types import Unspecified
from chromadb.utils.batch_utils import create_batches
from chromadb.utils.data_loaders import ChromaLangchainPassthroughDataLoader, ImageLoader
from chromadb.utils.delete_file import delete_file
from chromadb.utils.directory import get_directory_size
from chromadb.utils.lru_cache import LRUCache
from chromadb.utils.messageid import bytes_to_int, int_to_bytes
from chromadb.utils.read_write_lock import ReadRWLock, ReadWriteLock, WriteRWLock
from chromadb.utils.rendezvous_hash import assign, murmur3hasher
from chromadb.utils.results import get_result_to_df, query_result_to_dfs
from chromadb.utils.statistics import (
    attach_statistics_function,
    detach_statistics_function,
    get_statistics,
    get_statistics_fn,
)

# ---- Data loaders -------------------------------------------------------------------------------


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for Pillow: an image is its path's length, and which were closed is noted."""
    closed: list[str] = []

    class Image:
        def __init__(self, path: str) -> None:
            self.path = path

        def __enter__(self) -> Image:
            return self

        def __exit__(self, *error: object) -> None:
            closed.append(self.path)

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.full((2, 2), len(self.path))

    module = types.ModuleType("PIL.Image")
    module.open = Image
    monkeypatch.setitem(sys.modules, "PIL", types.ModuleType("PIL"))
    monkeypatch.setitem(sys.modules, "PIL.Image", module)
    return closed


def test_image_files_are_loaded_in_order_and_closed(images: list[str]) -> None:
    loaded = ImageLoader(max_workers=3)(["a", None, "ccc", "bb"])
    assert [None if image is None else int(image[0, 0]) for image in loaded] == [1, None, 3, 2]
    assert sorted(images) == ["a", "bb", "ccc"]


def test_images_of_records_come_back_as_data(client: Any, images: list[str]) -> None:
    class PixelFunction(chromadb.EmbeddingFunction[Any]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:
            return [image.reshape(-1) for image in input]

    with pytest.warns(DeprecationWarning):
        records = client.create_collection(
            "images", embedding_function=PixelFunction(), data_loader=ImageLoader(max_workers=1)
        )
    records.add(ids=["a", "b"], uris=["u", "uuu"])
    found = records.query(query_uris=["uuu"], n_results=2, include=["data", "uris"])
    assert found["ids"] == [["b", "a"]]
    assert [int(image[0, 0]) for image in found["data"][0]] == [3, 1]


def test_an_image_loader_without_pillow_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ValueError, match="PIL python package is not installed.*pillow"):
        ImageLoader()


def test_langchain_is_handed_the_uris() -> None:
    assert ChromaLangchainPassthroughDataLoader()(["a", "b"]) == ("images", ["a", "b"])


# ---- Statistics that servers count --------------------------------------------------------------


class CountedServer:
    """A server with the counted collection `stats`, whose records come two a page."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.where: list[Any] = []

    def get_collection(self, name: str, **_: Any) -> CollectionModel:
        return CollectionModel(uuid4(), name, {})

    def _get(self, where: Any, offset: int | None, **_: Any) -> Any:
        self.where.append(where)
        start = offset or 0
        return {"ids": [], "metadatas": self.rows[start : start + 2]}

    def attach_function(self, **arguments: Any) -> Any:
        return arguments, True

    def get_attached_function(self, name: str, **_: Any) -> Any:
        kind = "statistics" if name == "books_stats" else "record_counter"
        return types.SimpleNamespace(name=name, function_name=kind)

    def detach_function(self, **arguments: Any) -> Any:
        return arguments == arguments | {"name": "books_stats", "delete_output": True}


def books(*rows: dict[str, Any], name: str = "books") -> Any:
    return chromadb.Collection(CountedServer(list(rows)), CollectionModel(uuid4(), name, {}), None)


def counted(key: str, value: str, count: int, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "type": "str", "count": count} | more


def test_statistics_are_gathered_over_all_pages() -> None:
    collection = books(
        counted("shelf", "a", 2),
        counted("shelf", "17", 1, value_label="seventeen"),
        counted("summary", "total_count", 3),
        counted("year", "1990", 3),
        {"key": "year", "value": "no count"},
    )
    assert get_statistics(collection, "stats") == {
        "statistics": {
            "shelf": {"a": {"count": 2}, "seventeen": {"count": 1}},
            "year": {"1990": {"count": 3}},
        },
        "summary": {"total_count": 3},
    }
    assert get_statistics(books(), "stats") == {"statistics": {}}


def test_statistics_of_some_keys_ask_for_them_and_the_summary() -> None:
    collection = books(counted("shelf", "a", 2))
    get_statistics(collection, "stats", keys="shelf")
    assert collection._client.where[0] == {"key": {"$in": ["shelf", "summary"]}}
    with pytest.raises(ValueError, match="Too many keys provided: 31. Maximum allowed is 30"):
        get_statistics(collection, "stats", keys=[str(number) for number in range(31)])


def test_the_function_that_counts_is_attached_and_detached_by_its_name() -> None:
    collection = books()
    arguments, created = attach_statistics_function(collection, "stats")
    assert created
    assert arguments["function_id"] == "statistics"
    assert (arguments["name"], arguments["output_collection"]) == ("books_stats", "stats")
    assert detach_statistics_function(collection, delete_stats_collection=True)
    with pytest.raises(AssertionError, match="not a statistics function"):
        get_statistics_fn(books(name="others"))


# ---- Record sets and embeddings -----------------------------------------------------------------


def test_embeddings_go_to_base64_and_back() -> None:
    vectors = [[1.0, -2.5], None, np.array([0.1, 1e-45], dtype=np.float32)]
    texts = optional_embeddings_to_base64_strings(vectors)
    assert texts is not None and texts[1] is None
    assert base64.b64decode(texts[0] or "") == struct.pack("<2f", 1.0, -2.5)
    back = optional_base64_strings_to_embeddings(texts)
    assert back is not None
    assert back[0] == [1.0, -2.5]
    assert back[1] is None
    assert back[2] == vectors[2].tolist()
    assert optional_embeddings_to_base64_strings(None) is None
    assert optional_base64_strings_to_embeddings(None) is None


def test_numbers_beyond_float32_become_infinite_in_base64() -> None:
    packed = base64.b64decode(pack_embedding_safely([1e300, -1e300, float("nan")]))
    assert struct.unpack("<2f", packed[:8]) == (float("inf"), float("-inf"))
    assert np.isnan(np.frombuffer(packed, "<f4")[2])


def test_record_sets_are_made_of_single_values() -> None:
    records = normalize_insert_record_set(
        "a", [1.0, 2.0], {"v": {"#type": "sparse_vector", "indices": [1], "values": [2]}}, "text"
    )
    assert records["ids"] == ["a"] and records["documents"] == ["text"]
    assert records["metadatas"] == [{"v": chromadb.SparseVector([1], [2])}]
    assert [vector.tolist() for vector in records["embeddings"] or []] == [[1.0, 2.0]]
    validate_insert_record_set(records)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "At least one of one of embeddings, documents, images, uris must be provided"),
        ({"documents": []}, r"Non-empty lists are required for \['documents'\]"),
        (
            {"documents": ["a"], "uris": ["b", "c"]},
            "Unequal lengths for fields: documents: 1, uris: 2",
        ),
        ({"documents": [None]}, "Expected document to be a str, got None"),
    ],
)
def test_record_sets_that_do_not_fit_are_refused(columns: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_base_record_set(normalize_base_record_set(**columns))


def test_what_is_to_be_embedded_is_one_column() -> None:
    both = normalize_base_record_set(documents=["a"], uris=["b"])
    with pytest.raises(ValueError, match="Exactly one of documents, images, uris"):
        validate_record_set_for_embedding(both)
    validate_record_set_for_embedding(both, {"documents"})
    with pytest.raises(ValueError, match="already has embeddings"):
        validate_record_set_for_embedding(normalize_base_record_set(embeddings=[1.0]))
    with pytest.raises(ValueError, match="At least one of images must be provided"):
        validate_record_set_contains_any(both, {"images"})
    with pytest.raises(ValueError, match="Invalid field in contains: ids, available fields: "):
        validate_record_set_contains_one(both, {"ids"})


def test_a_batch_may_be_as_large_as_the_limit() -> None:
    validate_batch((["a", "b"], None, None, None, None), {"max_batch_size": 2})
    with pytest.raises(ValueError, match="Batch size 3 exceeds maximum batch size 2"):
        validate_batch((["a", "b", "c"], None, None, None, None), {"max_batch_size": 2})


def test_batches_hold_all_records_in_order(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "get_max_batch_size", lambda: 2)
    batches = create_batches(client, ids=["a", "b", "c"], documents=["A", "B", "C"])
    assert batches == [(["a", "b"], None, None, ["A", "B"]), (["c"], None, None, ["C"])]


# ---- What the engine says of a collection -------------------------------------------------------


def test_a_collections_description_is_read_like_a_dictionary(collection: Any) -> None:
    described = collection.get_model()
    assert described["name"] == described.name == "records"
    assert described["nothing"] is None
    assert described["configuration"]["hnsw"]["space"] == "l2"
    described["dimension"] = 7
    assert described.dimension == 7
    with pytest.raises(KeyError, match="No such key: nothing"):
        described["nothing"] = 1


def test_a_collections_description_goes_to_json_and_back(collection: Any) -> None:
    described = collection.get_model()
    json = described.to_json()
    assert UUID(json["id"]) == described.id
    json["schema"] = json.pop("serialized_schema")
    assert CollectionModel.from_json(json) == described


def test_there_is_one_unspecified_value() -> None:
    assert Unspecified() is Unspecified()


# ---- The rest -----------------------------------------------------------------------------------


def test_a_cache_forgets_what_was_not_used_for_longest() -> None:
    forgotten: list[Any] = []
    cache: LRUCache[str, int] = LRUCache(2, lambda key, value: forgotten.append((key, value)))
    cache.set("a", 1)
    cache.set("b", 2)
    assert cache.get("a") == 1
    cache.set("c", 3)
    assert (cache.get("b"), cache.get("a"), forgotten) == (None, 1, [("b", 2)])
    cache.set("a", 4)
    assert cache.get("a") == 4 and forgotten == [("b", 2)]


def test_many_read_at_once_and_a_writer_waits_for_them() -> None:
    lock = ReadWriteLock()
    happened: list[str] = []

    def write() -> None:
        with WriteRWLock(lock):
            happened.append("written")

    writers = [threading.Thread(target=write) for _ in range(4)]
    with ReadRWLock(lock), ReadRWLock(lock):
        for writer in writers:
            writer.start()
        happened.append("read")
    for writer in writers:
        writer.join()
    assert happened == ["read", *["written"] * 4]


def test_keys_are_assigned_to_the_members_that_official_chroma_assigns_them_to() -> None:
    members = ["a", "b", "c", "d"]
    assert murmur3hasher("a", "b") == 13507007877210864916
    assert murmur3hasher("member-1", "a longer key than sixteen bytes ü") == 15376760906082610815
    assert assign("k1", members, murmur3hasher, 2) == ["a", "c"]
    assert assign("k2", members, murmur3hasher, 3) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("key", "members", "replication", "message"),
    [
        ("k", ["a"], 2, "Replication factor cannot be greater"),
        ("k", [], 0, "Cannot assign key to empty memberlist"),
        ("", ["a", "b"], 1, "Cannot assign empty key"),
    ],
)
def test_keys_that_cannot_be_assigned_are_refused(
    key: str, members: list[str], replication: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        assign(key, members, murmur3hasher, replication)


def test_log_positions_are_24_bytes() -> None:
    assert int_to_bytes(258) == bytes(22) + b"\x01\x02"
    assert bytes_to_int(int_to_bytes(2**190 + 5)) == 2**190 + 5


def test_directories_are_measured_and_files_deleted(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(bytes(10))
    (tmp_path / "other").write_bytes(bytes(5))
    (tmp_path / "link").symlink_to(tmp_path / "other")
    assert get_directory_size(str(tmp_path)) == 15
    delete_file(str(tmp_path / "other"))
    delete_file(str(tmp_path / "absent"))
    assert get_directory_size(str(tmp_path)) == 10


def test_results_become_data_frames(collection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Frame(dict[str, Any]):
        def set_index(self, name: str) -> Frame:
            return Frame(
                {key: value for key, value in self.items() if key != name} | {"": self[name]}
            )

    pandas = types.ModuleType("pandas")
    pandas.DataFrame = Frame
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    collection.add(ids=["a", "b"], documents=["x", "xx"], metadatas=[{"k": 1}, None])
    assert get_result_to_df(collection.get(include=["documents", "embeddings"])) == {
        "": ["a", "b"],
        "document": ["x", "xx"],
        "embedding": [[1.0] * 3, [2.0] * 3],
    }
    found = collection.query(
        query_texts=["xx", "x"], n_results=1, include=["distances", "metadatas"]
    )
    assert query_result_to_dfs(found) == [
        {"": ["b"], "distance": [0.0], "metadata": [None]},
        {"": ["a"], "distance": [0.0], "metadata": [{"k": 1}]},
    ]


def test_results_without_pandas_say_so(collection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pandas is required"):
        get_result_to_df(collection.get())
