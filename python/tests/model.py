"""A collection as a dictionary: what the engine must answer, in the plainest code that can say it.

The model knows the rules and nothing of storage, indexes or speed. Its callers hand it valid calls
only (whatever the engine refused is not handed on), and compare its answers with the engine's.

Rules it embodies:
  * A record keeps its place when it is updated; deleted and added again it goes to the end.
  * `add` ignores ids that exist, `update` ignores ids that do not, `upsert` does whichever fits.
    Told to replace, `add` leaves nothing of a record but its place.
  * Embeddings are float32. Distances are computed in float64 by a scan of every candidate.
  * Integers and floats are compared by value, exactly; a bool is neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GET_INCLUDE = ["metadatas", "documents"]
QUERY_INCLUDE = ["metadatas", "documents", "distances"]
PEEK_INCLUDE = ["metadatas", "documents", "embeddings"]

# Distances are float32 on both sides of a comparison; this is the relative error allowed.
DISTANCE_TOLERANCE = 1e-5


@dataclass
class Record:
    embedding: np.ndarray
    document: str | None = None
    uri: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """The value a filter sees under `key`; None where there is none."""
        if key == "chroma:document":
            return self.document
        if key == "chroma:uri":
            return self.uri
        return self.metadata.get(key)

    def visible_metadata(self) -> dict[str, Any] | None:
        """What `get` shows: nothing stored is None, and keys in upstream's namespace are hidden."""
        if not self.metadata and self.uri is None:
            return None
        return {k: v for k, v in self.metadata.items() if not k.startswith("chroma:")}


def many(value: Any) -> list | None:
    """One value or a list of them, as a list."""
    return value if value is None or isinstance(value, list) else [value]


def many_embeddings(value: Any) -> np.ndarray | None:
    return None if value is None else np.atleast_2d(np.asarray(value, dtype=np.float32))


def distances(space: str, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The distance of `query` to each row, in float64."""
    a, b = query.astype(np.float64), rows.astype(np.float64)
    if space == "l2":
        return ((b - a) ** 2).sum(axis=1)
    product = b @ a
    if space == "ip":
        return 1.0 - product
    scale = np.linalg.norm(b, axis=1) * np.linalg.norm(a)
    # A zero vector has no direction: it is at distance 1 from everything.
    return 1.0 - np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)


def tolerance(query: np.ndarray, row: np.ndarray, distance: float) -> float:
    """How far a float32 distance may stand from the float64 one."""
    norms = float(np.linalg.norm(query.astype(np.float64)) * np.linalg.norm(row.astype(np.float64)))
    return DISTANCE_TOLERANCE * max(1.0, abs(distance), norms)


class ModelCollection:
    def __init__(self, space: str = "l2"):
        self.space = space
        self.dimension: int | None = None
        self.records: dict[str, Record] = {}

    # ---- Writes -------------------------------------------------------------------------------

    def add(
        self, ids, embeddings, metadatas=None, documents=None, uris=None, on_conflict=None
    ) -> dict[str, int] | None:
        existing = [identifier for identifier in many(ids) if identifier in self.records]
        counts = {"added": len(many(ids)) - len(existing), "skipped": 0, "replaced": 0}
        if on_conflict == "replace":
            for row, identifier in enumerate(many(ids)):
                if identifier in self.records:
                    # As a dictionary has it: the place stays.
                    self.records[identifier] = Record(many_embeddings(embeddings)[row].copy())
            counts["replaced"] = len(existing)
        else:
            counts["skipped"] = len(existing)
        self._write(
            ids,
            embeddings,
            metadatas,
            documents,
            uris,
            insert=True,
            change=on_conflict == "replace",
        )
        return None if on_conflict is None else counts

    def update(self, ids, embeddings=None, metadatas=None, documents=None, uris=None) -> None:
        self._write(ids, embeddings, metadatas, documents, uris, insert=False, change=True)

    def upsert(self, ids, embeddings, metadatas=None, documents=None, uris=None) -> None:
        self._write(ids, embeddings, metadatas, documents, uris, insert=True, change=True)

    def _write(self, ids, embeddings, metadatas, documents, uris, *, insert, change) -> None:
        vectors = many_embeddings(embeddings)
        if vectors is not None:
            self.dimension = vectors.shape[1]
        metadatas, documents, uris = many(metadatas), many(documents), many(uris)
        for row, identifier in enumerate(many(ids)):
            record = self.records.get(identifier)
            if record is None:
                if not insert:
                    continue
                record = self.records[identifier] = Record(vectors[row].copy())
            elif not change:
                continue
            elif vectors is not None:
                record.embedding = vectors[row].copy()
            if documents is not None and documents[row] is not None:
                record.document = documents[row]
            if uris is not None and uris[row] is not None:
                record.uri = uris[row]
            for key, value in ((metadatas and metadatas[row]) or {}).items():
                if value is None:
                    record.metadata.pop(key, None)
                else:
                    record.metadata[key] = value

    def delete(self, ids=None, where=None, where_document=None, limit=None) -> dict[str, int]:
        filtered = where is not None or where_document is not None
        found = self._select(ids, where, where_document)[:limit]
        for identifier in found:
            del self.records[identifier]
        # Upstream counts the ids it was given, whether or not they existed.
        return {"deleted": len(found) if filtered else len(many(ids) or [])}

    # ---- Reads --------------------------------------------------------------------------------

    def count(self) -> int:
        return len(self.records)

    def get(
        self, ids=None, where=None, limit=None, offset=None, where_document=None, include=None
    ) -> dict[str, Any]:
        found = self._select(ids, where, where_document)
        start = offset or 0
        stop = None if limit is None else start + limit
        return self._columns(found[start:stop], GET_INCLUDE if include is None else include)

    def peek(self, limit: int = 10) -> dict[str, Any]:
        return self._columns(list(self.records)[:limit], PEEK_INCLUDE)

    def ranking(
        self, embedding, ids=None, where=None, where_document=None
    ) -> list[tuple[str, float]]:
        """Every candidate and its distance, nearest first; ties in insertion order."""
        found = self._select(ids, where, where_document)
        if not found:
            return []
        query = np.asarray(embedding, dtype=np.float32)
        rows = np.stack([self.records[i].embedding for i in found])
        scores = distances(self.space, query, rows)
        return [(found[i], float(scores[i])) for i in np.argsort(scores, kind="stable")]

    def query(
        self,
        query_embeddings,
        ids=None,
        n_results: int = 10,
        where=None,
        where_document=None,
        include=None,
    ) -> dict[str, Any]:
        include = QUERY_INCLUDE if include is None else include
        rankings = [
            self.ranking(query, ids, where, where_document)[:n_results]
            for query in many_embeddings(query_embeddings)
        ]
        columns = [self._columns([i for i, _ in ranking], include) for ranking in rankings]
        result = {
            name: None if columns[0][name] is None else [column[name] for column in columns]
            for name in ("ids", "embeddings", "documents", "uris", "data", "metadatas")
        }
        result["distances"] = (
            [[d for _, d in ranking] for ranking in rankings] if "distances" in include else None
        )
        result["included"] = list(include)
        return result

    def _columns(self, ids: list[str], include: list[str]) -> dict[str, Any]:
        rows = [self.records[i] for i in ids]
        return {
            "ids": ids,
            "embeddings": (
                np.array([r.embedding for r in rows], dtype=np.float64)
                if "embeddings" in include
                else None
            ),
            "documents": [r.document for r in rows] if "documents" in include else None,
            "uris": [r.uri for r in rows] if "uris" in include else None,
            "data": None,
            "metadatas": ([r.visible_metadata() for r in rows] if "metadatas" in include else None),
            "included": list(include),
        }

    def _select(self, ids, where, where_document) -> list[str]:
        wanted = None if ids is None else set(many(ids))
        return [
            identifier
            for identifier, record in self.records.items()
            if (wanted is None or identifier in wanted)
            and (where is None or matches(where, record))
            and (where_document is None or matches_document(where_document, record.document))
        ]


# ---- Filters ----------------------------------------------------------------------------------


def matches(where: dict[str, Any], record: Record) -> bool:
    ((key, condition),) = where.items()
    if key == "$and":
        return all(matches(part, record) for part in condition)
    if key == "$or":
        return any(matches(part, record) for part in condition)
    if not isinstance(condition, dict):
        condition = {"$eq": condition}
    ((operator, operand),) = condition.items()
    if key == "#document":
        return matches_document(condition, record.document)
    return _holds(operator, record.value(key), operand)


def _holds(operator: str, value: Any, operand: Any) -> bool:
    if operator == "$eq":
        return _equal(value, operand)
    if operator == "$in":
        return any(_equal(value, item) for item in operand)
    if operator == "$contains":
        return isinstance(value, list) and any(
            type(item) is type(operand) and item == operand for item in value
        )
    # The negations hold for a record that lacks the key, too.
    if operator == "$ne":
        return not _holds("$eq", value, operand)
    if operator == "$nin":
        return not _holds("$in", value, operand)
    if operator == "$not_contains":
        return not _holds("$contains", value, operand)
    if not (_is_number(value) and _is_number(operand)):
        return False
    return {
        "$gt": value > operand,
        "$gte": value >= operand,
        "$lt": value < operand,
        "$lte": value <= operand,
    }[operator]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(value: Any, operand: Any) -> bool:
    if _is_number(value) and _is_number(operand):
        return value == operand  # Exact in Python, also beyond 2**53.
    return type(value) is type(operand) and not isinstance(value, list) and value == operand


def matches_document(where_document: dict[str, Any], document: str | None) -> bool:
    ((operator, operand),) = where_document.items()
    if operator == "$and":
        return all(matches_document(part, document) for part in operand)
    if operator == "$or":
        return any(matches_document(part, document) for part in operand)
    if operator == "$contains":
        return document is not None and operand in document
    if operator == "$regex":
        return document is not None and re.search(operand, document) is not None
    positive = {"$not_contains": "$contains", "$not_regex": "$regex"}[operator]
    return not matches_document({positive: operand}, document)


# ---- Judging a query --------------------------------------------------------------------------


def check_ranking(
    model: ModelCollection,
    query: Any,
    ranking: list[tuple[str, float]],
    n_results: int,
    got_ids: list[str],
    got_distances: list[float] | None,
    *,
    complete: bool = True,
) -> str | None:
    """The first way in which one query's answer differs from the exact scan, or None.

    The order among records whose distances differ by less than the tolerance is free. With
    `complete=False` records may be missing (an approximate index lost them), but what is there
    must be right.
    """
    query = np.asarray(query, dtype=np.float32)
    exact = dict(ranking)
    if len(set(got_ids)) != len(got_ids):
        return f"an id twice: {got_ids}"
    if unknown := [i for i in got_ids if i not in exact]:
        return f"not candidates: {unknown}"
    if complete and len(got_ids) != min(n_results, len(ranking)):
        return f"{len(got_ids)} results of {min(n_results, len(ranking))}"
    for rank, identifier in enumerate(got_ids):
        slack = tolerance(query, model.records[identifier].embedding, exact[identifier])
        if got_distances is not None and not abs(got_distances[rank] - exact[identifier]) <= slack:
            return f"{identifier!r}: distance {got_distances[rank]}, exactly {exact[identifier]}"
        # The record at this rank may be another one, but not a farther one.
        best = ranking[rank][1]
        if complete and abs(exact[identifier] - best) > slack + tolerance(
            query, model.records[ranking[rank][0]].embedding, best
        ):
            return f"rank {rank}: {identifier!r} at {exact[identifier]}, the scan has {best}"
    if got_distances is not None and any(
        later < earlier for earlier, later in zip(got_distances, got_distances[1:])
    ):
        return f"not ascending: {got_distances}"
    return None
