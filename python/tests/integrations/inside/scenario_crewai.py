"""CrewAI's Chroma client over a real database: configuration, both kinds of clients, knowledge."""

from __future__ import annotations

import asyncio

import pytest
from crewai.knowledge.storage.knowledge_storage import KnowledgeStorage
from crewai.rag.chromadb.client import ChromaDBClient
from crewai.rag.chromadb.config import ChromaDBConfig
from crewai.rag.chromadb.factory import create_client
from crewai.rag.embeddings.factory import build_embedder
from pydantic import BaseModel, ConfigDict, ValidationError

import chromadb
from chromadb.api.types import Documents, EmbeddingFunction, Embeddings

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Letters(EmbeddingFunction[Documents]):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Documents) -> Embeddings:
        return [[float(text.lower().count(letter)) + 0.01 for letter in LETTERS] for text in input]

    @staticmethod
    def name() -> str:
        return "letters"

    @staticmethod
    def build_from_config(config):
        return Letters()

    def get_config(self):
        return {}


def settings(path):
    return chromadb.Settings(
        persist_directory=str(path),
        is_persistent=True,
        allow_reset=True,
        anonymized_telemetry=False,
    )


@pytest.fixture
def config(tmp_path):
    return ChromaDBConfig(settings=settings(tmp_path), embedding_function=Letters())


DOCUMENTS = [
    {"doc_id": "bees", "content": "Bees dance.", "metadata": {"kind": "insect"}},
    {"doc_id": "owls", "content": "Owls look.", "metadata": {"kind": "bird"}},
    {"doc_id": "zebras", "content": "Zebras zigzag.", "metadata": {"kind": "mammal"}},
]


def test_settings_stand_in_a_validated_configuration(config, tmp_path):
    assert config.settings.persist_directory == str(tmp_path)
    assert isinstance(config.settings, chromadb.Settings)
    with pytest.raises(ValidationError):
        ChromaDBConfig(settings=3, embedding_function=Letters())


def test_documents_are_added_in_batches_searched_and_deleted(config):
    client = create_client(config)
    client.get_or_create_collection(collection_name="animals")
    client.add_documents(collection_name="animals", documents=DOCUMENTS, batch_size=2)
    client.add_documents(collection_name="animals", documents=DOCUMENTS)
    assert client.client.get_collection("animals", embedding_function=Letters()).count() == 3
    found = client.search(collection_name="animals", query="zebras zigzag", limit=1)
    assert [hit["id"] for hit in found] == ["zebras"]
    assert found[0]["score"] == pytest.approx(1.0, abs=0.05)
    assert found[0]["metadata"]["kind"] == "mammal"
    filtered = client.search(
        collection_name="animals",
        query="zebras",
        metadata_filter={"kind": "bird"},
        score_threshold=0.0,
    )
    assert [hit["id"] for hit in filtered] == ["owls"]
    client.delete_collection(collection_name="animals")
    assert client.client.list_collections() == []


def test_a_reset_leaves_nothing(config):
    client = create_client(config)
    client.create_collection(collection_name="animals")
    client.reset()
    assert client.client.list_collections() == []


def test_calls_of_the_other_kind_of_client_are_refused(config):
    client = create_client(config)
    with pytest.raises(TypeError, match="AsyncClientAPI"):
        asyncio.run(client.asearch(collection_name="animals", query="bees"))


def test_knowledge_is_saved_and_found(config, monkeypatch):
    storage = KnowledgeStorage(collection_name="animals")
    storage._client = create_client(config)
    storage.save([document["content"] for document in DOCUMENTS])
    hits = storage.search(["Owls look."], limit=1, score_threshold=0.1)
    assert [hit["content"] for hit in hits] == ["Owls look."]


def test_functions_that_the_framework_names_are_built():
    built = build_embedder({"provider": "openai", "config": {"api_key": "none"}})
    assert built.name() == "openai"
    assert isinstance(built, EmbeddingFunction)


def test_models_hold_what_users_put_into_them(tmp_path):
    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        settings: chromadb.Settings
        collection: chromadb.Collection
        client: chromadb.ClientAPI

    client = chromadb.PersistentClient(str(tmp_path))
    collection = client.create_collection("animals", embedding_function=Letters())
    holder = Holder(settings=settings(tmp_path), collection=collection, client=client)
    assert holder.collection is collection
    assert holder.client is client
    assert isinstance(ChromaDBClient(client, Letters()).client, chromadb.ClientAPI)
