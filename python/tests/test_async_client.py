"""The asynchronous clients answer and refuse as the synchronous ones do.

Each case runs the same calls on both, on databases of this process and on servers.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import pytest
from conftest import LengthFunction
from v2_server import V2Server

import chromadb
from chromadb.api import AdminAPI, BaseAPI, ClientAPI, ServerAPI
from chromadb.api._client_steps import ClientSteps
from chromadb.api.async_api import AsyncAdminAPI, AsyncBaseAPI, AsyncClientAPI, AsyncServerAPI
from chromadb.api.async_client import AsyncAdminClient, AsyncClient
from chromadb.api.client import AdminClient, Client
from chromadb.api.models._operations import CollectionOperations
from chromadb.api.models.AsyncCollection import AsyncCollection
from chromadb.api.models.Collection import Collection
from chromadb.api.models.CollectionCommon import CollectionCommon
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Component
from chromadb.errors import InvalidArgumentError, NotFoundError


async def value(result: Any) -> Any:
    """The result of a call of either kind."""
    return await result if inspect.isawaitable(result) else result


def told(result: Any) -> Any:
    """A result such that equal ones compare equal: arrays as lists, collections as theirs."""
    if isinstance(result, np.ndarray):
        return result.tolist()
    if isinstance(result, (Collection, AsyncCollection)):
        return result.name, result.metadata, result.configuration_json
    if isinstance(result, dict):
        return {key: told(item) for key, item in result.items()}
    if isinstance(result, (list, tuple)):
        return [told(item) for item in result]
    return result


async def outcome(call: Callable[[Any], Any], target: Any) -> Any:
    try:
        return told(await value(call(target)))
    except Exception as error:
        return type(error), str(error)


# Calls on a collection of four records whose texts are embedded as their length, three times.
READS: dict[str, Callable[[Any], Any]] = {
    "count": lambda c: c.count(),
    "count of what matches": lambda c: c.count(where={"n": {"$gte": 2}}),
    "count, refused": lambda c: c.count(where={"n": {"$no": 2}}),
    "get": lambda c: c.get(),
    "get of everything": lambda c: c.get(
        include=["documents", "embeddings", "metadatas", "uris", "data"]
    ),
    "get by id": lambda c: c.get("b", include=["documents"]),
    "get, filtered": lambda c: c.get(where={"n": 2}, where_document={"$contains": "t"}),
    "get, a page": lambda c: c.get(limit=2, offset=1),
    "get, ordered": lambda c: c.get(order_by="n", descending=True, after="c", limit=2),
    "get, after nothing": lambda c: c.get(after="nothing"),
    "get, refused": lambda c: c.get(include=["distances"]),
    "peek": lambda c: c.peek(2),
    "query by vectors": lambda c: c.query(query_embeddings=[[1, 1, 1], [9, 9, 9]], n_results=2),
    "query by texts": lambda c: c.query(query_texts="four", include=["distances", "uris"]),
    "query, exact": lambda c: c.query(query_texts=["four"], exact=True, ids=["a", "b"]),
    "query, loaded": lambda c: c.query(query_uris=["12345"], include=["data"], n_results=1),
    "query for nothing": lambda c: c.query(),
    "query, refused": lambda c: c.query(query_embeddings=[[1, 2]]),
    "query for no results": lambda c: c.query(query_texts="x", n_results=0),
    "explain, refused": lambda c: c.explain(query_embeddings=[[1, 2]]),
    "distinct": lambda c: c.distinct("n"),
    "distinct, refused": lambda c: c.distinct(5),
    "indexing status": lambda c: c.get_indexing_status(),
}

WRITES: dict[str, Callable[[Any], Any]] = {
    "add of texts": lambda c: c.add(ids=["e"], documents=["eleven"], metadatas={"n": 11}),
    "add of vectors": lambda c: c.add(ids="e", embeddings=[1.0, 2.0, 3.0], uris="there"),
    "add of what is there": lambda c: c.add(ids=["a"], documents=["other"]),
    "add of another dimension": lambda c: c.add(ids=["e"], embeddings=[[1.0]]),
    "add of one id twice": lambda c: c.add(ids=["e", "e"], documents=["x", "y"]),
    "add of nothing": lambda c: c.add(ids=["e"]),
    "add of uris": lambda c: c.add(ids=["e"], uris=["12"]),
    "update": lambda c: c.update(ids=["a", "no"], documents=["longer", "no"]),
    "update of metadata": lambda c: c.update(ids=["a"], metadatas=[{"n": None, "m": 1.5}]),
    "update, refused": lambda c: c.update(ids=["a"], metadatas=[5]),
    "update_where": lambda c: c.update_where({"seen": True}, where={"n": {"$lt": 3}}),
    "update_where, refused": lambda c: c.update_where({}),
    "upsert": lambda c: c.upsert(ids=["a", "e"], documents=["one", "two"]),
    "upsert, refused": lambda c: c.upsert(ids=["a"], images=[5]),
    "delete": lambda c: c.delete(ids=["a", "no"]),
    "delete of what matches": lambda c: c.delete(where={"n": {"$gt": 1}}, limit=1),
    "delete of nothing": lambda c: c.delete(),
    "modify": lambda c: c.modify(name="renamed", metadata={"new": 1}),
    "modify of the configuration": lambda c: c.modify(configuration={"hnsw": {"ef_search": 50}}),
    "modify, refused": lambda c: c.modify(metadata={"hnsw:space": "ip"}),
    "flush": lambda c: c.flush(),
    "compact": lambda c: c.compact(),
}

RECORDS: dict[str, Any] = {
    "ids": ["a", "b", "c", "d"],
    "embeddings": [[3, 3, 3], [3, 3, 3], [5, 5, 5], [4, 4, 4]],
    "documents": ["one", "two", "three", "four"],
    "metadatas": [{"n": 1}, {"n": 2}, {"n": 2, "tags": ["x", "y"]}, None],
    "uris": ["1", None, "333", None],
}


def load(uris: Any) -> list[str | None]:
    return [uri and f"data of {uri}" for uri in uris]


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main)


class Embedded:
    """Two empty databases in this process, one for each kind of client."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def settings(self, kind: str) -> chromadb.Settings:
        return chromadb.Settings(is_persistent=True, persist_directory=str(self._directory / kind))

    def close(self) -> None:
        pass


class OverHTTP:
    """Two servers with an empty database each, one for each kind of client."""

    IMPLEMENTATIONS: ClassVar = {
        "sync": "chromadb.api.fastapi.FastAPI",
        "async": "chromadb.api.async_fastapi.AsyncFastAPI",
    }

    def __init__(self, _: Path) -> None:
        self._servers = {kind: V2Server(allow_reset=False) for kind in self.IMPLEMENTATIONS}

    def settings(self, kind: str) -> chromadb.Settings:
        return chromadb.Settings(
            chroma_api_impl=self.IMPLEMENTATIONS[kind],
            chroma_server_host="localhost",
            chroma_server_http_port=self._servers[kind].port,
        )

    def close(self) -> None:
        for server in self._servers.values():
            server.close()


@pytest.fixture(params=[Embedded, OverHTTP], ids=lambda kind: kind.__name__)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = request.param(tmp_path)
    yield made
    made.close()


@asynccontextmanager
async def clients(databases: Any) -> AsyncIterator[tuple[Any, Any]]:
    with Client(settings=databases.settings("sync")) as synchronous:
        async with await AsyncClient.create(settings=databases.settings("async")) as asynchronous:
            yield synchronous, asynchronous


@asynccontextmanager
async def collections(databases: Any) -> AsyncIterator[tuple[Any, Any]]:
    """The same records in both databases."""
    named = {"name": "records", "embedding_function": LengthFunction(), "data_loader": load}
    async with clients(databases) as (synchronous, asynchronous):
        both = synchronous.create_collection(**named), await asynchronous.create_collection(**named)
        both[0].add(**RECORDS)
        await both[1].add(**RECORDS)
        yield both


@pytest.mark.parametrize("name", READS)
def test_a_read_answers_as_the_synchronous_one(databases: Any, name: str) -> None:
    async def main() -> None:
        async with collections(databases) as (synchronous, asynchronous):
            expected = await outcome(READS[name], synchronous)
            assert await outcome(READS[name], asynchronous) == expected

    run(main())


@pytest.mark.parametrize("name", WRITES)
def test_a_write_does_what_the_synchronous_one_does(databases: Any, name: str) -> None:
    async def main() -> None:
        async with collections(databases) as (synchronous, asynchronous):
            everything = ["documents", "embeddings", "metadatas", "uris"]
            expected = await outcome(WRITES[name], synchronous)
            assert await outcome(WRITES[name], asynchronous) == expected
            assert told(await asynchronous.get(include=everything)) == told(
                synchronous.get(include=everything)
            )
            for member in ("name", "metadata", "configuration_json"):
                assert getattr(asynchronous, member) == getattr(synchronous, member)

    run(main())


# Calls on a client with one collection, "records", and on an admin client.
CLIENT_CALLS: dict[str, Callable[[Any], Any]] = {
    "get_version": lambda c: c.get_version(),
    "get_max_batch_size": lambda c: c.get_max_batch_size(),
    "get_user_identity": lambda c: c.get_user_identity(),
    "count_collections": lambda c: c.count_collections(),
    "list_collections, none": lambda c: c.list_collections(limit=0),
    "create_collection, refused": lambda c: c.create_collection("records"),
    "create_collection, no name": lambda c: c.create_collection("-"),
    "create_collection, two functions": lambda c: c.create_collection(
        "other",
        configuration={"embedding_function": chromadb.utils.embedding_functions.ONNXMiniLM_L6_V2()},
        embedding_function=LengthFunction(),
    ),
    "get_collection, absent": lambda c: c.get_collection("absent"),
    "get_collection, another function": lambda c: c.get_collection("records", Constant()),
    "get_collection_by_id, absent": lambda c: c.get_collection_by_id(UUID(int=5)),
    "delete_collection": lambda c: c.delete_collection("records"),
    "delete_collection, absent": lambda c: c.delete_collection("absent"),
    "reset, refused": lambda c: c.reset(),
    "flush": lambda c: c.flush(),
    "compact": lambda c: c.compact(),
    "set_tenant, absent": lambda c: c.set_tenant("absent"),
    "set_database, absent": lambda c: c.set_database("absent"),
}

ADMIN_CALLS: dict[str, Callable[[Any], Any]] = {
    "create_tenant": lambda a: a.create_tenant("other"),
    "create_tenant, again": lambda a: a.create_tenant("default_tenant"),
    "get_tenant": lambda a: a.get_tenant("default_tenant"),
    "get_tenant, absent": lambda a: a.get_tenant("absent"),
    "create_database, again": lambda a: a.create_database("default_database"),
    "get_database, absent": lambda a: a.get_database("absent"),
    "delete_database, absent": lambda a: a.delete_database("absent"),
    "list_databases of nobody": lambda a: a.list_databases(tenant="absent"),
}


class Constant(LengthFunction):
    @staticmethod
    def name() -> str:
        return "constant"


@pytest.mark.parametrize("name", CLIENT_CALLS)
def test_a_client_answers_as_the_synchronous_one(databases: Any, name: str) -> None:
    async def main() -> None:
        async with clients(databases) as (synchronous, asynchronous):
            synchronous.create_collection("records", embedding_function=LengthFunction())
            await asynchronous.create_collection("records", embedding_function=LengthFunction())
            expected = await outcome(CLIENT_CALLS[name], synchronous)
            assert await outcome(CLIENT_CALLS[name], asynchronous) == expected
            assert await asynchronous.count_collections() == synchronous.count_collections()
            for member in ("tenant", "database"):
                assert getattr(asynchronous, member) == getattr(synchronous, member)

    run(main())


@pytest.mark.parametrize("name", ADMIN_CALLS)
def test_an_admin_client_answers_as_the_synchronous_one(databases: Any, name: str) -> None:
    async def main() -> None:
        with AdminClient(databases.settings("sync")) as synchronous:
            async with await AsyncAdminClient.create(databases.settings("async")) as asynchronous:
                expected = await outcome(ADMIN_CALLS[name], synchronous)
                assert await outcome(ADMIN_CALLS[name], asynchronous) == expected

    run(main())


def test_a_client_reaches_the_records_of_any_collection_by_its_id(databases: Any) -> None:
    vectors = [[1.0, 2.0], [3.0, 4.0]]
    calls: list[Callable[[Any, UUID], Any]] = [
        lambda c, id: c._add(["a", "b"], id, vectors, documents=["x", None]),
        lambda c, id: c._update(id, ["a"], metadatas=[{"n": 1}]),
        lambda c, id: c._upsert(id, ["c"], [[5.0, 6.0]]),
        lambda c, id: c._count(id),
        lambda c, id: c._get(id, where={"n": 1}),
        lambda c, id: c._peek(id, 2),
        lambda c, id: c._query(id, vectors[:1], n_results=1),
        lambda c, id: c._delete(id, ["b"]),
        lambda c, id: c._modify(id, new_name="renamed"),
        lambda c, id: c.get_collection("renamed"),
    ]

    async def main() -> None:
        async with clients(databases) as both:
            ids = [(await value(c.create_collection("records"))).id for c in both]
            for call in calls:
                expected, answered = [
                    await outcome(lambda client, id=id: call(client, id), client)
                    for client, id in zip(both, ids, strict=True)
                ]
                assert answered == expected
                assert not (isinstance(answered, tuple) and isinstance(answered[0], type))

    run(main())


def test_databases_are_made_and_used_without_a_synchronous_client() -> None:
    async def main() -> None:
        async with await AsyncAdminClient.create() as admin:
            await admin.create_database("other")
            assert (await admin.get_database("other"))["name"] == "other"
            client = await chromadb.AsyncEphemeralClient(database="other")
            await client.create_collection("here")
            await client.set_database("default_database")
            assert await client.count_collections() == 0
            await client.set_tenant("default_tenant", "other")
            collection = await client.get_collection("here", embedding_function=None)
            assert (collection.tenant, collection.database) == ("default_tenant", "other")
            same = await client.get_collection_by_id(collection.id)
            assert same.name == "here"
            assert [each.id for each in await client.list_collections()] == [same.id]
            assert (await client.get_or_create_collection("here")).id == same.id
            await admin.delete_database("other")
            assert len(await admin.list_databases()) == 1

    run(main())


def test_clients_of_both_kinds_share_a_database(tmp_path: Path) -> None:
    async def main() -> None:
        with chromadb.PersistentClient(tmp_path) as synchronous:
            asynchronous = await chromadb.AsyncPersistentClient(tmp_path)
            records = await asynchronous.create_collection("records", embedding_function=None)
            await records.add(ids=["a"], embeddings=[[1.0]])
            assert synchronous.get_collection("records").count() == 1
            with pytest.raises(ValueError, match="different settings"):
                await chromadb.AsyncPersistentClient(tmp_path, chromadb.Settings(allow_reset=True))
            await asynchronous.close()
            assert synchronous.count_collections() == 1

    run(main())


def test_a_client_leaves_at_the_end_of_async_with_and_may_be_closed_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with await chromadb.AsyncPersistentClient(tmp_path) as client:
            records = await client.create_collection("records")
        await client.close()
        for call in (client.heartbeat(), records.count()):
            with pytest.raises(InvalidArgumentError, match="closed"):
                await call
        async with await chromadb.AsyncPersistentClient(str(tmp_path)) as client:
            assert await client.count_collections() == 1

    run(main())


def test_a_plain_with_is_refused_as_its_end_could_not_wait() -> None:
    async def main() -> None:
        async with await chromadb.AsyncEphemeralClient() as client:
            with pytest.raises(TypeError, match="async with"), client:
                pass

    run(main())


def test_a_database_that_is_not_there_is_refused_and_left(tmp_path: Path) -> None:
    async def main() -> None:
        for place in ({"tenant": "absent"}, {"database": "absent"}):
            with pytest.raises(NotFoundError, match="absent"):
                await chromadb.AsyncPersistentClient(tmp_path, **place)
        # No client is left on it: other settings are no conflict.
        settings = chromadb.Settings(allow_reset=True)
        async with await chromadb.AsyncPersistentClient(tmp_path, settings) as client:
            assert await client.reset()

    run(main())


def test_a_backup_is_copied_and_told_of_off_the_loop(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    async def main() -> None:
        async with await chromadb.AsyncPersistentClient(tmp_path / "database") as client:
            records = await client.create_collection("records", embedding_function=None)
            await records.add(ids=["a"], embeddings=[[1.0]])
            await client.backup(tmp_path / "copy", lambda done, total: seen.append((done, total)))
            assert (await records.statistics())["record_count"] == 1
        async with await chromadb.AsyncPersistentClient(tmp_path / "copy") as client:
            assert await (await client.get_collection("records")).count() == 1

    run(main())
    assert seen and seen[-1][0] == seen[-1][1]


# What touches no database, and what operations are made of.
SYNCHRONOUS = {
    "get_settings",
    *vars(CollectionOperations),
    *vars(CollectionCommon),
    *(set(vars(SharedSystemClient)) - {"close"}),
    *vars(ClientSteps),
    *vars(Component),
    "_run",
    "_settle",
    # Not in official 1.5.9 for event loops.
    "attach_function",
    "get_attached_function",
    "detach_function",
}


@pytest.mark.parametrize(
    ("asynchronous", "synchronous"),
    [
        (AsyncBaseAPI, BaseAPI),
        (AsyncClientAPI, ClientAPI),
        (AsyncServerAPI, ServerAPI),
        (AsyncAdminAPI, AdminAPI),
        (AsyncCollection, Collection),
        (AsyncClient, Client),
        (AsyncAdminClient, AdminClient),
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_method_has_a_coroutine_with_the_same_parameters(
    asynchronous: type, synchronous: type
) -> None:
    def parameters(function: Any) -> list[Any]:
        return [
            (each.name, each.kind, repr(each.default).partition(" object at ")[0])
            for each in inspect.signature(function).parameters.values()
        ]

    for name, method in inspect.getmembers(synchronous, inspect.isfunction):
        if name.startswith("__") or name in SYNCHRONOUS:
            continue
        twin = getattr(asynchronous, name)
        assert inspect.iscoroutinefunction(twin), name
        if name != "close":
            assert parameters(twin) == parameters(method), name
