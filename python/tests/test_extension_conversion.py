"""What the extension makes of Python values, and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native import PLACE, add, call, get_all, new_collection, vectors

from chromadb.errors import InvalidArgumentError
from chromadb_swift_bindings import _chroma


@pytest.fixture
def engine() -> Iterator[_chroma.Engine]:
    engine = _chroma.Engine(None, True)
    yield engine
    engine.close()


@pytest.fixture
def collection(engine: _chroma.Engine) -> str:
    return new_collection(engine)


# ---- Metadata -----------------------------------------------------------------------------------


class Index:
    def __index__(self) -> int:
        return 7


class Number:
    def __float__(self) -> float:
        return 2.5


class Text(str):
    pass


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (True, True),
        (np.True_, True),
        (1, 1),
        (-(2**63), -(2**63)),
        (2**63 - 1, 2**63 - 1),
        (np.int8(-3), -3),
        (np.uint64(3), 3),
        (Index(), 7),
        (0.5, 0.5),
        (-0.0, -0.0),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (Number(), 2.5),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
        ("", ""),
        ("nul \0 and 🐝", "nul \0 and 🐝"),
        (Text("text"), "text"),
        (np.str_("text"), "text"),
        ([True, False], [True, False]),
        ([1, Index(), np.int64(3)], [1, 7, 3]),
        ([0.5, Number()], [0.5, 2.5]),
        (["a", "", "c"], ["a", "", "c"]),
        (np.array(5), 5),
    ],
    ids=repr,
)
def test_a_value_is_stored_as_what_it_is(
    engine: _chroma.Engine, collection: str, value: object, stored: object
) -> None:
    add(engine, collection, ["a"], [{"key": value}])
    (metadata,) = get_all(engine, collection, "metadatas").metadatas
    assert metadata == {"key": stored}
    assert type(metadata["key"]) is type(stored)
    if isinstance(stored, list):
        assert [type(item) for item in metadata["key"]] == [type(item) for item in stored]
    else:
        made = engine.create_collection("made", None, None, {"key": value}, False, *PLACE)
        assert made.metadata == {"key": stored}
        assert type(made.metadata["key"]) is type(stored)


@pytest.mark.parametrize(
    "value",
    [
        *[(1,), {}, {"a": 1}, set(), b"bytes", object(), 1j, np.array([1, 2]), np.array(["a"])],
        *[[], [None], [1, 2.5], [1, "a"], [True, 1], [[1]], [object()], np.array("a")],
    ],
    ids=repr,
)
def test_what_is_no_metadata_value_is_refused(
    engine: _chroma.Engine, collection: str, value: object
) -> None:
    sentence = "Cannot convert Python object to MetadataValue"
    for method in ("add", "update", "upsert"):
        with pytest.raises(TypeError) as raised:
            call(engine, collection, method, metadatas=[{"key": value}])
        assert str(raised.value) == f"argument 'metadatas': {sentence}"
    if not isinstance(value, list):
        with pytest.raises(TypeError) as raised:
            call(engine, collection, "create_collection", metadata={"key": value})
        assert str(raised.value) == f"argument 'metadata': {sentence}"


@pytest.mark.parametrize(
    "value",
    [2**63, -(2**63) - 1, 10**5000, [2**63], float("nan"), float("inf"), [float("-inf")]],
    ids=lambda value: repr(value)[:20] if value != 10**5000 else "10**5000",
)
def test_a_number_that_cannot_be_stored_is_refused_by_its_key(
    engine: _chroma.Engine, collection: str, value: object
) -> None:
    for method in ("add", "update", "upsert"):
        with pytest.raises(InvalidArgumentError, match="culprit"):
            call(engine, collection, method, metadatas=[{"fine": 1, "culprit": value}])
    with pytest.raises(InvalidArgumentError, match="culprit"):
        call(engine, collection, "create_collection", metadata={"fine": 1, "culprit": value})
    with pytest.raises(InvalidArgumentError, match="culprit"):
        call(engine, collection, "update_collection", new_metadata={"fine": 1, "culprit": value})


def test_a_list_is_no_value_of_a_collection(engine: _chroma.Engine, collection: str) -> None:
    with pytest.raises(InvalidArgumentError, match="culprit"):
        call(engine, collection, "create_collection", metadata={"culprit": [1]})
    with pytest.raises(InvalidArgumentError, match="culprit"):
        call(engine, collection, "update_collection", new_metadata={"culprit": ["a"]})


@pytest.mark.parametrize("value", ["text", [1], 5], ids=repr)
def test_metadata_is_a_dict(engine: _chroma.Engine, collection: str, value: object) -> None:
    kind = type(value).__name__
    for method, name, argument in [
        ("create_collection", "metadata", value),
        ("update_collection", "new_metadata", value),
        ("add", "metadatas", [value]),
    ]:
        with pytest.raises(TypeError) as raised:
            call(engine, collection, method, **{name: argument})
        assert (
            str(raised.value)
            == f"argument '{name}': '{kind}' object cannot be converted to 'PyDict'"
        )


def test_a_key_is_a_string(engine: _chroma.Engine, collection: str) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, "add", metadatas=[{1: 2}])
    assert (
        str(raised.value) == "argument 'metadatas': 'int' object cannot be converted to 'PyString'"
    )
    with pytest.raises(UnicodeEncodeError):
        call(engine, collection, "add", metadatas=[{"\ud800": 2}])
    with pytest.raises(UnicodeEncodeError):
        call(engine, collection, "add", metadatas=[{"key": ["fine", "\ud800"]}])


def test_none_is_refused_removes_or_is_skipped(engine: _chroma.Engine, collection: str) -> None:
    for refused in (
        lambda: call(engine, collection, "add", metadatas=[{"key": None}]),
        lambda: call(engine, collection, "create_collection", metadata={"key": None}),
    ):
        with pytest.raises(TypeError, match="Cannot convert Python object to MetadataValue"):
            refused()
    add(engine, collection, ["a"], [{"stays": 1, "goes": 2}])
    call(engine, collection, "update", embeddings=None, metadatas=[{"goes": None}])
    assert get_all(engine, collection, "metadatas").metadatas == [{"stays": 1}]
    call(engine, collection, "upsert", metadatas=[{"stays": None, "comes": "x"}])
    assert get_all(engine, collection, "metadatas").metadatas == [{"comes": "x"}]
    call(engine, collection, "update_collection", new_metadata={"kept": 1, "left out": None})
    assert engine.get_collection("records", *PLACE).metadata == {"kept": 1}


def test_an_error_of_a_conversion_is_passed_on(engine: _chroma.Engine, collection: str) -> None:
    class Stubborn:
        def __index__(self) -> int:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        call(engine, collection, "add", metadatas=[{"key": Stubborn()}])
    with pytest.raises(ZeroDivisionError, match="mine"):
        call(engine, collection, "get", limit=Stubborn())


def test_a_dict_that_grows_while_it_is_converted_is_an_error(
    engine: _chroma.Engine, collection: str
) -> None:
    metadata: dict[str, Any] = {}

    class Growing:
        def __index__(self) -> int:
            metadata.update({f"key {n}": n for n in range(100)})
            return 1

    metadata["key"] = Growing()
    with pytest.raises(RuntimeError, match="changed size"):
        call(engine, collection, "add", metadatas=[metadata])


def test_what_a_conversion_drops_is_held_for_the_call(
    engine: _chroma.Engine, collection: str
) -> None:
    ids = [f"id {n}" for n in range(3)]
    documents: list[Any] = [f"document {n}" for n in range(3)]
    metadata: dict[str, Any] = {}
    metadatas: list[Any] = [metadata, None, None]

    class Dropping:
        def __index__(self) -> int:
            ids.clear()
            documents.clear()
            metadatas.clear()
            metadata.clear()
            return 1

    metadata.update({"key": "".join(["made", " here"]), "count": Dropping()})
    with pytest.raises(InvalidArgumentError, match="Inconsistent number"):
        # The documents were taken after they were cleared.
        engine.add(ids, collection, vectors(3), metadatas, documents, None, *PLACE)
    ids.extend(f"id {n}" for n in range(3))
    metadatas.extend([metadata, None, None])
    metadata.update({"key": "".join(["made", " here"]), "count": Dropping()})
    engine.add(ids, collection, vectors(3), metadatas, None, None, *PLACE)
    assert (ids, metadatas, metadata) == ([], [], {})
    found = get_all(engine, collection, "metadatas")
    assert found.ids == ["id 0", "id 1", "id 2"]
    assert found.metadatas == [{"key": "made here", "count": 1}, None, None]


# Letters, an astral one, NUL and a combining pair; no surrogates.
TEXTS = st.text(st.sampled_from("ab\0é\u0301🐝中"), max_size=6)
KEYS = st.text(st.sampled_from("abcé🐝"), min_size=1, max_size=4)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(
    st.booleans(),
    INTEGERS,
    FLOATS,
    TEXTS,
    *(st.lists(kind, min_size=1, max_size=4) for kind in (st.booleans(), INTEGERS, FLOATS, TEXTS)),
)
METADATAS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=20)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.none() | METADATAS, st.none() | TEXTS, st.none() | TEXTS), max_size=5))
def test_records_come_back_as_they_went_in(rows: list[Any]) -> None:
    engine = _chroma.Engine(None, False)
    collection = new_collection(engine)
    ids = [f"id {row}" for row in range(len(rows))]
    metadatas, documents, uris = ([row[column] for row in rows] for column in range(3))
    matrix = vectors(len(rows), 3)
    engine.add(ids, collection, matrix, metadatas, documents, uris, *PLACE)
    found = get_all(engine, collection, "metadatas", "documents", "uris", "embeddings")
    assert found.ids == ids
    # A record that has a uri and no metadata shows an empty map, as in official Chroma.
    shown = [{} if m is None and u is not None else m for m, u in zip(metadatas, uris, strict=True)]
    assert [typed(metadata) for metadata in found.metadatas] == [typed(m) for m in shown]
    assert (found.documents, found.uris) == (documents, uris)
    if rows:
        assert np.array_equal(found.embeddings, matrix)


def typed(metadata: dict[str, Any] | None) -> object:
    """With types, since 1 == 1.0 == True; and with signs, since 0.0 == -0.0."""
    return metadata and {key: repr(value) for key, value in sorted(metadata.items())}


# ---- Results ------------------------------------------------------------------------------------


def test_results_are_named_tuples_of_plain_values(engine: _chroma.Engine) -> None:
    engine.create_database("other", "default_tenant")
    assert engine.get_tenant("default_tenant") == ("default_tenant",)
    database = engine.get_database("other", "default_tenant")
    assert isinstance(database.id, UUID)
    assert database == (database.id, "other", "default_tenant")
    assert database in engine.list_databases(None, None, "default_tenant")
    configuration = json.dumps({"hnsw": {"space": "cosine"}, "spann": None})
    made = engine.create_collection("made", configuration, None, {"a": 1}, False, *PLACE)
    assert isinstance(made.id, UUID)
    assert made.configuration["hnsw"]["space"] == "cosine"
    assert made.schema["defaults"]["float_list"]["vector_index"]["config"]["space"] == "cosine"
    assert made[1:2] + made[4:] == ("made", {"a": 1}, None, *PLACE)
    add(engine, str(made.id), ["a"])
    assert engine.get_collection("made", *PLACE).dimension == 2


def test_columns_that_were_not_asked_for_are_none(engine: _chroma.Engine, collection: str) -> None:
    add(engine, collection, ["a"])
    assert get_all(engine, collection) == (["a"], None, None, None, None)
    assert call(engine, collection, "query") == ([["a"]], None, None, None, None, None)
    assert get_all(engine, collection, "data").metadatas == [None]


def test_no_records_are_empty_columns(engine: _chroma.Engine, collection: str) -> None:
    everything = ["documents", "embeddings", "metadatas", "uris", "distances"]
    found = get_all(engine, collection, *everything)
    assert found.embeddings.shape == (0, 0)
    assert [found.ids, found.documents, found.uris, found.metadatas] == [[], [], [], []]
    nearest = call(engine, collection, "query", query_embeddings=vectors(2), include=everything)
    assert [array.shape for array in nearest.embeddings] == [(0, 0), (0, 0)]
    assert nearest.ids == nearest.documents == nearest.metadatas == nearest.distances == [[], []]


def test_each_query_has_its_own_rows(engine: _chroma.Engine, collection: str) -> None:
    engine.add(["a", "b", "c"], collection, vectors(3), None, ["1", None, "3"], None, *PLACE)
    found = engine.query(
        *[collection, None, vectors(3)[::2].copy(), 2, None, None],
        *[["documents", "embeddings", "distances"], *PLACE],
    )
    assert found.ids == [["a", "b"], ["c", "b"]]
    assert found.documents == [["1", None], ["3", None]]
    assert found.distances == [[0.0, 8.0], [0.0, 8.0]]
    assert [array.tolist() for array in found.embeddings] == [[[0, 1], [2, 3]], [[4, 5], [2, 3]]]


def test_arrays_that_come_out_belong_to_the_caller(engine: _chroma.Engine, collection: str) -> None:
    add(engine, collection, ["a"])
    first = get_all(engine, collection, "embeddings", "metadatas").embeddings
    assert first.dtype == np.float32
    assert first.flags.c_contiguous and first.flags.writeable and first.flags.owndata
    first[:] = 9
    assert get_all(engine, collection, "embeddings").embeddings.tolist() == [[0, 1]]
