"""Records what official Chroma makes of configurations and names.

    python record_rules.py        (needs chromadb==1.5.9)

Writes rules.jsonl beside this file. Its lines are

    ["create", configuration text or null, metadata or null, answer]
    ["update", configuration text of the collection, text of the change, answer]
    ["name" | "new_name" | "tenant" | "database", name, answer]
    ["metadata" | "new_metadata", metadata, answer]

where the answer to a configuration is the configuration shown, to a name or metadata null, and to
what official Chroma refuses its message.

Left out is what depends on chance in official Chroma (which of several bad keys it names), what it
accepts only because of how it reads JSON (structs as arrays), and the column of errors about an
embedding function's name and config, which counts the brace behind it.
"""

import json
import re
from pathlib import Path
from typing import Any

import chromadb_rust_bindings as rust

CONFIGURATIONS = [
    None, "", "{}", "null", "{", "1", '"a"', "true", "1.5", '{"hnsw":null}',
    '{"hnsw": {"space": "l2"}, "spann": null, "embedding_function": {"name": "default",'
    ' "type": "known", "config": {}}}',
    '{"hnsw":null,"spann":null,"embedding_function":null}', '{"hnsw":{}}',
    '{"hnsw":{"space":"l2"}}',
    '{"hnsw":{"space":"cosine"}}', '{"hnsw":{"space":"ip"}}', '{"hnsw": {"space":"foo"}}',
    '{"hnsw":{"space":"L2"}}', '{"hnsw":{"space":""}}', '{"hnsw":{"space":1}}',
    '{"hnsw":{"space":true}}', '{"hnsw":{"space":["l2"]}}', '{"hnsw":{"space":null}}',
    '{"hnsw":{"spa\\u0063e":"ip"}}', '{"hnsw":{"foo":1}}', '{"hnsw":{"foo":{"a":[1,2]}}}',
    '{"hnsw":{"ef_search":-1}}', '{"hnsw":{"ef_search":1.5}}', '{"hnsw":{"ef_search":1.0}}',
    '{"hnsw":{"ef_search":-1.5}}', '{"hnsw":{"ef_search":-0}}', '{"hnsw":{"ef_search":1e3}}',
    '{"hnsw":{"ef_search":1e22}}', '{"hnsw":{"ef_search":"a"}}',
    '{"hnsw":{"ef_search":"a\\"é\\n"}}',
    '{"hnsw":{"ef_search":true}}', '{"hnsw":{"ef_search":null}}', '{"hnsw":{"ef_search":[1]}}',
    '{"hnsw":{"ef_search":{}}}', '{"hnsw":{"ef_search":0}}',
    '{"hnsw":{"ef_search":9223372036854775808}}', '{"hnsw":{"ef_search":18446744073709551615}}',
    '{"hnsw":{"ef_search":18446744073709551616}}', '{"hnsw":{"ef_search":-9223372036854775809}}',
    '{"hnsw":{"ef_construction":"x"}}', '{"hnsw":{"max_neighbors":"x"}}',
    '{"hnsw":{"num_threads":"x"}}', '{"hnsw":{"batch_size":"x"}}',
    '{"hnsw":{"sync_threshold":"x"}}',
    '{"hnsw":{"resize_factor":1}}', '{"hnsw":{"resize_factor":-1.5}}',
    '{"hnsw":{"resize_factor":0}}',
    '{"hnsw":{"resize_factor":"a"}}', '{"hnsw":{"resize_factor":true}}',
    '{"hnsw":{"resize_factor":[]}}', '{"hnsw":{"resize_factor":1e400}}',
    '{"hnsw":{"resize_factor":18446744073709551615}}',
    '{"hnsw":{"ef_search":5,"ef_search":6}}', '{"hnsw":{"space":null,"space":null}}',
    '{"hnsw":{"max_neighbors":5,"num_threads":3,"batch_size":7,"sync_threshold":9,'
    '"ef_construction":11,"resize_factor":2}}',
    '{"hnsw":{"num_threads":0,"batch_size":0,"sync_threshold":0,"max_neighbors":0}}',
    '{"hnsw":1}', '{"hnsw":"a"}', '{"hnsw":true}', '{"hnsw":1.5}', '{"hnsw":{},"hnsw":{}}',
    '{"hnsw":null,"hnsw":null}', '{"foo":1,"hnsw":{"space":"ip"}}', '{"foo":1,"foo":2}',
    '{"foo":[1,}', '{"foo":{"a":[1,{"b":null}]}}', '{"hnsw":{"space":"l2",}}',
    '{"hnsw":{"space":"l2"}} x', '{"hnsw":{"space" "l2"}}', '{"hnsw":{1:2}}',
    '{"hnsw":{"ef_search":1',
    '{"hnsw":{"space":"ip"},"spann":{"space":"cosine"}}', '{"hnsw":{},"spann":{}}',
    '{"spann":{}}', '{"spann":{"space":"cosine"}}', '{"spann":{"space":"x"}}',
    '{"spann":{"foo":1}}',
    '{"spann":{"space":"ip","search_nprobe":1,"write_nprobe":2,"ef_construction":3,'
    '"ef_search":4,"max_neighbors":5,"reassign_neighbor_count":6,"split_threshold":7,'
    '"merge_threshold":8}}',
    '{"spann":{"search_nprobe":-1}}', '{"spann":{"search_nprobe":4294967295}}',
    '{"spann":{"search_nprobe":4294967296}}', '{"spann":{"search_nprobe":1.5}}',
    '{"spann":{"write_nprobe":"x"}}', '{"spann":{"ef_search":4294967296}}',
    '{"spann":{"ef_search":-1}}', '{"spann":{"max_neighbors":"x"}}',
    '{"spann":{"split_threshold":"x"}}',
    '{"spann":{"ef_search":1,"ef_search":1}}', '{"spann":1}',
    '{"embedding_function":{"type":"legacy"}}', '{"embedding_function":{"type":"unknown"}}',
    '{"embedding_function":{"type":"legacy","foo":1}}', '{"embedding_function":{"type":"bogus"}}',
    '{"embedding_function":{"name":"x","type":"bogus"}}', '{"embedding_function":{}}',
    '{"embedding_function":{"name":"x"}}', '{"embedding_function":{"type":1}}',
    '{"embedding_function":{"type":null}}', '{"embedding_function":{"type":["a"]}}',
    '{"embedding_function":{"type":{}}}', '{"embedding_function":{"type":"legacy","type":"known"}}',
    '{"embedding_function":1}', '{"embedding_function":"legacy"}', '{"embedding_function":true}',
    '{"embedding_function":{"type":"known"},"hnsw":null}',
    '{"embedding_function":{"type":"known","name":"x"},"hnsw":null}',
    '{"embedding_function":{"type":"known","name":1,"config":{}},"hnsw":null}',
    '{"embedding_function":{"type":"known","name":null,"config":{}},"hnsw":null}',
    '{"embedding_function":{"type":"known","name":"x","config":null}}',
    '{"embedding_function":{"type":"known","name":"x","config":{"b":1,"a":[1.0,2,{"z":null}]}}}',
    '{"embedding_function":{"config":5,"name":"é","type":"known","foo":1}}',
    '{"hnsw": {"space": "l2"},\n "spann": null, "embedding_function": {"type":"zzz"}}',
]  # fmt: skip

LEGACY: list[dict[str, Any]] = [
    {"hnsw:space": "cosine"}, {"hnsw:space": "foo"}, {"hnsw:space": 1}, {"hnsw:M": 8},
    {"hnsw:M": 8.0}, {"hnsw:M": True}, {"hnsw:M": -1}, {"hnsw:M": "8"}, {"hnsw:M": 0},
    {"hnsw:foo": 1}, {"hnsw:": 1}, {"hnsw": 1}, {"HNSW:space": "foo"}, {"hnsw:resize_factor": 2},
    {"hnsw:resize_factor": 2.5}, {"hnsw:resize_factor": -1}, {"hnsw:resize_factor": "x"},
    {"hnsw:resize_factor": True}, {"hnsw:batch_size": 1}, {"hnsw:batch_size": 2},
    {"hnsw:sync_threshold": 1}, {"hnsw:sync_threshold": 2}, {"hnsw:num_threads": 0},
    {"hnsw:search_ef": 0}, {"hnsw:construction_ef": -1},
    {"hnsw:construction_ef": 5, "hnsw:search_ef": 6, "hnsw:num_threads": 7, "hnsw:batch_size": 8,
     "hnsw:sync_threshold": 9, "hnsw:space": "ip", "a": 1},
]  # fmt: skip

BESIDE_LEGACY = [
    None, '{"hnsw":null,"embedding_function":{"type":"legacy"}}', '{"hnsw":{}}',
    '{"hnsw":{"ef_search":100,"space":"l2"}}', '{"hnsw":{"space":"ip"}}',
    '{"hnsw":{"ef_search":7}}',
    '{"hnsw":{"num_threads":7}}', '{"hnsw":{"batch_size":7}}', '{"spann":{"space":"ip"}}',
    '{"spann":{}}',
]  # fmt: skip

COLLECTIONS = [
    "{}", '{"spann":{"space":"ip"}}',
    '{"hnsw":{"space":"ip","ef_search":7,"max_neighbors":3},'
    '"embedding_function":{"type":"legacy"}}',
]  # fmt: skip

CHANGES = [
    "", "{}", "null", "1", '{"foo":1}', '{"hnsw":null}', '{"hnsw":{}}', '{"hnsw":{"ef_search":5}}',
    '{"hnsw":{"ef_search":5},"spann":null,"embedding_function":null}', '{"hnsw":{"space":"ip"}}',
    '{"hnsw":{"max_neighbors":5,"num_threads":2,"batch_size":4,"sync_threshold":9,'
    '"resize_factor":3}}',
    '{"hnsw":{"ef_construction":5}}', '{"hnsw":{"ef_search":-5}}', '{"hnsw":{"ef_search":null}}',
    '{"hnsw":{"foo":1}}', '{"hnsw":1}', '{"hnsw":{"ef_search":5},"hnsw":{"ef_search":6}}',
    '{"hnsw":{"batch_size":1,"sync_threshold":0}}', '{"spann":{}}', '{"spann":{"search_nprobe":5}}',
    '{"spann":{"ef_search":3}}', '{"spann":{"space":"ip"}}', '{"spann":{"foo":1}}', '{"spann":1}',
    '{"hnsw":{},"spann":{}}', '{"embedding_function":{"type":"known","name":"x","config":{}}}',
    '{"embedding_function":{"type":"legacy"}}', '{"embedding_function":{"type":"x"}}',
]  # fmt: skip

COLLECTION_NAMES = [
    "", "a", "ab", "abc", "123", "A-b_c.D9", "a_b", "_ab", "ab_", "-abc", "abc-", ".abc", "abc.",
    "a b", "a/b", "a..b", "a...b", "a..b..c", "...", "a." * 2 + "b", "ééé", "aéb", "abc\n", "\nabc",
    "abc\0d", "a" * 512, "a" * 513, "1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1",
    "01.2.3.4",
    "1.2.3.04", "1.2.3", "1.2.3.4.5", "1..2.3.4", "a.b.c.d", "1.2.3.a", "::1", "fe80::1", "1::1",
    "1:2:3:4:5:6:7:8", "a+b", "abc+def", "abc+d", "a+bcd", "abc+", "+abc", "+", "++", "a+b+c",
    "abc+def+ghi", "1.2.3.4+abc", "abc+1.2.3.4", "a..b+abc", "abc+a..b",
    "a" * 255 + "+" + "a" * 256,
    "a" * 256 + "+" + "a" * 256, "a " + "b" * 300 + "+" + "c" * 300,
]  # fmt: skip

OTHER_NAMES = ["", "a", "ab", "abc", "é", "éé", "ééé", 'a"', "a\\", "a b", "a/b", "漢", "\U0001f600"]

METADATAS: list[dict[str, Any]] = [
    {}, {"": 1}, {"#": 1}, {"#a": 1}, {"$a": 1}, {"a#": 1}, {"a$": 1}, {" ": 1}, {"é": 1},
    {"chroma:document": 1}, {"a": 1, "b": "x", "c": True, "d": 0.5}, {"a": 1, "#b": 2},
]  # fmt: skip

PLACE = ("default_tenant", "default_database")


def main() -> None:
    config = rust.SqliteDBConfig(
        hash_type=rust.MigrationHash.MD5, migration_mode=rust.MigrationMode.Apply, url=None
    )
    bindings = rust.Bindings(
        allow_reset=True, sqlite_db_config=config, hnsw_cache_size=10, persist_path=None
    )
    names = (f"recorded{number}" for number in range(1_000_000))

    def create(name: str, text: str | None, metadata: dict[str, Any] | None) -> Any:
        return bindings.create_collection(name, text, None, metadata, False, *PLACE)

    def answer(action: Any) -> Any:
        try:
            return action()
        except Exception as error:
            # Official Chroma prints these two in either order.
            return re.sub(r'{("value": .*), ("min": .*?)}', r"{\2, \1}", str(error))

    def change(text: str, new: str) -> Any:
        collection = create(next(names), text, None)
        bindings.update_collection(str(collection.id), None, None, new)
        return bindings.get_collection(collection.name, *PLACE).configuration

    def modify(name: str | None, metadata: dict[str, Any] | None) -> None:
        collection = create(next(names), None, None)
        bindings.update_collection(str(collection.id), name, metadata, None)

    lines: list[list[Any]] = []
    combinations = [(text, None) for text in CONFIGURATIONS]
    combinations += [(text, metadata) for metadata in LEGACY for text in BESIDE_LEGACY]
    for text, metadata in combinations:
        found = answer(lambda: create(next(names), text, metadata).configuration)
        lines.append(["create", text, metadata, found])
    for text in COLLECTIONS:
        lines += [["update", text, new, answer(lambda: change(text, new))] for new in CHANGES]
    for name in COLLECTION_NAMES:
        refused = answer(lambda: create(name, None, None))
        lines.append(["name", name, refused if isinstance(refused, str) else None])
        if refused is not None and not isinstance(refused, str):
            bindings.delete_collection(name, *PLACE)
        lines.append(["new_name", name, answer(lambda: modify(name, None))])
    for name in OTHER_NAMES:
        lines.append(["tenant", name, answer(lambda: bindings.create_tenant(name))])
        lines.append(["database", name, answer(lambda: bindings.create_database(name, PLACE[0]))])
    for metadata in METADATAS:
        refused = answer(lambda: create(next(names), None, metadata))
        lines.append(["metadata", metadata, refused if isinstance(refused, str) else None])
        lines.append(["new_metadata", metadata, answer(lambda: modify(None, metadata))])
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    Path(__file__).with_name("rules.jsonl").write_text(text)


if __name__ == "__main__":
    main()
