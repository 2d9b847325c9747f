"""The schemas of embedding functions' configurations, and the functions in those of collections."""

from __future__ import annotations

import random
import sys
from typing import Any

import jsonschema
import pytest
from conftest import LengthFunction

from chromadb import Schema, SparseVectorIndexConfig, VectorIndexConfig
from chromadb.utils import embedding_functions
from chromadb.utils.embedding_functions import ChromaBm25EmbeddingFunction, schemas
from chromadb.utils.embedding_functions._known_functions import (
    DENSE_FUNCTIONS,
    SPARSE_FUNCTIONS,
)
from chromadb.utils.embedding_functions.schemas.schema_utils import ConfigValidationError

VALUES: list[Any] = [
    *(None, True, 0, 1, 1.0, 1.5, "x", "document", "query", [], ["a"], [1], [1, "a", None], {}),
    *({"task": "query"}, {"task": "x"}, {"task": 3}, {"a": None}, {"a": 1, "b": None}),
    *({"nl_to_code": {}}, {"nl_to_code": {"documents": "x", "query": 3}}),
    *("Qwen/Qwen3-Embedding-0.6B", "prithivida/Splade_PP_en_v1", {1: None, "z": 2}),
]


def test_every_function_has_a_schema() -> None:
    # Not the registries, which may have functions of other tests.
    assert {*DENSE_FUNCTIONS, *SPARSE_FUNCTIONS} <= set(schemas.get_available_schemas())
    assert len(schemas.get_available_schemas()) == 35
    assert set(schemas.get_schema_info()["openai"]) == {"version", "title", "description"}
    assert schemas.get_schema_version("openai") == "1.0.0"
    with pytest.raises(FileNotFoundError):
        schemas.load_schema("zzz")


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("openai", {}, "'api_key_env_var' is a required property"),
        ("default", {"b": 1, "a": 2}, "Additional properties are not allowed ('a', 'b' were "),
        ("bm25", {"task": "x"}, "'x' is not one of ['document', 'query'] at path 'task'"),
        ("bm25", {"kwargs": {"a": None}}, "None is not of type 'string', 'integer', 'number', "),
        ("chroma_bm25", {"stopwords": ["a", 1]}, "1 is not of type 'string' at path 'stopwords/1'"),
        ("chroma_bm25", {"k": True}, "True is not of type 'number' at path 'k'"),
        ("ollama", {"url": "u", "model_name": "m", "timeout": 1.5}, "1.5 is not of type 'integer'"),
        ("openai", [], "[] is not of type 'object'"),
    ],
)
def test_a_wrong_configuration_is_refused(name: str, config: Any, message: str) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        schemas.validate_config_schema(config, name)
    expected = f"Config validation failed for schema '{name}': {message}"
    assert str(caught.value).startswith(expected)


def test_configurations_are_judged_as_by_the_package_jsonschema() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(2000):
        name = rng.choice(schemas.get_available_schemas())
        schema = schemas.load_schema(name)
        config: Any = {
            key: rng.choice(VALUES)
            for key in [*schema["properties"], "extra", "another"]
            if rng.random() < 0.6
        }
        theirs = ours = None
        try:
            jsonschema.validate(config, schema)
        except jsonschema.ValidationError as error:
            path = "/".join(str(step) for step in error.path)
            theirs = error.message + (f" at path '{path}'" if path else "")
        try:
            schemas.validate_config_schema(config, name)
        except jsonschema.ValidationError as error:
            assert isinstance(error, ValueError)
            ours = error.message.removeprefix(f"Config validation failed for schema '{name}': ")
        assert ours == theirs, (name, config)


def test_no_package_is_needed_to_refuse_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jsonschema")
    with pytest.raises(ConfigValidationError) as caught:
        schemas.validate_config_schema({}, "openai")
    assert not isinstance(caught.value, jsonschema.ValidationError)


# ---- Functions in the schema of a collection ----------------------------------------------------


def sparse_key(json: dict[str, Any]) -> Any:
    return json["keys"]["words"]["sparse_vector"]["sparse_vector_index"]["config"]


def test_a_sparse_function_is_stored_in_a_schema_and_built_again() -> None:
    function = ChromaBm25EmbeddingFunction(k=2.0)
    config = SparseVectorIndexConfig(embedding_function=function, source_key="#document")
    json = Schema().create_index(config, key="words").serialize_to_json()
    assert sparse_key(json) == {
        "source_key": "#document",
        "embedding_function": {
            "type": "known",
            "name": "chroma_bm25",
            "config": function.get_config(),
        },
    }
    again = Schema.deserialize_from_json(json)
    built = again.keys["words"].sparse_vector.sparse_vector_index.config  # type: ignore[union-attr]
    assert isinstance(built.embedding_function, ChromaBm25EmbeddingFunction)
    assert built.embedding_function.k == 2.0
    assert again.serialize_to_json() == json


def test_a_sparse_index_without_a_function_is_stored_so() -> None:
    json = Schema().create_index(SparseVectorIndexConfig(), key="words").serialize_to_json()
    assert sparse_key(json) == {"embedding_function": {"type": "unknown"}}
    again = Schema.deserialize_from_json(json)
    built = again.keys["words"].sparse_vector.sparse_vector_index.config  # type: ignore[union-attr]
    assert built.embedding_function is None


def test_a_function_that_cannot_be_built_is_left_out_with_a_warning() -> None:
    function = ChromaBm25EmbeddingFunction()
    config = SparseVectorIndexConfig(embedding_function=function, source_key="#document")
    json = Schema().create_index(config, key="words").serialize_to_json()
    stored = sparse_key(json)["embedding_function"]
    for name, stored_config, reason in (
        ("zzz", {}, "'zzz'"),
        ("chroma_bm25", {"k": "x"}, "could not convert string to float: 'x'"),
        ("bm25", {"kwargs": {"trust_remote_code": True}}, "trust_remote_code is not allowed"),
        ("length", {"dimension": 3}, "'length'"),  # A dense one.
    ):
        stored.update(name=name, config=stored_config)
        del sparse_key(json)["source_key"]
        with pytest.warns(UserWarning) as caught:
            again = Schema.deserialize_from_json(json)
        sparse_key(json)["source_key"] = "#document"
        (message,) = (str(item.message) for item in caught)
        assert message.startswith(
            f"Could not reconstruct sparse embedding function {name}: {reason}"
        )
        index = again.keys["words"].sparse_vector.sparse_vector_index  # type: ignore[union-attr]
        assert index.config.embedding_function is None


def test_a_dense_function_that_asks_for_foreign_code_is_left_out() -> None:
    stored = Schema().create_index(VectorIndexConfig()).serialize_to_json()
    for types in (stored["defaults"], stored["keys"]["#embedding"]):
        types["float_list"]["vector_index"]["config"]["embedding_function"] = {
            "type": "known",
            "name": "sentence_transformer",
            "config": {
                "model_name": "m",
                "device": "cpu",
                "normalize_embeddings": False,
                "kwargs": {"model_kwargs": {"trust_remote_code": True}},
            },
        }
    with pytest.warns(UserWarning, match="Could not reconstruct embedding function sentence_tr"):
        schema = Schema.deserialize_from_json(stored)
    assert schema.defaults.float_list is not None
    assert schema.defaults.float_list.vector_index is not None
    assert schema.defaults.float_list.vector_index.config.embedding_function is None


def test_a_collection_does_not_build_what_asks_for_foreign_code(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Any] = []

    class Loader(LengthFunction):
        @staticmethod
        def name() -> str:
            return "sentence_transformer"

        def get_config(self) -> dict[str, Any]:
            return {"kwargs": {"trust_remote_code": True}}

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Any:
            built.append(config)
            return Loader()

    known = embedding_functions.known_embedding_functions
    monkeypatch.setitem(known, "sentence_transformer", Loader)
    created = client.create_collection("notes", embedding_function=Loader())
    created.add(ids="a", documents="with the function that the caller made")
    found = client.get_collection("notes")
    with pytest.raises(ValueError, match=r"^trust_remote_code is not allowed .* in add\.$"):
        found.add(ids="b", documents="text")
    with pytest.raises(ValueError, match="^trust_remote_code is not allowed"):
        _ = found.configuration
    with pytest.raises(ValueError, match="^trust_remote_code is not allowed"):
        embedding_functions.config_to_embedding_function(
            {"name": "sentence_transformer", "config": Loader().get_config()}
        )
    assert built == []
    client.get_collection("notes", embedding_function=Loader()).add(ids="b", documents="text")
