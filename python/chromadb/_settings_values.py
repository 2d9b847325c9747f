"""What the values of settings are made of: Python values, variables, and the lines of a `.env`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any


class APIVersion(str, Enum):
    """The paths under which servers offer their API."""

    V1 = "/api/v1"
    V2 = "/api/v2"


class RoutingMode(Enum):
    """How a distributed Chroma chooses the node of a segment: by node name or by member id."""

    NODE = "node"
    ID = "id"


_BOOL_WORDS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "off"), False
)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _BOOL_WORDS:
        return _BOOL_WORDS[value.lower()]
    raise ValueError


def _int(value: Any) -> int:
    if (isinstance(value, float) and not value.is_integer()) or not isinstance(
        value, (int, float, str)
    ):
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    if not isinstance(value, (int, float, str)):
        raise ValueError
    return float(value)


def _str(value: Any) -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise ValueError
    return value


def _bool_or_str(value: Any) -> bool | str:
    try:
        return _bool(value)
    except ValueError:
        return _str(value)


def _one_of(*words: str) -> Callable[[Any], str]:
    def word(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return word


def _list_of_str(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_str(item) for item in value]


def _dict_of_str(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError
    return {_str(key): _str(item) for key, item in value.items()}


def _dict_of_lists(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise ValueError
    return {_str(key): _list_of_str(item) for key, item in value.items()}


# What each type is called in a message, and what turns a value into it.
_TYPES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "bool": ("a bool", _bool),
    "int": ("an int", _int),
    "float": ("a float", _float),
    "str": ("a str", _str),
    "bool | str": ("a bool or a str", _bool_or_str),
    "APIVersion": ("'/api/v1' or '/api/v2'", APIVersion),
    "RoutingMode": ("'node' or 'id'", RoutingMode),
    "Literal['none', 'validate', 'apply']": (
        "'none', 'validate' or 'apply'",
        _one_of("none", "validate", "apply"),
    ),
    "Literal['md5', 'sha256']": ("'md5' or 'sha256'", _one_of("md5", "sha256")),
    "list[str]": ("a list of str", _list_of_str),
    "dict[str, str]": ("a dict of str", _dict_of_str),
    "dict[str, list[str]]": ("a dict of lists of str", _dict_of_lists),
}


def checked_value(name: str, type_name: str, value: Any) -> Any:
    """The value as the field's type has it. ValueError, which names the field, where it has not."""
    base, optional, _ = type_name.partition(" | None")
    if optional and (value is None or (base == "int" and _is_blank(value))):
        return None
    described, convert = _TYPES[base]
    try:
        return convert(value)
    except (ValueError, OverflowError):
        shown = "a value of another kind" if "credentials" in name else repr(value)
        raise ValueError(f"The setting {name} should be {described}, got {shown}.") from None


def _is_blank(value: Any) -> bool:
    # A variable that is set to nothing stands for no number.
    return isinstance(value, str) and not value.strip()


def value_from_text(name: str, type_name: str, text: str) -> Any:
    """The value that a variable's text stands for: JSON where the field holds a list or a dict."""
    if not type_name.startswith(("list", "dict")):
        return text
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"The variable {name} should hold JSON, and does not parse.") from None


# `NAME=value`, where a value in quotes may go over several lines.
_VARIABLE = re.compile(
    r"""^[^\S\n]*(?:export[^\S\n]+)?([^\s=#'"][^=\n]*?)[^\S\n]*=[^\S\n]*"""
    r"""(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\n]*))""",
    re.MULTILINE | re.DOTALL,
)
_REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
_ESCAPES = dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True))


def read_dotenv(path: str) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, names in lower case; none without the file.

    `${NAME}` in a value, or `${NAME:-otherwise}`, stands for a variable of the lines before, or of
    the environment.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return {}
    known = dict(os.environ)
    variables = {}
    for name, single, double, bare in _VARIABLE.findall(text):
        if single:
            value = _unescaped(single, "\\'")
        elif double:
            value = _unescaped(double, _ESCAPES)
        else:
            value = bare.partition(" #")[0].strip()
        value = _REFERENCE.sub(lambda found: known.get(found[1], found[2] or ""), value)
        known[name] = variables[name.lower()] = value
    return variables


def _unescaped(text: str, meant: Iterable[str]) -> str:
    """The text with the characters that a backslash before one of these stands for."""
    pattern = rf"\\([{re.escape(''.join(meant))}])"
    return re.sub(pattern, lambda found: _ESCAPES[found[1]], text)
