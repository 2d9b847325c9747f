"""Running histories in a process of their own, and storing them with what upstream made of them.

A recorded history is a file fixtures/PROFILE-SEED.json.xz: {"history": …, "outcomes": […]}.

    python -m differential.histories record PYTHON        makes the fixtures anew, from python/tests
    python -m differential.histories record PYTHON PROFILE
                                                          makes those of one profile anew
    python -m differential.histories shrink PYTHON PROFILE SEED COUNT
                                                          cuts a failing history to what matters

PYTHON is the interpreter of an environment that has official Chroma, at the version that COMPAT.md
names. `shrink` compares it with the `chromadb` of the running interpreter.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import demonstrations
from .generator import PROFILES, generate
from .judge import Judge

DRIVER = Path(__file__).with_name("driver.py")
FIXTURES = Path(__file__).with_name("fixtures")
DEMONSTRATIONS = FIXTURES / "demonstrations.json.xz"
RECORDED_SEEDS = range(1, 5)
RECORDED_OPERATION_COUNT = 150


def run(python: str, history: dict[str, Any]) -> list[dict[str, Any]]:
    """The outcomes of a history on the `chromadb` of the given interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        written, outcomes = Path(folder, "history.json"), Path(folder, "outcomes.json")
        written.write_text(json.dumps(history))
        process = subprocess.run(
            [python, "-W", "ignore", str(DRIVER), str(written), str(outcomes)],
            capture_output=True,
            text=True,
        )
        if process.returncode != 0:
            raise RuntimeError(f"exit code {process.returncode}\n{process.stderr[-4000:]}")
        return json.loads(outcomes.read_text())


def load(path: Path) -> Any:
    return json.loads(lzma.decompress(path.read_bytes()))


def store(path: Path, value: Any) -> None:
    text = json.dumps(value, separators=(",", ":"))
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def record(python: str, profiles: Iterable[str] = PROFILES) -> None:
    FIXTURES.mkdir(exist_ok=True)
    for profile in profiles:
        for seed in RECORDED_SEEDS:
            history = generate(profile, seed, RECORDED_OPERATION_COUNT)
            outcomes = run(python, history)
            unknown = [f for f in Judge(history).run(outcomes, outcomes) if f.side == "upstream"]
            if unknown:
                raise SystemExit(f"{profile} {seed}: no difference explains\n{unknown[0]}")
            store(
                FIXTURES / f"{profile}-{seed}.json.xz", {"history": history, "outcomes": outcomes}
            )
            print(f"{profile} {seed}", flush=True)


def record_demonstrations(python: str) -> None:
    shown = {d.name: run(python, d.history)[-1] for d in demonstrations.ALL}
    store(DEMONSTRATIONS, shown)


def shrink(history: dict[str, Any], is_failing: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Takes operations out, half of them first, single ones last, as long as it fails."""
    operations = history["operations"]
    size = len(operations) // 2
    while size > 0:
        start = 0
        while start < len(operations):
            fewer = operations[:start] + operations[start + size :]
            if fewer and is_failing({**history, "operations": fewer}):
                operations = fewer
            else:
                start += size
        size //= 2
    return {**history, "operations": operations}


def shrink_and_print(python: str, profile: str, seed: int, operation_count: int) -> None:
    def finding(history: dict[str, Any]):
        findings = Judge(history).run(run(python, history), run(sys.executable, history))
        return findings[0] if findings else None

    history = generate(profile, seed, operation_count)
    first = finding(history)
    if first is None:
        raise SystemExit("this history does not fail")
    history["operations"] = history["operations"][: first.index + 1]

    def fails_alike(shorter: dict[str, Any]) -> bool:
        found = finding(shorter)
        return found is not None and found.operation["do"] == first.operation["do"]

    history = shrink(history, fails_alike)
    for operation in history["operations"]:
        print(json.dumps(operation))
    print(finding(history))


if __name__ == "__main__":
    if sys.argv[1:2] == ["record"] and len(sys.argv) == 3:
        record(sys.argv[2])
        record_demonstrations(sys.argv[2])
    elif sys.argv[1:2] == ["record"] and len(sys.argv) == 4:
        record(sys.argv[2], [sys.argv[3]])
    elif sys.argv[1:2] == ["shrink"] and len(sys.argv) == 6:
        shrink_and_print(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        raise SystemExit(__doc__)
