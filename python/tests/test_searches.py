"""Promise: a search reaches the server as it was asked, its texts embedded by the right function.

Method: a server that notes what it is asked, behind a collection whose schema has functions.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from conftest import LengthFunction

import chromadb
from chromadb import K, Knn, Rrf, Search, SparseVector
from chromadb.api.functions import STATISTICS_FUNCTION
from chromadb.api.models.AsyncCollection import AsyncCollection
from chromadb.api.models.AttachedFunction import AttachedFunction
from chromadb.api.models.Collection import Collection
from chromadb.api.types import ReadLevel, Schema, SearchResult, SparseVectorIndexConfig
from chromadb.execution.expression import Val
from chromadb.types import Collection as CollectionModel
from chromadb.utils.embedding_functions import sparse_known_embedding_functions


class LetterFunction(chromadb.SparseEmbeddingFunction[Any]):
    """A dimension for each letter, and its number."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [
            SparseVector(letters, [float(text.count(chr(letter))) for letter in letters])
            for text in input
            for letters in [sorted(set(map(ord, text)))]
        ]

    @staticmethod
    def name() -> str:
        return "letters"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> LetterFunction:
        return LetterFunction()

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.fixture(autouse=True)
def known_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sparse_known_embedding_functions, "letters", LetterFunction)


class Server:
    """Notes each call by its name and arguments, and answers with what it was given for it."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            return self.answers.get(name)

        return call

    async def _carry_out(self, steps: Any) -> Any:
        from chromadb.api._steps import carry_out

        return carry_out(steps, self)

    def arguments(self, name: str) -> dict[str, Any]:
        """Those of the only call of that name."""
        (found,) = [arguments for called, arguments in self.calls if called == name]
        return found


def model(schema: Schema | None = None, name: str = "records") -> CollectionModel:
    return CollectionModel(
        id=uuid4(),
        name=name,
        configuration_json={},
        serialized_schema=None if schema is None else schema.serialize_to_json(),
        metadata=None,
        dimension=None,
        tenant="a tenant",
        database="a database",
    )


SPARSE_SCHEMA = Schema().create_index(
    config=SparseVectorIndexConfig(embedding_function=LetterFunction(), source_key="#document"),
    key="letters",
)


def searched(*searches: Search, schema: Schema | None = SPARSE_SCHEMA) -> list[dict[str, Any]]:
    """The searches as a server gets them."""
    server = Server()
    Collection(server, model(schema), LengthFunction()).search(list(searches))
    return [search.to_dict() for search in server.arguments("_search")["searches"]]


def test_a_text_is_embedded_by_the_collections_function() -> None:
    (sent,) = searched(Search(rank=Knn(query="four", limit=3)))
    assert sent["rank"] == {"$knn": {"query": [4.0] * 3, "key": "#embedding", "limit": 3}}


@pytest.mark.parametrize("key", ["letters", K("letters")])
def test_a_text_is_embedded_by_the_function_of_its_key(key: Any) -> None:
    (sent,) = searched(Search(rank=Knn(query="abba", key=key)))
    vector = {"#type": "sparse_vector", "indices": [97, 98], "values": [2.0, 2.0]}
    assert sent["rank"]["$knn"]["query"] == vector


def test_texts_are_embedded_wherever_they_stand_in_a_rank() -> None:
    knn = Knn(query="one")
    rank = Rrf([knn + 1, -knn, (knn / 2).log().exp().abs()]) - Val(2) * knn.max(3).min(4)
    given, embedded = Search(rank=rank), Knn(query=[3.0] * 3)
    (sent,) = searched(given)
    expected = Rrf([embedded + 1, -embedded, (embedded / 2).log().exp().abs()]) - Val(
        2
    ) * embedded.max(3).min(4)
    assert sent["rank"] == expected.to_dict()
    assert "'one'" in str(given.to_dict()), "what the caller gave has changed"


def test_vectors_and_searches_without_a_rank_go_as_they_are() -> None:
    plain = [Search().where(K("a") == 1).limit(5), Search(rank=Knn(query=np.array([1.0, 2.0])))]
    assert searched(*plain) == [search.to_dict() for search in plain]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("elsewhere", "Cannot embed string query for key 'elsewhere': key not found in schema"),
        ("#document", "Cannot embed string query for key '#document': no embedding function"),
    ],
)
def test_a_text_that_nothing_embeds_is_refused(key: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        searched(Search(rank=Knn(query="x", key=key)))


def test_a_search_goes_to_the_collection_and_its_database() -> None:
    server = Server(_search=SearchResult(ids=[["a"]]))
    records = Collection(server, model(), None)
    assert records.search(Search(), read_level=ReadLevel.INDEX_ONLY) == {"ids": [["a"]]}
    sent = server.arguments("_search")
    assert sent["collection_id"] == records.id
    assert (sent["tenant"], sent["database"]) == ("a tenant", "a database")
    assert sent["read_level"] is ReadLevel.INDEX_ONLY


def test_an_event_loop_searches_and_forks_too() -> None:
    server = Server(_search=SearchResult(ids=[["a"]]), _fork=model(name="fork"), _fork_count=2)
    records = AsyncCollection(server, model(), LengthFunction())

    async def use() -> None:
        assert await records.search(Search(rank=Knn(query="ab"))) == {"ids": [["a"]]}
        assert (await records.fork("fork")).name == "fork"
        assert await records.fork_count() == 2

    asyncio.run(use())
    assert (
        server.arguments("_search")["searches"][0].to_dict()["rank"]["$knn"]["query"] == [2.0] * 3
    )


def test_a_fork_embeds_as_its_origin_does() -> None:
    server = Server(_fork=model(name="fork"))
    fork = Collection(server, model(), LengthFunction()).fork("fork")
    fork.add(ids=["a"], documents=["four"])
    assert server.arguments("_fork")["new_name"] == "fork"
    assert server.arguments("_add")["embeddings"].tolist() == [[4.0] * 3]


def test_functions_are_attached_by_their_names() -> None:
    server = Server(attach_function=("attached", True), detach_function=True)
    records = Collection(server, model(), None)
    assert records.attach_function(STATISTICS_FUNCTION, "f", "out") == ("attached", True)
    assert server.arguments("attach_function")["function_id"] == "statistics"
    assert server.arguments("attach_function")["input_collection_id"] == records.id
    assert records.detach_function("f", delete_output_collection=True)
    assert server.arguments("detach_function")["delete_output"] is True


def test_attached_functions_are_equal_by_value_however_their_parameters_came() -> None:
    own, source = uuid4(), uuid4()

    def attached(params: Any) -> AttachedFunction:
        return AttachedFunction(None, own, "n", "f", source, "out", params, "t", "d")

    assert attached(None) == attached({}) == attached("") == attached("{}")
    assert attached({"a": 1}) == attached('{"a": 1}') != attached(None)
    assert len({attached({"a": [1]}), attached('{"a": [1]}'), attached({})}) == 2


# ---- Sparse vectors in metadata -----------------------------------------------------------------


def test_records_get_the_sparse_vectors_that_the_schema_wants() -> None:
    server = Server()
    records = Collection(server, model(SPARSE_SCHEMA), LengthFunction())
    given = SparseVector([1], [1.0])
    records.upsert(
        ids=["a", "b", "c"],
        documents=["ab", "b", "x"],
        metadatas=[{"n": 1}, None, {"letters": given}],
    )
    assert server.arguments("_upsert")["metadatas"] == [
        {"n": 1, "letters": SparseVector([97, 98], [1.0, 1.0])},
        {"letters": SparseVector([98], [1.0])},
        {"letters": given},
    ]


def test_records_without_the_text_get_no_sparse_vector() -> None:
    schema = Schema().create_index(
        config=SparseVectorIndexConfig(embedding_function=LetterFunction(), source_key="title"),
        key="letters",
    )
    server = Server()
    records = Collection(server, model(schema), LengthFunction())
    records.add(
        ids=["a", "b", "c"],
        embeddings=[[1.0], [2.0], [3.0]],
        metadatas=[{"title": "a"}, {"title": 5}, None],
    )
    assert server.arguments("_add")["metadatas"] == [
        {"title": "a", "letters": SparseVector([97], [1.0])},
        {"title": 5},
        None,
    ]


def test_a_function_that_returns_too_few_sparse_vectors_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class ShortFunction(LetterFunction):
        def __call__(self, input: Any) -> Any:
            return [SparseVector([1], [1.0])]

        @staticmethod
        def name() -> str:
            return "short"

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> ShortFunction:
            return ShortFunction()

    monkeypatch.setitem(sparse_known_embedding_functions, "short", ShortFunction)
    schema = Schema().create_index(
        config=SparseVectorIndexConfig(embedding_function=ShortFunction(), source_key="#document"),
        key="letters",
    )
    server = Server()
    records = Collection(server, model(schema), LengthFunction())
    with pytest.raises(ValueError, match="returned unexpected number of embeddings. in add"):
        records.add(ids=["a", "b"], documents=["x", "y"])
    assert not server.calls


def test_a_local_database_takes_no_sparse_vectors_and_writes_nothing(collection: Any) -> None:
    tagged = {"#type": "sparse_vector", "indices": [1], "values": [2.0]}
    for value in (SparseVector([1], [2.0]), tagged):
        with pytest.raises(TypeError, match="Cannot convert Python object to MetadataValue"):
            collection.add(ids=["a"], documents=["x"], metadatas=[{"sparse": value}])
    assert collection.count() == 0


def test_a_tagged_object_that_is_no_sparse_vector_is_refused(collection: Any) -> None:
    broken = {"#type": "sparse_vector", "indices": [1, 0], "values": [1.0, 2.0]}
    with pytest.raises(ValueError, match="strictly ascending order.* in add"):
        collection.add(ids=["a"], documents=["x"], metadatas=[{"sparse": broken}])


# ---- Results ------------------------------------------------------------------------------------


def test_rows_have_what_was_selected_and_is_there() -> None:
    result = SearchResult(
        ids=[["a", "b"], ["c"]],
        documents=[["A", None], None],
        embeddings=[None, [[1.0]]],
        metadatas=[[{"k": 1}, {}], None],
        scores=[[0.5, None], [0.0]],
        select=[["#document"], []],
    )
    assert result.rows() == [
        [
            {"id": "a", "document": "A", "metadata": {"k": 1}, "score": 0.5},
            {"id": "b", "metadata": {}},
        ],
        [{"id": "c", "embedding": [1.0], "score": 0.0}],
    ]
    assert SearchResult(ids=[["a"]]).rows() == [[{"id": "a"}]]
    assert SearchResult().rows() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda records: records.search(Search()),
        lambda records: records.fork("fork"),
        lambda records: records.fork_count(),
        lambda records: records.attach_function(STATISTICS_FUNCTION, "f", "out"),
        lambda records: records.get_attached_function("f"),
        lambda records: records.detach_function("f"),
    ],
)
def test_a_local_database_says_that_it_cannot(collection: Any, call: Any) -> None:
    with pytest.raises(NotImplementedError):
        call(collection)
