"""Chroma: records with embeddings, documents and metadata, found by nearness and by filters.

    import chromadb

    client = chromadb.PersistentClient("./notes")
    notes = client.get_or_create_collection("notes")
    notes.add(ids=["1"], documents=["Bees dance to say where the flowers are."])
    notes.query(query_texts=["How do insects talk?"], n_results=1)

Importing this module loads next to nothing: numpy and the native engine come with the first client,
and names are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from chromadb import api as api
    from chromadb import auth as auth
    from chromadb import base_types as base_types
    from chromadb import config as config
    from chromadb import errors as errors
    from chromadb import maintenance as maintenance
    from chromadb import types as types
    from chromadb import utils as utils
    from chromadb.api import AdminAPI as AdminAPI
    from chromadb.api import ClientAPI as ClientAPI
    from chromadb.api.async_api import AsyncClientAPI as AsyncClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import (
        URI,
        BoolInvertedIndexConfig,
        Cmek,
        CollectionMetadata,
        Documents,
        EmbeddingFunction,
        Embeddings,
        FloatInvertedIndexConfig,
        FtsIndexConfig,
        GetResult,
        HnswIndexConfig,
        IDs,
        Include,
        IntInvertedIndexConfig,
        Metadata,
        Metadatas,
        QueryResult,
        Schema,
        SpannIndexConfig,
        SparseVector,
        SparseVectorIndexConfig,
        StringInvertedIndexConfig,
        UpdateCollectionMetadata,
        UpdateMetadata,
        URIs,
        VectorIndexConfig,
        Where,
        WhereDocument,
    )
    from chromadb.api.types import ReadLevel as ReadLevel
    from chromadb.config import DEFAULT_DATABASE as DEFAULT_DATABASE
    from chromadb.config import DEFAULT_TENANT as DEFAULT_TENANT
    from chromadb.config import Settings as Settings

__version__ = "1.5.9"

__all__ = [
    "URI",
    "BoolInvertedIndexConfig",
    "Cmek",
    "Collection",
    "CollectionMetadata",
    "Documents",
    "EmbeddingFunction",
    "Embeddings",
    "FloatInvertedIndexConfig",
    "FtsIndexConfig",
    "GetResult",
    "HnswIndexConfig",
    "IDs",
    "Include",
    "IntInvertedIndexConfig",
    "Metadata",
    "Metadatas",
    "QueryResult",
    "Schema",
    "SpannIndexConfig",
    "SparseVector",
    "SparseVectorIndexConfig",
    "StringInvertedIndexConfig",
    "URIs",
    "UpdateCollectionMetadata",
    "UpdateMetadata",
    "VectorIndexConfig",
    "Where",
    "WhereDocument",
]

_SUBMODULES = frozenset(
    ("api", "auth", "base_types", "config", "errors", "maintenance", "types", "utils")
)

# Where the names come from that are not defined here.
_HOMES = {
    "AdminAPI": "chromadb.api",
    "AsyncClientAPI": "chromadb.api.async_api",
    "ClientAPI": "chromadb.api",
    "Collection": "chromadb.api.models.Collection",
    "DEFAULT_DATABASE": "chromadb.config",
    "DEFAULT_TENANT": "chromadb.config",
    "Settings": "chromadb.config",
    "ReadLevel": "chromadb.api.types",
} | {name: "chromadb.api.types" for name in __all__ if name != "Collection"}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"chromadb.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'chromadb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_HOMES})


_settings: Settings | None = None


def configure(**kwargs: Any) -> None:
    """Sets the settings of clients that are opened without any."""
    global _settings
    from chromadb.config import Settings

    _settings = Settings(**kwargs)


def get_settings() -> Settings:
    """The settings of clients that are opened without any."""
    global _settings
    if _settings is None:
        from chromadb.config import Settings

        _settings = Settings()
    return _settings


def _in_memory(settings: Settings | None, memory_limit: int | None) -> Settings:
    from chromadb.config import Settings

    settings = Settings() if settings is None else settings
    settings.is_persistent = False
    if memory_limit is not None:
        settings.chroma_memory_limit_bytes = memory_limit
    return settings


def _in_directory(
    path: str | Path, settings: Settings | None, read_only: bool | None, memory_limit: int | None
) -> Settings:
    from chromadb.config import Settings

    settings = Settings() if settings is None else settings
    settings.persist_directory = str(path)
    settings.is_persistent = True
    if read_only is not None:
        settings.chroma_read_only = read_only
    if memory_limit is not None:
        settings.chroma_memory_limit_bytes = memory_limit
    return settings


def Client(
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
) -> ClientAPI:
    """Opens the database that the settings describe; by default one in memory."""
    from chromadb.api.client import Client as LocalClient

    return LocalClient(
        tenant=str(tenant),
        database=str(database),
        settings=get_settings() if settings is None else settings,
    )


def EphemeralClient(
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
    *,
    memory_limit: int | None = None,
) -> ClientAPI:
    """Opens the database in memory.

    All such clients of a process share one database, as long as one of them or of their
    collections is alive.

    Args:
        memory_limit: As for `PersistentClient`.
    """
    return Client(_in_memory(settings, memory_limit), tenant, database)


def PersistentClient(
    path: str | Path = "./chroma",
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
    *,
    read_only: bool | None = None,
    memory_limit: int | None = None,
) -> ClientAPI:
    """Opens the database in a directory, which is created with its parents.

    A write that returned is on disk. Any number of processes may open one directory.

    Args:
        read_only: Whether nothing in the directory, which must exist, is made or changed; it may
            lie on a medium that cannot be written, and others may write to it. Calls that would
            change something are refused with an AuthorizationError.
        memory_limit: Bytes beyond which collections that are not in use are forgotten until they
            are; 0 for no limit.

    These two stand for the settings `chroma_read_only` and `chroma_memory_limit_bytes`, which hold
    where an argument is None. As with all settings, the clients of one directory in one process
    have the same.

    Raises:
        NotFoundError: The client only reads, and there is no database.
        ValueError: The directory is open in this process with other settings.
    """
    return Client(_in_directory(path, settings, read_only, memory_limit), tenant, database)


def AdminClient(settings: Settings | None = None) -> AdminAPI:
    """Opens the tenants and databases of what the settings describe."""
    from chromadb.api.client import AdminClient as LocalAdminClient

    return LocalAdminClient(get_settings() if settings is None else settings)


async def AsyncEphemeralClient(
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
    *,
    memory_limit: int | None = None,
) -> AsyncClientAPI:
    """As `EphemeralClient`, for event loops: what takes time runs on other threads."""
    return await _async_client(_in_memory(settings, memory_limit), tenant, database)


async def AsyncPersistentClient(
    path: str | Path = "./chroma",
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
    *,
    read_only: bool | None = None,
    memory_limit: int | None = None,
) -> AsyncClientAPI:
    """As `PersistentClient`, for event loops: what takes time runs on other threads."""
    described = _in_directory(path, settings, read_only, memory_limit)
    return await _async_client(described, tenant, database)


async def _async_client(settings: Settings, tenant: str, database: str) -> AsyncClientAPI:
    import asyncio

    # The first import of numpy and the engine takes a while.
    client = await asyncio.to_thread(importlib.import_module, "chromadb.api.async_client")
    opened: AsyncClientAPI = await client.AsyncClient.create(
        tenant=str(tenant), database=str(database), settings=settings
    )
    return opened
