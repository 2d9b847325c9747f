"""Clients of servers do what local ones do, with the model of a server and with official's."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from v2_server import V2Server

import chromadb
from chromadb.api.fastapi import FastAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError, InvalidArgumentError, NotFoundError

START_SECONDS_MAX = 60


class OfficialServer:
    """Official's server, as a process of its own, over a fresh directory."""

    def __init__(self, python: str, directory: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = directory / "server.yaml"
        config.write_text(
            f'port: {self.port}\nlisten_address: "127.0.0.1"\nallow_reset: true\n'
            f'persist_path: "{directory / "data"}"\n'
        )
        # Without the path by which this process finds its own `chromadb`.
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [str(Path(python).parent / "chroma"), "run", str(config)],
            env=environment,
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError("Official's server did not start.")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/heartbeat"):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture(
    scope="module", params=["model", pytest.param("official", marks=pytest.mark.official)]
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    if request.param == "model":
        made: Any = V2Server()
    else:
        python = request.getfixturevalue("official_python")
        made = OfficialServer(python, tmp_path_factory.mktemp("official"))
    yield made
    made.close()


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    """A client of a server that has nothing."""
    with chromadb.HttpClient("127.0.0.1", server.port) as client:
        client.reset()
        yield client


@pytest.fixture
def collection(client: Any) -> Any:
    return client.create_collection("notes", embedding_function=None)


def create(client: Any, name: str, **arguments: Any) -> Any:
    return client.create_collection(name, embedding_function=None, **arguments)


# ---- The server ---------------------------------------------------------------------------------


def test_a_client_tells_about_its_server(client: Any) -> None:
    assert isinstance(client, chromadb.ClientAPI)
    assert isinstance(client, chromadb.ClientCreator)
    assert (client.tenant, client.database) == ("default_tenant", "default_database")
    assert abs(client.heartbeat() - time.time_ns()) < 600 * 10**9
    assert client.get_version() == "1.0.0"
    assert client.get_max_batch_size() == 5461
    assert client.get_settings().chroma_api_impl == "chromadb.api.fastapi.FastAPI"
    assert client.get_user_identity() == chromadb.auth.UserIdentity(
        user_id="", tenant="default_tenant", databases=["default_database"]
    )


def test_an_address_may_be_a_whole_url(client: Any, server: Any) -> None:
    for host in (f"http://127.0.0.1:{server.port}", f"127.0.0.1:{server.port}"):
        with chromadb.HttpClient(host, port=1) as other:
            assert other.heartbeat() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tenant": "nope"}, "Tenant [nope] not found"),
        ({"database": "nope"}, "Database [nope] not found. Are you sure it exists?"),
    ],
    ids=repr,
)
def test_a_client_opens_what_exists(server: Any, arguments: dict, message: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        chromadb.HttpClient("127.0.0.1", server.port, **arguments)
    assert str(caught.value) == message


def test_reset_drops_everything(client: Any) -> None:
    create(client, "notes")
    assert client.reset() is True
    assert client.count_collections() == 0


def test_a_closed_client_says_so(client: Any, collection: Any) -> None:
    client.close()
    client.close()
    for call in (client.heartbeat, collection.count):
        with pytest.raises(InvalidArgumentError, match=r"^The client is closed\."):
            call()


def test_clients_of_one_server_share_nothing(client: Any, server: Any) -> None:
    with chromadb.HttpClient("127.0.0.1", server.port) as other:
        assert other._system is not client._system
    assert client.heartbeat() > 0


def test_threads_share_a_client(client: Any, collection: Any) -> None:
    def write(number: int) -> None:
        collection.add(ids=[f"id{number}"], embeddings=[[float(number)]])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))
    assert collection.count() == 20


# ---- Tenants and databases ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["acme", "any name, even / and é", "a?b#c%2F", "..."])
def test_a_tenant_has_its_databases(client: Any, server: Any, name: str) -> None:
    with admin_of(client) as admin:
        admin.create_tenant(name)
        assert admin.get_tenant(name) == {"name": name}
        for database in ("sales", "archive"):
            assert admin.create_database(database, name) is None
        found = admin.get_database("sales", name)
        assert {**found, "id": None} == {"id": None, "name": "sales", "tenant": name}
        assert str(UUID(found["id"])) == found["id"]
        listed = admin.list_databases(tenant=name)
        assert [database["name"] for database in listed] == ["archive", "sales"]
        assert admin.list_databases(1, 1, name) == [found]
        with chromadb.HttpClient("127.0.0.1", server.port, tenant=name, database="sales") as inside:
            assert create(inside, "notes").tenant == name
            inside.set_database("archive")
            assert inside.list_collections() == []
        admin.delete_database("sales", name)
        with pytest.raises(NotFoundError, match=r"^Database \[sales\] not found"):
            admin.get_database("sales", name)


def admin_of(client: Any) -> Any:
    return chromadb.AdminClient(client.get_settings())


def test_what_exists_is_not_made_again(client: Any) -> None:
    with admin_of(client) as admin:
        with pytest.raises(ChromaError) as tenant:
            admin.create_tenant("default_tenant")
        assert str(tenant.value) == "Tenant [default_tenant] already exists"
        with pytest.raises(ChromaError) as database:
            admin.create_database("default_database")
        assert str(database.value) == "Database [default_database] already exists"
    create(client, "notes")
    with pytest.raises(ChromaError) as collection:
        create(client, "notes")
    assert str(collection.value) == "Collection [notes] already exists"
    assert type(collection.value) is ChromaError


# ---- Collections --------------------------------------------------------------------------------


def test_collections_are_made_found_changed_and_deleted(client: Any) -> None:
    metadata = {"a": 1, "b": 1.5, "c": "x", "d": True}
    made = create(client, "notes", metadata=metadata, configuration={"hnsw": {"space": "cosine"}})
    assert made.metadata == metadata
    assert made.configuration["hnsw"]["space"] == "cosine"
    for found in (
        client.get_collection("notes", embedding_function=None),
        client.get_collection_by_id(made.id, embedding_function=None),
        client.get_or_create_collection("notes", embedding_function=None),
        client.list_collections()[0],
    ):
        assert (found.id, found.name, found.metadata) == (made.id, "notes", metadata)
        assert found.configuration_json == made.configuration_json
        assert found.schema.serialize_to_json() == made.schema.serialize_to_json()
    made.modify(name="other", metadata={"e": 2}, configuration={"hnsw": {"ef_search": 50}})
    found = client.get_collection("other", embedding_function=None)
    assert found.metadata == {"e": 2}
    assert found.configuration["hnsw"]["ef_search"] == 50
    client.delete_collection("other")
    for call in (
        lambda: client.get_collection("other", embedding_function=None),
        lambda: client.delete_collection("other"),
    ):
        with pytest.raises(NotFoundError, match=r"^Collection \[other\] does not exist"):
            call()


def test_collections_are_listed_in_pages(client: Any) -> None:
    made = sorted((create(client, f"notes{number}") for number in range(5)), key=lambda c: c.id.int)
    assert client.count_collections() == 5
    listed = [*client.list_collections(limit=3), *client.list_collections(limit=3, offset=3)]
    assert [each.name for each in listed] == [each.name for each in made]


def test_a_schema_is_kept(client: Any) -> None:
    schema = chromadb.Schema().delete_index(chromadb.StringInvertedIndexConfig(), "secret")
    made = create(client, "notes", schema=schema)
    found = client.get_collection("notes", embedding_function=None)
    assert found.schema.serialize_to_json() == made.schema.serialize_to_json()
    assert made.schema.keys["secret"].string.string_inverted_index.enabled is False


# ---- Records ------------------------------------------------------------------------------------


def test_records_come_back_as_they_were_written(collection: Any) -> None:
    ids = ["a", "é/x", "🐝", " "]
    metadatas = [
        {"int": 2**62, "float": 2.0, "bool": True, "text": "ü\n"},
        None,
        {"list": [1, 2], "texts": ["a"], "floats": [0.5]},
        {"tiny": 5e-324},
    ]
    documents = ["A", None, "", "\u2028"]
    uris = ["file:a", None, None, "file:d"]
    rows = [[0.1, -2.0], [1e-30, 3.5], [0.0, 4.0], [16777216.0, 5.0]]
    collection.add(ids=ids, embeddings=rows, metadatas=metadatas, documents=documents, uris=uris)
    found = collection.get(include=["embeddings", "metadatas", "documents", "uris"])
    assert found["ids"] == ids
    assert found["metadatas"] == metadatas
    assert [type(value) for value in found["metadatas"][0].values()].count(bool) == 1
    assert isinstance(found["metadatas"][0]["float"], float)
    assert (found["documents"], found["uris"]) == (documents, uris)
    assert found["embeddings"].dtype == np.float64
    assert np.array_equal(found["embeddings"].astype(np.float32), np.array(rows, np.float32))
    assert found["included"] == ["embeddings", "metadatas", "documents", "uris"]
    assert collection.get(ids="a", include=[])["documents"] is None


def test_records_are_changed_and_deleted(collection: Any) -> None:
    collection.add(ids=["a", "b"], embeddings=[[1.0], [2.0]], metadatas=[{"k": 1}, {"k": 2}])
    collection.update(ids=["a", "z"], metadatas=[{"k": 3, "l": "x"}, {"k": 4}])
    collection.upsert(ids=["b", "c"], embeddings=[[5.0], [6.0]], documents=["B", "C"])
    found = collection.get(include=["embeddings", "metadatas", "documents"])
    assert found["ids"] == ["a", "b", "c"]
    assert found["metadatas"] == [{"k": 3, "l": "x"}, {"k": 2}, None]
    assert found["embeddings"].tolist() == [[1.0], [5.0], [6.0]]
    assert found["documents"] == [None, "B", "C"]
    assert collection.delete(where={"k": {"$gte": 3}}) == {"deleted": 1}
    assert collection.delete(ids=["b"]) == {"deleted": 1}
    assert collection.count() == 1
    assert collection.peek()["ids"] == ["c"]


def test_filters_and_pages_are_sent(collection: Any) -> None:
    numbers = range(10)
    collection.add(
        ids=[f"id{number}" for number in numbers],
        embeddings=[[float(number), 0.0] for number in numbers],
        metadatas=[{"n": number} for number in numbers],
        documents=[f"word{number % 3}" for number in numbers],
    )
    assert collection.get(where={"n": {"$gte": 4}}, limit=2, offset=1)["ids"] == ["id5", "id6"]
    assert collection.get(where_document={"$contains": "word2"})["ids"] == ["id2", "id5", "id8"]
    found = collection.query(
        query_embeddings=[[9.0, 0.0], [0.0, 0.0]],
        n_results=2,
        where={"n": {"$lt": 8}},
        include=["distances", "embeddings", "metadatas", "documents", "uris"],
    )
    assert found["ids"] == [["id7", "id6"], ["id0", "id1"]]
    assert found["distances"] == [[4.0, 9.0], [0.0, 1.0]]
    assert [rows.tolist() for rows in found["embeddings"]] == [
        [[7.0, 0.0], [6.0, 0.0]],
        [[0.0, 0.0], [1.0, 0.0]],
    ]
    assert found["metadatas"][0] == [{"n": 7}, {"n": 6}]
    assert found["documents"][1] == ["word0", "word1"]
    assert found["uris"] == [[None, None], [None, None]]
    assert collection.query(query_embeddings=[[5.0, 0.0]], ids=["id1", "id2"])["ids"] == [
        ["id2", "id1"]
    ]


def test_an_empty_collection_answers_empty_columns(collection: Any) -> None:
    found = collection.get(include=["embeddings", "documents"])
    assert (found["ids"], found["documents"], found["embeddings"].shape) == ([], [], (0,))
    assert collection.query(query_embeddings=[[1.0]])["ids"] == [[]]


def test_a_bound_on_the_distance_is_kept_here(collection: Any) -> None:
    collection.add(ids=["a", "b", "c"], embeddings=[[1.0], [2.0], [4.0]])
    found = collection.query(query_embeddings=[[1.0]], include=["documents"], max_distance=1.0)
    assert found["ids"] == [["a", "b"]]
    assert (found["distances"], found["included"]) == (None, ["documents"])


def test_data_are_loaded_from_uris(client: Any) -> None:
    create(client, "notes").add(ids=["a", "b"], embeddings=[[1.0], [2.0]], uris=["file:a", None])
    collection = client.get_collection(
        "notes", embedding_function=None, data_loader=lambda uris: [*map(repr, uris)]
    )
    assert collection.get(include=["data"])["data"] == ["'file:a'", "None"]
    found = collection.query(query_embeddings=[[1.0]], include=["data"])
    assert found["data"] == [["'file:a'", "None"]]


def test_more_records_than_the_server_takes_are_refused_here(collection: Any) -> None:
    ids = [str(number) for number in range(5462)]
    for call in (collection.add, collection.upsert, collection.update):
        with pytest.raises(ValueError) as caught:
            call(ids=ids, embeddings=np.zeros((5462, 2), np.float32))
        assert str(caught.value).startswith("Batch size 5462 exceeds maximum batch size 5461")
    assert collection.count() == 0


# ---- Errors -------------------------------------------------------------------------------------


def test_an_error_carries_its_trace(collection: Any) -> None:
    collection.add(ids=["a"], embeddings=[[1.0, 2.0]])
    with pytest.raises(InvalidArgumentError) as caught:
        collection.query(query_embeddings=[[1.0, 2.0, 3.0]])
    assert str(caught.value) == "Collection expecting embedding with dimension of 2, got 3"
    assert len(caught.value.trace_id) == 32


def test_what_json_cannot_hold_is_refused_here(collection: Any) -> None:
    for call in (
        lambda: collection.query(query_embeddings=[[1.0, float("inf")]]),
        lambda: collection.add(ids=["a"], embeddings=[[1.0]], metadatas=[{"n": float("nan")}]),
    ):
        with pytest.raises(ValueError, match=r"^A number that is not finite cannot be sent"):
            call()
    with pytest.raises(ValueError, match=r"^A text cannot be sent, as it is not valid Unicode"):
        collection.add(ids=["\ud800"], embeddings=[[1.0]])
    with pytest.raises(InvalidArgumentError, match=r"^Non-finite float value at"):
        collection.add(ids=["a"], embeddings=[[float("nan")]])


def test_what_servers_do_not_offer_is_refused_in_a_sentence(client: Any, collection: Any) -> None:
    for call in (
        lambda: collection.count(where={"a": 1}),
        lambda: collection.get(after="a"),
        lambda: collection.get(order_by="a"),
        lambda: collection.query(query_embeddings=[[1.0]], exact=True),
        lambda: collection.add(ids=["a"], embeddings=[[1.0]], on_conflict="replace"),
        lambda: collection.update_where({"a": 1}, where={"a": 2}),
        lambda: collection.distinct("a"),
        lambda: collection.explain(),
        collection.statistics,
        collection.flush,
        client.compact,
        lambda: client.backup("x"),
        lambda: client.create_collection("narrow", configuration={"vector_dtype": "f16"}),
    ):
        with pytest.raises(NotImplementedError, match=r"^Servers of Chroma do not offer `\w+`"):
            call()
    assert collection.count() == 0


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(ValueError) as caught:
            chromadb.HttpClient("127.0.0.1", probe.getsockname()[1])
    assert str(caught.value) == (
        "Could not connect to a Chroma server. Are you sure it is running?"
    )


def test_settings_may_not_name_another_server() -> None:
    with pytest.raises(ValueError) as host:
        chromadb.HttpClient("a.example", settings=Settings(chroma_server_host="b.example"))
    assert str(host.value) == (
        "Chroma server host provided in settings[b.example] is different to the one provided in "
        "HttpClient: [a.example]"
    )
    with pytest.raises(ValueError) as port:
        chromadb.HttpClient(port=8002, settings=Settings(chroma_server_http_port=8001))
    assert str(port.value) == (
        "Chroma server http port provided in settings[8001] is different to the one provided in "
        "HttpClient: [8002]"
    )


@pytest.mark.parametrize("host", ["localhost/x", "ftp://localhost"])
def test_an_address_without_protocol_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid URL\. Unrecognized protocol - (ftp)?\.$"):
        chromadb.HttpClient(host)


@pytest.mark.parametrize(
    ("host", "ssl", "port", "url"),
    [
        ("localhost", False, 8000, "http://localhost:8000/api/v2"),
        ("localhost", True, 443, "https://localhost:443/api/v2"),
        ("http://h", False, 8000, "http://h/api/v2"),
        ("http://h:99/", True, 8000, "https://h:99/api/v2"),
        ("https://h/x//y", False, 8000, "https://h/x/y/api/v2"),
        ("https://h/api/v2", False, 8000, "https://h/api/v2"),
        ("h:99", False, 8000, "http://h:99/api/v2"),
    ],
)
def test_an_address_is_resolved_as_upstream_does(host: str, ssl: bool, port: int, url: str) -> None:
    assert FastAPI.resolve_url(host, ssl, "/api/v2", port) == url
