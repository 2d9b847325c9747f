"""Modules that official's tests import and our package does not have: the tests, which are
official's own, and stubs of the parts of its server.

What is imported from a stub is a class without content. A test that only imports it runs; one that
uses it fails.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Sequence

# With everything below them.
NAMES = (
    "chromadb.app",
    "chromadb.cli",
    "chromadb.db",
    "chromadb.execution.executor",
    "chromadb.experimental",
    "chromadb.ingest",
    "chromadb.log_config",
    "chromadb.logservice",
    "chromadb.migrations",
    "chromadb.proto",
    "chromadb.quota",
    "chromadb.rate_limit",
    "chromadb.segment",
    "chromadb.server",
)


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, tests: str) -> None:
        self.beside_tests = os.path.dirname(tests)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name == "chromadb.test":
            return importlib.machinery.PathFinder.find_spec(name, [self.beside_tests])
        if any(name == stub or name.startswith(stub + ".") for stub in NAMES):
            return importlib.util.spec_from_loader(name, self, is_package=True)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        def attribute(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {"__module__": module.__name__})

        module.__getattr__ = attribute  # type: ignore[method-assign]


def install(tests: str) -> None:
    """After all other finders: a module that our package has is no stub."""
    sys.meta_path.append(Stubs(tests))
