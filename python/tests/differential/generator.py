"""Makes random histories. One profile and one seed always make the same history.

A history concentrates on one thing (its profile) and mixes in all the others. The generator knows
no rules: it remembers only which names it has used, so that operations meet each other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from . import expressions, mistakes, vocabulary
from .values import encode

INCLUDES = ["metadatas", "documents", "embeddings", "uris"]
SPACES = ["l2", "cosine", "ip"]

# How often each kind of operation occurs, by profile.
MIXED = {
    "add": 12,
    "upsert": 12,
    "update": 8,
    "delete": 5,
    "get": 14,
    "query": 14,
    "count": 4,
    "peek": 2,
    "modify": 1,
    "catalog": 3,
    "mistake": 6,
    "restart": 1,
}
PROFILES: dict[str, dict[str, int]] = {
    "mixed": MIXED,
    "vectors": {**MIXED, "query": 40, "get": 4, "mistake": 2},
    "filters": {**MIXED, "get": 50, "query": 10, "upsert": 20, "mistake": 2},
    "documents": {**MIXED, "get": 40, "query": 10, "upsert": 20, "mistake": 2},
    "churn": {**MIXED, "delete": 15, "add": 20, "upsert": 20, "restart": 4},
    "catalog": {**MIXED, "catalog": 60, "modify": 10},
    "mistakes": {**MIXED, "mistake": 60},
    "texts": {**MIXED, "mistake": 2, "catalog": 1},
    "wide": {**MIXED, "catalog": 0, "mistake": 3},
    "expressions": {
        **dict.fromkeys(MIXED, 0),
        **{"add": 3, "upsert": 4, "update": 4, "delete": 2, "get": 75, "query": 10, "restart": 1},
    },
}

# Records that a history of expressions begins with: more than make a segment worth an index.
EXPRESSION_RECORD_COUNT = 300
EXPRESSION_KEYS = {"i", "f", "s", "b", "l", "any", vocabulary.COMPOSED}

COLLECTION_NAMES = ["first", "second", "third.x", "fourth-y", "123", "A-b_c.D9", "n" * 512]


class Collection:
    """What the generator remembers of a collection object it has asked for."""

    def __init__(self, handle: str, name: str, dimension: int, texts: bool):
        self.handle = handle
        self.name = name
        self.dimension = dimension
        self.texts = texts


class Generator:
    def __init__(self, profile: str, seed: int):
        self.random = random.Random(f"{profile}-{seed}")
        self.profile = profile
        self.operations: list[dict[str, Any]] = []
        self.collections: list[Collection] = []
        self.handle_count = 0
        self.ids = vocabulary.PLAIN_IDS + vocabulary.AWKWARD_IDS
        # What filters are made from: the values of each key, and texts.
        self.values: dict[str, list] = {}
        self.texts: list[str] = []
        # Upstream lets the lists of a deleted collection reappear in others (COMPAT.md); then
        # nothing can be compared. So a history has either lists or deletions of collections.
        self.deletes_collections = profile == "catalog"
        self.keys = {
            key: [v for v in values if not (self.deletes_collections and isinstance(v, list))]
            for key, values in vocabulary.KEYS.items()
            if not (self.deletes_collections and key == "l")
            if profile != "expressions" or key in EXPRESSION_KEYS
        }
        # One name always goes with one dimension and space, or most writes would be refused.
        self.dimensions = {name: self.dimension() for name in COLLECTION_NAMES}
        self.spaces = {name: self.random.choice(SPACES) for name in COLLECTION_NAMES}

    def dimension(self) -> int:
        fixed = {"texts": 4, "wide": 384}  # An embedding function has its own dimension.
        return fixed.get(self.profile) or self.random.randint(1, 8)

    def history(self, operation_count: int) -> dict[str, Any]:
        persistent = self.profile != "catalog" or self.random.random() < 0.5
        weights = dict(PROFILES[self.profile])
        if not persistent:
            weights["restart"] = 0  # Nothing would be left to compare.
        self.new_collection()
        if self.profile == "expressions":
            self.add_many()
        kinds, odds = list(weights), list(weights.values())
        while len(self.operations) < operation_count:
            kind = self.random.choices(kinds, odds)[0]
            getattr(self, kind)()
        return {"persistent": persistent, "operations": self.operations}

    def emit(self, do: str, on: Collection | None = None, keep: str | None = None, **arguments):
        operation: dict[str, Any] = {"do": do}
        if on is not None:
            operation["on"] = on.handle
        if keep is not None:
            operation["as"] = keep
        if arguments:
            operation["with"] = {key: encode(value) for key, value in arguments.items()}
        self.operations.append(operation)

    # ---- Collections --------------------------------------------------------------------------

    def new_collection(self) -> None:
        name = self.random.choice(COLLECTION_NAMES)
        self.handle_count += 1
        handle, texts = f"c{self.handle_count}", self.profile == "texts"
        collection = Collection(handle, name, self.dimensions[name], texts)
        self.collections.append(collection)
        method = self.random.choice(["create_collection"] + ["get_or_create_collection"] * 3)
        self.emit(method, keep=handle, **self.creation(collection))

    def creation(self, collection: Collection) -> dict[str, Any]:
        arguments: dict[str, Any] = {"name": collection.name}
        space = self.spaces[collection.name]
        if self.random.random() < 0.5:
            arguments["configuration"] = {"hnsw": {"space": space}}
        else:
            arguments["metadata"] = {"hnsw:space": space, **self.collection_metadata()}
        arguments["embedding_function"] = "letter_counts" if collection.texts else None
        return arguments

    def collection_metadata(self) -> dict[str, Any]:
        keys = self.random.sample(["i", "f", "s", "b", vocabulary.COMPOSED], 2)
        pools = {**vocabulary.KEYS, vocabulary.COMPOSED: vocabulary.STRINGS}
        return {key: self.random.choice(pools[key]) for key in keys}

    def collection(self) -> Collection:
        # The latest handles are the likeliest to be alive.
        recent = self.collections[-4:]
        return self.random.choice(recent)

    def reopen(self, collection: Collection) -> None:
        ef = "letter_counts" if collection.texts else None
        self.emit(
            "get_collection", keep=collection.handle, name=collection.name, embedding_function=ef
        )

    def restart(self) -> None:
        self.emit("restart")
        for collection in self.collections[-4:]:
            # A collection that was renamed or deleted meanwhile is made anew.
            arguments = self.creation(collection)
            self.emit("get_or_create_collection", keep=collection.handle, **arguments)

    def modify(self) -> None:
        collection = self.collection()
        arguments: dict[str, Any] = {}
        if self.random.random() < 0.4:
            arguments["name"] = self.random.choice(COLLECTION_NAMES)
        if self.random.random() < 0.6:
            arguments["metadata"] = self.collection_metadata()
            if self.random.random() < 0.2:
                arguments["metadata"]["gone"] = None
        if self.random.random() < 0.3:
            arguments["configuration"] = {"hnsw": {"ef_search": self.random.randint(50, 200)}}
        self.emit("modify", collection, **arguments)

    def catalog(self) -> None:
        step = self.random.choice(
            [self.new_collection] * 4
            + [lambda: self.reopen(self.collection())] * 2
            + [
                lambda: self.emit("list_collections"),
                lambda: self.emit("list_collections", limit=2, offset=self.random.randint(0, 2)),
                lambda: self.emit("count_collections"),
                lambda: self.emit(
                    "get_collection",
                    name=self.random.choice(COLLECTION_NAMES),
                    embedding_function=None,
                ),
            ]
            + ([self.delete_collection] + [self.database] * 4 if self.deletes_collections else [])
            + ([lambda: self.emit("reset")] if self.deletes_collections else [])
        )
        step()

    def delete_collection(self) -> None:
        self.emit("delete_collection", name=self.random.choice(COLLECTION_NAMES))
        self.new_collection()

    def database(self) -> None:
        name = self.random.choice(["default_database", "another", "a/b c", "dä", "xy"])
        tenant = self.random.choice(["default_tenant"] * 4 + ["guest"])
        step = self.random.randrange(8)
        if step == 0:
            self.emit("create_database", name=name, tenant=tenant)
        elif step == 1:
            self.emit("get_database", name=name, tenant=tenant)
        elif step == 2:
            self.emit("list_databases", tenant=tenant)
        elif step == 3:
            self.emit("list_databases", tenant=tenant, limit=1, offset=self.random.randint(0, 2))
        elif step == 4 and name != "default_database":
            self.emit("delete_database", name=name, tenant=tenant)
        elif step == 5:
            self.emit("create_tenant", name=self.random.choice(["guest", "ab", "ten ant"]))
        elif step == 6:
            self.emit("get_tenant", name=self.random.choice(["guest", "nobody", "default_tenant"]))
        else:
            self.emit("set_tenant", tenant=tenant, database=name)

    # ---- Writes -------------------------------------------------------------------------------

    def batch(self, collection: Collection, ids: list[str], *, update: bool) -> dict[str, Any]:
        arguments: dict[str, Any] = {"ids": ids}
        documents = self.random.random() < (0.9 if self.profile == "documents" else 0.5)
        if collection.texts and documents:
            arguments["documents"] = [self.text() for _ in ids]
            return arguments
        if not update or self.random.random() < 0.5:
            arguments["embeddings"] = self.vectors(len(ids), collection.dimension)
            # With embeddings, or nothing would be embedded: documents alone call the function.
            if documents:
                arguments["documents"] = [self.text_or_none() for _ in ids]
        if self.random.random() < 0.7:
            arguments["metadatas"] = [self.metadata(deletions=update) for _ in ids]
        if self.random.random() < 0.2:
            arguments["uris"] = [self.random.choice([None, "u://1", "u://2"]) for _ in ids]
        return self.bare(arguments) if len(ids) == 1 else arguments

    def bare(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """One record's columns, some of them as a value instead of a list of one value."""
        return {
            name: (column[0] if self.random.random() < 0.1 and column[0] is not None else column)
            for name, column in arguments.items()
        }

    def add(self) -> None:
        collection = self.collection()
        ids = self.some_ids(self.random.choice([1, 1, 2, 3, 5, 8, 20]))
        self.emit("add", collection, **self.batch(collection, ids, update=False))

    def add_many(self) -> None:
        """Records for filters to tell apart, in one collection."""
        collection = self.collections[0]
        count = EXPRESSION_RECORD_COUNT
        self.ids = [f"e{number}" for number in range(count + 60)]
        for start in range(0, count, 60):
            ids = self.ids[start : start + 60]
            arguments: dict[str, Any] = {"ids": ids}
            arguments["embeddings"] = [self.vector(collection.dimension) for _ in ids]
            arguments["documents"] = [self.text_or_none() for _ in ids]
            arguments["metadatas"] = [self.metadata(deletions=False) for _ in ids]
            self.emit("add", collection, **arguments)

    def upsert(self) -> None:
        collection = self.collection()
        ids = self.some_ids(self.random.choice([1, 1, 2, 3, 5, 8]))
        arguments = self.batch(collection, ids, update=False)
        if "metadatas" in arguments:
            arguments["metadatas"] = [self.metadata(deletions=True) for _ in ids]
        self.emit("upsert", collection, **arguments)

    def update(self) -> None:
        collection = self.collection()
        ids = self.some_ids(self.random.choice([1, 1, 2, 3, 5]))
        self.emit("update", collection, **self.batch(collection, ids, update=True))

    def delete(self) -> None:
        arguments: dict[str, Any] = {}
        form = self.random.randrange(6)
        if form <= 2:
            arguments["ids"] = self.some_ids(self.random.randint(1, 4))
        if form >= 2:
            arguments.update(self.filters(delete=True))
            if self.random.random() < 0.6:
                arguments["limit"] = self.random.randint(0, 4)
        self.emit("delete", self.collection(), **arguments)

    def some_ids(self, count: int) -> list[str]:
        return self.random.sample(self.ids, count)

    def vector(self, dimension: int) -> list[float]:
        # Mostly a coarse grid, so that equal distances and equal vectors occur. A long vector
        # repeats a short one, which keeps recorded histories small.
        if self.random.random() < 0.8:
            short = [self.random.randint(-8, 8) / 4 for _ in range(min(dimension, 8))]
        else:
            short = [round(self.random.gauss(0, 10), 3) for _ in range(min(dimension, 8))]
        return short * (dimension // len(short))

    def vectors(self, count: int, dimension: int) -> list[list[float]] | np.ndarray:
        rows = [self.vector(dimension) for _ in range(count)]
        if self.random.random() < 0.8:
            return rows
        dtype = self.random.choice(["float32", "float64", "float16", "int32", "int64"])
        return np.array(rows).astype(dtype)

    def text(self) -> str:
        if self.profile == "expressions":
            self.texts.append(expressions.text(self.random))
            return self.texts[-1]
        if self.random.random() < 0.03:
            return vocabulary.LONG_WORD
        return " ".join(self.random.choices(vocabulary.WORDS, k=self.random.randint(1, 5)))

    def text_or_none(self) -> str | None:
        choice = self.random.random()
        return None if choice < 0.15 else "" if choice < 0.2 else self.text()

    def metadata(self, *, deletions: bool) -> dict[str, Any] | None:
        if self.random.random() < 0.1:
            return None
        keys = self.random.sample(list(self.keys), self.random.randint(1, 4))
        metadata = {
            key: (
                None
                if deletions and self.random.random() < 0.2
                else self.random.choice(self.keys[key])
            )
            for key in keys
        }
        for key, value in metadata.items():
            if value is not None:
                self.values.setdefault(key, []).extend(expressions.scalars(value))
        return metadata

    # ---- Reads --------------------------------------------------------------------------------

    def count(self) -> None:
        self.emit("count", self.collection())

    def peek(self) -> None:
        self.emit("peek", self.collection(), limit=self.random.choice([0, 1, 3, 10]))

    def get(self) -> None:
        arguments = self.filters(delete=False)
        if self.random.random() < 0.3:
            ids = self.some_ids(self.random.randint(1, 12))
            arguments["ids"] = ids[0] if self.random.random() < 0.1 else ids
        if self.random.random() < 0.3:
            arguments["limit"] = self.random.choice([0, 1, 2, 5, 100])
        if self.random.random() < 0.3:
            arguments["offset"] = self.random.choice([0, 1, 2, 5, 100])
        if self.random.random() < 0.6:
            arguments["include"] = self.random.sample(INCLUDES, self.random.randint(0, 4))
        self.emit("get", self.collection(), **arguments)

    def query(self) -> None:
        collection = self.collection()
        arguments = self.filters(delete=False) if self.random.random() < 0.5 else {}
        count = self.random.choice([1, 1, 1, 2, 3])
        if collection.texts and self.random.random() < 0.7:
            arguments["query_texts"] = [self.text() for _ in range(count)]
        else:
            vectors = self.vectors(count, collection.dimension)
            flat = count == 1 and self.random.random() < 0.3
            arguments["query_embeddings"] = vectors[0] if flat else vectors
        if self.random.random() < 0.8:
            arguments["n_results"] = self.random.choice([1, 2, 5, 10, 100])
        if self.random.random() < 0.15:
            arguments["ids"] = self.some_ids(self.random.randint(0, 12))
            if self.random.random() < 0.8:  # Without a filter upstream wants every id to exist.
                arguments.setdefault("where", {"absent": {"$ne": 1}})
        if self.random.random() < 0.5:
            names = INCLUDES + ["distances"]
            arguments["include"] = self.random.sample(names, self.random.randint(0, 5))
        self.emit("query", collection, **arguments)

    # ---- Filters ------------------------------------------------------------------------------

    def filters(self, *, delete: bool) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        by_document = {"documents": 0.8, "filters": 0.1, "expressions": 0.4}.get(self.profile, 0.3)
        by_metadata = {"documents": 0.2, "filters": 0.9, "expressions": 0.8}.get(self.profile, 0.5)
        if self.random.random() < by_document:
            arguments["where_document"] = self.where_document(2)
        if self.random.random() < by_metadata or (delete and not arguments):
            # Upstream compares integers with floats wrongly (COMPAT.md). That may be read, but
            # must not decide which records there are.
            arguments["where"] = self.where(2, floats=not delete)
        return arguments

    def where(self, depth: int, *, floats: bool) -> dict[str, Any]:
        if self.profile == "expressions":
            # Fractions, of which upstream's answers are often wrong, in half of them.
            floats = floats and self.random.random() < 0.5
            return expressions.where(self.random, self.values, floats=floats)
        if depth and self.random.random() < 0.3:
            operator = self.random.choice(["$and", "$or"])
            count = self.random.randint(2, 3)
            return {operator: [self.where(depth - 1, floats=floats) for _ in range(count)]}
        if self.random.random() < 0.03:
            operator = self.random.choice(["$contains", "$not_contains"])
            return {"#document": {operator: self.random.choice(vocabulary.NEEDLES)}}
        key = self.random.choice(list(self.keys) + ["absent", "chroma:uri"])
        pool = self.keys.get(key, vocabulary.STRINGS)
        if self.random.random() < 0.15:  # An operand of some other type.
            pool = self.random.choice(
                [vocabulary.INTEGERS, vocabulary.FLOATS, vocabulary.STRINGS, vocabulary.BOOLEANS]
            )
        if not floats:
            pool = [v for v in pool if not isinstance(v, float)] or vocabulary.BOOLEANS
        return {key: self.condition(pool)}

    def condition(self, pool: list) -> Any:
        value = self.random.choice(pool)
        if isinstance(value, list):
            value = self.random.choice(value)
            if self.random.random() < 0.8:
                return {self.random.choice(["$contains", "$not_contains"]): value}
        operators = ["$eq", "$ne", "$in", "$nin", "$contains", "$not_contains", "bare"]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            operators += ["$gt", "$gte", "$lt", "$lte"] * 2
        operator = self.random.choice(operators)
        if operator == "bare":
            return value
        if operator in ("$in", "$nin"):
            same = [v for v in pool if type(v) is type(value)] or [value]
            return {operator: [value] + self.random.choices(same, k=self.random.randint(0, 3))}
        return {operator: value}

    def where_document(self, depth: int) -> dict[str, Any]:
        if self.profile == "expressions":
            return expressions.where_document(self.random, self.texts)
        if depth and self.random.random() < 0.25:
            operator = self.random.choice(["$and", "$or"])
            parts = [self.where_document(depth - 1) for _ in range(self.random.randint(2, 3))]
            return {operator: parts}
        if self.random.random() < 0.6:
            operator = self.random.choice(["$contains", "$not_contains"])
            return {operator: self.random.choice(vocabulary.NEEDLES)}
        operator = self.random.choice(["$regex", "$not_regex"])
        return {operator: self.random.choice(vocabulary.PATTERNS)}

    # ---- Mistakes -----------------------------------------------------------------------------

    def mistake(self) -> None:
        collection = self.collection()
        make: Callable = self.random.choice(mistakes.ALL)
        method, arguments = make(self.random, collection.dimension)
        on = None if method in mistakes.CLIENT_METHODS else collection
        self.emit(method, on, **arguments)


def generate(profile: str, seed: int, operation_count: int) -> dict[str, Any]:
    return Generator(profile, seed).history(operation_count)
