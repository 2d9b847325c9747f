"""How a refused call is checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

ONE = [[1.0, 2.0, 3.0]]
IMAGE = np.zeros((2, 2))
ONE_SOURCE = "Exactly one of {} must be provided"
NO_LOADER = "You must set a data loader on the collection if loading from URIs."


def check(collection: Any, operation: str, arguments: dict, error: type, message: str) -> None:
    """Makes the call, and expects the error and that nothing changed."""
    collection.add(ids="a", embeddings=ONE, metadatas={"n": 1})
    before = collection.get(include=["metadatas", "documents", "uris", "embeddings"])
    with pytest.raises(error) as caught:
        getattr(collection, operation)(**arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message
    after = collection.get(include=["metadatas", "documents", "uris", "embeddings"])
    np.testing.assert_array_equal(before.pop("embeddings"), after.pop("embeddings"))
    assert before == after


def case_name(value: object) -> str | None:
    return repr(value)[:60] if isinstance(value, dict) else None
