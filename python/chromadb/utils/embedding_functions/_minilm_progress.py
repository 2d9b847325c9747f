"""What the default embedding function says while it prepares its model.

On a terminal a line on standard error tells what is happening, with a bar for what has a size.
Anywhere else nothing is printed: the same sentence goes to the `logging` module, at INFO.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType

logger = logging.getLogger("chromadb.embedding_functions")

_BAR_WIDTH = 30


class Progress:
    """One step that takes a while; a context manager around it. Used by one thread."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._byte_count: int | None = None
        self._done_byte_count = 0
        self._drawn = ""
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        logger.info("%s", self._sentence)
        if self._is_shown:
            sys.stderr.write(f"{self._sentence}\n")
            sys.stderr.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()

    def set_byte_counts(self, done: int, total: int | None) -> None:
        """Says where the step stands: what is done already, of how much if that is known."""
        self._done_byte_count = done
        self._byte_count = total
        self._draw()

    def advance(self, byte_count: int) -> None:
        self._done_byte_count += byte_count
        self._draw()

    def _draw(self) -> None:
        if not self._is_shown:
            return
        line = f"  {self._done_byte_count / 1e6:.1f} MB"
        if self._byte_count:
            share = min(1.0, self._done_byte_count / self._byte_count)
            bar = ("#" * int(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, ".")
            line = f"  [{bar}] {share:4.0%}{line} of {self._byte_count / 1e6:.1f} MB"
        # Drawn when the text changes, which it does a few hundred times at most.
        if line != self._drawn:
            sys.stderr.write(f"\r{line}")
            sys.stderr.flush()
            self._drawn = line
