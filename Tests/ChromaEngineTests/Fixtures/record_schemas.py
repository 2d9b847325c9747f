"""Records what official Chroma makes of schemas, and which filters they rule out.

    python record_schemas.py        (needs chromadb==1.5.9)

Writes schemas.jsonl beside this file. Its lines are

    ["create", schema text, configuration text or null, metadata or null, answer]
    ["filter", schema text, where text or null, where_document text or null, answer]

where the answer to the first is the configuration as shown, and the schema too where it was all
that was given, as [configuration, schema or null]; to the second the ids found of
RECORDS, and to what official Chroma refuses its message. In a schema that is shown, `num_threads`
is null where it is the number of processors.

Left out is what depends on chance in official Chroma (which of several bad keys it names), what it
accepts only because of how it reads JSON (structs as arrays), the place of errors in `cmek`, and
what it shows of settings that mean nothing: a vector index other than that of #embedding, a sparse
one, and the index of documents under other keys than #document.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import chromadb_rust_bindings as rust

PLACE = ("default_tenant", "default_database")
EMPTY = '{"defaults":{},"keys":{}}'
GOOGLE = "projects/p/locations/l/keyRings/r/cryptoKeys/"
KNOWN = '{"type":"known","name":"default","config":{}}'
IP = '{"hnsw":{"space":"ip"}}'


def index(kind: str, name: str, setting: str) -> str:
    """A schema that says one thing by default."""
    return f'{{"defaults":{{"{kind}":{{"{name}":{setting}}}}},"keys":{{}}}}'


def under(key: str, types: str) -> str:
    """A schema that says one thing of one key."""
    return f'{{"defaults":{{}},"keys":{{"{key}":{types}}}}}'


def embedding(config: str, source: bool = True) -> str:
    """A schema that says something of the vector index."""
    own = '"source_key":"#document"'
    fields = ",".join(part for part in [own if source else "", config] if part)
    setting = f'{{"enabled":true,"config":{{{fields}}}}}'
    return under("#embedding", f'{{"float_list":{{"vector_index":{setting}}}}}')


def off(index: str) -> str:
    return f'{{"{index}":{{"enabled":false,"config":{{}}}}}}'


def on(index: str) -> str:
    return off(index).replace("false", "true")


ALL_OFF = (
    f'{{"defaults":{{"string":{off("string_inverted_index")},"int":{off("int_inverted_index")},'
    f'"float":{off("float_inverted_index")},"bool":{off("bool_inverted_index")}}},'
    f'"keys":{{"#document":{{"string":{off("fts_index")}}}}}}}'
)
SOME_OFF = (
    f'{{"defaults":{{"bool":{off("bool_inverted_index")}}},'
    f'"keys":{{"s":{{"string":{off("string_inverted_index")}}},'
    f'"f":{{"int":{off("int_inverted_index")}}},"b":{{"bool":{on("bool_inverted_index")}}},'
    '"chroma:uri":{"string":' + off("string_inverted_index") + "},"
    '"é":{"string":' + off("string_inverted_index") + "}}}"
)
MISTAKES = [
    "",
    "nul",
    "null",
    "5",
    '"a"',
    "{",
    "{}",
    '{"defaults":{}}',
    '{"keys":{}}',
    EMPTY + " x",
    '{"defaults":{},"keys":{},"keys":{}}',
    '{"defaults":{},"keys":{},"key_overrides":{}}',
    '{"defaults":{},"defaults":{},"keys":{}}',
    '{"defaults":null,"keys":{}}',
    '{"defaults":{},"keys":null}',
    '{"defaults":{},"keys":[]}',
    '{"defaults":{},"keys":5}',
    under("a", "null"),
    under("a", "1"),
    '{"defaults":5,"keys":{}}',
    '{"defaults":{"string":1},"keys":{}}',
    '{"defaults":{"string":{},"string":{}},"keys":{}}',
    '{"defaults":{"string":{},"#string":{}},"keys":{}}',
    *(
        index("int", "int_inverted_index", setting)
        for setting in [
            "5",
            "{}",
            '{"enabled":true,"enabled":true}',
            '{"enabled":true,"config":null}',
            '{"enabled":null,"config":{}}',
            '{"enabled":true,"config":5}',
            '{"config":{}}',
            '{"enabled":"x","config":{}}',
            '{"enabled":1,"config":{}}',
            '{"enabled":true}',
            '{"enabled":true,"config":{"x":1}}',
        ]
    ),
    *(
        index("float_list", "vector_index", f'{{"enabled":false,"config":{config}}}')
        for config in [
            "5",
            '{"foo":1}',
            '{"source_key":5}',
            '{"space":"l2","space":"l2"}',
            '{"space":"bad"}',
            '{"space":5}',
            '{"hnsw":5}',
            '{"hnsw":{"foo":1}}',
            '{"hnsw":{"ef_search":-1}}',
            '{"hnsw":{"num_threads":1.5}}',
            '{"hnsw":{"resize_factor":"x"}}',
            '{"hnsw":{"ef_search":"1"}}',
            '{"spann":{"foo":1}}',
            '{"spann":{"search_nprobe":-1}}',
            '{"spann":{"search_nprobe":5000000000}}',
            '{"spann":{"search_rng_factor":"x"}}',
            '{"hnsw":{},"spann":{}}',
            '{"hnsw":{"batch_size":1}}',
            '{"embedding_function":{"type":"bogus"}}',
        ]
    ),
    index("sparse_vector", "sparse_vector_index", '{"enabled":false,"config":{"foo":1}}'),
    index("sparse_vector", "sparse_vector_index", '{"enabled":false,"config":{"bm25":1}}'),
    index("string", "fts_index", '{"enabled":false,"config":{"algorithm":"trigram"}}'),
    index("float_list", "vector_index", '{"enabled":true,"config":{}}'),
    index("string", "fts_index", '{"enabled":true,"config":{}}'),
    index("sparse_vector", "sparse_vector_index", '{"enabled":true,"config":{}}'),
    under("a", f'{{"float_list":{on("vector_index")}}}'),
    under("a", f'{{"string":{on("fts_index")}}}'),
    under("a", f'{{"sparse_vector":{on("sparse_vector_index")}}}'),
    under(
        "a",
        '{"sparse_vector":{"sparse_vector_index":{"enabled":true,"config":{"source_key":"x"}}}}',
    ),
    under("a", '{"float_list":{"vector_index":{"enabled":false,"config":{"source_key":"x"}}}}'),
    under("#a", "{}"),
    under("#document", f'{{"string":{on("string_inverted_index")}}}'),
    under("#document", f'{{"int":{on("int_inverted_index")}}}'),
    under("#document", '{"float":{}}'),
    under("#embedding", f'{{"string":{on("fts_index")}}}'),
    under("#embedding", f'{{"int":{off("int_inverted_index")}}}'),
    embedding('"source_key":"a"', source=False),
    embedding('"hnsw":{},"spann":{}'),
    embedding('"hnsw":{"sync_threshold":1}'),
    embedding('"hnsw":{"sync_threshold":0,"batch_size":1}'),
    '{"defaults":{},"keys":{},"source_attached_function_id":"x"}',
    '{"defaults":{},"keys":{},"source_attached_function_id":5}',
    '{"defaults":{},"keys":{},"cmek":5}',
    '{"defaults":{},"keys":{},"cmek":{}}',
    '{"defaults":{},"keys":{},"cmek":{"gcp":5}}',
    '{"defaults":{},"keys":{},"cmek":"gcp"}',
    '{"defaults":{},"keys":{},"cmek":{"aws":"x"}}',
    *(
        f'{{"defaults":{{}},"keys":{{}},"cmek":{{"gcp":{json.dumps(name, ensure_ascii=False)}}}}}'
        for name in ["bad", "", GOOGLE, GOOGLE + "k\n", 'a\n\t\r\0"\\é\u0007', "x" + GOOGLE + "k"]
    ),
]
SCHEMAS = [
    EMPTY, '{"defaults":{},"key_overrides":{},"foo":1}', ALL_OFF, SOME_OFF,
    '{"defaults":{"string":null},"keys":{},"cmek":null,"source_attached_function_id":null}',
    '{"defaults":{"string":{"string_inverted_index":null,"foo":1},"bar":5},"keys":{"a":{}}}',
    '{"defaults":{"#string":{"$string_inverted_index":{"enabled":false,"config":{}}}},"keys":{}}',
    index("int", "int_inverted_index", '{"enabled":true,"config":{},"x":1}'),
    '{"defaults":{},"keys":{"a":{},"a":{"int":' + off("int_inverted_index") + "}}}",
    under("x", f'{{"int":{on("int_inverted_index")}}}'), under("", "{}"), under("$a", "{}"),
    under("chroma:uri", f'{{"string":{off("string_inverted_index")}}}'),
    under("#document", f'{{"string":{off("fts_index")}}}'), under("#document", "{}"),
    under("#document", '{"string":{}}'), under("#embedding", "{}"),
    f'{{"defaults":{{}},"keys":{{}},"cmek":{{"gcp":"{GOOGLE}k"}}}}',
    f'{{"defaults":{{"int":{off("int_inverted_index")}}},"keys":{{}},'
    f'"cmek":{{"gcp":"{GOOGLE}é"}}}}',
    embedding('"space":"l2"'), embedding('"space":"l2"', source=False), embedding(""),
    embedding("", source=False), embedding('"hnsw":{}'), embedding('"hnsw":{"ef_search":100}'),
    embedding('"spann":{}'), embedding('"spann":{"search_nprobe":64}'),
    embedding(f'"embedding_function":{KNOWN}'),
    embedding('"embedding_function":{"type":"unknown"}'),
    embedding('"space":null,"hnsw":null,"spann":null,"embedding_function":null'),
]  # fmt: skip
# Those whose vectors are configured otherwise than by default, by default too: so they are shown.
for config in [
    '"space":"cosine"', '"embedding_function":{"type":"legacy"}', '"spann":{"search_nprobe":65}',
    '"embedding_function":{"type":"known","name":"zz","config":{"a":1}}', '"space":"ip","spann":{}',
    '"space":"ip","hnsw":{"ef_search":0,"ef_construction":7,"max_neighbors":3,"num_threads":77,'
    '"batch_size":2,"sync_threshold":2,"resize_factor":2}',
]:  # fmt: skip
    both = json.loads(embedding(config))
    default = json.loads(embedding(config, source=False))["keys"]["#embedding"]
    default["float_list"]["vector_index"]["enabled"] = False
    both["defaults"] = default
    SCHEMAS.append(json.dumps(both))

BESIDE = [
    None, "{}", '{"hnsw":{"space":"l2"}}', IP, '{"embedding_function":{"type":"legacy"}}',
    '{"embedding_function":{"type":"unknown"}}', f'{{"embedding_function":{KNOWN}}}',
    '{"embedding_function":{"type":"known","name":"zz","config":{}}}',
]  # fmt: skip
LEGACY = [{"hnsw:space": "ip"}, {"hnsw:space": "l2"}, {"hnsw:foo": 1}, {"a": 1}]

RECORDS = {
    "ids": ["1", "2"],
    "embeddings": [[1.0, 2.0], [2.0, 3.0]],
    "metadatas": [
        {
            "s": "a", "i": 1, "f": 1.5, "b": True,
            "sa": ["x", "y"], "ia": [1], "fa": [1.5], "ba": [True],
        },
        {"s": "b", "f": 2, "é": "a"},
    ],
    "documents": ["hello", None],
    "uris": [None, "file:///a"],
}  # fmt: skip
LITERALS: dict[str, Any] = {"s": "a", "i": 1, "f": 1.5, "b": True}
WHERES: list[Any] = [
    *({key: literal} for key, literal in LITERALS.items()),
    *({key: {op: literal}} for key, literal in LITERALS.items() for op in ["$eq", "$ne"]),
    *({key: {op: [literal]}} for key, literal in LITERALS.items() for op in ["$in", "$nin"]),
    *({key: {op: LITERALS[key]}} for key in "if" for op in ["$gt", "$gte", "$lt", "$lte"]),
    *(
        {key + "a": {op: literal}}
        for key, literal in LITERALS.items()
        for op in ["$contains", "$not_contains"]
    ),
    {"s": 1}, {"f": 1}, {"f": {"$gt": 1}}, {"f": {"$in": [1]}}, {"f": {"$in": [1.5, 2]}},
    {"s": {"$contains": "a"}}, {"missing": "a"}, {"missing": {"$ne": 1}}, {"é": "a"}, {"é": 1},
    {"#document": {"$contains": "he"}}, {"#document": {"$not_contains": "he"}},
    {"#document": {"$regex": "h"}}, {"#document": "hello"}, {"#document": 1}, {"#id": "1"},
    {"#embedding": 1}, {"chroma:document": "hello"}, {"chroma:uri": "file:///a"}, {"": "x"},
    {"$and": []}, {"$or": []}, {"$and": [{"i": 1}, {"s": "a"}]}, {"$or": [{"s": "a"}, {"i": 1}]},
    {"$or": [{"i": 1}, {"$and": [{"z": 1}, {"b": False}, {"s": "a"}]}]},
    {"$and": [{"#document": {"$contains": "x"}}, {"i": 1}]}, {"s": {"$in": []}},
    {"$and": [{"s": "a"}, {"i": {"$foo": 1}}]},
]  # fmt: skip
DOCUMENTS: list[Any] = [
    {"$contains": "he"}, {"$not_contains": "he"}, {"$regex": "h.*"}, {"$not_regex": "h"},
    {"$regex": "("}, {"$contains": ""}, {"$and": []}, {"$or": []},
    {"$and": [{"$contains": "a"}, {"$contains": "b"}]}, {"$or": [{"$contains": "e"}]},
    {"$foo": "a"},
]  # fmt: skip


def shown(collection: Any) -> list[Any]:
    schema = collection.schema
    for types in [schema["defaults"], schema["keys"]["#embedding"]]:
        hnsw = types["float_list"]["vector_index"]["config"]["hnsw"]
        if hnsw["num_threads"] == os.cpu_count():
            hnsw["num_threads"] = None
    return [collection.configuration, schema]


def main() -> None:
    config = rust.SqliteDBConfig(
        hash_type=rust.MigrationHash.MD5, migration_mode=rust.MigrationMode.Apply, url=None
    )
    bindings = rust.Bindings(
        allow_reset=True, sqlite_db_config=config, hnsw_cache_size=10, persist_path=None
    )
    names = (f"recorded{number}" for number in range(1_000_000))

    def create(schema: str, text: str | None, metadata: dict[str, Any] | None) -> Any:
        collection = bindings.create_collection(next(names), text, schema, metadata, False, *PLACE)
        return bindings.get_collection(collection.name, *PLACE)

    def answer(action: Any) -> Any:
        try:
            return action()
        except Exception as error:
            # Official Chroma prints these in any order.
            message = re.sub(r'{("min": .*?), ("value": .*?)}', r"{\2, \1}", str(error))
            head, separator, faults = message.partition("Invalid HNSW configuration: ")
            return head + separator + "\n".join(sorted(faults.split("\n"), reverse=True))

    def find(collection: Any, where: Any, document: Any) -> list[str]:
        found = bindings.get(
            str(collection.id), None, where, None, 0, document, ["documents"], *PLACE
        )
        return found.ids

    def text_of(filter: Any) -> str | None:
        return None if filter is None else json.dumps(filter)

    lines: list[list[Any]] = []
    for schema in MISTAKES + SCHEMAS:
        for text in BESIDE if schema in SCHEMAS else [None]:
            found = answer(lambda: shown(create(schema, text, None)))
            if text is not None and not isinstance(found, str):
                found[1] = None
            lines.append(["create", schema, text, None, found])
    for metadata in LEGACY:
        for schema in [EMPTY, ALL_OFF, *SCHEMAS[-6:]]:
            found = answer(lambda: shown(create(schema, None, metadata)))
            lines.append(["create", schema, None, metadata, found])
    filters = [(where, None) for where in WHERES] + [(None, wanted) for wanted in DOCUMENTS]
    filters += [({"s": "a"}, {"$contains": "he"}), ({"i": 1}, {"$regex": "("})]
    for schema in [ALL_OFF, SOME_OFF, under("#document", f'{{"string":{off("fts_index")}}}')]:
        collection = create(schema, None, None)
        bindings.add(
            list(RECORDS["ids"]), str(collection.id), RECORDS["embeddings"], RECORDS["metadatas"],
            RECORDS["documents"], RECORDS["uris"], *PLACE
        )  # fmt: skip
        for where, document in filters:
            found = answer(lambda: find(collection, text_of(where), text_of(document)))
            lines.append(["filter", schema, text_of(where), text_of(document), found])
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    Path(__file__).with_name("schemas.jsonl").write_text(text)


if __name__ == "__main__":
    main()
