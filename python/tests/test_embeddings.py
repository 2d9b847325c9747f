"""Embeddings of every accepted form reach the engine as the same float32 numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chromadb.api._embeddings import embedding_matrix
from chromadb.api.types import (
    convert_list_embeddings_to_np,
    convert_np_embeddings_to_list,
    normalize_embeddings,
    validate_embeddings,
)
from chromadb.utils import distance_functions
from chromadb.utils.batch_utils import create_batches

VALUES = np.array([[1, -2, 3], [4, 0, -6]])
TYPES = ["float16", "float32", "float64", "int32", "int64", ">f4", ">f8", ">i4", ">i8"]


def accepted_forms() -> list[Any]:
    forms: list[Any] = [
        VALUES.tolist(),
        VALUES.astype(float).tolist(),
        [[np.float64(x) for x in row] for row in VALUES],
        [VALUES[0].tolist(), VALUES[1]],
    ]
    for name in TYPES:
        array = VALUES.astype(name)
        wide = np.zeros((4, 6), dtype=name)
        wide[::2, ::2] = array
        unaligned = np.frombuffer(b"\0" + array.tobytes(), dtype=np.uint8)[1:]
        read_only = array.copy()
        read_only.flags.writeable = False
        forms += [
            array,
            np.asfortranarray(array),
            wide[::2, ::2],
            array[::-1, ::-1][::-1, ::-1],
            unaligned.view(name).reshape(array.shape),
            read_only,
            list(array),
            list(wide[::2, ::2]),
            np.ma.masked_array(array),
            list(np.ma.masked_array(array)),
        ]
    return forms


@pytest.mark.parametrize("form", accepted_forms(), ids=lambda form: type(form).__name__)
def test_every_accepted_form_is_the_same_matrix(form: Any) -> None:
    matrix = embedding_matrix(form)
    assert type(matrix) is np.ndarray
    assert matrix.dtype == np.float32
    assert matrix.dtype.isnative
    assert matrix.flags.c_contiguous
    assert matrix.flags.aligned
    np.testing.assert_array_equal(matrix, VALUES)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("of", [lambda a: a, list, lambda a: a.tolist()], ids=["1-d", "-", "list"])
def test_one_vector_is_a_matrix_of_one_row(name: str, of: Any) -> None:
    array = VALUES[0].astype(name)
    form = [array] if of is list else of(array)
    np.testing.assert_array_equal(embedding_matrix(form), VALUES[:1])


def test_a_contiguous_float32_array_is_not_copied() -> None:
    array = VALUES.astype(np.float32)
    assert embedding_matrix(array) is array
    one = array[0]
    assert np.shares_memory(embedding_matrix(one), one)
    array.flags.writeable = False
    assert embedding_matrix(array) is array


def test_doubles_are_rounded_to_the_nearest_float() -> None:
    values = np.random.default_rng(7).normal(size=(50, 4))
    expected = values.astype(np.float32)
    for form in (values, list(values), values.tolist()):
        np.testing.assert_array_equal(embedding_matrix(form), expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "form",
    [[[1e39, 1]], [1e39, 1], np.array([[1e39, 1]]), [np.array([1e39, 1])], [[10**39, 1]]],
    ids=repr,
)
def test_what_float32_cannot_hold_becomes_infinite_without_a_warning(form: Any) -> None:
    assert np.isinf(embedding_matrix(form)[0, 0])


def test_every_accepted_form_is_stored_alike(client: Any) -> None:
    collection = client.create_collection("forms", embedding_function=None)
    for form in accepted_forms():
        collection.upsert(ids=["a", "b"], embeddings=form)
        found = collection.get(include=["embeddings"])["embeddings"]
        np.testing.assert_array_equal(found, VALUES)
        for query in (form, list(form) if isinstance(form, np.ndarray) else form):
            answer = collection.query(query_embeddings=query, n_results=1)
            assert answer["ids"] == [["a"], ["b"]]
            assert answer["distances"] == [[0.0], [0.0]]


def test_the_callers_array_may_change_afterwards(client: Any) -> None:
    collection = client.create_collection("forms", embedding_function=None)
    array = VALUES.astype(np.float32)
    collection.add(ids=["a", "b"], embeddings=array)
    array[:] = 9
    found = collection.get(include=["embeddings"])["embeddings"]
    np.testing.assert_array_equal(found, VALUES)


def test_normalizing_gives_a_list_of_vectors() -> None:
    assert normalize_embeddings(None) is None
    for form in ([1, 2], [[1, 2]], np.array([1, 2]), np.array([[1, 2]]), [np.array([1, 2])]):
        vectors = normalize_embeddings(form)
        assert isinstance(vectors, list)
        (vector,) = vectors
        np.testing.assert_array_equal(vector, [1, 2])
    np.testing.assert_array_equal(convert_list_embeddings_to_np([[1.5, 2]])[0], [1.5, 2])
    assert convert_np_embeddings_to_list([np.array([1.5, 2])]) == [[1.5, 2.0]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "Expected embeddings to be a list, got int"),
        ([], "Expected embeddings to be a list with at least one item, got 0 embeddings"),
        (
            [[1]],
            "Expected each embedding in the embeddings to be a numpy array, got ['list']",
        ),
    ],
    ids=repr,
)
def test_validating_refuses(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        validate_embeddings(value)
    assert str(caught.value) == message


# ---- What stands beside -------------------------------------------------------------------------


class Sized:
    """A client of which only the batch size matters."""

    def get_max_batch_size(self) -> int:
        return 2


def test_batches_fit_the_client_and_keep_the_order() -> None:
    ids = ["a", "b", "c", "d", "e"]
    whole: Any = create_batches(Sized(), ids[:2], documents=["A", "B"])  # type: ignore[arg-type]
    assert whole == [(["a", "b"], None, None, ["A", "B"])]
    batches: Any = create_batches(
        Sized(),  # type: ignore[arg-type]
        ids,
        embeddings=[[i] for i in range(5)],
        metadatas=[{"n": i} for i in range(5)],
    )
    assert batches == [
        (["a", "b"], [[0], [1]], [{"n": 0}, {"n": 1}], None),
        (["c", "d"], [[2], [3]], [{"n": 2}, {"n": 3}], None),
        (["e"], [[4]], [{"n": 4}], None),
    ]


def test_a_local_client_takes_what_others_slice(client: Any) -> None:
    ids = [str(i) for i in range(50_000)]
    assert len(create_batches(client, ids, embeddings=ids)) == 1
    assert list(range(0, len(ids), client.get_max_batch_size())) == [0]


def test_the_distances_are_those_of_the_engine(client: Any) -> None:
    random = np.random.default_rng(3)
    for space in ("l2", "cosine", "ip"):
        collection = client.create_collection(
            space * 2, embedding_function=None, configuration={"hnsw": {"space": space}}
        )
        a, b = random.normal(size=(2, 8)).astype(np.float32)
        collection.add(ids="a", embeddings=a)
        expected = getattr(distance_functions, space)(a.astype(float), b.astype(float))
        ((found,),) = collection.query(query_embeddings=b)["distances"]
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert distance_functions.cosine(np.zeros(2), np.ones(2)) == 1.0
