"""Promise: what a program sees of official Chroma, it sees of us; every exception has a name.

Method: random histories, on both, each in a process of its own; compared call by call, with a model
as the judge of what is right. Recorded ones run always, fresh ones where official Chroma is.
"""

from __future__ import annotations

import os
import sys

import pytest

from . import differences
from .generator import PROFILES, generate
from .histories import FIXTURES, load, run
from .judge import Judge

RECORDINGS = sorted(FIXTURES.glob("*-*.json.xz"))
FRESH_SEED = int(os.environ.get("HISTORY_SEED", "1000"))
FRESH_COUNT = int(os.environ.get("HISTORY_COUNT", "3"))
FRESH_OPERATION_COUNT = int(os.environ.get("HISTORY_OPERATION_COUNT", "1500"))


def assert_alike(label: str, history: dict, upstream: list, ours: list) -> None:
    findings = Judge(history).run(upstream, ours)
    # The first one; what follows may be its consequence.
    assert not findings, f"{label}: {len(findings)} findings, the first:\n{findings[0]}"


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.split(".")[0])
def test_a_recorded_history_comes_out_as_it_did_upstream(path):
    recording = load(path)
    ours = run(sys.executable, recording["history"])
    assert_alike(path.name, recording["history"], recording["outcomes"], ours)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.split(".")[0])
def test_a_recorded_history_comes_out_the_same_across_compactions(path):
    recording = load(path)
    ours = run(sys.executable, recording["history"] | {"compact_every": 2})
    assert_alike(path.name, recording["history"], recording["outcomes"], ours)


def test_the_recordings_cover_every_profile_and_thousands_of_operations():
    recordings = [load(path) for path in RECORDINGS]
    assert {path.name.split("-")[0] for path in RECORDINGS} == set(PROFILES)
    assert len(recordings) >= 30
    assert sum(len(r["outcomes"]) for r in recordings) >= 4500


def test_every_bug_of_upstream_that_histories_allow_is_met_in_a_recording():
    met = set()
    for path in RECORDINGS:
        recording = load(path)
        judge = Judge(recording["history"])
        judge.run(recording["outcomes"], recording["outcomes"])
        met |= judge.met
    bugs = {
        difference.name
        for difference in differences.IN_HISTORIES
        if difference.problem is differences.is_not_the_model_s
    }
    assert bugs <= met


@pytest.mark.official
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", range(FRESH_SEED, FRESH_SEED + FRESH_COUNT))
def test_a_fresh_history_comes_out_as_it_does_upstream(official_python, profile, seed):
    history = generate(profile, seed, FRESH_OPERATION_COUNT)
    upstream = run(official_python, history)
    for ours in (history, history | {"compact_every": 3}):
        label = f"{profile} {seed} {FRESH_OPERATION_COUNT}"
        assert_alike(label, history, upstream, run(sys.executable, ours))
