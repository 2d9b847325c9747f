"""Ours beside official Chroma, step by step in turn, on the same real embeddings.

    make benchmark

or, with data and a build that are there already,

    build/demo-venv/bin/python Benchmarks/compare.py [--count 50000] [--official PYTHON]

Both have the same settings: cosine, M = 16, ef_construction = 100, ef_search = 100. Each step runs
on one side, then on the other, round after round, so that a busy machine slows both. The figure of
a step is the median of its rounds in CPU milliseconds, the spread is from the lower to the upper
quartile, and the ratio is official's median by ours. Wall time is given for what waits for the
disk. What queries find is held against an exact search of the same vectors.

Official Chroma is installed by name into build/bench/venv-official. `import` is the first step, in
a fresh process; what follows it in one process is a collection's life: filled, indexed, read,
reopened. The last step fills a second collection while it is read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from dataset import FOLDER, Dataset, nearest, recall

HERE = Path(__file__).resolve().parent
OFFICIAL = "chromadb==1.5.9"
BATCH_SIZE = 1000
QUERY_COUNT = 20
STEPS: list[tuple[str, str, int, int]] = [
    # What is printed, the worker's step, rounds (0: one for each batch), calls of a round
    ("add, batches of 1,000", "add", 0, 1),
    ("until all is indexed", "finish", 1, 1),
    ("upsert of one record", "add_one", 20, 1),
    ("delete of those", "delete_ones", 1, 1),
    ("count", "count", 10, QUERY_COUNT),
    ("get by id", "get", 10, QUERY_COUNT),
    ("query, where_document", "query_document", 5, QUERY_COUNT),
    ("open and query", "reopen", 5, 1),
]
# Queries with filters that let this many of the 1,000 buckets through.
QUERIES = {
    "query": 1000,
    "query, where keeps 50 %": 500,
    "query, where keeps 10 %": 100,
    "query, where keeps 1 %": 10,
    "query, where keeps 0.1 %": 1,
}
QUERY_ROUNDS = 10


@dataclass
class Side:
    name: str
    process: subprocess.Popen[str]
    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)
    # By title: the ids found, and the true ones, query after query.
    found: dict[str, list[list[str]]] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)
    mebibytes: float = 0

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended in the middle of {request}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def note(self, title: str, answer: dict[str, Any], calls: int) -> None:
        self.cpu.setdefault(title, []).append(answer["cpu"] / calls * 1000)
        self.wall.setdefault(title, []).append(answer["wall"] / calls * 1000)


def install() -> str:
    """A Python that has official Chroma."""
    python = FOLDER / "venv-official/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", OFFICIAL], check=True)
    return str(python)


def start(name: str, python: str, data: Path, folder: Path, count: int) -> Side:
    # Some machines steer numpy's BLAS by these; a library must be measured without them.
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")
    }
    process = subprocess.Popen(
        [python, str(HERE / "worker.py"), str(data), str(folder / name), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    return Side(name, process)


def tell(text: str) -> None:
    print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)


def measure(sides: list[Side], count: int) -> None:
    for title, step, rounds, calls in STEPS:
        for round_ in range(rounds or count // BATCH_SIZE):
            tell(f"{title}: {round_ + 1}")
            for side in sides:
                arguments = {} if step == "finish" else {"round_": round_}
                side.note(title, side.ask(step=step, **arguments), calls)
        if step == "delete_ones":
            measure_queries(sides)
    for side in sides:
        side.mebibytes = side.ask(step="byte_count")["value"] / 2**20
        tell(f"queries while a collection fills: {side.name}")
        side.busy = [seconds * 1000 for seconds in side.ask(step="busy")["value"]]
    tell("")


def measure_queries(sides: list[Side]) -> None:
    for title, kept in QUERIES.items():
        for round_ in range(QUERY_ROUNDS):
            tell(f"{title}: {round_ + 1}")
            rows, firsts = chosen(round_, kept)
            for side in sides:
                answer = side.ask(
                    step="query", rows=rows, wheres=[where(first, kept) for first in firsts]
                )
                side.note(title, answer, QUERY_COUNT)
                side.found.setdefault(title, []).extend(answer["value"])


def chosen(round_: int, kept: int) -> tuple[list[int], list[int]]:
    """The queries of a round, and the first bucket that the filter of each lets through."""
    chance = random.Random(round_)
    rows = [round_ * QUERY_COUNT + row for row in range(QUERY_COUNT)]
    return rows, [chance.randint(0, 1000 - kept) for _ in rows]


def where(first: int, kept: int) -> dict[str, Any] | None:
    """A filter that a thousandth of the records meets for each bucket."""
    if kept == 1000:
        return None
    if kept == 1:
        return {"bucket": first}
    return {"$and": [{"bucket": {"$gte": first}}, {"bucket": {"$lt": first + kept}}]}


def truth_of(data: Dataset) -> dict[str, list[list[str]]]:
    """By title: what an exact search finds among the records that the filter lets through."""
    records = data.records()
    ids = [record[0] for record in records]
    buckets = np.array([record[2]["bucket"] for record in records])
    vectors = np.asarray(data.vectors)
    result: dict[str, list[list[str]]] = {}
    for title, kept in QUERIES.items():
        answers = result.setdefault(title, [])
        for round_ in range(QUERY_ROUNDS):
            for row, first in zip(*chosen(round_, kept), strict=True):
                allowed = np.flatnonzero((buckets >= first) & (buckets < first + kept))
                best = nearest(data.queries[row : row + 1], vectors[allowed])[0]
                answers.append([ids[index] for index in allowed[best]])
    return result


def figure(value: float) -> str:
    """Three digits that count, and no powers of ten."""
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def row(title: str, sides: list[Side]) -> str:
    cells = []
    for side in sides:
        cells.append(figure(statistics.median(side.cpu[title])))
        if len(side.cpu[title]) > 2:
            low, _, high = statistics.quantiles(side.cpu[title], n=4)
            cells[-1] += f" ({figure(low)}–{figure(high)})"
    ours, theirs = (statistics.median(side.cpu[title]) for side in sides)
    walls = " / ".join(figure(statistics.median(side.wall[title])) for side in sides)
    return f"| {title} | {cells[0]} | {cells[1]} | {theirs / ours:.1f}× | {walls} |"


def print_report(sides: list[Side], imports: list[float], data: Dataset) -> None:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    model = processor[1] if processor else platform.processor()
    print(
        f"{data.count:,} records of {data.vectors.shape[1]} dimensions, {date.today()}, {model}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.\n"
    )
    print("| | ours, CPU ms | official, CPU ms | ratio | wall ms, ours / official |")
    print("| --- | --- | --- | --- | --- |")
    print(
        f"| import chromadb and numpy | {figure(imports[0])} | {figure(imports[1])} "
        f"| {imports[1] / imports[0]:.1f}× | |"
    )
    titles = [title for title, *_ in STEPS]
    titles[4:4] = QUERIES
    for title in titles:
        print(row(title, sides))
    totals = [sum(side.cpu[titles[0]]) + sum(side.cpu[titles[1]]) for side in sides]
    rates = [data.count / total * 1000 for total in totals]
    print(
        f"| records added and indexed, per CPU second | {rates[0]:,.0f} | {rates[1]:,.0f} "
        f"| {rates[0] / rates[1]:.1f}× | |"
    )
    sizes = [side.mebibytes for side in sides]
    print(f"| MiB on disk | {sizes[0]:.1f} | {sizes[1]:.1f} | {sizes[1] / sizes[0]:.1f}× | |")
    print("\n| recall@10 against exact search | ours | official |")
    print("| --- | --- | --- |")
    for title, true_ids in truth_of(data).items():
        shares = [recall(side.found[title], true_ids) for side in sides]
        print(f"| {title} | {shares[0]:.4f} | {shares[1]:.4f} |")
    print("\n| queries while the collection fills, wall ms | p50 | p99 | queries |")
    print("| --- | --- | --- | --- |")
    for side in sides:
        middle, late = np.percentile(side.busy, [50, 99])
        print(f"| {side.name} | {figure(middle)} | {figure(late)} | {len(side.busy):,} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=sys.executable, help="a Python with our chromadb")
    parser.add_argument("--official", help="a Python with official chromadb")
    parser.add_argument("--data", type=Path, default=FOLDER, help="what prepare.py left")
    parser.add_argument("--count", type=int, default=50_000, help="records, a multiple of 1,000")
    options = parser.parse_args()
    data = Dataset(options.data, options.count)
    folder = Path(tempfile.mkdtemp(prefix="chroma-compare-"))
    try:
        sides = [
            start("ours", options.ours, options.data, folder, options.count),
            start("official", options.official or install(), options.data, folder, options.count),
        ]
        imports = [side.ask(step="import")["cpu"] * 1000 for side in sides]
        measure(sides, options.count)
        for side in sides:
            assert side.process.stdin
            side.process.stdin.close()
            side.process.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_report(sides, imports, data)


if __name__ == "__main__":
    main()
