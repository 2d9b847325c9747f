"""What a collection refuses, it refuses with upstream's class and in upstream's words.

Each row is a call on a collection of three dimensions that holds the record "a", the class of the
error and its whole message. Afterwards the collection holds what it held before.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from chromadb.errors import DuplicateIDError, InvalidArgumentError

ONE = [[1.0, 2.0, 3.0]]
TWO = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
IMAGE = np.zeros((2, 2))

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
ONE_SOURCE = "Exactly one of {} must be provided"
NO_LOADER = "You must set a data loader on the collection if loading from URIs."
WHERE_OPERATORS = "$gt, $gte, $lt, $lte, $ne, $eq, $in, $nin, $contains, $not_contains"
TEXT_OPERATORS = "$contains, $not_contains, $regex, $not_regex, $and, $or"
MIXED_OPERAND = (
    "Expected where operand value to be a non-empty list, and all values to be of the same type "
    "got {}"
)
INCLUDE_ITEMS = "documents, embeddings, metadatas, distances, uris, data"
OUT_OF_RANGE = "out of range integral type conversion attempted"


def check(collection: Any, operation: str, arguments: dict, error: type, message: str) -> None:
    collection.add(ids="a", embeddings=ONE, metadatas={"n": 1})
    before = collection.get(include=["metadatas", "documents", "uris", "embeddings"])
    with pytest.raises(error) as caught:
        getattr(collection, operation)(**arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message
    after = collection.get(include=["metadatas", "documents", "uris", "embeddings"])
    np.testing.assert_array_equal(before.pop("embeddings"), after.pop("embeddings"))
    assert before == after


def case_name(value: object) -> str | None:
    return repr(value)[:60] if isinstance(value, dict) else None


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


# ---- Filters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["get", "query", "delete"])
@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("x", "Expected where to be a dict, got x"),
        ({}, "Expected where to have exactly one operator, got {}"),
        (
            {"k": 1, "n": 2},
            "Expected where to have exactly one operator, got {'k': 1, 'n': 2}",
        ),
        ({1: 1}, "Expected where key to be a str, got 1"),
        (
            {"k": None},
            "Expected where value to be a str, int, float, or operator expression, got None",
        ),
        (
            {"k": [1]},
            "Expected where value to be a str, int, float, or operator expression, got [1]",
        ),
        ({"k": {}}, "Expected operator expression to have exactly one operator, got {}"),
        (
            {"k": {"$gt": 1, "$lt": 3}},
            "Expected operator expression to have exactly one operator, got {'$gt': 1, '$lt': 3}",
        ),
        (
            {"k": {"$foo": 1}},
            f"Expected where operator to be one of {WHERE_OPERATORS}, got $foo",
        ),
        (
            {"k": {"$regex": "x"}},
            f"Expected where operator to be one of {WHERE_OPERATORS}, got $regex",
        ),
        (
            {"$not": {"k": 1}},
            f"Expected where operator to be one of {WHERE_OPERATORS}, got k",
        ),
        (
            {"k": {"$gt": "x"}},
            "Expected operand value to be an int or a float for operator $gt, got x",
        ),
        (
            {"k": {"$lte": None}},
            "Expected operand value to be an int or a float for operator $lte, got None",
        ),
        (
            {"k": {"$in": "a"}},
            "Expected operand value to be an list for operator $in, got a",
        ),
        (
            {"k": {"$nin": (1, 2)}},
            "Expected operand value to be an list for operator $nin, got (1, 2)",
        ),
        ({"k": {"$in": []}}, MIXED_OPERAND.format("[]")),
        ({"k": {"$in": [1, "x"]}}, MIXED_OPERAND.format("[1, 'x']")),
        ({"k": {"$in": [1, 2.5]}}, MIXED_OPERAND.format("[1, 2.5]")),
        ({"k": {"$in": [True, 1]}}, MIXED_OPERAND.format("[True, 1]")),
        ({"k": {"$eq": []}}, MIXED_OPERAND.format("[]")),
        (
            {"k": {"$contains": ["q"]}},
            "Expected operand value to be a str, int, float, or bool for operator $contains, "
            "got ['q']",
        ),
        (
            {"k": {"$not_contains": None}},
            "Expected operand value to be a str, int, float, or bool for operator $not_contains, "
            "got None",
        ),
        (
            {"k": {"$eq": None}},
            "Expected where operand value to be a str, int, float, bool, or list of those type, "
            "got None",
        ),
        (
            {"k": {"$ne": {}}},
            "Expected where operand value to be a str, int, float, bool, or list of those type, "
            "got {}",
        ),
        (
            {"$contains": "x"},
            "Expected where key to be a metadata field name or a logical operator ($and, $or), "
            "got $contains",
        ),
        (
            {"$and": [{"k": 1}]},
            "Expected where value for $and or $or to be a list with at least two where "
            "expressions, got [{'k': 1}]",
        ),
        (
            {"$or": []},
            "Expected where value for $and or $or to be a list with at least two where "
            "expressions, got []",
        ),
        (
            {"$and": {"k": 1}},
            "Expected where value for $and or $or to be a list of where expressions, got {'k': 1}",
        ),
        (
            {"$and": [{"k": 1}, {}]},
            "Expected where to have exactly one operator, got {}",
        ),
        ({"$or": [{"k": 1}, "x"]}, "Expected where to be a dict, got x"),
    ],
    ids=case_name,
)
def test_a_metadata_filter_is_refused(
    collection: Any, operation: str, where: Any, message: str
) -> None:
    arguments = {"where": where} | ({"query_embeddings": ONE} if operation == "query" else {})
    check(collection, operation, arguments, ValueError, f"{message} in {operation}.")


@pytest.mark.parametrize("operation", ["get", "query", "delete"])
@pytest.mark.parametrize(
    "where",
    [
        {"k": {"$gt": True}},
        {"k": {"$eq": [1]}},
        {"k": {"$ne": [1]}},
        {"k": {"$in": [None, None]}},
        {"k": {"$in": [[1]]}},
        {"k": 2**63},
        {"k": float("nan")},
        {"k": {"$gt": float("inf")}},
        {"$eq": "x"},
    ],
    ids=repr,
)
def test_the_engine_refuses_a_metadata_filter(collection: Any, operation: str, where: Any) -> None:
    arguments = {"where": where} | ({"query_embeddings": ONE} if operation == "query" else {})
    check(collection, operation, arguments, InvalidArgumentError, "Invalid where clause")


def test_the_document_is_not_compared_as_a_metadata_value(collection: Any) -> None:
    check(
        collection,
        "get",
        {"where": {"#document": "x"}},
        InvalidArgumentError,
        "Cannot filter using metadata key '#document' with type 'Str' because indexing is disabled",
    )


@pytest.mark.parametrize("operation", ["get", "query", "delete"])
@pytest.mark.parametrize(
    ("where_document", "message"),
    [
        ("x", "Expected where document to be a dictionary, got x"),
        ({}, "Expected where document to have exactly one operator, got {}"),
        (
            {"$contains": "a", "$regex": "b"},
            "Expected where document to have exactly one operator, got "
            "{'$contains': 'a', '$regex': 'b'}",
        ),
        (
            {"$foo": "a"},
            f"Expected where document operator to be one of {TEXT_OPERATORS}, got $foo",
        ),
        (
            {"$contains": ""},
            "Expected where document operand value for operator $contains to be a non-empty str",
        ),
        (
            {"$regex": ""},
            "Expected where document operand value for operator $regex to be a non-empty str",
        ),
        (
            {"$contains": 1},
            "Expected where document operand value for operator $contains to be a str, got 1",
        ),
        (
            {"$not_regex": ["a"]},
            "Expected where document operand value for operator $not_regex to be a str, got ['a']",
        ),
        (
            {"$and": [{"$contains": "a"}]},
            "Expected document value for $and or $or to be a list with at least two where document "
            "expressions, got [{'$contains': 'a'}]",
        ),
        (
            {"$or": "x"},
            "Expected document value for $and or $or to be a list of where document expressions, "
            "got x",
        ),
        (
            {"$and": [{"$contains": "a"}, {}]},
            "Expected where document to have exactly one operator, got {}",
        ),
        (
            {"$or": [{"$contains": "a"}, 5]},
            "Expected where document to be a dictionary, got 5",
        ),
    ],
    ids=case_name,
)
def test_a_document_filter_is_refused(
    collection: Any, operation: str, where_document: Any, message: str
) -> None:
    arguments = {"where_document": where_document}
    arguments |= {"query_embeddings": ONE} if operation == "query" else {}
    check(collection, operation, arguments, ValueError, f"{message} in {operation}.")


def test_a_pattern_that_does_not_parse_is_refused(collection: Any) -> None:
    check(
        collection,
        "get",
        {"where_document": {"$regex": "["}},
        InvalidArgumentError,
        "Regex syntax errror: regex parse error:\n    [\n    ^\nerror: unclosed character class",
    )


# ---- Reads and deletions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ids": []}, ValueError, "Expected IDs to be a non-empty list, got 0 IDs in get."),
        ({"ids": 5}, ValueError, "Expected ID to be a str, got 5 in get."),
        ({"ids": ("a", "b")}, ValueError, "Expected ID to be a str, got ('a', 'b') in get."),
        (
            {"ids": ["x", "x"]},
            DuplicateIDError,
            "Expected IDs to be unique, found duplicates of: x in get.",
        ),
        ({"limit": -1}, OverflowError, OUT_OF_RANGE),
        ({"limit": 2**32}, OverflowError, OUT_OF_RANGE),
        ({"offset": -1}, OverflowError, OUT_OF_RANGE),
        ({"offset": 2**32}, OverflowError, OUT_OF_RANGE),
        (
            {"limit": "a"},
            TypeError,
            "argument 'limit': 'str' object cannot be interpreted as an integer",
        ),
        (
            {"limit": 1.5},
            TypeError,
            "argument 'limit': 'float' object cannot be interpreted as an integer",
        ),
        (
            {"include": ["foo"]},
            ValueError,
            f"Expected include item to be one of {INCLUDE_ITEMS}, got foo in get.",
        ),
        (
            {"include": "documents"},
            ValueError,
            "Expected include to be a list, got documents in get.",
        ),
        ({"include": None}, ValueError, "Expected include to be a list, got None in get."),
        ({"include": [5]}, ValueError, "Expected include item to be a str, got 5 in get."),
        (
            {"include": ["distances"]},
            ValueError,
            "Include item cannot be one of distances, got distances in get.",
        ),
        ({"include": ["data"]}, ValueError, f"{NO_LOADER} in get."),
    ],
    ids=case_name,
)
def test_get_refuses(collection: Any, arguments: dict, error: type, message: str) -> None:
    check(collection, "get", arguments, error, message)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"n_results": 0},
            TypeError,
            "Number of requested results 0, cannot be negative, or zero. in query.",
        ),
        (
            {"n_results": -1},
            TypeError,
            "Number of requested results -1, cannot be negative, or zero. in query.",
        ),
        (
            {"n_results": 1.5},
            ValueError,
            "Expected requested number of results to be a int, got 1.5 in query.",
        ),
        (
            {"n_results": None},
            ValueError,
            "Expected requested number of results to be a int, got None in query.",
        ),
        ({"n_results": 2**32}, OverflowError, OUT_OF_RANGE),
        (
            {"include": ["foo"]},
            ValueError,
            f"Expected include item to be one of {INCLUDE_ITEMS}, got foo in query.",
        ),
        ({"include": None}, ValueError, "Expected include to be a list, got None in query."),
        (
            {"query_embeddings": []},
            ValueError,
            "Expected Embeddings to be non-empty list or numpy array, got [] in query.",
        ),
        ({"query_embeddings": [[]]}, IndexError, "list index out of range in query."),
        (
            {"query_embeddings": [[1.0, 2.0]]},
            InvalidArgumentError,
            "Collection expecting embedding with dimension of 3, got 2",
        ),
        (
            {"query_embeddings": [[1.0, 2.0, 3.0], [1.0, 2.0]]},
            InvalidArgumentError,
            "Inconsistent dimensions in provided embeddings",
        ),
        (
            {"query_embeddings": None},
            ValueError,
            "At least one of one of embeddings, documents, images, uris must be provided in query.",
        ),
        (
            {"query_embeddings": None, "query_texts": []},
            ValueError,
            "Non-empty lists are required for ['documents'] in query.",
        ),
        (
            {"query_embeddings": None, "query_texts": [5]},
            ValueError,
            "Expected document to be a str, got 5 in query.",
        ),
        (
            {"query_embeddings": None, "query_images": [5]},
            ValueError,
            "Expected image to be a numpy array, got 5 in query.",
        ),
        ({"query_embeddings": None, "query_uris": ["u"]}, ValueError, f"{NO_LOADER} in query."),
        (
            {"query_embeddings": None, "query_texts": ["x"], "query_images": [IMAGE]},
            ValueError,
            ONE_SOURCE.format("documents, images, uris") + " in query.",
        ),
        (
            {"ids": [5]},
            TypeError,
            "argument 'ids': 'int' object cannot be converted to 'PyString'",
        ),
    ],
    ids=case_name,
)
def test_query_refuses(collection: Any, arguments: dict, error: type, message: str) -> None:
    check(collection, "query", {"query_embeddings": ONE} | arguments, error, message)


LIMIT_NEEDS_FILTER = "limit can only be specified when a where or where_document clause is provided"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "At least one of ids, where, or where_document must be provided"),
        (
            {"limit": 1},
            ValueError,
            "At least one of ids, where, or where_document must be provided",
        ),
        ({"ids": []}, ValueError, "Expected IDs to be a non-empty list, got 0 IDs"),
        ({"ids": [5]}, ValueError, "Expected ID to be a str, got 5"),
        (
            {"ids": ["a", "a"]},
            DuplicateIDError,
            "Expected IDs to be unique, found duplicates of: a",
        ),
        ({"ids": ["a"], "limit": 1}, ValueError, LIMIT_NEEDS_FILTER),
        ({"where": {"n": 1}, "limit": -1}, ValueError, "limit must be a non-negative integer"),
        ({"where": {"n": 1}, "limit": True}, TypeError, "limit must be a non-negative integer"),
        ({"where": {"n": 1}, "limit": 1.5}, TypeError, "limit must be a non-negative integer"),
    ],
    ids=case_name,
)
def test_delete_refuses(collection: Any, arguments: dict, error: type, message: str) -> None:
    check(collection, "delete", arguments, error, f"{message} in delete.")


def test_a_message_does_not_drown_in_the_value_it_shows(collection: Any) -> None:
    with pytest.raises(ValueError, match=r"got \['x', .*in add\.$") as caught:
        collection.add(ids="a", embeddings=["x"] * 1_000_000)
    assert len(str(caught.value)) < 2000
