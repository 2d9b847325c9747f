"""Promise: COMPAT.md lists every difference from upstream, and nothing that is none.

Method: each heading of its section "Differences" has a short history that shows the difference; it
runs on our side always, and upstream's side is recorded, or live where official Chroma is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from . import demonstrations, differences
from .histories import DEMONSTRATIONS, load, run

COMPAT = Path(__file__).resolve().parents[3] / "COMPAT.md"
NAMES = [demonstration.name for demonstration in demonstrations.ALL]


def headings(section: str) -> list[str]:
    """The third-level headings inside one second-level section of COMPAT.md."""
    text = COMPAT.read_text()
    body = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return [line[4:] for line in body.splitlines() if line.startswith("### ")]


def test_compat_lists_exactly_the_differences_that_are_shown_here():
    assert sorted(headings("Differences")) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_the_differences_allowed_in_histories_are_among_them():
    assert {difference.name for difference in differences.IN_HISTORIES} <= set(NAMES)


@pytest.mark.parametrize("demonstration", demonstrations.ALL, ids=NAMES)
def test_we_do_what_compat_says_we_do(demonstration):
    outcomes = run(sys.executable, demonstration.history)
    assert demonstration.shown_by(outcomes[-1]), outcomes[-1]


@pytest.mark.parametrize("demonstration", demonstrations.ALL, ids=NAMES)
def test_upstream_was_recorded_doing_otherwise(demonstration):
    assert not demonstration.shown_by(load(DEMONSTRATIONS)[demonstration.name])


@pytest.mark.official
@pytest.mark.parametrize("demonstration", demonstrations.ALL, ids=NAMES)
def test_upstream_still_does_otherwise(official_python, demonstration):
    outcomes = run(official_python, demonstration.history)
    assert not demonstration.shown_by(outcomes[-1]), outcomes[-1]
