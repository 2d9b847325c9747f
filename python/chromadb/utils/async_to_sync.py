"""Coroutines as plain functions, for tests that are written once for clients of both kinds.

Not for programs: each call runs the event loop of its thread until it is done.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_kept = threading.local()


def async_to_sync(func: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """The function, run to its end when it is called; what it returns is as synchronous.

    Called from a running event loop, it returns the coroutine.
    """

    @functools.wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        loop = _loop()
        if loop.is_running():
            return cast(R, func(*args, **kwargs))
        return cast(R, _synchronous(loop.run_until_complete(func(*args, **kwargs))))

    return run


def async_class_to_sync(cls: T) -> T:
    """Makes the coroutine methods of an object, or of a class, plain ones; returns it."""
    for name, member in inspect.getmembers(cls):
        if inspect.iscoroutinefunction(member) and not name.startswith("__"):
            setattr(cls, name, async_to_sync(member))
    return cls


def _loop() -> asyncio.AbstractEventLoop:
    """The running loop; else one that this thread keeps, so that connections outlive a call."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(_kept, "loop", None)
        if loop is None or loop.is_closed():
            loop = _kept.loop = asyncio.new_event_loop()
        return loop


def _synchronous(result: Any) -> Any:
    if isinstance(result, list):
        return [_synchronous(item) for item in result]
    return async_class_to_sync(result)
