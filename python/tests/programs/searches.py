"""Schemas, configurations, search expressions and statistics."""

from __future__ import annotations

import chromadb
from chromadb import (
    Collection,
    FtsIndexConfig,
    HnswIndexConfig,
    K,
    Key,
    Knn,
    Rrf,
    Schema,
    Search,
    SpannIndexConfig,
    SparseVectorIndexConfig,
    StringInvertedIndexConfig,
    VectorIndexConfig,
)
from chromadb.api import CreateCollectionConfiguration, CreateHNSWConfiguration
from chromadb.api.collection_configuration import UpdateCollectionConfiguration
from chromadb.api.types import SearchResult, SearchResultRow
from chromadb.execution.expression import GroupBy, Limit, MinK, Select, Sum, Val
from chromadb.execution.expression.operator import Where as Condition


def schemas(client: chromadb.ClientAPI) -> Collection:
    schema = (
        Schema()
        .create_index(config=VectorIndexConfig(space="cosine", hnsw=HnswIndexConfig(ef_search=50)))
        .create_index(config=SparseVectorIndexConfig(bm25=True), key="sparse")
        .create_index(StringInvertedIndexConfig(), "kind")
        .delete_index(key="body", config=StringInvertedIndexConfig())
        .delete_index(config=FtsIndexConfig(), key=K.DOCUMENT)
    )
    again: Schema = Schema.deserialize_from_json(schema.serialize_to_json())
    print(again.defaults, again.keys["kind"], SpannIndexConfig(search_nprobe=10))
    return client.create_collection("notes", schema=schema)


def configurations(client: chromadb.ClientAPI) -> None:
    index: CreateHNSWConfiguration = {
        "space": "cosine",
        "ef_construction": 200,
        "max_neighbors": 16,
    }
    configuration: CreateCollectionConfiguration = {"hnsw": index}
    client.create_collection("a", configuration=configuration)
    client.create_collection("b", configuration={"hnsw": {"space": "ip", "num_threads": 2}})
    client.create_collection("c", configuration={"spann": {"space": "l2"}})
    client.create_collection("d", metadata={"hnsw:space": "cosine", "owner": "me", "year": 2024})
    update: UpdateCollectionConfiguration = {"hnsw": {"ef_search": 10}}
    client.get_collection("a").modify(configuration=update)


def conditions() -> list[Condition]:
    return [
        K("kind") == "bee",
        K("legs") > 2,
        (K("legs") <= 6) & (K("kind") != "owl"),
        (K("a") == 1) | (K("b") >= 2.5),
        K("kind").is_in(["a", "b"]) & K("legs").not_in([1, 2]),
        K.DOCUMENT.contains("text") & K.DOCUMENT.not_contains("b"),
        K.DOCUMENT.regex("^a") | K.DOCUMENT.not_regex("b$"),
        K.ID.is_in(["one", "two"]),
        Key("tags").contains("a"),
    ]


def searches(collection: Collection) -> list[SearchResultRow]:
    rank = Knn(query=[0.1, 0.2], limit=100) * 0.7 + Knn(query="text", key="sparse") * 0.3
    bounded = (rank.exp() - Val(1)).max(0.5).min(2).abs().log() / 2 + Sum([rank, Val(1)])
    fused = Rrf(
        ranks=[Knn(query="a", return_rank=True), Knn(query="b", key="sparse", return_rank=True)],
        weights=[2.0, 1.0],
        k=60,
        normalize=True,
    )
    search = (
        Search()
        .where((K("kind") == "bee") & (K("legs") > 2))
        .rank(bounded)
        .group_by(GroupBy(keys=[K("kind")], aggregate=MinK(keys=K.SCORE, k=2)))
        .limit(10, offset=5)
        .select(K.DOCUMENT, K.SCORE, "kind")
    )
    whole = Search(
        where={"kind": "bee"}, rank=fused, limit=10, select=["#document", "#score"]
    ).select_all()
    part = Search(where=K("kind") == "bee", limit=Limit(limit=5), select=Select(keys={K.ID}))
    result: SearchResult = collection.search([search, whole, part])
    collection.search(search)
    rows: list[list[SearchResultRow]] = result.rows()
    for row in rows[0]:
        print(row["id"], row.get("score"), row.get("document"), row.get("metadata"))
    print(result["ids"], result["scores"], search.to_dict())
    return rows[0]
