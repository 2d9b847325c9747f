"""What the demo's processes share: its folder, its records, its batches, and how it shows progress.

<folder>/database/          what chromadb keeps
<folder>/records.json       id, document and metadata of each record
<folder>/embeddings.npy     float32, a row for each record
<folder>/job.json           the two counts below
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import wordnet

import chromadb

COLLECTION_NAME = "glosses"

# Records of a batch that a killed process writes: small, so that a kill falls between many commits.
KILLED_BATCH_SIZE = 10


@dataclass(frozen=True)
class Job:
    """The records to store at first, and those that the killed processes write behind them."""

    folder: Path
    stored_count: int
    killed_count: int

    @staticmethod
    def load(folder: Path) -> Job:
        counts = json.loads((folder / "job.json").read_text())
        return Job(folder, counts["stored"], counts["killed"])

    def save(self, records: Sequence[wordnet.Record], embeddings: np.ndarray) -> None:
        values = [[record.id, record.document, record.metadata] for record in records]
        (self.folder / "records.json").write_text(json.dumps(values))
        np.save(self.folder / "embeddings.npy", embeddings)
        counts = {"stored": self.stored_count, "killed": self.killed_count}
        (self.folder / "job.json").write_text(json.dumps(counts))

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def batch_count(self) -> int:
        """Batches that the killed processes write."""
        return self.killed_count // KILLED_BATCH_SIZE

    def records(self) -> list[wordnet.Record]:
        values = json.loads((self.folder / "records.json").read_text())
        return [wordnet.Record(*value) for value in values]

    def embeddings(self) -> np.ndarray:
        embeddings: np.ndarray = np.load(self.folder / "embeddings.npy")
        return embeddings

    def rows_of_batch(self, batch: int) -> slice:
        first = self.stored_count + batch * KILLED_BATCH_SIZE
        return slice(first, first + KILLED_BATCH_SIZE)

    def open_collection(self) -> tuple[chromadb.ClientAPI, Any]:
        """Opens the collection; the embedding function is the one that it remembers."""
        client = chromadb.PersistentClient(path=str(self.database))
        return client, client.get_collection(COLLECTION_NAME)


class Progress:
    """Shows how far a step is, its rate and the time it still takes.

    A terminal shows one line that changes; a log gets a line at every tenth.
    """

    def __init__(self, what: str, count: int) -> None:
        self._what = what
        self._count = count
        self._begin = time.monotonic()
        self._shown = -1
        self._is_terminal = sys.stdout.isatty()

    def show(self, done: int) -> None:
        share = done * (100 if self._is_terminal else 10) // max(self._count, 1)
        if share == self._shown and done < self._count:
            return
        self._shown = share
        seconds = time.monotonic() - self._begin
        rate = done / seconds if seconds > 0 else 0
        rest = (self._count - done) / rate if rate else 0
        text = f"    {done:,} of {self._count:,} {self._what}, {rate:,.0f} a second"
        text += f", {rest:.0f} s to go" if done < self._count else f", {seconds:.1f} s"
        if self._is_terminal:
            print(f"\r{text:<76}", end="\n" if done >= self._count else "", flush=True)
        else:
            print(text, flush=True)
