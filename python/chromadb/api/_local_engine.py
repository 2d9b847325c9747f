"""The native engine as a part of a system."""

from __future__ import annotations

import os
from operator import index
from typing import TYPE_CHECKING

from chromadb.config import Component, Settings, System
from chromadb.errors import InvalidArgumentError

if TYPE_CHECKING:
    from chromadb_swift_bindings import _chroma


class LocalEngine(Component):
    """The native engine of a system, open while the system runs."""

    def __init__(self, system: System) -> None:
        # Without a reference to the system, which would be a cycle.
        self._dependencies = set()
        self._running = False
        self._settings = system.settings
        self._engine: _chroma.Engine | None = None
        self._lock_file: str | None = None
        self._directory_identity: tuple[int, int] | None = None

    @property
    def engine(self) -> _chroma.Engine:
        """The open engine."""
        engine = self._engine
        if engine is None:
            raise InvalidArgumentError(
                "The client is closed. Open the database again with a new client."
            )
        return engine

    def start(self) -> None:
        """Opens the engine. Does nothing if it is open."""
        from chromadb_swift_bindings._chroma import Engine

        super().start()
        settings = self._settings
        memory_limit = _number(settings, "chroma_memory_limit_bytes", "bytes, or 0 for no limit")
        indexing_threads = _number(
            settings, "chroma_indexing_threads", "threads, or 0 for half of the cores"
        )
        read_only = settings.chroma_read_only
        if not isinstance(read_only, bool):
            raise ValueError(
                f"The setting chroma_read_only is {read_only!r}. It should be True or False."
            )
        if self._engine is None:
            path = settings.persist_directory if settings.is_persistent else None
            self._engine = Engine(
                path,
                settings.allow_reset,
                read_only=read_only,
                memory_limit_bytes=min(memory_limit, 2**64 - 1),
                indexing_threads=min(indexing_threads, 2**32 - 1),
            )
            if path is not None:
                self._lock_file = os.path.abspath(os.path.join(path, "LOCK"))
                self._directory_identity = self._found_identity()

    def stop(self) -> None:
        """Closes the engine. Does nothing if it is closed."""
        super().stop()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def reset_state(self) -> None:
        """Deletes everything, as far as the settings allow it."""
        if self._engine is not None:
            self._engine.reset()

    def is_left_behind(self) -> bool:
        """Whether the directory was removed, renamed or replaced since it was opened."""
        return self._directory_identity != self._found_identity()

    def _found_identity(self) -> tuple[int, int] | None:
        if self._lock_file is None:
            return None
        try:
            found = os.stat(self._lock_file)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _number(settings: Settings, name: str, meaning: str) -> int:
    """The value of a setting, which is not checked where it was assigned."""
    value = settings[name]
    try:
        number = index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"The setting {name} is {value!r}. It should be a number of {meaning}.")
    return number
