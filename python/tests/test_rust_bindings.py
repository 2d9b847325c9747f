"""Promise: official's Python package runs on this engine, by the contract of its native module."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bindings_contract import PLACE, TABLE, Database, open_database, outcome

import chromadb
from chromadb.errors import InvalidArgumentError
from chromadb_swift_bindings import rust_bindings


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    database = Database(rust_bindings)
    yield database
    database.bindings.close()


@pytest.mark.parametrize("expression", TABLE)
def test_a_call_comes_to_what_the_contract_says(database: Database, expression: str) -> None:
    assert outcome(database, expression) == TABLE[expression]


@pytest.mark.official
def test_officials_own_module_keeps_the_same_contract(official_python: str) -> None:
    script = Path(__file__).with_name("bindings_contract.py")
    done = subprocess.run([official_python, script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == json.loads(json.dumps(TABLE))


def test_everything_that_comes_out_is_fresh(database: Database) -> None:
    collection = database.bindings.create_collection("fresh", None, None, {"k": 1})
    collection.configuration["hnsw"]["space"] = "changed"
    collection.schema["defaults"] = None
    collection.metadata["k"] = 2
    again = database.bindings.get_collection("fresh", *PLACE)
    assert again.configuration["hnsw"]["space"] == "l2"
    assert again.schema["defaults"] is not None
    assert again.metadata == {"k": 1}
    assert (again.dimension, again.tenant, again.database) == (None, *PLACE)


def test_embeddings_come_out_as_doubles_and_of_no_record_as_an_empty_array(
    database: Database,
) -> None:
    found = database.bindings.get(database.two, include=["embeddings"]).embeddings
    assert found.dtype == np.float64
    found[0, 0] = 9
    none = database.bindings.get(database.two, ["absent"], include=["embeddings"]).embeddings
    assert none.shape == (0,)


def test_a_closed_database_says_so_and_closes_again() -> None:
    bindings = open_database(rust_bindings)
    bindings.close()
    bindings.close()
    with pytest.raises(InvalidArgumentError, match="closed"):
        bindings.heartbeat()


def test_dropping_the_last_reference_closes_the_directory(tmp_path: Path) -> None:
    directory = str(tmp_path / "not" / "there yet")
    bindings = open_database(rust_bindings, directory)
    collection = bindings.create_collection("records")
    bindings.add(["a"], str(collection.id), [[1, 2]])
    gc.disable()
    try:
        open_files = [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]
        assert any(name.startswith(directory) for name in open_files)
        del bindings
        open_files = [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]
        assert not any(name.startswith(directory) for name in open_files)
    finally:
        gc.enable()
    again = open_database(rust_bindings, directory)
    assert again.count(str(collection.id)) == 1
    again.close()


def test_without_a_path_the_directory_of_the_tables_is_used(tmp_path: Path) -> None:
    config = rust_bindings.SqliteDBConfig(
        rust_bindings.MigrationHash.SHA256,
        rust_bindings.MigrationMode.Validate,
        str(tmp_path / "chroma.sqlite3"),
    )
    assert rust_bindings.PythonBindingsConfig(config).sqlite_db_config is config
    rust_bindings.Bindings(False, config, 0).create_tenant("somebody")
    assert open_database(rust_bindings, str(tmp_path)).get_tenant("somebody").name == "somebody"


def test_one_database_serves_many_threads() -> None:
    bindings = open_database(rust_bindings)
    collection = str(bindings.create_collection("records").id)
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for number in range(20):
                id = f"{thread}-{number}"
                bindings.add([id], collection, [[thread, number]])
                assert bindings.get(collection, [id]).ids == [id]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert bindings.count(collection) == 80


@pytest.mark.parametrize("size", ["1", None, 1.5])
def test_the_cache_size_is_a_number(size: Any) -> None:
    config = rust_bindings.SqliteDBConfig(
        rust_bindings.MigrationHash.MD5, rust_bindings.MigrationMode.Apply
    )
    with pytest.raises(TypeError, match="argument 'hnsw_cache_size': "):
        rust_bindings.Bindings(False, config, size)
    with pytest.raises(OverflowError):
        rust_bindings.Bindings(False, config, -1)


def test_embeddings_are_stored_as_singles_whatever_holds_them() -> None:
    generator = np.random.default_rng(20261123)
    rows = generator.standard_normal((7, 5))
    bindings = open_database(rust_bindings)
    for kind in (np.float64, np.float32, np.float16):
        for given in (rows.astype(kind), list(rows.astype(kind)), rows.astype(kind).tolist()):
            name = f"{kind.__name__}-{type(given).__name__}-{type(given[0]).__name__}"
            collection = str(bindings.create_collection(name).id)
            bindings.add([str(number) for number in range(7)], collection, given)
            found = bindings.get(collection, include=["embeddings"]).embeddings
            assert np.array_equal(found, rows.astype(kind).astype(np.float32))


def test_the_command_line_is_refused_in_a_sentence() -> None:
    with pytest.raises(SystemExit, match="`chroma run --path x` was not run: the engine has no"):
        rust_bindings.cli(["chroma", "run", "--path", "x"])


def run(program: str, python: str = sys.executable, **variables: str) -> str:
    done = subprocess.run(
        [python, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "", **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PACKAGES = str(Path(chromadb.__file__).parents[1])


def test_installing_is_for_before_the_first_import() -> None:
    run(
        """
        import sys, types
        import chromadb_swift_bindings
        assert not any(name in sys.modules for name in ("numpy", "chromadb"))
        chromadb_swift_bindings.install()
        chromadb_swift_bindings.install()
        assert "chromadb" not in sys.modules
        import chromadb_rust_bindings
        assert chromadb_rust_bindings is chromadb_swift_bindings.rust_bindings
        other = sys.modules["chromadb_rust_bindings"] = types.ModuleType("other")
        other.__file__ = "/somewhere"
        try:
            chromadb_swift_bindings.install()
        except ImportError as error:
            assert "from /somewhere" in str(error) and "before the first import" in str(error)
        else:
            raise AssertionError("the other module was replaced")
        """,
        PYTHONPATH=PACKAGES,
    )


# ---- Official's package on this engine ----------------------------------------------------------

INSTALLED = """
import os, sys
sys.path.append(os.environ["PACKAGES"])
import chromadb_swift_bindings
chromadb_swift_bindings.install()
import chromadb
from chromadb.api.rust import RustBindingsAPI
assert not chromadb.__file__.startswith(os.environ["PACKAGES"]), "this is our own package"
path = os.environ["DIRECTORY"]
"""


@pytest.mark.official
def test_officials_package_keeps_its_data_in_this_engine(
    official_python: str, tmp_path: Path
) -> None:
    def run_official(program: str) -> str:
        return run(
            INSTALLED + textwrap.dedent(program),
            official_python,
            PACKAGES=PACKAGES,
            DIRECTORY=str(tmp_path),
        )

    run_official(
        """
        client = chromadb.PersistentClient(path)
        records = client.create_collection("records", embedding_function=None)
        records.add(
            ids=["a", "b"], embeddings=[[1, 2], [3, 4]], documents=["x", "y"],
            metadatas=[{"k": 1}, {"k": 2}],
        )
        """
    )
    run_official(
        """
        client = chromadb.PersistentClient(path)
        records = client.get_collection("records", embedding_function=None)
        found = records.query(query_embeddings=[[3, 4]], n_results=2, where={"k": {"$gte": 1}})
        assert found["ids"] == [["b", "a"]] and found["distances"] == [[0, 8]]
        assert found["documents"] == [["y", "x"]]
        records.update(ids=["a"], embeddings=[[1, 2]], documents=["z"])
        records.upsert(ids=["c"], embeddings=[[5, 6]], metadatas=[{"k": 3}])
        assert records.delete(where={"k": 2}) == {"deleted": 1}
        assert records.get(include=["embeddings"])["embeddings"].tolist() == [[1, 2], [5, 6]]
        try:
            records.add(ids=["d"], embeddings=[[1, 2, 3]])
        except chromadb.errors.InvalidArgumentError as error:
            assert "dimension of 2, got 3" in str(error)
        else:
            raise AssertionError("a vector of another dimension was stored")
        """
    )
    # What it wrote, our own package reads.
    with chromadb.PersistentClient(tmp_path) as client:
        found = client.get_collection("records").get()
    assert found["ids"] == ["a", "c"]
    assert found["documents"] == ["z", None]
    assert found["metadatas"] == [{"k": 1}, {"k": 3}]


@pytest.mark.official
def test_officials_package_gets_its_own_errors(official_python: str, tmp_path: Path) -> None:
    run(
        INSTALLED
        + textwrap.dedent(
            """
            client = chromadb.EphemeralClient()
            for call, kind in (
                (lambda: client.get_collection("absent"), chromadb.errors.NotFoundError),
                (lambda: client.reset(), chromadb.errors.AuthorizationError),
                (lambda: client.create_collection("x"), chromadb.errors.InvalidArgumentError),
            ):
                try:
                    call()
                except kind:
                    continue
                raise AssertionError(kind)
            """
        ),
        official_python,
        PACKAGES=PACKAGES,
        DIRECTORY=str(tmp_path),
    )
