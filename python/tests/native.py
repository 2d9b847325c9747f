"""The native engine without the Python layer, for the tests of the extension."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np

from chromadb import _chroma

PLACE = ("default_tenant", "default_database")

# What every program of run_program() has.
PRELUDE = """
import os, signal, sys, threading, warnings
import numpy as np
from chromadb import _chroma
from native import PLACE, add, get_all, new_collection, vectors
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
