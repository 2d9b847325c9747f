"""Builds and reads random search expressions on whatever `chromadb` this interpreter imports.

    python searches.py OUTCOMES.json [SEED COUNT]
    python searches.py fixtures/searches.json.xz        (records: with official Chroma)

The outcomes are an object: a trial as JSON text, and what came of it: the expression's dictionary,
or `CLASS: message`. A trial is ["read", CLASS, DATA], data with mistakes in it, or
["make", EXPRESSION], where an expression is a list of what makes it and its arguments. The same
seed makes the same trials everywhere.
"""

from __future__ import annotations

import json
import lzma
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import chromadb.execution.expression as expressions
from chromadb.api.types import SparseVector
from chromadb.execution.expression import Key, Search

SEED, COUNT = 1, 3000
NAMES = ["a", "b", "tags", "#document", "#id", "#score", "#embedding", "#metadata", "", "#zz"]
SCALARS = [0, 1, -1, 2.5, True, "", "x", "[0-9]+"]
JUNK = [None, 0, -1, 1.5, True, "x", [], [1], {}, {"$zz": 1}, {"a": 1}, [[]], [None]]
SPARSE = {"#type": "sparse_vector", "indices": [0, 3], "values": [0.5, 1]}


# ---- Data to be read ----------------------------------------------------------------------------


def spoiled(random: Random, data: Any) -> Any:
    """The data with something in it that it should not have, sometimes."""
    if random.random() < 0.93:
        return data
    if isinstance(data, dict) and data and random.random() < 0.7:
        key = random.choice(list(data))
        change = random.randrange(4)
        if change == 0:
            return {other: value for other, value in data.items() if other != key}
        if change == 1:
            return data | {"zz": 1}
        if change == 2:
            return {("$zz" if other == key else other): value for other, value in data.items()}
        return data | {key: random.choice(JUNK)}
    return random.choice(JUNK)


def where_data(random: Random, depth: int) -> Any:
    if depth and random.random() < 0.5:
        parts = [where_data(random, depth - 1) for _ in range(random.randint(1, 3))]
        return spoiled(random, {random.choice(["$and", "$or"]): parts})
    name, value = random.choice(NAMES), random.choice(SCALARS)
    operators = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains", "$not_contains"]
    choice = random.randrange(5)
    if choice == 0:
        return spoiled(random, {name: value})
    if choice == 1:
        condition = {random.choice(["$in", "$nin"]): random.sample(SCALARS, random.randint(0, 3))}
    elif choice == 2:
        condition = {random.choice(["$regex", "$not_regex"]): random.choice(["x", "[0-9]+"])}
    else:
        condition = {random.choice(operators): value}
    return spoiled(random, {name: spoiled(random, condition)})


def rank_data(random: Random, depth: int) -> Any:
    if not depth or random.random() < 0.25:
        if random.random() < 0.4:
            return spoiled(random, {"$val": random.choice([0, 1, -2.5, True])})
        queries = [[1.0, 2.0], [1, 2], [0.1], [[0.5, 0.25]], [[1.0], [2.0]], SPARSE, "text", []]
        knn: dict[str, Any] = {"query": random.choice(queries)}
        for name, values in [
            ("key", ["#embedding", "sparse", ""]),
            ("limit", [1, 16, 1000]),
            ("default", [0, 10.5, None]),
            ("return_rank", [True, False]),
        ]:
            if random.random() < 0.4:
                knn[name] = random.choice(values)
        return spoiled(random, {"$knn": spoiled(random, knn)})
    kind = random.randrange(3)
    if kind == 0:
        function = random.choice(["$abs", "$exp", "$log"])
        return spoiled(random, {function: rank_data(random, depth - 1)})
    if kind == 1:
        sides = {"left": rank_data(random, depth - 1), "right": rank_data(random, depth - 1)}
        return spoiled(random, {random.choice(["$sub", "$div"]): spoiled(random, sides)})
    ranks = [rank_data(random, depth - 1) for _ in range(random.choice([1, 2, 2, 2, 3, 4]))]
    return spoiled(random, {random.choice(["$sum", "$mul", "$max", "$min"]): ranks})


def limit_data(random: Random) -> Any:
    data = {"offset": random.choice([0, 1, -1, True]), "limit": random.choice([1, 20, 0, None])}
    return spoiled(random, {name: data[name] for name in data if random.random() < 0.8})


def select_data(random: Random) -> Any:
    return spoiled(random, {"keys": random.choices(NAMES, k=random.randint(0, 4))})


def aggregate_data(random: Random) -> Any:
    keys = random.choices(NAMES, k=random.choice([0, 1, 1, 2, 2]))
    body = spoiled(random, {"keys": keys, "k": random.choice([1, 3, 3, 0, -1, True])})
    return spoiled(random, {random.choice(["$min_k", "$max_k"]): body})


def group_by_data(random: Random) -> Any:
    keys = random.choices(NAMES, k=random.choice([0, 1, 1, 2, 2]))
    return spoiled(random, {"keys": keys, "aggregate": aggregate_data(random)})


def sparse_data(random: Random) -> Any:
    indices = random.choice([[], [0], [0, 3], [3, 0], [1, 1], [-1, 2], ["x"], [True], 5])
    values = random.choice([[], [1], [0.5, 1], ["x"], [None], [True, 2.5], {}])
    tokens = random.choice([None, None, [], ["a"], ["a", "b"], "ab"])
    data = {"#type": "sparse_vector", "indices": indices, "values": values, "tokens": tokens}
    return spoiled(random, data)


# ---- Expressions to be made ---------------------------------------------------------------------


def where_made(random: Random, depth: int) -> list[Any]:
    if depth and random.random() < 0.6:
        parts = [where_made(random, depth - 1), where_made(random, depth - 1)]
        return [random.choice(["&", "|"]), *parts]
    name = random.choice(NAMES)
    method = random.choice(["==", "!=", ">", ">=", "<", "<=", "is_in", "not_in", "contains"])
    if random.random() < 0.3:
        method = random.choice(["not_contains", "regex", "not_regex"])
    operand = [1, 2] if method in ("is_in", "not_in") else random.choice(SCALARS)
    return ["compare", name, method, operand]


def rank_made(random: Random, depth: int) -> Any:
    choice = random.random()
    if not depth or choice < 0.25:
        if random.random() < 0.3:
            return ["Val", random.choice([0, -1, 2.5])]
        query = random.choice(["text", [1.0, 2.0], ["array", [1, 2]], ["array", [0.1]], SPARSE])
        knn = {"query": query, "key": random.choice(NAMES), "limit": random.choice([0, 16])}
        return ["Knn", knn | {"return_rank": random.random() < 0.5, "default": None}]
    if choice < 0.4:
        ranks = [rank_made(random, depth - 1) for _ in range(random.randint(0, 3))]
        weights = random.choices([0, 1, 0.25, 3.0, -1], [2, 4, 4, 4, 1], k=len(ranks))
        weights = random.choice([None, weights, weights, [1.0]])
        fusion = {"k": random.choice([60, 60, 1, 0, -5]), "normalize": random.random() < 0.5}
        return ["Rrf", ranks, fusion | {"weights": weights}]
    if choice < 0.55:
        return [random.choice(["neg", "abs", "abs()", "exp", "log"]), rank_made(random, depth - 1)]
    sides = [rank_made(random, depth - 1), rank_made(random, depth - 1)]
    name = random.choice(["+", "-", "*", "/", "max", "min"])
    if random.random() < 0.4:
        sides[1] = random.choice([0, 2, -0.5, True])
        if name in "+-*/" and random.random() < 0.5:
            sides.reverse()
    return [name, *sides]


def search_made(random: Random) -> list[Any]:
    parts: dict[str, Any] = {
        "where": lambda: random.choice([where_data(random, 2), ["x"], where_made(random, 2)]),
        "rank": lambda: random.choice([rank_data(random, 2), 5, rank_made(random, 2)]),
        "group_by": lambda: random.choice([group_by_data(random), [], None]),
        "limit": lambda: random.choice([limit_data(random), 10, 0, "x", 2.5, None]),
        "select": lambda: random.choice([select_data(random), ["a", "#score"], [1], "a", None]),
    }
    steps: dict[str, Any] = {
        "where": lambda: [random.choice([None, where_data(random, 1), 1])],
        "rank": lambda: [random.choice([None, rank_data(random, 1), 1])],
        "group_by": lambda: [random.choice([None, group_by_data(random), 1])],
        "limit": lambda: random.choice([[5], [5, 2], [0, -1]]),
        "select": lambda: random.choices(NAMES, k=random.randint(0, 3)),
        "select_all": lambda: [],
    }
    given = {name: parts[name]() for name in parts if random.random() < 0.4}
    chosen = random.choices(list(steps), k=random.randint(0, 3))
    return ["Search", given, [[name, steps[name]()] for name in chosen]]


def trials(seed: int, count: int) -> list[Any]:
    random = Random(seed)
    makers: list[Callable[[], Any]] = [
        lambda: ["read", "Where", where_data(random, 4)],
        lambda: ["read", "Rank", rank_data(random, 4)],
        lambda: ["read", "Limit", limit_data(random)],
        lambda: ["read", "Select", select_data(random)],
        lambda: ["read", "Aggregate", aggregate_data(random)],
        lambda: ["read", "GroupBy", group_by_data(random)],
        lambda: ["read", "SparseVector", sparse_data(random)],
        lambda: ["make", where_made(random, 4)],
        lambda: ["make", rank_made(random, 4)],
        lambda: ["make", search_made(random)],
        lambda: ["make", search_made(random)],
    ]
    return [random.choice(makers)() for _ in range(count)]


# ---- Trying -------------------------------------------------------------------------------------

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "&": operator.and_,
    "|": operator.or_,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "neg": operator.neg,
    "abs": abs,
    "abs()": lambda rank: rank.abs(),
    "exp": lambda rank: rank.exp(),
    "log": lambda rank: rank.log(),
    "max": lambda left, right: left.max(right),
    "min": lambda left, right: left.min(right),
}


def made(expression: Any) -> Any:
    """What an expression's list makes; anything else is itself."""
    if not isinstance(expression, list) or not expression or not isinstance(expression[0], str):
        return expression
    name, *arguments = expression
    if name == "compare":
        key, method, operand = arguments
        if method in COMPARISONS:
            return COMPARISONS[method](Key(key), operand)
        return getattr(Key(key), method)(operand)
    if name == "array":
        return np.array(arguments[0])
    if name == "Val":
        return expressions.Val(arguments[0])
    if name == "Knn":
        knn = dict(arguments[0])
        knn["query"] = made(knn["query"])
        if knn["query"] == SPARSE if isinstance(knn["query"], dict) else False:
            knn["query"] = SparseVector.from_dict(SPARSE)
        return expressions.Knn(**knn)
    if name == "Rrf":
        return expressions.Rrf([made(rank) for rank in arguments[0]], **arguments[1])
    if name == "Search":
        search = Search(**{part: made(value) for part, value in arguments[0].items()})
        for method, values in arguments[1]:
            search = getattr(search, method)(*values)
        return search
    if name in ARITHMETIC:
        return ARITHMETIC[name](*map(made, arguments))
    return expression


def ordered(data: Any) -> Any:
    """The dictionary of an expression with the keys that it selects in order, as they come from a
    set."""
    if not isinstance(data, dict):
        return data
    if set(data) == {"keys"}:
        return {"keys": sorted(data["keys"])}
    return data | {"select": ordered(data["select"])} if "select" in data else data


def outcome(trial: list[Any]) -> Any:
    try:
        if trial[0] == "make":
            return ordered(made(trial[1]).to_dict())
        kind = SparseVector if trial[1] == "SparseVector" else getattr(expressions, trial[1])
        return ordered(kind.from_dict(trial[2]).to_dict())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    path = Path(sys.argv[1])
    seed, count = map(int, sys.argv[2:]) if sys.argv[2:] else (SEED, COUNT)
    outcomes = {json.dumps(trial): outcome(trial) for trial in trials(seed, count)}
    text = json.dumps(outcomes, separators=(",", ":"))
    if path.suffix == ".xz":
        path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    else:
        path.write_text(text)


if __name__ == "__main__":
    main()
