"""Clients share engines, let go of them, and know tenants and databases."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import chromadb
from chromadb.api.client import SharedSystemClient
from chromadb.config import Settings, System
from chromadb.errors import (
    AuthorizationError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
)


def names(client: Any) -> list[str]:
    return sorted(collection.name for collection in client.list_collections())


def create(client: Any, name: str) -> Any:
    return client.create_collection(name, embedding_function=None)


def systems() -> list[System]:
    gc.collect()
    return list(SharedSystemClient._identifier_to_system.values())


# ---- Opening ------------------------------------------------------------------------------------


def test_every_factory_opens_a_client(tmp_path: Path) -> None:
    persistent = Settings(is_persistent=True, persist_directory=str(tmp_path / "settings"))
    for client in (
        chromadb.Client(),
        chromadb.EphemeralClient(),
        chromadb.PersistentClient(tmp_path / "path"),
        chromadb.PersistentClient(str(tmp_path / "deep" / "str")),
        chromadb.Client(persistent),
    ):
        assert isinstance(client, chromadb.ClientAPI)
        assert isinstance(client, chromadb.api.client.Client)
        assert (client.tenant, client.database) == ("default_tenant", "default_database")
    assert (tmp_path / "deep" / "str").is_dir()
    assert (tmp_path / "settings").is_dir()
    assert isinstance(chromadb.AdminClient(), chromadb.AdminAPI)


def test_a_client_tells_about_its_engine(client: Any) -> None:
    before = time.time_ns()
    assert before - 60 * 10**9 < client.heartbeat() < before + 60 * 10**9
    assert client.get_version() == chromadb.__version__ == "1.5.9"
    assert client.get_max_batch_size() > 5461
    assert client.get_settings().is_persistent is False
    identity = client.get_user_identity()
    assert identity == chromadb.auth.UserIdentity(
        user_id="", tenant="default_tenant", databases=["default_database"]
    )


def test_a_directory_keeps_what_was_written(tmp_path: Path) -> None:
    with chromadb.PersistentClient(tmp_path) as client:
        collection = create(client, "notes")
        collection.add(ids=["a", "b"], embeddings=[[1, 2], [3, 4]], documents=["A", "B"])
    with chromadb.PersistentClient(tmp_path) as client:
        found = client.get_collection("notes", embedding_function=None)
        assert found.get()["documents"] == ["A", "B"]
        assert found.query(query_embeddings=[3, 4], n_results=1)["ids"] == [["b"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tenant": "nope"}, "Tenant [nope] not found"),
        ({"database": "nope"}, "Database [nope] not found. Are you sure it exists?"),
    ],
    ids=repr,
)
def test_a_client_opens_what_exists(arguments: dict, message: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        chromadb.EphemeralClient(**arguments)
    assert str(caught.value) == message
    del caught
    assert systems() == []


def test_the_module_holds_default_settings() -> None:
    try:
        chromadb.configure(allow_reset=True)
        assert chromadb.get_settings().allow_reset is True
        with chromadb.Client() as client:
            assert client.reset() is True
    finally:
        chromadb.configure()


def test_another_implementation_is_refused() -> None:
    with pytest.raises(ValueError, match="^Unsupported Chroma API implementation some.where.Else$"):
        chromadb.Client(Settings(chroma_api_impl="some.where.Else"))
    with pytest.raises(ValueError, match="deprecated configuration of Chroma"):
        chromadb.Client(Settings(chroma_db_impl="duckdb+parquet"))


def test_a_directory_that_was_removed_is_made_anew_for_new_clients(tmp_path: Path) -> None:
    path = tmp_path / "db"
    old = create(chromadb.PersistentClient(path), "notes")
    old.add(ids=["old"], embeddings=[[1.0]])
    shutil.rmtree(path)
    with pytest.raises(InternalError, match="was removed, renamed or replaced"):
        old.add(ids=["lost"], embeddings=[[1.0]])
    assert not path.exists()
    new = create(chromadb.PersistentClient(path), "notes")
    new.add(ids=["new"], embeddings=[[1.0]])
    with pytest.raises(InternalError, match="was removed, renamed or replaced"):
        old.add(ids=["lost"], embeddings=[[1.0]])
    assert new.get()["ids"] == ["new"]


def test_a_directory_that_was_renamed_keeps_what_it_has(tmp_path: Path) -> None:
    left = create(chromadb.PersistentClient(tmp_path / "old"), "notes")
    left.add(ids=["kept"], embeddings=[[1.0]], documents=["large " * 20_000])
    (tmp_path / "old").rename(tmp_path / "new")
    # Large enough for a blob, which would go where the directory was.
    with pytest.raises(InternalError, match="was removed, renamed or replaced"):
        left.add(ids=["lost"], embeddings=[[1.0]], documents=["large " * 20_000])
    assert not (tmp_path / "old").exists()
    moved = chromadb.PersistentClient(tmp_path / "new").get_collection(
        "notes", embedding_function=None
    )
    assert moved.get()["ids"] == ["kept"]


# ---- Forking ------------------------------------------------------------------------------------


def exit_status_of_child(body: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        # A child that waits for a lock of nobody ends by this signal.
        signal.alarm(30)
        status = 1
        try:
            body()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_opens_clients_though_a_thread_was_opening_one(tmp_path: Path) -> None:
    def open_one() -> None:
        chromadb.PersistentClient(tmp_path / "child").heartbeat()

    with SharedSystemClient._lock:
        assert exit_status_of_child(open_one) == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_makes_a_database_in_memory_of_its_own() -> None:
    parents = create(chromadb.EphemeralClient(), "parents")

    def make_one() -> None:
        with pytest.raises(InvalidArgumentError, match="belongs to the process that forked"):
            parents.count()
        assert names(chromadb.EphemeralClient()) == []

    assert exit_status_of_child(make_one) == 0


# ---- Sharing and closing ------------------------------------------------------------------------


def test_clients_in_memory_share_one_database() -> None:
    first, second = chromadb.EphemeralClient(), chromadb.Client()
    create(first, "notes")
    assert names(second) == ["notes"]


def test_clients_of_one_directory_share_one_engine(tmp_path: Path) -> None:
    first, second = chromadb.PersistentClient(tmp_path), chromadb.PersistentClient(tmp_path)
    create(first, "notes")
    assert names(second) == ["notes"]
    assert len(systems()) == 1


def test_directories_are_apart(tmp_path: Path) -> None:
    first = chromadb.PersistentClient(tmp_path / "one")
    second = chromadb.PersistentClient(tmp_path / "two")
    create(first, "notes")
    assert names(second) == []


def test_sharing_asks_for_equal_settings(tmp_path: Path) -> None:
    client = chromadb.PersistentClient(tmp_path)
    with pytest.raises(ValueError) as caught:
        chromadb.PersistentClient(tmp_path, settings=Settings(allow_reset=True))
    assert str(caught.value) == (
        f"An instance of Chroma already exists for {tmp_path} with different settings"
    )
    memory = chromadb.EphemeralClient()
    with pytest.raises(ValueError, match="already exists for ephemeral with different settings"):
        chromadb.EphemeralClient(Settings(allow_reset=True))
    client.close()
    memory.close()
    chromadb.PersistentClient(tmp_path, settings=Settings(allow_reset=True)).close()


def test_settings_changed_afterwards_do_not_matter(tmp_path: Path) -> None:
    settings = Settings()
    first = chromadb.PersistentClient(tmp_path / "one", settings)
    second = chromadb.PersistentClient(tmp_path / "two", settings)
    create(first, "notes")
    assert names(second) == []
    assert first.get_settings().persist_directory == str(tmp_path / "one")


def test_the_last_client_closes_the_engine() -> None:
    first, second = chromadb.EphemeralClient(), chromadb.EphemeralClient()
    collection = create(first, "notes")
    first.close()
    first.close()
    assert names(second) == names(first) == ["notes"]
    second.close()
    for call in (
        first.heartbeat,
        second.list_collections,
        collection.count,
        lambda: collection.add(ids="a", embeddings=[1]),
        lambda: create(first, "other"),
    ):
        with pytest.raises(InvalidArgumentError, match="closed"):
            call()
    with chromadb.EphemeralClient() as fresh:
        assert names(fresh) == []


def test_a_client_is_a_context() -> None:
    with chromadb.EphemeralClient() as client:
        create(client, "notes")
    with pytest.raises(InvalidArgumentError, match="closed"):
        client.heartbeat()


def test_dropping_the_last_reference_lets_the_engine_go(tmp_path: Path) -> None:
    client = chromadb.PersistentClient(tmp_path)
    collection = create(client, "notes")
    (system,) = systems()
    del system
    del client
    assert collection.count() == 0
    assert len(systems()) == 1
    del collection
    assert systems() == []


def test_a_client_that_was_dropped_does_not_hold_up_the_close() -> None:
    first, second = chromadb.EphemeralClient(), chromadb.EphemeralClient()
    del first
    gc.collect()
    second.close()
    with pytest.raises(InvalidArgumentError, match="closed"):
        second.heartbeat()


def test_clients_come_and_go_on_many_threads() -> None:
    """Whoever has a client open has an engine, whoever else closes theirs meanwhile."""

    def come_and_go(number: int) -> int:
        for _ in range(20):
            with chromadb.EphemeralClient() as client:
                client.get_or_create_collection(f"notes{number}", embedding_function=None).count()
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(come_and_go, range(4))) == list(range(4))
    assert systems() == []


def test_an_admin_client_keeps_the_engine_open() -> None:
    admin = chromadb.AdminClient()
    chromadb.EphemeralClient().close()
    assert admin.get_tenant("default_tenant") == {"name": "default_tenant"}


def test_a_cleared_cache_makes_the_next_client_start_afresh() -> None:
    client = chromadb.EphemeralClient()
    create(client, "notes")
    client.clear_system_cache()
    fresh = chromadb.EphemeralClient()
    assert names(fresh) == []
    assert names(client) == ["notes"]
    fresh.close()
    assert names(client) == ["notes"]


def test_a_directory_made_anew_is_a_new_database(tmp_path: Path) -> None:
    import shutil

    path = tmp_path / "data"
    with chromadb.PersistentClient(path) as client:
        create(client, "notes")
    shutil.rmtree(path)
    with chromadb.PersistentClient(path) as client:
        assert names(client) == []


# ---- Reset --------------------------------------------------------------------------------------


def test_reset_asks_for_permission(client: Any) -> None:
    create(client, "notes")
    with pytest.raises(AuthorizationError) as caught:
        client.reset()
    assert str(caught.value) == "Reset is disabled by config"
    assert names(client) == ["notes"]


def test_reset_drops_everything_and_makes_the_defaults_anew() -> None:
    settings = Settings(allow_reset=True)
    admin = chromadb.AdminClient(settings)
    admin.create_tenant("acme")
    with chromadb.EphemeralClient(settings) as client:
        create(client, "notes")
        assert client.reset() is True
        assert names(client) == []
        create(client, "notes")
    with pytest.raises(NotFoundError):
        admin.get_tenant("acme")


# ---- Tenants and databases ----------------------------------------------------------------------


@pytest.fixture
def admin() -> Any:
    return chromadb.AdminClient()


def test_a_database_holds_its_own_collections(admin: Any) -> None:
    admin.create_tenant("acme")
    admin.create_database("sales", tenant="acme")
    admin.create_database("stock", tenant="acme")
    client = chromadb.EphemeralClient(tenant="acme", database="sales")
    assert create(client, "notes").database == "sales"
    client.set_database("stock")
    assert (client.tenant, client.database) == ("acme", "stock")
    assert names(client) == []
    client.set_tenant("default_tenant")
    assert (client.tenant, client.database) == ("default_tenant", "default_database")
    assert names(client) == []
    client.set_tenant("acme", "sales")
    assert names(client) == ["notes"]


def test_a_client_stays_where_it_is_when_there_is_nowhere_to_go(client: Any) -> None:
    with pytest.raises(NotFoundError, match=r"^Tenant \[nope\] not found$"):
        client.set_tenant("nope")
    with pytest.raises(NotFoundError, match=r"^Database \[nope\] not found. Are you sure"):
        client.set_tenant("default_tenant", "nope")
    with pytest.raises(NotFoundError, match=r"^Database \[nope\] not found. Are you sure"):
        client.set_database("nope")
    assert (client.tenant, client.database) == ("default_tenant", "default_database")


def test_tenants_are_created_once(admin: Any) -> None:
    admin.create_tenant("any name, even / and é")
    assert admin.get_tenant("any name, even / and é") == {"name": "any name, even / and é"}
    admin.create_tenant("acme")
    with pytest.raises(InternalError) as caught:
        admin.create_tenant("acme")
    assert str(caught.value) == "Tenant [acme] already exists"
    with pytest.raises(InvalidArgumentError, match=r"^Validation error: name: Validation error: l"):
        admin.create_tenant("ab")
    with pytest.raises(NotFoundError) as missing:
        admin.get_tenant("nope")
    assert str(missing.value) == "Tenant [nope] not found"


def test_databases_are_created_listed_and_deleted(admin: Any) -> None:
    admin.create_tenant("acme")
    for name in ("sales", "archive", "stock"):
        assert admin.create_database(name, "acme") is None
    found = admin.get_database("sales", "acme")
    assert {**found, "id": None} == {"id": None, "name": "sales", "tenant": "acme"}
    assert isinstance(found["id"], uuid.UUID)
    listed = admin.list_databases(tenant="acme")
    assert [database["name"] for database in listed] == ["archive", "sales", "stock"]
    assert admin.list_databases(1, 1, "acme") == [found]
    assert admin.list_databases(limit=0, tenant="acme") == []
    assert admin.list_databases(tenant="nope") == []
    admin.delete_database("sales", "acme")
    with pytest.raises(NotFoundError) as caught:
        admin.get_database("sales", "acme")
    assert str(caught.value) == "Database [sales] not found. Are you sure it exists?"
    with pytest.raises(NotFoundError) as caught:
        admin.delete_database("sales", "acme")
    assert str(caught.value) == "Database [sales] not found"


def test_databases_are_refused(admin: Any) -> None:
    with pytest.raises(InternalError) as taken:
        admin.create_database("default_database")
    assert str(taken.value) == "Database [default_database] already exists"
    with pytest.raises(InvalidArgumentError) as short:
        admin.create_database("ab")
    assert str(short.value) == "database name must be at least 3 characters"
    with pytest.raises(TypeError) as typed:
        admin.create_database(5)
    assert str(typed.value) == "argument 'name': 'int' object cannot be converted to 'PyString'"
    with pytest.raises(OverflowError):
        admin.list_databases(limit=-1)


def test_the_default_database_has_the_zero_id(admin: Any) -> None:
    assert admin.list_databases() == [
        {"id": uuid.UUID(int=0), "name": "default_database", "tenant": "default_tenant"}
    ]


def test_a_deleted_database_takes_its_collections_along(admin: Any) -> None:
    admin.create_database("sales")
    client = chromadb.EphemeralClient(database="sales")
    create(client, "notes")
    admin.delete_database("sales")
    admin.create_database("sales")
    assert names(client) == []


def test_a_collection_needs_a_database(admin: Any) -> None:
    admin.create_database("sales")
    client = chromadb.EphemeralClient(database="sales")
    admin.delete_database("sales")
    with pytest.raises(InvalidArgumentError) as caught:
        create(client, "notes")
    assert str(caught.value) == "Database [sales] does not exist"
