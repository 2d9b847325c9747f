"""Promises that take many processes, forks, or a long life to break.

Method: the rigs beside this file, each a program that prints its seed and its figures. Here they
run for seconds, under CHROMA_TEST_LONG at the numbers that we claim. RIG_SEED is the seed.
"""

from __future__ import annotations

import os

import pytest

from .forks import CASES
from .support import run_rig

LONG = bool(os.environ.get("CHROMA_TEST_LONG"))
SEED = int(os.environ.get("RIG_SEED", "1"))


def run(name: str, **numbers: object) -> str:
    pairs = [(f"--{key}", value) for key, value in {"seed": SEED, **numbers}.items()]
    printed = run_rig(name, *(word for pair in pairs for word in pair))
    print(printed)
    return printed


def test_readers_and_writers_agree_with_the_model_while_they_are_killed_and_stopped():
    run("many_processes", kills=1000 if LONG else 20)


def test_the_model_finds_a_writer_that_acknowledges_too_early():
    with pytest.raises(AssertionError, match=r"is in no state from|is neither in state"):
        run("many_processes", kills=200, defect="early")


def test_deleting_and_adding_again_does_not_grow_the_directory():
    run("space", part="churn", cycles=20)


def test_replacing_does_not_grow_the_directory():
    run("space", part="upserts", upserts=1_000_000 if LONG else 3000)


def test_collections_too_small_to_be_compacted_do_not_waste_either():
    run("space", part="small")


def test_what_was_deleted_is_nowhere_after_a_flush():
    run("space", part="marker")


def test_damage_anywhere_is_an_error_that_names_the_file_or_costs_nothing():
    run("damage", places=250 if LONG else 4)


def test_what_is_opened_read_only_is_current_and_never_changes():
    run("read_only", rounds=300 if LONG else 12)


def test_the_tail_stays_short_however_short_the_writers_live():
    run("short_lives", lives=5000 if LONG else 150)


def test_thousands_of_collections_need_few_descriptors_and_closing_gives_all_back():
    run(
        "many_collections",
        collections=10_000 if LONG else 300,
        cycles=1000 if LONG else 100,
    )


@pytest.mark.parametrize("case", CASES)
def test_processes_that_fork_share_a_directory_with_their_children(case):
    run("forks", case=case, rounds=50 if LONG else 4)


def test_no_call_is_too_big():
    run("big_calls", records=1_000_000 if LONG else 50_000)
