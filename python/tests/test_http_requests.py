"""What clients of servers send, and what they make of every kind of answer."""

from __future__ import annotations

import base64
import gc
import json
import os
import ssl
import subprocess
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from v2_server import Answer, V2Server

import chromadb
from chromadb import errors
from chromadb.api.base_http_client import BaseHTTPClient
from chromadb.api.client import SharedSystemClient
from chromadb.api.fastapi import FastAPI
from chromadb.api.functions import STATISTICS_FUNCTION
from chromadb.config import Settings, System

AGENT = "Chroma Python Client v1.5.9 (https://github.com/chroma-core/chroma)"
TOKEN_PROVIDER = "chromadb.auth.token_authn.TokenAuthClientProvider"
BASIC_PROVIDER = "chromadb.auth.basic_authn.BasicAuthClientProvider"


@pytest.fixture
def server() -> Iterator[V2Server]:
    with V2Server() as server:
        yield server


@pytest.fixture
def client(server: V2Server) -> Iterator[Any]:
    with chromadb.HttpClient("127.0.0.1", server.port) as client:
        yield client


@pytest.fixture
def collection(client: Any) -> Any:
    return client.create_collection("notes", embedding_function=None)


def opened(server: V2Server, **settings: Any) -> Any:
    return chromadb.HttpClient("127.0.0.1", server.port, settings=Settings(**settings))


def system_of(**settings: Any) -> System:
    described = {"chroma_server_host": "h.example", "chroma_server_http_port": 443} | settings
    return System(Settings(chroma_api_impl="chromadb.api.fastapi.FastAPI", **described))


# ---- Headers ------------------------------------------------------------------------------------


def test_every_request_says_who_sends_it(server: V2Server) -> None:
    headers = {"X-Mine": "1", "User-Agent": "mine"}
    with chromadb.HttpClient("127.0.0.1", server.port, headers=headers) as client:
        client.heartbeat()
    for request in server.requests:
        assert request.headers["user-agent"] == AGENT
        assert request.headers["content-type"] == "application/json"
        assert request.headers["x-mine"] == "1"
    assert headers == {"X-Mine": "1", "User-Agent": "mine"}


def test_opening_asks_who_one_is_and_whether_the_database_exists(server: V2Server) -> None:
    opened(server).close()
    assert [request.path for request in server.requests] == [
        ["auth", "identity"],
        ["tenants", "default_tenant"],
        ["tenants", "default_tenant", "databases", "default_database"],
    ]


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        (
            {"chroma_client_auth_provider": TOKEN_PROVIDER, "chroma_client_auth_credentials": "t"},
            "authorization",
            "Bearer t",
        ),
        (
            {
                "chroma_client_auth_provider": TOKEN_PROVIDER,
                "chroma_client_auth_credentials": "t",
                "chroma_auth_token_transport_header": "X-Chroma-Token",
            },
            "x-chroma-token",
            "t",
        ),
        (
            {
                "chroma_client_auth_provider": BASIC_PROVIDER,
                "chroma_client_auth_credentials": "user:pässword",
            },
            "authorization",
            f"Basic {base64.b64encode('user:pässword'.encode()).decode()}",
        ),
    ],
)
def test_credentials_are_sent(server: V2Server, settings: dict, header: str, value: str) -> None:
    opened(server, **settings).close()
    assert {request.headers.get(header) for request in server.requests} == {value}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Missing required config value 'chroma_client_auth_credentials'"),
        (
            {"chroma_client_auth_credentials": "a b"},
            "Invalid token. Must contain only ASCII letters, digits, and punctuation.",
        ),
        (
            {"chroma_client_auth_credentials": "t", "chroma_auth_token_transport_header": "X"},
            "Invalid token transport header: X. Must be one of ['Authorization', 'X-Chroma-Token']",
        ),
    ],
)
def test_bad_credentials_are_refused(server: V2Server, settings: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        opened(server, chroma_client_auth_provider=TOKEN_PROVIDER, **settings)
    assert str(caught.value) == message


def test_a_secret_is_in_no_message() -> None:
    secret = chromadb.auth.Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r}"
    assert secret.get_secret_value() == "hunter2"


# ---- Bodies -------------------------------------------------------------------------------------


def test_embeddings_are_sent_as_the_server_likes_them(server: V2Server, collection: Any) -> None:
    row = np.array([0.1, 2.0], np.float32)
    collection.add(ids=["a"], embeddings=[row])
    encoded = base64.b64encode(row.tobytes()).decode()
    assert server.requests[-1].body["embeddings"] == [encoded]
    server.checks = {"max_batch_size": 1, "supports_base64_encoding": False}
    with opened(server) as other:
        plain = other.get_collection("notes", embedding_function=None)
        plain.add(ids=["b"], embeddings=[row])
        assert server.requests[-1].body["embeddings"] == [row.tolist()]
        plain.query(query_embeddings=[row])
        assert server.requests[-1].body["query_embeddings"] == [row.tolist()]
        with pytest.raises(ValueError, match="^Batch size 2 exceeds maximum batch size 1"):
            plain.add(ids=["c", "d"], embeddings=[row, row])
    assert collection.get(include=["embeddings"])["embeddings"].astype(np.float32).tolist() == [
        row.tolist(),
        row.tolist(),
    ]


def test_a_server_without_a_limit_takes_any_number(server: V2Server, collection: Any) -> None:
    server.checks = {}
    collection.add(ids=["a", "b"], embeddings=[[1.0], [2.0]])
    assert server.requests[-1].body["embeddings"] == [[1.0], [2.0]]


def test_the_server_is_asked_once_what_it_takes(server: V2Server, collection: Any) -> None:
    for number in range(3):
        collection.add(ids=[str(number)], embeddings=[[1.0]])
    asked = [request.path for request in server.requests].count(["pre-flight-checks"])
    assert asked == 1


def test_data_are_not_asked_for(server: V2Server, client: Any) -> None:
    client.create_collection("notes", embedding_function=None)
    collection = client.get_collection("notes", data_loader=lambda uris: uris)
    found = collection.get(include=["data", "documents"])
    assert server.requests[-1].body["include"] == ["documents", "uris"]
    assert found["included"] == ["data", "documents", "uris"]


def test_a_search_is_sent_and_read(server: V2Server, collection: Any) -> None:
    answer = {
        "ids": [["a"]],
        "documents": [["A"]],
        "embeddings": [None],
        "metadatas": [[{"s": {"#type": "sparse_vector", "indices": [1], "values": [0.5]}}]],
        "scores": [[0.25]],
        "select": [["#document", "#score", "s"]],
    }
    server.answers = [Answer(200, answer)]
    search = chromadb.Search().where(chromadb.K("n") > 1).limit(3)
    found = collection.search(search)
    sent = server.requests[-1]
    assert sent.path[-1] == "search"
    assert sent.body == {"searches": [search.to_dict()], "read_level": "index_and_wal"}
    (row,) = found.rows()[0]
    assert (row["id"], row["document"], row["score"]) == ("a", "A", 0.25)
    assert row["metadata"]["s"] == chromadb.SparseVector(indices=[1], values=[0.5])


def test_forks_are_asked_for(server: V2Server, collection: Any) -> None:
    described = client_json(server, collection)
    server.answers = [Answer(200, {**described, "name": "copy"}), Answer(200, {"count": 2})]
    assert collection.fork("copy").name == "copy"
    assert server.requests[-1].body == {"new_name": "copy"}
    assert collection.fork_count() == 2
    assert server.requests[-1].path[-1] == "fork_count"


def client_json(server: V2Server, collection: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{server.port}/api/v2/tenants/default_tenant/databases"
    found: dict[str, Any] = httpx.get(
        f"{url}/default_database/collections/{collection.name}"
    ).json()
    return found


def test_functions_are_attached_found_and_detached(server: V2Server, collection: Any) -> None:
    described = {"id": "0" * 32, "name": "counts", "function_name": "statistics"}
    stored = {**described, "output_collection": "out", "params": None}
    server.answers = [
        Answer(200, {"attached_function": described, "created": True}),
        Answer(200, {"attached_function": stored}),
        Answer(200, {"success": True}),
    ]
    attached, is_new = collection.attach_function(STATISTICS_FUNCTION, "counts", "out")
    assert is_new is True
    assert server.requests[-1].body["function_id"] == "statistics"
    found = collection.get_attached_function("counts")
    assert (found.name, found.output_collection) == ("counts", "out")
    assert found == attached
    assert collection.detach_function("counts", delete_output_collection=True) is True
    assert server.requests[-1].path[-3:] == ["attached_functions", "counts", "detach"]
    assert server.requests[-1].body == {"delete_output": True}


def test_the_indexing_status_is_read(collection: Any) -> None:
    collection.add(ids=["a"], embeddings=[[1.0]])
    status = collection.get_indexing_status()
    assert (status.total_ops, status.op_indexing_progress) == (1, 1.0)


# ---- Answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(errors.error_types))
def test_an_error_has_the_class_of_its_name(server: V2Server, client: Any, name: str) -> None:
    server.answers = [Answer(400, {"error": name, "message": "why"}, {"chroma-trace-id": "t"})]
    with pytest.raises(errors.error_types[name]) as caught:
        client.heartbeat()
    assert type(caught.value) is errors.error_types[name]
    assert (str(caught.value), caught.value.trace_id) == ("why", "t")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(400, {"error": "Novelty", "message": "why"}), '"Novelty"'),
        (Answer(502, b"<html>Bad Gateway</html>"), "<html>Bad Gateway</html>"),
        (Answer(502, b"later", {"chroma-trace-id": "t"}), r"later \(trace ID: t\)"),
        (Answer(404, b""), "The server answered with status 404 alone."),
        (Answer(302, b"elsewhere"), "elsewhere"),
        (Answer(500, ["a"]), r'\["a"\]'),
        (Answer(500, {"error": ["a"], "message": "b"}), r'\["a"\]'),
    ],
)
def test_what_is_no_known_error_is_shown(
    server: V2Server, client: Any, answer: Answer, message: str
) -> None:
    server.answers = [answer]
    with pytest.raises(Exception, match=message) as caught:
        client.heartbeat()
    assert type(caught.value) is Exception


@pytest.mark.parametrize("answer", [b"<html>Welcome</html>", b"", b"[" * 100_000, b"9" * 5_000])
def test_a_stranger_is_told_from_a_server(server: V2Server, client: Any, answer: bytes) -> None:
    server.answers = [Answer(200, answer)]
    with pytest.raises(errors.InternalError, match="did not answer GET heartbeat with JSON"):
        client.heartbeat()


@pytest.mark.parametrize(
    "answer", [{}, [], None, 5, {"nanosecond heartbeat": []}, {"nanosecond heartbeat": 1e999}]
)
def test_an_answer_of_another_shape_is_shown(server: V2Server, client: Any, answer: Any) -> None:
    server.answers = [Answer(200, json.dumps(answer).encode())]
    with pytest.raises(errors.InternalError) as caught:
        client.heartbeat()
    assert "did not answer GET heartbeat with what that returns" in str(caught.value)
    assert str(caught.value).endswith(f"but with: {json.dumps(answer)}")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("charset", ["rot13", "hex", "idna", "nothing"])
def test_an_answer_in_no_encoding_of_text_is_shown(
    server: V2Server, client: Any, status: int, charset: str
) -> None:
    server.answers = [Answer(status, b"sorry", {"Content-Type": f"text/plain; charset={charset}"})]
    with pytest.raises(Exception, match="sorry$"):
        client.heartbeat()


def test_a_nested_error_is_shown(server: V2Server, client: Any) -> None:
    server.answers = [Answer(500, b"[" * 100_000)]
    with pytest.raises(Exception, match=r"^\[\[\["):
        client.heartbeat()


# ---- Chroma Cloud -------------------------------------------------------------------------------


def cloud(server: V2Server, *arguments: Any) -> Any:
    return chromadb.CloudClient(
        *arguments, cloud_host="127.0.0.1", cloud_port=server.port, enable_ssl=False
    )


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHROMA_API_KEY", "CHROMA_TENANT", "CHROMA_DATABASE"):
        monkeypatch.delenv(name, raising=False)


def test_the_cloud_asks_for_a_key() -> None:
    with pytest.raises(ValueError) as caught:
        chromadb.CloudClient()
    assert str(caught.value) == (
        "Missing required arguments: api_key. Please provide them or set the environment "
        "variables: CHROMA_API_KEY"
    )


@pytest.mark.parametrize("is_variable", [False, True])
def test_a_key_leads_to_its_database(
    server: V2Server, monkeypatch: pytest.MonkeyPatch, is_variable: bool
) -> None:
    if is_variable:
        monkeypatch.setenv("CHROMA_API_KEY", "key")
    with cloud(server, None, None, None if is_variable else "key") as client:
        assert (client.tenant, client.database) == ("default_tenant", "default_database")
    assert {request.headers["x-chroma-token"] for request in server.requests} == {"key"}


@pytest.mark.parametrize(
    ("identity", "arguments", "message"),
    [
        (
            {"tenant": "acme", "databases": ["sales"]},
            ("other", None),
            "Tenant other does not match acme from the server. Are you sure the tenant is correct?",
        ),
        (
            {"tenant": "acme", "databases": ["sales"]},
            ("acme", "other"),
            "Database other does not match sales from the server. Are you sure the database is "
            "correct?",
        ),
        (
            {"tenant": "*", "databases": ["sales"]},
            (None, None),
            "Could not determine a tenant from the current authentication method. Please provide a "
            "tenant.",
        ),
        (
            {"tenant": "acme", "databases": ["sales", "stock"]},
            (None, None),
            "Could not determine a database name from the current authentication method. Please "
            "provide a database name.",
        ),
    ],
)
def test_a_key_for_something_else_is_refused(
    server: V2Server, identity: dict, arguments: tuple, message: str
) -> None:
    server.identity = {"user_id": "u", **identity}
    with pytest.raises(errors.ChromaAuthError) as caught:
        cloud(server, *arguments, "key")
    assert str(caught.value) == message


def test_the_key_of_an_open_client_is_found() -> None:
    settings = {
        "chroma_server_ssl_enabled": True,
        "chroma_client_auth_provider": TOKEN_PROVIDER,
        "chroma_client_auth_credentials": "key",
        "chroma_auth_token_transport_header": "X-Chroma-Token",
    }
    kept = []
    for host in ("elsewhere.example", "api.trychroma.com"):
        assert SharedSystemClient.get_chroma_cloud_api_key_from_clients() is None
        kept.append(chromadb.AdminClient(system_of(chroma_server_host=host, **settings).settings))
    assert SharedSystemClient.get_chroma_cloud_api_key_from_clients() == "key"
    for admin in kept:
        admin.close()
    assert SharedSystemClient.get_chroma_cloud_api_key_from_clients() is None


# ---- Connections --------------------------------------------------------------------------------


def test_the_settings_bound_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    original = httpx.Client

    def recording(**arguments: Any) -> httpx.Client:
        made.append(arguments)
        return original()

    monkeypatch.setattr("chromadb.api.fastapi.httpx.Client", recording)
    FastAPI(system_of()).stop()
    FastAPI(
        system_of(
            chroma_http_keepalive_secs=12.5,
            chroma_http_max_connections=64,
            chroma_http_max_keepalive_connections=16,
            chroma_server_ssl_verify=False,
        )
    ).stop()
    FastAPI(system_of(chroma_server_ssl_verify=ssl.get_default_verify_paths().openssl_capath))
    default, bounded, certified = made
    assert default["limits"] == httpx.Limits(keepalive_expiry=40.0)
    assert "verify" not in default
    assert bounded["limits"] == httpx.Limits(
        keepalive_expiry=12.5, max_connections=64, max_keepalive_connections=16
    )
    assert bounded["verify"] is False
    assert isinstance(certified["verify"], ssl.SSLContext)
    assert {each["timeout"] for each in made} == {None}


def test_dropping_the_last_reference_lets_the_connections_go(server: V2Server) -> None:
    client = opened(server)
    collection = client.create_collection("notes", embedding_function=None)
    session = weakref.ref(client._server)
    del client
    assert collection.count() == 0
    del collection
    assert session() is None


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_has_connections_of_its_own(collection: Any) -> None:
    before = collection._client._open_session()
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if collection._client._open_session() is not before else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert collection._client._open_session() is before


def test_a_failed_opening_leaves_nothing_behind(server: V2Server) -> None:
    with pytest.raises(errors.NotFoundError):
        chromadb.HttpClient("127.0.0.1", server.port, tenant="nope")
    gc.collect()
    assert not [
        system
        for system in SharedSystemClient._identifier_to_system.values()
        if system.settings.chroma_api_impl == "chromadb.api.fastapi.FastAPI"
    ]


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_without_httpx_only_clients_of_servers_are_missing() -> None:
    program = """
import sys
sys.modules["httpx"] = None
import chromadb
chromadb.EphemeralClient().heartbeat()
try:
    chromadb.HttpClient()
except ImportError as error:
    print(error)
"""
    assert "pip install 'chromadb[http]'" in run(program).stdout


def test_the_thin_package_has_clients_of_servers_alone() -> None:
    program = """
import sys, types
thin = types.ModuleType("chromadb.is_thin_client")
thin.is_thin_client = True
sys.modules["chromadb.is_thin_client"] = thin
import chromadb
assert chromadb.is_client
try:
    chromadb.EphemeralClient()
except RuntimeError as error:
    print(error)
try:
    chromadb.HttpClient("127.0.0.1", 1)
except ValueError as error:
    print(error)
"""
    lines = run(program).stdout.splitlines()
    assert lines[0].startswith("This package has the HTTP clients alone")
    assert lines[1].startswith("Could not connect to a Chroma server.")


def test_official_names_are_there() -> None:
    assert issubclass(FastAPI, (BaseHTTPClient, chromadb.api.ServerAPI))
    assert BaseHTTPClient._clean_params({"a": None, "b": 0}) == {"b": 0}
