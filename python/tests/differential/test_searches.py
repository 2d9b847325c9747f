"""Promise: search expressions are built, written, read and refused as upstream does.

Method: random expressions, and data with mistakes to be read as such, from a seed; upstream's
outcomes are recorded for one, and live where it is, for one more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .histories import FIXTURES, load

RECORDED = FIXTURES / "searches.json.xz"
COUNT = 50_000 if os.environ.get("CHROMA_TEST_LONG") else 3_000


def outcomes(python: str, path: Path, *seed_and_count: int) -> dict[str, Any]:
    script = Path(__file__).with_name("searches.py")
    arguments = [str(path), *map(str, seed_and_count)]
    subprocess.run([python, str(script), *arguments], check=True, cwd=path.parent)
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def assert_alike(ours: dict[str, Any], upstream: dict[str, Any]) -> None:
    assert ours.keys() == upstream.keys()
    different = [label for label in ours if ours[label] != upstream[label]]
    assert not different, "\n".join(
        f"{label}:\n  ours     {ours[label]}\n  upstream {upstream[label]}"
        for label in sorted(different, key=len)[:5]
    )


def test_searches_come_out_as_they_did_upstream(tmp_path: Path) -> None:
    assert_alike(outcomes(sys.executable, tmp_path / "ours.json"), load(RECORDED))


@pytest.mark.official
def test_searches_come_out_as_they_do_upstream(official_python: str, tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    ours = outcomes(sys.executable, tmp_path / "ours.json", seed, COUNT)
    assert_alike(ours, outcomes(official_python, tmp_path / "upstream.json", seed, COUNT))


def test_the_recording_has_expressions_and_refusals_of_every_kind() -> None:
    recorded = load(RECORDED)
    refused = [outcome for outcome in recorded.values() if isinstance(outcome, str)]
    assert len(recorded) - len(refused) > 800
    assert len(set(refused)) > 120
