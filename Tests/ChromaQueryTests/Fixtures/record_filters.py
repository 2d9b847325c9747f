"""Records which of a few records official Chroma finds by each of the filters below.

    python record_filters.py        (needs chromadb==1.5.9)

Writes filters.jsonl beside this file. Its first line is the list of records; each further line is
[field, filter text, ids found or the message of the error], the field being "where" or
"where_document".

Left out is where official Chroma is wrong: it casts a float operand to an integer to compare it
with integers, casts integers above 2^53 to floats, and ends `$contains` at a zero character.
"""

import json
import random
from pathlib import Path

import chromadb_rust_bindings as rust

RECORDS = [
    {"id": "all", "document": "The quick brown fox", "uri": "file:///a",
     "metadata": {"i": 1, "f": 1.5, "b": True, "s": "x", "m": 1,
                  "ai": [1, 2], "af": [1.0, 2.5], "ab": [True], "as": ["x", "y"]}},
    {"id": "other", "document": "jumps over\nthe lazy dog", "uri": None,
     "metadata": {"i": 2, "f": -0.5, "b": False, "s": "y", "m": "1",
                  "ai": [3], "af": [-0.5], "ab": [False, True], "as": ["Z"]}},
    {"id": "negative", "document": "", "uri": "",
     "metadata": {"i": -5, "f": 2.0, "s": "", "m": True}},
    {"id": "float", "document": "100% _\\ Éa é", "uri": "file:///b",
     "metadata": {"f": 1e300, "s": "É", "m": 1.0, "as": [""]}},
    {"id": "limits", "document": None, "uri": None,
     "metadata": {"i": 2**53, "s": "X", "m": [1], "a.b": 1, "é": 2, "chroma": 3}},
    {"id": "swapped", "document": "fox", "uri": "file:///a",
     "metadata": {"i": [1], "f": [1.5], "b": [True], "s": ["x"],
                  "ai": 1, "af": 1.0, "ab": True, "as": "x"}},
    {"id": "bare", "document": None, "uri": None, "metadata": None},
    {"id": "document", "document": "fox fox", "uri": None, "metadata": None},
]  # fmt: skip

KEYS = ["i", "f", "b", "s", "m", "ai", "af", "ab", "as", "none"]
LITERALS = [1, 2, -5, 1.0, 2.0, True, False, "x", "1", "", "É"]
SETS = [[1], [1, 2, 3], [-5, 9], [1.0], [1.0, 2], [True], [True, False], ["x"], ["x", "1", ""]]


def systematic() -> list[tuple[str, str]]:
    """Every operator on every key with every type of operand."""
    filters = []
    for key in KEYS + ["a.b", "é", "chroma", "chroma:uri", "#id", "#embedding", "#foo", ""]:
        for literal in LITERALS:
            filters.append({key: literal})
            for operator in ["$eq", "$ne", "$contains", "$not_contains"]:
                filters.append({key: {operator: literal}})
            for operator in ["$gt", "$gte", "$lt", "$lte"]:
                filters.append({key: {operator: literal}})
        for operator in ["$in", "$nin"]:
            filters += [{key: {operator: members}} for members in SETS]
    for literal in [1.5, -0.5, 1e300, 0.25]:
        filters += [{"f": {operator: literal}} for operator in ["$eq", "$ne", "$gt", "$lte"]]
        filters.append({"af": {"$contains": literal}})
    for literal in ["fox", "", "The quick brown fox", 1, True]:
        for operator in ["$eq", "$ne", "$contains", "$not_contains"]:
            filters.append({"chroma:document": {operator: literal}})
            filters.append({"#document": {operator: literal}})
        filters.append({"chroma:document": {"$in": [literal]}})
        filters.append({"#document": {"$nin": [literal]}})
        filters.append({"#document": {"$regex": literal}})
        filters.append({"#document": {"$not_regex": literal}})
        filters.append({"chroma:document": {"$regex": literal}})
    return [("where", json.dumps(each)) for each in filters]


# Texts that the grammar decides about.
WHERE = [
    "", " ", "null", "{}", "[]", "1", '"i"', "true", "{", '{"i":1', '{"i":1} x', '{"i":1}{"i":1}',
    ' {"i" : 1} ', '{"i":null}', '{"i":{}}', '{"i":[]}', '{"i":[1]}', '{"i":{"$eq":null}}',
    '{"i":{"$eq":[1]}}', '{"i":{"$eq":{}}}', '{"i":{"$foo":1}}', '{"i":{"eq":1}}', '{"i":{"":1}}',
    '{"i":1,"s":"x"}', '{"i":{"$gt":0,"$lt":5}}', '{"i":2,"i":1}', '{"i":{"$eq":2,"$eq":1}}',
    '{"i":{"$in":[]}}', '{"i":{"$nin":[]}}', '{"i":{"$in":1}}', '{"i":{"$in":null}}',
    '{"i":{"$in":[null]}}', '{"i":{"$in":[[1]]}}', '{"i":{"$in":[{}]}}', '{"i":{"$in":[1,2.5]}}',
    '{"i":{"$in":[1,"x"]}}', '{"i":{"$in":[1,true]}}', '{"i":{"$in":["x",1]}}',
    '{"i":{"$in":[true,1]}}', '{"f":{"$in":[1.5,2]}}', '{"f":{"$in":[1.5,"x"]}}',
    '{"f":{"$in":[1.5,true]}}', '{"f":{"$in":[1.5,9223372036854775808]}}',
    '{"i":{"$in":[9223372036854775808]}}', '{"i":{"$in":[1,9223372036854775808]}}',
    '{"i":{"$contains":null}}', '{"i":{"$contains":[1]}}', '{"i":{"$contains":{}}}',
    '{"i":{"$regex":"x"}}', '{"s":{"$regex":"x"}}', '{"s":{"$not_regex":"x"}}',
    '{"i":9223372036854775808}', '{"i":18446744073709551615}', '{"f":18446744073709551616}',
    '{"i":{"$gt":9223372036854775808}}', '{"f":{"$gt":100000000000000000000}}', '{"f":1e400}',
    '{"i":9223372036854775807}', '{"i":-9223372036854775808}', '{"f":1e300}', '{"i":1e0}',
    '{"$and":[]}', '{"$or":[]}', '{"$and":[{"i":1}]}', '{"$or":[{"i":1}]}', '{"$and":null}',
    '{"$and":[null]}', '{"$or":[{}]}', '{"$and":[{"i":1},{}]}', '{"$and":{"i":1}}', '{"$and":1}',
    '{"$and":[1]}', '{"$and":["i"]}', '{"$and":[[]]}', '{"$and":[],"i":1}', '{"$and":[],"$or":[]}',
    '{"$and":[{"$or":[]}]}', '{"$or":[{"$and":[]}]}', '{"$and":[{"$and":[]},{"$or":[{"i":1}]}]}',
    '{"i":{"$and":[{"i":1}]}}', '{"i":{"$or":[]}}', '{"$not":{"i":1}}', '{"$eq":1}', '{"$i":1}',
    '{"$contains":"fox"}', '{"$":1}', '{"$i":{"$eq":1}}', '{"i":{"$eq":"\\ud800"}}',
    '{"s":"\\u0078"}', '{"\\u0069":1}', '{"#document":"fox"}', '{"#document":1}',
    '{"#document":null}', '{"#document":{}}', '{"#document":[]}', '{"#document":{"$foo":"x"}}',
    '{"#document":{"$contains":["fox"]}}', '{"#document":{"$contains":null}}',
    '{"#document":{"$and":[{"$contains":"fox"}]}}', '{"#document":{"$regex":"^fox"}}',
    '{"#document":{"$not_regex":"^fox"}}', '{"#document":{"$regex":"["}}',
    '{"#document":{"$in":["fox",1]}}', '{"#document":{"$contains":"a","$regex":"b"}}',
    '{"#id":"all"}', '{"#id":{"$in":["all"]}}', '{"#id":{"$nin":["all"]}}',
    '{"i":{"#type":"sparse_vector","indices":[1],"values":[1.0]}}',
    '{"$and":[{"i":1},{"#document":{"$contains":"fox"}}]}',
    '{"$or":[{"#document":{"$contains":"dog"}},{"i":1}]}',
    '{"$and":' * 20 + "[]" + "}" * 20, '{"$and":[' * 50 + '{"i":1}' + "]}" * 50,
]  # fmt: skip

WHERE_DOCUMENT = [
    "", " ", "null", "{}", "[]", "1", '"fox"', "{", '{"$contains":"fox"', '{"$contains":"fox"} x',
    '{"$contains":"fox"}', '{"$contains":"Fox"}', '{"$contains":"f"}', '{"$contains":"fo"}',
    '{"$contains":""}', '{"$contains":"%"}', '{"$contains":"_"}', '{"$contains":"\\\\"}',
    '{"$contains":"100% _\\\\"}', '{"$contains":"over\\nthe"}', '{"$contains":"over the"}',
    '{"$contains":"É"}', '{"$contains":"é"}', '{"$contains":"e"}', '{"$contains":"e\\u0301"}',
    '{"$contains":"fox fox"}', '{"$contains":"fox fox fox"}',
    '{"$not_contains":"fox"}', '{"$not_contains":""}', '{"$not_contains":"none"}',
    '{"$regex":"fox"}', '{"$regex":"^fox"}', '{"$regex":"(?i)FOX"}', '{"$regex":"fox$"}',
    '{"$regex":""}', '{"$regex":"o.e"}', '{"$regex":"r.t"}', '{"$regex":"(?s)r.t"}',
    '{"$regex":"\\\\d+%"}', '{"$regex":"^$"}', '{"$regex":"É|lazy"}', '{"$not_regex":"fox"}',
    '{"$not_regex":""}', '{"$regex":"["}', '{"$not_regex":"("}', '{"$regex":"(?=a)"}',
    '{"$contains":1}', '{"$contains":null}', '{"$contains":["fox"]}', '{"$contains":{}}',
    '{"$contains":true}', '{"$regex":1}', '{"$regex":null}', '{"$not_regex":[]}', '{"$foo":"x"}',
    '{"$eq":"fox"}', '{"contains":"fox"}', '{"i":1}', '{"i":{"$contains":"fox"}}', '{"":"fox"}',
    '{"#document":{"$contains":"fox"}}', '{"$contains":"fox","$regex":"x"}',
    '{"$contains":"dog","$contains":"fox"}', '{"$and":[]}', '{"$or":[]}', '{"$and":null}',
    '{"$and":[{"$contains":"fox"}]}', '{"$or":[{"$contains":"fox"}]}', '{"$and":[{}]}',
    '{"$and":[null]}', '{"$and":{"$contains":"fox"}}', '{"$and":"fox"}', '{"$and":["fox"]}',
    '{"$and":[{"$contains":"fox"},{"$not_contains":"quick"}]}',
    '{"$or":[{"$contains":"quick"},{"$regex":"^fox"}]}', '{"$and":[{"$contains":1}]}',
    '{"$and":[{"$or":[{"$contains":"lazy"},{"$contains":"quick"}]},{"$not_regex":"\\n"}]}',
    '{"$and":[{"$regex":"["}]}', '{"$and":[],"$or":[]}', '{"$and":[{"$or":[]}]}',
    '{"$or":[{"$and":[]}]}', '{"$and":[' * 50 + '{"$contains":"fox"}' + "]}" * 50,
]  # fmt: skip


def random_where(choose: random.Random, depth: int = 0) -> dict:
    if depth < 3 and choose.random() < 0.4:
        operands = [random_where(choose, depth + 1) for _ in range(choose.randint(0, 3))]
        return {choose.choice(["$and", "$or"]): operands}
    key = choose.choice(KEYS)
    operator = choose.choice(["$eq", "$ne", "$in", "$nin", "$gt", "$lte", "$contains"])
    if operator in ["$in", "$nin"]:
        return {key: {operator: choose.choice(SETS)}}
    if operator in ["$gt", "$lte"]:
        return {key: {operator: choose.choice([-5, 0, 1, 2, 1.0])}}
    return {key: {operator: choose.choice(LITERALS)}}


def main() -> None:
    config = rust.SqliteDBConfig(
        hash_type=rust.MigrationHash.MD5, migration_mode=rust.MigrationMode.Apply, url=None
    )
    bindings = rust.Bindings(
        allow_reset=True, sqlite_db_config=config, hnsw_cache_size=10, persist_path=None
    )
    place = ("default_tenant", "default_database")
    collection = bindings.create_collection("filters", None, None, None, False, *place)
    columns = [
        [record[name] for record in RECORDS] for name in ["id", "metadata", "document", "uri"]
    ]
    ids, metadatas, documents, uris = columns
    embeddings = [[1.0]] * len(ids)
    bindings.add(ids, str(collection.id), embeddings, metadatas, documents, uris, *place)

    def official(field: str, text: str) -> list[str] | str:
        where, where_document = (text, None) if field == "where" else (None, text)
        try:
            found = bindings.get(
                str(collection.id), None, where, None, 0, where_document, [], *place
            )
        except Exception as error:
            return str(error)
        return found.ids

    choose = random.Random(1)
    filters = systematic()
    filters += [("where", text) for text in WHERE]
    filters += [("where_document", text) for text in WHERE_DOCUMENT]
    filters += [("where", json.dumps(random_where(choose))) for _ in range(300)]
    lines = [RECORDS] + [[field, text, official(field, text)] for field, text in filters]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    Path(__file__).with_name("filters.jsonl").write_text(text)


if __name__ == "__main__":
    main()
