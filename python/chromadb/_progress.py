"""What is said while something takes long: the model is prepared, a database is verified.

On a terminal a line on standard error tells what is happening, with a bar for what has a size.
Anywhere else nothing is printed: the same sentence goes to the `logging` module, at INFO.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType

_BAR_WIDTH = 30


class Progress:
    """One step that takes a while; a context manager around it. Used by one thread.

    Its size counts bytes, shown as MB, or what `unit` names. Where that is empty only the share is
    shown.
    """

    def __init__(self, sentence: str, logger: logging.Logger, unit: str | None = None) -> None:
        self._sentence = sentence
        self._logger = logger
        self._unit = unit
        self._total: int | None = None
        self._done = 0
        self._drawn = ""
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        self._logger.info("%s", self._sentence)
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

    def set(self, done: int, total: int | None) -> None:
        """Says where the step stands: what is done already, of how much if that is known."""
        self._done = done
        self._total = total
        self._draw()

    def advance(self, count: int) -> None:
        self._done += count
        self._draw()

    def _draw(self) -> None:
        if not self._is_shown:
            return
        line = f"  {self._amount(self._done)}"
        if self._total:
            share = min(1.0, self._done / self._total)
            bar = ("#" * int(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, ".")
            amount = "" if self._unit == "" else f"{line} of {self._amount(self._total)}"
            line = f"  [{bar}] {share:4.0%}{amount}"
        # Drawn when the text changes, which it does a few hundred times at most.
        if line != self._drawn:
            sys.stderr.write(f"\r{line}")
            sys.stderr.flush()
            self._drawn = line

    def _amount(self, count: int) -> str:
        return f"{count:,} {self._unit}" if self._unit else f"{count / 1e6:.1f} MB"
