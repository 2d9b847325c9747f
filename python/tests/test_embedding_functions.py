"""Collections remember their embedding function, and refuse another."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import LengthFunction

import chromadb
from chromadb.api import CreateCollectionConfiguration
from chromadb.api.types import DefaultEmbeddingFunction, EmbeddingFunction
from chromadb.utils import embedding_functions

CONFLICT = (
    "An embedding function already exists in the collection configuration, and a new one is "
    "provided. If this is intentional, please embed documents separately. Embedding function "
    "conflict: new: {} vs persisted: {}"
)
NONE_GIVEN = (
    "You must provide an embedding function to compute embeddings."
    "https://docs.trychroma.com/guides/embeddings in {}."
)
REMEMBERED = {"type": "known", "name": "length", "config": {"dimension": 3}}


class OtherFunction(EmbeddingFunction[Any]):
    """Upstream's defaults for all that may be left out."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return np.ones((len(input), 3))

    @staticmethod
    def name() -> str:
        return "other"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> OtherFunction:
        return OtherFunction()

    def get_config(self) -> dict[str, Any]:
        return {}


class CosineFunction(OtherFunction):
    @staticmethod
    def name() -> str:
        return "cosine"

    def default_space(self) -> Any:
        return "cosine"

    def supported_spaces(self) -> Any:
        return ["cosine", "l2"]


class Nameless(EmbeddingFunction[Any]):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return [[5.0, 5.0, 5.0] for _ in input]


class Plain:
    """No subclass: an object that can be called with an input."""

    def __call__(self, input: Any) -> Any:
        return [[7.0, 7.0, 7.0] for _ in input]


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    known = embedding_functions.known_embedding_functions
    before = set(known)
    yield
    for name in set(known) - before:
        del known[name]


def stored(collection: Any) -> Any:
    return collection.configuration_json["embedding_function"]


def space(collection: Any) -> str:
    return str(collection.configuration_json["hnsw"]["space"])


def vector_of(collection: Any, text: str = "four") -> list[float]:
    """What the collection makes of a text, as a document."""
    collection.upsert(ids="probe", documents=text)
    return list(collection.get("probe", include=["embeddings"])["embeddings"][0])


def legacy(function: Any, *arguments: Any, **keywords: Any) -> Any:
    with pytest.warns(DeprecationWarning, match="cannot remember its embedding function"):
        return function(*arguments, **keywords)


# ---- What is stored -----------------------------------------------------------------------------


def test_a_collection_remembers_name_and_configuration(client: Any) -> None:
    created = client.create_collection("notes", embedding_function=LengthFunction())
    assert stored(created) == REMEMBERED
    found = client.get_collection("notes")
    assert stored(found) == REMEMBERED
    assert isinstance(found.configuration["embedding_function"], LengthFunction)
    assert vector_of(found) == [4.0] * 3


def test_the_default_function_is_remembered_without_being_loaded(client: Any) -> None:
    created = client.create_collection("notes")
    assert stored(created) == {"type": "known", "name": "default", "config": {}}
    assert isinstance(created.configuration["embedding_function"], DefaultEmbeddingFunction)
    assert created.configuration["hnsw"]["space"] == "l2"


def test_no_function_is_remembered_as_none(client: Any) -> None:
    created = client.create_collection("notes", embedding_function=None)
    assert stored(created) is None
    assert created.configuration["embedding_function"] is None
    for collection in (created, client.get_collection("notes", embedding_function=None)):
        with pytest.raises(ValueError) as caught:
            collection.add(ids="a", documents="text")
        assert str(caught.value) == NONE_GIVEN.format("add")
        with pytest.raises(ValueError) as caught:
            collection.query(query_texts="text")
        assert str(caught.value) == NONE_GIVEN.format("query")


def test_no_function_beside_a_configuration_is_remembered_as_legacy(client: Any) -> None:
    created = client.create_collection(
        "notes", embedding_function=None, configuration={"hnsw": {"space": "ip"}}
    )
    assert stored(created) == {"type": "legacy"}


@pytest.mark.parametrize("function", [Plain(), Nameless()], ids=lambda f: type(f).__name__)
def test_a_function_without_a_name_works_and_is_not_remembered(client: Any, function: Any) -> None:
    created = legacy(client.create_collection, "notes", embedding_function=function)
    assert stored(created) == {"type": "legacy"}
    expected = function(["four"])[0]
    assert vector_of(created) == list(expected)
    assert created.query(query_texts="x", n_results=1)["ids"] == [["probe"]]
    again = client.get_collection("notes", embedding_function=function)
    assert vector_of(again) == list(expected)
    forgotten = client.get_collection("notes", embedding_function=None)
    with pytest.raises(ValueError) as caught:
        forgotten.add(ids="b", documents="text")
    assert str(caught.value) == NONE_GIVEN.format("add")


def test_a_function_may_stand_in_the_configuration(client: Any) -> None:
    configuration = CreateCollectionConfiguration(embedding_function=LengthFunction())
    for name, argument in (("one", {}), ("two", {"embedding_function": None})):
        created = client.create_collection(name, configuration=configuration, **argument)
        assert stored(created) == REMEMBERED
        assert vector_of(created) == [4.0] * 3


def test_two_functions_are_one_too_many(client: Any) -> None:
    with pytest.raises(ValueError) as caught:
        client.create_collection(
            "notes",
            embedding_function=OtherFunction(),
            configuration={"embedding_function": LengthFunction()},
        )
    assert str(caught.value) == (
        "Multiple embedding functions provided. Please provide only one. Embedding function "
        "conflict: other vs length"
    )
    assert client.count_collections() == 0
    client.create_collection(
        "notes",
        embedding_function=LengthFunction(),
        configuration={"embedding_function": LengthFunction()},
    )


class WrongParameter:
    def __call__(self, texts: Any) -> Any:
        return texts


@pytest.mark.parametrize(
    ("function", "got"),
    [
        (WrongParameter(), "['self', 'texts']"),
        (lambda input: input, "['self', 'args', 'kwargs']"),
        (LengthFunction, "['self', 'args', 'kwargs']"),
    ],
    ids=["texts", "lambda", "class"],
)
def test_what_cannot_be_called_with_an_input_is_refused(
    client: Any, function: Any, got: str
) -> None:
    for keywords in (
        {"embedding_function": function},
        {"embedding_function": None, "configuration": {"embedding_function": function}},
    ):
        with pytest.raises(ValueError) as caught:
            client.create_collection("notes", **keywords)
        assert str(caught.value).startswith(
            "Expected EmbeddingFunction.__call__ to have the following signature: "
            f"odict_keys(['self', 'input']), got odict_keys({got})"
        )
    assert client.count_collections() == 0


# ---- The space ----------------------------------------------------------------------------------


def test_the_space_is_the_functions_unless_the_caller_names_one(client: Any) -> None:
    def create(name: str, **keywords: Any) -> str:
        return space(
            client.create_collection(name, embedding_function=CosineFunction(), **keywords)
        )

    assert create("default") == "cosine"
    assert create("configured", configuration={"hnsw": {"space": "l2"}}) == "l2"
    assert create("partly", configuration={"hnsw": {"ef_search": 50}}) == "cosine"
    assert create("spann", configuration={"spann": {"search_nprobe": 10}}) == "cosine"
    assert create("legacy", metadata={"hnsw:space": "l2"}) == "l2"
    assert create("other-legacy", metadata={"hnsw:M": 33}) == "cosine"


@pytest.mark.parametrize(
    "keywords",
    [{"configuration": {"hnsw": {"space": "ip"}}}, {"metadata": {"hnsw:space": "ip"}}],
    ids=repr,
)
def test_a_space_that_the_function_does_not_support_is_warned_of(
    client: Any, keywords: dict
) -> None:
    with pytest.warns(UserWarning) as caught:
        created = client.create_collection("notes", embedding_function=CosineFunction(), **keywords)
    assert [str(warning.message) for warning in caught] == [
        "space ip is not supported by cosine. Supported spaces: ['cosine', 'l2']"
    ]
    assert space(created) == "ip"


# ---- Conflicts ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:The collection cannot remember its embedding function")
@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        (LengthFunction(), OtherFunction(), ("other", "length")),
        (DefaultEmbeddingFunction(), OtherFunction(), ("other", "default")),
        (LengthFunction(), Plain(), ("Plain", "length")),
        (LengthFunction(), Nameless(), ("Nameless", "length")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_another_function_than_the_remembered_one_is_refused(
    client: Any, first: Any, second: Any, names: tuple[str, str]
) -> None:
    created = client.create_collection("notes", embedding_function=first)
    for open_again in (
        lambda: client.get_collection("notes", embedding_function=second),
        lambda: client.get_collection_by_id(created.id, embedding_function=second),
        lambda: client.get_or_create_collection("notes", embedding_function=second),
    ):
        with pytest.raises(ValueError) as caught:
            open_again()
        assert str(caught.value) == CONFLICT.format(*names)


@pytest.mark.parametrize(
    "function", [DefaultEmbeddingFunction(), None, LengthFunction(9)], ids=repr
)
def test_the_default_none_and_the_same_name_never_conflict(client: Any, function: Any) -> None:
    client.create_collection("notes", embedding_function=LengthFunction())
    found = client.get_collection("notes", embedding_function=function)
    expected = [4.0] * (9 if isinstance(function, LengthFunction) else 3)
    if len(expected) == 3:
        assert vector_of(found) == expected
    else:
        with pytest.raises(chromadb.errors.InvalidArgumentError):
            found.add(ids="x", embeddings=[1, 2, 3])
            vector_of(found)


@pytest.mark.parametrize("function", [Plain(), OtherFunction()], ids=lambda f: type(f).__name__)
def test_a_collection_that_remembers_none_takes_any(client: Any, function: Any) -> None:
    client.create_collection("notes", embedding_function=None)
    assert client.get_collection("notes", embedding_function=function) is not None
    assert stored(client.get_collection("notes")) is None


# ---- Opening again ------------------------------------------------------------------------------


def test_a_function_that_is_not_registered_is_missed_when_it_is_needed(client: Any) -> None:
    client.create_collection("notes", embedding_function=OtherFunction())
    del embedding_functions.known_embedding_functions["other"]
    missing = (
        "Embedding function other not found. Add @register_embedding_function decorator to the "
        "class definition."
    )
    (listed,) = client.list_collections()
    for found in (listed, client.get_collection("notes"), client.get_collection("notes", None)):
        found.upsert(ids="a", embeddings=[1, 2, 3])
        with pytest.raises(ValueError) as caught:
            found.upsert(ids="a", documents="text")
        assert str(caught.value) == f"{missing} in upsert."
        with pytest.raises(ValueError) as caught:
            _ = found.configuration
        assert str(caught.value) == missing
    embedding_functions.register_embedding_function(OtherFunction)
    assert vector_of(client.get_collection("notes")) == [1.0] * 3


def test_a_remembered_function_is_built_once_for_a_collection(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_collection("notes", embedding_function=LengthFunction())
    built = []
    build = LengthFunction.build_from_config

    def counted(config: dict[str, Any]) -> LengthFunction:
        built.append(config)
        return build(config)

    monkeypatch.setattr(LengthFunction, "build_from_config", staticmethod(counted))
    found = client.get_collection("notes")
    assert built == []
    for text in ("a", "bb", "ccc"):
        vector_of(found, text)
    assert built == [{"dimension": 3}]


# ---- Change -------------------------------------------------------------------------------------


def test_the_configuration_of_a_function_changes_and_its_name_does_not(client: Any) -> None:
    collection = client.create_collection("notes", embedding_function=LengthFunction(3))
    collection.modify(configuration={"embedding_function": LengthFunction(4)})
    for found in (collection, client.get_collection("notes")):
        assert stored(found) == REMEMBERED | {"config": {"dimension": 4}}
    assert vector_of(collection) == [4.0] * 4
    for function, name in ((OtherFunction(), "other"), (Plain(), "Plain")):
        with pytest.raises(ValueError) as caught:
            collection.modify(configuration={"embedding_function": function})
        assert str(caught.value) == (
            f"Cannot update embedding function: incompatible types (length vs {name})"
        )
    assert stored(client.get_collection("notes")) == REMEMBERED | {"config": {"dimension": 4}}


def test_a_function_may_refuse_a_change(client: Any) -> None:
    class Fixed(LengthFunction):
        def validate_config_update(self, old_config: Any, new_config: Any) -> None:
            raise ValueError(f"from {old_config} to {new_config}")

    collection = client.create_collection("notes", embedding_function=Fixed(3))
    with pytest.raises(ValueError, match="^from {'dimension': 3} to {'dimension': 4}$"):
        collection.modify(configuration={"embedding_function": Fixed(4)})
    assert stored(client.get_collection("notes")) == REMEMBERED


def test_a_collection_without_a_function_may_be_given_one(client: Any) -> None:
    collection = client.create_collection("notes", embedding_function=None)
    collection.modify(configuration={"embedding_function": LengthFunction()})
    assert stored(collection) == REMEMBERED
    assert vector_of(client.get_collection("notes")) == [4.0] * 3


# ---- The protocol -------------------------------------------------------------------------------


def test_results_reach_the_caller_as_a_list_of_arrays() -> None:
    class Lists(Nameless):
        def __call__(self, input: Any) -> Any:
            return [[1, 2], [3, 4]]

    class Array(Nameless):
        def __call__(self, input: Any) -> Any:
            return np.array([[1.0, 2.0], [3.0, 4.0]])

    for function in (Lists(), Array()):
        result = function(["a", "b"])
        assert [type(vector) for vector in result] == [np.ndarray] * 2
        np.testing.assert_array_equal(result, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([], "Expected Embeddings to be non-empty list or numpy array, got [] in {}."),
        (
            "x",
            "Expected embeddings to be a list of floats or ints, a list of lists, a numpy array, "
            "or a list of numpy arrays, got x in {}.",
        ),
        (
            np.ones((1, 3), dtype=np.int8),
            "Expected each value in the embedding to be a int or float, got an embedding with int8 "
            "- [1 1 1] in {}.",
        ),
    ],
    ids=repr,
)
def test_a_result_that_is_no_embedding_is_refused(client: Any, result: Any, message: str) -> None:
    class Broken(OtherFunction):
        def __call__(self, input: Any) -> Any:
            return result

    collection = client.create_collection("notes", embedding_function=Broken())
    with pytest.raises(ValueError) as caught:
        collection.add(ids="a", documents="text")
    assert str(caught.value) == message.format("add")
    with pytest.raises(ValueError) as caught:
        collection.query(query_texts="text")
    assert str(caught.value) == message.format("query")
    assert collection.count() == 0


def test_a_result_of_the_wrong_length_is_refused(client: Any) -> None:
    class Short(OtherFunction):
        def __call__(self, input: Any) -> Any:
            return [[1.0, 2.0, 3.0]]

    collection = client.create_collection("notes", embedding_function=Short())
    with pytest.raises(chromadb.errors.InvalidArgumentError) as caught:
        collection.add(ids=["a", "b"], documents=["A", "B"])
    assert str(caught.value) == (
        "Inconsistent number of IDs, embeddings, documents, URIs and metadatas"
    )
    assert collection.count() == 0


def test_queries_may_be_embedded_otherwise_than_documents(client: Any) -> None:
    class Asymmetric(LengthFunction):
        def embed_query(self, input: Any) -> Any:
            return np.array([[9.0, 9.0, 9.0]] * len(input))

    collection = client.create_collection("notes", embedding_function=Asymmetric())
    collection.add(ids=["a", "b"], documents=["a", "123456789"])
    assert collection.query(query_texts=["a"], n_results=1)["ids"] == [["b"]]


def test_what_a_function_raises_reaches_the_caller(client: Any) -> None:
    class Failing(OtherFunction):
        def __call__(self, input: Any) -> Any:
            raise OSError(5, "the model is gone")

    collection = client.create_collection("notes", embedding_function=Failing())
    with pytest.raises(OSError) as caught:
        collection.add(ids="a", documents="text")
    assert caught.value.args == (5, "the model is gone")


def test_a_subclass_is_warned_of_what_it_should_define() -> None:
    class Bare(EmbeddingFunction[Any]):
        def __call__(self, input: Any) -> Any:
            return [[1.0]]

    with pytest.warns(DeprecationWarning) as caught:
        function = Bare()
    assert [str(warning.message) for warning in caught] == [
        "The class Bare does not implement __init__. This will be required in a future version."
    ]
    assert function.is_legacy()
    with pytest.warns(DeprecationWarning, match=r"name\(\)"):
        assert function.name() is NotImplemented
    assert isinstance(function, EmbeddingFunction)
    assert not isinstance(Plain(), EmbeddingFunction)


def test_a_complete_subclass_is_warned_of_nothing(client: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function = OtherFunction()
        assert not function.is_legacy()
        assert function.default_space() == "l2"
        assert function.supported_spaces() == ["cosine", "l2", "ip"]
        vector_of(client.create_collection("notes", embedding_function=function))
        vector_of(client.get_collection("notes"))


# ---- The registry -------------------------------------------------------------------------------


def test_a_class_is_registered_by_call_and_by_decorator() -> None:
    known = embedding_functions.known_embedding_functions
    assert embedding_functions.register_embedding_function(OtherFunction) is OtherFunction
    assert known["other"] is OtherFunction

    @embedding_functions.register_embedding_function()
    class Decorated(OtherFunction):
        @staticmethod
        def name() -> str:
            return "decorated"

    assert known["decorated"] is Decorated
    with pytest.warns(DeprecationWarning), pytest.raises(ValueError, match="Nameless"):
        embedding_functions.register_embedding_function(Nameless)


def test_a_function_is_built_from_its_description() -> None:
    embedding_functions.register_embedding_function(LengthFunction)
    build = embedding_functions.config_to_embedding_function
    function = build({"name": "length", "config": {"dimension": 7}})
    assert isinstance(function, LengthFunction)
    assert function.dimension == 7
    assert isinstance(build({"name": "default", "config": {}}), DefaultEmbeddingFunction)
    with pytest.raises(ValueError, match="^Unsupported embedding function: zzz$"):
        build({"name": "zzz", "config": {}})


def test_the_functions_that_ship_are_known() -> None:
    assert {"default", "onnx_mini_lm_l6_v2"} <= set(embedding_functions.known_embedding_functions)
    assert {"DefaultEmbeddingFunction", "ONNXMiniLM_L6_V2"} <= embedding_functions.get_builtins()
