"""What a function may leave out, and what else collections and functions have of upstream's."""

from __future__ import annotations

import sys
import types
import uuid
from typing import Any, cast

import numpy as np
import pytest
from conftest import LengthFunction

import chromadb
from chromadb.api.models.Collection import Collection
from chromadb.api.types import EmbeddingFunction
from chromadb.types import Collection as CollectionModel
from chromadb.utils import embedding_functions


class Nameless(EmbeddingFunction[Any]):
    """Only what has to be there."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Any) -> Any:
        return np.ones((len(input), 3))


# ---- As upstream's own programs use it -----------------------------------------------------------


def test_a_function_whose_name_needs_an_instance_is_not_remembered(client: Any) -> None:
    class Bound(Nameless):
        def name(self) -> str:  # type: ignore[override]
            return "bound"

        def build_from_config(self, config: dict[str, Any]) -> Any:  # type: ignore[override]
            return None

        def get_config(self) -> dict[str, Any]:
            return {}

    with pytest.warns(DeprecationWarning, match="cannot remember its embedding function Bound: "):
        collection = client.create_collection("notes", embedding_function=Bound())
    assert collection.configuration_json["embedding_function"] == {"type": "legacy"}
    again = client.get_collection("notes", embedding_function=Bound())
    again.add(ids="a", documents="text")
    np.testing.assert_array_equal(again.get(include=["embeddings"])["embeddings"], [[1.0] * 3])


def test_a_collection_embeds_without_adding(client: Any) -> None:
    class Asymmetric(LengthFunction):
        def embed_query(self, input: Any) -> Any:
            return [[9.0] * 3 for _ in input]

    collection = client.create_collection("notes", embedding_function=Asymmetric())
    np.testing.assert_array_equal(collection._embed(["four"]), [[4.0] * 3])
    np.testing.assert_array_equal(collection._embed(["four"], is_query=True), [[9.0] * 3])


def test_the_function_of_a_schema_serves_where_the_configuration_has_none() -> None:
    """As it comes from servers that keep the schema alone."""
    embedding_functions.register_embedding_function(LengthFunction)
    index = chromadb.VectorIndexConfig(embedding_function=LengthFunction())
    model = CollectionModel(
        id=uuid.uuid4(),
        name="notes",
        configuration_json={},
        serialized_schema=chromadb.Schema().create_index(index).serialize_to_json(),
        metadata=None,
        dimension=None,
        tenant="tenant",
        database="database",
    )
    collection = Collection(client=cast(Any, None), model=model, embedding_function=None)
    np.testing.assert_array_equal(collection._embed(["four"]), [[4.0] * 3])


def test_a_configuration_of_two_indexes_embeds_nothing(client: Any) -> None:
    collection = client.create_collection("notes", embedding_function=None)
    collection._model.configuration_json = {"hnsw": {"space": "l2"}, "spann": {"space": "l2"}}
    with pytest.raises(ValueError, match="hnsw and spann cannot both be provided"):
        collection._embed(["text"])


# ---- What a function may leave out --------------------------------------------------------------


def test_a_function_that_lacks_a_method_says_which() -> None:
    class Partly(EmbeddingFunction[Any]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:
            return [[1.0]]

        @staticmethod
        def name() -> str:
            return "partly"

    function = Partly()
    assert function.is_legacy()
    for call, message in (
        (function.get_config, "The class Partly does not implement get_config()."),
        (
            lambda: function.build_from_config({}),
            "The EmbeddingFunction class does not implement build_from_config().",
        ),
        (EmbeddingFunction.name, "The EmbeddingFunction class does not implement name()."),
    ):
        with pytest.warns(DeprecationWarning) as caught:
            assert call() is NotImplemented
        assert [str(warning.message) for warning in caught] == [
            f"{message} This will be required in a future version."
        ]


def test_a_function_that_fails_is_asked_again_as_tenacity_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Flaky(Nameless):
        calls = 0

        def __call__(self, input: Any) -> Any:
            self.calls += 1
            if self.calls < 3:
                raise OSError("not yet")
            return [[1.0, 2.0] for _ in input]

    def retry(attempts: int) -> Any:
        def again(embed: Any) -> Any:
            def embed_again(input: Any) -> Any:
                for _ in range(attempts - 1):
                    try:
                        return embed(input)
                    except OSError:
                        continue
                return embed(input)

            return embed_again

        return again

    monkeypatch.setitem(sys.modules, "tenacity", types.SimpleNamespace(retry=retry))
    np.testing.assert_array_equal(Flaky().embed_with_retries(["a"], attempts=3), [[1, 2]])
    with pytest.raises(OSError, match="not yet"):
        Flaky().embed_with_retries(["a"], attempts=2)
    monkeypatch.setitem(sys.modules, "tenacity", None)
    with pytest.raises(ValueError, match="^The tenacity python package is not installed"):
        Flaky().embed_with_retries(["a"], attempts=2)
