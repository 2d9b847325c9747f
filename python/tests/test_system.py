"""Systems start what they are made of in order, and let go of it when nothing needs it any more."""

from __future__ import annotations

import gc
import logging
import resource
import weakref
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import pytest

import chromadb
from chromadb.api import ServerAPI
from chromadb.api.client import AdminClient, Client, SharedSystemClient
from chromadb.api.local import LocalAPI
from chromadb.api.rust import RustBindingsAPI
from chromadb.api.segment import SegmentAPI
from chromadb.config import Component, Settings, System, get_class, get_fqn
from chromadb.errors import InternalError


class Named(Component):
    """Writes down what happens to it."""

    events: ClassVar[list[str]] = []
    needed: ClassVar[tuple[type[Component], ...]] = ()

    def __init__(self, system: System) -> None:
        super().__init__(system)
        for each in self.needed:
            self.require(each)

    def start(self) -> None:
        super().start()
        self.events.append(f"start {type(self).__name__}")

    def stop(self) -> None:
        super().stop()
        self.events.append(f"stop {type(self).__name__}")

    def reset_state(self) -> None:
        self.events.append(f"reset {type(self).__name__}")


class Ground(Named):
    pass


class Wall(Named):
    needed = (Ground,)


class Roof(Named):
    needed = (Wall, Ground)


@pytest.fixture(autouse=True)
def no_events() -> None:
    Named.events.clear()


# ---- Components ---------------------------------------------------------------------------------


def test_components_start_after_what_they_need_and_stop_before_it() -> None:
    system = System(Settings(allow_reset=True))
    roof = system.instance(Roof)
    assert roof.dependencies() == {system.instance(Wall), system.instance(Ground)}
    system.start()
    system.reset_state()
    system.stop()
    assert Named.events == [
        *("start Ground", "start Wall", "start Roof"),
        *("reset Roof", "reset Wall", "reset Ground"),
        *("stop Roof", "stop Wall", "stop Ground"),
    ]


def test_what_a_running_system_makes_is_started() -> None:
    system = System(Settings())
    system.start()
    system.instance(Wall)
    assert Named.events == ["start Ground", "start Wall"]
    assert [type(component) for component in system.components()] == [Ground, Wall]


def test_there_is_one_instance_of_a_class() -> None:
    system = System(Settings())
    assert system.instance(Ground) is system.instance(Ground)
    assert system.instance(Ground) is not System(Settings()).instance(Ground)


def test_the_settings_choose_what_stands_in_for_an_abstract_class() -> None:
    system = System(Settings(is_persistent=False))
    assert type(system.instance(ServerAPI)) is RustBindingsAPI
    other = System(Settings(chroma_api_impl="chromadb.api.segment.SegmentAPI"))
    assert type(other.instance(ServerAPI)) is SegmentAPI
    assert isinstance(other.instance(ServerAPI), LocalAPI)


def test_an_abstract_class_without_a_setting_is_refused() -> None:
    class Abstract(Component):
        @abstractmethod
        def work(self) -> None: ...

    with pytest.raises(ValueError, match="^Cannot instantiate abstract type: "):
        System(Settings()).instance(Abstract)


def test_a_reset_asks_for_permission() -> None:
    with pytest.raises(ValueError, match="^Resetting is not allowed by this configuration"):
        System(Settings()).reset_state()


def test_classes_have_dotted_names() -> None:
    assert get_class("chromadb.config.System", System) is System
    assert get_fqn(System) == "chromadb.config.System"


# ---- Systems of databases -----------------------------------------------------------------------


def test_a_system_serves_the_clients_that_are_made_of_it() -> None:
    system = System(Settings(allow_reset=True))
    system.start()
    first, second = Client.from_system(system), Client.from_system(system)
    first.create_collection("notes", embedding_function=None)
    assert second.count_collections() == 1
    assert AdminClient.from_system(system).get_tenant("default_tenant")
    system.reset_state()
    assert second.count_collections() == 0
    first.close()
    assert system._running is True
    second.close()
    assert system._running is False


def test_clients_with_its_settings_join_a_system() -> None:
    system = System(Settings(allow_reset=True))
    made = Client.from_system(system)
    joined = Client(settings=Settings(allow_reset=True))
    assert joined._system is made._system is system


def test_a_client_starts_its_system() -> None:
    assert Client.from_system(System(Settings())).heartbeat() > 0


def test_a_system_that_could_not_start_is_not_running(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    settings = Settings(is_persistent=True, persist_directory=str(tmp_path / "file"))
    system = System(settings)
    for _ in range(2):
        with pytest.raises(InternalError):
            Client.from_system(system)
        assert system._running is False
    (tmp_path / "file").unlink()
    assert Client.from_system(system).heartbeat() > 0


def test_the_cache_knows_systems_and_how_many_clients_they_have(tmp_path: Path) -> None:
    first, second = chromadb.PersistentClient(tmp_path), chromadb.PersistentClient(tmp_path)
    assert SharedSystemClient._identifier_to_system[str(tmp_path)] is first._system
    assert SharedSystemClient._identifier_to_refcount == {str(tmp_path): 2}
    first.close()
    assert SharedSystemClient._identifier_to_refcount == {str(tmp_path): 1}
    second.close()
    assert SharedSystemClient._identifier_to_refcount == {}
    assert list(SharedSystemClient._identifier_to_system) == []


def test_suites_may_forget_the_cache_in_their_own_ways() -> None:
    for forget in (
        lambda: SharedSystemClient._identifier_to_system.clear(),
        lambda: setattr(SharedSystemClient, "_identifier_to_system", {}),
        lambda: setattr(SharedSystemClient, "_identifier_to_refcount", {}),
        SharedSystemClient.clear_system_cache,
    ):
        client = chromadb.EphemeralClient()
        forget()
        assert chromadb.EphemeralClient().heartbeat() > 0
        client.close()


def test_nothing_waits_for_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        client = chromadb.EphemeralClient()
        collection = client.create_collection("notes", embedding_function=None)
        engine = weakref.ref(collection._client._local_engine)
        del client
        assert collection.count() == 0
        del collection
        assert engine() is None
        assert list(SharedSystemClient._identifier_to_system) == []
    finally:
        gc.enable()


def test_a_client_has_what_administers_its_server() -> None:
    client: Any = chromadb.EphemeralClient()
    client._admin_client.create_database("sales")
    client.set_database("sales")
    client.close()
    assert client._system._running is False


# ---- Settings that systems look at --------------------------------------------------------------


def test_a_cache_policy_that_is_none_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "chromadb.config"):
        System(Settings(chroma_segment_cache_policy="FIFO"))
    assert "Only LRU is available" in caplog.text


def test_the_limit_of_open_files_is_raised_and_never_lowered() -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        System(Settings(chroma_server_nofile=1))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before
        resource.setrlimit(resource.RLIMIT_NOFILE, (before - 1, hard))
        System(Settings(chroma_server_nofile=before))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))
