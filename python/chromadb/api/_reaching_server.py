"""What failures to reach a server become while a client is opened, or turns to another database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chromadb.errors import ChromaError


@contextmanager
def reaching_server(otherwise: Callable[[Exception], str] | None = None) -> Iterator[None]:
    """Makes a ValueError of a refused connection, and, if `otherwise` words it, of other failures.

    What the server itself says is left as it is.
    """
    try:
        yield
    except ChromaError:
        raise
    except Exception as error:
        # Without httpx there is no connection that could have failed.
        httpx = sys.modules.get("httpx")
        if httpx is not None and isinstance(error, httpx.ConnectError):
            raise ValueError(
                "Could not connect to a Chroma server. Are you sure it is running?"
            ) from error
        if otherwise is not None:
            raise ValueError(otherwise(error)) from error
        raise
