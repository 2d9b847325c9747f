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
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import chromadb.api.async_client
    import chromadb.api.client
    from chromadb import api as api
    from chromadb import auth as auth
    from chromadb import base_types as base_types
    from chromadb import config as config
    from chromadb import errors as errors
    from chromadb import execution as execution
    from chromadb import maintenance as maintenance
    from chromadb import serde as serde
    from chromadb import telemetry as telemetry
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
        SparseEmbeddingFunction,
        SparseVector,
        SparseVectorIndexConfig,
        SparseVectors,
        StringInvertedIndexConfig,
        UpdateCollectionMetadata,
        UpdateMetadata,
        URIs,
        VectorIndexConfig,
        Where,
        WhereDocument,
    )
    from chromadb.api.types import ReadLevel as ReadLevel
    from chromadb.auth.token_authn import TokenTransportHeader
    from chromadb.config import DEFAULT_DATABASE as DEFAULT_DATABASE
    from chromadb.config import DEFAULT_TENANT as DEFAULT_TENANT
    from chromadb.config import Settings as Settings
    from chromadb.execution.expression import K, Key, Knn, Rrf, Search
    from chromadb.types import CloudClientArg as CloudClientArg

    AdminClientCreator = chromadb.api.client.AdminClient
    AsyncClientCreator = chromadb.api.async_client.AsyncClient
    ClientCreator = chromadb.api.client.Client
    IN_COLAB: bool

__version__ = "1.5.9"

__all__ = [
    "K",
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
    "Key",
    "Knn",
    "Metadata",
    "Metadatas",
    "QueryResult",
    "Rrf",
    "Schema",
    "Search",
    "SpannIndexConfig",
    "SparseEmbeddingFunction",
    "SparseVector",
    "SparseVectorIndexConfig",
    "SparseVectors",
    "StringInvertedIndexConfig",
    "TokenTransportHeader",
    "URIs",
    "UpdateCollectionMetadata",
    "UpdateMetadata",
    "VectorIndexConfig",
    "Where",
    "WhereDocument",
]

_SUBMODULES = frozenset(
    (
        "api",
        "auth",
        "base_types",
        "config",
        "errors",
        "execution",
        "maintenance",
        "serde",
        "telemetry",
        "types",
        "utils",
    )
)

# Where the names come from that are not defined here.
_HOMES = dict.fromkeys(__all__, "chromadb.api.types") | {
    "AdminAPI": "chromadb.api",
    "AsyncClientAPI": "chromadb.api.async_api",
    "ClientAPI": "chromadb.api",
    "CloudClientArg": "chromadb.types",
    "Collection": "chromadb.api.models.Collection",
    "DEFAULT_DATABASE": "chromadb.config",
    "DEFAULT_TENANT": "chromadb.config",
    "K": "chromadb.execution.expression",
    "Key": "chromadb.execution.expression",
    "Knn": "chromadb.execution.expression",
    "ReadLevel": "chromadb.api.types",
    "Rrf": "chromadb.execution.expression",
    "Search": "chromadb.execution.expression",
    "Settings": "chromadb.config",
    "TokenTransportHeader": "chromadb.auth.token_authn",
}

# The classes that the functions of this module make clients of.
_CREATORS = {
    "AdminClientCreator": ("chromadb.api.client", "AdminClient"),
    "AsyncClientCreator": ("chromadb.api.async_client", "AsyncClient"),
    "ClientCreator": ("chromadb.api.client", "Client"),
}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"chromadb.{name}")
    if name in _HOMES or name in _CREATORS:
        module, original = _CREATORS.get(name) or (_HOMES[name], name)
        value = getattr(importlib.import_module(module), original)
        globals()[name] = value
        return value
    if name == "is_client":
        return importlib.import_module("chromadb.config").is_thin_client
    if name == "IN_COLAB":
        return is_in_colab()
    raise AttributeError(f"module 'chromadb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_HOMES, *_CREATORS, "IN_COLAB", "is_client"})


def is_in_colab() -> bool:
    """Whether this is a notebook of Google Colab."""
    return importlib.util.find_spec("google") is not None and (
        importlib.util.find_spec("google.colab") is not None
    )


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


def RustClient(
    path: str | None = None,
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
) -> ClientAPI:
    """Opens the database in a directory, or in memory where none is named."""
    from chromadb.config import Settings

    settings = Settings() if settings is None else settings
    settings.chroma_api_impl = "chromadb.api.rust.RustBindingsAPI"
    settings.is_persistent = path is not None
    settings.persist_directory = str(path or "")
    return Client(settings, tenant, database)


def HttpClient(
    host: str = "localhost",
    port: int = 8000,
    ssl: bool = False,
    headers: dict[str, str] | None = None,
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
) -> ClientAPI:
    """Reaches the databases of a server. It takes httpx: `pip install 'chromadb[http]'`.

    Args:
        host: A name or an address; or a whole URL, whose port then goes before `port`.
        ssl: Whether to speak HTTPS. The setting `chroma_server_ssl_verify` is False, or the path of
            the certificates, where those of the system do not vouch for the server.
        headers: Sent with every request.

    Raises:
        ValueError: No server answers there, or the settings name another one.
        NotFoundError: The server has no such tenant or database.
    """
    from chromadb._server_settings import http_settings

    implementation = "chromadb.api.fastapi.FastAPI"
    described = http_settings(implementation, host, port, ssl, headers, settings)
    return Client(described, tenant, database)


def CloudClient(
    tenant: str | None = None,
    database: str | None = None,
    api_key: str | None = None,
    settings: Settings | None = None,
    *,
    cloud_host: str = "api.trychroma.com",
    cloud_port: int = 443,
    enable_ssl: bool = True,
) -> ClientAPI:
    """Reaches a database of Chroma Cloud.

    What is not passed comes from the variables `CHROMA_TENANT`, `CHROMA_DATABASE` and
    `CHROMA_API_KEY`; a tenant and a database that are not there either are those of the key, where
    it is good for only one.

    Raises:
        ValueError: There is no key.
        ChromaAuthError: The key is for another tenant or database, or for several and none is
            named.
    """
    import os

    from chromadb._server_settings import cloud_settings
    from chromadb.api.client import Client as ServerClient

    described = cloud_settings(api_key, settings, cloud_host, cloud_port, enable_ssl)
    tenant = tenant or os.environ.get("CHROMA_TENANT")
    database = database or os.environ.get("CHROMA_DATABASE")
    return ServerClient(
        tenant=None if tenant is None else str(tenant),
        database=None if database is None else str(database),
        settings=described,
    )


def AdminClient(settings: Settings | None = None) -> chromadb.api.client.AdminClient:
    """Opens the tenants and databases of what the settings describe."""
    from chromadb.api.client import AdminClient as LocalAdminClient

    return LocalAdminClient(get_settings() if settings is None else settings)


async def AsyncHttpClient(
    host: str = "localhost",
    port: int = 8000,
    ssl: bool = False,
    headers: dict[str, str] | None = None,
    settings: Settings | None = None,
    tenant: str = "default_tenant",
    database: str = "default_database",
) -> AsyncClientAPI:
    """As `HttpClient`, for event loops."""
    from chromadb._server_settings import http_settings

    implementation = "chromadb.api.async_fastapi.AsyncFastAPI"
    described = http_settings(implementation, host, port, ssl, headers, settings)
    return await _async_client(described, tenant, database)


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
