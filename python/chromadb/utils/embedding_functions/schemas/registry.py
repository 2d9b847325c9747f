"""Which schemas there are."""

from __future__ import annotations

from chromadb.utils.embedding_functions.schemas._definitions import SCHEMAS


def get_available_schemas() -> list[str]:
    """The names of the schemas of embedding functions."""
    return [name for name in SCHEMAS if name != "base_schema"]


def get_schema_info() -> dict[str, dict[str, str]]:
    """The version, title and description of each schema, by its name."""
    return {
        name: {key: SCHEMAS[name][key] for key in ("version", "title", "description")}
        for name in get_available_schemas()
    }


def get_embedding_function_names() -> set[str]:
    """The names of the embedding functions that have a schema."""
    return set(get_available_schemas())
