"""The v2 API in JSON: what is read from requests, and what is written as answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from chromadb.api._sparse_metadata import serialize_metadata
from chromadb.errors import (
    AuthorizationError,
    ChromaError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
)

COLUMNS = ("distances", "documents", "embeddings", "metadatas", "uris")
READ_LEVELS = ("index_and_wal", "index_only", "index_and_bounded_wal")
TRACE_ID = "0123456789abcdef0123456789abcdef"


class Request(NamedTuple):
    """What was received."""

    method: str
    path: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Answer(NamedTuple):
    """What is sent back. Bytes are sent as they are, anything else as JSON."""

    status: int
    body: Any
    headers: dict[str, str] = {}


class Refused(Exception):
    """Ends a request with an error."""

    def __init__(self, status: int, name: str, message: str) -> None:
        self.answer = Answer(status, {"error": name, "message": message})


def untyped(message: str) -> Refused:
    """What does not have the types of the API."""
    start = "Failed to deserialize the JSON body into the target type: "
    return Refused(422, "ChromaError", start + message)


# ---- Reading requests ---------------------------------------------------------------------------


def field(body: Any, name: str, kinds: tuple[type, ...], default: Any = ...) -> Any:
    """A field of a body, of one of the types; null stands for a field that has a default."""
    if not isinstance(body, dict):
        raise untyped("invalid type: expected a struct at line 1 column 0")
    value = body.get(name)
    if value is None:
        if default is ...:
            raise untyped(f"missing field `{name}` at line 1 column 2")
        return default
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise untyped(f"{name}: invalid type at line 1 column 2")
    return value


def strings(body: Any, name: str, default: Any = None) -> Any:
    values = field(body, name, (list,), default)
    if values is not None and not all(isinstance(value, (str, type(None))) for value in values):
        raise untyped(f"{name}: invalid type, expected a string at line 1 column 2")
    return values


def included(body: Any, default: list[str]) -> Any:
    include = strings(body, "include", default)
    for position, name in enumerate(include):
        if name not in COLUMNS:
            listed = ", ".join(f"`{column}`" for column in COLUMNS)
            raise untyped(
                f"include[{position}]: unknown variant `{name}`, expected one of {listed}"
            )
    return include


def embeddings(body: Any, is_needed: bool) -> Any:
    """Numbers, or base64 of float32s. Not both."""
    given = field(body, "embeddings", (list,), ... if is_needed else None)
    if given is None:
        return None
    if all(isinstance(row, str) for row in given):
        rows = [np.frombuffer(base64.b64decode(row, validate=True), "<f4") for row in given]
        for row in rows:
            for position in np.flatnonzero(~np.isfinite(row)):
                shown = {"nan": "NaN", "-inf": "-inf"}.get(str(row[position]), "inf")
                raise InvalidArgumentError(
                    f"Non-finite float value at embedding index {position}: {shown}"
                )
    elif all(isinstance(row, list) for row in given):
        rows = [np.array(row, np.float32) for row in given]
    else:
        raise untyped("embeddings: data did not match any variant of untagged enum")
    if len({len(row) for row in rows}) > 1:
        raise InvalidArgumentError("Inconsistent dimensions in provided embeddings")
    return np.array(rows, np.float32).reshape(len(rows), -1)


def number(query: dict[str, str], name: str) -> int | None:
    if name not in query:
        return None
    if not query[name].isdigit():
        raise InvalidArgumentError(
            f"Failed to deserialize query string: {name}: invalid digit found in string"
        )
    return int(query[name])


def text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidArgumentError("Collection ID is not a valid UUIDv4") from None


# ---- Writing answers ----------------------------------------------------------------------------


def shortest(rows: Any) -> Any:
    """Numbers as float32s are printed, in the fewest digits."""
    return [[float(str(value)) for value in np.asarray(row, np.float32)] for row in rows]


def described(model: Any) -> dict[str, Any]:
    return {
        "id": str(model.id),
        "name": model.name,
        "configuration_json": model.configuration_json,
        "schema": model.serialized_schema,
        "metadata": model.metadata,
        "dimension": model.dimension,
        "tenant": model.tenant,
        "database": model.database,
        "log_position": 0,
        "version": 0,
    }


def columns(found: Any, nested: bool) -> dict[str, Any]:
    """A result as it is sent; of a query, the columns are nested once more."""

    def each(column: Any, convert: Callable[[Any], Any]) -> Any:
        if column is None:
            return None
        return [convert(part) for part in column] if nested else convert(column)

    answer = {
        "ids": found["ids"],
        "embeddings": each(found["embeddings"], shortest),
        "documents": found["documents"],
        "uris": found["uris"],
        "metadatas": each(found["metadatas"], lambda column: [*map(serialize_metadata, column)]),
        "include": found["included"],
    }
    if nested:
        answer["distances"] = found["distances"]
    return answer


def refusal(error: Exception) -> Answer:
    """The answer that an error of the engine's stands for."""
    message = error.message() if isinstance(error, ChromaError) else str(error)
    if isinstance(error, InvalidArgumentError):
        status, name = 400, "InvalidArgumentError"
    elif isinstance(error, NotFoundError):
        status, name = 404, "NotFoundError"
    elif isinstance(error, AuthorizationError):
        status, name = 403, "ChromaError"
    elif isinstance(error, InternalError) and message.endswith("already exists"):
        status, name = 409, "ChromaError"
    elif isinstance(error, NotImplementedError):
        status, name = 501, "ChromaError"
    elif isinstance(error, (ValueError, TypeError, OverflowError)):
        status, name = 400, "InvalidArgumentError"
    else:
        status, name = 500, "InternalError"
    return Answer(status, {"error": name, "message": message})
