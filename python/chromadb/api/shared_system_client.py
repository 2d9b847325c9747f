"""Which clients share a system.

Local clients of one process with the same identifier (the directory, or "ephemeral") share one
`System`, and their settings must be equal; each HTTP client has one of its own. The cache holds
systems weakly: a system lives as long as a client or a collection refers to it, and is stopped
early when its last open client is closed. A new client never joins the system of a directory that
was removed or replaced.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import uuid
import weakref
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from chromadb.api import ServerAPI
from chromadb.api._local_engine import LocalEngine
from chromadb.config import Settings, System

SharedClient = TypeVar("SharedClient", bound="SharedSystemClient")

# The names by which settings choose the local engine; the second is of Chroma before 1.0.
_LOCAL_IMPLEMENTATIONS = (
    "chromadb.api.rust.RustBindingsAPI",
    "chromadb.api.segment.SegmentAPI",
)
_HTTP_IMPLEMENTATIONS = (
    "chromadb.api.fastapi.FastAPI",
    "chromadb.api.async_fastapi.AsyncFastAPI",
)

# What stands for the directory of a database in memory.
_EPHEMERAL = "ephemeral"

_CLOUD_HOSTS = ("api.trychroma.com", "gcp.trychroma.com")

logger = logging.getLogger(__name__)


class SharedSystemClient:
    """What clients of every kind have in common: the system behind them and its end."""

    _identifier_to_system: ClassVar[weakref.WeakValueDictionary[str, System]] = (
        weakref.WeakValueDictionary()
    )
    # How many open clients each system of the cache has.
    _identifier_to_refcount: ClassVar[dict[str, int]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    _identifier: str
    _system: System

    def __init__(self, settings: Settings | None = None) -> None:
        self._join(Settings() if settings is None else settings)

    @classmethod
    def from_system(cls: type[SharedClient], system: System) -> SharedClient:
        """A client of a system that somebody made, which is started if need be."""
        client = cls.__new__(cls)
        client._join_system(system)
        return client

    def _join(self, settings: Settings) -> None:
        """Makes this an open client of the system with these settings, starting it if need be."""
        identifier = SharedSystemClient._get_identifier_from_settings(settings)
        with SharedSystemClient._lock:
            system = SharedSystemClient._identifier_to_system.get(identifier)
            if system is None or _is_left_behind(system):
                system = System(settings)
            elif system.settings != settings:
                raise ValueError(
                    f"An instance of Chroma already exists for {identifier} with different settings"
                )
            self._enter(identifier, system)

    def _join_system(self, system: System) -> None:
        """Makes this an open client of this very system."""
        identifier = SharedSystemClient._get_identifier_from_settings(system.settings)
        with SharedSystemClient._lock:
            self._enter(identifier, system)

    def _enter(self, identifier: str, system: System) -> None:
        self._server = self._server_of(system)
        if not system._running:
            system.start()
        cache, counts = (
            SharedSystemClient._identifier_to_system,
            SharedSystemClient._identifier_to_refcount,
        )
        cache[identifier] = system
        system.clients.add(self)
        for gone in set(counts) - set(cache):
            del counts[gone]
        counts[identifier] = len(system.clients)
        self._identifier = identifier
        self._system = system

    def _server_of(self, system: System) -> Any:
        """What this kind of client calls."""
        return system.instance(ServerAPI)  # type: ignore[type-abstract]  # The settings choose.

    def close(self) -> None:
        """Takes leave of the engine, which closes with its last client. Idempotent."""
        system = self._system
        with SharedSystemClient._lock:
            if self not in system.clients:
                return
            system.clients.remove(self)
            if len(system.clients) > 0:
                SharedSystemClient._identifier_to_refcount[self._identifier] = len(system.clients)
                return
            SharedSystemClient._identifier_to_refcount.pop(self._identifier, None)
            if SharedSystemClient._identifier_to_system.get(self._identifier) is system:
                del SharedSystemClient._identifier_to_system[self._identifier]
        system.stop()

    def __enter__(self: SharedClient) -> SharedClient:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()

    @staticmethod
    def clear_system_cache() -> None:
        """Forgets the systems, so that the next client starts one of its own.

        Clients that exist keep theirs.
        """
        with SharedSystemClient._lock:
            SharedSystemClient._identifier_to_system = weakref.WeakValueDictionary()
            SharedSystemClient._identifier_to_refcount = {}

    @staticmethod
    def get_chroma_cloud_api_key_from_clients() -> str | None:
        """The key with which some client of this process, opened earlier, reaches Chroma Cloud."""
        # Without that module there are no clients of servers.
        module = sys.modules.get("chromadb.api.base_http_client")
        if module is None:
            return None
        keys = []
        for system in list(SharedSystemClient._identifier_to_system.values()):
            try:
                server = system.instance(ServerAPI)  # type: ignore[type-abstract]
                if isinstance(server, module.BaseHTTPClient) and any(
                    host in server.get_api_url() for host in _CLOUD_HOSTS
                ):
                    headers = server.get_request_headers()
                    keys += [
                        key for name, key in headers.items() if name.lower() == "x-chroma-token"
                    ][:1]
            except Exception as error:
                # A system that is being stopped, or is no system, has no key to offer.
                logger.debug(f"A client was not asked for its key: {error}")
        keys = [key for key in keys if key]
        if len(keys) > 1:
            logger.info(f"Of {len(keys)} clients of Chroma Cloud, the first one's key is used.")
        return keys[0] if keys else None

    @staticmethod
    def _get_identifier_from_settings(settings: Settings) -> str:
        implementation = settings.chroma_api_impl
        if implementation in _HTTP_IMPLEMENTATIONS:
            return str(uuid.uuid4())
        if implementation not in _LOCAL_IMPLEMENTATIONS:
            raise ValueError(f"Unsupported Chroma API implementation {implementation}")
        return settings.persist_directory if settings.is_persistent else _EPHEMERAL

    @staticmethod
    def _populate_data_from_system(system: System) -> str:
        """Lets clients with the system's settings join it; returns its identifier."""
        identifier = SharedSystemClient._get_identifier_from_settings(system.settings)
        with SharedSystemClient._lock:
            SharedSystemClient._identifier_to_system[identifier] = system
        return identifier

    @staticmethod
    def _start_over_in_child() -> None:
        """After a fork: what threads held that the child does not have, and memory of the parent's.

        A thread may hold the lock for as long as an engine takes to open.
        """
        SharedSystemClient._lock = threading.Lock()
        SharedSystemClient._identifier_to_system.pop(_EPHEMERAL, None)


def _is_left_behind(system: System) -> bool:
    engine = system._instances.get(LocalEngine)
    return isinstance(engine, LocalEngine) and engine.is_left_behind()


os.register_at_fork(after_in_child=SharedSystemClient._start_over_in_child)
