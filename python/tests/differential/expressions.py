"""Random filters of up to six levels over what a history has written.

Operands are values and parts of texts that were stored, and what nearly is one: a neighbour, a
prefix, another type, a text whose grams all occur but never in this order. Only what means the same
in Rust's and in Python's regular expressions stands in patterns.
"""

from __future__ import annotations

from random import Random
from typing import Any

DEPTH = 6

# Words that hold parts of each other.
WORDS = [
    "abcd",
    "abc",
    "bcd",
    "bcda",
    "aaaa",
    "aaa",
    "aba",
    "ab",
    "Abcd",
    "ABCD",
    "kelvin",
    "mass",
    "straße",
    "STRASSE",
    "caf\u00e9",
    "cafe\u0301",
    "東京都",
    "京都東",
    "한글",
    "Москва",
    "שלום",
    "\U0001f986",
    "\U0001f468\u200d\U0001f469",
    "100%",
    "a_b",
    "a\\b",
    "[x]",
    "(y)*",
    "42",
    "it's",
    '"q"',
]


def text(random: Random) -> str:
    return random.choice(["", " ", "\n"]).join(random.choices(WORDS, k=random.randint(1, 5)))


def scalars(value: Any) -> list:
    """The value, or the elements of a list: a list is no operand."""
    return value if isinstance(value, list) else [value]


# ---- Metadata -----------------------------------------------------------------------------------


def where(
    random: Random, values: dict[str, list], *, floats: bool, depth: int = DEPTH
) -> dict[str, Any]:
    if depth and random.random() < (0.5 if depth == DEPTH else 0.35):
        parts = [
            where(random, values, floats=floats, depth=depth - 1)
            for _ in range(random.randint(2, 3))
        ]
        return {random.choice(["$and", "$or"]): parts}
    key = random.choice([*values, "absent"])
    pool = values.get(key, [1, "a"])
    if random.random() < 0.1:
        pool = values[random.choice(list(values))]
    operand = random.choice(pool)
    if random.random() < 0.3:
        operand = near(random, operand)
    if isinstance(operand, float) and not floats:
        operand = int(operand) if abs(operand) < 2**53 else 0
    return {key: condition(random, operand, pool)}


def condition(random: Random, operand: Any, pool: list) -> Any:
    operators = ["$eq", "$ne", "$in", "$nin", "$contains", "$not_contains", "bare"]
    if isinstance(operand, (int, float)) and not isinstance(operand, bool):
        operators += ["$gt", "$gte", "$lt", "$lte"] * 2
    operator = random.choice(operators)
    if operator == "bare":
        return operand
    if operator in ("$in", "$nin"):
        same = [value for value in pool if type(value) is type(operand)] or [operand]
        return {operator: [operand, *random.choices(same, k=random.randint(0, 5))]}
    return {operator: operand}


def near(random: Random, value: Any) -> Any:
    """Something that a comparison may take for the value."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        beside = value + random.choice([-1, 1])
        return beside if -(2**63) <= beside < 2**63 else value
    if isinstance(value, float):
        return random.choice([-value, int(value) if abs(value) < 2**53 else value])
    return random.choice([value + "a", value[:-1], value.upper(), value[1:]])


# ---- Text ---------------------------------------------------------------------------------------


def where_document(random: Random, documents: list[str], depth: int = DEPTH) -> dict[str, Any]:
    if depth and random.random() < 0.35:
        parts = [where_document(random, documents, depth - 1) for _ in range(random.randint(2, 3))]
        return {random.choice(["$and", "$or"]): parts}
    if random.random() < 0.6:
        return {random.choice(["$contains", "$not_contains"]): needle(random, documents)}
    return {random.choice(["$regex", "$not_regex"]): pattern(random, documents) or "."}


def needle(random: Random, documents: list[str]) -> str:
    document = random.choice(documents)
    start = random.randrange(len(document))
    part = document[start : start + random.choice([1, 2, 3, 4, 5, 8, 100])]
    choice = random.random()
    if choice < 0.1:
        return part + "x"
    if choice < 0.2:
        return part + part
    if choice < 0.3:
        return part[::-1]
    if choice < 0.35:
        return "東" + part
    return part


def pattern(random: Random, documents: list[str], depth: int = 3) -> str:
    if depth == 0 or random.random() < 0.3:
        choice = random.randrange(8)
        if choice == 0:
            return "."
        if choice == 1:
            return random.choice(["[a-d]", "[^a-d]", "[0-9]", "[東京都]", r"\d"])
        if choice == 2:
            letters = [letter for letter in needle(random, documents) if letter.isascii()]
            return f"(?i:{escaped(''.join(letters))})"
        if choice == 3:
            return random.choice(["^", ""])
        return escaped(needle(random, documents))
    inner = [pattern(random, documents, depth - 1) for _ in range(random.randint(2, 3))]
    choice = random.randrange(4)
    if choice <= 1:
        return "".join(inner)
    if choice == 2:
        return f"(?:{'|'.join(inner)})"
    # Loops stand around the simplest parts alone: Python's search would take for ever over others.
    simple = pattern(random, documents, 0)
    return random.choice(
        [f"(?:{simple})*", f"(?:{simple})+", *(f"(?:{inner[0]}){n}" for n in ("?", "{2}", "{0,2}"))]
    )


def escaped(literal: str) -> str:
    return "".join("\\" + c if c in r"\.+*?()|[]{}^$" else c for c in literal)
