"""Promise: schemas are made, kept, shown and refused as upstream does, and forbid the same filters.

Method: one list of trials, `schemas.py`, on both; upstream's outcomes are recorded, and live where
it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .histories import FIXTURES, load

RECORDED = FIXTURES / "schemas.json.xz"


def outcomes(python: str, path: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("schemas.py")
    subprocess.run([python, str(script), str(path)], check=True, cwd=path.parent)
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> dict[str, Any]:
    return outcomes(sys.executable, tmp_path_factory.mktemp("schemas") / "ours.json")


def assert_alike(ours: dict[str, Any], upstream: dict[str, Any]) -> None:
    assert ours.keys() == upstream.keys()
    different = {label for label in ours if ours[label] != upstream[label]}
    assert not different, "\n".join(
        f"{label}:\n  ours     {ours[label]}\n  upstream {upstream[label]}"
        for label in sorted(different)[:5]
    )


def test_schemas_come_out_as_they_did_upstream(ours):
    assert_alike(ours, load(RECORDED))


@pytest.mark.official
def test_schemas_come_out_as_they_do_upstream(official_python, ours, tmp_path):
    assert_alike(ours, outcomes(official_python, tmp_path / "upstream.json"))


def test_the_recording_has_schemas_and_refusals_of_every_kind():
    recorded = load(RECORDED)
    refused = [outcome for outcome in recorded.values() if isinstance(outcome, str)]
    assert len(recorded) > 400
    assert len(set(refused)) >= 60
