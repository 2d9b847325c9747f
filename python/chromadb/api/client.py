"""The clients, of local databases and of servers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from chromadb.api import AdminAPI, ClientAPI, ServerAPI
from chromadb.api._client_records import ClientRecords
from chromadb.api._client_steps import ClientSteps
from chromadb.api._steps import Result, Steps, carry_out
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.api.types import (
    CollectionMetadata,
    DataLoader,
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    Loadable,
    Schema,
)
from chromadb.auth import UserIdentity
from chromadb.auth.utils import settled_tenant_and_database
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings, System
from chromadb.maintenance import Copy, Progress
from chromadb.types import Database, Tenant

__all__ = ["AdminClient", "Client", "SharedSystemClient"]


class Client(SharedSystemClient, ClientSteps, ClientRecords, ClientAPI):
    """The collections of one database of one tenant."""

    _server: ServerAPI

    def __init__(
        self,
        tenant: str | None = DEFAULT_TENANT,
        database: str | None = DEFAULT_DATABASE,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(settings)
        self._settle(tenant, database)

    @classmethod
    def from_system(
        cls, system: System, tenant: str = DEFAULT_TENANT, database: str = DEFAULT_DATABASE
    ) -> Client:
        """A client of a system that somebody made, which is started if need be."""
        client = cls.__new__(cls)
        client._join_system(system)
        client._settle(tenant, database)
        return client

    def _run(self, steps: Steps[Result]) -> Result:
        return carry_out(steps, self._server)

    def _settle(self, tenant: str | None, database: str | None) -> None:
        """Finds out which database of which tenant this client is of, and that it exists."""
        self._admin_client = AdminClient._beside(self)
        try:
            self.tenant, self.database = settled_tenant_and_database(
                self.get_user_identity(), self._system.settings, tenant, database
            )
            self._validate_tenant_database(self.tenant, self.database)
        except BaseException:
            self.close()
            raise

    def heartbeat(self) -> int:
        return self._server.heartbeat()

    def get_version(self) -> str:
        return self._server.get_version()

    def get_settings(self) -> Settings:
        return self._server.get_settings()

    def get_user_identity(self) -> UserIdentity:
        return self._run(self._identity_steps())

    def get_max_batch_size(self) -> int:
        return self._server.get_max_batch_size()

    def list_collections(
        self, limit: int | None = None, offset: int | None = None
    ) -> Sequence[Collection]:
        models = self._server.list_collections(limit, offset, self.tenant, self.database)
        return [Collection(client=self._server, model=model) for model in models]

    def count_collections(self) -> int:
        return self._server.count_collections(self.tenant, self.database)

    def create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
        get_or_create: bool = False,
    ) -> Collection:
        model = self._run(
            self._create_collection_steps(
                name, schema, configuration, metadata, embedding_function, get_or_create
            )
        )
        return Collection(self._server, model, embedding_function, data_loader)

    def get_collection(
        self,
        name: str,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        model = self._run(
            self._get_collection_steps(
                lambda server: server.get_collection(name, self.tenant, self.database),
                embedding_function,
            )
        )
        return Collection(self._server, model, embedding_function, data_loader)

    def get_collection_by_id(
        self,
        id: UUID,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        model = self._run(
            self._get_collection_steps(
                lambda server: server.get_collection_by_id(id, self.tenant, self.database),
                embedding_function,
            )
        )
        return Collection(self._server, model, embedding_function, data_loader)

    def get_or_create_collection(
        self,
        name: str,
        schema: Schema | None = None,
        configuration: CreateCollectionConfiguration | None = None,
        metadata: CollectionMetadata | None = None,
        embedding_function: EmbeddingFunction[Any] | None = DefaultEmbeddingFunction(),
        data_loader: DataLoader[Loadable] | None = None,
    ) -> Collection:
        return self.create_collection(
            name,
            schema,
            configuration,
            metadata,
            embedding_function,
            data_loader,
            get_or_create=True,
        )

    def delete_collection(self, name: str) -> None:
        self._server.delete_collection(name, self.tenant, self.database)

    def reset(self) -> bool:
        return self._server.reset()

    def flush(self, progress: Progress = None) -> None:
        self._server._flush(None, progress)

    def compact(self, progress: Progress = None) -> None:
        self._server._compact(None, progress)

    def backup(self, path: str | os.PathLike[str], progress: Progress = None) -> Copy:
        return self._server._backup(os.fspath(path), progress)

    def set_tenant(self, tenant: str, database: str = DEFAULT_DATABASE) -> None:
        self._validate_tenant_database(tenant, database)
        self.tenant = tenant
        self.database = database

    def set_database(self, database: str) -> None:
        self._validate_tenant_database(self.tenant, database)
        self.database = database

    def _validate_tenant_database(self, tenant: str, database: str) -> None:
        admin = cast(ServerAPI, self._admin_client)
        carry_out(self._validate_steps(tenant, database), admin)


class AdminClient(SharedSystemClient, AdminAPI):
    """Tenants and their databases."""

    _server: ServerAPI

    @classmethod
    def _beside(cls, client: Client) -> AdminClient:
        """What asks the same server; no open client of its own, so that the other's end is its end.

        Under the name of `_admin_client` programs reach for it.
        """
        admin = cls.__new__(cls)
        admin._identifier, admin._system = client._identifier, client._system
        admin._server = client._server
        return admin

    def create_tenant(self, name: str) -> None:
        self._server.create_tenant(name)

    def get_tenant(self, name: str) -> Tenant:
        return self._server.get_tenant(name)

    def create_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._server.create_database(name, tenant)

    def get_database(self, name: str, tenant: str = DEFAULT_TENANT) -> Database:
        return self._server.get_database(name, tenant)

    def delete_database(self, name: str, tenant: str = DEFAULT_TENANT) -> None:
        self._server.delete_database(name, tenant)

    def list_databases(
        self,
        limit: int | None = None,
        offset: int | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Sequence[Database]:
        return self._server.list_databases(limit, offset, tenant)
