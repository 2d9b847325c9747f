"""Tries schemas on whatever `chromadb` this interpreter imports, and writes what came of it.

    python schemas.py OUTCOMES.json
    python schemas.py fixtures/schemas.json.xz      (records: with official Chroma)

The outcomes are an object: what was tried, and its answer or `CLASS: message`. Upstream's classes
check fields with pydantic, whose sentences are long and its own: of those only the class is kept.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import chromadb
import chromadb.api.types as types

CONSTANTS = [
    "DOCUMENT_KEY",
    "EMBEDDING_KEY",
    "TYPE_KEY",
    "SPARSE_VECTOR_TYPE_VALUE",
    "STRING_VALUE_NAME",
    "INT_VALUE_NAME",
    "BOOL_VALUE_NAME",
    "FLOAT_VALUE_NAME",
    "FLOAT_LIST_VALUE_NAME",
    "SPARSE_VECTOR_VALUE_NAME",
    "FTS_INDEX_NAME",
    "VECTOR_INDEX_NAME",
    "SPARSE_VECTOR_INDEX_NAME",
    "STRING_INVERTED_INDEX_NAME",
    "INT_INVERTED_INDEX_NAME",
    "FLOAT_INVERTED_INDEX_NAME",
    "BOOL_INVERTED_INDEX_NAME",
    "HNSW_INDEX_NAME",
    "SPANN_INDEX_NAME",
    "META_KEY_CHROMA_DOCUMENT",
]
SETTINGS: list[dict[str, Any]] = [
    {"foo": 1},
    {"foo": 1, "bar": 2},
    {"ef_search": 5},
    {"ef_search": 5.0},
    {"ef_search": 5.5},
    {"ef_search": "x"},
    {"ef_search": None},
    {"resize_factor": 1},
    {"space": "foo"},
    {"space": "ip"},
    {"source_key": "#a"},
    {"source_key": "#document"},
    {"source_key": 5},
    {"embedding_function": 5},
    {"bm25": 5},
    {"hnsw": 5},
    {"hnsw": {"foo": 1}},
    {"hnsw": {"ef_search": 1}},
]
STORED: list[dict[str, Any]] = [
    {"string": {"fts_index": {}}},
    {"string": {}},
    {"float_list": {"vector_index": {"config": {"embedding_function": {"type": "legacy"}}}}},
    {"sparse_vector": {"sparse_vector_index": {"config": {"bm25": True}}}},
    {"int": {"int_inverted_index": {"enabled": False}}},
    *(
        {"float_list": {"vector_index": {"config": {"embedding_function": function}}}}
        for function in [
            {"type": "known", "name": "nobody", "config": {}},
            {"type": "known", "name": "default", "config": {}},
        ]
    ),
]
GOOGLE = "projects/p/locations/l/keyRings/r/cryptoKeys/"


class Twos(types.EmbeddingFunction):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [[2.0, 2.0]] * len(input)

    @staticmethod
    def name() -> str:
        return "twos"

    def get_config(self) -> dict[str, Any]:
        return {"k": 1}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Twos:
        return Twos()

    def default_space(self) -> Any:
        return "cosine"


class Trial:
    def __init__(self) -> None:
        self.outcomes: dict[str, Any] = {}

    def __call__(self, label: str, action: Callable[[], Any]) -> Any:
        try:
            answer = action()
            self.outcomes[label] = json.loads(json.dumps(answer, default=str))
        except Exception as error:
            name = "ValueError" if isinstance(error, ValueError) else type(error).__name__
            is_checked = label.startswith("settings") or "validation error for" in str(error)
            # Upstream prints these two in either order.
            message = re.sub(r'{("min": .*?), ("value": .*?)}', r"{\2, \1}", str(error))
            self.outcomes[label] = name if is_checked else f"{name}: {message}"


def schema() -> Any:
    return chromadb.Schema()


def try_schemas(trial: Trial) -> None:
    configs = [
        None,
        types.FtsIndexConfig(),
        types.VectorIndexConfig(space="ip", source_key="a"),
        types.VectorIndexConfig(embedding_function=Twos(), hnsw={"ef_search": 3}),
        types.VectorIndexConfig(embedding_function=None, spann=types.SpannIndexConfig(ef_search=3)),
        types.SparseVectorIndexConfig(),
        types.SparseVectorIndexConfig(source_key="x"),
        types.StringInvertedIndexConfig(),
        types.IntInvertedIndexConfig(),
        types.FloatInvertedIndexConfig(),
        types.BoolInvertedIndexConfig(),
    ]
    again = chromadb.Schema.deserialize_from_json
    trial("empty", lambda: schema().serialize_to_json())
    for verb in ["create_index", "delete_index"]:
        for number, config in enumerate(configs):
            for key in [None, "a", "#document", "#embedding", "#foo", ""]:
                label = f"{verb} {number} {type(config).__name__} {key!r}"
                change = getattr(chromadb.Schema, verb)
                trial(label, lambda: change(schema(), config, key).serialize_to_json())
                if isinstance(trial.outcomes[label], dict):
                    stored = trial.outcomes[label]
                    trial(label + " again", lambda: again(stored).serialize_to_json())
    sparse = types.SparseVectorIndexConfig()
    trial("two sparse", lambda: schema().create_index(sparse, "a").create_index(sparse, "b"))
    for name in ["Hnsw", "Spann", "Vector", "SparseVector", "Fts", "IntInverted"]:
        cls = getattr(types, f"{name}IndexConfig")
        for fields in SETTINGS:
            trial(f"settings {name} {fields}", lambda: bool(cls(**fields)))
    for stored in STORED:
        whole = {"defaults": stored, "keys": {"x": stored}}
        trial(f"stored {stored}", lambda: again(whole).serialize_to_json())
    trial("stored {}", lambda: again({}).serialize_to_json())
    for name in ["x", GOOGLE + "k", GOOGLE + "k\n", GOOGLE, "x" + GOOGLE + "k"]:
        cmek = types.Cmek.gcp(name)
        trial(f"cmek {name!r}", lambda: [cmek.validate_pattern(), cmek.to_dict()])
        trial(f"cmek of {name!r}", lambda: schema().set_cmek(cmek).serialize_to_json()["cmek"])
    for data in [{"gcp": "y"}, {"aws": "y"}, {"gcp": 5}, {}]:
        trial(f"cmek from {data}", lambda: types.Cmek.from_dict(data))
    trial("equal", lambda: [schema() == schema(), schema() == schema().delete_index(configs[8])])
    for name in CONSTANTS:
        trial(name, lambda: getattr(types, name))
    trial("exported", lambda: sorted(name for name in chromadb.__all__ if "Index" in name))


def try_collections(trial: Trial, directory: str) -> None:
    client = chromadb.PersistentClient(directory)
    vector = types.VectorIndexConfig
    changed = schema().create_index(vector(space="cosine", hnsw={"ef_search": 50}))
    narrow = schema().delete_index(types.StringInvertedIndexConfig())
    narrow.create_index(types.StringInvertedIndexConfig(), key="kept")
    narrow.delete_index(types.IntInvertedIndexConfig(), key="kept")
    narrow.delete_index(types.FtsIndexConfig(), key="#document")
    cases: dict[str, dict[str, Any]] = {
        "none": {},
        "empty": {"schema": schema()},
        "empty-and-function": {"schema": schema(), "embedding_function": Twos()},
        "empty-and-settings": {"schema": schema(), "configuration": {"hnsw": {"space": "ip"}}},
        "empty-and-legacy": {"schema": schema(), "metadata": {"hnsw:space": "ip"}},
        "changed": {"schema": changed},
        "changed-and-nothing": {"schema": changed, "configuration": {}},
        "changed-and-settings": {"schema": changed, "configuration": {"hnsw": {"space": "ip"}}},
        "changed-and-legacy": {"schema": changed, "metadata": {"hnsw:space": "ip"}},
        "changed-and-function": {"schema": changed, "embedding_function": Twos()},
        "narrow": {"schema": narrow},
        "narrow-without-function": {"schema": narrow, "embedding_function": None},
        "function": {"schema": schema().create_index(vector(embedding_function=Twos()))},
        "no-function": {"schema": schema().create_index(vector(embedding_function=None))},
        "spann": {"schema": schema().create_index(vector(space="ip", spann={"ef_search": 7}))},
        "both": {"schema": schema().create_index(vector(hnsw={}, spann={}))},
        "bounds": {"schema": schema().create_index(vector(hnsw={"sync_threshold": 1}))},
        "sparse": {"schema": schema().create_index(types.SparseVectorIndexConfig(), "a")},
        "cmek": {"schema": schema().set_cmek(types.Cmek.gcp(GOOGLE + "k"))},
        "bad-cmek": {"schema": schema().set_cmek(types.Cmek.gcp("bad"))},
    }
    for name, arguments in cases.items():
        trial(f"create {name}", lambda: shown(client.create_collection(name, **arguments)))
    for name, arguments in cases.items():
        trial(f"get {name}", lambda: shown(client.get_collection(name, embedding_function=None)))
        get = client.get_or_create_collection
        trial(f"get or create {name}", lambda: shown(get("narrow", **arguments)))
    notes = client.get_collection("narrow", embedding_function=None)
    trial(
        "add",
        lambda: notes.add(
            ids=["1", "2"],
            embeddings=[[1, 2], [2, 3]],
            metadatas=[{"s": "a", "kept": "b", "i": 1, "sa": ["x"]}, {"kept": 5, "f": 1.5}],
            documents=["hello", "you"],
        ),
    )
    wheres: list[Any] = [
        {"s": "a"},
        {"s": {"$ne": "a"}},
        {"s": {"$in": ["a"]}},
        {"sa": {"$contains": "x"}},
        {"kept": "b"},
        {"kept": 5},
        {"kept": 5.0},
        {"kept": {"$gt": 1}},
        {"i": 1},
        {"f": {"$gte": 1.5}},
        {"#document": {"$contains": "he"}},
        {"$or": [{"i": 1}, {"$and": [{"f": 1.5}, {"t": "a"}]}]},
    ]
    documents: list[Any] = [{"$contains": "he"}, {"$not_regex": "h"}, {"$regex": "("}]
    arguments = [{"where": where} for where in wheres]
    arguments += [{"where_document": document} for document in documents]
    arguments += [{"where": {"i": 1}, "where_document": {"$contains": "he"}}]
    for filters in arguments:
        query = {"query_embeddings": [[1.0, 2.0]], "n_results": 1}
        trial(f"get {filters}", lambda: notes.get(**filters)["ids"])
        trial(f"query {filters}", lambda: notes.query(**query, **filters)["ids"])
        trial(f"get by id {filters}", lambda: notes.get(ids=["none"], **filters)["ids"])
    for filters in [arguments[0], arguments[12], arguments[8]]:
        trial(f"delete {filters}", lambda: notes.delete(**filters))
    trial("count", notes.count)
    kept = client.get_collection("changed", embedding_function=None)
    trial("modify", lambda: kept.modify(configuration={"hnsw": {"ef_search": 9}}))
    trial("get modified", lambda: shown(client.get_collection("changed")))


def shown(collection: Any) -> Any:
    """The configuration and the schema, without what differs from machine to machine."""
    schema = collection.schema.serialize_to_json()
    for indexes in [schema["defaults"], schema["keys"]["#embedding"]]:
        indexes["float_list"]["vector_index"]["config"]["hnsw"].pop("num_threads")
    return [collection.configuration_json, schema]


def main() -> None:
    warnings.simplefilter("ignore")
    trial = Trial()
    try_schemas(trial)
    with tempfile.TemporaryDirectory() as directory:
        try_collections(trial, directory)
    path = sys.argv[1]
    with lzma.open(path, "wt") if path.endswith(".xz") else open(path, "w") as file:
        json.dump(trial.outcomes, file, sort_keys=True)


if __name__ == "__main__":
    main()
