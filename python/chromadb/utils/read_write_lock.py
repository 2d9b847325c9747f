"""A lock that many may read under, or one write."""

from __future__ import annotations

import threading
from types import TracebackType


class ReadWriteLock:
    """Readers wait for a writer, and a writer for all readers. A writer may take it again."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._reader_count = 0

    def acquire_read(self) -> None:
        """Waits until nobody writes."""
        with self._changed:
            self._reader_count += 1

    def release_read(self) -> None:
        """Ends a read."""
        with self._changed:
            self._reader_count -= 1
            if self._reader_count == 0:
                self._changed.notify_all()

    def acquire_write(self) -> None:
        """Waits until nobody reads or writes."""
        self._changed.acquire()
        self._changed.wait_for(lambda: self._reader_count <= 0)

    def release_write(self) -> None:
        """Ends a write."""
        self._changed.release()


class ReadRWLock:
    """Reads inside a `with` block."""

    def __init__(self, rwLock: ReadWriteLock) -> None:
        self.rwLock = rwLock

    def __enter__(self) -> None:
        self.rwLock.acquire_read()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.rwLock.release_read()


class WriteRWLock:
    """Writes inside a `with` block."""

    def __init__(self, rwLock: ReadWriteLock) -> None:
        self.rwLock = rwLock

    def __enter__(self) -> None:
        self.rwLock.acquire_write()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.rwLock.release_write()
