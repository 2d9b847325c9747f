"""The native engine without the Python layer, for the tests of the extension."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np

from chromadb_swift_bindings import _chroma

PLACE = ("default_tenant", "default_database")

# What every program of run_program() has.
PRELUDE = """
import os, signal, sys, threading, warnings
import numpy as np
from chromadb_swift_bindings import _chroma
from native import PLACE, add, get_all, new_collection, vectors
# Whoever runs the tests in the background of a shell hands SIGINT down as ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


def vectors(count: int = 1, dimension: int = 2) -> Any:
    """Rows of small whole numbers, all different."""
    return np.arange(count * dimension, dtype=np.float32).reshape(count, dimension)


def new_collection(engine: _chroma.Engine, name: str = "records") -> str:
    """The id of a new collection."""
    return str(engine.create_collection(name, None, None, None, False, *PLACE).id)


def add(engine: _chroma.Engine, collection: str, ids: Any, metadatas: Any = None) -> None:
    engine.add(ids, collection, vectors(len(ids)), metadatas, None, None, *PLACE)


def get_all(engine: _chroma.Engine, collection: str, *include: str) -> Any:
    return engine.get(collection, None, None, None, 0, None, list(include), *PLACE)


# A right call of each method: all its arguments, where COLLECTION stands for the id of one.
COLLECTION = object()

ADD = (["a"], COLLECTION, vectors(), None, None, None, *PLACE)
INSERT = (COLLECTION, ["a"], vectors(), None, None, None, "replace")
UPSERT = (COLLECTION, ["a"], vectors(), None, None, None, *PLACE)
DELETE = (COLLECTION, ["a"], None, None, None, *PLACE)
GET = (COLLECTION, None, None, None, 0, None, [], *PLACE, None, None, False)
QUERY = (COLLECTION, None, vectors(), 1, None, None, [], *PLACE, False, None)
DISTINCT = (COLLECTION, "key", None, None, None, None)
EXPLAIN = (COLLECTION, None, vectors(), 1, None, None, False)
CREATE = ("name", None, None, None, False, *PLACE)
MODIFY = (COLLECTION, None, None, None)
CALLS: dict[str, tuple[Any, ...]] = {
    "create_tenant": ("tenant",),
    "get_tenant": ("default_tenant",),
    "create_database": ("database", "default_tenant"),
    "get_database": ("default_database", "default_tenant"),
    "delete_database": ("other", "default_tenant"),
    "list_databases": (None, None, "default_tenant"),
    "count_collections": PLACE,
    "list_collections": (None, None, *PLACE),
    "create_collection": CREATE,
    "get_collection": ("records", *PLACE),
    "get_collection_by_id": (COLLECTION, *PLACE),
    "update_collection": MODIFY,
    "delete_collection": ("records", *PLACE),
    "add": ADD,
    "insert": INSERT,
    "update": UPSERT,
    "upsert": UPSERT,
    "delete": DELETE,
    "count": (COLLECTION, *PLACE, None, None),
    "get": GET,
    "distinct": DISTINCT,
    "query": QUERY,
    "flush": (COLLECTION, None),
    "compact": (COLLECTION, None),
    "statistics": (COLLECTION,),
    "explain": EXPLAIN,
    "indexing_status": (COLLECTION,),
}


def parameters(method: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(_chroma.Engine, method)).parameters.values())[1:]


def parameter_names(method: str) -> list[str]:
    return [parameter.name for parameter in parameters(method)]


def needed_parameter_names(method: str) -> list[str]:
    return [p.name for p in parameters(method) if p.default is inspect.Parameter.empty]


def call(engine: _chroma.Engine, collection: str, method: str, **changes: Any) -> Any:
    """Calls a method with arguments that are right but for the changes."""
    names = parameter_names(method)
    assert set(changes) <= set(names)
    given = dict(zip(names, CALLS[method], strict=False)) | changes
    arguments = [collection if value is COLLECTION else value for value in given.values()]
    return getattr(engine, method)(*arguments)


def run_program(program: str, *arguments: str) -> str:
    """What a Python program prints, which must end well and in time."""
    # -P: the package as it is found here, not a folder of that name in the working directory.
    options = ["-P", "-X", "faulthandler"]
    done = subprocess.run(
        [sys.executable, *options, "-c", PRELUDE + textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    ended = done.returncode, done.stderr
    assert ended == (0, ""), f"status {done.returncode}, printed:\n{done.stdout}\n{done.stderr}"
    return done.stdout
