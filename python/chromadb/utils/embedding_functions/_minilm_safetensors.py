"""Reading safetensors.

Layout, little-endian:

    | header byte count: uint64 | header: JSON | data |

The header maps each tensor's name to its dtype, shape and `[begin, end)` byte range within the
data, and `__metadata__` to an object of strings.

Invariants:
  * Every byte is untrusted: a range is checked against the data, and against its shape, before an
    array is made over it.
  * The arrays are read-only views of the bytes given; nothing is copied.
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

import numpy as np

_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
_DIMENSION_COUNT_MAX = 8


def parse_tensors(file: bytes) -> dict[str, np.ndarray]:
    """Returns the tensors in the bytes of a safetensors file, by name.

    Raises `ValueError` when they are not well-formed or a dtype is other than float32 and int64.
    """
    if len(file) < 8:
        raise ValueError(f"A safetensors file has at least 8 bytes; this one has {len(file)}.")
    header_byte_count = int.from_bytes(file[:8], "little")
    if header_byte_count > len(file) - 8:
        raise ValueError(
            f"The safetensors header claims {header_byte_count} bytes of a file of {len(file)}."
        )
    data_offset = 8 + header_byte_count
    header = _parse_header(file[8:data_offset])
    data = memoryview(file)[data_offset:]
    return {
        name: _tensor(name, entry, data) for name, entry in header.items() if name != "__metadata__"
    }


def _parse_header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The safetensors header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise ValueError("The safetensors header is not a JSON object.")
    return header


def _tensor(name: str, entry: Any, data: memoryview) -> np.ndarray:
    def refuse(what: str) -> ValueError:
        return ValueError(f"Tensor {name!r} {what}.")

    if not isinstance(entry, dict):
        raise refuse("has no description")
    dtype = _DTYPES.get(str(entry.get("dtype")))
    if dtype is None:
        raise refuse(f"has dtype {entry.get('dtype')!r}; {' and '.join(_DTYPES)} can be read")
    shape = entry.get("shape")
    if not _is_list_of_counts(shape) or len(shape) > _DIMENSION_COUNT_MAX:
        raise refuse(f"has shape {shape!r}")
    byte_range = entry.get("data_offsets")
    if not _is_list_of_counts(byte_range) or len(byte_range) != 2:
        raise refuse(f"has data_offsets {byte_range!r}")
    begin, end = byte_range
    if not begin <= end <= len(data):
        raise refuse(f"lies at bytes {begin} to {end} of {len(data)}")
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise refuse(f"has {end - begin} bytes, which do not fit shape {shape} of {dtype.name}")
    return np.frombuffer(data[begin:end], dtype=dtype).reshape(shape)


def _is_list_of_counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)
