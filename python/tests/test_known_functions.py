"""The registry of embedding functions: what it has, when it imports it, and what it refuses."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from chromadb.utils import embedding_functions
from chromadb.utils.embedding_functions._known_functions import (
    DENSE_FUNCTIONS,
    SPARSE_FUNCTIONS,
    KnownFunctions,
)
from chromadb.utils.embedding_functions.config_validation import (
    validate_embedding_function_config_is_safe,
)


def test_there_are_as_many_functions_as_upstream_has() -> None:
    # Of the tables: other tests register classes of their own.
    assert len(DENSE_FUNCTIONS) == 29
    assert len(SPARSE_FUNCTIONS) == 5
    assert len(embedding_functions.get_builtins()) == 34


def test_importing_the_package_imports_none_of_the_functions() -> None:
    program = """
import sys
import chromadb
from chromadb.utils import embedding_functions
known = embedding_functions.known_embedding_functions
assert len(known) == 29 and "openai" in known and list(known)[0] == "cohere"
embedding_functions.get_builtins()
loaded = [name for name in sys.modules if name.endswith("_embedding_function")]
print([name for name in loaded if name.startswith("chromadb.utils.")])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.fixture
def known() -> KnownFunctions:
    return KnownFunctions({"default": "DefaultEmbeddingFunction", "own": int})


@pytest.mark.parametrize(
    "classes",
    [
        lambda known: dict(known),
        lambda known: {**known},
        lambda known: known | {},
        lambda known: {} | known,
        lambda known: known.copy(),
        lambda known: copy.copy(known),
        lambda known: copy.deepcopy(known),
        lambda known: dict(known.items()),
        lambda known: dict(zip(known, known.values(), strict=True)),
        lambda known: {name: known[name] for name in known},
        lambda known: {name: known.get(name) for name in known},
        lambda known: {name: known.setdefault(name) for name in list(known)},
        lambda known: {name: known.pop(name) for name in list(known)},
        lambda known: dict(known.popitem() for _ in range(2)),
    ],
)
def test_every_way_to_a_function_shows_its_class(known: KnownFunctions, classes: Any) -> None:
    expected = {"default": embedding_functions.DefaultEmbeddingFunction, "own": int}
    assert classes(known) == expected


def test_a_registry_compares_as_a_dict_of_classes(known: KnownFunctions) -> None:
    assert known == {"default": embedding_functions.DefaultEmbeddingFunction, "own": int}
    assert known != {"default": "DefaultEmbeddingFunction", "own": int}
    assert isinstance(known, dict)


UNSAFE: list[Any] = [
    {"trust_remote_code": True},
    {"trust_remote_code": False},
    {"model_kwargs": {"trust_remote_code": True}},
    {"list": [1, ({"deeper": [{"trust_remote_code": 1}]},)]},
]


@pytest.mark.parametrize("kwargs", UNSAFE, ids=repr)
@pytest.mark.parametrize(
    "name", ["sentence_transformer", "huggingface_sparse", "fastembed_sparse", "bm25"]
)
def test_a_stored_configuration_cannot_ask_for_foreign_code(name: str, kwargs: Any) -> None:
    with pytest.raises(ValueError, match="^trust_remote_code is not allowed"):
        validate_embedding_function_config_is_safe(name, {"model_name": "x", "kwargs": kwargs})


def test_other_arguments_may_be_stored() -> None:
    validate_embedding_function_config_is_safe(
        "sentence_transformer", {"kwargs": {"revision": "main", "model_kwargs": {"dtype": "x"}}}
    )
    validate_embedding_function_config_is_safe("sentence_transformer", {"model_name": "x"})
    validate_embedding_function_config_is_safe("own", {"kwargs": {"trust_remote_code": True}})
