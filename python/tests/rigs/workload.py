"""What the writers of the kill loop write: the same for the same seed, writer and step.

So the parent needs no report of what was being written when a process died: it knows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

COLLECTION = "survivors"
DIMENSION = 8


@dataclass(frozen=True)
class Size:
    #: Ids a writer chooses from; few enough that it soon meets its own records again.
    id_count: int
    #: Records of a call.
    batch_counts: tuple[int, ...]


SIZES = {
    "small": Size(900, (1, 2, 10, 50, 300)),
    # The collection soon has an index, and there is always something to index.
    "large": Size(9000, (50, 3000, 3000, 3000)),
}


def prefix(writer: int) -> str:
    """What the ids of one writer begin with; no two writers share an id."""
    return f"w{writer}-"


def step(seed: int, writer: int, number: int, size: str) -> dict[str, Any]:
    """The call that a writer makes at a step: {"do": method, "with": arguments}."""
    id_count, batch_counts = SIZES[size].id_count, SIZES[size].batch_counts
    source = random.Random(f"{seed}/{writer}/{number}")
    method = source.choices(["add", "upsert", "update", "delete"], [3, 5, 2, 1])[0]
    count = source.choice([*batch_counts[:-1], source.randint(1, batch_counts[-1])])
    ids = [f"{prefix(writer)}{n}" for n in source.sample(range(id_count), count)]
    if method == "delete":
        return {"do": "delete", "with": {"ids": ids}}
    arguments = {
        "ids": ids,
        "embeddings": [vector(source) for _ in ids],
        "documents": [f"step {number} of {writer}: " + "x" * source.randint(0, 200) for _ in ids],
        "metadatas": [
            {
                "step": number,
                "half": number / 2,
                "tags": ["a", str(number)],
                "even": number % 2 == 0,
            }
            for _ in ids
        ],
    }
    return {"do": method, "with": arguments}


def vector(source: random.Random) -> list[float]:
    # One in ten is from a coarse grid, where equal vectors occur.
    if source.random() < 0.1:
        return [float(source.randint(0, 1)) for _ in range(DIMENSION)]
    return [source.gauss(0, 1) for _ in range(DIMENSION)]
