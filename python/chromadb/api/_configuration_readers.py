"""Configurations from JSON and from legacy metadata, and one written over another.

Collections are configured by what `collection_configuration` makes of their arguments. Here is what
programs import that move configurations between databases.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

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
)
from chromadb.api._embedding_function import EmbeddingFunction
from chromadb.api.schema import Schema
from chromadb.base_types import Space

# The keys of collection metadata that were settings before there were configurations.
LEGACY_KEYS = {
    "hnsw:space": "space",
    "hnsw:construction_ef": "ef_construction",
    "hnsw:M": "max_neighbors",
    "hnsw:search_ef": "ef_search",
    "hnsw:num_threads": "num_threads",
    "hnsw:batch_size": "batch_size",
    "hnsw:sync_threshold": "sync_threshold",
    "hnsw:resize_factor": "resize_factor",
}
_CREATE_HNSW = tuple(CreateHNSWConfiguration.__annotations__)
# Not all of a spann index's settings are read back, as upstream reads them.
_CREATE_SPANN = (
    "search_nprobe",
    "write_nprobe",
    "space",
    "ef_construction",
    "ef_search",
    "max_neighbors",
)
_UPDATE_HNSW = tuple(UpdateHNSWConfiguration.__annotations__)
_UPDATE_SPANN = tuple(UpdateSpannConfiguration.__annotations__)


def _picked(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    picked = {name: settings[name] for name in names if name in settings}
    if "space" in picked and picked["space"] not in get_args(Space):
        raise ValueError(f"not a valid space: {picked['space']}")
    return picked


def json_to_create_hnsw_configuration(json_map: dict[str, Any]) -> CreateHNSWConfiguration:
    """The settings of a new hnsw index; other keys are left out."""
    return cast(CreateHNSWConfiguration, _picked(json_map, _CREATE_HNSW))


def json_to_create_spann_configuration(json_map: dict[str, Any]) -> CreateSpannConfiguration:
    """The settings of a new spann index; other keys are left out."""
    return cast(CreateSpannConfiguration, _picked(json_map, _CREATE_SPANN))


def json_to_update_hnsw_configuration(json_map: dict[str, Any]) -> UpdateHNSWConfiguration:
    """The settings of an hnsw index that may change; other keys are left out."""
    return cast(UpdateHNSWConfiguration, _picked(json_map, _UPDATE_HNSW))


def json_to_update_spann_configuration(json_map: dict[str, Any]) -> UpdateSpannConfiguration:
    """The settings of a spann index that may change; other keys are left out."""
    return cast(UpdateSpannConfiguration, _picked(json_map, _UPDATE_SPANN))


def _refuse_both(configuration: Mapping[str, Any]) -> None:
    if configuration.get("hnsw") is not None and configuration.get("spann") is not None:
        raise ValueError("hnsw and spann cannot both be provided")


def _read_function(json_map: dict[str, Any]) -> EmbeddingFunction[Any] | None:
    from chromadb.api.collection_configuration import load_embedding_function

    stored = json_map.get("embedding_function")
    if stored is not None and stored.get("type") == "legacy":
        warnings.warn("legacy embedding function config", DeprecationWarning, stacklevel=3)
    return load_embedding_function(stored)


def load_create_collection_configuration_from_json(
    json_map: dict[str, Any],
) -> CreateCollectionConfiguration:
    """The configuration of a new collection, with what the JSON says and no more."""
    _refuse_both(json_map)
    configuration: CreateCollectionConfiguration = {}
    if (hnsw := json_map.get("hnsw")) is not None:
        configuration["hnsw"] = json_to_create_hnsw_configuration(hnsw)
    if (spann := json_map.get("spann")) is not None:
        configuration["spann"] = json_to_create_spann_configuration(spann)
    if (function := _read_function(json_map)) is not None:
        configuration["embedding_function"] = function
    return configuration


def load_update_collection_configuration_from_json(
    json_map: dict[str, Any],
) -> UpdateCollectionConfiguration:
    """The change of a configuration, with what the JSON says and no more."""
    _refuse_both(json_map)
    configuration: UpdateCollectionConfiguration = {}
    if (hnsw := json_map.get("hnsw")) is not None:
        configuration["hnsw"] = json_to_update_hnsw_configuration(hnsw)
    if (spann := json_map.get("spann")) is not None:
        configuration["spann"] = json_to_update_spann_configuration(spann)
    if (function := _read_function(json_map)) is not None:
        configuration["embedding_function"] = function
    return configuration


# ---- From legacy metadata -----------------------------------------------------------------------


def _legacy_settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {LEGACY_KEYS[key]: value for key, value in metadata.items() if key in LEGACY_KEYS}


def create_collection_configuration_from_legacy_metadata_dict(
    metadata: dict[str, Any],
) -> CreateCollectionConfiguration:
    """The configuration that the `hnsw:` keys of metadata stand for, with defaults for the rest."""
    settings = json_to_create_hnsw_configuration(_legacy_settings(metadata))
    return {"hnsw": populate_create_hnsw_defaults(settings)}


def create_collection_configuration_from_legacy_collection_metadata(
    metadata: dict[str, Any],
) -> CreateCollectionConfiguration:
    """The same, by the name for a collection's metadata."""
    return create_collection_configuration_from_legacy_metadata_dict(metadata)


def update_collection_configuration_from_legacy_update_metadata(
    metadata: Mapping[str, Any],
) -> UpdateCollectionConfiguration:
    """The change that the `hnsw:` keys of metadata stand for."""
    return {"hnsw": json_to_update_hnsw_configuration(_legacy_settings(metadata))}


def update_collection_configuration_from_legacy_collection_metadata(
    metadata: dict[str, Any],
) -> UpdateCollectionConfiguration:
    """The same, by the name for a collection's metadata."""
    return update_collection_configuration_from_legacy_update_metadata(metadata)


def populate_create_hnsw_defaults(
    config: CreateHNSWConfiguration, ef: EmbeddingFunction[Any] | None = None
) -> CreateHNSWConfiguration:
    """Fills in what the settings leave open."""
    defaults = {
        "space": "l2" if ef is None else ef.default_space(),
        "ef_construction": 100,
        "max_neighbors": 16,
        "ef_search": 100,
        "num_threads": os.cpu_count(),
        "batch_size": 100,
        "sync_threshold": 1000,
        "resize_factor": 1.2,
    }
    given = {name: value for name, value in config.items() if value is not None}
    return cast(CreateHNSWConfiguration, defaults | given)


# ---- One over another ---------------------------------------------------------------------------


def overwrite_hnsw_configuration(
    existing_hnsw_config: HNSWConfiguration, update_hnsw_config: UpdateHNSWConfiguration
) -> HNSWConfiguration:
    """The settings with those of a change in their places."""
    changes = _picked(update_hnsw_config, _UPDATE_HNSW)
    return cast(HNSWConfiguration, {**existing_hnsw_config, **changes})


def overwrite_spann_configuration(
    existing_spann_config: SpannConfiguration, update_spann_config: UpdateSpannConfiguration
) -> SpannConfiguration:
    """The settings with those of a change in their places."""
    changes = _picked(update_spann_config, _UPDATE_SPANN)
    return cast(SpannConfiguration, {**existing_spann_config, **changes})


def overwrite_embedding_function(
    existing_embedding_function: EmbeddingFunction[Any],
    update_embedding_function: EmbeddingFunction[Any],
) -> EmbeddingFunction[Any]:
    """The new function, where it is another configuration of the same one; ValueError otherwise."""
    existing, update = existing_embedding_function, update_embedding_function
    if existing.is_legacy() or update.is_legacy():
        warnings.warn(
            "cannot update legacy embedding function config", DeprecationWarning, stacklevel=2
        )
        return existing
    if existing.name() != update.name():
        raise ValueError(
            "Cannot update embedding function: incompatible types "
            f"({existing.name()} vs {update.name()})"
        )
    update.validate_config_update(existing.get_config(), update.get_config())
    return update


def overwrite_collection_configuration(
    existing_config: CollectionConfiguration, update_config: UpdateCollectionConfiguration
) -> CollectionConfiguration:
    """The configuration with a change in it. Settings of an index that is not there stay out."""
    _refuse_both(update_config)
    hnsw, spann = existing_config.get("hnsw"), existing_config.get("spann")
    function = existing_config.get("embedding_function")
    if hnsw is not None and (change := update_config.get("hnsw")) is not None:
        hnsw = overwrite_hnsw_configuration(hnsw, change)
    if spann is not None and (spann_change := update_config.get("spann")) is not None:
        spann = overwrite_spann_configuration(spann, spann_change)
    if (new := update_config.get("embedding_function")) is not None:
        function = new if function is None else overwrite_embedding_function(function, new)
    return {**existing_config, "hnsw": hnsw, "spann": spann, "embedding_function": function}


def update_schema_from_collection_configuration(
    schema: Schema, configuration: UpdateCollectionConfiguration
) -> Schema:
    """Changes the vector index of a schema, in its defaults and under #embedding."""
    places = {"defaults": schema.defaults}
    if "#embedding" not in schema.keys:
        raise ValueError("Schema is missing keys[#embedding]")
    places["keys[#embedding]"] = schema.keys["#embedding"]
    for place, value_types in places.items():
        if value_types.float_list is None or value_types.float_list.vector_index is None:
            raise ValueError(f"Schema is missing {place}.float_list.vector_index")
        config = value_types.float_list.vector_index.config
        if (hnsw := configuration.get("hnsw")) is not None:
            if config.hnsw is None:
                raise ValueError("Trying to update HNSW config but schema has SPANN")
            for name, value in _picked(hnsw, _UPDATE_HNSW).items():
                setattr(config.hnsw, name, value)
        elif (spann := configuration.get("spann")) is not None:
            if config.spann is None:
                raise ValueError("Trying to update SPANN config but schema has HNSW")
            for name, value in _picked(spann, _UPDATE_SPANN).items():
                setattr(config.spann, name, value)
        if (function := configuration.get("embedding_function")) is not None:
            config.embedding_function = function
    return schema
