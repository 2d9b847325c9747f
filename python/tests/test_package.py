"""The package imports little, offers upstream's names and signatures, and is typed."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import chromadb
from chromadb.errors import ChromaError, error_types

PACKAGE = Path(chromadb.__file__).parent

# What a program that only imports chromadb, or only opens a client, must not pay for.
HEAVY = [
    "asyncio",
    "fastapi",
    "grpc",
    "httpx",
    "kubernetes",
    "onnxruntime",
    "opentelemetry",
    "pandas",
    "posthog",
    "pydantic",
    "requests",
    "sqlite3",
    "tenacity",
    "tokenizers",
    "torch",
    "urllib.request",
    "yaml",
]


def imported_by(program: str) -> set[str]:
    """The modules that a program has loaded when it ends."""
    code = f"{textwrap.dedent(program)}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    return set(done.stdout.split())


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_importing_the_package_loads_next_to_nothing() -> None:
    before, after = imported_by(""), imported_by("import chromadb")
    assert "chromadb" in after
    loaded = {name.partition(".")[0] for name in after - before}
    assert loaded & {*HEAVY, "numpy"} == set()
    assert [name for name in after if name.startswith("chromadb.")] == []


def test_settings_and_errors_come_without_numpy() -> None:
    after = imported_by("import chromadb; chromadb.config.Settings(); chromadb.errors.ChromaError")
    assert after & {*HEAVY, "numpy"} == set()


def test_the_whole_client_comes_without_heavy_modules() -> None:
    after = imported_by(
        """
        import chromadb, chromadb.api.client, chromadb.utils.embedding_functions
        chromadb.Settings()
        """
    )
    # numpy itself brings some standard modules along; they are not ours to answer for.
    numpy = imported_by("import numpy")
    assert (after - numpy) & set(HEAVY) == set()


def test_names_are_found_where_programs_look_for_them() -> None:
    for name in chromadb.__all__:
        assert getattr(chromadb, name) is not None
    for module in (
        "api",
        "auth",
        "base_types",
        "config",
        "errors",
        "maintenance",
        "types",
        "utils",
    ):
        assert inspect.ismodule(getattr(chromadb, module))
        assert module in dir(chromadb)
    with pytest.raises(AttributeError, match="module 'chromadb' has no attribute 'zzz'"):
        _ = chromadb.zzz
    namespace: dict[str, Any] = {}
    exec("from chromadb import *", namespace)
    assert set(chromadb.__all__) <= set(namespace)


SIGNATURES = {
    "Client": {
        "create_collection": "name schema configuration metadata embedding_function data_loader "
        "get_or_create",
        "get_collection": "name embedding_function data_loader",
        "get_collection_by_id": "id embedding_function data_loader",
        "get_or_create_collection": "name schema configuration metadata embedding_function "
        "data_loader",
        "list_collections": "limit offset",
        "count_collections": "",
        "delete_collection": "name",
        "set_tenant": "tenant database",
        "set_database": "database",
        "heartbeat": "",
        "get_version": "",
        "get_settings": "",
        "get_user_identity": "",
        "get_max_batch_size": "",
        "reset": "",
        "close": "",
    },
    "AdminClient": {
        "create_tenant": "name",
        "get_tenant": "name",
        "create_database": "name tenant",
        "get_database": "name tenant",
        "delete_database": "name tenant",
        "list_databases": "limit offset tenant",
    },
    "Collection": {
        "count": "read_level",
        "add": "ids embeddings metadatas documents images uris",
        "get": "ids where limit offset where_document include",
        "peek": "limit",
        "query": "query_embeddings query_texts query_images query_uris ids n_results where "
        "where_document include",
        "update": "ids embeddings metadatas documents images uris",
        "upsert": "ids embeddings metadatas documents images uris",
        "delete": "ids where where_document limit",
        "modify": "name metadata configuration",
        "get_indexing_status": "",
    },
}


@pytest.mark.parametrize(
    ("owner", "method", "parameters"),
    [
        (owner, method, parameters)
        for owner, methods in SIGNATURES.items()
        for method, parameters in methods.items()
    ],
)
def test_parameters_have_upstreams_names_and_order(
    owner: str, method: str, parameters: str
) -> None:
    from chromadb.api import client

    signature = inspect.signature(getattr(getattr(client, owner), method))
    by_position = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.name != "self" and parameter.kind is not parameter.KEYWORD_ONLY
    ]
    assert by_position == parameters.split()


@pytest.mark.parametrize(
    ("factory", "parameters"),
    [
        ("Client", "settings tenant database"),
        ("EphemeralClient", "settings tenant database"),
        ("PersistentClient", "path settings tenant database"),
        ("AdminClient", "settings"),
    ],
)
def test_factories_have_upstreams_parameters(factory: str, parameters: str) -> None:
    signature = inspect.signature(getattr(chromadb, factory))
    by_position = [
        each.name for each in signature.parameters.values() if each.kind is not each.KEYWORD_ONLY
    ]
    assert by_position == parameters.split()


@pytest.mark.parametrize(
    ("name", "status", "wire", "key"),
    [
        ("InvalidDimensionException", 400, "InvalidDimension", "InvalidDimension"),
        ("IDAlreadyExistsError", 409, "IDAlreadyExists", "IDAlreadyExists"),
        ("ChromaAuthError", 403, "AuthError", "AuthError"),
        ("DuplicateIDError", 400, "DuplicateID", "DuplicateID"),
        ("InvalidArgumentError", 400, "InvalidArgument", "InvalidArgumentError"),
        ("InvalidUUIDError", 400, "InvalidUUID", "InvalidUUID"),
        ("InvalidHTTPVersion", 400, "InvalidHTTPVersion", "InvalidHTTPVersion"),
        ("AuthorizationError", 401, "AuthorizationError", "AuthorizationError"),
        ("NotFoundError", 404, "NotFoundError", "NotFoundError"),
        ("UniqueConstraintError", 409, "UniqueConstraintError", "UniqueConstraintError"),
        ("BatchSizeExceededError", 413, "BatchSizeExceededError", "BatchSizeExceededError"),
        ("VersionMismatchError", 500, "VersionMismatchError", "VersionMismatchError"),
        ("InternalError", 500, "InternalError", "InternalError"),
        ("RateLimitError", 429, "RateLimitError", "RateLimitError"),
        ("QuotaError", 400, "QuotaError", "QuotaError"),
    ],
)
def test_errors_have_upstreams_codes_and_names(name: str, status: int, wire: str, key: str) -> None:
    kind = getattr(chromadb.errors, name)
    error = kind("a sentence")
    assert isinstance(error, ChromaError)
    assert (error.code(), error.name()) == (status, wire)
    assert error.message() == ("Forbidden" if name == "ChromaAuthError" else "a sentence")
    assert error_types[key] is kind


def test_every_key_of_an_error_names_a_class() -> None:
    assert len(error_types) == 16
    assert error_types["ChromaError"] is ChromaError


USER_PROGRAM = """
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb import Documents, EmbeddingFunction, Embeddings, GetResult, QueryResult, maintenance
from chromadb.api.types import Space
from chromadb.config import Settings
from chromadb.errors import NotFoundError
from chromadb.utils.embedding_functions import register_embedding_function


@register_embedding_function
class Mine(EmbeddingFunction[Documents]):
    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    def __call__(self, input: Documents) -> Embeddings:
        return [np.zeros(self.dimension, dtype=np.float32) for _ in input]

    @staticmethod
    def name() -> str:
        return "mine"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "Mine":
        return Mine(config["dimension"])

    def get_config(self) -> dict[str, Any]:
        return {"dimension": self.dimension}

    def default_space(self) -> Space:
        return "cosine"


def use(client: chromadb.ClientAPI) -> list[str]:
    collection: chromadb.Collection = client.get_or_create_collection(
        "notes",
        configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
        metadata={"owner": "me", "hnsw:space": "cosine"},
        embedding_function=Mine(3),
    )
    vectors: list[list[float]] = [[1.0, 2.0, 3.0]]
    labels: list[dict[str, str]] = [{"kind": "bee"}]
    ids = ["1"]
    collection.add(ids=ids, embeddings=vectors, metadatas=labels, documents=["text"])
    collection.upsert(ids="1", embeddings=np.zeros((1, 3), dtype=np.float32), uris="u")
    collection.update(ids=["1"], embeddings=[np.zeros(3)], metadatas=[{"kind": None, "n": [1, 2]}])
    got: GetResult = collection.get(where={"$and": [{"n": {"$gt": 1}}, {"kind": "bee"}]})
    found: QueryResult = collection.query(
        query_texts=["text"],
        n_results=3,
        where_document={"$contains": "text"},
        include=["documents", "distances", "embeddings"],
    )
    if found["distances"] is not None and found["embeddings"] is not None:
        nearest: float = found["distances"][0][0]
        norm: float = float(np.linalg.norm(found["embeddings"][0][0])) + nearest
    deleted: int = collection.delete(where={"n": 1}, limit=10)["deleted"]
    collection.compact()
    room: int = collection.statistics()["segment_byte_count"]
    client.flush(progress=lambda done, total: print(done, total, room))
    client.compact(progress=True)
    copied: int = client.backup(Path("backup"))["copied_byte_count"] + room
    maintenance.restore("backup", "restored", progress=True)
    for finding in maintenance.verify(Path("restored")):
        print(finding["severity"], finding["file"], finding["what"], copied)
    for loss in maintenance.repair("restored", progress=print)["losses"]:
        print(loss["collection_name"], loss["record_count"], loss["ids"])
    collection.modify(name="other", configuration={"hnsw": {"ef_search": deleted}})
    return got["ids"] + [other.name for other in client.list_collections()]


def main() -> None:
    with chromadb.PersistentClient(Path("data"), Settings(allow_reset=True)) as client:
        try:
            client.delete_collection("notes")
        except NotFoundError as error:
            print(error.message(), error.code())
        print(use(client), use(chromadb.EphemeralClient()), chromadb.__version__)
    admin: chromadb.AdminAPI = chromadb.AdminClient()
    print(admin.get_database("default_database")["id"].hex)
"""

WRONG_PROGRAM = """
import chromadb

client = chromadb.EphemeralClient()
client.create_collection(5)
client.create_collection("notes", configuration={"hnsw": {"space": "euclid"}})
client.get_collection("notes").add(ids=[1], documents=["text"])
client.get_collection("notes").get(include=["nonsense"])
client.get_collection("notes").get()["distances"]
client.get_collection("notes").search()
"""


def type_check(tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    (tmp_path / "program.py").write_text(program)
    # The package is found as a user's type checker finds it: installed, by its py.typed.
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "program.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )


def test_a_users_program_passes_the_strict_type_checker(tmp_path: Path) -> None:
    done = type_check(tmp_path, USER_PROGRAM)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_type_checker_finds_a_users_mistakes(tmp_path: Path) -> None:
    done = type_check(tmp_path, WRONG_PROGRAM)
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == {5, 6, 7, 8, 9, 10}
