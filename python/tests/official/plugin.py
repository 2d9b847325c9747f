"""Loaded by pytest into a run of official's tests: chooses what is tested, and notes the outcomes.

CHROMA_SUITE_KIND says what is tested:

* `official`: official's package on its own engine;
* `bindings`: official's package on our engine;
* `ours`: our package, with official's tests beside it and stubs where they import its server.

CHROMA_SUITE_OURS is the folder that has our packages, CHROMA_SUITE_TESTS that of official's tests.
Each test is a line of JSON in the file CHROMA_SUITE_OUTCOMES, written when the test ends, so that a
run that is killed leaves what it had.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KIND = os.environ["CHROMA_SUITE_KIND"]
OURS = os.environ["CHROMA_SUITE_OURS"]
TESTS = os.environ["CHROMA_SUITE_TESTS"]
OUTCOMES = Path(os.environ["CHROMA_SUITE_OUTCOMES"])

if KIND == "bindings":
    sys.path.append(OURS)
    import chromadb_swift_bindings

    chromadb_swift_bindings.install()
elif KIND == "ours":
    sys.path.insert(0, OURS)
    import stubs

    stubs.install()

import chromadb  # noqa: E402

if KIND == "ours":
    tests = types.ModuleType("chromadb.test")
    tests.__path__ = [TESTS]
    sys.modules["chromadb.test"] = tests
    chromadb.test = tests  # type: ignore[attr-defined]
assert (Path(chromadb.__file__).parents[1] == Path(OURS)) == (KIND == "ours"), chromadb.__file__


def embed(_: Any, input: list[str]) -> list[Any]:
    """In place of the default model, which would be downloaded: the same for the same text."""
    import numpy as np

    rows = [np.frombuffer(hashlib.shake_128(text.encode()).digest(384), np.uint8) for text in input]
    return [row.astype(np.float32) / 255 - 0.5 for row in rows]


def pytest_configure() -> None:
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    ONNXMiniLM_L6_V2.__call__ = embed  # type: ignore[assignment]


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
        name = f"{item.path.relative_to(TESTS)}::{item.name}"
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
