"""Promise: a service gets the requests from ours that it gets from official Chroma's functions.

Method: `wire.py`, on both: a server on this machine, asked through httpx and the vendors' own
packages. Official's requests are recorded, and live where it is. A function whose package is not
installed is left out; those that need httpx alone always run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .wire import TRIALS

RECORDED = Path(__file__).with_name("official_wire.json")
NEED_HTTPX_ALONE = {"chroma-cloud-qwen", "huggingface_server"}


def outcomes(python: str, path: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("wire.py")
    # A PYTHONPATH that leads to ours must not lead official's interpreter there.
    flags = [] if python == sys.executable else ["-E"]
    subprocess.run([python, *flags, str(script), str(path)], check=True, cwd=path.parent)
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcomes(sys.executable, tmp_path_factory.mktemp("wire") / "ours.json")


def assert_alike(ours: dict[str, Any], official: dict[str, Any]) -> None:
    assert ours.keys() == official.keys() == TRIALS.keys()
    for name, outcome in ours.items():
        if isinstance(outcome, str):
            assert outcome.startswith("needs the package")
            assert name not in NEED_HTTPX_ALONE
        elif isinstance(official[name], dict):
            assert outcome == official[name]


def test_services_get_the_requests_that_official_chroma_sent(ours):
    assert_alike(ours, json.loads(RECORDED.read_text()))


@pytest.mark.official
def test_services_get_the_requests_that_official_chroma_sends(official_python, ours, tmp_path):
    assert_alike(ours, outcomes(official_python, tmp_path / "official.json"))


def test_official_chroma_was_recorded_with_every_package_that_it_can_use():
    recorded = json.loads(RECORDED.read_text())
    left_out = {name for name, outcome in recorded.items() if isinstance(outcome, str)}
    # The package's client has moved since.
    assert left_out == {"mistral"}
