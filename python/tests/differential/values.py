"""Python values as JSON and back, so that a history can be stored and run in another process.

Plain values stand as themselves. What JSON cannot say is an object with one key that starts
with "~":

    {"~float": "nan"}                                   a float that is not finite
    {"~tuple": [...]}  {"~bytes": "00ff"}
    {"~dict": [[key, value], ...]}                      keys that are not strings, or start with "~"
    {"~array": {"dtype": "float32", "shape": [2, 3], "values": [...]}}
    {"~scalar": ["int64", 5]}                           a numpy scalar
    {"~repeat": ["ab", 1000]}                           a long string, kept short

Lone surrogates survive: they are escapes in ASCII JSON.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def dumps(value: Any) -> str:
    return json.dumps(encode(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def loads(text: str) -> Any:
    return decode(json.loads(text))


def encode(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)) and not isinstance(value, np.generic):
        return value
    if isinstance(value, np.generic):
        return {"~scalar": [str(value.dtype), encode(value.item())]}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"~float": str(value)}
    if isinstance(value, str):
        return _encode_string(value)
    if isinstance(value, bytes):
        return {"~bytes": value.hex()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"~tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("~") for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"~dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray):
        return {
            "~array": {
                "dtype": str(value.dtype),
                "shape": list(value.shape),
                "values": [encode(item) for item in value.reshape(-1).tolist()],
            }
        }
    raise TypeError(f"a history cannot hold a {type(value).__name__}: {value!r}")


def _encode_string(value: str) -> Any:
    if len(value) >= 256:
        for width in range(1, 17):
            unit, times = value[:width], len(value) // width
            if unit * times == value:
                return {"~repeat": [unit, times]}
    return value


def decode(value: Any) -> Any:
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not next(iter(value)).startswith("~"):
        return {key: decode(item) for key, item in value.items()}
    ((tag, content),) = value.items()
    if tag == "~float":
        return float(content)
    if tag == "~tuple":
        return tuple(decode(item) for item in content)
    if tag == "~bytes":
        return bytes.fromhex(content)
    if tag == "~dict":
        return {decode(key): decode(item) for key, item in content}
    if tag == "~repeat":
        return content[0] * content[1]
    if tag == "~scalar":
        return np.dtype(content[0]).type(decode(content[1]))
    if tag == "~array":
        items = [decode(item) for item in content["values"]]
        return np.array(items, dtype=content["dtype"]).reshape(content["shape"])
    raise ValueError(f"no such value tag: {tag}")
