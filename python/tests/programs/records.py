"""Records: written in every shape, found by filters and nearness, and what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np

import chromadb
from chromadb import (
    Collection,
    Documents,
    Embeddings,
    GetResult,
    IDs,
    Include,
    Metadata,
    Metadatas,
    QueryResult,
    SparseVector,
    Where,
    WhereDocument,
)
from chromadb.api.types import DeleteResult, IndexingStatus, ReadLevel
from chromadb.utils.batch_utils import create_batches

FLOATS: list[float] = [0.1, 0.2, 0.3]


def write(collection: Collection) -> None:
    collection.add(ids="one", documents="text")
    collection.add(ids=["one"], embeddings=[FLOATS], metadatas=[{"kind": "bee", "legs": 6}])
    collection.add(["one"], [[1.0, 2.0, 3.0]], [{"kind": "bee"}], ["text"])
    collection.add(ids=["one"], embeddings=[[1, 2, 3]])
    collection.add(ids=["one"], embeddings=FLOATS)
    collection.add(ids=["one"], embeddings=np.zeros(3, dtype=np.float32))
    collection.add(ids=["one"], embeddings=np.zeros((1, 3)))
    collection.add(ids=["one"], embeddings=[np.zeros(3, dtype=np.float32)])
    collection.add(ids=["one"], images=[np.zeros((2, 2), dtype=np.uint8)])
    collection.add(ids=["one"], uris=["file.png"])
    collection.add(ids="one", documents="text", metadatas={"list": ["a", "b"], "wild": True})
    vector = SparseVector(indices=[1, 2], values=[0.5, 0.5])
    collection.upsert(ids=["one"], documents=["text"], metadatas=[{"sparse": vector}])
    collection.update(ids=["one"], metadatas=[{"kind": None}], embeddings=[FLOATS])
    ids: IDs = ["one"]
    documents: Documents = ["text"]
    metadatas: Metadatas = [{"number": 1.5}]
    embeddings: Embeddings = [np.zeros(3, dtype=np.float32)]
    collection.add(ids=ids, documents=documents, metadatas=metadatas, embeddings=embeddings)
    labels = [{"kind": "bee"}, {"kind": "owl"}]
    collection.add(ids=["one", "two"], documents=["a", "b"], metadatas=list[Metadata](labels))
    for batch in create_batches(chromadb.EphemeralClient(), ids=ids, documents=documents):
        collection.add(*batch)


def read(collection: Collection) -> list[str]:
    where: Where = {"$and": [{"legs": {"$gt": 2}}, {"kind": {"$in": ["bee", "owl"]}}]}
    texts: WhereDocument = {"$or": [{"$contains": "a"}, {"$not_contains": "b"}]}
    include: Include = ["documents", "metadatas", "embeddings"]
    got: GetResult = collection.get(
        ids=["one"], where=where, limit=1, offset=0, where_document=texts, include=include
    )
    collection.get("one")
    collection.get(where={"kind": "bee"})
    collection.get(where={"legs": {"$gte": 2}}, where_document={"$regex": "^a"})
    collection.get(where={"tags": {"$contains": "a"}})
    peeked: GetResult = collection.peek(limit=3)
    if got["documents"] is not None:
        first: str = got["documents"][0]
        print(first.upper())
    if got["metadatas"] is not None:
        for metadata in got["metadatas"]:
            print(metadata.get("kind"), {**metadata})
    if got["embeddings"] is not None:
        print(len(got["embeddings"]))
    print(got.get("uris"), got["included"], peeked["data"])
    return got["ids"]


def ask(collection: Collection) -> list[list[str]]:
    found: QueryResult = collection.query(
        query_texts=["text"],
        n_results=3,
        where={"kind": {"$ne": "owl"}},
        where_document={"$contains": "text"},
        include=["documents", "distances", "embeddings", "uris", "data", "metadatas"],
        ids=["one", "two"],
    )
    collection.query(query_texts="text")
    collection.query(query_embeddings=FLOATS)
    collection.query(query_embeddings=[FLOATS])
    collection.query(query_embeddings=[[1, 2, 3]])
    collection.query(query_embeddings=np.zeros((2, 3), dtype=np.float32))
    collection.query(query_embeddings=[np.zeros(3, dtype=np.float32)])
    collection.query(query_images=[np.zeros((2, 2), dtype=np.uint8)])
    collection.query(query_uris=["file.png"])
    if found["distances"] is not None:
        nearest: float = found["distances"][0][0]
        print(nearest + 1)
    if found["documents"] is not None:
        print(found["documents"][0][0].upper())
    if found["embeddings"] is not None:
        vector = found["embeddings"][0][0]
        print(float(np.linalg.norm(vector)))
    if found["metadatas"] is not None:
        print([metadata["kind"] for metadata in found["metadatas"][0]])
    return found["ids"]


def manage(collection: Collection) -> dict[str, Any]:
    deleted: DeleteResult = collection.delete(ids=["one"], where={"kind": "bee"}, limit=10)
    collection.delete(where_document={"$contains": "a"})
    count: int = collection.count()
    fresh: int = collection.count(read_level=ReadLevel.INDEX_ONLY)
    status: IndexingStatus = collection.get_indexing_status()
    collection.modify(name="other", metadata={"a": 1, "b": True})
    collection.modify(configuration={"hnsw": {"ef_search": 200}})
    print(deleted, count, fresh, status, collection.metadata, collection.configuration)
    print(collection.id.hex, collection.name, collection.tenant, collection.database)
    print(collection.configuration_json, collection.schema)
    return dict(collection.get_model().configuration_json)
