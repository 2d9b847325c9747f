"""A collection answers as its model does, whatever is written to it in whatever order.

Histories are random; the model (`model.py`) is a dictionary and a float64 scan. Beside them stand
the cases whose results have a shape that the model does not describe.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model import ModelCollection, check_ranking

import chromadb

DIMENSION = 3
COLUMNS = ["embeddings", "metadatas", "documents", "uris"]

identifiers = st.sampled_from([*(f"id{i}" for i in range(8)), "é", "e\u0301", "\0", "🐝"])
numbers = st.floats(-8, 8, width=32)
vectors = st.lists(numbers, min_size=DIMENSION, max_size=DIMENSION)
texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["apple pie", "Apple", "a%b_c\\d"]
)
keys = st.sampled_from(["n", "s", "b", "l", "chroma:hidden"])
scalars = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.sampled_from(["x", "y", ""])
)
lists = (
    st.lists(st.integers(-2, 2), min_size=1, max_size=3)
    | st.lists(st.sampled_from([0.5, 1.0]), min_size=1, max_size=3)
    | st.lists(st.booleans(), min_size=1, max_size=3)
    | st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=3)
)
metadata = st.dictionaries(keys, scalars | lists, min_size=1, max_size=3)
changes = st.dictionaries(keys, scalars | lists | st.none(), min_size=1, max_size=3)

literals = st.sampled_from([0, 1, -1, 1.5, 2.0, True, False, "x", ""])
expressions = st.one_of(
    literals,
    st.fixed_dictionaries({"$eq": literals}),
    st.fixed_dictionaries({"$ne": literals}),
    st.tuples(
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.sampled_from([-1, 0, 1, 0.5, 2**53 + 1])
    ).map(lambda pair: {pair[0]: pair[1]}),
    st.tuples(
        st.sampled_from(["$in", "$nin"]), st.sampled_from([[0, 1], [0.5, 2.0], ["x"], [True]])
    ).map(lambda pair: {pair[0]: pair[1]}),
    st.tuples(st.sampled_from(["$contains", "$not_contains"]), literals).map(
        lambda pair: {pair[0]: pair[1]}
    ),
)
wheres = st.recursive(
    st.tuples(keys, expressions).map(lambda pair: {pair[0]: pair[1]}),
    lambda parts: st.tuples(
        st.sampled_from(["$and", "$or"]), st.lists(parts, min_size=2, max_size=3)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=4,
)
document_filters = st.recursive(
    st.tuples(
        st.sampled_from(["$contains", "$not_contains"]),
        st.sampled_from(["a", "p", "%", "Apple", "é"]),
    ).map(lambda pair: {pair[0]: pair[1]})
    | st.sampled_from([{"$regex": "a.*e"}, {"$not_regex": "^A"}]),
    lambda parts: st.tuples(
        st.sampled_from(["$and", "$or"]), st.lists(parts, min_size=2, max_size=2)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=3,
)


def optional(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


@st.composite
def writes(draw: st.DrawFn, operation: str) -> tuple[str, dict[str, Any]]:
    ids = draw(st.lists(identifiers, min_size=1, max_size=4, unique=True))

    def column(values: st.SearchStrategy) -> list | None:
        return draw(optional(st.lists(values, min_size=len(ids), max_size=len(ids))))

    arguments = {
        "ids": ids,
        "embeddings": column(vectors),
        "metadatas": column(optional(metadata if operation == "add" else changes)),
        "documents": column(optional(texts)),
        "uris": column(optional(texts)),
    }
    if arguments["embeddings"] is None and operation != "update":
        arguments["embeddings"] = [draw(vectors) for _ in ids]
    if arguments["embeddings"] is None:
        arguments["documents"] = None  # They would be embedded; the model does not embed.
    return operation, arguments


@st.composite
def deletions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    ids = draw(optional(st.lists(identifiers, min_size=1, max_size=3, unique=True)))
    where = draw(optional(wheres))
    where_document = draw(optional(document_filters))
    if ids is None and where is None and where_document is None:
        ids = ["id0"]
    limit = draw(st.none() | st.integers(0, 2)) if where or where_document else None
    return "delete", {"ids": ids, "where": where, "where_document": where_document, "limit": limit}


@st.composite
def reads(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "ids": draw(optional(st.lists(identifiers, min_size=1, max_size=4, unique=True))),
        "where": draw(optional(wheres)),
        "where_document": draw(optional(document_filters)),
    }


@st.composite
def insertions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    operation, arguments = draw(writes("add"))
    return operation, {**arguments, "on_conflict": draw(st.sampled_from(["ignore", "replace"]))}


operations = st.one_of(writes("add"), writes("upsert"), writes("update"), insertions(), deletions())


@settings(deadline=None, max_examples=60, print_blob=True)
@given(
    space=st.sampled_from(["l2", "cosine", "ip"]),
    history=st.lists(operations, max_size=12),
    questions=st.lists(reads(), min_size=1, max_size=4),
    query=vectors,
    n_results=st.integers(1, 12),
    limit=optional(st.integers(0, 5)),
    offset=optional(st.integers(0, 5)),
)
def test_any_history_reads_back_as_the_model_says(
    space: str,
    history: list,
    questions: list,
    query: list[float],
    n_results: int,
    limit: int | None,
    offset: int | None,
) -> None:
    chromadb.api.client.SharedSystemClient.clear_system_cache()
    with chromadb.EphemeralClient() as client:
        replay(client, space, history, questions, query, n_results, limit, offset)


def replay(
    client: Any,
    space: str,
    history: list,
    questions: list,
    query: list[float],
    n_results: int,
    limit: int | None,
    offset: int | None,
) -> None:
    """Lets a history happen to a new collection and to the model, and asks both."""
    collection = client.create_collection(
        "history", embedding_function=None, configuration={"hnsw": {"space": space}}
    )
    model = ModelCollection(space)
    for operation, arguments in history:
        answer = getattr(collection, operation)(**arguments)
        assert answer == getattr(model, operation)(**arguments)

    assert collection.count() == model.count()
    same(collection.peek(3), model.peek(3))
    for question in questions:
        got = collection.get(**question, limit=limit, offset=offset, include=COLUMNS)
        same(got, model.get(**question, limit=limit, offset=offset, include=COLUMNS))
        if model.dimension is not None:
            rank(collection, model, question, query, n_results)


def rank(
    collection: Any, model: ModelCollection, question: dict, query: list[float], n_results: int
) -> None:
    found = collection.query(
        query_embeddings=[query], n_results=n_results, **question, include=[*COLUMNS, "distances"]
    )
    difference = check_ranking(
        model,
        query,
        model.ranking(query, **question),
        n_results,
        found["ids"][0],
        found["distances"][0],
    )
    assert difference is None
    for position, identifier in enumerate(found["ids"][0]):
        record = model.records[identifier]
        assert found["documents"][0][position] == record.document
        assert found["uris"][0][position] == record.uri
        assert found["metadatas"][0][position] == record.visible_metadata()
        np.testing.assert_allclose(
            found["embeddings"][0][position], record.embedding, rtol=1e-6, atol=1e-6
        )


def same(got: Any, expected: Any) -> None:
    """Equal in every column, and in the types of the values: 1, 1.0 and True are three values."""
    got, expected = dict(got), dict(expected)
    vectors, exact = got.pop("embeddings"), expected.pop("embeddings")
    got_included, expected_included = got.pop("included"), expected.pop("included")
    assert sorted(got_included) == sorted(expected_included)
    assert got == expected
    assert typed(got["metadatas"]) == typed(expected["metadatas"])
    assert vectors.dtype == np.float64
    if len(exact):
        np.testing.assert_allclose(vectors, exact, rtol=1e-6, atol=1e-6)
    else:
        assert vectors.shape == (0,)


def typed(metadatas: list) -> list:
    return [
        None
        if metadata is None
        else {
            key: [type(item) for item in value] if isinstance(value, list) else type(value)
            for key, value in metadata.items()
        }
        for metadata in metadatas
    ]


# ---- Shapes of answers --------------------------------------------------------------------------


def test_one_value_stands_for_a_list_of_one(collection: Any) -> None:
    collection.add(ids="a", embeddings=[1, 2, 3], metadatas={"n": 1}, documents="text", uris="u")
    assert collection.get("a", include=["metadatas", "documents", "uris"]) == {
        "ids": ["a"],
        "embeddings": None,
        "documents": ["text"],
        "uris": ["u"],
        "included": ["metadatas", "documents", "uris"],
        "data": None,
        "metadatas": [{"n": 1}],
    }


def test_a_query_answers_a_list_for_each_vector(collection: Any) -> None:
    collection.add(ids=["a", "b"], embeddings=[[0, 0, 0], [2, 0, 0]], documents=["A", None])
    found = collection.query(query_embeddings=[[0, 0, 0], [3, 0, 0]], n_results=1)
    assert found == {
        "ids": [["a"], ["b"]],
        "embeddings": None,
        "documents": [["A"], [None]],
        "uris": None,
        "included": ["metadatas", "documents", "distances"],
        "data": None,
        "metadatas": [[None], [None]],
        "distances": [[0.0], [1.0]],
    }


def test_columns_that_were_not_asked_for_are_none(collection: Any) -> None:
    collection.add(ids="a", embeddings=[1, 2, 3])
    found = collection.get(include=[])
    assert found["ids"] == ["a"]
    assert all(found[name] is None for name in [*COLUMNS, "data"])
    found = collection.query(query_embeddings=[1, 2, 3], include=[])
    assert found["ids"] == [["a"]]
    assert all(found[name] is None for name in [*COLUMNS, "data", "distances"])


def test_embeddings_come_back_as_doubles(collection: Any) -> None:
    collection.add(ids=["a", "b"], embeddings=[[1, 2, 3], [4, 5, 6]])
    read = collection.get(include=["embeddings"])["embeddings"]
    assert read.dtype == np.float64
    assert read.shape == (2, 3)
    (found,) = collection.query(query_embeddings=[1, 2, 3], include=["embeddings"])["embeddings"]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1, 2, 3], [4, 5, 6]])


def test_an_empty_collection_answers_empty_columns(collection: Any) -> None:
    assert collection.count() == 0
    found = collection.get(include=COLUMNS)
    assert found.pop("embeddings").shape == (0,)
    assert found == {
        "ids": [],
        "documents": [],
        "uris": [],
        "included": COLUMNS,
        "data": None,
        "metadatas": [],
    }
    found = collection.query(query_embeddings=[1], include=[*COLUMNS, "distances"])
    assert [len(rows) for rows in found.pop("embeddings")] == [0]
    assert found == {
        "ids": [[]],
        "documents": [[]],
        "uris": [[]],
        "included": [*COLUMNS, "distances"],
        "data": None,
        "metadatas": [[]],
        "distances": [[]],
    }


def test_answers_are_the_callers_to_change(collection: Any) -> None:
    collection.add(ids="a", embeddings=[1, 2, 3], metadatas={"k": [1, 2]})
    found = collection.get(include=["metadatas", "embeddings"])
    found["metadatas"][0]["k"].append(3)
    found["embeddings"][0, 0] = 9
    found["included"].clear()
    again = collection.get(include=["metadatas", "embeddings"])
    assert again["metadatas"] == [{"k": [1, 2]}]
    assert again["embeddings"][0, 0] == 1
    assert collection.get()["included"] == ["metadatas", "documents"]


def test_more_results_than_records_are_all_records(collection: Any) -> None:
    collection.add(ids=["a", "b"], embeddings=[[1, 2, 3], [4, 5, 6]])
    assert collection.query(query_embeddings=[1, 2, 3], n_results=2**32 - 1)["ids"] == [["a", "b"]]


def test_unknown_and_repeated_ids_do_not_disturb_a_query(collection: Any) -> None:
    collection.add(ids=["a", "b"], embeddings=[[1, 2, 3], [4, 5, 6]])
    found = collection.query(query_embeddings=[1, 2, 3], ids=["b", "b", "unknown"])
    assert found["ids"] == [["b"]]
    assert collection.query(query_embeddings=[1, 2, 3], ids=[])["ids"] == [[]]


def test_a_batch_may_be_larger_than_upstream_allows(client: Any) -> None:
    collection = client.create_collection("large", embedding_function=None)
    count = 6000
    collection.add(
        ids=[str(i) for i in range(count)], embeddings=np.zeros((count, 1), dtype=np.float32)
    )
    assert collection.count() == count
    assert client.get_max_batch_size() >= count
    assert collection.get(ids=[str(i) for i in range(count)], include=[])["ids"][-1] == str(
        count - 1
    )


def test_a_failed_write_changes_nothing(collection: Any) -> None:
    with pytest.raises(chromadb.errors.InvalidArgumentError):
        collection.add(ids=["a", "b"], embeddings=[[1, 2, 3], [4, 5, float("nan")]])
    assert collection.count() == 0
    # Nor is the dimension decided by a write that failed.
    collection.add(ids="a", embeddings=[1, 2])
    assert collection.count() == 1


def test_the_dimension_outlives_the_records(collection: Any) -> None:
    collection.add(ids="a", embeddings=[1, 2, 3])
    collection.delete(ids="a")
    with pytest.raises(chromadb.errors.InvalidArgumentError, match="dimension of 3, got 2"):
        collection.add(ids="a", embeddings=[1, 2])


def test_images_are_embedded_and_not_stored(client: Any) -> None:
    class ImageFunction(chromadb.EmbeddingFunction[Any]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:
            return [image[0] for image in input]

    with pytest.warns(DeprecationWarning, match="ImageFunction"):
        collection = client.create_collection("images", embedding_function=ImageFunction())
    collection.add(ids=["a", "b"], images=[np.ones((2, 2)), np.zeros((2, 2))])
    found = collection.query(query_images=np.ones((2, 2)), n_results=1, include=[])
    assert found["ids"] == [["a"]]


def test_data_are_loaded_from_uris(client: Any) -> None:
    from conftest import LengthFunction

    def load(uris: list[str | None]) -> list[Any]:
        return [None if uri is None else uri * 2 for uri in uris]

    client.create_collection("data", embedding_function=LengthFunction())
    collection = client.get_collection("data", data_loader=load)
    collection.add(ids=["a", "b"], uris=["u", "uuu"])
    collection.add(ids="c", embeddings=[9, 9, 9])
    found = collection.get(include=["data"])
    assert found["data"] == ["uu", "uuuuuu", None]
    assert found["uris"] == ["u", "uuu", None]
    assert found["included"] == ["data", "uris"]
    found = collection.query(query_uris="uuu", n_results=1, include=["data"])
    assert found["ids"] == [["b"]]
    assert found["data"] == [["uuuuuu"]]


def test_updated_documents_are_embedded_anew(collection: Any) -> None:
    collection.add(ids="a", documents="xx")
    collection.update(ids="a", documents="xxx")
    np.testing.assert_array_equal(collection.get(include=["embeddings"])["embeddings"], [[3, 3, 3]])
    collection.update(ids="a", documents="xxxx", embeddings=[7, 7, 7])
    np.testing.assert_array_equal(collection.get(include=["embeddings"])["embeddings"], [[7, 7, 7]])
    assert collection.get()["documents"] == ["xxxx"]


def test_the_read_level_makes_no_difference(collection: Any) -> None:
    collection.add(ids="a", embeddings=[1, 2, 3])
    assert collection.count(chromadb.ReadLevel.INDEX_ONLY) == 1
