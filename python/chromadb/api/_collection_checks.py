"""What clients of every kind check before they ask for a collection, or hand one out."""

from __future__ import annotations

from typing import Any

from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    validate_embedding_function_conflict_on_create,
)
from chromadb.api.types import EmbeddingFunction, Schema, validate_embedding_function


def completed_configuration(
    schema: Schema | None,
    configuration: CreateCollectionConfiguration | None,
    embedding_function: EmbeddingFunction[Any] | None,
) -> CreateCollectionConfiguration:
    """The configuration of a new collection, with the embedding function that was passed beside it.

    A copy: what the caller passed stays as it is. Raises ValueError where the arguments have the
    wrong types, or two functions are given.
    """
    if schema is not None and not isinstance(schema, Schema):
        raise ValueError(f"Expected schema to be a Schema, got {schema}")
    if configuration is not None and not isinstance(configuration, dict):
        raise ValueError(f"Expected configuration to be a dict, got {configuration}")
    completed = CreateCollectionConfiguration(**(configuration or {}))
    configured = completed.get("embedding_function")
    for function in (embedding_function, configured):
        if function is not None:
            validate_embedding_function(function)
    validate_embedding_function_conflict_on_create(embedding_function, configured)
    if configured is None and embedding_function is not None:
        completed["embedding_function"] = embedding_function
    return completed
