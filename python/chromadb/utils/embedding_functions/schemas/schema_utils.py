"""Checks configurations against their JSON schemas.

The schemas use a small part of JSON Schema (draft 7), which is checked here, so that no package is
needed for it: `type`, `enum`, `properties`, `required`, `additionalProperties` and `items`.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final, NamedTuple

from chromadb.utils.embedding_functions.schemas._definitions import SCHEMAS


def load_schema(schema_name: str) -> dict[str, Any]:
    """The schema of that name. Raises FileNotFoundError where there is none."""
    return deepcopy(_schema(schema_name))


def _schema(schema_name: str) -> dict[str, Any]:
    if schema_name not in SCHEMAS:
        raise FileNotFoundError(
            errno.ENOENT, "There is no schema of that name", f"{schema_name}.json"
        )
    return SCHEMAS[schema_name]


def get_schema_version(schema_name: str) -> str:
    """The version of a schema."""
    version: str = _schema(schema_name).get("version", "1.0.0")
    return version


def validate_config_schema(config: dict[str, Any], schema_name: str) -> None:
    """Refuses a configuration that does not match the schema of that name.

    Raises a ValueError, which is a `jsonschema.ValidationError` too where that package is in use.
    """
    faults = list(_faults(config, _schema(schema_name), ()))
    if not faults:
        return
    # The outermost fault says most. Of several, the same one as the package `jsonschema` picks.
    fault = max(faults, key=lambda fault: (-len(fault.path), fault.path, fault.has_type))
    message = f"Config validation failed for schema '{schema_name}': {fault.message}"
    if fault.path:
        message += f" at path '{'/'.join(str(step) for step in fault.path)}'"
    raise _error_class()(message)


class ConfigValidationError(ValueError):
    """A configuration does not match its schema."""

    def __init__(self, message: str, *_details: Any) -> None:
        super().__init__(message)
        self.message = message


def _error_class() -> type[ConfigValidationError]:
    # Whoever catches jsonschema's error has imported it.
    jsonschema = sys.modules.get("jsonschema")
    upstreams: Any = getattr(jsonschema, "ValidationError", None)
    if upstreams is None:
        return ConfigValidationError

    class ValidationError(upstreams, ConfigValidationError):  # type: ignore[misc]
        """A configuration does not match its schema, as jsonschema would say it."""

    return ValidationError


# ---- The part of JSON Schema that the schemas use -----------------------------------------------


class _Fault(NamedTuple):
    path: tuple[Any, ...]
    message: str
    # Whether the value has the type that the schema asks for: -1 where it has.
    has_type: int


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int)
        and not isinstance(value, bool)
        or isinstance(value, float)
        and value.is_integer()
    ),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _faults(value: Any, schema: dict[str, Any], path: tuple[Any, ...]) -> Iterator[_Fault]:
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    has_type = not types or any(_TYPES[name](value) for name in types)

    def fault(message: str) -> _Fault:
        return _Fault(path, message, -1 if has_type else 0)

    if not has_type:
        yield fault(f"{value!r} is not of type {', '.join(map(repr, types))}")
    if "enum" in schema and value not in schema["enum"]:
        yield fault(f"{value!r} is not one of {schema['enum']!r}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for key in properties:
            if key in value:
                yield from _faults(value[key], properties[key], (*path, key))
        for key in schema.get("required", []):
            if key not in value:
                yield fault(f"{key!r} is a required property")
        others = sorted((key for key in value if key not in properties), key=str)
        additional = schema.get("additionalProperties", True)
        if additional is False and others:
            shown = ", ".join(map(repr, others))
            verb = "was" if len(others) == 1 else "were"
            yield fault(f"Additional properties are not allowed ({shown} {verb} unexpected)")
        elif isinstance(additional, dict):
            for key in others:
                yield from _faults(value[key], additional, (*path, key))
    if isinstance(value, list) and "items" in schema:
        for position, item in enumerate(value):
            yield from _faults(item, schema["items"], (*path, position))
