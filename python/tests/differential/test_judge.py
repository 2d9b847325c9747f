"""Promise: the comparison notices. Method: recorded answers, with one defect planted in each."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from .histories import FIXTURES, load
from .judge import Judge

Result = dict[str, Any]


def drop_the_last_row(result: Result) -> None:
    for column in result.values():
        if isinstance(column, list) and column is not result["included"]:
            column.pop()


def swap_two_rows(result: Result) -> None:
    result["ids"][0], result["ids"][1] = result["ids"][1], result["ids"][0]


def change_a_document(result: Result) -> None:
    result["documents"][0] = "another"


def confuse_none_with_empty(result: Result) -> None:
    row = result["metadatas"].index(None)
    result["metadatas"][row] = {}


def confuse_an_integer_with_a_float(result: Result) -> None:
    metadata = next(m for m in result["metadatas"] if m and type(m.get("i")) is int)
    metadata["i"] = float(metadata["i"])


def confuse_a_bool_with_an_integer(result: Result) -> None:
    metadata = next(m for m in result["metadatas"] if m and "b" in m)
    metadata["b"] = int(metadata["b"])


def compose_an_accent(result: Result) -> None:
    result["ids"][result["ids"].index("e\u0301")] = "\u00e9"


def forget_what_was_included(result: Result) -> None:
    result["included"] = []


def lose_the_nearest(result: Result) -> None:
    for column in (result["ids"][0], result["distances"][0]):
        del column[0]


def repeat_a_result(result: Result) -> None:
    result["ids"][0][1] = result["ids"][0][0]


def reverse_the_ranking(result: Result) -> None:
    result["ids"][0].reverse()
    result["distances"][0].reverse()


def bend_a_distance(result: Result) -> None:
    result["distances"][0][-1] += 0.01


GET = [
    drop_the_last_row,
    swap_two_rows,
    change_a_document,
    confuse_none_with_empty,
    confuse_an_integer_with_a_float,
    confuse_a_bool_with_an_integer,
    compose_an_accent,
    forget_what_was_included,
]
QUERY = [lose_the_nearest, repeat_a_result, reverse_the_ranking, bend_a_distance]


@functools.cache
def recordings() -> list[tuple[dict, list, set[int]]]:
    """History, upstream's outcomes, and where upstream itself is not what the model says."""
    loaded = [load(path) for path in sorted(FIXTURES.glob("*-1.json.xz"))]
    return [(r["history"], r["outcomes"], judge(r["history"], r["outcomes"])) for r in loaded]


def judge(history: dict, upstream: list, ours: list | None = None) -> set[int]:
    """The operations at which our outcomes, upstream's own by default, are found wrong."""
    return {f.index for f in Judge(history).run(upstream, ours or upstream)}


def found(suits: Callable[[dict, dict], bool], plant: Callable[[dict], None]) -> bool:
    """Plants a defect in the first suitable outcome that can hold it; whether it is found."""
    for history, upstream, known in recordings():
        for index, operation in enumerate(history["operations"]):
            if index in known or not suits(operation, upstream[index]):
                continue
            ours = copy.deepcopy(upstream)
            try:
                plant(ours[index])
            except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError):
                continue  # This outcome has no place for the defect.
            if json.dumps(ours[index]) != json.dumps(upstream[index]):
                return judge(history, upstream, ours) - known == {index}
    raise AssertionError("no recorded outcome can hold the defect")


def answers(method: str) -> Callable[[dict, dict], bool]:
    return lambda operation, outcome: operation["do"] == method and "returns" in outcome


def fails(operation: dict, outcome: dict) -> bool:
    return "raises" in outcome


@pytest.mark.parametrize("plant", GET, ids=lambda plant: plant.__name__)
def test_a_defect_in_a_get_is_found(plant):
    assert found(answers("get"), lambda outcome: plant(outcome["returns"]))


@pytest.mark.parametrize("plant", QUERY, ids=lambda plant: plant.__name__)
def test_a_defect_in_a_query_is_found(plant):
    assert found(answers("query"), lambda outcome: plant(outcome["returns"]))


def test_a_wrong_count_is_found():
    assert found(answers("count"), lambda outcome: outcome.update(returns=outcome["returns"] + 1))


def test_a_wrong_number_of_deletions_is_found():
    def plant(outcome: dict) -> None:
        outcome["returns"]["deleted"] += 1

    assert found(answers("delete"), plant)


def test_another_message_is_found():
    assert found(fails, lambda outcome: outcome.update(message="something else"))


def test_another_class_of_error_is_found():
    assert found(fails, lambda outcome: outcome.update(raises="builtins.RuntimeError"))


def test_an_answer_in_place_of_an_error_is_found():
    def plant(outcome: dict) -> None:
        outcome.clear()
        outcome["returns"] = None

    assert found(fails, plant)
