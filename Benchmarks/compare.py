"""Ours beside official Chroma, step by step in turn, on the same real embeddings.

    make demo                                             # leaves the data in build/demo
    python3 -m venv build/official && build/official/bin/pip install chromadb==1.5.9
    build/demo-venv/bin/python Benchmarks/compare.py --official build/official/bin/python

Each step runs on one side, then on the other, round after round, so that a busy machine slows
both. The figure of a step is the median of its rounds in CPU milliseconds, the spread is from the
lower to the upper quartile, and the ratio is official's median by ours. Wall time is given for what
waits for the disk. The neighbours that both find are compared with each other first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
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

HERE = Path(__file__).resolve().parent
STEPS: list[tuple[str, str, dict[str, Any], int, int]] = [
    # What is printed, the worker's step, its arguments, rounds, calls of a round
    ("add, batches of 1,000", "add", {}, 0, 1),
    ("upsert of one record", "add_one", {}, 20, 1),
    ("count", "count", {}, 10, 20),
    ("get by id", "get", {}, 10, 20),
    ("query", "query", {}, 10, 20),
    ("query, where keeps half", "query_where", {"selectivity": "half"}, 10, 20),
    ("query, where keeps 1 %", "query_where", {"selectivity": "few"}, 10, 20),
    ("query, where_document", "query_document", {}, 10, 20),
    ("reopen and query", "reopen", {}, 5, 1),
]


@dataclass
class Side:
    name: str
    process: subprocess.Popen[str]
    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended in the middle of {request}.")
        answer: dict[str, Any] = json.loads(line)
        return answer


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


def measure(sides: list[Side], count: int) -> None:
    for title, step, arguments, rounds, calls in STEPS:
        for round_ in range(rounds or count // 1000):
            print(f"\r{title}: {round_ + 1} ", end="", file=sys.stderr, flush=True)
            for side in sides:
                answer = side.ask(step=step, round_=round_, **arguments)
                side.cpu.setdefault(title, []).append(answer["cpu"] / calls * 1000)
                side.wall.setdefault(title, []).append(answer["wall"] / calls * 1000)
        print(file=sys.stderr)


def recall(sides: list[Side]) -> float:
    ours, theirs = (side.ask(step="answers")["value"] for side in sides)
    shared = sum(len(set(a) & set(b)) for a, b in zip(ours, theirs, strict=True))
    return shared / sum(len(a) for a in ours)


def figure(value: float) -> str:
    """Three digits that count, and no powers of ten."""
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def row(title: str, sides: list[Side]) -> str:
    cells = []
    for side in sides:
        low, middle, high = statistics.quantiles(side.cpu[title], n=4)
        cells.append(f"{figure(middle)} ({figure(low)}–{figure(high)})")
    ours, theirs = (statistics.median(side.cpu[title]) for side in sides)
    walls = " / ".join(figure(statistics.median(side.wall[title])) for side in sides)
    return f"| {title} | {cells[0]} | {cells[1]} | {theirs / ours:.1f}× | {walls} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=sys.executable, help="a Python with our chromadb")
    parser.add_argument("--official", required=True, help="a Python with official chromadb")
    parser.add_argument("--data", type=Path, default=HERE.parent / "build/demo")
    parser.add_argument("--count", type=int, default=10_000, help="records, a multiple of 1,000")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chroma-compare-"))
    try:
        sides = [
            start("ours", options.ours, options.data, folder, options.count),
            start("official", options.official, options.data, folder, options.count),
        ]
        imports = [side.ask(step="import")["cpu"] * 1000 for side in sides]
        measure(sides, options.count)
        agreement = recall(sides)
        sizes = [side.ask(step="byte_count")["value"] / 2**20 for side in sides]
        for side in sides:
            assert side.process.stdin
            side.process.stdin.close()
            side.process.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    model = processor[1] if processor else platform.processor()
    load = os.getloadavg()[0]
    print(
        f"{options.count:,} records of 384 dimensions, {date.today()}, {model}, "
        f"{os.cpu_count()} cores, load {load:.1f}."
    )
    print(f"Both find {agreement:.1%} the same of the ten nearest.\n")
    print("| | ours, CPU ms | official, CPU ms | ratio | wall ms, ours / official |")
    print("| --- | --- | --- | --- | --- |")
    print(
        f"| import chromadb and numpy | {imports[0]:.3g} | {imports[1]:.3g} "
        f"| {imports[1] / imports[0]:.1f}× | |"
    )
    for title, *_ in STEPS:
        print(row(title, sides))
    print(f"| MiB on disk | {sizes[0]:.1f} | {sizes[1]:.1f} | {sizes[1] / sizes[0]:.1f}× | |")


if __name__ == "__main__":
    main()
