"""Loaded by pytest into a run of official's tests: stands in for what they would download, and
notes what comes of each. sitecustomize.py says what is tested.

Each test is a line of JSON in the file CHROMA_SUITE_OUTCOMES, written when the test ends, so that a
run that is killed leaves what it had.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chromadb

KIND = os.environ["CHROMA_SUITE_KIND"]
TESTS = os.environ["CHROMA_SUITE_TESTS"]
OUTCOMES = Path(os.environ["CHROMA_SUITE_OUTCOMES"])

is_ours = Path(chromadb.__file__).is_relative_to(os.environ["CHROMA_SUITE_OURS"])
assert is_ours == (KIND == "ours"), chromadb.__file__


def embed(_: Any, input: list[str]) -> list[Any]:
    """In place of the default model, which would be downloaded: the same for the same text."""
    import numpy as np

    rows = [np.frombuffer(hashlib.shake_128(text.encode()).digest(384), np.uint8) for text in input]
    return [row.astype(np.float32) / 255 - 0.5 for row in rows]


def pytest_configure() -> None:
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    ONNXMiniLM_L6_V2.__call__ = embed  # type: ignore[assignment]


def pytest_collection_finish() -> None:
    """Leaves out the one invariant of the histories that reads the tables of official's files."""
    invariants = sys.modules.get("chromadb.test.property.invariants")
    if invariants is not None and KIND != "official":
        invariants.log_size_below_max = lambda *_: None  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes the worst of a test's three parts."""
    report: Any = yield
    outcome = report.outcome
    if report.when == "setup" or outcome == "failed":
        item.stash[OUTCOME] = (outcome, reason(report))
    elif report.when == "call":
        item.stash[OUTCOME] = (outcome, "")
    item.stash[SECONDS] = item.stash.get(SECONDS, 0.0) + report.duration
    if report.when == "teardown":
        state, why = item.stash[OUTCOME]
        # With its class; the path is relative to wherever the run started.
        name = f"{item.path.relative_to(TESTS)}::{item.nodeid.partition('::')[2]}"
        seconds = round(item.stash[SECONDS], 2)
        with OUTCOMES.open("a") as file:
            print(json.dumps([name, state, why, seconds]), file=file)
    return report


OUTCOME = pytest.StashKey[tuple[str, str]]()
SECONDS = pytest.StashKey[float]()


def reason(report: Any) -> str:
    """The last line of what went wrong."""
    if report.outcome != "failed":
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)[-400:]
