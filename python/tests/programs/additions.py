"""What this package has beyond official Chroma, embedded clients of event loops among it."""

from __future__ import annotations

import asyncio

import chromadb
from chromadb import Collection, GetResult, QueryResult
from chromadb.api.models.AsyncCollection import AsyncCollection
from chromadb.api.types import AddResult


def write(collection: Collection) -> int:
    counts: AddResult = collection.add(ids=["one"], documents=["text"], on_conflict="replace")
    collection.add(ids=["one"], documents=["text"], progress=True)
    collection.upsert(ids=["one"], documents=["text"], progress=lambda done, total: print(total))
    collection.update(ids=["one"], documents=["text"], progress=True)
    collection.update_where({"seen": True}, where={"kind": "bee"})
    return counts["added"] + counts["skipped"] + counts["replaced"]


def read(collection: Collection) -> list[str]:
    near: QueryResult = collection.query(query_texts=["text"], max_distance=0.5, exact=True)
    page: GetResult = collection.get(limit=10, after="one")
    ordered: GetResult = collection.get(order_by="year", descending=True)
    count: int = collection.count(where={"kind": {"$exists": True}})
    print(collection.distinct("kind"), count, near["ids"])
    return page["ids"] + ordered["ids"]


async def use(collection: AsyncCollection) -> list[list[str]]:
    counts: AddResult = await collection.add(ids=["one"], documents=["a"], on_conflict="ignore")
    print(counts["skipped"])
    return (await collection.query(query_texts=["a"], max_distance=1.0))["ids"]


async def embedded() -> None:
    async with await chromadb.AsyncEphemeralClient() as client:
        print(await use(await client.get_or_create_collection("notes")))
    async with await chromadb.AsyncPersistentClient("data", read_only=True) as client:
        print(await client.list_collections())


with chromadb.PersistentClient("data", read_only=True, memory_limit=1 << 30) as client:
    print(read(client.get_collection("notes")), write(client.get_collection("notes")))
with chromadb.HttpClient() as remote:
    remote.heartbeat()
asyncio.run(embedded())
