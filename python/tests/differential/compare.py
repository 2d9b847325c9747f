"""What makes two outcomes of one call equal.

Upstream leaves some things to chance (the order of a set in a message, of collections in a list);
those are taken out before comparing. Everything else is compared exactly, types included, but for
the distances of a query, and for the embeddings of a cosine collection, which upstream stores
normalised.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from model import ModelCollection, Record, check_ranking

from .values import decode

WRITES = {"add", "update", "upsert"}


class Call:
    """One operation with its arguments as Python values and the model collection it is for."""

    def __init__(self, operation: dict[str, Any], target: ModelCollection | None):
        self.do: str = operation["do"]
        self.keep: str | None = operation.get("as")
        self.arguments: dict[str, Any] = decode(operation.get("with", {}))
        self.target = target
        self.expected: Any = None  # The model's answer, when it has one.

    @property
    def answered_by_model(self) -> bool:
        return self.target is not None and self.do in (*WRITES, "delete", "get", "peek", "count")


def letter_counts(texts: list[str]) -> list[list[float]]:
    """What driver.LetterCounts computes."""
    return [[float(text.count(letter)) for letter in "aeio"] for text in texts]


# ---- One outcome ------------------------------------------------------------------------------


def judge_outcome(call: Call, upstream: dict, outcome: dict) -> str | None:
    """What is wrong with one side's outcome, or None."""
    if "returns" not in upstream:
        return compare_words(upstream, outcome)
    if "returns" not in outcome:
        return f"upstream answers, this side does not: {shortened(outcome)}"
    if call.target is not None and (call.answered_by_model or call.do == "query"):
        return judge_by_model(call, outcome)
    value = decode(outcome["returns"])
    return compare(comparable(call, decode(upstream["returns"])), comparable(call, value), call.do)


def judge_by_model(call: Call, outcome: dict) -> str | None:
    """What is wrong with an outcome by the model alone, whatever upstream made of the call."""
    if "returns" not in outcome:
        return f"no answer: {shortened(outcome)}"
    value = decode(outcome["returns"])
    if call.do == "query":
        return judge_query(call, value)
    return compare(call.expected, value, call.do, cosine=call.target.space == "cosine")


def comparable(call: Call, value: Any) -> Any:
    """An answer without what upstream itself leaves to chance."""
    if call.do == "list_collections":
        # Upstream's order is that of random UUIDs; a page of it has only its length.
        if {"limit", "offset"} & call.arguments.keys():
            return len(value)
        return sorted(value, key=lambda collection: collection["name"])
    return value


ARBITRARY_ORDER = [
    re.compile(r"(?<=^Exactly one of )(.*)(?= must be provided)"),
    re.compile(r"(?<=found duplicates of: )(.*)(?= in \w+\.$)", re.DOTALL),
    re.compile(r"(?<=Validation error: length \[\{)(.*)(?=\}\])", re.DOTALL),
]
ARBITRARY_CHOICE = re.compile(r"(?<=duplicated IDs: )(.*)(?= in \w+\.$)", re.DOTALL)


def words(outcome: dict) -> tuple:
    """An error without what upstream itself leaves to chance: the order of a set's elements."""
    message = outcome.get("message", "")
    for pattern in ARBITRARY_ORDER:
        message = pattern.sub(lambda m: ", ".join(sorted(m.group(1).split(", "))), message)
    return outcome.get("raises"), ARBITRARY_CHOICE.sub("...", message), outcome.get("skipped")


def compare_words(upstream: dict, outcome: dict) -> str | None:
    if "returns" in outcome:
        return f"upstream does not answer ({shortened(upstream)}), this side does"
    return None if words(upstream) == words(outcome) else "another error"


def judge_query(call: Call, result: dict[str, Any], *, complete: bool = True) -> str | None:
    """Compares a query's answer with the exact scan; documents and the rest by id."""
    arguments, model = dict(call.arguments), call.target
    texts = arguments.pop("query_texts", None)
    if "query_embeddings" not in arguments:
        arguments["query_embeddings"] = letter_counts(texts)
    include = arguments.pop("include", ["metadatas", "documents", "distances"])
    n_results = int(arguments.pop("n_results", 10))
    queries = np.atleast_2d(np.asarray(arguments.pop("query_embeddings"), dtype=np.float32))
    if result["included"] != include:
        return f"included: {result['included']}, not {include}"
    if len(result["ids"]) != len(queries):
        return f"{len(result['ids'])} lists for {len(queries)} queries"
    for number, query in enumerate(queries):
        ids = result["ids"][number]
        given = result["distances"][number] if "distances" in include else None
        ranking = model.ranking(query, **arguments)
        if problem := check_ranking(
            model, query, ranking, n_results, ids, given, complete=complete
        ):
            return f"query {number}: {problem}"
        rows = [model.records[identifier] for identifier in ids]
        for column in ("embeddings", "documents", "uris", "data", "metadatas", "distances"):
            if column not in include:
                if result[column] is not None:
                    return f"{column} was not asked for"
            elif column != "distances":
                expected = _column(rows, column)
                cosine = model.space == "cosine"
                if problem := compare(expected, result[column][number], column, cosine=cosine):
                    return f"query {number}: {problem}"
    return None


def _column(rows: list[Record], name: str) -> Any:
    if name == "embeddings":
        return np.array([row.embedding for row in rows], dtype=np.float64)
    if name == "metadatas":
        return [row.visible_metadata() for row in rows]
    return [getattr(row, name.removesuffix("s")) for row in rows]


# Upstream keeps a cosine collection's vectors normalised, and multiplies them back.
COSINE_STORAGE_ERROR = 1e-6


def compare(expected: Any, value: Any, where: str, *, cosine: bool = False) -> str | None:
    """The first place in which two values differ, types included, or None."""
    if isinstance(expected, np.ndarray) or isinstance(value, np.ndarray):
        same_kind = type(expected) is type(value) and expected.dtype == value.dtype
        if not same_kind or expected.shape != value.shape:
            return f"{where}: {_kind(value)}, not {_kind(expected)}"
        scale = np.linalg.norm(expected, axis=-1, keepdims=True) if expected.size else 0.0
        slack = COSINE_STORAGE_ERROR * scale if cosine else 0.0
        if not np.all(np.abs(expected - value) <= slack):
            return f"{where}: {value.tolist()}, not {expected.tolist()}"
        return None
    if type(expected) is not type(value):
        return f"{where}: {shortened(value)}, not {shortened(expected)}"
    if isinstance(expected, dict):
        if expected.keys() != value.keys():
            return f"{where}: keys {shortened(sorted(value))}, not {shortened(sorted(expected))}"
        pairs = ((f"{where}.{key}", item, value[key]) for key, item in expected.items())
    elif isinstance(expected, list):
        if len(expected) != len(value):
            return f"{where}: {shortened(value)}, not {shortened(expected)}"
        items = zip(expected, value)
        pairs = ((f"{where}[{index}]", a, b) for index, (a, b) in enumerate(items))
    else:
        both_nan = isinstance(expected, float) and math.isnan(expected) and math.isnan(value)
        same = expected == value or both_nan
        return None if same else f"{where}: {shortened(value)}, not {shortened(expected)}"
    problems = (compare(a, b, place, cosine=cosine) for place, a, b in pairs)
    return next((problem for problem in problems if problem is not None), None)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} array of shape {value.shape}"
    return f"a {type(value).__name__}"


def shortened(value: Any) -> str:
    text = value if isinstance(value, str) else ascii(value)
    return text if len(text) <= 600 else text[:600] + "…"
