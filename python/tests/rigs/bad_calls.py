"""Calls with arguments that nobody should pass, made one after the other in one process.

    python bad_calls.py DIRECTORY

The directory holds the collection "intact" of three records. For each call a line {"call": name}
comes before it and a line {"raises": class, "message": text} or {"returns": text} after it, so that
a crash is known by the call that caused it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import chromadb

SURROGATE = "\ud800"
RECORDS = {
    "ids": ["a", "b", "c"],
    "embeddings": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    "documents": ["one", "two", "three"],
    "metadatas": [{"n": 1}, {"n": 2}, {"n": 3}],
}
VECTOR = [[1.0, 0.0]]


class Liar(str):
    """A string that says it is empty, and equal to nothing."""

    def __len__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


class Explosive(dict):
    """A dictionary that breaks when it is looked into."""

    def items(self):
        raise RuntimeError("broken on purpose")

    __iter__ = keys = values = items


def nested_filter(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"n": 1}
    for _ in range(levels):
        where = {"$and": [where, {"n": 1}]}
    return where


def nested_document_filter(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"$contains": "o"}
    for _ in range(levels):
        where = {"$or": [where, {"$contains": "o"}]}
    return where


def cyclic_filter() -> dict[str, Any]:
    where: dict[str, Any] = {}
    where["$and"] = [where, where]
    return where


def nested_list(levels: int) -> list:
    inner: list = [1.0]
    for _ in range(levels):
        inner = [inner]
    return inner


def shrinking_ids() -> list[Any]:
    """A list whose element empties the list when it is hashed."""
    ids: list[Any] = ["a", "b"]

    class Shrinker(str):
        def __hash__(self) -> int:
            ids.clear()
            return 1

    ids.append(Shrinker("c"))
    return ids


Collection = Any
CALLS: dict[str, Callable[[Collection], Any]] = {
    # ---- Text that is not Unicode ----
    "surrogate in an id": lambda c: c.add(ids=[SURROGATE], embeddings=VECTOR),
    "surrogate in a document": lambda c: c.add(ids=["x"], embeddings=VECTOR, documents=[SURROGATE]),
    "surrogate in a uri": lambda c: c.add(ids=["x"], embeddings=VECTOR, uris=[SURROGATE]),
    "surrogate in a metadata key": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{SURROGATE: 1}]
    ),
    "surrogate in a metadata value": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{"k": SURROGATE}]
    ),
    "surrogate in a list value": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{"k": ["a", SURROGATE]}]
    ),
    "surrogate in get ids": lambda c: c.get(ids=[SURROGATE]),
    "surrogate in delete ids": lambda c: c.delete(ids=[SURROGATE]),
    "surrogate in a filter": lambda c: c.get(where={"k": SURROGATE}),
    "surrogate in a filter key": lambda c: c.get(where={SURROGATE: 1}),
    "surrogate in a document filter": lambda c: c.get(where_document={"$contains": SURROGATE}),
    "surrogate in a pattern": lambda c: c.get(where_document={"$regex": SURROGATE}),
    "surrogate in a new name": lambda c: c.modify(name=SURROGATE * 5),
    # ---- Numbers ----
    "NaN in a vector": lambda c: c.add(ids=["x"], embeddings=[[float("nan"), 1.0]]),
    "infinity in a vector": lambda c: c.add(ids=["x"], embeddings=[[float("inf"), 1.0]]),
    "beyond float32": lambda c: c.add(ids=["x"], embeddings=[[1e300, 1.0]]),
    "NaN in an array": lambda c: c.upsert(
        ids=["x"], embeddings=np.array([[np.nan, 1]], dtype=np.float32)
    ),
    "NaN in a query": lambda c: c.query(query_embeddings=[[float("nan"), 1.0]]),
    "integer beyond 64 bits": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{"k": 2**64}]
    ),
    "a huge integer": lambda c: c.add(ids=["x"], embeddings=VECTOR, metadatas=[{"k": 10**5000}]),
    "integer below 64 bits": lambda c: c.update(ids=["a"], metadatas=[{"k": -(2**63) - 1}]),
    "NaN in metadata": lambda c: c.update(ids=["a"], metadatas=[{"k": float("nan")}]),
    "infinity in metadata": lambda c: c.update(ids=["a"], metadatas=[{"k": float("-inf")}]),
    "infinity in a list": lambda c: c.update(ids=["a"], metadatas=[{"k": [1.0, float("inf")]}]),
    "integer beyond 64 bits in a filter": lambda c: c.get(where={"n": 2**70}),
    "NaN in a filter": lambda c: c.get(where={"n": {"$gt": float("nan")}}),
    "infinity in a filter": lambda c: c.get(where={"n": {"$lt": float("inf")}}),
    "n_results 0": lambda c: c.query(query_embeddings=VECTOR, n_results=0),
    "n_results 2**31": lambda c: c.query(query_embeddings=VECTOR, n_results=2**31),
    "n_results 2**32 - 1": lambda c: c.query(query_embeddings=VECTOR, n_results=2**32 - 1),
    "n_results 2**64": lambda c: c.query(query_embeddings=VECTOR, n_results=2**64),
    "limit -1": lambda c: c.get(limit=-1),
    "limit 2**32 - 1": lambda c: c.get(limit=2**32 - 1),
    "limit 2**64": lambda c: c.get(limit=2**64),
    "offset 2**32 - 1": lambda c: c.get(offset=2**32 - 1),
    "offset 2**100": lambda c: c.get(offset=2**100),
    # ---- Shapes ----
    "wrong dimension": lambda c: c.add(ids=["x"], embeddings=[[1.0, 2.0, 3.0]]),
    "wrong dimension in a query": lambda c: c.query(query_embeddings=[[1.0]]),
    "ragged vectors": lambda c: c.add(ids=["x", "y"], embeddings=[[1.0, 2.0], [1.0]]),
    "no vectors": lambda c: c.add(ids=["x"], embeddings=[]),
    "no elements": lambda c: c.add(ids=["x"], embeddings=[[]]),
    "three dimensions": lambda c: c.add(ids=["x"], embeddings=np.zeros((1, 1, 2))),
    "no dimension": lambda c: c.add(ids=["x"], embeddings=np.float32(1)),
    "lists nested 10,000 deep": lambda c: c.add(ids=["x"], embeddings=nested_list(10_000)),
    "array of objects": lambda c: c.add(ids=["x"], embeddings=np.array([[1, None]], dtype=object)),
    "array of complex numbers": lambda c: c.add(
        ids=["x"], embeddings=np.zeros((1, 2), dtype=complex)
    ),
    "array of strings": lambda c: c.add(ids=["x"], embeddings=np.array([["a", "b"]])),
    "array of records": lambda c: c.add(
        ids=["x"], embeddings=np.zeros(1, dtype=[("x", "f4"), ("y", "f4")])
    ),
    "dates": lambda c: c.add(ids=["x"], embeddings=np.zeros((1, 2), dtype="datetime64[s]")),
    "more vectors than ids": lambda c: c.add(ids=["x"], embeddings=VECTOR * 2),
    "fewer documents than ids": lambda c: c.add(
        ids=["x", "y"], embeddings=VECTOR * 2, documents=["x"]
    ),
    "a generator of ids": lambda c: c.add(ids=(i for i in ["x"]), embeddings=VECTOR),
    "ids as bytes": lambda c: c.add(ids=[b"x"], embeddings=VECTOR),
    "ids that change": lambda c: c.add(ids=shrinking_ids(), embeddings=VECTOR * 3),
    "an id that lies": lambda c: c.get(ids=[Liar("a")]),
    "no ids": lambda c: c.add(ids=[], embeddings=[]),
    "an empty id": lambda c: c.add(ids=[""], embeddings=VECTOR),
    "an id twice": lambda c: c.add(ids=["x", "x"], embeddings=VECTOR * 2),
    "metadata that breaks": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[Explosive(k=1)]
    ),
    "a filter that breaks": lambda c: c.get(where=Explosive(k=1)),
    "metadata in metadata": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{"k": {"l": 1}}]
    ),
    "empty metadata": lambda c: c.add(ids=["x"], embeddings=VECTOR, metadatas=[{}]),
    "metadata of objects": lambda c: c.add(
        ids=["x"], embeddings=VECTOR, metadatas=[{"k": object()}]
    ),
    # ---- Filters ----
    "unknown operator": lambda c: c.get(where={"n": {"$near": 1}}),
    "unknown document operator": lambda c: c.get(where_document={"$near": "x"}),
    "filter nested 200 deep": lambda c: c.get(where=nested_filter(200)),
    "filter nested 1,000 deep": lambda c: c.get(where=nested_filter(1000)),
    "filter nested 100,000 deep": lambda c: c.get(where=nested_filter(100_000)),
    "document filter nested 1,000 deep": lambda c: c.get(
        where_document=nested_document_filter(1000)
    ),
    "document filter nested 100,000 deep": lambda c: c.delete(
        where_document=nested_document_filter(100_000)
    ),
    "filter that contains itself": lambda c: c.get(where=cyclic_filter()),
    "filter of 100,000 clauses": lambda c: c.get(where={"$or": [{"n": 1}] * 100_000}),
    "$in of 300,000 values": lambda c: c.get(where={"n": {"$in": list(range(300_000))}}),
    "a pattern that is none": lambda c: c.get(where_document={"$regex": "("}),
    "a pattern of 100,000 brackets": lambda c: c.get(
        where_document={"$regex": "(" * 100_000 + ")" * 100_000}
    ),
    "a pattern that repeats repeats": lambda c: c.get(
        where_document={"$regex": "((a{1000}){1000}){1000}"}
    ),
    "a pattern that backtracks": lambda c: c.get(where_document={"$regex": "(o*)*(o*)*(o*)*x"}),
    "a pattern with a NUL": lambda c: c.get(where_document={"$regex": "o\x00"}),
    # ---- Orders, pages, distinct values ----
    "surrogate in after": lambda c: c.get(after=SURROGATE),
    "surrogate in order_by": lambda c: c.get(order_by=SURROGATE),
    "surrogate in a key": lambda c: c.distinct(SURROGATE),
    "after a record of an id that lies": lambda c: c.get(after=Liar("b")),
    "after nothing": lambda c: c.get(after="nobody", order_by="n"),
    "after as bytes": lambda c: c.get(after=b"a"),
    "order by an empty key": lambda c: c.get(order_by="", descending=True),
    "order by a key of 4 MB": lambda c: c.get(order_by="x" * 4_000_000),
    "order by a key with a NUL": lambda c: c.get(order_by="n\x00"),
    "order by a list": lambda c: c.get(order_by=["n"]),
    "descending without an order": lambda c: c.get(descending=True),
    "distinct values of no key": lambda c: c.distinct(None),
    "distinct values of a filter that breaks": lambda c: c.distinct("n", where=Explosive(k=1)),
    "distinct, limit 0": lambda c: c.distinct("n", limit=0),
    "distinct, limit -1": lambda c: c.distinct("n", limit=-1),
    "distinct, limit 2**32 - 1": lambda c: c.distinct("n", limit=2**32 - 1),
    "distinct, limit 2**64": lambda c: c.distinct("n", limit=2**64),
    "count of a filter nested 1,000 deep": lambda c: c.count(where=nested_filter(1000)),
    "count of a pattern that backtracks": lambda c: c.count(
        where_document={"$regex": "(o*)*(o*)*(o*)*x"}
    ),
    "explanation of a pattern that is none": lambda c: c.explain(where_document={"$regex": "("}),
    # ---- Size ----
    "an id of 4 MB": lambda c: c.get(ids=["x" * 4_000_000]),
    "a document of 20 MB": lambda c: c.get(where_document={"$contains": "x" * 20_000_000}),
    "100,000 ids": lambda c: c.get(ids=[str(number) for number in range(100_000)]),
    "dimension 100,000": lambda c: c.query(query_embeddings=[[0.0] * 100_000]),
    # ---- Types ----
    "include of a number": lambda c: c.get(include=[1]),
    "include unknown": lambda c: c.get(include=["everything"]),
    "where as text": lambda c: c.get(where="n = 1"),
    "limit as text": lambda c: c.get(limit="1"),
    "n_results as text": lambda c: c.query(query_embeddings=VECTOR, n_results="1"),
    "delete of nothing": lambda c: c.delete(),
    "name as number": lambda c: c.modify(name=5),
    "metadata as number": lambda c: c.modify(metadata=5),
}

#: What each call must do: the class of the error and words of its message; or None, and words of
#: what it returns.
EXPECTED: dict[str, tuple[str | None, str]] = {
    "surrogate in an id": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a document": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a uri": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a metadata key": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a metadata value": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a list value": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in get ids": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in delete ids": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a filter": ("InvalidArgumentError", "Invalid where clause"),
    "surrogate in a filter key": ("InvalidArgumentError", "Invalid where clause"),
    "surrogate in a document filter": ("InvalidArgumentError", "Invalid where document clause"),
    "surrogate in a pattern": ("InvalidArgumentError", "Invalid where document clause"),
    "surrogate in a new name": ("UnicodeEncodeError", "surrogates not allowed"),
    "NaN in a vector": ("InvalidArgumentError", "must not contain NaN or Infinity values"),
    "infinity in a vector": ("InvalidArgumentError", "must not contain NaN or Infinity values"),
    "beyond float32": ("InvalidArgumentError", "must not contain NaN or Infinity values"),
    "NaN in an array": ("InvalidArgumentError", "must not contain NaN or Infinity values"),
    "NaN in a query": ("InvalidArgumentError", "must not contain NaN or Infinity values"),
    "integer beyond 64 bits": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it does not fit into 64 bits',
    ),
    "a huge integer": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it does not fit into 64 bits',
    ),
    "integer below 64 bits": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it does not fit into 64 bits',
    ),
    "NaN in metadata": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it is not a finite number',
    ),
    "infinity in metadata": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it is not a finite number',
    ),
    "infinity in a list": (
        "InvalidArgumentError",
        'key "k" cannot be stored: it is not a finite number',
    ),
    "integer beyond 64 bits in a filter": (None, "'ids': []"),
    "NaN in a filter": ("InvalidArgumentError", "Invalid where clause"),
    "infinity in a filter": ("InvalidArgumentError", "Invalid where clause"),
    "n_results 0": ("TypeError", "cannot be negative, or zero"),
    "n_results 2**31": (None, "'ids': [['a', 'c', 'b']]"),
    "n_results 2**32 - 1": (None, "'ids': [['a', 'c', 'b']]"),
    "n_results 2**64": ("OverflowError", ""),
    "limit -1": ("OverflowError", "out of range integral type conversion attempted"),
    "limit 2**32 - 1": (None, "'ids': ['a', 'b', 'c']"),
    "limit 2**64": ("OverflowError", ""),
    "offset 2**32 - 1": (None, "'ids': []"),
    "offset 2**100": ("OverflowError", ""),
    "wrong dimension": ("InvalidArgumentError", "expecting embedding with dimension of 2, got 3"),
    "wrong dimension in a query": (
        "InvalidArgumentError",
        "expecting embedding with dimension of 2, got 1",
    ),
    "ragged vectors": ("InvalidArgumentError", "Inconsistent dimensions in provided embeddings"),
    "no vectors": ("ValueError", "Expected Embeddings to be non-empty list"),
    "no elements": ("IndexError", "list index out of range in add."),
    "three dimensions": ("ValueError", "Expected embeddings to be a list of floats or ints"),
    "no dimension": ("ValueError", "Expected embeddings to be a list of floats or ints"),
    "lists nested 10,000 deep": ("RecursionError", "maximum recursion depth exceeded"),
    "array of objects": ("ValueError", "got an embedding with object"),
    "array of complex numbers": ("ValueError", "got an embedding with complex128"),
    "array of strings": ("ValueError", "got an embedding with <U1"),
    "array of records": ("ValueError", "Expected each value in the embedding"),
    "dates": ("ValueError", "got an embedding with datetime64[s]"),
    "more vectors than ids": (
        "ValueError",
        "Unequal lengths for fields: ids: 1, embeddings: 2 in add.",
    ),
    "fewer documents than ids": (
        "ValueError",
        "Unequal lengths for fields: ids: 2, embeddings: 2, documents: 1",
    ),
    "a generator of ids": ("ValueError", "Expected ID to be a str, got <generator"),
    "ids as bytes": ("ValueError", "Expected ID to be a str, got b'x' in add."),
    "ids that change": ("DuplicateIDError", "Expected IDs to be unique"),
    "an id that lies": (None, "'ids': ['a']"),
    "no ids": ("ValueError", "Expected Embeddings to be non-empty list"),
    "an empty id": ("InvalidArgumentError", "Empty ID, ID must have at least one character"),
    "an id twice": ("DuplicateIDError", "found duplicates of: x in add."),
    "metadata that breaks": ("RuntimeError", "broken on purpose"),
    "a filter that breaks": ("RuntimeError", "broken on purpose"),
    "metadata in metadata": ("ValueError", "which is a dict in add."),
    "empty metadata": ("ValueError", "got 0 metadata attributes in add."),
    "metadata of objects": ("ValueError", "which is a object in add."),
    "unknown operator": ("ValueError", "got $near in get."),
    "unknown document operator": ("ValueError", "got $near in get."),
    "filter nested 200 deep": ("InvalidArgumentError", "Invalid where clause"),
    "filter nested 1,000 deep": ("RecursionError", "maximum recursion depth exceeded"),
    "filter nested 100,000 deep": ("RecursionError", "maximum recursion depth exceeded"),
    "document filter nested 1,000 deep": ("RecursionError", "maximum recursion depth exceeded"),
    "document filter nested 100,000 deep": ("RecursionError", "maximum recursion depth exceeded"),
    "filter that contains itself": ("RecursionError", "maximum recursion depth exceeded"),
    "filter of 100,000 clauses": (None, "'ids': ['a']"),
    "$in of 300,000 values": (None, "'ids': ['a', 'b', 'c']"),
    "a pattern that is none": ("InvalidArgumentError", "regex parse error"),
    "a pattern of 100,000 brackets": ("InvalidArgumentError", "regex parse error"),
    "a pattern that repeats repeats": (
        "InvalidArgumentError",
        "The regular expression is too large",
    ),
    "a pattern that backtracks": (None, "'ids': []"),
    "a pattern with a NUL": (None, "'ids': []"),
    "surrogate in after": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in order_by": ("UnicodeEncodeError", "surrogates not allowed"),
    "surrogate in a key": ("UnicodeEncodeError", "surrogates not allowed"),
    "after a record of an id that lies": (None, "'ids': ['c']"),
    "after nothing": ("NotFoundError", "The record 'nobody', after which to go on, does not exist"),
    "after as bytes": ("ValueError", "Expected after to be a str, got b'a' in get."),
    "order by an empty key": ("InvalidArgumentError", "The key '' is none of metadata"),
    "order by a key of 4 MB": (None, "'ids': ['a', 'b', 'c']"),
    "order by a key with a NUL": (None, "'ids': ['a', 'b', 'c']"),
    "order by a list": ("ValueError", "Expected order_by to be a str, got ['n'] in get."),
    "descending without an order": ("ValueError", "can only be specified when order_by is provid"),
    "distinct values of no key": ("ValueError", "Expected key to be a str, got None in distinct."),
    "distinct values of a filter that breaks": ("RuntimeError", "broken on purpose"),
    "distinct, limit 0": (None, "{'values': [], 'counts': []}"),
    "distinct, limit -1": ("ValueError", "Expected limit to be a non-negative integer, got -1"),
    "distinct, limit 2**32 - 1": (None, "{'values': [1, 2, 3], 'counts': [1, 1, 1]}"),
    "distinct, limit 2**64": ("OverflowError", ""),
    "count of a filter nested 1,000 deep": (
        "RecursionError",
        "maximum recursion depth exceeded",
    ),
    "count of a pattern that backtracks": (None, "0"),
    "explanation of a pattern that is none": ("InvalidArgumentError", "regex parse error"),
    "an id of 4 MB": (None, "'ids': []"),
    "a document of 20 MB": (None, "'ids': []"),
    "100,000 ids": (None, "'ids': []"),
    "dimension 100,000": (
        "InvalidArgumentError",
        "expecting embedding with dimension of 2, got 100000",
    ),
    "include of a number": ("ValueError", "Expected include item to be a str, got 1 in get."),
    "include unknown": ("ValueError", "got everything in get."),
    "where as text": ("ValueError", "Expected where to be a dict, got n = 1 in get."),
    "limit as text": ("TypeError", "'str' object cannot be interpreted as an integer"),
    "n_results as text": (
        "ValueError",
        "Expected requested number of results to be a int, got 1 in query.",
    ),
    "delete of nothing": (
        "ValueError",
        "At least one of ids, where, or where_document must be provided",
    ),
    "name as number": (
        "TypeError",
        "argument 'new_name': 'int' object cannot be converted to 'PyString'",
    ),
    "metadata as number": ("ValueError", "Expected metadata to be a dict"),
}


def main(directory: str) -> None:
    client = chromadb.PersistentClient(directory)
    collection = client.get_collection("intact", embedding_function=None)
    for name, call in CALLS.items():
        print(json.dumps({"call": name}), flush=True)
        try:
            value = call(collection)
            outcome = {"returns": repr(value)[:1000]}
        except Exception as error:
            kind = type(error)
            outcome = {
                "raises": f"{kind.__module__}.{kind.__qualname__}",
                "message": str(error)[:1000].encode("utf-8", "replace").decode(),
            }
        print(json.dumps(outcome), flush=True)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
