"""What callers may ask, and the sentence for what they may not.

The checks here are those that need the Python objects: their types, and shapes that JSON or the
native engine cannot say. What concerns values (names, lengths, ranges, finiteness) the engine
checks for every binding alike.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from math import inf, isnan
from numbers import Real
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from chromadb.base_types import SparseVector
from chromadb.errors import DuplicateIDError, InvalidArgumentError

P = ParamSpec("P")
R = TypeVar("R")

RESERVED_METADATA_KEY = "chroma:document"
DATA_LOADER_NEEDED = "You must set a data loader on the collection if loading from URIs."

_INCLUDE_ITEMS = ("documents", "embeddings", "metadatas", "distances", "uris", "data")
_ORDER_OPERATORS = ("$gt", "$gte", "$lt", "$lte")
_LIST_OPERATORS = ("$in", "$nin")
_ELEMENT_OPERATORS = ("$contains", "$not_contains")
_WHERE_OPERATORS = (*_ORDER_OPERATORS, "$ne", "$eq", *_LIST_OPERATORS, *_ELEMENT_OPERATORS)
_TEXT_OPERATORS = ("$contains", "$not_contains", "$regex", "$not_regex")
_LOGICAL_OPERATORS = ("$and", "$or")
# Operators that official Chroma does not have. The sentences that list its operators stay its own.
_EXISTENCE_OPERATOR = "$exists"
_LIKE_OPERATORS = ("$like", "$not_like")
_CASELESS_OPERATORS = ("$icontains", "$not_icontains")

# Up to this many duplicated ids are all named; above it, the first and last five.
_DUPLICATES_NAMED_MAX = 9


class validating:
    """Ends the message of an error raised inside with the operation's name: "… in add.".

    InvalidArgumentError is left as it is: the engine words those, alike for every binding.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Errors of embedding functions pass here too: those not made of one sentence stay whole.
        if (
            isinstance(error, Exception)
            and not isinstance(error, InvalidArgumentError)
            and len(error.args) == 1
            and isinstance(error.args[0], str)
        ):
            error.args = (f"{error.args[0]} in {self._operation}.",)


def validation_context(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function whose errors are to end with the name: "… in add."."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def named(*args: P.args, **kwargs: P.kwargs) -> R:
            with validating(name):
                return function(*args, **kwargs)

        return named

    return decorate


def maybe_cast_one_to_many(target: Any) -> Any:
    """A list as it is, anything else as a list of one, None as None."""
    return target if target is None or isinstance(target, list) else [target]


# ---- Records ------------------------------------------------------------------------------------


def validate_ids(ids: Any) -> list[str]:
    """Refuses what is not a non-empty list of distinct strings."""
    if not isinstance(ids, list):
        raise ValueError(f"Expected IDs to be a list, got {type(ids).__name__} as IDs")
    if not ids:
        raise ValueError("Expected IDs to be a non-empty list, got 0 IDs")
    for identifier in ids:
        if not isinstance(identifier, str):
            raise ValueError(f"Expected ID to be a str, got {identifier}")
    if len(set(ids)) != len(ids):
        raise DuplicateIDError(_duplicates_message(ids))
    return ids


def _duplicates_message(ids: list[str]) -> str:
    duplicated = [identifier for identifier, count in Counter(ids).items() if count > 1]
    if len(duplicated) <= _DUPLICATES_NAMED_MAX:
        return f"Expected IDs to be unique, found duplicates of: {', '.join(duplicated)}"
    return (
        f"Expected IDs to be unique, found {len(duplicated)} duplicated IDs: "
        f"{', '.join(duplicated[:5])}, ..., {', '.join(duplicated[-5:])}"
    )


def ids_exist_message(ids: list[str], existing: set[str]) -> str:
    """What the engine says where nothing is added because records have some of the ids."""
    met = [id for id in ids if id in existing]
    # Five ids, and a hundred characters of each, as the engine names them.
    named = ", ".join(f'"{id[:100]}"' for id in met[:5])
    return (
        f"{len(met)} of the {len(ids)} ids exist already: {named}{', …' if len(met) > 5 else ''}. "
        "Nothing was added. Leave these records out, or ask for them to be ignored or replaced."
    )


def validate_documents(documents: Any, nullable: bool = False) -> None:
    """Refuses what is not a list of strings, or of strings and None where that is allowed."""
    if not isinstance(documents, list):
        raise ValueError(f"Expected documents to be a list, got {type(documents).__name__}")
    for document in documents:
        if not is_document(document) and not (nullable and document is None):
            raise ValueError(f"Expected document to be a str, got {document}")


def validate_images(images: Any) -> None:
    """Refuses what is not a list of arrays with at least two dimensions."""
    if not isinstance(images, list):
        raise ValueError(f"Expected images to be a list, got {type(images).__name__}")
    for image in images:
        if not is_image(image):
            raise ValueError(f"Expected image to be a numpy array, got {image}")


def is_document(target: object) -> bool:
    """Whether the target is a document: a string."""
    return isinstance(target, str)


def is_image(target: object) -> bool:
    """Whether the target is an image: an array with at least two dimensions."""
    return isinstance(target, np.ndarray) and target.ndim >= 2


def validate_lengths(columns: dict[str, Any]) -> None:
    """Refuses columns that are empty, or that differ in length. None stands for no column."""
    lengths = {name: len(column) for name, column in columns.items() if column is not None}
    if empty := [name for name, length in lengths.items() if length == 0]:
        raise ValueError(f"Non-empty lists are required for {empty}")
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise ValueError(f"Unequal lengths for fields: {listed}")


# ---- Metadata -----------------------------------------------------------------------------------


def validate_metadata(metadata: Any) -> Any:
    """Refuses what is neither None nor a non-empty dict of metadata values under string keys."""
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise ValueError(
            f"Expected metadata to be a dict or None, got {type(metadata).__name__} as metadata"
        )
    if not metadata:
        raise ValueError("Expected metadata to be a non-empty dict, got 0 metadata attributes")
    for key, value in metadata.items():
        if key == RESERVED_METADATA_KEY:
            raise ValueError(f"Expected metadata to not contain the reserved key {key}")
        if not isinstance(key, str):
            raise TypeError(
                f"Expected metadata key to be a str, got {key} which is a {type(key).__name__}"
            )
        if not _is_metadata_value(key, value):
            raise ValueError(f"{_NO_METADATA_VALUE}, got {value} which is a {type(value).__name__}")
    return metadata


def validate_update_metadata(metadata: Any) -> Any:
    """The same for metadata that is merged into that of a record."""
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise ValueError(f"Expected metadata to be a dict or None, got {type(metadata)}")
    if not metadata:
        raise ValueError(f"Expected metadata to be a non-empty dict, got {metadata}")
    for key, value in metadata.items():
        if not isinstance(key, str):
            raise ValueError(f"Expected metadata key to be a str, got {key}")
        if not _is_metadata_value(key, value):
            raise ValueError(f"{_NO_METADATA_VALUE}, got {value}")
    return metadata


_NO_METADATA_VALUE = (
    "Expected metadata value to be a str, int, float, bool, SparseVector, list, or None"
)


def _is_metadata_value(key: str, value: Any) -> bool:
    """Whether the value is one of metadata's. Raises ValueError where it is a list, but not one."""
    if isinstance(value, list):
        _validate_metadata_list(key, value)
        return True
    return value is None or isinstance(value, (str, int, float, SparseVector))


def _validate_metadata_list(key: str, values: list[Any]) -> None:
    if not values:
        raise ValueError(f"Expected metadata list value for key '{key}' to be non-empty")
    kind = _scalar_kind(values[0])
    if kind is None or any(_scalar_kind(value) is not kind for value in values):
        raise ValueError(
            f"Expected metadata list value for key '{key}' to contain only str, int, float, or "
            f"bool and all elements must be the same type, got {values}"
        )


def _scalar_kind(value: object) -> type | None:
    # A bool is an int to Python, and a type of its own to the engine.
    for kind in (str, bool, int, float):
        if isinstance(value, kind):
            return kind
    return None


def validate_metadatas(metadatas: Any) -> Any:
    """Refuses what is not a list of metadata."""
    if not isinstance(metadatas, list):
        raise ValueError(f"Expected metadatas to be a list, got {metadatas}")
    for metadata in metadatas:
        validate_metadata(metadata)
    return metadatas


# ---- Reads --------------------------------------------------------------------------------------


def validate_include(include: Any, dissalowed: Sequence[str] | None = None) -> None:
    """Refuses what is not a list of the names of columns, or names one of those that are refused.

    The second parameter is spelt as upstream spells it.
    """
    if not isinstance(include, list):
        raise ValueError(f"Expected include to be a list, got {include}")
    for item in include:
        if not isinstance(item, str):
            raise ValueError(f"Expected include item to be a str, got {item}")
        if item not in _INCLUDE_ITEMS:
            raise ValueError(
                f"Expected include item to be one of {', '.join(_INCLUDE_ITEMS)}, got {item}"
            )
        if dissalowed is not None and item in dissalowed:
            raise ValueError(f"Include item cannot be one of {', '.join(dissalowed)}, got {item}")


def validate_n_results(n_results: Any) -> int:
    """Refuses what is not a positive integer."""
    if not isinstance(n_results, int):
        raise ValueError(f"Expected requested number of results to be a int, got {n_results}")
    if n_results <= 0:
        raise TypeError(f"Number of requested results {n_results}, cannot be negative, or zero.")
    return n_results


def validate_max_distance(max_distance: Any) -> float | None:
    """The bound as a float. Refuses what is neither None nor a number; infinity bounds nothing."""
    if max_distance is None:
        return None
    # Integers, floats, and scalars of numpy.
    if isinstance(max_distance, Real) and not isinstance(max_distance, bool):
        try:
            bound = float(max_distance)
        except OverflowError:
            # An integer or a fraction beyond every distance.
            bound = -inf if max_distance < 0 else inf
        if not isnan(bound):
            return bound
    raise ValueError(f"Expected max_distance to be a number, got {max_distance}")


def validate_on_conflict(on_conflict: Any) -> None:
    if on_conflict not in (None, "ignore", "error", "replace"):
        raise ValueError(
            f"Expected on_conflict to be one of ignore, error, replace, got {on_conflict}"
        )


def validate_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"Expected {name} to be a bool, got {value}")
    return value


def validate_optional_str(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"Expected {name} to be a str, got {value}")


def validate_order(after: Any, order_by: Any, descending: Any) -> None:
    """Refuses a cursor or an order of the wrong type, and a direction of no order."""
    validate_optional_str("after", after)
    validate_optional_str("order_by", order_by)
    if validate_flag("descending", descending) and order_by is None:
        raise ValueError("descending can only be specified when order_by is provided")


def validate_distinct(key: Any, limit: Any) -> None:
    """Refuses a key that is none, and a limit that is neither None nor an integer from 0."""
    if not isinstance(key, str):
        raise ValueError(f"Expected key to be a str, got {key}")
    if limit is None:
        return
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"Expected limit to be a non-negative integer, got {limit}")


def validate_delete(ids: Any, where: Any, where_document: Any, limit: Any) -> None:
    """Refuses a deletion of nothing in particular, and a limit that has no filter to limit."""
    if ids is None and where is None and where_document is None:
        raise ValueError("At least one of ids, where, or where_document must be provided")
    validate_reads(ids, where, where_document)
    if limit is None:
        return
    if where is None and where_document is None:
        raise ValueError(
            "limit can only be specified when a where or where_document clause is provided"
        )
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError("limit must be a non-negative integer")
    if limit < 0:
        raise ValueError("limit must be a non-negative integer")


def validate_update_where(metadata: Any, ids: Any, where: Any, where_document: Any) -> None:
    """Refuses an update to nothing, and one of nothing in particular."""
    if validate_metadata(metadata) is None:
        raise ValueError("Expected metadata to be a dict, got None")
    if ids is None and where is None and where_document is None:
        raise ValueError("At least one of ids, where, or where_document must be provided")
    validate_reads(ids, where, where_document)


def validate_reads(ids: Any, where: Any, where_document: Any) -> None:
    """Refuses ids and filters that are given and wrong."""
    if ids is not None:
        validate_ids(ids)
    if where is not None:
        validate_where(where)
    if where_document is not None:
        validate_where_document(where_document)


# ---- Filters ------------------------------------------------------------------------------------


def validate_where(where: Any) -> None:
    """Refuses what is not a metadata filter."""
    if not isinstance(where, dict):
        raise ValueError(f"Expected where to be a dict, got {where}")
    if len(where) != 1:
        raise ValueError(f"Expected where to have exactly one operator, got {where}")
    ((key, value),) = where.items()
    if not isinstance(key, str):
        raise ValueError(f"Expected where key to be a str, got {key}")
    if key in _LOGICAL_OPERATORS:
        _validate_where_list(value)
    elif key in _ELEMENT_OPERATORS:
        raise ValueError(
            "Expected where key to be a metadata field name or a logical operator ($and, $or), "
            f"got {key}"
        )
    elif isinstance(value, dict):
        _validate_operator_expression(value)
    elif not isinstance(value, (str, int, float)):
        raise ValueError(
            f"Expected where value to be a str, int, float, or operator expression, got {value}"
        )


def _validate_where_list(parts: Any) -> None:
    if not isinstance(parts, list):
        raise ValueError(
            f"Expected where value for $and or $or to be a list of where expressions, got {parts}"
        )
    if len(parts) < 2:
        raise ValueError(
            "Expected where value for $and or $or to be a list with at least two where "
            f"expressions, got {parts}"
        )
    for part in parts:
        validate_where(part)


def _validate_operator_expression(expression: dict[Any, Any]) -> None:
    if len(expression) != 1:
        raise ValueError(
            f"Expected operator expression to have exactly one operator, got {expression}"
        )
    ((operator, operand),) = expression.items()
    if operator == _EXISTENCE_OPERATOR:
        if not isinstance(operand, bool):
            raise ValueError(
                f"Expected operand value to be a bool for operator {operator}, got {operand}"
            )
        return
    if operator in (*_LIKE_OPERATORS, *_CASELESS_OPERATORS):
        if not isinstance(operand, str):
            raise ValueError(
                f"Expected operand value to be a str for operator {operator}, got {operand}"
            )
        return
    if operator not in _WHERE_OPERATORS:
        raise ValueError(
            f"Expected where operator to be one of {', '.join(_WHERE_OPERATORS)}, got {operator}"
        )
    if operator in _ORDER_OPERATORS and not isinstance(operand, (int, float)):
        raise ValueError(
            f"Expected operand value to be an int or a float for operator {operator}, got {operand}"
        )
    if operator in _LIST_OPERATORS and not isinstance(operand, list):
        raise ValueError(
            f"Expected operand value to be an list for operator {operator}, got {operand}"
        )
    if operator in _ELEMENT_OPERATORS and not isinstance(operand, (str, int, float)):
        raise ValueError(
            "Expected operand value to be a str, int, float, or bool for operator "
            f"{operator}, got {operand}"
        )
    if not isinstance(operand, (str, int, float, list)):
        raise ValueError(
            "Expected where operand value to be a str, int, float, bool, or list of those type, "
            f"got {operand}"
        )
    if isinstance(operand, list) and (not operand or len({type(item) for item in operand}) > 1):
        raise ValueError(
            "Expected where operand value to be a non-empty list, and all values to be of the "
            f"same type got {operand}"
        )


def validate_where_document(where_document: Any) -> None:
    """Refuses what is not a document filter."""
    if not isinstance(where_document, dict):
        raise ValueError(f"Expected where document to be a dictionary, got {where_document}")
    if len(where_document) != 1:
        raise ValueError(
            f"Expected where document to have exactly one operator, got {where_document}"
        )
    ((operator, operand),) = where_document.items()
    if operator in _LOGICAL_OPERATORS:
        _validate_where_document_list(operand)
    elif operator not in (*_TEXT_OPERATORS, *_LIKE_OPERATORS, *_CASELESS_OPERATORS):
        operators = ", ".join((*_TEXT_OPERATORS, *_LOGICAL_OPERATORS))
        raise ValueError(
            f"Expected where document operator to be one of {operators}, got {operator}"
        )
    elif not isinstance(operand, str):
        raise ValueError(
            f"Expected where document operand value for operator {operator} to be a str, "
            f"got {operand}"
        )
    elif not operand and operator not in _LIKE_OPERATORS:
        raise ValueError(
            f"Expected where document operand value for operator {operator} to be a non-empty str"
        )


def _validate_where_document_list(parts: Any) -> None:
    if not isinstance(parts, list):
        raise ValueError(
            "Expected document value for $and or $or to be a list of where document expressions, "
            f"got {parts}"
        )
    if len(parts) < 2:
        raise ValueError(
            "Expected document value for $and or $or to be a list with at least two where "
            f"document expressions, got {parts}"
        )
    for part in parts:
        validate_where_document(part)
