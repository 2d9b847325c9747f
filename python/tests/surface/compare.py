"""Says how the package that this interpreter imports falls short of a recorded surface.

    python -m tests.surface.compare      (prints what is missing or different, a line each)

Ours must take every call that official's takes: each name is there, of the same kind; parameters
have the same names, order, kinds and defaults. More names, members, keys, and parameters that need
not be given, are allowed.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .describe import facts_of, value

RECORDED = Path(__file__).with_name("official.json.xz")
MISSING = object()
# How a member is used: what may stand for each other.
CALLED_ON_CLASS = ("staticmethod", "classmethod")
READ = ("property", "attribute")


def recorded() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(lzma.decompress(RECORDED.read_bytes()))
    return data


def parameter_differences(ours: list[Any] | None, theirs: list[Any] | None) -> Iterator[str]:
    """What calls to theirs a callable with our parameters would refuse or take otherwise."""
    if ours is None or theirs is None:
        return
    by_name = {entry[0]: entry for entry in ours}
    kinds = {entry[1] for entry in ours}
    place = 0
    for entry in theirs:
        name, kind, *default = entry
        if kind in ("VAR_KEYWORD", "VAR_POSITIONAL"):
            if kind not in kinds:
                yield f"takes no {'*' if kind == 'VAR_POSITIONAL' else '**'}{name}"
            continue
        if name not in by_name:
            if not (kind == "KEYWORD_ONLY" and "VAR_KEYWORD" in kinds):
                yield f"has no parameter {name}"
            continue
        our_kind, our_default = by_name[name][1], by_name[name][2:]
        if our_kind != kind and not (kind == "KEYWORD_ONLY" and our_kind.endswith("KEYWORD")):
            yield f"parameter {name} is {our_kind}, not {kind}"
        elif kind == "POSITIONAL_OR_KEYWORD" and ours[place][0] != name:
            yield f"parameter {name} is not number {place + 1}"
        if our_default != default:
            yield f"parameter {name} has default {our_default}, not {default}"
        place += 1
    known = {entry[0] for entry in theirs}
    for name, kind, *default in ours:
        if name not in known and not default and not kind.startswith("VAR_"):
            yield f"requires a parameter {name}"


def member_differences(cls: type, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    annotated = {name for owner in cls.__mro__ for name in vars(owner).get("__annotations__", {})}
    for name, facts in theirs.items():
        kind = facts["kind"]
        if name not in ours:
            if not (kind in READ and name in annotated):
                yield f".{name} is missing"
            continue
        our_kind = ours[name]["kind"]
        groups = (READ, CALLED_ON_CLASS)
        if our_kind != kind and not any(kind in group and our_kind in group for group in groups):
            yield f".{name} is a {our_kind}, not a {kind}"
        elif kind not in READ:
            for difference in callable_differences(ours[name], facts):
                yield f".{name} {difference}"


def callable_differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    if ours["coroutine"] != theirs["coroutine"]:
        yield f"is {'no' if theirs['coroutine'] else 'a'} coroutine"
    yield from parameter_differences(ours["parameters"], theirs["parameters"])


def field_differences(cls: Any, theirs: dict[str, Any]) -> Iterator[str]:
    """Fields are constructor arguments with defaults, and attributes of what was constructed."""
    takes = inspect.signature(cls).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
    required = "required" in theirs.values()
    made = None if required else cls()
    for name, default in theirs.items():
        if name not in takes and not open_ended:
            yield f"field {name} is missing"
        elif default != "required" and value(getattr(made, name, MISSING)) != default:
            yield f"field {name} is {value(getattr(made, name, MISSING))} by default, not {default}"


def class_differences(cls: Any, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    if "fields" in theirs:
        yield from field_differences(cls, theirs["fields"])
        return
    if "fields" in ours:
        yield "is a pydantic model"
        return
    yield from member_differences(cls, ours["members"], theirs["members"])
    if "dataclass" in theirs:
        names = [field.name for field in dataclasses.fields(cls)] if "dataclass" in ours else None
        if names != theirs["dataclass"]:
            yield f"is a dataclass of {names}, not of {theirs['dataclass']}"
    for difference in parameter_differences(ours.get("constructor"), theirs.get("constructor")):
        yield f"constructor {difference}"
    for fact in ("bases", "error"):
        if fact in theirs and theirs[fact] != ours.get(fact):
            yield f"has {fact} {ours.get(fact)}, not {theirs.get(fact)}"


def name_differences(thing: Any, theirs: dict[str, Any]) -> Iterator[str]:
    if theirs["kind"] == "alias":
        return
    ours = facts_of(thing)
    if ours["kind"] != theirs["kind"]:
        yield f"is of kind {ours['kind']}, not {theirs['kind']}"
    elif len(theirs) == 1:
        return  # Another module has the details.
    elif theirs["kind"] == "class":
        yield from class_differences(thing, ours, theirs)
    elif theirs["kind"] == "function":
        yield from callable_differences(ours, theirs)
    elif theirs["kind"] == "typed dict":
        if missing := sorted(set(theirs["keys"]) - set(ours["keys"])):
            yield f"has no keys {missing}"
    elif isinstance(theirs.get("value"), dict):
        # A table, where more may be entered.
        entries = theirs["value"].items()
        if different := {key: entry for key, entry in entries if ours["value"].get(key) != entry}:
            yield f"has not the entries {different}"
    elif ours != theirs:
        yield f"is {ours}, not {theirs}"


def module_differences(path: str, theirs: dict[str, Any]) -> Iterator[str]:
    """What a module lacks or has otherwise, as sentences that begin with the name's path."""
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        yield f"{path} cannot be imported: {error}"
        return
    if missing := sorted(set(theirs["all"] or ()) - set(getattr(module, "__all__", ()))):
        yield f"{path}.__all__ lacks {missing}"
    for name, facts in theirs["names"].items():
        try:
            thing = getattr(module, name)
        except (AttributeError, ImportError):
            yield f"{path}.{name} is missing"
            continue
        try:
            differences = list(name_differences(thing, facts))
        except ImportError as error:  # By what a lazy table or class loads when it is looked at.
            differences = [f"cannot be looked at: {error}"]
        for difference in differences:
            joint = "" if difference.startswith(".") else " "
            yield f"{path}.{name}{joint}{difference}"


def main() -> None:
    for path, facts in recorded().items():
        for difference in module_differences(path, facts):
            print(difference)


if __name__ == "__main__":
    main()
