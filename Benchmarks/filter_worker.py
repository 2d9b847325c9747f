"""One side of `filters.py`: does what it is told on one database, and measures.

    filter_worker.py NAME DATA DIRECTORY COUNT

Reads one JSON request a line from standard input and answers with one: the seconds of CPU, of the
whole process with its native threads, and what was found or went wrong.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from dataset import Dataset
from filter_peers import PEERS

BATCH_SIZE = 1000


class Side:
    def __init__(self, name: str, data: Path, directory: Path, count: int) -> None:
        self.data = Dataset(data, count)
        self.peer = PEERS[name](directory / name)
        self.peer.open()

    def about(self) -> dict[str, Any]:
        """Its version, and the calls that it has."""
        calls = ["query", "get", "count", "contains", "regex"]
        return {
            "version": version(self.peer.package),
            "calls": [call for call in calls if hasattr(self.peer, call)],
        }

    def fill(self) -> None:
        records = self.data.records()
        vectors = np.asarray(self.data.vectors)
        for first in range(0, len(records), BATCH_SIZE):
            batch = slice(first, first + BATCH_SIZE)
            self.peer.add(records[batch], vectors[batch])
        self.peer.finish()

    def reopen(self) -> None:
        self.peer.close()
        self.peer.open()

    def answer(self, kind: str, calls: list[dict[str, Any]], seconds: float) -> list[Any]:
        """What the calls find, as many of them as begin before the time is up."""
        functions: dict[str, Callable[[dict[str, Any]], Any]] = {
            "query": lambda call: self.peer.query(
                self.data.queries[call["row"]], call.get("where")
            ),
            "get": lambda call: self.peer.get(call["where"], call["limit"]),
            "count": lambda call: self.peer.count(call["where"]),
            "contains": lambda call: self.peer.contains(call["text"], call["limit"]),
            "regex": lambda call: self.peer.regex(call["text"], call["limit"]),
        }
        end = time.process_time() + seconds
        found = []
        for call in calls:
            found.append(functions[kind](call))
            if time.process_time() > end:
                break
        return found


def main() -> None:
    name, data, directory, count = sys.argv[1:]
    # Some libraries print: they shall not print into the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = Side(name, Path(data), Path(directory), int(count))
    for line in sys.stdin:
        request = json.loads(line)
        step = request.pop("step")
        cpu = time.process_time()
        try:
            answer = {"value": getattr(side, step)(**request)}
        except Exception as error:  # Of whatever kind the database has.
            answer = {"error": repr(error)}
        answer["cpu"] = time.process_time() - cpu
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if step == "fill":
            # Else Python walks what it was filled from, again and again, while it is measured.
            gc.collect()
            gc.freeze()
    side.peer.close()
    os._exit(0)  # Interpreters that take long to end would be measured as the next side.


if __name__ == "__main__":
    main()
