"""The JSON schemas of embedding functions' configurations, and checking against them."""

from chromadb.utils.embedding_functions.schemas.registry import (
    get_available_schemas,
    get_embedding_function_names,
    get_schema_info,
)
from chromadb.utils.embedding_functions.schemas.schema_utils import (
    get_schema_version,
    load_schema,
    validate_config_schema,
)

__all__ = [
    "get_available_schemas",
    "get_embedding_function_names",
    "get_schema_info",
    "get_schema_version",
    "load_schema",
    "validate_config_schema",
]
