"""mem0's Chroma store through its own class, and as its factory makes it."""

from __future__ import annotations

import pytest
from mem0.configs.vector_stores.chroma import ChromaDbConfig
from mem0.utils.factory import VectorStoreFactory
from mem0.vector_stores.chroma import ChromaDB

import chromadb


@pytest.fixture
def store(tmp_path):
    store = ChromaDB("memories", path=str(tmp_path))
    store.insert(
        vectors=[[1.0, 0.0], [0.0, 1.0], [0.7, 0.7]],
        payloads=[
            {"user_id": "ann", "age": 30, "data": "likes bees"},
            {"user_id": "bob", "age": 40, "data": "likes owls"},
            {"user_id": "ann", "age": 50, "data": "likes both"},
        ],
        ids=["bees", "owls", "both"],
    )
    return store


def ids(results):
    return [result.id for result in results]


def test_the_nearest_come_first_and_have_scores_and_payloads(store):
    results = store.search("", [[1.0, 0.0]], top_k=2)
    assert ids(results) == ["bees", "both"]
    assert results[0].score == pytest.approx(1.0)
    assert results[0].payload["data"] == "likes bees"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"user_id": "ann"}, {"bees", "both"}),
        ({"user_id": "ann", "age": {"gt": 30}}, {"both"}),
        ({"age": {"gte": 30, "lte": 40}}, {"bees", "owls"}),
        ({"$or": [{"user_id": "bob"}, {"age": 50}]}, {"owls", "both"}),
        ({"$not": [{"user_id": "ann"}]}, {"owls"}),
        ({"user_id": {"in": ["bob", "cid"]}}, {"owls"}),
        ({"user_id": "*"}, {"bees", "owls", "both"}),
    ],
)
def test_filters_find_what_they_say(store, filters, expected):
    assert set(ids(store.list(filters)[0])) == expected
    assert set(ids(store.search("", [[1.0, 0.0]], top_k=3, filters=filters))) == expected


def test_memories_are_read_changed_and_deleted(store):
    assert store.get("owls").payload == {"user_id": "bob", "age": 40, "data": "likes owls"}
    store.update("owls", vector=[1.0, 0.1], payload={"data": "likes bees now"})
    assert store.get("owls").payload["data"] == "likes bees now"
    assert ids(store.search("", [[1.0, 0.1]], top_k=1)) == ["owls"]
    store.delete("owls")
    assert set(ids(store.list()[0])) == {"bees", "both"}


def test_collections_are_listed_described_and_reset(store):
    assert [collection.name for collection in store.list_cols()] == ["memories"]
    assert store.col_info().count() == 3
    store.reset()
    assert store.list()[0] == []
    store.delete_col()
    assert store.list_cols() == []


def test_a_store_opened_again_has_its_memories(store, tmp_path):
    again = ChromaDB("memories", path=str(tmp_path))
    assert again.collection.count() == 3


def test_the_factory_makes_a_store_from_a_validated_configuration(tmp_path):
    config = ChromaDbConfig(collection_name="memories", path=str(tmp_path))
    store = VectorStoreFactory.create("chroma", config.model_dump())
    assert isinstance(store.client, chromadb.ClientAPI)
    assert store.collection.name == "memories"
