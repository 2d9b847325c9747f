"""The data that is measured on, as `prepare.py` leaves them, and the truth about them.

build/bench/vectors.npy     float32, a row for each record, of unit length
build/bench/queries.npy     float32, rows that are no records
build/bench/records.json    id, document and metadata of each record; `bucket` is 0 to 999, each
                            number as often as any other
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "build/bench"
RESULT_COUNT = 10


class Dataset:
    """The first `count` records of a folder and its queries."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.vectors = np.load(folder / "vectors.npy", mmap_mode="r")[:count]
        self.queries = np.load(folder / "queries.npy")
        self.count = count
        if len(self.vectors) < count:
            raise SystemExit(
                f"{folder} has {len(self.vectors):,} records. "
                f"More: Benchmarks/prepare.py --count {count}"
            )

    def records(self) -> list[list[Any]]:
        """[id, document, metadata] of each record."""
        rows: list[list[Any]] = json.loads((self.folder / "records.json").read_text())
        return rows[: self.count]

    def truth(self) -> np.ndarray:
        """The rows of the ten records nearest to each query, by exact search. Kept in a file."""
        content = hashlib.sha256(self.vectors[:: max(1, self.count // 100)].tobytes())
        content.update(self.queries.tobytes())
        file = self.folder / f"truth-{self.count}-{content.hexdigest()[:8]}.npy"
        if not file.exists():
            np.save(file, nearest(self.queries, np.asarray(self.vectors)))
        rows: np.ndarray = np.load(file)
        return rows


def nearest(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The rows of the ten vectors with the largest cosine to each query; all are of unit length."""
    count = min(RESULT_COUNT, len(vectors))
    found = []
    for start in range(0, len(queries), 250):
        cosines = queries[start : start + 250] @ vectors.T
        best = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosines, best, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(found)


def recall(found: Sequence[Sequence[Any]], truth: Sequence[Sequence[Any]]) -> float:
    """The share of the true neighbours that were found."""
    shared = sum(len(set(a) & set(b)) for a, b in zip(found, truth, strict=True))
    return shared / sum(len(b) for b in truth)
