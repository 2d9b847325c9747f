"""The schema of a collection: which of its values are indexed, and how.

    schema = Schema()
    schema.delete_index(StringInvertedIndexConfig(), key="body")   # Never filtered by.
    schema.create_index(VectorIndexConfig(space="cosine"))
    client.create_collection("notes", schema=schema)

`Schema()` indexes what a collection without a schema does. Filters by what is not indexed are
refused, and cost no space and no time.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from chromadb.api._embedding_function import known_name
from chromadb.api._index_configs import (
    DOCUMENT_KEY,
    BoolInvertedIndexConfig,
    FloatInvertedIndexConfig,
    FtsIndexConfig,
    IndexConfig,
    IntInvertedIndexConfig,
    SparseVectorIndexConfig,
    StringInvertedIndexConfig,
    VectorIndexConfig,
    key_name,
)
from chromadb.api._schema_parts import (
    BOOL_INVERTED_INDEX_NAME,
    BOOL_VALUE_NAME,
    EMBEDDING_KEY,
    FLOAT_INVERTED_INDEX_NAME,
    FLOAT_LIST_VALUE_NAME,
    FLOAT_VALUE_NAME,
    FTS_INDEX_NAME,
    INT_INVERTED_INDEX_NAME,
    INT_VALUE_NAME,
    SPARSE_VECTOR_INDEX_NAME,
    SPARSE_VECTOR_VALUE_NAME,
    STRING_INVERTED_INDEX_NAME,
    STRING_VALUE_NAME,
    VECTOR_INDEX_NAME,
    BoolInvertedIndexType,
    BoolValueType,
    Cmek,
    FloatInvertedIndexType,
    FloatListValueType,
    FloatValueType,
    FtsIndexType,
    IntInvertedIndexType,
    IntValueType,
    SparseVectorIndexType,
    SparseVectorValueType,
    StringInvertedIndexType,
    StringValueType,
    ValueTypes,
    VectorIndexType,
)

__all__ = ["Schema"]


class _Index(NamedTuple):
    """Where an index stands in `ValueTypes` and in JSON."""

    config: type[Any]
    index_type: type[Any]
    # Its name in JSON and as an attribute.
    name: str
    value_type: type[Any]
    value_name: str
    # The attribute of `ValueTypes`.
    attribute: str
    # Whether a collection without a schema has it for all keys.
    is_usual: bool


_STRING = (StringValueType, STRING_VALUE_NAME, "string")
_FLOAT_LIST = (FloatListValueType, FLOAT_LIST_VALUE_NAME, "float_list")
_SPARSE_VECTOR = (SparseVectorValueType, SPARSE_VECTOR_VALUE_NAME, "sparse_vector")
_INT = (IntValueType, INT_VALUE_NAME, "int_value")
_FLOAT = (FloatValueType, FLOAT_VALUE_NAME, "float_value")
_BOOL = (BoolValueType, BOOL_VALUE_NAME, "boolean")

_FTS_INDEX = _Index(FtsIndexConfig, FtsIndexType, FTS_INDEX_NAME, *_STRING, False)
_STRING_INDEX = _Index(
    StringInvertedIndexConfig, StringInvertedIndexType, STRING_INVERTED_INDEX_NAME, *_STRING, True
)
_VECTOR_INDEX = _Index(VectorIndexConfig, VectorIndexType, VECTOR_INDEX_NAME, *_FLOAT_LIST, False)
_SPARSE_INDEX = _Index(
    SparseVectorIndexConfig, SparseVectorIndexType, SPARSE_VECTOR_INDEX_NAME, *_SPARSE_VECTOR, False
)
_INT_INDEX = _Index(
    IntInvertedIndexConfig, IntInvertedIndexType, INT_INVERTED_INDEX_NAME, *_INT, True
)
_FLOAT_INDEX = _Index(
    FloatInvertedIndexConfig, FloatInvertedIndexType, FLOAT_INVERTED_INDEX_NAME, *_FLOAT, True
)
_BOOL_INDEX = _Index(
    BoolInvertedIndexConfig, BoolInvertedIndexType, BOOL_INVERTED_INDEX_NAME, *_BOOL, True
)

# In the order in which upstream writes them.
_INDEXES = (
    _FTS_INDEX,
    _STRING_INDEX,
    _VECTOR_INDEX,
    _SPARSE_INDEX,
    _INT_INDEX,
    _FLOAT_INDEX,
    _BOOL_INDEX,
)


@dataclass(init=False)
class Schema:
    """What is indexed: `defaults` by the type of a value, and `keys` for single keys.

    The key `#document` stands for documents, `#embedding` for the vectors.
    """

    defaults: ValueTypes
    keys: dict[str, ValueTypes]
    cmek: Cmek | None = None

    def __init__(self) -> None:
        self.defaults = ValueTypes()
        for index in _INDEXES:
            _set(self.defaults, index, index.is_usual, index.config())
        document, embedding = ValueTypes(), ValueTypes()
        _set(document, _FTS_INDEX, True, FtsIndexConfig())
        _set(document, _STRING_INDEX, False, StringInvertedIndexConfig())
        _set(embedding, _VECTOR_INDEX, True, VectorIndexConfig(source_key=DOCUMENT_KEY))
        self.keys = {DOCUMENT_KEY: document, EMBEDDING_KEY: embedding}
        self.cmek = None

    def create_index(self, config: IndexConfig | None = None, key: Any = None) -> Schema:
        """Turns an index on, for the values of its type under one key or under all.

        The settings of the vector index are given without a key, those of documents' with
        `#document`. Returns the schema.

        Raises:
            ValueError: There is no such index, or not under this key.
        """
        name = None if key is None else key_name(key)
        if config is None and name is None:
            raise ValueError(
                "Cannot enable all index types globally. Must specify either config or key."
            )
        if name == EMBEDDING_KEY:
            raise ValueError(
                f"Cannot create index on special key '{name}'. This key is managed automatically "
                "by the system. Invoke create_index(VectorIndexConfig(...)) without specifying a "
                "key to configure the vector index globally."
            )
        _check_special_key("create", name, config)
        if isinstance(config, VectorIndexConfig):
            if name is not None:
                raise ValueError(
                    "Vector index cannot be enabled on specific keys. Use "
                    "create_index(config=VectorIndexConfig(...)) without specifying a key to "
                    "configure the vector index globally."
                )
            self._set_vector_index(config)
            return self
        if isinstance(config, FtsIndexConfig) and name != DOCUMENT_KEY:
            raise ValueError(
                "FTS index can only be enabled on #document key. "
                "Use create_index(config=FtsIndexConfig(), key='#document')"
            )
        if isinstance(config, SparseVectorIndexConfig):
            self._check_sparse_index(config, name)
        if config is None:
            raise ValueError(
                f"Cannot enable all index types for key '{name}'. "
                "Please specify a specific index configuration."
            )
        self._set(name, config, enabled=True)
        return self

    def delete_index(self, config: IndexConfig | None = None, key: Any = None) -> Schema:
        """Turns an index off; as `create_index`. The vector index stays."""
        name = None if key is None else key_name(key)
        if config is None and name is None:
            raise ValueError("Cannot disable all indexes. Must specify either config or key.")
        if name == EMBEDDING_KEY:
            raise ValueError("Cannot modify #embedding. Currently not supported")
        _check_special_key("delete", name, config)
        if isinstance(config, VectorIndexConfig):
            raise ValueError("Deleting vector index is not currently supported.")
        if isinstance(config, SparseVectorIndexConfig):
            raise ValueError("Deleting sparse vector index is not currently supported.")
        if isinstance(config, FtsIndexConfig) and name != DOCUMENT_KEY:
            raise ValueError("Deleting FTS index is only supported on #document key.")
        if config is None:
            raise ValueError(
                f"Cannot disable all index types for key '{name}'. "
                "Please specify a specific index configuration."
            )
        self._set(name, config, enabled=False)
        return self

    def set_cmek(self, cmek: Cmek | None) -> Schema:
        """Names the key to encrypt with, or none. Returns the schema."""
        self.cmek = cmek
        return self

    # ---- JSON -----------------------------------------------------------------------------------

    def serialize_to_json(self) -> dict[str, Any]:
        """The schema as JSON values, with embedding functions by name and configuration."""
        result: dict[str, Any] = {
            "defaults": _to_json(self.defaults),
            "keys": {key: _to_json(types) for key, types in self.keys.items()},
        }
        if self.cmek is not None:
            result["cmek"] = self.cmek.to_dict()
        return result

    @classmethod
    def deserialize_from_json(cls, json_data: dict[str, Any]) -> Schema:
        """The schema that was serialized, with the embedding functions that can be built."""
        schema = cls.__new__(cls)
        schema.defaults = _from_json(json_data.get("defaults", {}))
        schema.keys = {key: _from_json(types) for key, types in json_data.get("keys", {}).items()}
        cmek = json_data.get("cmek")
        schema.cmek = None if cmek is None else Cmek.from_dict(cmek)
        return schema

    # ---- Changes --------------------------------------------------------------------------------

    def _set(self, key: str | None, config: IndexConfig, enabled: bool) -> None:
        types = self.defaults if key is None else self.keys.setdefault(key, ValueTypes())
        _set(types, _index(config), enabled, config)

    def _set_vector_index(self, config: VectorIndexConfig) -> None:
        # The vectors of records are made of documents, whatever other vectors are made of.
        _set(self.defaults, _VECTOR_INDEX, False, config)
        own = VectorIndexConfig(
            space=config.space,
            embedding_function=config.embedding_function,
            source_key=DOCUMENT_KEY,
            hnsw=config.hnsw,
            spann=config.spann,
        )
        _set(self.keys.setdefault(EMBEDDING_KEY, ValueTypes()), _VECTOR_INDEX, True, own)

    def _check_sparse_index(self, config: SparseVectorIndexConfig, key: str | None) -> None:
        if key is None:
            raise ValueError(
                "Sparse vector index must be created on a specific key. Please specify a key "
                "using: create_index(config=SparseVectorIndexConfig(...), key='your_key')"
            )
        for other, types in self.keys.items():
            found = types.sparse_vector and types.sparse_vector.sparse_vector_index
            if other != key and found and found.enabled:
                raise ValueError(
                    f"Cannot enable sparse vector index on key '{key}'. A sparse vector index is "
                    f"already enabled on key '{other}'. Only one sparse vector index is allowed "
                    "per collection."
                )
        if config.source_key is not None and config.embedding_function is None:
            raise ValueError(
                "If source_key is provided then embedding_function must also be provided since "
                "there is no default embedding function. Config: embedding_function=None "
                f"source_key={config.source_key!r} bm25={config.bm25!r}"
            )


def _check_special_key(verb: str, key: str | None, config: IndexConfig | None) -> None:
    if key == DOCUMENT_KEY and not isinstance(config, FtsIndexConfig):
        raise ValueError(
            f"Cannot {verb} index on special key '{key}' with this config. "
            "Only FtsIndexConfig is allowed for #document."
        )
    if key is not None and key.startswith("#") and key != DOCUMENT_KEY:
        raise ValueError(
            "key cannot begin with '#'. Keys starting with '#' are reserved for system use."
        )


def _index(config: Any) -> _Index:
    for index in _INDEXES:
        if isinstance(config, index.config):
            return index
    raise ValueError(f"Expected config to be an index configuration, got {config!r}")


def _set(types: ValueTypes, index: _Index, enabled: bool, config: Any) -> None:
    value = getattr(types, index.attribute)
    if value is None:
        value = index.value_type()
        setattr(types, index.attribute, value)
    setattr(value, index.name, index.index_type(enabled, config))


def _to_json(types: ValueTypes) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for index in _INDEXES:
        value = getattr(types, index.attribute)
        if value is None:
            continue
        indexes = result.setdefault(index.value_name, {})
        found = getattr(value, index.name)
        if found is not None:
            indexes[index.name] = {
                "enabled": found.enabled,
                "config": _config_to_json(found.config),
            }
    return result


def _from_json(types: dict[str, Any]) -> ValueTypes:
    result = ValueTypes()
    for index in _INDEXES:
        if index.value_name not in types:
            continue
        if getattr(result, index.attribute) is None:
            setattr(result, index.attribute, index.value_type())
        found = types[index.value_name].get(index.name)
        if found is not None:
            config = _config_from_json(index.config, found.get("config", {}))
            _set(result, index, found.get("enabled", True), config)
    return result


def _config_to_json(config: Any) -> dict[str, Any]:
    result: dict[str, Any] = config._given(leaving_out=["embedding_function"])
    if isinstance(config, VectorIndexConfig):
        function = config.embedding_function
        result["embedding_function"] = _function_to_json(function)
        if function is not None and result["embedding_function"]["type"] == "known":
            result.setdefault("space", function.default_space())
            if result["space"] not in function.supported_spaces():
                warnings.warn(
                    f"space {result['space']} is not supported by {function.name()}. "
                    f"Supported spaces: {function.supported_spaces()}",
                    UserWarning,
                    stacklevel=2,
                )
    elif isinstance(config, SparseVectorIndexConfig):
        result["embedding_function"] = _sparse_function_to_json(config.embedding_function)
    return result


def _function_to_json(function: Any) -> dict[str, Any]:
    name = None if function is None else known_name(function)
    if name is None:
        return {"type": "legacy"}
    config = function.get_config()
    try:
        function.validate_config(config)
    except Exception:
        return {"type": "legacy"}  # As one that could not be rebuilt.
    return {"name": name, "type": "known", "config": config}


def _sparse_function_to_json(function: Any) -> dict[str, Any]:
    if function is None:
        return {"type": "unknown"}
    config = function.get_config()
    if hasattr(function, "validate_config"):
        function.validate_config(config)
    return {"name": function.name(), "type": "known", "config": config}


def _config_from_json(config: type[Any], fields: dict[str, Any]) -> Any:
    fields = deepcopy(fields)
    stored = fields.get("embedding_function")
    if stored is not None:
        function = _function_from_json(stored, is_sparse=config is SparseVectorIndexConfig)
        fields["embedding_function"] = function
        if function is not None and config is VectorIndexConfig and fields.get("space") is None:
            fields["space"] = function.default_space()
    return config(**fields)


def _function_from_json(stored: dict[str, Any], is_sparse: bool) -> Any:
    from chromadb.utils import embedding_functions
    from chromadb.utils.embedding_functions.config_validation import (
        validate_embedding_function_config_is_safe,
    )

    if stored.get("type") != "known":
        return None
    name = stored.get("name", "unknown")
    known: dict[str, Any] = (
        embedding_functions.sparse_known_embedding_functions
        if is_sparse
        else embedding_functions.known_embedding_functions
    )
    try:
        validate_embedding_function_config_is_safe(name, stored["config"])
        return known[name].build_from_config(stored["config"])
    except Exception as error:
        kind = "sparse embedding function" if is_sparse else "embedding function"
        warnings.warn(
            f"Could not reconstruct {kind} {name}: {error}. Setting to None.",
            UserWarning,
            stacklevel=2,
        )
        return None
