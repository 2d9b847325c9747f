"""Clients of every kind, tenants and databases, settings, errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import chromadb
from chromadb import DEFAULT_DATABASE, DEFAULT_TENANT, ClientAPI, Settings
from chromadb.api import AdminAPI
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.auth import UserIdentity
from chromadb.errors import ChromaError, InvalidArgumentError, NotFoundError


def every_client() -> Sequence[ClientAPI]:
    settings = Settings(anonymized_telemetry=False, allow_reset=True)
    return [
        chromadb.Client(),
        chromadb.Client(settings, tenant=DEFAULT_TENANT, database=DEFAULT_DATABASE),
        chromadb.EphemeralClient(),
        chromadb.EphemeralClient(settings=settings),
        chromadb.PersistentClient("data"),
        chromadb.PersistentClient(path=Path("data"), settings=settings),
        chromadb.RustClient("data"),
        chromadb.HttpClient(),
        chromadb.HttpClient(
            host="localhost", port=8000, ssl=False, headers={"X-Chroma-Token": "t"}
        ),
        chromadb.CloudClient(tenant="t", database="d", api_key="k"),
        Client(tenant="t", database="d", settings=settings),
    ]


def walk(client: ClientAPI) -> list[str]:
    beat: int = client.heartbeat()
    version: str = client.get_version()
    identity: UserIdentity = client.get_user_identity()
    limit: int = client.get_max_batch_size()
    settings: Settings = client.get_settings()
    collections: Sequence[Collection] = client.list_collections(limit=10, offset=0)
    count: int = client.count_collections()
    client.set_tenant("tenant", "database")
    client.set_tenant(tenant="tenant")
    client.set_database("database")
    one: Collection = client.get_collection("name")
    same: Collection = client.get_collection_by_id(one.id)
    id: UUID = same.id
    client.delete_collection(name="name")
    done: bool = client.reset()
    client.clear_system_cache()
    print(beat, version, identity.user_id, limit, settings.persist_directory, count, id, done)
    return [collection.name for collection in collections]


def administer(admin: AdminAPI) -> UUID:
    admin.create_tenant("tenant")
    tenant: str = admin.get_tenant("tenant")["name"]
    admin.create_database("database", tenant=tenant)
    for database in admin.list_databases(limit=1, offset=0, tenant=tenant):
        print(database["name"], database["tenant"])
    admin.delete_database("database", tenant)
    return admin.get_database("database")["id"]


def mistaken(client: ClientAPI) -> str:
    try:
        client.get_collection("absent")
    except (NotFoundError, InvalidArgumentError) as error:
        return f"{error.name()} {error.code()} {error.message()}"
    except ChromaError as error:
        return str(error)
    return ""


with chromadb.PersistentClient() as opened:
    print(opened.tenant, opened.database, walk(opened), administer(chromadb.AdminClient()))
    opened.close()
