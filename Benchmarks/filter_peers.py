"""Databases that `filters.py` compares, each behind the same few calls.

Each is used as its own documentation advises for this: with indexes of the fields that are filtered
by and of substrings, where it has them. All have the same graph if they have one (cosine, M = 16,
ef_construction = 100, ef_search = 100). Each opens or makes its collection with `open`, takes
records with `add`, is done with `finish`, and hands back the id, document and fields of what it
finds. What one cannot do it has no method for.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dataset import RESULT_COUNT

MAX_NEIGHBORS = 16
EF_CONSTRUCTION = 100
EF_SEARCH = 100
FILTERED = {"bucket": int, "synset_offset": int, "lexicographer_file": str}
SQL_TYPES = {str: "TEXT", bool: "BOOLEAN", int: "BIGINT"}

Records = Sequence[tuple[str, str, dict[str, Any]]]


def sql(where: dict[str, Any]) -> str:
    """A filter as a condition of SQL."""
    [(key, operand)] = where.items()
    if key in ("$and", "$or"):
        return "(" + f" {key[1:]} ".join(map(sql, operand)) + ")"
    operator, value = "=", operand
    if isinstance(operand, dict):
        [(name, value)] = operand.items()
        operator = {"$gte": ">=", "$lt": "<"}[name]
    return f"{key} {operator} {value!r}"  # No text here has a quote in it.


class Chroma:
    """Ours and official, which have the same name and nearly the same calls."""

    package = "chromadb"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.collection: Any = None

    def open(self) -> None:
        import chromadb

        self.client = chromadb.PersistentClient(path=str(self.directory))
        if self.collection:
            self.collection = self.client.get_collection("glosses", embedding_function=None)
            return
        graph = {"max_neighbors": MAX_NEIGHBORS, "ef_construction": EF_CONSTRUCTION}
        self.collection = self.client.create_collection(
            "glosses",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, **graph}},
        )

    def add(self, records: Records, vectors: np.ndarray) -> None:
        ids, documents, metadatas = zip(*records, strict=True)
        self.collection.add(
            ids=list(ids),
            documents=list(documents),
            metadatas=list(metadatas),
            embeddings=vectors,
        )

    def finish(self) -> None:
        if hasattr(self.collection, "flush"):
            self.collection.flush()

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        answer = self.collection.query(
            query_embeddings=[vector], n_results=RESULT_COUNT, where=where
        )
        ids: list[str] = answer["ids"][0]
        return ids

    def get(self, where: Any, limit: int) -> list[str]:
        ids: list[str] = self.collection.get(where=where, limit=limit)["ids"]
        return ids

    def count(self, where: Any) -> int:
        if "where" in inspect.signature(self.collection.count).parameters:
            count: int = self.collection.count(where=where)
            return count
        # Official counts no selection: its users count what they get.
        return len(self.collection.get(where=where, include=[])["ids"])

    def contains(self, text: str, limit: int) -> list[str]:
        return self.matching({"$contains": text}, limit)

    def regex(self, text: str, limit: int) -> list[str]:
        return self.matching({"$regex": text}, limit)

    def matching(self, condition: dict[str, str], limit: int) -> list[str]:
        ids: list[str] = self.collection.get(where_document=condition, limit=limit)["ids"]
        return ids

    def close(self) -> None:
        self.client.close()


class QdrantEdge:
    """Qdrant's engine in process. Substrings are sought among the values of its index of keywords:
    a fourteenth of the time that it takes to seek them in the documents."""

    package = "qdrant-edge-py"

    def __init__(self, directory: Path) -> None:
        import qdrant_edge

        self.edge: Any = qdrant_edge
        self.directory = directory
        self.row = 0

    def open(self) -> None:
        edge = self.edge
        if self.row:
            self.shard = edge.EdgeShard.load(str(self.directory))
            return
        self.directory.mkdir()
        vectors = edge.EdgeVectorParams(size=384, distance=edge.Distance.Cosine)
        graph = edge.HnswIndexConfig(MAX_NEIGHBORS, EF_CONSTRUCTION, 10_000)
        config = edge.EdgeConfig(vectors=vectors, hnsw_config=graph)
        self.shard = edge.EdgeShard.create(str(self.directory), config)
        types = {int: edge.PayloadSchemaType.Integer, str: edge.PayloadSchemaType.Keyword}
        for key, kind in {**FILTERED, "document": str}.items():
            self.shard.update(edge.UpdateOperation.create_field_index(key, types[kind]))

    def add(self, records: Records, vectors: np.ndarray) -> None:
        points = []
        for (id_, document, fields), vector in zip(records, vectors, strict=True):
            self.row += 1  # Its ids are numbers.
            payload = {"id": id_, "document": document, **fields}
            points.append(self.edge.Point(self.row, vector.tolist(), payload))
        self.shard.update(self.edge.UpdateOperation.upsert_points(points))

    def finish(self) -> None:
        self.shard.optimize()
        self.shard.flush()

    def condition(self, where: dict[str, Any]) -> Any:
        """Bounds of one key become one condition, which its index answers at once."""
        edge = self.edge
        [(key, operand)] = where.items()
        if key == "$or":
            return edge.Filter(should=[self.condition(part) for part in operand])
        if key != "$and":
            return edge.FieldCondition(key, match=edge.MatchValue(operand))
        bounds: dict[str, dict[str, Any]] = {}
        conditions = []
        for part in operand:
            [(name, value)] = part.items()
            if isinstance(value, dict):
                [(operator, bound)] = value.items()
                bounds.setdefault(name, {})[operator[1:]] = bound
            else:
                conditions.append(self.condition(part))
        for name, ends in bounds.items():
            conditions.append(edge.FieldCondition(name, range=edge.RangeFloat(**ends)))
        return edge.Filter(must=conditions)

    def filter(self, where: dict[str, Any] | None) -> Any:
        if where is None:
            return None
        condition = self.condition(where)
        is_filter = isinstance(condition, self.edge.Filter)
        return condition if is_filter else self.edge.Filter(must=[condition])

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        edge = self.edge
        request = edge.QueryRequest(
            RESULT_COUNT,
            query=edge.Query.Nearest(vector.tolist()),
            filter=self.filter(where),
            with_payload=True,
            params=edge.SearchParams(hnsw_ef=EF_SEARCH),
        )
        return [point.payload["id"] for point in self.shard.query(request)]

    def get(self, where: Any, limit: int) -> list[str]:
        return self.scroll(self.filter(where), limit)

    def count(self, where: Any) -> int:
        count: int = self.shard.count(self.edge.CountRequest(exact=True, filter=self.filter(where)))
        return count

    def contains(self, text: str, limit: int) -> list[str]:
        match = self.edge.FieldCondition("document", match=self.edge.MatchSubstring(text))
        return self.scroll(self.edge.Filter(must=[match]), limit)

    def scroll(self, condition: Any, limit: int) -> list[str]:
        request = self.edge.ScrollRequest(limit=limit, filter=condition, with_payload=True)
        return [point.payload["id"] for point in self.shard.scroll(request)[0]]

    def close(self) -> None:
        self.shard.close()


class Zvec:
    """Substrings by an inverted index with its extended wildcards."""

    package = "zvec"

    def __init__(self, directory: Path) -> None:
        import zvec

        self.zvec: Any = zvec
        self.directory = directory
        self.collection: Any = None

    def open(self) -> None:
        zvec = self.zvec
        if self.collection:
            self.collection = zvec.open(path=str(self.directory))

    def create(self, fields: dict[str, Any]) -> None:
        zvec = self.zvec
        types = {str: zvec.DataType.STRING, bool: zvec.DataType.BOOL, int: zvec.DataType.INT64}
        ordered = zvec.InvertIndexParam(enable_range_optimization=True)
        wildcards = zvec.InvertIndexParam(enable_extended_wildcard=True)
        schemas = [zvec.FieldSchema("document", zvec.DataType.STRING, index_param=wildcards)]
        for key, value in fields.items():
            index = {"index_param": ordered} if key in FILTERED else {}
            schemas.append(zvec.FieldSchema(key, types[type(value)], nullable=True, **index))
        graph = zvec.HnswIndexParam(
            metric_type=zvec.MetricType.COSINE, m=MAX_NEIGHBORS, ef_construction=EF_CONSTRUCTION
        )
        vector = zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, 384, index_param=graph)
        schema = zvec.CollectionSchema(name="glosses", fields=schemas, vectors=vector)
        self.collection = zvec.create_and_open(path=str(self.directory), schema=schema)

    def add(self, records: Records, vectors: np.ndarray) -> None:
        if not self.collection:
            self.create(records[0][2])
        self.collection.insert(
            [
                self.zvec.Doc(
                    id=id_,
                    vectors={"vector": vector.tolist()},
                    fields={"document": document, **fields},
                )
                for (id_, document, fields), vector in zip(records, vectors, strict=True)
            ]
        )

    def finish(self) -> None:
        self.collection.flush()
        self.collection.optimize()

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        query = self.zvec.Query(
            field_name="vector",
            vector=vector.tolist(),
            param=self.zvec.HnswQueryParam(ef=EF_SEARCH),
        )
        condition = sql(where) if where else None
        found = self.collection.query(query, topk=RESULT_COUNT, filter=condition)
        return [document.id for document in found]

    def get(self, where: Any, limit: int) -> list[str]:
        return self.matching(sql(where), limit)

    def contains(self, text: str, limit: int) -> list[str]:
        return self.matching(f"document like '%{text}%'", limit)

    def matching(self, condition: str, limit: int) -> list[str]:
        return [document.id for document in self.collection.query(topk=limit, filter=condition)]

    def close(self) -> None:
        self.collection.close()


class Lance:
    """A graph over 8-bit codes in one partition; an index of its kind for each field; substrings by
    its FM-index. What it finds stays an Arrow table, as its users may take it."""

    package = "lancedb"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.table: Any = None

    def open(self) -> None:
        import lancedb

        self.database = lancedb.connect(str(self.directory))
        if self.table:
            self.table = self.database.open_table("glosses")
            self.columns = [name for name in self.table.schema.names if name != "vector"]

    def add(self, records: Records, vectors: np.ndarray) -> None:
        batch = arrow_table(records, vectors)
        if self.table:
            self.table.add(batch)
        else:
            self.table = self.database.create_table("glosses", data=batch)

    def finish(self) -> None:
        from lancedb.index import Bitmap, BTree, Fm, HnswSq

        self.table.optimize()  # One file; else every call opens as many as there were batches.
        graph = HnswSq(
            distance_type="cosine",
            num_partitions=1,
            m=MAX_NEIGHBORS,
            ef_construction=EF_CONSTRUCTION,
        )
        self.table.create_index("vector", config=graph)
        for key, kind in FILTERED.items():
            self.table.create_index(key, config=BTree() if kind is int else Bitmap())
        self.table.create_index("document", config=Fm())

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        search = self.table.search(vector, vector_column_name="vector").distance_type("cosine")
        search = search.ef(EF_SEARCH).limit(RESULT_COUNT).select([*self.columns, "_distance"])
        if where:
            search = search.where(sql(where), prefilter=True)
        ids: list[str] = search.to_arrow()["id"].to_pylist()
        return ids

    def get(self, where: Any, limit: int) -> list[str]:
        return self.matching(sql(where), limit)

    def count(self, where: Any) -> int:
        count: int = self.table.count_rows(sql(where))
        return count

    def contains(self, text: str, limit: int) -> list[str]:
        return self.matching(f"contains(document, '{text}')", limit)

    def regex(self, text: str, limit: int) -> list[str]:
        return self.matching(f"regexp_like(document, '{text}')", limit)

    def matching(self, condition: str, limit: int) -> list[str]:
        search = self.table.search().where(condition).limit(limit).select(self.columns)
        ids: list[str] = search.to_arrow()["id"].to_pylist()
        return ids

    def close(self) -> None:
        self.database = None


def arrow_table(records: Records, vectors: np.ndarray) -> Any:
    import pyarrow

    ids, documents, fields = zip(*records, strict=True)
    values = pyarrow.array(np.ascontiguousarray(vectors).ravel())
    return pyarrow.table(
        {
            "id": ids,
            "document": documents,
            "vector": pyarrow.FixedSizeListArray.from_arrays(values, vectors.shape[1]),
            **{key: [row[key] for row in fields] for key in fields[0]},
        }
    )


class SqliteVec:
    """Vectors in a table of sqlite-vec, which scans them and filters as it does; documents and
    fields in a table with indexes; substrings by FTS5's trigrams. SQLite has no regular expressions
    of its own: Python's are called for each document."""

    package = "sqlite-vec"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keys: list[str] = []

    def open(self) -> None:
        import pysqlite3  # Python's own module may load no extensions.
        import sqlite_vec

        self.database = pysqlite3.connect(str(self.directory), isolation_level=None)
        self.database.enable_load_extension(True)
        sqlite_vec.load(self.database)
        self.database.execute("pragma journal_mode = wal")
        self.database.execute("pragma synchronous = normal")
        self.database.create_function(
            "regexp", 2, lambda pattern, text: re.search(pattern, text) is not None
        )

    def create(self, fields: dict[str, Any]) -> None:
        columns = ", ".join(f"{key} {SQL_TYPES[type(value)]}" for key, value in fields.items())
        self.database.execute(f"create table glosses(id text unique, document text, {columns})")
        kinds = {int: "integer", str: "text"}
        for key in FILTERED:
            self.database.execute(f"create index glosses_{key} on glosses({key})")
        columns = ", ".join(f"{key} {kinds[kind]}" for key, kind in FILTERED.items())
        self.database.execute(
            "create virtual table vectors using "
            f"vec0(vector float[384] distance_metric=cosine, {columns})"
        )
        self.database.execute(
            "create virtual table texts using fts5(document, content='glosses', "
            "tokenize='trigram case_sensitive 1')"
        )
        self.keys = list(fields)

    def add(self, records: Records, vectors: np.ndarray) -> None:
        if not self.keys:
            self.create(records[0][2])
        self.database.execute("begin")
        marks = ", ?" * len(self.keys)
        for (id_, document, fields), vector in zip(records, vectors, strict=True):
            row = self.database.execute(
                f"insert into glosses values(?, ?{marks})", (id_, document, *fields.values())
            ).lastrowid
            self.database.execute(
                f"insert into vectors(rowid, vector, {', '.join(FILTERED)}) values(?, ?, ?, ?, ?)",
                (row, vector.tobytes(), *(fields[key] for key in FILTERED)),
            )
            self.database.execute(
                "insert into texts(rowid, document) values(?, ?)", (row, document)
            )
        self.database.execute("commit")

    def finish(self) -> None:
        self.database.execute("insert into texts(texts) values('optimize')")
        self.database.execute("analyze")

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        # It takes conditions on its own columns if all must be met, and else a list of rows.
        condition = f" and {sql(where)}" if where else ""
        if where and "$or" in where:
            condition = f" and rowid in (select rowid from glosses where {sql(where)})"
        return self.ids(
            "select glosses.*, distance from (select rowid, distance from vectors "
            f"where vector match ? and k = {RESULT_COUNT}{condition}) found "
            "join glosses on glosses.rowid = found.rowid order by distance",
            vector.tobytes(),
        )

    def get(self, where: Any, limit: int) -> list[str]:
        return self.ids(f"select * from glosses where {sql(where)} limit {limit}")

    def count(self, where: Any) -> int:
        sentence = f"select count(*) from glosses where {sql(where)}"
        count: int = self.database.execute(sentence).fetchone()[0]
        return count

    def contains(self, text: str, limit: int) -> list[str]:
        return self.ids(
            "select glosses.* from texts join glosses on glosses.rowid = texts.rowid "
            f"where texts match ? limit {limit}",
            f'"{text}"',
        )

    def regex(self, text: str, limit: int) -> list[str]:
        return self.ids(f"select * from glosses where document regexp ? limit {limit}", text)

    def ids(self, sentence: str, *values: Any) -> list[str]:
        return [row[0] for row in self.database.execute(sentence, values).fetchall()]

    def close(self) -> None:
        self.database.close()


class Duckdb:
    """A table, scanned for each call. Its extension for vectors filters what its graph has found,
    so that a filter that keeps 1 % loses nearly all of it: here vectors are scanned too."""

    package = "duckdb"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keys: list[str] = []

    def open(self) -> None:
        import duckdb

        self.database = duckdb.connect(str(self.directory))

    def add(self, records: Records, vectors: np.ndarray) -> None:
        if not self.keys:
            fields = records[0][2]
            columns = ", ".join(f"{key} {SQL_TYPES[type(value)]}" for key, value in fields.items())
            self.database.execute(
                f"create table glosses(id text, document text, vector float[384], {columns})"
            )
            self.keys = list(fields)
        self.database.register("batch", arrow_table(records, vectors))
        self.database.execute("insert into glosses select * from batch")
        self.database.unregister("batch")

    def finish(self) -> None:
        self.database.execute("checkpoint")

    def query(self, vector: np.ndarray, where: Any) -> list[str]:
        condition = f"where {sql(where)}" if where else ""
        return self.ids(
            f"select * exclude vector from glosses {condition} "
            f"order by array_cosine_distance(vector, ?::float[384]) limit {RESULT_COUNT}",
            vector.tolist(),
        )

    def get(self, where: Any, limit: int) -> list[str]:
        return self.ids(f"select * exclude vector from glosses where {sql(where)} limit {limit}")

    def count(self, where: Any) -> int:
        sentence = f"select count(*) from glosses where {sql(where)}"
        count: int = self.database.execute(sentence).fetchall()[0][0]
        return count

    def contains(self, text: str, limit: int) -> list[str]:
        return self.matching("contains(document, ?)", text, limit)

    def regex(self, text: str, limit: int) -> list[str]:
        return self.matching("regexp_matches(document, ?)", text, limit)

    def matching(self, condition: str, text: str, limit: int) -> list[str]:
        sentence = f"select * exclude vector from glosses where {condition} limit {limit}"
        return self.ids(sentence, text)

    def ids(self, sentence: str, *values: Any) -> list[str]:
        return [row[0] for row in self.database.execute(sentence, list(values)).fetchall()]

    def close(self) -> None:
        self.database.close()


PEERS: dict[str, Any] = {
    "ours": Chroma,
    "official": Chroma,
    "zvec": Zvec,
    "qdrant-edge": QdrantEdge,
    "lancedb": Lance,
    "sqlite-vec": SqliteVec,
    "duckdb": Duckdb,
}
