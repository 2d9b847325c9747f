"""Which clients share an engine.

Local clients of one process with the same identifier (the directory, or "ephemeral") share one
`System`, and their settings must be equal. The cache holds systems weakly: a system lives as long
as a client or a collection refers to it, and is stopped early when its last open client is closed.
A new client never joins the system of a directory that was removed or replaced.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType
from typing import ClassVar, TypeVar

from chromadb.api import ServerAPI
from chromadb.api.local import LocalAPI
from chromadb.config import Settings, System

SharedClient = TypeVar("SharedClient", bound="SharedSystemClient")

# The names by which settings choose the local engine; the second is of Chroma before 1.0.
_LOCAL_IMPLEMENTATIONS = (
    "chromadb.api.rust.RustBindingsAPI",
    "chromadb.api.segment.SegmentAPI",
)

# What stands for the directory of a database in memory.
_EPHEMERAL = "ephemeral"


class SharedSystemClient:
    """What clients of every kind have in common: the system behind them and its end."""

    _identifier_to_system: ClassVar[weakref.WeakValueDictionary[str, System]] = (
        weakref.WeakValueDictionary()
    )
    _lock: ClassVar[threading.Lock] = threading.Lock()

    _identifier: str
    _system: System
    _server: ServerAPI

    def __init__(self, settings: Settings | None = None) -> None:
        self._join(Settings() if settings is None else settings)

    def _join(self, settings: Settings) -> None:
        """Makes this an open client of the system with these settings, starting it if need be."""
        self._identifier = SharedSystemClient._get_identifier_from_settings(settings)
        with SharedSystemClient._lock:
            cache = SharedSystemClient._identifier_to_system
            system = cache.get(self._identifier)
            if system is None or system.is_left_behind():
                system = System(settings)
                system.start()
                cache[self._identifier] = system
            elif system.settings != settings:
                raise ValueError(
                    f"An instance of Chroma already exists for {self._identifier} with different "
                    "settings"
                )
            system.clients.add(self)
        self._system = system
        self._server = LocalAPI(system)

    def close(self) -> None:
        """Takes leave of the engine, which closes with its last client. Idempotent."""
        system = self._system
        with SharedSystemClient._lock:
            if self not in system.clients:
                return
            system.clients.remove(self)
            if len(system.clients) > 0:
                return
            if SharedSystemClient._identifier_to_system.get(self._identifier) is system:
                del SharedSystemClient._identifier_to_system[self._identifier]
        system.stop()

    def __enter__(self: SharedClient) -> SharedClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @staticmethod
    def clear_system_cache() -> None:
        """Forgets the systems, so that the next client starts one of its own.

        Clients that exist keep theirs.
        """
        with SharedSystemClient._lock:
            SharedSystemClient._identifier_to_system = weakref.WeakValueDictionary()

    @staticmethod
    def _get_identifier_from_settings(settings: Settings) -> str:
        implementation = settings.chroma_api_impl
        if implementation not in _LOCAL_IMPLEMENTATIONS:
            raise ValueError(f"Unsupported Chroma API implementation {implementation}")
        return settings.persist_directory if settings.is_persistent else _EPHEMERAL

    @staticmethod
    def _start_over_in_child() -> None:
        """After a fork: what threads held that the child does not have, and memory of the parent's.

        A thread may hold the lock for as long as an engine takes to open.
        """
        SharedSystemClient._lock = threading.Lock()
        SharedSystemClient._identifier_to_system.pop(_EPHEMERAL, None)


os.register_at_fork(after_in_child=SharedSystemClient._start_over_in_child)
