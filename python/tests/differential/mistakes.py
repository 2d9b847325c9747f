"""Calls that are wrong in one way each. What they must raise is what upstream raised.

Each function takes a source of randomness and the collection's dimension, and returns the method
and its arguments. Methods in CLIENT_METHODS belong to the client, the rest to a collection.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

CLIENT_METHODS = {
    "create_collection",
    "get_or_create_collection",
    "get_collection",
    "delete_collection",
    "list_collections",
    "set_tenant",
    "set_database",
}

Mistake = tuple[str, dict[str, Any]]
NAN, INFINITY = float("nan"), float("inf")


def wrong_ids(random: Random, dimension: int) -> Mistake:
    row = [0.5] * dimension
    write = random.choice(["add", "upsert", "update"])
    ids, count = random.choice(
        [
            ([], 0),
            ([1], 1),
            (["a", None], 2),
            (["a", "a"], 2),
            (["a", "b", "a", "b"], 4),
            ([f"d{i}" for i in range(11)] * 2, 22),
            (("a", "b"), 2),
            (None, 1),
            (5, 1),
            ([["a"]], 1),
            ([b"a"], 1),
        ]
    )
    return write, {"ids": ids, "embeddings": [row] * count}


def wrong_ids_read(random: Random, dimension: int) -> Mistake:
    method = random.choice(["get", "delete", "query"])
    ids = random.choice([[], [1], ["a", "a"], ("a", "b"), [None], 5, [["a"]], [""]])
    arguments: dict[str, Any] = {"ids": ids}
    if method == "query":
        arguments["query_embeddings"] = [[0.5] * dimension]
        arguments["where"] = {"absent": {"$ne": 1}}
    return method, arguments


def wrong_embeddings(random: Random, dimension: int) -> Mistake:
    write = random.choice(["add", "upsert", "update"])
    good = [0.5] * dimension
    embeddings = random.choice(
        [
            [],
            [[]],
            [good, good],
            [good + [0.5]],
            [good, good + [1.0]],
            [[0.5] * (dimension + 3)],
            [[NAN] * dimension],
            [[INFINITY] + good[1:]],
            [[-INFINITY] + good[1:]],
            [[1e39] + good[1:]],
            [["a"] * dimension],
            [[None] * dimension],
            [[True] * dimension],
            "text",
            5,
            [5],
            None,
            [None],
            {"a": 1},
            [good, None],
            np.zeros((1, 1, dimension)),
            np.zeros((1, dimension), dtype=np.int8),
            np.zeros((1, dimension), dtype=np.uint8),
            np.zeros((1, dimension), dtype=np.bool_),
            np.zeros((0, dimension)),
            np.zeros((1, dimension + 1), dtype=np.float32),
            np.full((1, dimension), NAN, dtype=np.float32),
        ]
    )
    return write, {"ids": ["r0"], "embeddings": embeddings}


def wrong_documents(random: Random, dimension: int) -> Mistake:
    write = random.choice(["add", "upsert", "update"])
    documents = random.choice([[5], ["a", "b"], [], 5, [["a"]], [b"a"], [None, None], ("a",)])
    key = random.choice(["documents", "documents", "uris"])
    return write, {"ids": ["r0"], "embeddings": [[0.5] * dimension], key: documents}


def wrong_metadatas(random: Random, dimension: int) -> Mistake:
    write = random.choice(["add", "upsert", "update"])
    metadatas = random.choice(
        [
            [{}],
            [],
            {},
            [{"a": 1}, {"a": 2}],
            [{"a": {"b": 1}}],
            [{"a": (1, 2)}],
            [{"a": b"x"}],
            [{"a": []}],
            [{"a": [1, "x"]}],
            [{"a": [1, 2.5]}],
            [{"a": [True, 1]}],
            [{"a": [None]}],
            [{"a": [[1]]}],
            [{1: 1}],
            [{"": 1}],
            [{"#a": 1}],
            [{"$a": 1}],
            [{"a#": 1, "$": 2}],
            [{"chroma:document": "x"}],
            [5],
            "text",
            5,
            [{"a": np.float32(1.5)}],
            [{"a": np.int64(1)}],
        ]
    )
    return write, {"ids": ["r0"], "embeddings": [[0.5] * dimension], "metadatas": metadatas}


def missing_data(random: Random, dimension: int) -> Mistake:
    return random.choice(
        [
            ("add", {"ids": ["a"]}),
            ("upsert", {"ids": ["a"]}),
            ("update", {"ids": ["a"]}),
            ("add", {"ids": ["a"], "metadatas": [{"a": 1}]}),
            ("add", {"ids": ["a"], "uris": ["u"]}),
            ("upsert", {"ids": ["a"], "uris": ["u"]}),
            ("query", {}),
            ("query", {"n_results": 1}),
            ("delete", {}),
            ("delete", {"limit": 1}),
            ("delete", {"ids": ["a"], "limit": 1}),
        ]
    )


def wrong_where(random: Random, dimension: int) -> Mistake:
    method = random.choice(["get", "get", "delete", "query"])
    where = random.choice(
        [
            {},
            {"a": 1, "b": 2},
            {"a": {}},
            {"a": {"$gt": 1, "$lt": 2}},
            {"a": {"$foo": 1}},
            {"a": {"$gt": "x"}},
            {"a": {"$lte": True}},
            {"a": {"$gt": None}},
            {"a": {"$in": []}},
            {"a": {"$in": "a"}},
            {"a": {"$in": [1, "x"]}},
            {"a": {"$in": [1, 2.5]}},
            {"a": {"$nin": [True, 1]}},
            {"a": {"$in": [[1]]}},
            {"a": {"$eq": [1]}},
            {"a": {"$eq": None}},
            {"a": {"$ne": {"b": 1}}},
            {"a": {"$contains": ["q"]}},
            {"a": {"$not_contains": None}},
            {"a": [1]},
            {"a": None},
            {"a": (1,)},
            {1: 1},
            {"$foo": 1},
            {"$contains": "a"},
            {"$and": []},
            {"$and": [{"a": 1}]},
            {"$or": {"a": 1}},
            {"$or": [{"a": 1}, {}]},
            {"$and": [{"a": 1}, 5]},
            {"$and": [{"a": 1}, {"a": {"$foo": 1}}]},
            {"a": 2**63},
            {"a": {"$gt": -(2**63) - 1}},
            {"#document": "x"},
            {"#document": {"$regex": "x"}},
            {"#id": "r0"},
            "text",
            5,
            [],
        ]
    )
    return method, with_query(method, dimension, where=where)


def wrong_where_document(random: Random, dimension: int) -> Mistake:
    method = random.choice(["get", "get", "delete", "query"])
    where_document = random.choice(
        [
            {},
            {"$contains": "a", "$regex": "b"},
            {"$contains": ""},
            {"$not_contains": ""},
            {"$regex": ""},
            {"$not_regex": ""},
            {"$contains": 1},
            {"$contains": None},
            {"$contains": ["a"]},
            {"$regex": 1},
            {"$foo": "a"},
            {"a": "b"},
            {1: "a"},
            {"$and": []},
            {"$and": [{"$contains": "a"}]},
            {"$or": {"$contains": "a"}},
            {"$or": [{"$contains": "a"}, {}]},
            {"$and": [{"$contains": "a"}, 5]},
            {"$and": "a"},
            {"$regex": "["},
            {"$regex": "(?=a)"},
            {"$regex": r"(a)\1"},
            {"$regex": "a{2,1}"},
            {"$not_regex": "(a"},
            "text",
            5,
            [],
        ]
    )
    return method, with_query(method, dimension, where_document=where_document)


def wrong_numbers(random: Random, dimension: int) -> Mistake:
    vector = [0.5] * dimension
    return random.choice(
        [
            ("get", {"limit": -1}),
            ("get", {"offset": -1}),
            ("get", {"limit": 2**32}),
            ("get", {"limit": 1.5}),
            ("get", {"limit": "1"}),
            ("get", {"offset": [1]}),
            ("get", {"limit": True}),
            ("peek", {"limit": -1}),
            ("peek", {"limit": 1.5}),
            ("query", {"query_embeddings": [vector], "n_results": 0}),
            ("query", {"query_embeddings": [vector], "n_results": -1}),
            ("query", {"query_embeddings": [vector], "n_results": 1.5}),
            ("query", {"query_embeddings": [vector], "n_results": "1"}),
            ("query", {"query_embeddings": [vector], "n_results": None}),
            ("query", {"query_embeddings": [vector], "n_results": True}),
            ("query", {"query_embeddings": [vector], "n_results": 2**32}),
            ("delete", {"where": {"a": 1}, "limit": -1}),
            ("delete", {"where": {"a": 1}, "limit": True}),
            ("delete", {"where": {"a": 1}, "limit": 1.5}),
            ("delete", {"where": {"a": 1}, "limit": "1"}),
        ]
    )


def wrong_query_embeddings(random: Random, dimension: int) -> Mistake:
    good = [0.5] * dimension
    embeddings = random.choice(
        [
            [],
            [[]],
            [good + [1.0]],
            [good, good + [1.0]],
            ["a"],
            "a",
            5,
            [None],
            [[None] * dimension],
            [[True] * dimension],
            np.zeros((1, 1, dimension)),
            np.zeros((1, dimension), dtype=np.int8),
        ]
    )
    return "query", {"query_embeddings": embeddings}


def wrong_include(random: Random, dimension: int) -> Mistake:
    method = random.choice(["get", "query"])
    include = random.choice(
        [
            "documents",
            ["data"],
            ["foo"],
            [1],
            ("documents",),
            None,
            ["distances"],
            ["ids"],
            {"documents": 1},
        ]
    )
    if method == "query" and include in (["distances"], ["data"]):
        include = ["Distances"]  # The others are right in a query.
    return method, with_query(method, dimension, include=include)


def wrong_collection(random: Random, dimension: int) -> Mistake:
    name = random.choice(
        ["", "a", "ab", "-abc", "abc-", "a b c", "a..b", "1.2.3.4", "::1", "a/b/c", "x" * 513]
        + ["caf\u00e9", "abc_", "a+b+c", "a+bcd", "abc+", "\U0001f600abc", "a\x00bc", 5, None]
    )
    method = random.choice(["create_collection", "get_or_create_collection", "get_collection"])
    return method, {"name": name, "embedding_function": None}


def wrong_configuration(random: Random, dimension: int) -> Mistake:
    extra = random.choice(
        [
            {"configuration": {"hnsw": {"space": "foo"}}},
            {"configuration": {"hnsw": {"foo": 1}}},
            {"configuration": {"hnsw": {"ef_search": -1}}},
            {"configuration": {"hnsw": {"ef_search": "x"}}},
            {"configuration": {"hnsw": {"space": "l2"}, "spann": {"space": "l2"}}},
            {"metadata": {}},
            {"metadata": {"": 1}},
            {"metadata": {"#a": 1}},
            {"metadata": {"$a": 1}},
            {"metadata": {"a": None}},
            {"metadata": {"a": {"b": 1}}},
            {"metadata": {"a": b"x"}},
            {"metadata": {1: 1}},
            {"metadata": 5},
            {"metadata": {"hnsw:foo": 1}},
            {"metadata": {"hnsw:space": "foo"}},
            {"metadata": {"hnsw:M": 8.0}},
            {"metadata": {"hnsw:space": 1}},
        ]
    )
    return "create_collection", {"name": "misconfigured", "embedding_function": None, **extra}


def wrong_modify(random: Random, dimension: int) -> Mistake:
    return "modify", random.choice(
        [
            {"name": "a"},
            {"name": "a..b"},
            {"name": 5},
            {"metadata": {}},
            {"metadata": {"a": {"b": 1}}},
            {"metadata": {"": 1}},
            {"metadata": {"#a": 1}},
            {"metadata": {"hnsw:space": "ip"}},
            {"metadata": 5},
            {"configuration": {"hnsw": {"space": "ip"}}},
            {"configuration": {"hnsw": {"ef_search": -1}}},
            {"configuration": {"spann": {"ef_search": 1}}},
            {},
        ]
    )


def missing_names(random: Random, dimension: int) -> Mistake:
    return random.choice(
        [
            ("delete_collection", {"name": "nobody"}),
            ("delete_collection", {"name": ""}),
            ("delete_collection", {"name": 5}),
            ("get_collection", {"name": "nobody", "embedding_function": None}),
            ("set_tenant", {"tenant": "nobody"}),
            ("set_database", {"database": "nobody"}),
            ("set_database", {"database": "x"}),
            ("list_collections", {"limit": -1}),
            ("list_collections", {"limit": 0}),
            ("list_collections", {"offset": -1}),
            ("list_collections", {"limit": "1"}),
        ]
    )


def with_query(method: str, dimension: int, **arguments: Any) -> dict[str, Any]:
    if method == "query":
        arguments["query_embeddings"] = [[0.5] * dimension]
    return arguments


ALL: list[Callable[[Random, int], Mistake]] = [
    wrong_ids,
    wrong_ids_read,
    wrong_embeddings,
    wrong_documents,
    wrong_metadatas,
    missing_data,
    wrong_where,
    wrong_where_document,
    wrong_numbers,
    wrong_query_embeddings,
    wrong_include,
    wrong_collection,
    wrong_configuration,
    wrong_modify,
    missing_names,
]
