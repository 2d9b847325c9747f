"""Makes the data that is measured on: glosses of WordNet, embedded, with fields to filter by.

    scripts/install-debian-packages wordnet-base && scripts/make-demo-venv build/demo-venv
    build/demo-venv/bin/python Benchmarks/prepare.py --count 50000

Ten thousand glosses take about a minute of two cores. What is embedded stays in build/bench/parts:
a run that was interrupted goes on where it was, and one for more records embeds only those.
`dataset.py` says what is left in build/bench.

The first glosses of the order are held out as queries. Every other one asks by its headword, as
people do, the rest by their text.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("CHROMA_MODEL_DIR", str(ROOT / "build/models"))
sys.path.append(str(ROOT / "examples/demo"))

import numpy as np  # noqa: E402
import wordnet  # noqa: E402
from dataset import FOLDER  # noqa: E402

from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2  # noqa: E402

QUERY_COUNT = 2000
PART_COUNT = 1000
BUCKET_COUNT = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000, help="records, beside the queries")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    chosen = wordnet.choose_records(QUERY_COUNT + options.count)
    held_out, records = chosen[:QUERY_COUNT], chosen[QUERY_COUNT:]
    texts = [
        record.metadata["lemma"] if row % 2 else record.document
        for row, record in enumerate(held_out)
    ] + [record.document for record in records]
    vectors = embed(texts, options.folder / "parts")
    np.save(options.folder / "queries.npy", vectors[:QUERY_COUNT])
    np.save(options.folder / "vectors.npy", vectors[QUERY_COUNT:])
    rows = with_buckets([(record.id, record.document, record.metadata) for record in records])
    (options.folder / "records.json").write_text(json.dumps(rows))
    print(f"{len(records):,} records and {QUERY_COUNT:,} queries are in {options.folder}.")


def embed(texts: list[str], parts: Path) -> np.ndarray:
    """The vectors of the texts, most of them perhaps from an earlier run."""
    parts.mkdir(parents=True, exist_ok=True)
    function = ONNXMiniLM_L6_V2()
    vectors: list[np.ndarray] = []
    for start in range(0, len(texts), PART_COUNT):
        wanted = texts[start : start + PART_COUNT]
        part = parts / f"{start:06}.npy"
        known = np.load(part) if part.exists() else np.empty((0, 0), np.float32)
        if len(known) < len(wanted):
            known = np.stack(function(wanted))
            fresh = part.with_suffix(".new")
            with open(fresh, "wb") as file:
                np.save(file, known)
            fresh.rename(part)
        vectors.append(known[: len(wanted)])
        done = min(start + PART_COUNT, len(texts))
        print(f"\r{done:,} of {len(texts):,} texts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.concatenate(vectors)


def with_buckets(rows: list[tuple[str, str, dict[str, Any]]]) -> list[list[Any]]:
    """Adds the field `bucket`: of each thousand records one has each number from 0 to 999, so that
    a range of n numbers is met by exactly n/1000 of the records, wherever they lie."""
    chance = random.Random(4)
    buckets: list[int] = []
    result: list[list[Any]] = []
    for id_, document, metadata in rows:
        if not buckets:
            buckets = chance.sample(range(BUCKET_COUNT), BUCKET_COUNT)
        result.append([id_, document, {**metadata, "bucket": buckets.pop()}])
    return result


if __name__ == "__main__":
    main()
