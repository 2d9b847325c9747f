"""What reads and deletions refuse, they refuse with upstream's class and in upstream's words.

As for writes: each row is a call, the class of the error and its whole message, and the collection
holds afterwards what it held before.
"""

from __future__ import annotations

from typing import Any

import pytest
from refusals import IMAGE, NO_LOADER, ONE, ONE_SOURCE, case_name, check

from chromadb.errors import DuplicateIDError, InvalidArgumentError

WHERE_OPERATORS = "$gt, $gte, $lt, $lte, $ne, $eq, $in, $nin, $contains, $not_contains"
TEXT_OPERATORS = "$contains, $not_contains, $regex, $not_regex, $and, $or"
MIXED_OPERAND = (
    "Expected where operand value to be a non-empty list, and all values to be of the same type "
    "got {}"
)
INCLUDE_ITEMS = "documents, embeddings, metadatas, distances, uris, data"
OUT_OF_RANGE = "out of range integral type conversion attempted"


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
