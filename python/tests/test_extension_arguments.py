"""Which arguments the extension takes, how it refuses the others, and what it raises."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from native import (
    CALLS,
    PLACE,
    add,
    call,
    needed_parameter_names,
    new_collection,
    parameter_names,
    vectors,
)

from chromadb.errors import (
    AuthorizationError,
    IDAlreadyExistsError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
)
from chromadb_swift_bindings import _chroma

STUB = Path(_chroma.__file__).with_name("_chroma.pyi")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def engine() -> Iterator[_chroma.Engine]:
    engine = _chroma.Engine(None, True)
    yield engine
    engine.close()


@pytest.fixture
def collection(engine: _chroma.Engine) -> str:
    return new_collection(engine)


# ---- The stub -----------------------------------------------------------------------------------


def stub_classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def test_the_engine_has_the_methods_and_parameters_of_the_stub() -> None:
    stated = {}
    for node in stub_classes()["Engine"].body:
        if isinstance(node, ast.FunctionDef) and node.name != "__new__":
            names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args][1:]]
            stated[node.name] = (names, len(node.args.defaults))
    found = {}
    for name, method in vars(_chroma.Engine).items():
        if not name.startswith("_"):
            given = list(inspect.signature(method).parameters.values())[1:]
            assert all(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in given)
            defaults = [p for p in given if p.default is not inspect.Parameter.empty]
            found[name] = ([p.name for p in given], len(defaults))
    assert found == stated


@pytest.mark.parametrize(
    "name", ["Tenant", "Database", "Collection", "GetResponse", "QueryResponse"]
)
def test_a_result_has_the_fields_of_the_stub(name: str) -> None:
    stated = [node.name for node in stub_classes()[name].body if isinstance(node, ast.FunctionDef)]
    kind = getattr(_chroma, name)
    assert list(kind.__match_args__) == stated
    assert kind.n_fields == len(stated)


@pytest.mark.parametrize("name", stub_classes())
def test_types_are_final(name: str) -> None:
    with pytest.raises(TypeError):
        type("Derived", (getattr(_chroma, name),), {})


# ---- Arguments that are refused -----------------------------------------------------------------


def parameters_of(*wanted: str, names: Callable[[str], list[str]] = parameter_names) -> list[Any]:
    """Every method with each of its parameters that are among the wanted ones."""
    return [
        pytest.param(method, name, id=f"{method}-{name}")
        for method in CALLS
        for name in names(method)
        if name in wanted
    ]


STRINGS = parameters_of(
    "name", "tenant", "database", "collection_id", "key", names=needed_parameter_names
)
OPTIONAL_STRINGS = [
    *parameters_of(
        "where",
        "where_document",
        "after",
        "order_by",
        "configuration_json_str",
        "new_name",
        "new_configuration_json_str",
    ),
    *[pytest.param(method, "collection_id") for method in ("flush", "compact")],
]


@pytest.mark.parametrize("value", [5, None, b"text", ["text"], 1.5], ids=repr)
@pytest.mark.parametrize(("method", "name"), STRINGS)
def test_what_is_no_string_is_refused_by_name(
    engine: _chroma.Engine, collection: str, method: str, name: str, value: object
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: value})
    kind = type(value).__name__
    assert (
        str(raised.value) == f"argument '{name}': '{kind}' object cannot be converted to 'PyString'"
    )


@pytest.mark.parametrize(("method", "name"), OPTIONAL_STRINGS)
def test_an_optional_string_is_a_string_or_none(
    engine: _chroma.Engine, collection: str, method: str, name: str
) -> None:
    call(engine, collection, method, **{name: None})
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: 5})
    assert str(raised.value) == f"argument '{name}': 'int' object cannot be converted to 'PyString'"


@pytest.mark.parametrize(("method", "name"), [*STRINGS, *OPTIONAL_STRINGS])
def test_a_lone_surrogate_is_no_unicode(
    engine: _chroma.Engine, collection: str, method: str, name: str
) -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        call(engine, collection, method, **{name: "lone \udc80"})


COLUMNS = parameters_of("ids", "documents", "uris", "include")


@pytest.mark.parametrize(("method", "name"), COLUMNS)
def test_items_of_a_column_are_strings(
    engine: _chroma.Engine, collection: str, method: str, name: str
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: [5]})
    assert str(raised.value) == f"argument '{name}': 'int' object cannot be converted to 'PyString'"


@pytest.mark.parametrize(("method", "name"), COLUMNS)
def test_a_string_is_no_column(
    engine: _chroma.Engine, collection: str, method: str, name: str
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: "text"})
    assert str(raised.value) == f"argument '{name}': Can't extract `str` to `Vec`"


@pytest.mark.parametrize("value", [5, {"a": 1}, {"a"}, iter(["a"])], ids=lambda v: type(v).__name__)
@pytest.mark.parametrize(("method", "name"), [*COLUMNS, *parameters_of("metadatas")])
def test_a_column_is_a_sequence(
    engine: _chroma.Engine, collection: str, method: str, name: str, value: object
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: value})
    kind = type(value).__name__
    assert (
        str(raised.value) == f"argument '{name}': '{kind}' object cannot be converted to 'Sequence'"
    )


@pytest.mark.parametrize("method", ["add", "update", "upsert"])
def test_a_write_needs_ids(engine: _chroma.Engine, collection: str, method: str) -> None:
    with pytest.raises(
        TypeError, match="'ids': 'NoneType' object cannot be converted to 'Sequence'"
    ):
        call(engine, collection, method, ids=None)


@pytest.mark.parametrize("method", ["add", "upsert"])
def test_what_is_inserted_needs_embeddings(
    engine: _chroma.Engine, collection: str, method: str
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, embeddings=None)
    message = "argument 'embeddings': 'NoneType' object cannot be converted to 'Sequence'"
    assert str(raised.value) == message


@pytest.mark.parametrize("method", ["add", "update", "upsert"])
@pytest.mark.parametrize("column", ["documents", "uris", "metadatas", "embeddings"])
def test_columns_of_a_write_have_one_length(
    engine: _chroma.Engine, collection: str, method: str, column: str
) -> None:
    for longer in (0, 2):
        value = vectors(longer) if column == "embeddings" else [None] * longer
        with pytest.raises(InvalidArgumentError) as raised:
            call(engine, collection, method, **{column: value})
        expected = "Inconsistent number of IDs, embeddings, documents, URIs and metadatas"
        assert str(raised.value) == expected


COUNTS = parameters_of("limit", "offset", "n_results")


@pytest.mark.parametrize("value", ["1", 1.0, Decimal(1), [1], np.float32(1)], ids=repr)
@pytest.mark.parametrize(("method", "name"), COUNTS)
def test_what_is_no_integer_is_no_count(
    engine: _chroma.Engine, collection: str, method: str, name: str, value: object
) -> None:
    with pytest.raises(TypeError) as raised:
        call(engine, collection, method, **{name: value})
    kind = type(value).__name__
    message = f"argument '{name}': '{kind}' object cannot be interpreted as an integer"
    assert str(raised.value) == message


@pytest.mark.parametrize("value", [-1, 2**32, -(2**31), 2**63, 2**64, -(2**64), 10**30])
@pytest.mark.parametrize(("method", "name"), COUNTS)
def test_a_count_has_32_bits(
    engine: _chroma.Engine, collection: str, method: str, name: str, value: int
) -> None:
    with pytest.raises(OverflowError) as raised:
        call(engine, collection, method, **{name: value})
    assert str(raised.value) == "out of range integral type conversion attempted"


@pytest.mark.parametrize("value", [1, True, np.int64(1), np.uint8(1)], ids=repr)
def test_a_count_is_whatever_is_an_integer(
    engine: _chroma.Engine, collection: str, value: object
) -> None:
    add(engine, collection, ["a", "b"])
    assert call(engine, collection, "get", limit=value).ids == ["a"]
    assert call(engine, collection, "get", offset=value).ids == ["b"]
    assert call(engine, collection, "query", n_results=value).ids == [["a"]]


def test_the_largest_count_is_allowed(engine: _chroma.Engine, collection: str) -> None:
    add(engine, collection, ["a", "b"])
    assert call(engine, collection, "get", limit=2**32 - 1).ids == ["a", "b"]
    assert call(engine, collection, "get", offset=2**32 - 1).ids == []
    assert call(engine, collection, "query", n_results=2**32 - 1).ids == [["a", "b"]]


@pytest.mark.parametrize("method", ["get", "query"])
def test_an_unknown_column_is_refused(engine: _chroma.Engine, collection: str, method: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        call(engine, collection, method, include=["documents", "bogus"])
    assert str(raised.value) == "Invalid include value: bogus"


@pytest.mark.parametrize("value", [0, 1, None, "yes"], ids=repr)
def test_a_flag_is_a_bool(engine: _chroma.Engine, collection: str, value: object) -> None:
    kind = type(value).__name__
    for attempt in (
        lambda: call(engine, collection, "create_collection", get_or_create=value),
        lambda: call(engine, collection, "get", order_by="a", descending=value),
        lambda: _chroma.Engine(None, value),  # type: ignore[arg-type]
        lambda: _chroma.Engine(None, False, read_only=value),  # type: ignore[arg-type]
        lambda: _chroma.Engine(None, False, background=value),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match=f"'{kind}' object cannot be converted to 'PyBool'"):
            attempt()


@pytest.mark.parametrize("value", [2, 2.5, True, np.float32(2), np.int64(2)], ids=repr)
def test_a_bound_is_whatever_is_a_float(
    engine: _chroma.Engine, collection: str, value: object
) -> None:
    add(engine, collection, ["a", "b"])
    # They stand at distances of 0 and 8.
    assert call(engine, collection, "query", n_results=2, max_distance=value).ids == [["a"]]
    assert call(engine, collection, "query", n_results=2, max_distance=8).ids == [["a", "b"]]


def test_what_is_no_bound_is_refused(engine: _chroma.Engine, collection: str) -> None:
    with pytest.raises(
        TypeError, match="'max_distance': 'str' object cannot be interpreted as a float"
    ):
        call(engine, collection, "query", max_distance="1")
    with pytest.raises(OverflowError):
        call(engine, collection, "query", max_distance=10**400)
    with pytest.raises(InvalidArgumentError, match="not NaN"):
        call(engine, collection, "query", max_distance=float("nan"))


def test_an_insertion_counts_and_raises_a_class_of_its_own(
    engine: _chroma.Engine, collection: str
) -> None:
    assert call(engine, collection, "insert", on_conflict="error") == (1, 0)
    assert call(engine, collection, "insert", on_conflict="ignore") == (0, 1)
    assert call(engine, collection, "insert", on_conflict="replace") == (0, 1)
    with pytest.raises(IDAlreadyExistsError, match='^1 of the 1 ids exist already: "a"'):
        call(engine, collection, "insert", on_conflict="error")
    for policy in ("", "errors", "Error", "ignore\0"):
        with pytest.raises(InvalidArgumentError, match="^on_conflict should be 'ignore'"):
            call(engine, collection, "insert", on_conflict=policy)
    with pytest.raises(TypeError, match="^argument 'on_conflict': 'int' object cannot be"):
        call(engine, collection, "insert", on_conflict=1)


@pytest.mark.parametrize("method", CALLS)
def test_the_number_of_arguments_is_checked(engine: _chroma.Engine, method: str) -> None:
    count = len(parameter_names(method))
    for wrong in (len(needed_parameter_names(method)) - 1, count + 1):
        if wrong < 0:
            continue
        with pytest.raises(TypeError, match=rf"Engine\.{method}\(\) takes .*{count} positional"):
            getattr(engine, method)(*[None] * wrong)


@pytest.mark.parametrize("method", ["heartbeat", "get_max_batch_size", "reset", "close"])
def test_a_method_without_parameters_takes_no_argument(engine: _chroma.Engine, method: str) -> None:
    with pytest.raises(TypeError, match="takes no arguments"):
        getattr(engine, method)(1)


@pytest.mark.parametrize("arguments", [(), (None,), (None, True, 1), (5, True), (b"path", True)])
def test_an_engine_is_opened_by_path_and_flag(arguments: Any) -> None:
    with pytest.raises(TypeError):
        _chroma.Engine(*arguments)


@pytest.mark.parametrize(
    "keywords",
    [
        {"path": None, "allow_reset": True},
        {"unknown": 1},
        {"memory_limit_bytes": "1"},
        {"memory_limit_bytes": 1.5},
        {"indexing_threads": "1"},
        {"indexing_threads": 1.5},
    ],
    ids=repr,
)
def test_an_engine_takes_some_options_by_keyword(keywords: Any) -> None:
    arguments = () if "path" in keywords else (None, False)
    with pytest.raises(TypeError):
        _chroma.Engine(*arguments, **keywords)


def test_a_database_in_memory_cannot_be_read_only() -> None:
    with pytest.raises(InvalidArgumentError, match="in memory"):
        _chroma.Engine(None, False, read_only=True)


@pytest.mark.parametrize("value", [-1, 2**64, -(2**64)])
def test_a_memory_limit_has_64_bits(value: int) -> None:
    with pytest.raises(OverflowError):
        _chroma.Engine(None, False, memory_limit_bytes=value)
    for allowed in (None, 0, 1, np.int64(5), 2**64 - 1):
        _chroma.Engine(None, False, memory_limit_bytes=allowed).close()


def test_the_engine_has_the_options_of_the_stub() -> None:
    stated = next(
        node
        for node in stub_classes()["Engine"].body
        if isinstance(node, ast.FunctionDef) and node.name == "__new__"
    )
    found = inspect.signature(_chroma.Engine).parameters.values()
    names = [p.name for p in found if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert names == [argument.arg for argument in stated.args.kwonlyargs]


# ---- Errors of the engine -----------------------------------------------------------------------


def fails(expected: type[Exception], message: str, action: Callable[[], object]) -> None:
    with pytest.raises(expected) as raised:
        action()
    assert raised.type is expected
    assert raised.value.args == (message,)


def test_each_kind_of_error_has_its_class(engine: _chroma.Engine) -> None:
    fails(
        NotFoundError,
        "Collection [absent] does not exist",
        lambda: engine.get_collection("absent", *PLACE),
    )
    fails(
        InvalidArgumentError,
        "Validation error: collection_id: Invalid collection ID format, expected UUID",
        lambda: engine.count("no uuid", *PLACE),
    )
    fails(
        AuthorizationError,
        "Reset is disabled by config",
        lambda: _chroma.Engine(None, False).reset(),
    )
    engine.create_tenant("tenant")
    with pytest.raises(InternalError):
        engine.create_tenant("tenant")


@pytest.mark.parametrize("method", [*CALLS, "heartbeat", "get_max_batch_size", "reset"])
def test_every_method_of_a_closed_engine_says_so(
    engine: _chroma.Engine, collection: str, method: str
) -> None:
    engine.close()
    engine.close()
    with pytest.raises(InvalidArgumentError, match="closed"):
        if method in CALLS:
            call(engine, collection, method)
        else:
            getattr(engine, method)()


def test_a_collection_is_found_by_id_in_its_own_database_only(
    engine: _chroma.Engine, collection: str
) -> None:
    engine.create_database("other", "default_tenant")
    engine.create_tenant("elsewhere")
    engine.create_database("default_database", "elsewhere")
    assert str(engine.get_collection_by_id(collection, *PLACE).id) == collection
    for place in [("default_tenant", "other"), ("elsewhere", "default_database"), ("no", "no")]:
        with pytest.raises(NotFoundError) as raised:
            engine.get_collection_by_id(collection, *place)
        assert str(raised.value) == f"Collection [{collection}] does not exist"
    with pytest.raises(NotFoundError) as raised:
        engine.get_collection_by_id(UNKNOWN, *PLACE)
    assert str(raised.value) == f"Collection [{UNKNOWN}] does not exist"
