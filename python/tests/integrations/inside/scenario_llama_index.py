"""LlamaIndex's Chroma store, used as its users do: an index over documents, filters, deletion."""

from __future__ import annotations

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.chroma import ChromaVectorStore

import chromadb

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class LetterEmbedding(BaseEmbedding):
    """A text's vector is how often it has each letter."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return [float(text.lower().count(letter)) for letter in LETTERS]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


@pytest.fixture
def collection(tmp_path):
    client = chromadb.PersistentClient(str(tmp_path))
    return client.get_or_create_collection("notes", metadata={"hnsw:space": "cosine"})


@pytest.fixture
def store(collection):
    store = ChromaVectorStore.from_collection(collection)
    embedding = LetterEmbedding()
    store.add(
        [
            TextNode(
                id_=name,
                text=name,
                embedding=embedding.get_text_embedding(name),
                metadata={"legs": legs, "kind": kind, "wild": wild},
                relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"source-{kind}")},
            )
            for name, legs, kind, wild in [
                ("bee", 6, "insect", True),
                ("wasp", 6, "insect", True),
                ("owl", 2, "bird", True),
                ("cow", 4, "mammal", False),
                ("whale", 0, "mammal", True),
            ]
        ]
    )
    return store


def found(store, filters):
    return {node.node_id for node in store.get_nodes(None, filters)}


def test_an_index_over_documents_is_asked_after_it_was_opened_again(tmp_path):
    def vectors():
        client = chromadb.PersistentClient(path=str(tmp_path))
        return ChromaVectorStore(chroma_collection=client.get_or_create_collection("notes"))

    texts = ["Bees dance to tell.", "Owls turn their heads.", "Zebras graze in zigzag."]
    VectorStoreIndex.from_documents(
        [Document(text=text, metadata={"place": place}) for place, text in enumerate(texts)],
        storage_context=StorageContext.from_defaults(vector_store=vectors()),
        embed_model=LetterEmbedding(),
    )
    index = VectorStoreIndex.from_vector_store(vectors(), embed_model=LetterEmbedding())
    nearest = index.as_retriever(similarity_top_k=1).retrieve("zigzag zebras")
    assert [hit.node.get_content() for hit in nearest] == [texts[2]]
    assert nearest[0].node.metadata == {"place": 2}


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        (FilterOperator.EQ, "legs", 6, {"bee", "wasp"}),
        (FilterOperator.NE, "kind", "insect", {"owl", "cow", "whale"}),
        (FilterOperator.GT, "legs", 2, {"bee", "wasp", "cow"}),
        (FilterOperator.GTE, "legs", 4, {"bee", "wasp", "cow"}),
        (FilterOperator.LT, "legs", 2, {"whale"}),
        (FilterOperator.LTE, "legs", 2, {"owl", "whale"}),
        (FilterOperator.IN, "kind", ["bird", "mammal"], {"owl", "cow", "whale"}),
        (FilterOperator.NIN, "kind", ["bird", "mammal"], {"bee", "wasp"}),
    ],
)
def test_every_filter_finds_what_it_says(store, operator, key, value, expected):
    filters = MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=operator)])
    assert found(store, filters) == expected


def test_filters_are_joined(store):
    parts = [MetadataFilter(key="legs", value=6), MetadataFilter(key="kind", value="bird")]
    both = MetadataFilters(filters=parts, condition=FilterCondition.AND)
    either = MetadataFilters(filters=parts, condition=FilterCondition.OR)
    assert found(store, both) == set()
    assert found(store, either) == {"bee", "wasp", "owl"}


def test_a_query_has_similarities_nodes_and_filters(store):
    query = VectorStoreQuery(
        query_embedding=LetterEmbedding().get_query_embedding("bee"),
        similarity_top_k=2,
        filters=MetadataFilters(filters=[MetadataFilter(key="kind", value="insect")]),
    )
    result = store.query(query)
    assert result.ids == ["bee", "wasp"]
    assert result.similarities[0] == pytest.approx(1.0)
    assert result.similarities[0] > result.similarities[1]
    assert [node.get_content() for node in result.nodes] == ["bee", "wasp"]


def test_diverse_results_are_asked_for(store):
    query = VectorStoreQuery(
        query_embedding=LetterEmbedding().get_query_embedding("wow"),
        similarity_top_k=3,
        mode=VectorStoreQueryMode.MMR,
    )
    assert len(set(store.query(query, mmr_threshold=0.5).ids)) == 3


def test_nodes_are_deleted_by_id_by_filter_by_source_and_all(store, collection):
    store.delete_nodes(["bee"])
    assert collection.count() == 4
    store.delete("source-mammal")
    assert found(store, None) == {"wasp", "owl"}
    store.clear()
    assert collection.count() == 0


def test_a_store_is_made_from_parameters(tmp_path):
    store = ChromaVectorStore.from_params(collection_name="notes", persist_dir=str(tmp_path))
    assert isinstance(store.client, chromadb.Collection)
    assert store.client.count() == 0
    with pytest.raises(Exception, match="not chromadb collection"):
        ChromaVectorStore.from_collection("notes")
