"""Filters and texts: ours beside official Chroma and five other databases.

    make benchmark-filters

or, with data and a build that are there already,

    build/demo-venv/bin/python Benchmarks/filters.py [--count 50000] [--rounds 10] [--peers …]

Every side is a process of its own that holds the same records of WordNet (`prepare.py`). For each
thing that is asked, in each round, every side answers one block of calls before any side goes on,
so that a busy machine slows all of them. No two calls ask for the same: windows, words and patterns
are drawn anew (`filter_cases.py`), the same ones for every side. What is counted is CPU time of the
whole process, its native threads included, for each call; the figure is the median of the rounds.

First use is measured apart: three times for each thing asked, a side closes its database, opens it
again, and answers one call. A block begins with a few calls that are not counted, as the side
before has emptied the caches. A side that is slow answers fewer calls of a block.

Every answer is held against the truth: queries by their recall against an exact search of the
records that the filter keeps, and any other call by whether it is right.

The others are installed by name into build/bench/venv-filters, official Chroma into
build/bench/venv-official; one that cannot be installed is left out. The result is tables on
standard output and in build/bench/filters.md, and the first of them drawn as filters.svg.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import compare
from chart import Row, draw_costs
from compare import figure, tell
from dataset import FOLDER, Dataset
from filter_cases import PLAIN_QUERY, Case, Operands, cases

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "official": [compare.OFFICIAL],
    "zvec": ["zvec"],
    "qdrant-edge": ["qdrant-edge-py"],
    "lancedb": ["lancedb"],
    "sqlite-vec": ["sqlite-vec", "pysqlite3-binary"],
    "duckdb": ["duckdb"],
}
FIRST_COUNT = 3
WARM_COUNT = 5
CALL_COUNT = 20
# What a block of calls, and the calls before it, may take at most on one side.
BLOCK_SECONDS = 0.5
WARM_SECONDS = 0.1


class CallError(Exception):
    """What a database said when it could not answer."""


@dataclass
class Side(compare.Side):
    """A process that has a database. Its `cpu` is milliseconds a call, by title and round."""

    version: str = ""
    calls: list[str] = field(default_factory=list)
    open_cpu: list[float] = field(default_factory=list)
    first_cpu: dict[str, list[float]] = field(default_factory=dict)
    # By title: calls and what was found.
    answers: dict[str, list[tuple[dict[str, Any], Any]]] = field(default_factory=dict)

    def measure(self, case: Case, calls: list[dict[str, Any]], seconds: float) -> float:
        """CPU milliseconds a call; what was found is kept."""
        answer = self.ask(step="answer", kind=case.kind, calls=calls, seconds=seconds)
        if "error" in answer:
            raise CallError(answer["error"])
        found = answer["value"]
        self.answers.setdefault(case.title, []).extend(zip(calls, found, strict=False))
        cpu: float = answer["cpu"]
        return cpu / len(found) * 1000


def install(names: list[str]) -> dict[str, str]:
    """By name: a Python that has the database. Those that cannot be installed are left out."""
    pythons = {}
    python = FOLDER / "venv-filters/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "numpy", "pyarrow"], check=True)
    known = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    for name in names:
        try:
            if name == "official":
                pythons[name] = compare.install()
                continue
            if missing := [package for package in PACKAGES[name] if package + "==" not in known]:
                subprocess.run([python, "-m", "pip", "install", "-q", *missing], check=True)
            pythons[name] = str(python)
        except subprocess.CalledProcessError as error:
            print(f"{name} is left out: it cannot be installed ({error}).", file=sys.stderr)
    return pythons


def start(name: str, python: str, data: Dataset, folder: Path) -> Side:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")
    }
    arguments = [name, str(data.folder), str(folder), str(data.count)]
    process = subprocess.Popen(
        [python, str(HERE / "filter_worker.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    side = Side(name, process)
    about = side.ask(step="about")["value"]
    side.version, side.calls = about["version"], about["calls"]
    return side


def fill(sides: list[Side]) -> None:
    """All of them at once, as this is not measured."""
    tell("filling the databases")
    with ThreadPoolExecutor(len(sides)) as pool:
        answers = list(pool.map(lambda side: side.ask(step="fill"), sides))
    for side, answer in zip(sides, answers, strict=True):
        if "error" in answer:
            sys.exit(f"{side.name} cannot be filled: {answer['error']}")


def in_turn(sides: list[Side], round_: int) -> list[Side]:
    """The sides, each round beginning with another, so that no one always follows the same."""
    first = round_ % len(sides)
    return sides[first:] + sides[:first]


def measure(sides: list[Side], operands: Operands, asked: list[Case], rounds: int) -> None:
    for case in asked:
        able = [side for side in sides if case.kind in side.calls]
        for round_ in range(rounds):
            tell(f"{case.title}: {round_ + 1} of {rounds}")
            chance = random.Random(f"{case.title} {round_}")
            calls = [
                case.draw(operands, chance, row)
                for row in chance.sample(range(len(operands.queries)), 1 + WARM_COUNT + CALL_COUNT)
            ]
            for side in in_turn(able, round_):
                try:
                    measure_block(side, case, calls, is_first=round_ < FIRST_COUNT)
                except CallError as error:
                    print(f"{side.name} cannot do {case.title!r}: {error}", file=sys.stderr)
                    side.cpu.pop(case.title, None)
                    able = [other for other in able if other is not side]
    tell("")


def measure_block(side: Side, case: Case, calls: list[dict[str, Any]], is_first: bool) -> None:
    if is_first:
        side.open_cpu.append(side.ask(step="reopen")["cpu"] * 1000)
        first = side.measure(case, calls[:1], BLOCK_SECONDS)
        side.first_cpu.setdefault(case.title, []).append(first)
    side.measure(case, calls[1 : 1 + WARM_COUNT], WARM_SECONDS)
    cpu = side.measure(case, calls[1 + WARM_COUNT :], BLOCK_SECONDS)
    side.cpu.setdefault(case.title, []).append(cpu)


def scores(sides: list[Side], operands: Operands, case: Case) -> list[float | None]:
    """By side: the recall of queries, or the share of calls that were answered right."""
    result: list[float | None] = []
    truths: dict[str, Any] = {}
    for side in sides:
        values = []
        for call, found in side.answers.get(case.title, []):
            key = repr(call)
            if key not in truths:
                truths[key] = operands.truth(case.kind, call)
            values.append(operands.score(case.kind, call, found, truths[key]))
        result.append(statistics.mean(values) if values else None)
    return result


def middle(values: list[float] | None) -> str:
    return figure(statistics.median(values)) if values else "–"


def cell(side: Side, title: str) -> str:
    values = side.cpu.get(title)
    if side.name != "ours" or not values or len(values) < 3:
        return middle(values)
    low, _, high = statistics.quantiles(values, n=4)
    return f"{middle(values)} ({figure(low)}–{figure(high)})"


def times_plain(side: Side, title: str) -> str:
    if title not in side.cpu or PLAIN_QUERY not in side.cpu:
        return "–"
    filtered, plain = (statistics.median(side.cpu[name]) for name in (title, PLAIN_QUERY))
    return f"{filtered / plain:.2f}"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " --- |" * (len(head) - 1)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def report(sides: list[Side], operands: Operands, asked: list[Case], rounds: int) -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    names = [f"{side.name} {side.version}" for side in sides]
    lines = [
        f"{len(operands.ids):,} records of {operands.vectors.shape[1]} dimensions; {rounds} rounds "
        f"of up to {CALL_COUNT} calls; {date.today()}, "
        f"{processor[1] if processor else platform.processor()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}.",
        "",
    ]
    titles = [case.title for case in asked]
    lines += table(
        ["CPU ms a call", *names],
        [[title, *(cell(side, title) for side in sides)] for title in titles],
    )
    filtered = [title for title in titles if title.startswith(f"{PLAIN_QUERY},")]
    if PLAIN_QUERY in titles:
        lines += table(
            ["times a query without a filter", *names],
            [[title, *(times_plain(side, title) for side in sides)] for title in filtered],
        )
    lines += table(
        ["CPU ms of the first call", *names],
        [
            ["(opening)", *(middle(side.open_cpu) for side in sides)],
            *([title, *(middle(side.first_cpu.get(title)) for side in sides)] for title in titles),
        ],
    )
    lines += table(
        ["recall of queries, share of right answers", *names],
        [
            [
                case.title,
                *(
                    "–" if value is None else f"{value:.4g}"
                    for value in scores(sides, operands, case)
                ),
            ]
            for case in asked
        ],
    )
    return "\n".join(lines)


def drawing(sides: list[Side], asked: list[Case]) -> str:
    rows = []
    for case in asked:
        rounds = [side.cpu.get(case.title) for side in sides]
        rows.append(Row(case.title, [statistics.median(cpu) if cpu else None for cpu in rounds]))
    names = [side.name for side in sides]
    return draw_costs("CPU milliseconds a call, less is better", names, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=sys.executable, help="a Python with our chromadb")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="what prepare.py left")
    parser.add_argument("--count", type=int, default=50_000, help="records")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--peers", nargs="*", default=list(PACKAGES), choices=list(PACKAGES))
    parser.add_argument("--only", default="", help="a regular expression of what is asked")
    options = parser.parse_args()
    data = Dataset(options.folder, options.count)
    operands = Operands(data)
    asked = [case for case in cases(options.count) if re.search(options.only, case.title)]
    pythons = {"ours": options.ours, **install(options.peers)}
    folder = Path(tempfile.mkdtemp(prefix="chroma-filters-"))
    try:
        sides = [start(name, python, data, folder) for name, python in pythons.items()]
        fill(sides)
        measure(sides, operands, asked, options.rounds)
        for side in sides:
            assert side.process.stdin
            side.process.stdin.close()
            side.process.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = report(sides, operands, asked, options.rounds)
    (FOLDER / "filters.md").write_text(text)
    (FOLDER / "filters.svg").write_text(drawing(sides, asked))
    print(text)


if __name__ == "__main__":
    main()
