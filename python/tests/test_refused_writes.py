"""What a write refuses, it refuses with upstream's class and in upstream's words.

Each row is a call on a collection of three dimensions that holds the record "a", the class of the
error and its whole message. Afterwards the collection holds what it held before.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from refusals import IMAGE, NO_LOADER, ONE, ONE_SOURCE, case_name, check

from chromadb.errors import DuplicateIDError, InvalidArgumentError

TWO = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
NOT_EMBEDDINGS = (
    "Expected embeddings to be a list of floats or ints, a list of lists, a numpy array, or a list "
    "of numpy arrays, got {}"
)
EMPTY_ROW = (
    "Expected each embedding in the embeddings to be a 1-dimensional numpy array with at least 1 "
    "int/float value. Got a 1-dimensional numpy array with no values at pos {}"
)
NOT_NUMBERS = "Expected each value in the embedding to be a int or float, got an embedding with {}"
NOT_FINITE = "Validation error: embeddings: Embeddings must not contain NaN or Infinity values"
NOT_METADATA = (
    "Expected metadata value to be a str, int, float, bool, SparseVector, list, or None, got {}"
)
MIXED_LIST = (
    "Expected metadata list value for key 'k' to contain only str, int, float, or bool and all "
    "elements must be the same type, got {}"
)


def named(number: int) -> str:
    """The ids x0 … of which there are two each."""
    return ", ".join(f"x{i}" for i in range(number))


@pytest.mark.parametrize("operation", ["add", "update", "upsert"])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        # Ids.
        ({"ids": []}, ValueError, "Non-empty lists are required for ['ids']"),
        ({"ids": None}, ValueError, "Expected IDs to be a list, got NoneType as IDs"),
        ({"ids": 1}, ValueError, "Expected ID to be a str, got 1"),
        ({"ids": [1]}, ValueError, "Expected ID to be a str, got 1"),
        ({"ids": [None]}, ValueError, "Expected ID to be a str, got None"),
        ({"ids": ("b",)}, ValueError, "Expected ID to be a str, got ('b',)"),
        (
            {"ids": ("b", "c"), "embeddings": TWO},
            ValueError,
            "Unequal lengths for fields: ids: 1, embeddings: 2",
        ),
        (
            {"ids": ["b", "b"], "embeddings": TWO},
            DuplicateIDError,
            "Expected IDs to be unique, found duplicates of: b",
        ),
        (
            {"ids": [f"x{i}" for i in range(9)] * 2, "embeddings": ONE * 18},
            DuplicateIDError,
            f"Expected IDs to be unique, found duplicates of: {named(9)}",
        ),
        (
            {"ids": [f"x{i}" for i in range(12)] * 2, "embeddings": ONE * 24},
            DuplicateIDError,
            "Expected IDs to be unique, found 12 duplicated IDs: x0, x1, x2, x3, x4, ..., x7, x8, "
            "x9, x10, x11",
        ),
        # Lengths.
        (
            {"ids": ["b", "c"]},
            ValueError,
            "Unequal lengths for fields: ids: 2, embeddings: 1",
        ),
        (
            {
                "ids": ["b", "c"],
                "embeddings": TWO,
                "documents": ["x"],
                "metadatas": [{"k": 1}],
                "images": [IMAGE],
                "uris": ["u"],
            },
            ValueError,
            "Unequal lengths for fields: ids: 2, metadatas: 1, embeddings: 2, documents: 1, "
            "images: 1, uris: 1",
        ),
        (
            {"ids": [], "documents": [], "metadatas": [], "images": [], "uris": []},
            ValueError,
            "Non-empty lists are required for ['ids', 'metadatas', 'documents', 'images', 'uris']",
        ),
        # Documents and images.
        ({"documents": [5]}, ValueError, "Expected document to be a str, got 5"),
        ({"documents": 5}, ValueError, "Expected document to be a str, got 5"),
        ({"images": [5]}, ValueError, "Expected image to be a numpy array, got 5"),
        ({"images": [np.zeros(2)]}, ValueError, "Expected image to be a numpy array, got [0. 0.]"),
        # Embeddings.
        (
            {"embeddings": []},
            ValueError,
            "Expected Embeddings to be non-empty list or numpy array, got []",
        ),
        ({"embeddings": [[]]}, IndexError, "list index out of range"),
        ({"embeddings": "x"}, ValueError, NOT_EMBEDDINGS.format("x")),
        ({"embeddings": ["x"]}, ValueError, NOT_EMBEDDINGS.format("['x']")),
        ({"embeddings": [None]}, ValueError, NOT_EMBEDDINGS.format("[None]")),
        ({"embeddings": (1, 2, 3)}, ValueError, NOT_EMBEDDINGS.format("(1, 2, 3)")),
        ({"embeddings": [(1, 2, 3)]}, ValueError, NOT_EMBEDDINGS.format("[(1, 2, 3)]")),
        ({"embeddings": {"k": 1}}, ValueError, NOT_EMBEDDINGS.format("{'k': 1}")),
        ({"embeddings": [[[1, 2]]]}, ValueError, NOT_EMBEDDINGS.format("[[[1, 2]]]")),
        ({"embeddings": [True, False]}, ValueError, NOT_EMBEDDINGS.format("[True, False]")),
        ({"embeddings": [[True, False]]}, ValueError, NOT_EMBEDDINGS.format("[[True, False]]")),
        ({"embeddings": np.zeros((1, 1, 2))}, ValueError, NOT_EMBEDDINGS.format("[[[0. 0.]]]")),
        ({"embeddings": [[1, "x", 3]]}, ValueError, "could not convert string to float: 'x'"),
        ({"embeddings": [1, "x", 3]}, ValueError, "could not convert string to float: 'x'"),
        ({"embeddings": [[1, 2, 10**400]]}, OverflowError, "int too large to convert to float"),
        (
            {"embeddings": np.zeros((0, 3))},
            ValueError,
            "Expected Embeddings to be non-empty list or numpy array, got []",
        ),
        ({"embeddings": np.zeros((1, 0))}, ValueError, EMPTY_ROW.format(0)),
        ({"embeddings": [np.zeros(0)]}, ValueError, EMPTY_ROW.format(0)),
        (
            {"ids": ["b", "c"], "embeddings": [[1, 2, 3], []]},
            ValueError,
            EMPTY_ROW.format(1),
        ),
        (
            {"embeddings": [np.array(3.0)]},
            ValueError,
            "Expected a 1-dimensional array, got a 0-dimensional array 3.0",
        ),
        (
            {"ids": ["b", "c"], "embeddings": [np.zeros(3), [1, 2, 3]]},
            ValueError,
            "Expected each embedding in the embeddings to be a numpy array, got "
            "['list', 'ndarray']",
        ),
    ]
    + [
        ({"embeddings": embeddings}, ValueError, NOT_NUMBERS.format(shown))
        for dtype, shown in [
            ("int8", "int8 - [1 2 3]"),
            ("int16", "int16 - [1 2 3]"),
            ("uint8", "uint8 - [1 2 3]"),
            ("uint32", "uint32 - [1 2 3]"),
            ("uint64", "uint64 - [1 2 3]"),
            ("bool", "bool - [ True  True  True]"),
            ("complex64", "complex64 - [1.+0.j 2.+0.j 3.+0.j]"),
            ("U1", "<U1 - ['1' '2' '3']"),
            ("object", "object - [1 2 3]"),
        ]
        for embeddings in (
            np.array([[1, 2, 3]]).astype(dtype),
            [np.array([1, 2, 3]).astype(dtype)],
        )
    ]
    + [
        # Metadata.
        (
            {"metadatas": {}},
            ValueError,
            "Expected metadata to be a non-empty dict, got 0 metadata attributes",
        ),
        (
            {"metadatas": [{}]},
            ValueError,
            "Expected metadata to be a non-empty dict, got 0 metadata attributes",
        ),
        (
            {"metadatas": ["x"]},
            ValueError,
            "Expected metadata to be a dict or None, got str as metadata",
        ),
        (
            {"metadatas": {1: 2}},
            TypeError,
            "Expected metadata key to be a str, got 1 which is a int",
        ),
        (
            {"metadatas": {"chroma:document": "x"}},
            ValueError,
            "Expected metadata to not contain the reserved key chroma:document",
        ),
        ({"metadatas": {"k": {}}}, ValueError, NOT_METADATA.format("{} which is a dict")),
        ({"metadatas": {"k": (1,)}}, ValueError, NOT_METADATA.format("(1,) which is a tuple")),
        ({"metadatas": {"k": b"x"}}, ValueError, NOT_METADATA.format("b'x' which is a bytes")),
        (
            {"metadatas": {"k": np.int64(1)}},
            ValueError,
            NOT_METADATA.format("1 which is a int64"),
        ),
        (
            {"metadatas": {"k": np.float32(1)}},
            ValueError,
            NOT_METADATA.format("1.0 which is a float32"),
        ),
        (
            {"metadatas": {"k": datetime.date(2020, 1, 1)}},
            ValueError,
            NOT_METADATA.format("2020-01-01 which is a date"),
        ),
        (
            {"metadatas": {"k": []}},
            ValueError,
            "Expected metadata list value for key 'k' to be non-empty",
        ),
        ({"metadatas": {"k": [1, "x"]}}, ValueError, MIXED_LIST.format("[1, 'x']")),
        ({"metadatas": {"k": [1, 2.5]}}, ValueError, MIXED_LIST.format("[1, 2.5]")),
        ({"metadatas": {"k": [True, 1]}}, ValueError, MIXED_LIST.format("[True, 1]")),
        ({"metadatas": {"k": [[1]]}}, ValueError, MIXED_LIST.format("[[1]]")),
        ({"metadatas": {"k": [None]}}, ValueError, MIXED_LIST.format("[None]")),
        ({"metadatas": {"k": [{}]}}, ValueError, MIXED_LIST.format("[{}]")),
    ],
    ids=case_name,
)
def test_a_write_refuses(
    collection: Any, operation: str, arguments: dict, error: type, message: str
) -> None:
    complete = {"ids": ["b"], "embeddings": ONE} | arguments
    check(collection, operation, complete, error, f"{message} in {operation}.")


@pytest.mark.parametrize("operation", ["add", "update", "upsert"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ["a", ""]}, "Empty ID, ID must have at least one character"),
        (
            {"embeddings": [[1.0, 2.0], [3.0, 4.0]]},
            "Collection expecting embedding with dimension of 3, got 2",
        ),
        (
            {"embeddings": [[1.0, 2.0, 3.0], [3.0, 4.0]]},
            "Inconsistent dimensions in provided embeddings",
        ),
        (
            {"embeddings": [np.zeros(3), np.zeros(2)]},
            "Inconsistent dimensions in provided embeddings",
        ),
        ({"embeddings": [[1.0, 2.0, 3.0], [3.0, 4.0, float("nan")]]}, NOT_FINITE),
        ({"embeddings": [[1.0, 2.0, 3.0], [3.0, 4.0, float("-inf")]]}, NOT_FINITE),
        ({"embeddings": [[1.0, 2.0, 3.0], [3.0, 4.0, 1e39]]}, NOT_FINITE),
        ({"embeddings": np.array([[1, 2, 3], [3, 4, 1e39]])}, NOT_FINITE),
        ({"embeddings": [[1.0, 2.0, 3.0], [3.0, 4.0, None]]}, NOT_FINITE),
        (
            {"metadatas": [{"": 1}, {"k": 1}]},
            "Validation error: metadatas: Invalid metadata at index 0",
        ),
        (
            {"metadatas": [{"#k": 1}, {"k": 1}]},
            "Validation error: metadatas: Invalid metadata at index 0",
        ),
        (
            {"metadatas": [{"k": 1}, {"$k": 1}]},
            "Validation error: metadatas: Invalid metadata at index 1",
        ),
    ],
    ids=case_name,
)
def test_the_engine_refuses(collection: Any, operation: str, arguments: dict, message: str) -> None:
    complete = {"ids": ["a", "b"], "embeddings": TWO} | arguments
    check(collection, operation, complete, InvalidArgumentError, message)


@pytest.mark.parametrize("operation", ["add", "update", "upsert"])
@pytest.mark.parametrize(
    "value",
    [2**63, -(2**63) - 1, [1, 2**63], float("nan"), float("inf"), [1.0, float("-inf")]],
    ids=repr,
)
def test_a_metadata_value_that_cannot_be_stored_is_refused_by_its_key(
    collection: Any, operation: str, value: object
) -> None:
    with pytest.raises(InvalidArgumentError, match="culprit"):
        getattr(collection, operation)(ids="b", embeddings=ONE, metadatas={"culprit": value})
    assert collection.count() == 0


def test_none_is_no_metadata_value_of_a_new_record(collection: Any) -> None:
    check(
        collection,
        "add",
        {"ids": ["b"], "embeddings": ONE, "metadatas": {"k": None}},
        TypeError,
        "argument 'metadatas': Cannot convert Python object to MetadataValue",
    )


def test_a_uri_is_a_str(collection: Any) -> None:
    check(
        collection,
        "add",
        {"ids": ["b"], "embeddings": ONE, "uris": [5]},
        TypeError,
        "argument 'uris': 'int' object cannot be converted to 'PyString'",
    )


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("add", {}, ONE_SOURCE.format("documents, images, uris")),
        ("add", {"metadatas": {"k": 1}}, ONE_SOURCE.format("documents, images, uris")),
        (
            "add",
            {"documents": ["x"], "images": [IMAGE]},
            ONE_SOURCE.format("documents, images, uris"),
        ),
        ("add", {"documents": "x", "uris": "u"}, ONE_SOURCE.format("documents, images, uris")),
        ("add", {"uris": ["u"]}, NO_LOADER),
        ("add", {"documents": [None]}, "Expected document to be a str, got None"),
        ("add", {"documents": []}, "Non-empty lists are required for ['documents']"),
        ("upsert", {}, ONE_SOURCE.format("documents, images")),
        ("upsert", {"uris": ["u"]}, ONE_SOURCE.format("documents, images")),
        ("upsert", {"documents": ["x"], "images": [IMAGE]}, ONE_SOURCE.format("documents, images")),
        ("update", {"documents": ["x"], "images": [IMAGE]}, ONE_SOURCE.format("documents, images")),
    ],
    ids=case_name,
)
def test_a_write_without_embeddings_refuses(
    collection: Any, operation: str, arguments: dict, message: str
) -> None:
    complete = {"ids": ["b"]} | arguments
    check(collection, operation, complete, ValueError, f"{message} in {operation}.")


def test_a_message_does_not_drown_in_the_value_it_shows(collection: Any) -> None:
    with pytest.raises(ValueError, match=r"got \['x', .*in add\.$") as caught:
        collection.add(ids="a", embeddings=["x"] * 1_000_000)
    assert len(str(caught.value)) < 2000
