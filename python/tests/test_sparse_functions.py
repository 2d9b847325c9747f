"""Sparse vectors, and the protocol of the functions that make them."""

from __future__ import annotations

from typing import Any

import pytest

from chromadb import SparseVector
from chromadb.api.types import (
    SparseEmbeddingFunction,
    validate_sparse_embedding_function,
)
from chromadb.utils import embedding_functions
from chromadb.utils.sparse_embedding_utils import normalize_sparse_vector


class Plain:
    def __call__(self, input: Any) -> Any:
        return input


class WrongParameter:
    def __call__(self, texts: Any) -> Any:
        return texts


class Words(SparseEmbeddingFunction[Any]):
    """The lengths of a text's words, each once."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [
            SparseVector(indices=sorted({len(word) for word in text.split()}), values=[1.0])
            for text in input
        ]

    @staticmethod
    def name() -> str:
        return "words"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        return Words()

    def get_config(self) -> dict[str, Any]:
        return {}


def test_a_sparse_function_is_one_by_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Words()
    assert isinstance(function, SparseEmbeddingFunction)
    assert not isinstance(Plain(), SparseEmbeddingFunction)
    assert function.embed_query(["ab"]) == function(["ab"]) == [SparseVector([2], [1.0])]
    known = embedding_functions.sparse_known_embedding_functions
    monkeypatch.setitem(known, "words", Plain)
    assert embedding_functions.register_sparse_embedding_function(Words) is Words
    assert known["words"] is Words
    validate_sparse_embedding_function(function)
    with pytest.raises(ValueError, match=r"^Expected SparseEmbeddingFunction.__call__ to have"):
        validate_sparse_embedding_function(WrongParameter())


def test_a_sparse_function_has_to_have_all_its_methods() -> None:
    class Half(SparseEmbeddingFunction[Any]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:
            return []

        @staticmethod
        def name() -> str:
            return "half"

    with pytest.raises(TypeError, match="build_from_config"):
        Half()


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ((), "Expected sparse vectors to be a list, got tuple"),
        ([], "Expected sparse vectors to be a non-empty list, got 0 sparse vectors"),
        (
            [SparseVector([1], [1.0]), {}],
            "Expected SparseVector instance at position 1, got dict",
        ),
    ],
)
def test_what_is_no_list_of_sparse_vectors_is_refused(result: Any, message: str) -> None:
    class Broken(Words):
        def __call__(self, input: Any) -> Any:
            return result

    with pytest.raises(ValueError) as caught:
        Broken()(["a"])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1,), [1.0]), "Expected SparseVector indices to be a list, got tuple"),
        (([1], 1.0), "Expected SparseVector values to be a list, got float"),
        (([1], [1.0], "a"), "Expected SparseVector labels to be a list, got str"),
        (
            ([1], [1.0, 2.0]),
            "SparseVector indices and values must have the same length, got 1 indices and 2 values",
        ),
        (
            ([1], [1.0], []),
            "SparseVector labels must have the same length as indices and values, got 0 labels, "
            "1 indices",
        ),
        ((["a"], [1.0]), "SparseVector indices must be integers, got str at position 0"),
        (([-1], [1.0]), "SparseVector indices must be non-negative, got -1 at position 0"),
        (([1], ["a"]), "SparseVector values must be numbers, got str at position 0"),
        (
            ([3, 1], [1.0, 2.0]),
            "SparseVector indices must be sorted in strictly ascending order, found indices[1]=1 "
            "<= indices[0]=3",
        ),
    ],
    ids=str,
)
def test_a_sparse_vector_that_is_not_well_formed_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        SparseVector(*arguments)
    assert str(caught.value) == message


def test_a_sparse_vector_is_read_as_it_is_written() -> None:
    for vector in (SparseVector([1, 5], [0.5, 1]), SparseVector([2], [1.0], ["two"])):
        json = vector.to_dict()
        assert json["#type"] == "sparse_vector"
        assert ("tokens" in json) == (vector.labels is not None)
        assert SparseVector.from_dict(json) == vector
    with pytest.raises(ValueError, match="^Expected #type='sparse_vector', got None$"):
        SparseVector.from_dict({"indices": [1], "values": [1.0]})


def test_what_a_model_returns_is_sorted() -> None:
    assert normalize_sparse_vector([5, 2], [0.5, 1.0], ["five", "two"]) == SparseVector(
        [2, 5], [1.0, 0.5], ["two", "five"]
    )
    assert normalize_sparse_vector([], []) == SparseVector([], [])
    with pytest.raises(ValueError, match="strictly ascending"):
        normalize_sparse_vector([2, 2], [1.0, 1.0])
