"""Our vector index beside hnswlib, glass and official Chroma, block by block in turn.

    make benchmark-index

or, with data and a build that are there already,

    build/demo-venv/bin/python Benchmarks/index.py [--count 50000] [--rounds 10]

All sides index the same vectors on one thread (cosine, M = 16, ef_construction = 100) and answer
the same queries: in each round, for each ef, every side answers one block of queries before any
side goes on, so that a busy machine slows all of them. What is counted is CPU time, and what is
compared is queries per CPU second at equal recall: the rate at a recall is interpolated on the
curve of a side, in every round by itself. The figure is the median of the rounds, with its
quartiles.
Official Chroma is a whole database, at its one ef; it stands there as what its users have.

The other libraries are installed by name into build/bench/venv-index. The result is a table on
standard output, build/bench/index.md, and the curves as build/bench/index.svg.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from chart import Curve, draw
from dataset import FOLDER, Dataset, recall

ROOT = Path(__file__).resolve().parent.parent
PEERS = {"hnswlib": "hnswlib", "glass": "pyglass-portable", "chromadb": "chromadb==1.5.9"}
TITLES = {
    "ours": "ours",
    "hnswlib": "hnswlib",
    "glass": "glass, SQ8 and float32",
    "chromadb": "official Chroma, all of it",
}
EFS = [10, 12, 16, 24, 32, 48, 64, 100, 150, 200, 300, 400, 600, 800]
RECALLS = [0.90, 0.95, 0.97, 0.98, 0.99, 0.995]
WARM_COUNT = 50
RESULT_COUNT = 10


@dataclass
class Side:
    """A process that has an index, and what it has done."""

    name: str
    process: subprocess.Popen[str]
    efs: list[int]
    build_cpu: list[float] = field(default_factory=list)
    # By ef: CPU seconds of each round's block, and the rows found, block after block.
    cpu: dict[int, list[float]] = field(default_factory=dict)
    found: dict[int, list[list[int]]] = field(default_factory=dict)
    recall: dict[int, float] = field(default_factory=dict)

    def ask(self, *words: object) -> tuple[float, float, list[int]]:
        """What a request took, in seconds of CPU and by the clock, and the rows it answered."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            word, *fields = line.split() or [""]
            if word == "answer":
                return float(fields[0]), float(fields[1]), [int(field) for field in fields[2:]]
        raise SystemExit(f"{self.name} ended in the middle of: {' '.join(map(str, words))}")

    def rate(self, wanted: float, round_: int) -> float | None:
        """Queries per CPU second at a recall: between the two points of the curve around it."""
        points = [(self.recall[ef], ef) for ef in self.efs]
        below = max((point for point in points if point[0] < wanted), default=None)
        above = min((point for point in points if point[0] >= wanted), default=None)
        if below is None or above is None:
            return None
        low, high = (math.log(self.cpu[ef][round_]) for _, ef in (below, above))
        share = (wanted - below[0]) / (above[0] - below[0])
        return (
            len(self.found[above[1]])
            / len(self.cpu[above[1]])
            / math.exp(low + share * (high - low))
        )


def install(names: list[str]) -> Path:
    """A Python that has the other libraries. Some of them are compiled on the way."""
    folder = FOLDER / "venv-index"
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    known = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    missing = [PEERS[name] for name in names if PEERS[name].partition("=")[0] not in known]
    if missing:
        command = [python, "-m", "pip", "install", "--quiet", "numpy", *missing]
        subprocess.run(command, check=True)
    return python


def start(name: str, command: list[str], data: Dataset) -> Side:
    files = [str(data.folder / "vectors.npy"), str(data.folder / "queries.npy"), str(data.count)]
    # Some machines steer numpy's BLAS by these; a library must be measured without them.
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")
    }
    process = subprocess.Popen(
        command + files,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    return Side(name, process, [100] if name == "chromadb" else EFS)


def tell(text: str) -> None:
    print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)


def in_turn(sides: list[Side], round_: int) -> list[Side]:
    """The sides, each round beginning with another, so that no one always follows the same."""
    first = round_ % len(sides)
    return sides[first:] + sides[:first]


def measure(sides: list[Side], data: Dataset, builds: int, rounds: int, block: int) -> None:
    for round_ in range(builds):
        for side in in_turn(sides, round_):
            if side.name == "chromadb" and round_ > 0:
                continue
            tell(f"build {round_ + 1} of {builds}: {side.name}")
            cpu, _, _ = side.ask("build", 1)
            side.build_cpu.append(cpu)
    for round_ in range(rounds):
        first = round_ * block % (len(data.queries) - block + 1)
        warm = (first + len(data.queries) // 2) % (len(data.queries) - WARM_COUNT + 1)
        for ef in EFS:
            tell(f"round {round_ + 1} of {rounds}, ef {ef}")
            for side in in_turn(sides, round_):
                if ef not in side.efs:
                    continue
                # The side before has emptied the caches.
                side.ask("query", ef, warm, WARM_COUNT)
                cpu, _, rows = side.ask("query", ef, first, block)
                side.cpu.setdefault(ef, []).append(cpu)
                answers = np.reshape(rows, (block, RESULT_COUNT)).tolist()
                side.found.setdefault(ef, []).extend(answers)
    tell("")
    truth = data.truth()
    asked = [
        truth[(round_ * block % (len(truth) - block + 1)) + row]
        for round_ in range(rounds)
        for row in range(block)
    ]
    for side in sides:
        side.recall = {ef: recall(side.found[ef], asked) for ef in side.efs}


def spread(values: list[float]) -> str:
    """The median, and the quartiles where there are any."""
    middle = figure(statistics.median(values))
    if len(values) < 3:
        return middle
    low, _, high = statistics.quantiles(values, n=4)
    return f"{middle} ({figure(low)}–{figure(high)})"


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def report(sides: list[Side], data: Dataset, rounds: int, block: int) -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    titles = [TITLES[side.name] for side in sides]
    lines = [
        f"{data.count:,} vectors of {data.vectors.shape[1]} dimensions, cosine, M = 16, "
        f"ef_construction = 100; {rounds} rounds of {block} queries; {date.today()}, "
        f"{processor[1] if processor else platform.processor()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}.",
        "",
        "| queries per CPU second | " + " | ".join(titles) + " |",
        "| --- |" + " --- |" * len(sides),
    ]
    ours = sides[0]
    for wanted in RECALLS:
        rates = [[side.rate(wanted, round_) for round_ in range(rounds)] for side in sides]
        cells = [spread([r for r in rate if r]) if rate[0] else "–" for rate in rates]
        for index in range(1, len(sides)):
            if rates[0][0] and rates[index][0]:
                ratios = [a / b for a, b in zip(rates[0], rates[index], strict=True) if a and b]
                cells[index] += f", **{statistics.median(ratios):.2f}×**"
        lines.append(f"| recall {wanted:.3g} | " + " | ".join(cells) + " |")
    for side in sides[1:]:
        if len(side.efs) == 1:
            lines.append(single_point(ours, sides, side, rounds, block))
    cells = []
    for side in sides:
        rate = data.count / statistics.median(side.build_cpu)
        own = data.count / statistics.median(ours.build_cpu)
        cells.append(figure(rate) + ("" if side is ours else f", **{own / rate:.2f}×**"))
    lines.append("| build, vectors per CPU second | " + " | ".join(cells) + " |")
    lines += ["", "**n×**: ours is so many times as fast, the median of the rounds' ratios.", ""]
    lines.append("| recall, queries per CPU second | " + " | ".join(titles) + " |")
    lines.append("| --- |" + " --- |" * len(sides))
    for ef in EFS:
        cells = [
            f"{side.recall[ef]:.4f}, {figure(block / statistics.median(side.cpu[ef]))}"
            if ef in side.efs
            else ""
            for side in sides
        ]
        lines.append(f"| ef = {ef} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def single_point(ours: Side, sides: list[Side], side: Side, rounds: int, block: int) -> str:
    """The row of a side that has but one ef: ours at the recall that it has there."""
    ef = side.efs[0]
    rates = [block / cpu for cpu in side.cpu[ef]]
    own = [ours.rate(side.recall[ef], round_) for round_ in range(rounds)]
    cells = []
    for other in sides:
        if other is ours:
            cells.append(spread([rate for rate in own if rate]) if own[0] else "–")
        elif other is side:
            ratios = [a / b for a, b in zip(own, rates, strict=True) if a]
            cells.append(
                spread(rates) + (f", **{statistics.median(ratios):.2f}×**" if ratios else "")
            )
        else:
            cells.append("")
    return f"| recall {side.recall[ef]:.3f}, its own | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="what prepare.py left")
    parser.add_argument("--count", type=int, default=50_000, help="vectors")
    parser.add_argument("--builds", type=int, default=3, help="times that each side builds")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--block", type=int, default=200, help="queries of a block")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument(
        "--ours", type=Path, default=ROOT / ".build/release/measure-index", help="our program"
    )
    options = parser.parse_args()
    data = Dataset(options.folder, options.count)
    data.truth()
    FOLDER.mkdir(parents=True, exist_ok=True)
    python = str(install(options.peers)) if options.peers else ""
    sides = [start("ours", [str(options.ours)], data)]
    for name in options.peers:
        command = [python, str(Path(__file__).resolve().with_name("index_peer.py")), name]
        sides.append(start(name, command, data))
    measure(sides, data, options.builds, options.rounds, options.block)
    text = report(sides, data, options.rounds, options.block)
    for side in sides:
        assert side.process.stdin
        side.process.stdin.close()
        side.process.wait(timeout=60)
    (FOLDER / "index.md").write_text(text)
    curves = [
        Curve(
            TITLES[side.name],
            [
                (side.recall[ef], options.block / statistics.median(side.cpu[ef]), str(ef))
                for ef in side.efs
            ],
        )
        for side in sides
    ]
    title = f"Queries per CPU second by recall of the ten nearest, {options.count:,} vectors"
    (FOLDER / "index.svg").write_text(draw(title, curves))
    print(text)


if __name__ == "__main__":
    main()
