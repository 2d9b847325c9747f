"""The engine of this process, for event loops: every call runs on a thread of a small pool.

Invariants:
  * The event loop never waits: not for the engine, not for checks, not for embedding functions.
  * A call ends on the thread it began on. A task that is cancelled goes on at once; a read that it
    waited for is cancelled too, and a write that has not begun does not begin.
  * The pool belongs to no event loop. It starts with the first call, and ends when the client is
    closed or dropped. In the child of a fork, where its threads are not, it starts anew.
  * No call waits for a thread that waits for it: one that comes out of another, from an embedding
    function for one, has a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from chromadb.api._async_server_api import AsyncServerAPI
from chromadb.api._base_api import AdminAPI, BaseAPI
from chromadb.api._server_api import ServerAPI
from chromadb.api._steps import Result, Steps, carry_out
from chromadb.config import Settings, System

# Whether the code runs inside a call, on whatever thread.
_IS_INSIDE_A_CALL = contextvars.ContextVar("chromadb: inside a call", default=False)


class _Cancelled(Exception):
    """Ends a call for which nobody waits any more; nobody sees it."""


class _Cancellation:
    """Whether a call has been cancelled. Requested on one thread, obeyed on another."""

    def __init__(self) -> None:
        from chromadb_swift_bindings._chroma import Cancel

        self._is_requested = False
        self._reads = Cancel()

    def request(self) -> None:
        self._is_requested = True
        self._reads.request()

    def check(self) -> None:
        if self._is_requested:
            raise _Cancelled

    def run(self, work: Callable[[], Result]) -> Result:
        """Does the work on this thread. A request ends what it reads."""
        self.check()
        return self._reads.run(work)


def _on_a_thread(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The method of that name of a synchronous server, as a coroutine."""

    async def call(self: AsyncLocalAPI, *arguments: Any, **named: Any) -> Any:
        method = getattr(self._local, name)
        return await self._run(lambda _: method(*arguments, **named))

    call.__name__ = name
    call.__qualname__ = f"AsyncLocalAPI.{name}"
    return call


class AsyncLocalAPI(AsyncServerAPI):
    """Calls a synchronous server on threads. Any event loop, any number of tasks at once."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._local: ServerAPI = self.require(ServerAPI)  # type: ignore[type-abstract]
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0
        self._is_stopped = False

    # What a synchronous server can do is written down once, in its interface.
    locals().update(
        {
            name: _on_a_thread(name)
            for interface in (BaseAPI, AdminAPI, ServerAPI)
            for name, member in vars(interface).items()
            if inspect.isfunction(member)
        }
    )

    def get_settings(self) -> Settings:
        return self._local.get_settings()

    async def _carry_out(self, steps: Steps[Result]) -> Result:
        # All of it in one go: handing each call over by itself would take longer than most calls.
        return await self._run(lambda cancel: carry_out(steps, self._local, cancel.check))

    async def _run(self, work: Callable[[_Cancellation], Result]) -> Result:
        cancel = _Cancellation()
        is_inside = _IS_INSIDE_A_CALL.get()
        context = contextvars.copy_context()
        context.run(_IS_INSIDE_A_CALL.set, True)

        def run() -> Result:
            try:
                return cancel.run(lambda: context.run(work, cancel))
            except StopIteration as error:
                # No future takes this one: the task would wait for ever.
                raise RuntimeError("A callback raised StopIteration") from error

        try:
            return await asyncio.wrap_future(self._submit(run, is_inside))
        except asyncio.CancelledError:
            cancel.request()
            raise

    def _submit(self, run: Callable[[], Result], is_inside: bool) -> Future[Result]:
        if not self._is_stopped and not is_inside:
            return self._threads().submit(run)
        thread = ThreadPoolExecutor(1, thread_name_prefix="chroma")
        future = thread.submit(run)
        thread.shutdown(wait=False)  # It ends with the call.
        return future

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                self._pool = ThreadPoolExecutor(thread_name_prefix="chroma")
                self._process = os.getpid()
            return self._pool

    def start(self) -> None:
        super().start()
        self._is_stopped = False

    def stop(self) -> None:
        """Waits for the calls under way, and ends the threads."""
        super().stop()
        with self._lock:
            pool, self._pool = self._pool, None
            self._is_stopped = True
        if pool is not None and self._process == os.getpid():
            # A call that closes its own client cannot wait for itself.
            pool.shutdown(wait=not _IS_INSIDE_A_CALL.get())
