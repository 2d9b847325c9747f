"""Where we differ from upstream on purpose. Each name is a heading of COMPAT.md.

`IN_HISTORIES` are the differences that random histories run into: `met` recognises upstream's side,
and ours must then be the model's answer, exactly. A bug of upstream's is no licence for one of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from .compare import Call, judge_query
from .values import decode


@dataclass(frozen=True)
class Difference:
    name: str
    #: Whether upstream's outcome of a call is this difference. Asked only of errors, and of answers
    #: that the model contradicts.
    met: Callable[[Call, dict[str, Any]], bool]


def asks_for_a_missing_id(call: Call, upstream: dict[str, Any]) -> bool:
    return call.do == "query" and upstream.get("message", "").endswith("Error finding id")


def compares_with_a_fraction(call: Call, upstream: dict[str, Any]) -> bool:
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


def has_ghosts(call: Call, upstream: dict[str, Any]) -> bool:
    if call.target is None or "returns" not in upstream:
        return False
    shows_vectors = call.do in ("query", "peek") or "embeddings" in call.arguments.get("include", [])
    return call.target.updated_while_missing and shows_vectors


def loses_records(call: Call, upstream: dict[str, Any]) -> bool:
    """A query whose answer is right, but for records that are missing from it."""
    if call.do != "query" or "returns" not in upstream:
        return False
    return judge_query(call, decode(upstream["returns"]), complete=False) is None


IN_HISTORIES = [
    Difference("A missing id in query(ids=…)", asks_for_a_missing_id),
    Difference("Integers against floats", compares_with_a_fraction),
    Difference("Records lost by approximate search", loses_records),
    Difference("An update of a missing id", has_ghosts),
]


def explain(call: Call, upstream: dict[str, Any]) -> Difference | None:
    return next((difference for difference in IN_HISTORIES if difference.met(call, upstream)), None)
