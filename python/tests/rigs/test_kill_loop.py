"""Promise: killed at any moment, the directory reopens at once with all that was acknowledged.

Method: the kill loop of kill_loop.py. KILL_COUNT is the number of kills over all cases together,
KILL_SEED the first case's seed.
"""

from __future__ import annotations

import os
import re
import shutil

import pytest

from . import kill_loop

LONG = bool(os.environ.get("CHROMA_TEST_LONG"))
KILL_COUNT = int(os.environ.get("KILL_COUNT", "400" if LONG else "60"))
SEED = int(os.environ.get("KILL_SEED", "1"))


@pytest.mark.parametrize("writer_count", [1, 2, 3, 4])
def test_nothing_acknowledged_is_lost_when_writers_are_killed(writer_count):
    loop = kill_loop.run(-(-KILL_COUNT // 4), SEED + writer_count, writer_count)
    assert loop.acknowledged_count > 0


@pytest.mark.parametrize("writer_count", [1, 2])
def test_an_index_loses_nothing_when_those_who_build_it_are_killed(writer_count):
    loop = kill_loop.run(-(-KILL_COUNT // 10), SEED + writer_count, writer_count, size="large")
    assert loop.indexed_count > 0


@pytest.mark.parametrize("defect", ["early", "halves"])
def test_the_loop_finds_a_planted_defect(defect):
    with pytest.raises(kill_loop.Failure) as caught:
        kill_loop.run(100, SEED, 1, defect=defect)
    shutil.rmtree(re.search(r", in (\S+):", str(caught.value)).group(1))
