"""What calls of the native module behind official's Python package come to, as a table.

The table holds for official's module and for ours: `outcomes` makes every call on the one it is
given. As a program this prints what they came to as JSON, so that the table can be checked in an
environment that has official Chroma.
"""

from __future__ import annotations

import json
import uuid
from types import ModuleType
from typing import Any

import numpy as np

PLACE = ("default_tenant", "default_database")


class Index:
    def __index__(self) -> int:
        return 1


class Half:
    def __float__(self) -> float:
        return 0.5


class Database:
    """An open database in memory, and short names for what the calls of the table need."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.bindings = open_database(module, allow_reset=True)
        # Two records, which no call of the table changes.
        self.two = self.new()
        self.bindings.add(
            ["a", "b"], self.two, [[1, 2], [3, 4]], [{"k": 1}, None], ["x", None], None, *PLACE
        )

    def new(self, **keywords: Any) -> str:
        return str(self.bindings.create_collection(uuid.uuid4().hex, **keywords).id)

    def add(self, embeddings: Any, **columns: Any) -> Any:
        """What a collection holds after a record was added."""
        collection = self.new()
        done = self.bindings.add(["a"], collection, embeddings, **columns)
        assert done is True
        return self.held(collection, "embeddings")[1]

    def update(self, ids: Any, embeddings: Any) -> Any:
        """What the embeddings [1, 2] and [3, 4] are after an update."""
        collection = self.new()
        self.bindings.add(["a", "b"], collection, [[1, 2], [3, 4]])
        assert self.bindings.update(collection, ids, embeddings) is True
        return self.held(collection, "embeddings")[1]

    def stored(self, metadata: Any) -> Any:
        collection = self.new()
        self.bindings.upsert(collection, ["a"], [[1]], [metadata])
        return self.held(collection, "metadatas")[4]

    def held(self, collection: str, *include: str, **keywords: Any) -> Any:
        found = self.bindings.get(collection, include=list(include), **keywords)
        return plain((found.ids, found.embeddings, found.documents, found.uris, found.metadatas))

    def nearest(self, embeddings: Any, count: Any = 1, **keywords: Any) -> Any:
        found = self.bindings.query(self.two, None, embeddings, count, **keywords)
        return plain(
            (
                found.ids,
                found.embeddings,
                found.documents,
                found.uris,
                found.metadatas,
                found.distances,
            )
        )


def open_database(module: Any, path: str | None = None, allow_reset: bool = False) -> Any:
    """Opens a database as official's Python layer does."""
    config = module.SqliteDBConfig(
        hash_type=module.MigrationHash.MD5,
        migration_mode=module.MigrationMode.Apply,
        url=None if path is None else path + "/chroma.sqlite3",
    )
    return module.Bindings(
        allow_reset=allow_reset, sqlite_db_config=config, persist_path=path, hnsw_cache_size=100
    )


def plain(value: Any) -> Any:
    """Arrays as lists, tuples as lists: what JSON makes of it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


SEQUENCE = "TypeError: argument '{}': '{}' object cannot be converted to 'Sequence'"
STRING = "TypeError: argument '{}': '{}' object cannot be converted to 'PyString'"
NO_TEXT = "TypeError: argument '{}': Can't extract `str` to `Vec`"
NO_NUMBER = "TypeError: argument 'embeddings': must be real number, not {}"
NO_INTEGER = "TypeError: argument '{}': '{}' object cannot be interpreted as an integer"
OUT_OF_RANGE = "OverflowError: out of range integral type conversion attempted"
LENGTHS = (
    "InvalidArgumentError: Inconsistent number of IDs, embeddings, documents, URIs and metadatas"
)
RAGGED = "InvalidArgumentError: Inconsistent dimensions in provided embeddings"
NOT_FINITE = (
    "InvalidArgumentError: Validation error: embeddings: Embeddings must not contain NaN or "
    "Infinity values"
)

TABLE: dict[str, Any] = {
    # Embeddings going in.
    "db.add([[1, 2]])": [[1, 2]],
    "db.add(([1, 2],))": [[1, 2]],
    "db.add([(1, 2)])": [[1, 2]],
    "db.add([range(2)])": [[0, 1]],
    "db.add([[True, Half()]])": [[1, 0.5]],
    "db.add([[Index(), 2.5]])": [[1, 2.5]],
    "db.add(np.ones((1, 2)))": [[1, 1]],
    "db.add([np.array([1, 2], dtype='f2')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='f4')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='f8')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='>f8')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='i4')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='i8')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype='u1')])": [[1, 2]],
    "db.add([np.array([1, 2], dtype=object)])": [[1, 2]],
    "db.add([np.arange(6)[::3]])": [[0, 3]],
    "db.add(None)": SEQUENCE.format("embeddings", "NoneType"),
    "db.add(5)": SEQUENCE.format("embeddings", "int"),
    "db.add('ab')": NO_TEXT.format("embeddings"),
    "db.add([1, 2])": SEQUENCE.format("embeddings", "int"),
    "db.add(np.ones(2))": SEQUENCE.format("embeddings", "float64"),
    "db.add({1: 2})": SEQUENCE.format("embeddings", "dict"),
    "db.add(iter([[1, 2]]))": SEQUENCE.format("embeddings", "list_iterator"),
    "db.add([None])": SEQUENCE.format("embeddings", "NoneType"),
    "db.add(['ab'])": NO_TEXT.format("embeddings"),
    "db.add([{1: 2}])": SEQUENCE.format("embeddings", "dict"),
    "db.add([['1', 2]])": NO_NUMBER.format("str"),
    "db.add([[None, 2]])": NO_NUMBER.format("NoneType"),
    "db.add([[1j, 2]])": NO_NUMBER.format("complex"),
    "db.add([[10**400]])": "OverflowError: int too large to convert to float",
    "db.add([[1, 2], [3]])": RAGGED,
    "db.add([np.ones(2), np.ones(3)])": RAGGED,
    "db.add([])": LENGTHS,
    "db.add([[1, 2], [3, 4]])": LENGTHS,
    "db.add([[float('nan')]])": NOT_FINITE,
    "db.add([[1e300]])": NOT_FINITE,
    "db.add([np.array([1e300])])": NOT_FINITE,
    "db.nearest(None)": SEQUENCE.format("query_embeddings", "NoneType"),
    "db.nearest([1, 2])": SEQUENCE.format("query_embeddings", "int"),
    "db.nearest([[1, 2], [1]])": RAGGED,
    # An update takes None for an embedding that stays.
    "db.update(['b', 'a'], [[5, 6], None])": [[1, 2], [5, 6]],
    "db.update(['b', 'a'], [None, np.array([5, 6])])": [[5, 6], [3, 4]],
    "db.update(['b', 'a'], [None, None])": [[1, 2], [3, 4]],
    "db.update(['b', 'a'], None)": [[1, 2], [3, 4]],
    "db.update(['b'], np.array([[5, 6]]))": [[1, 2], [5, 6]],
    "db.update(['b', 'a'], [None])": LENGTHS,
    "db.update(['b', 'a'], [None, [1], [2, 3]])": RAGGED,
    "db.update(['b'], 5)": SEQUENCE.format("embeddings", "int"),
    # Other columns and metadata going in.
    "db.add([[1]], documents=('x',), uris=('u',), metadatas=({'k': 1},))": [[1]],
    "db.add([[1]], documents=[None], uris=[None], metadatas=[None])": [[1]],
    "db.add([[1]], documents='x')": NO_TEXT.format("documents"),
    "db.add([[1]], documents=[5])": STRING.format("documents", "int"),
    "db.add([[1]], documents=['x', 'y'])": LENGTHS,
    "db.add([[1]], uris=5)": SEQUENCE.format("uris", "int"),
    "db.add([[1]], metadatas={})": SEQUENCE.format("metadatas", "dict"),
    "db.add([[1]], metadatas=[5])": (
        "TypeError: argument 'metadatas': 'int' object cannot be converted to 'PyDict'"
    ),
    "db.add([[1]], metadatas=[{5: 1}])": STRING.format("metadatas", "int"),
    "db.add([[1]], metadatas=[{'k': None}])": (
        "TypeError: argument 'metadatas': Cannot convert Python object to MetadataValue"
    ),
    "db.stored({'k': True, 'l': 1, 'm': 1.0, 'n': 's'})": [{"k": True, "l": 1, "m": 1.0, "n": "s"}],
    "db.stored({'k': np.int64(1), 'l': np.float32(0.5), 'm': [1, 2]})": [
        {"k": 1, "l": 0.5, "m": [1, 2]}
    ],
    "db.stored({'k': None, 'l': 1})": [{"l": 1}],
    "db.new(metadata={'k': Index()}) and 1": 1,
    "db.new(metadata=5)": "TypeError: argument 'metadata': 'int' object cannot be converted to "
    "'PyDict'",
    "db.new(metadata={'k': None})": (
        "TypeError: argument 'metadata': Cannot convert Python object to MetadataValue"
    ),
    "db.bindings.update_collection(db.two, None, 5)": (
        "TypeError: argument 'new_metadata': 'int' object cannot be converted to 'PyDict'"
    ),
    "db.new(get_or_create=1)": (
        "TypeError: argument 'get_or_create': 'int' object cannot be converted to 'PyBool'"
    ),
    "db.new(configuration_json_str='{')": (
        "InvalidArgumentError: EOF while parsing an object at line 1 column 1"
    ),
    # Ids and counts.
    "db.held(db.two, ids=['b', 'a'])[0]": ["a", "b"],
    "db.held(db.two, ids=('b',))[0]": ["b"],
    "db.held(db.two, ids=np.array(['b']))[0]": ["b"],
    "db.held(db.two, ids=[])[0]": [],
    "db.held(db.two, ids='b')": NO_TEXT.format("ids"),
    "db.held(db.two, ids={'b'})": SEQUENCE.format("ids", "set"),
    "db.held(db.two, ids=[b'b'])": STRING.format("ids", "bytes"),
    "db.held(db.two, limit=True)[0]": ["a"],
    "db.held(db.two, limit=Index(), offset=1)[0]": ["b"],
    "db.held(db.two, limit=2**32 - 1)[0]": ["a", "b"],
    "db.held(db.two, limit=2**32)": OUT_OF_RANGE,
    "db.held(db.two, limit=-1)": OUT_OF_RANGE,
    "db.held(db.two, offset=-1)": OUT_OF_RANGE,
    "db.held(db.two, limit='1')": NO_INTEGER.format("limit", "str"),
    "db.held(db.two, offset=None)": NO_INTEGER.format("offset", "NoneType"),
    "db.nearest([[1, 2]], -1)": OUT_OF_RANGE,
    "db.nearest([[1, 2]], 1.0)": NO_INTEGER.format("n_results", "float"),
    "db.nearest([[1, 2]], 0)[0]": [[]],
    "len(db.bindings.list_databases(None, None, PLACE[0]))": 1,
    "db.bindings.list_collections(0, None, *PLACE)": [],
    "db.bindings.list_collections(None, 2**20, *PLACE)": [],
    "db.bindings.list_collections(None, -1, *PLACE)": OUT_OF_RANGE,
    # Columns coming out.
    "db.held(db.two)": [["a", "b"], None, None, None, None],
    "db.held(db.two, 'embeddings', 'documents', 'uris', 'metadatas')": [
        ["a", "b"],
        [[1, 2], [3, 4]],
        ["x", None],
        [None, None],
        [{"k": 1}, None],
    ],
    "db.held(db.two, 'embeddings', 'documents', ids=[])": [[], [], [], None, None],
    "db.held(db.two, 'data')": [["a", "b"], None, None, None, [{"k": 1}, None]],
    "db.held(db.two, 'bogus')": "InvalidArgumentError: Invalid include value: bogus",
    "db.nearest([[1, 2]])": [[["a"]], None, [["x"]], None, [[{"k": 1}]], None],
    "db.nearest([[1, 2], [3, 5]], 2, include=['embeddings', 'distances', 'uris'])": [
        [["a", "b"], ["b", "a"]],
        [[[1, 2], [3, 4]], [[3, 4], [1, 2]]],
        None,
        [[None, None], [None, None]],
        None,
        [[0, 8], [1, 13]],
    ],
    "db.nearest([[1, 2]], include='documents')": NO_TEXT.format("include"),
    # Filters are JSON.
    "db.held(db.two, where='{\"k\": 1}')[0]": ["a"],
    'db.held(db.two, where_document=\'{"$contains": "x"}\')[0]': ["a"],
    "db.held(db.two, where='{')": "InvalidArgumentError: Invalid where clause",
    "db.held(db.two, where='{}')": "InvalidArgumentError: Invalid where clause",
    "db.held(db.two, where_document='{}')": "InvalidArgumentError: Invalid where document clause",
    # Names, places and what is missing.
    "db.bindings.create_tenant(5)": STRING.format("name", "int"),
    "db.bindings.get_tenant('nobody')": "NotFoundError: Tenant [nobody] not found",
    "db.bindings.create_database('ab', PLACE[0])": (
        "InvalidArgumentError: database name must be at least 3 characters"
    ),
    "db.bindings.get_collection('nothing', *PLACE)": (
        "NotFoundError: Collection [nothing] does not exist"
    ),
    "[db.bindings.create_collection('twice').name, db.bindings.create_collection('twice')]": (
        "InternalError: Collection [twice] already exists"
    ),
    "db.bindings.get_collection_by_id('zz')": (
        "InvalidArgumentError: Validation error: collection_id: Invalid collection ID format, "
        "expected UUID"
    ),
    "db.bindings.count(5)": STRING.format("collection_id", "int"),
    "db.bindings.count(collection_id=db.two, tenant=PLACE[0], database=PLACE[1])": 2,
    "db.bindings.delete(db.new(), ['a'], None, None, None, *PLACE)": 1,
    "db.bindings.get_tenant(PLACE[0]).name": PLACE[0],
    "db.bindings.get_tenant(PLACE[0]).resource_name": None,
    "type(db.bindings.get_database(PLACE[1], PLACE[0]).id).__name__": "UUID",
    "db.bindings.get_database(PLACE[1], PLACE[0]).name": PLACE[1],
    "db.bindings.get_database(PLACE[1], PLACE[0]).tenant": PLACE[0],
    "db.bindings.get_version()": "1.5.9",
    # Configuration.
    "int(db.module.MigrationHash.MD5)": 1,
    "int(db.module.MigrationHash.SHA256)": 0,
    "int(db.module.MigrationMode.Apply)": 0,
    "int(db.module.MigrationMode.Validate)": 1,
    "db.module.MigrationHash.MD5 == db.module.MigrationHash.MD5": True,
    "db.module.MigrationHash.MD5 == db.module.MigrationHash.SHA256": False,
    "db.module.Bindings(1, None, 1)": (
        "TypeError: argument 'allow_reset': 'int' object cannot be converted to 'PyBool'"
    ),
    "db.module.Bindings(True, None, 1)": (
        "TypeError: argument 'sqlite_db_config': 'NoneType' object cannot be converted to "
        "'SqliteDBConfig'"
    ),
    "open_database(db.module).reset()": "AuthorizationError: Reset is disabled by config",
    "open_database(db.module, allow_reset=True).reset()": True,
}


def outcome(database: Database, expression: str) -> Any:
    try:
        return plain(eval(expression, globals(), {"db": database}))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def outcomes(module: ModuleType) -> dict[str, Any]:
    database = Database(module)
    return {expression: outcome(database, expression) for expression in TABLE}


if __name__ == "__main__":
    import chromadb_rust_bindings  # type: ignore[import-not-found]

    print(json.dumps(outcomes(chromadb_rust_bindings)))
