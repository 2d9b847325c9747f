"""Asynchronous clients and collections."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import chromadb
from chromadb import AsyncClientAPI, GetResult, QueryResult
from chromadb.api import AsyncAdminAPI
from chromadb.api.async_client import AsyncAdminClient
from chromadb.api.models.AsyncCollection import AsyncCollection


async def use(client: AsyncClientAPI) -> list[str]:
    collection: AsyncCollection = await client.get_or_create_collection(
        "notes", metadata={"hnsw:space": "cosine"}, embedding_function=None
    )
    await collection.add(
        ids=["one"],
        documents=["text"],
        metadatas=[{"kind": "bee"}],
        embeddings=[[0.1, 0.2, 0.3]],
    )
    await collection.upsert(ids=["one"], documents=["text"])
    await collection.update(ids=["one"], metadatas=[{"kind": None}])
    got: GetResult = await collection.get(where={"kind": {"$ne": "owl"}}, include=["documents"])
    found: QueryResult = await collection.query(query_texts=["text"], n_results=2)
    count: int = await collection.count()
    peeked: GetResult = await collection.peek()
    await collection.modify(name="other")
    await collection.delete(ids=["one"])
    collections: Sequence[AsyncCollection] = await client.list_collections()
    print(await client.heartbeat(), await client.get_version(), await client.count_collections())
    print(client.tenant, client.database, client.get_settings(), peeked["ids"], count)
    await client.set_tenant("tenant", "database")
    await client.delete_collection("notes")
    await client.reset()
    return got["ids"] + found["ids"][0] + [collection.name for collection in collections]


async def administer(admin: AsyncAdminAPI) -> None:
    await admin.create_tenant("tenant")
    print((await admin.get_tenant("tenant"))["name"])


async def main() -> None:
    client: AsyncClientAPI = await chromadb.AsyncHttpClient(host="localhost", port=8000, ssl=False)
    print(await asyncio.gather(use(client), client.heartbeat()))
    await administer(AsyncAdminClient())


asyncio.run(main())
