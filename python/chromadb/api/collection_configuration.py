"""The configuration of a collection: what callers say, and the JSON that the engine keeps.

The JSON has three keys: `hnsw` and `spann`, each a dict of settings or None, and
`embedding_function`: `{"type": "known", "name": …, "config": …}` for a function that can be
rebuilt, `{"type": "legacy"}` for one that cannot, None for none. A fourth one, `vector_dtype`, is
there where it is given, or is not "f32". Values are the engine's to check.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from chromadb.api._configuration_readers import (
    create_collection_configuration_from_legacy_collection_metadata,
    create_collection_configuration_from_legacy_metadata_dict,
    json_to_create_hnsw_configuration,
    json_to_create_spann_configuration,
    json_to_update_hnsw_configuration,
    json_to_update_spann_configuration,
    load_create_collection_configuration_from_json,
    load_update_collection_configuration_from_json,
    overwrite_collection_configuration,
    overwrite_embedding_function,
    overwrite_hnsw_configuration,
    overwrite_spann_configuration,
    populate_create_hnsw_defaults,
    update_collection_configuration_from_legacy_collection_metadata,
    update_collection_configuration_from_legacy_update_metadata,
    update_schema_from_collection_configuration,
)
from chromadb.api._configuration_types import (
    CollectionConfiguration,
    CreateCollectionConfiguration,
    CreateHNSWConfiguration,
    CreateSpannConfiguration,
    HNSWConfiguration,
    SpannConfiguration,
    UpdateCollectionConfiguration,
    UpdateHNSWConfiguration,
    UpdateSpannConfiguration,
    VectorDtype,
)
from chromadb.api._embedding_function import EmbeddingFunction, known_name, shown_name
from chromadb.api.types import CollectionMetadata

__all__ = [
    "CollectionConfiguration",
    "CreateCollectionConfiguration",
    "CreateHNSWConfiguration",
    "CreateSpannConfiguration",
    "HNSWConfiguration",
    "SpannConfiguration",
    "UpdateCollectionConfiguration",
    "UpdateHNSWConfiguration",
    "UpdateSpannConfiguration",
    "VectorDtype",
    "collection_configuration_to_json",
    "collection_configuration_to_json_str",
    "create_collection_configuration_from_legacy_collection_metadata",
    "create_collection_configuration_from_legacy_metadata_dict",
    "create_collection_configuration_to_json",
    "create_collection_configuration_to_json_str",
    "json_to_create_hnsw_configuration",
    "json_to_create_spann_configuration",
    "json_to_update_hnsw_configuration",
    "json_to_update_spann_configuration",
    "load_collection_configuration_from_json",
    "load_collection_configuration_from_json_str",
    "load_create_collection_configuration_from_json",
    "load_embedding_function",
    "load_update_collection_configuration_from_json",
    "load_update_collection_configuration_from_json_str",
    "overwrite_collection_configuration",
    "overwrite_embedding_function",
    "overwrite_hnsw_configuration",
    "overwrite_spann_configuration",
    "populate_create_hnsw_defaults",
    "update_collection_configuration_from_legacy_collection_metadata",
    "update_collection_configuration_from_legacy_update_metadata",
    "update_collection_configuration_to_json",
    "update_collection_configuration_to_json_str",
    "update_schema_from_collection_configuration",
    "validate_embedding_function_conflict_on_create",
    "validate_embedding_function_conflict_on_get",
    "validate_embedding_function_update",
]


# ---- To the engine ------------------------------------------------------------------------------


def create_collection_configuration_to_json(
    config: CreateCollectionConfiguration, metadata: CollectionMetadata | None = None
) -> dict[str, Any]:
    """The JSON of a new collection's configuration.

    The distance is the one that the configuration or the legacy key `hnsw:space` of `metadata`
    names, else the embedding function's default. Makes the function's class known by its name.
    """
    hnsw, spann = config.get("hnsw"), config.get("spann")
    if hnsw is not None and spann is not None:
        raise ValueError("hnsw and spann cannot both be provided")
    function = config.get("embedding_function")
    stored = _stored_function(function)
    if function is None or stored["type"] == "legacy":
        return _json(hnsw, spann, stored, config)

    space = metadata.get("hnsw:space") if isinstance(metadata, dict) else None
    index: Any = spann if spann is not None else hnsw
    if index is None and space is None:
        index = {}
    if isinstance(index, dict):
        if index.get("space") is None:
            index = {**index, "space": function.default_space()}
        space = index["space"]
    if space is not None and space not in function.supported_spaces():
        warnings.warn(
            f"space {space} is not supported by {function.name()}. "
            f"Supported spaces: {function.supported_spaces()}",
            UserWarning,
            stacklevel=2,
        )
    if spann is not None:
        return _json(None, index, stored, config)
    return _json(index, None, stored, config)


def create_collection_configuration_to_json_str(
    config: CreateCollectionConfiguration, metadata: CollectionMetadata | None = None
) -> str:
    """The JSON text of a new collection's configuration."""
    return json.dumps(create_collection_configuration_to_json(config, metadata))


def update_collection_configuration_to_json(
    config: UpdateCollectionConfiguration,
) -> dict[str, Any]:
    """The JSON of a change; empty where nothing changes."""
    hnsw, spann = config.get("hnsw"), config.get("spann")
    function = config.get("embedding_function")
    if hnsw is None and spann is None and function is None and "vector_dtype" not in config:
        return {}
    stored = None
    if function is not None:
        stored = _stored_function(function)
        if stored["type"] == "known":
            function.validate_config(stored["config"])
    return _json(hnsw, spann, stored, config)


def update_collection_configuration_to_json_str(config: UpdateCollectionConfiguration) -> str:
    """The JSON text of a change."""
    return json.dumps(update_collection_configuration_to_json(config))


def _json(
    hnsw: Any, spann: Any, stored: dict[str, Any] | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    members: dict[str, Any] = {"hnsw": hnsw, "spann": spann, "embedding_function": stored}
    if "vector_dtype" in config:
        members["vector_dtype"] = config["vector_dtype"]
    return members


def _stored_function(function: EmbeddingFunction[Any] | None) -> dict[str, Any]:
    """How a collection remembers a function. Makes the function's class known by its name."""
    from chromadb.utils.embedding_functions import register_embedding_function

    if function is None:
        return {"type": "legacy"}
    name = known_name(function)
    reason = "it lacks name(), get_config() or build_from_config()"
    if name is not None:
        try:
            register_embedding_function(type(function))
        except ValueError as error:
            reason = str(error)  # Such as a name() that needs an instance.
        else:
            return {"name": name, "type": "known", "config": function.get_config()}
    warnings.warn(
        f"The collection cannot remember its embedding function {type(function).__name__}: "
        f"{reason}. Pass the function again whenever the collection is opened.",
        DeprecationWarning,
        stacklevel=2,
    )
    return {"type": "legacy"}


def collection_configuration_to_json(config: CollectionConfiguration) -> dict[str, Any]:
    """The JSON of a configuration that a collection answered."""
    hnsw, spann = config.get("hnsw"), config.get("spann")
    return _json(hnsw, spann, _stored_function(config.get("embedding_function")), config)


def collection_configuration_to_json_str(config: CollectionConfiguration) -> str:
    """The JSON text of a configuration that a collection answered."""
    return json.dumps(collection_configuration_to_json(config))


# ---- From the engine ----------------------------------------------------------------------------


def load_collection_configuration_from_json(
    config_json_map: dict[str, Any],
) -> CollectionConfiguration:
    """The configuration with its embedding function built, where it can be.

    Raises ValueError where the function is known by a name that no class is registered under.
    """
    if config_json_map.get("hnsw") is not None and config_json_map.get("spann") is not None:
        raise ValueError("hnsw and spann cannot both be provided")
    configuration = CollectionConfiguration(
        hnsw=config_json_map.get("hnsw"),
        spann=config_json_map.get("spann"),
        embedding_function=load_embedding_function(config_json_map.get("embedding_function")),
    )
    if "vector_dtype" in config_json_map:
        configuration["vector_dtype"] = config_json_map["vector_dtype"]
    return configuration


def load_collection_configuration_from_json_str(config_json_str: str) -> CollectionConfiguration:
    """The same from JSON text."""
    return load_collection_configuration_from_json(json.loads(config_json_str))


def load_update_collection_configuration_from_json_str(
    json_str: str,
) -> UpdateCollectionConfiguration:
    """The change of a configuration that JSON text stands for."""
    return load_update_collection_configuration_from_json(json.loads(json_str))


def load_embedding_function(stored: dict[str, Any] | None) -> EmbeddingFunction[Any] | None:
    """The function that the JSON describes; None where it describes none that can be rebuilt.

    Raises ValueError where no class is registered under the name, where the class cannot build a
    function from the configuration, and where the configuration could make it run foreign code.
    """
    if stored is None or stored.get("type") != "known":
        return None
    from chromadb.utils.embedding_functions import known_embedding_functions
    from chromadb.utils.embedding_functions.config_validation import (
        validate_embedding_function_config_is_safe,
    )

    if "name" not in stored:
        raise ValueError(f"Embedding function name not found in config: {stored}")
    name, config = stored["name"], stored.get("config")
    if name not in known_embedding_functions:
        raise ValueError(
            f"Embedding function {name} not found. Add @register_embedding_function decorator to "
            "the class definition."
        )
    validate_embedding_function_config_is_safe(name, config)
    try:
        return known_embedding_functions[name].build_from_config(config)  # type: ignore[arg-type]
    except Exception as error:
        raise ValueError(
            f"Could not build embedding function {name} from config {config}: {error}"
        ) from error


# ---- Conflicts ----------------------------------------------------------------------------------


def validate_embedding_function_conflict_on_create(
    embedding_function: EmbeddingFunction[Any] | None,
    configuration_ef: EmbeddingFunction[Any] | None,
) -> None:
    """Refuses two different functions for one new collection. The default one does not count."""
    if embedding_function is None or configuration_ef is None:
        return
    name, configured = shown_name(embedding_function), shown_name(configuration_ef)
    if name not in ("default", configured):
        raise ValueError(
            "Multiple embedding functions provided. Please provide only one. Embedding function "
            f"conflict: {name} vs {configured}"
        )


def validate_embedding_function_conflict_on_get(
    embedding_function: EmbeddingFunction[Any] | None,
    persisted_ef_config: dict[str, Any] | None,
) -> None:
    """Refuses a function that is not the collection's own. The default one does not count."""
    if embedding_function is None or persisted_ef_config is None:
        return
    name, persisted = shown_name(embedding_function), persisted_ef_config.get("name")
    if persisted is not None and name not in ("default", persisted):
        raise ValueError(
            "An embedding function already exists in the collection configuration, and a new one "
            "is provided. If this is intentional, please embed documents separately. Embedding "
            f"function conflict: new: {name} vs persisted: {persisted}"
        )


def validate_embedding_function_update(
    embedding_function: EmbeddingFunction[Any], persisted_ef_config: dict[str, Any] | None
) -> None:
    """Refuses to change a collection's function into one of another name."""
    if persisted_ef_config is None or persisted_ef_config.get("name") is None:
        return
    persisted = persisted_ef_config["name"]
    name = shown_name(embedding_function)
    if name != persisted:
        raise ValueError(
            f"Cannot update embedding function: incompatible types ({persisted} vs {name})"
        )
    embedding_function.validate_config_update(
        persisted_ef_config["config"], embedding_function.get_config()
    )
