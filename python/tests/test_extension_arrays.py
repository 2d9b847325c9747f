"""Arrays in: only what the engine can read as it stands, without a copy, is taken."""

from __future__ import annotations

import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from native import PLACE, get_all, new_collection, vectors

from chromadb.errors import InvalidArgumentError
from chromadb_swift_bindings import _chroma


@pytest.fixture
def engine() -> Iterator[_chroma.Engine]:
    engine = _chroma.Engine(None, False)
    yield engine
    engine.close()


@pytest.fixture
def collection(engine: _chroma.Engine) -> str:
    return new_collection(engine)


def add(engine: _chroma.Engine, collection: str, embeddings: Any, count: int) -> None:
    ids = [f"id {row}" for row in range(count)]
    engine.add(ids, collection, embeddings, None, None, None, *PLACE)


def read_only(source: Any) -> Any:
    source.flags.writeable = False
    return source


def buffer_of(source: Any) -> memoryview:
    return memoryview(source.tobytes()).cast("f", source.shape)


BASE = vectors(4, 4)

TAKEN = {
    "plain": BASE,
    "read-only": read_only(BASE.copy()),
    "one row": BASE[:1],
    "some rows": BASE[1:3],
    "one row with a step": BASE[::4],
    "one column": BASE[:, :1].copy(),
    "a column of a row": BASE[:1, :1],
    "a subclass": BASE.view(np.matrix),
    "a memoryview": buffer_of(BASE),
    "of the type named by its order": BASE.astype("<f4"),
    "mapped shape": BASE.reshape(2, 8),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_contiguous_float32_array_is_taken(
    engine: _chroma.Engine, collection: str, name: str
) -> None:
    given = TAKEN[name]
    expected = np.array(given)
    add(engine, collection, given, len(expected))
    assert np.array_equal(get_all(engine, collection, "embeddings").embeddings, expected)
    nearest = engine.query(collection, None, given, 1, None, None, ["distances"], *PLACE)
    assert nearest.distances == [[0.0]] * len(expected)


def unaligned() -> Any:
    return np.frombuffer(b"\0" + BASE.tobytes(), dtype=np.float32, offset=1).reshape(4, 4)


REFUSED = {
    "every second row": BASE[::2],
    "every second column": BASE[:, ::2],
    "columns": BASE[:, :2],
    "transposed": BASE.T,
    "Fortran order": np.asfortranarray(BASE),
    "rows from last to first": BASE[::-1],
    "broadcast": np.broadcast_to(BASE[0], (4, 4)),
    "unaligned": unaligned(),
    "unaligned, though a buffer would not say": memoryview(bytes(17))[1:].cast("f", (2, 2)),
    "big-endian": BASE.astype(">f4"),
    "no dimension": np.float32(1).reshape(()),
    "one dimension": BASE[0],
    "three dimensions": BASE.reshape(1, 4, 4),
    "an array of the standard library": array.array("f", [1, 2]),
    "structured": np.zeros((4, 4), dtype=[("a", "f4")]),
    "bytes": b"\0" * 16,
}


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_layout_is_refused_with_a_sentence(
    engine: _chroma.Engine, collection: str, name: str
) -> None:
    with pytest.raises(TypeError, match="argument 'embeddings': expected a C-contiguous, aligned"):
        add(engine, collection, REFUSED[name], 4)
    with pytest.raises(TypeError, match="argument 'query_embeddings': expected a C-contiguous"):
        engine.query(collection, None, REFUSED[name], 1, None, None, [], *PLACE)


TYPES = sorted({np.dtype(code).str for code in np.typecodes["All"]} - {np.dtype("f4").str})


@pytest.mark.parametrize("dtype", TYPES)
def test_any_other_type_of_item_is_refused(
    engine: _chroma.Engine, collection: str, dtype: str
) -> None:
    with pytest.raises(TypeError, match="argument 'embeddings': "):
        add(engine, collection, np.zeros((4, 4), dtype=dtype), 4)


@pytest.mark.parametrize("value", [[[1.0]], (1.0,), 5, "text", None, object()], ids=repr)
def test_what_is_no_array_is_refused(
    engine: _chroma.Engine, collection: str, value: object
) -> None:
    with pytest.raises(TypeError) as raised:
        add(engine, collection, value, 1)
    kind = type(value).__name__
    expected = f"argument 'embeddings': '{kind}' object cannot be converted to 'Sequence'"
    if not isinstance(value, (bytes, bytearray)):
        assert str(raised.value) == expected


def test_arrays_without_rows_or_columns(engine: _chroma.Engine, collection: str) -> None:
    add(engine, collection, np.empty((0, 4), dtype=np.float32), 0)
    assert engine.count(collection, *PLACE) == 0
    with pytest.raises(InvalidArgumentError, match="at least 1 dimension"):
        add(engine, collection, np.empty((2, 0), dtype=np.float32), 2)
    nothing = engine.query(
        collection, None, np.empty((0, 4), dtype=np.float32), 1, None, None, [], *PLACE
    )
    assert nothing.ids == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(
    engine: _chroma.Engine, collection: str, value: float
) -> None:
    with pytest.raises(InvalidArgumentError, match="NaN or Infinity"):
        add(engine, collection, np.full((2, 2), value, dtype=np.float32), 2)


def test_an_array_is_held_only_during_the_call(engine: _chroma.Engine, collection: str) -> None:
    source = bytearray(vectors(2).tobytes())
    add(engine, collection, memoryview(source).cast("f", (2, 2)), 2)
    with pytest.raises(TypeError):
        engine.add(["a"], collection, memoryview(source).cast("f", (2, 2)), 5, None, None, *PLACE)
    # A buffer that somebody still had would make this a BufferError.
    source.clear()


def present(*flags: bool) -> Any:
    return np.array(flags, dtype=np.bool_)


def update(engine: _chroma.Engine, collection: str, embeddings: Any, flags: Any) -> None:
    ids = ["id 0", "id 1"]
    engine.update(collection, ids, embeddings, None, None, None, *PLACE, flags)


def test_rows_that_are_not_present_are_not_looked_at(
    engine: _chroma.Engine, collection: str
) -> None:
    add(engine, collection, vectors(2), 2)
    changes = np.array([[np.nan, np.nan], [7, 7]], dtype=np.float32)
    update(engine, collection, changes, present(False, True))
    assert get_all(engine, collection, "embeddings").embeddings.tolist() == [[0, 1], [7, 7]]
    update(engine, collection, vectors(2), None)
    assert get_all(engine, collection, "embeddings").embeddings.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    "flags",
    [np.ones(2), np.ones(2, np.uint8), np.ones((2, 1), np.bool_), present(True, True, True)[::2]],
    ids=["float", "byte", "two dimensions", "with a step"],
)
def test_flags_are_a_contiguous_array_of_bool(
    engine: _chroma.Engine, collection: str, flags: Any
) -> None:
    with pytest.raises(TypeError, match="'embedding_present': expected a contiguous, one-dim"):
        update(engine, collection, vectors(2), flags)


def test_there_is_one_flag_for_each_record(engine: _chroma.Engine, collection: str) -> None:
    for flags in (present(True), present(True, True, True), present()):
        with pytest.raises(InvalidArgumentError, match="Inconsistent number of IDs"):
            update(engine, collection, vectors(2), flags)
    with pytest.raises(TypeError, match="'list' object cannot be converted to 'Sequence'"):
        update(engine, collection, vectors(2), [True, True])
