"""Where we differ from upstream on purpose. Each name is a heading of COMPAT.md.

`IN_HISTORIES` are the differences that random histories run into: `met` recognises upstream's side,
and `problem` says what ours must then be; the model's answer, exactly, where nothing else is said.
A bug of upstream's is no licence for one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .compare import Call, compare, judge_by_model, judge_query, shortened
from .values import decode

Outcome = dict[str, Any]


def is_not_the_model_s(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    return judge_by_model(call, ours)


@dataclass(frozen=True)
class Difference:
    name: str
    #: Whether upstream's outcome of a call is this difference. Asked only where the outcomes
    #: differ, where upstream failed, and where the model contradicts upstream.
    met: Callable[[Call, Outcome], bool]
    #: What is wrong with our outcome, given upstream's, or None.
    problem: Callable[[Call, Outcome, Outcome], str | None] = is_not_the_model_s


def asks_for_a_missing_id(call: Call, upstream: Outcome) -> bool:
    return call.do == "query" and upstream.get("message", "").endswith("Error finding id")


def compares_with_a_fraction(call: Call, upstream: Outcome) -> bool:
    def is_cut(operand: Any) -> bool:
        # Upstream casts the operand to an integer, which changes it.
        return isinstance(operand, float) and (operand % 1 != 0 or abs(operand) >= 2**53)

    reads = call.do in ("get", "query") and "returns" in upstream
    return reads and any_operand(call.arguments.get("where"), is_cut)


def any_operand(where: Any, test: Callable[[Any], bool]) -> bool:
    """Whether some operand inside a filter passes the test."""
    if isinstance(where, dict):
        return any(any_operand(part, test) for part in where.values())
    if isinstance(where, list):
        return any(any_operand(part, test) for part in where)
    return test(where)


def has_ghosts(call: Call, upstream: Outcome) -> bool:
    if call.target is None or "returns" not in upstream:
        return False
    shows_vectors = call.do in ("query", "peek") or "embeddings" in call.arguments.get(
        "include", []
    )
    return call.target.updated_while_missing and shows_vectors


def loses_records(call: Call, upstream: Outcome) -> bool:
    """A query whose answer is right, but for records that are missing from it."""
    if call.do != "query" or "returns" not in upstream:
        return False
    return judge_query(call, decode(upstream["returns"]), complete=False) is None


def breaks_over_an_argument(call: Call, upstream: Outcome) -> bool:
    """An error that is none of upstream's own, but Python's about upstream's code."""
    broken = r"object has no attribute|object of type '\w+' has no len\(\)|object is not iterable"
    return re.search(broken, upstream.get("message", "")) is not None


def names_what_was_expected(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    says = ours.get("raises") == "builtins.ValueError" and ours["message"].startswith("Expected ")
    return None if says else f"not a ValueError that says what was expected: {shortened(ours)}"


def shows_a_long_value(call: Call, upstream: Outcome) -> bool:
    return len(upstream.get("message", "")) > 200


def is_cut_but_alike(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    """`beginning… (count characters)end` for a message with the same beginning and end."""
    cut = re.search(r"… \(\d+ characters\)", ours.get("message", ""))
    if ours == upstream:
        return None
    if cut is None or ours["raises"] != upstream["raises"]:
        return "another error"
    before, after = ours["message"][: cut.start()], ours["message"][cut.end() :]
    alike = upstream["message"].startswith(before) and upstream["message"].endswith(after)
    return None if alike else "another message"


def forgets_the_function(call: Call, upstream: Outcome) -> bool:
    if call.do != "modify" or "returns" not in upstream:
        return False
    return upstream["returns"]["configuration"]["embedding_function"] == {"type": "legacy"}


def is_alike_but_for_the_function(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    def without_function(outcome: Outcome) -> Any:
        value = decode(outcome.get("returns"))
        if value is not None:
            del value["configuration"]["embedding_function"]
        return value

    return compare(without_function(upstream), without_function(ours), call.do)


def changes_what_is_gone(call: Call, upstream: Outcome) -> bool:
    return call.do == "modify" and call.target is not None and call.target.is_deleted


def is_not_found(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    missing = ours.get("raises") == "chromadb.errors.NotFoundError"
    refused = "raises" in upstream and ours == upstream
    return None if missing or refused else f"the collection is gone: {shortened(ours)}"


#: Beginnings of messages: what upstream names first, and what we may name in its place.
FIRST_MISTAKES = [
    ("Unequal lengths for fields: ", "Inconsistent dimensions in provided embeddings"),
    ("Unequal lengths for fields: ", "Expected a 1-dimensional array"),
    ("Collection expecting embedding with dimension of", "Cannot filter using metadata key"),
]


def may_name_another_mistake(call: Call, upstream: Outcome) -> bool:
    return upstream.get("message", "").startswith(tuple(first for first, _ in FIRST_MISTAKES))


def names_one_of_them(call: Call, upstream: Outcome, ours: Outcome) -> str | None:
    said, saying = ours.get("message", ""), upstream["message"]
    pairs = (said.startswith(b) and saying.startswith(a) for a, b in FIRST_MISTAKES)
    return None if ours == upstream or any(pairs) else f"another error: {shortened(ours)}"


IN_HISTORIES = [
    Difference("Two mistakes in one call", may_name_another_mistake, names_one_of_them),
    Difference("Changing a deleted collection", changes_what_is_gone, is_not_found),
    Difference("A missing id in query(ids=…)", asks_for_a_missing_id),
    Difference("Integers against floats", compares_with_a_fraction),
    Difference("Records lost by approximate search", loses_records),
    Difference("An update of a missing id", has_ghosts),
    Difference("Arguments of the wrong kind", breaks_over_an_argument, names_what_was_expected),
    Difference("Long values in messages", shows_a_long_value, is_cut_but_alike),
    Difference("Arguments stay as they are", forgets_the_function, is_alike_but_for_the_function),
]


def explain(call: Call, upstream: Outcome) -> Difference | None:
    return next((difference for difference in IN_HISTORIES if difference.met(call, upstream)), None)
