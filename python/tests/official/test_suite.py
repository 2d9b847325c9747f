"""Promise: what passes of official's own tests with its engine passes with ours.

Once with official's package on our engine, once with our package. What official's tests need is in
suite.py, what may fail and why in differences.py.
"""

from __future__ import annotations

import os

import pytest

from official import suite
from official.differences import BINDINGS, OURS, OUT_OF_SCOPE
from official.suite import Outcome, Outcomes

PASSED, FAILED = Outcome("passed", ""), Outcome("failed", "AssertionError: no")


@pytest.fixture(scope="module")
def baseline() -> Outcomes:
    if not os.environ.get("CHROMA_TEST_LONG"):
        pytest.skip("runs official's own tests for half an hour: CHROMA_TEST_LONG=1")
    return suite.baseline(())


@pytest.mark.parametrize("kind", ["bindings", "ours"])
def test_officials_own_tests_pass(baseline: Outcomes, kind: str) -> None:
    assert len(baseline) > 500
    assert suite.complaints(kind, baseline, suite.run(kind, ())) == []


def test_a_test_that_passes_with_official_only_is_a_complaint() -> None:
    official = {"a": PASSED, "b": PASSED, "c": FAILED, "d": PASSED}
    found = {"a": FAILED, "b": PASSED, "c": FAILED}
    assert suite.unexpected(official, found, {}) == [
        "a: failed: AssertionError: no",
        "d: missing: the test was not there, or was not reached",
    ]
    assert suite.unexpected(official, found, {"a": "why", "[": "why", "?": "why"}) == []


def test_a_run_that_ends_early_is_a_complaint() -> None:
    found = suite.parsed('["a", "passed", "", 0.1]\n')
    found[suite.WHOLE_RUN] = Outcome("failed", "pytest ended with -11")
    assert suite.unexpected({"a": PASSED}, found, {"*": "why"}) == [
        f"{suite.WHOLE_RUN}: pytest ended with -11"
    ]


def test_a_difference_that_is_none_any_more_is_a_complaint() -> None:
    official = {"x.py::a[1]": PASSED, "x.py::a[2]": PASSED, "y.py::b": PASSED}
    known = {"x.py::a[*": "why", "y.py::*": "why", "z.py::*": "not among those that were run"}
    found = {"x.py::a[1]": PASSED, "x.py::a[2]": FAILED, "y.py::b": PASSED}
    assert suite.out_of_date(official, found, known) == ["y.py::*"]


def test_names_are_the_same_in_every_process() -> None:
    lines = '["t[<function f at 0x7f12>]", "passed", "", 1.0]\n'
    assert list(suite.parsed(lines)) == ["t[<function f at 0x…>]"]


@pytest.mark.parametrize("listed", [BINDINGS, OURS, OUT_OF_SCOPE])
def test_everything_listed_has_a_reason(listed: dict[str, str]) -> None:
    assert all(len(reason.split()) >= 3 for reason in listed.values())
