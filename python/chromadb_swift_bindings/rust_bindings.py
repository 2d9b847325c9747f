"""`chromadb_rust_bindings` on this engine: the native module of official's Python package.

`chromadb_swift_bindings.install()` puts this module where that package looks for it. Parameters
have official's names, order and defaults. Results are read by attribute; what is inside of them is
fresh. Errors are classes of the `chromadb.errors` of whichever package calls. Each method converts
what the engine does not take as it comes; the engine decides on everything else.

What has no meaning here is accepted and does nothing: the engine has no migrations, and it bounds
its memory itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from operator import index
from typing import Any, NamedTuple, NoReturn

import numpy as np

from chromadb_swift_bindings import _chroma
from chromadb_swift_bindings._matrices import Matrix, matrix, partial_matrix

__all__ = [
    "Bindings",
    "MigrationHash",
    "MigrationMode",
    "PythonBindingsConfig",
    "SqliteDBConfig",
    "cli",
]

_TENANT = "default_tenant"
_DATABASE = "default_database"

_Metadata = dict[str, Any]
_Vectors = Sequence[Any]
_Column = Sequence[str | None]


class MigrationHash(IntEnum):
    SHA256 = 0
    MD5 = 1


class MigrationMode(IntEnum):
    Apply = 0
    Validate = 1


class SqliteDBConfig:
    """Where official keeps its tables. The engine keeps its own files in the directory of `url`."""

    def __init__(
        self, hash_type: MigrationHash, migration_mode: MigrationMode, url: str | None = None
    ) -> None:
        _check(hash_type, MigrationHash, "hash_type", "MigrationHash")
        _check(migration_mode, MigrationMode, "migration_mode", "MigrationMode")
        if url is not None:
            _check(url, str, "url", "PyString")
        self._url = url


class PythonBindingsConfig:
    def __init__(self, sqlite_db_config: SqliteDBConfig) -> None:
        _check(sqlite_db_config, SqliteDBConfig, "sqlite_db_config", "SqliteDBConfig")
        self.sqlite_db_config = sqlite_db_config


class Tenant(NamedTuple):
    name: str
    resource_name: str | None = None


class GetResponse(NamedTuple):
    ids: list[str]
    embeddings: np.ndarray[Any, np.dtype[np.float64]] | None
    documents: list[str | None] | None
    uris: list[str | None] | None
    metadatas: list[_Metadata | None] | None


class QueryResponse(NamedTuple):
    ids: list[list[str]]
    embeddings: list[np.ndarray[Any, np.dtype[np.float64]]] | None
    documents: list[list[str | None]] | None
    uris: list[list[str | None]] | None
    metadatas: list[list[_Metadata | None]] | None
    distances: list[list[float]] | None


class Bindings:
    """An open database: in a directory, or in memory. Any thread, any number of calls at once.

    Dropping the last reference closes it, as `close()` does.
    """

    __slots__ = ("__weakref__", "_engine")

    def __init__(
        self,
        allow_reset: bool,
        sqlite_db_config: SqliteDBConfig,
        hnsw_cache_size: int,
        persist_path: str | None = None,
    ) -> None:
        _check(allow_reset, bool, "allow_reset", "PyBool")
        _check(sqlite_db_config, SqliteDBConfig, "sqlite_db_config", "SqliteDBConfig")
        _check_cache_size(hnsw_cache_size)
        if persist_path is not None:
            _check(persist_path, str, "persist_path", "PyString")
        elif sqlite_db_config._url is not None:
            persist_path = os.path.dirname(sqlite_db_config._url) or "."
        self._engine = _chroma.Engine(persist_path, allow_reset)

    def close(self) -> None:
        """Closes the database. A second call does nothing."""
        self._engine.close()

    # ---- The database as a whole ----------------------------------------------------------------

    def heartbeat(self) -> int:
        return self._engine.heartbeat()

    def get_max_batch_size(self) -> int:
        return self._engine.get_max_batch_size()

    def get_version(self) -> str:
        """The version of official Chroma that the engine follows."""
        return _chroma.__version__.partition("+")[0]

    def reset(self) -> bool:
        return self._engine.reset()

    # ---- Tenants and databases ------------------------------------------------------------------

    def create_tenant(self, name: str) -> None:
        self._engine.create_tenant(name)

    def get_tenant(self, name: str) -> Tenant:
        return Tenant(self._engine.get_tenant(name).name)

    def create_database(self, name: str, tenant: str) -> None:
        self._engine.create_database(name, tenant)

    def get_database(self, name: str, tenant: str) -> _chroma.Database:
        return self._engine.get_database(name, tenant)

    def delete_database(self, name: str, tenant: str) -> None:
        self._engine.delete_database(name, tenant)

    def list_databases(
        self, limit: int | None = None, offset: int | None = None, tenant: str = _TENANT
    ) -> list[_chroma.Database]:
        return self._engine.list_databases(limit, offset, tenant)

    # ---- Collections ----------------------------------------------------------------------------

    def count_collections(self, tenant: str, database: str) -> int:
        return self._engine.count_collections(tenant, database)

    def list_collections(
        self,
        limit: int | None = None,
        offset: int | None = 0,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> list[_chroma.Collection]:
        return self._engine.list_collections(limit, offset, tenant, database)

    def create_collection(
        self,
        name: str,
        configuration_json_str: str | None = None,
        schema_str: str | None = None,
        metadata: _Metadata | None = None,
        get_or_create: bool = False,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> _chroma.Collection:
        return self._engine.create_collection(
            name, configuration_json_str, schema_str, metadata, get_or_create, tenant, database
        )

    def get_collection(self, name: str, tenant: str, database: str) -> _chroma.Collection:
        return self._engine.get_collection(name, tenant, database)

    def get_collection_by_id(
        self, collection_id: str, tenant: str = _TENANT, database: str = _DATABASE
    ) -> _chroma.Collection:
        return self._engine.get_collection_by_id(collection_id, tenant, database)

    def update_collection(
        self,
        collection_id: str,
        new_name: str | None = None,
        new_metadata: _Metadata | None = None,
        new_configuration_json_str: str | None = None,
    ) -> None:
        self._engine.update_collection(
            collection_id, new_name, new_metadata, new_configuration_json_str
        )

    def delete_collection(self, name: str, tenant: str, database: str) -> None:
        self._engine.delete_collection(name, tenant, database)

    # ---- Records --------------------------------------------------------------------------------

    def add(
        self,
        ids: list[str],
        collection_id: str,
        embeddings: _Vectors,
        metadatas: Sequence[_Metadata | None] | None = None,
        documents: _Column | None = None,
        uris: _Column | None = None,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> bool:
        rows = matrix(embeddings, "embeddings")
        return self._engine.add(
            ids, collection_id, rows, metadatas, documents, uris, tenant, database
        )

    def update(
        self,
        collection_id: str,
        ids: list[str],
        embeddings: _Vectors | None = None,
        metadatas: Sequence[_Metadata | None] | None = None,
        documents: _Column | None = None,
        uris: _Column | None = None,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> bool:
        rows, present = partial_matrix(embeddings, "embeddings", ids)
        return self._engine.update(
            collection_id, ids, rows, metadatas, documents, uris, tenant, database, present
        )

    def upsert(
        self,
        collection_id: str,
        ids: list[str],
        embeddings: _Vectors,
        metadatas: Sequence[_Metadata | None] | None = None,
        documents: _Column | None = None,
        uris: _Column | None = None,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> bool:
        rows = matrix(embeddings, "embeddings")
        return self._engine.upsert(
            collection_id, ids, rows, metadatas, documents, uris, tenant, database
        )

    def delete(
        self,
        collection_id: str,
        ids: list[str] | None = None,
        where: str | None = None,
        where_document: str | None = None,
        limit: int | None = None,
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> int:
        return self._engine.delete(
            collection_id, ids, where, where_document, limit, tenant, database
        )

    def count(self, collection_id: str, tenant: str = _TENANT, database: str = _DATABASE) -> int:
        return self._engine.count(collection_id, tenant, database)

    def get(
        self,
        collection_id: str,
        ids: list[str] | None = None,
        where: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        where_document: str | None = None,
        include: Sequence[str] = ("metadatas", "documents"),
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> GetResponse:
        found = self._engine.get(
            collection_id, ids, where, limit, offset, where_document, include, tenant, database
        )
        return GetResponse(
            found.ids,
            None if found.embeddings is None else _doubles(found.embeddings),
            found.documents,
            found.uris,
            found.metadatas,
        )

    def query(
        self,
        collection_id: str,
        ids: list[str] | None,
        query_embeddings: _Vectors,
        n_results: int,
        where: str | None = None,
        where_document: str | None = None,
        include: Sequence[str] = ("metadatas", "documents"),
        tenant: str = _TENANT,
        database: str = _DATABASE,
    ) -> QueryResponse:
        rows = matrix(query_embeddings, "query_embeddings")
        found = self._engine.query(
            collection_id, ids, rows, n_results, where, where_document, include, tenant, database
        )
        return QueryResponse(
            found.ids,
            None if found.embeddings is None else [_doubles(rows) for rows in found.embeddings],
            found.documents,
            found.uris,
            found.metadatas,
            found.distances,
        )


def cli(args: list[str] | None = None) -> NoReturn:
    """Official's command line, which this engine does not have: exits with a sentence."""
    given = sys.argv if args is None else args
    asked = " ".join(["chroma", *given[1:]])
    sys.exit(
        f"`{asked}` was not run: the engine has no command line and no server. Open the database "
        'from Python, with chromadb.PersistentClient("path").'
    )


def _doubles(rows: Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
    # Official's answers are doubles, and no rows are an array of one dimension.
    return rows.astype(np.float64) if len(rows) else np.array([], dtype=np.float64)


def _check(value: object, kind: type, argument: str, name: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(
            f"argument '{argument}': '{type(value).__name__}' object cannot be converted to "
            f"'{name}'"
        )


def _check_cache_size(value: int) -> None:
    try:
        size = index(value)
    except TypeError as error:
        raise TypeError(f"argument 'hnsw_cache_size': {error}") from None
    if size < 0:
        raise OverflowError("can't convert negative int to unsigned")
