"""Compares what upstream and we made of one history.

The model of tests/model.py is led through the history beside them. Where upstream answered a call
that the model knows, the model's answer is the measure for both; so a bug of upstream's is seen as
a difference between upstream and the model, and must be named in differences.py. Everything else,
errors above all, is compared word for word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model import ModelCollection, many

from . import differences
from .compare import WRITES, Call, judge_outcome, letter_counts, shortened

CREATIONS = {"create_collection", "get_or_create_collection", "get_collection"}


@dataclass
class Finding:
    """One operation whose outcome is not what it must be."""

    index: int
    operation: dict[str, Any]
    side: str
    problem: str
    upstream: dict[str, Any]
    ours: dict[str, Any]

    def __str__(self) -> str:
        return (
            f"operation {self.index}, {self.side}: {self.problem}\n"
            f"  call:     {shortened(self.operation)}\n"
            f"  upstream: {shortened(self.upstream)}\n"
            f"  ours:     {shortened(self.ours)}"
        )


class Judge:
    """Walks one history and collects findings, and the names of the differences it met."""

    def __init__(self, history: dict[str, Any]):
        self.operations = history["operations"]
        self.findings: list[Finding] = []
        self.met: set[str] = set()
        self.catalog = Catalog()

    def run(self, upstream: list[dict], ours: list[dict]) -> list[Finding]:
        for index, operation in enumerate(self.operations):
            self._step(index, operation, upstream[index], ours[index])
        return self.findings

    def _step(self, index: int, operation: dict, upstream: dict, ours: dict) -> None:
        call = Call(operation, self.catalog.target(operation))
        if "returns" in upstream:
            self.catalog.apply(call, upstream["returns"])
        upstream_problem = judge_outcome(call, upstream, upstream)
        ours_problem = judge_outcome(call, upstream, ours)
        if upstream_problem or ours_problem or "raises" in upstream:
            named = differences.explain(call, upstream)
            if named is not None:
                self.met.add(named.name)
                upstream_problem, ours_problem = None, named.problem(call, upstream, ours)
        for side, problem in (("upstream", upstream_problem), ("ours", ours_problem)):
            if problem is not None:
                self.findings.append(Finding(index, operation, side, problem, upstream, ours))


class Collection(ModelCollection):
    """A model collection that also remembers what makes upstream stumble."""

    updated_while_missing = False
    is_deleted = False

    def update(self, ids, embeddings=None, **others) -> None:
        if embeddings is not None and not self.records.keys() >= set(many(ids)):
            self.updated_while_missing = True
        super().update(ids, embeddings, **others)


class Catalog:
    """Which model collection each handle and each name stands for."""

    def __init__(self):
        self.place = ("default_tenant", "default_database")
        self.named: dict[tuple[str, str, str], ModelCollection] = {}
        self.handles: dict[str, ModelCollection] = {}

    def target(self, operation: dict[str, Any]) -> ModelCollection | None:
        return self.handles.get(operation.get("on"))

    def apply(self, call: Call, value: Any) -> None:
        """Takes over what a call that upstream answered has changed, and notes the answer."""
        arguments = call.arguments
        if call.answered_by_model:
            call.expected = _ask(call)
        elif call.do in CREATIONS:
            key = (*self.place, arguments["name"])
            if key not in self.named:
                self.named[key] = Collection(value["configuration"]["hnsw"]["space"])
            if call.keep is not None:
                self.handles[call.keep] = self.named[key]
        elif call.do == "modify" and call.target.is_deleted:
            pass
        elif call.do == "modify" and arguments.get("name") is not None:
            old = next(key for key, held in self.named.items() if held is call.target)
            self.named[(old[0], old[1], arguments["name"])] = self.named.pop(old)
        elif call.do == "delete_collection":
            self.named.pop((*self.place, arguments["name"])).is_deleted = True
        elif call.do == "delete_database":
            place = (arguments["tenant"], arguments["name"])
            for key in [key for key in self.named if key[:2] == place]:
                self.named.pop(key).is_deleted = True
        elif call.do == "set_tenant":
            self.place = (arguments["tenant"], arguments.get("database", "default_database"))
        elif call.do == "set_database":
            self.place = (self.place[0], arguments["database"])
        elif call.do == "restart":
            self.place = ("default_tenant", "default_database")
            self.handles.clear()
        elif call.do == "reset":
            for held in self.named.values():
                held.is_deleted = True
            self.named.clear()


def _ask(call: Call) -> Any:
    arguments = dict(call.arguments)
    if call.do in WRITES and "embeddings" not in arguments and "documents" in arguments:
        arguments["embeddings"] = letter_counts(arguments["documents"])
    return getattr(call.target, call.do)(**arguments)
