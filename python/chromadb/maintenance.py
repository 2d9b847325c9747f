"""What official Chroma has no names for: how much room collections take, and how to save it.

`client.flush()` and `client.compact()` do it for all collections; a collection has both of its own,
and `statistics()`. None of them changes what any other call answers.

What may take long has an argument `progress`: a callable that gets `(done, total)`, about twenty
times a second, on the thread of the call, or True for a bar on standard error where that is a
terminal. What the callable raises ends the call, as Ctrl-C does; what was done until then is whole,
and stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypedDict

from chromadb._progress import Progress as _Bar

__all__ = ["CollectionStatistics", "Progress"]

logger = logging.getLogger("chromadb.maintenance")

Progress: TypeAlias = Callable[[int, int], object] | bool | None


class CollectionStatistics(TypedDict):
    """What a collection takes. New writes stand in its log, until a compaction makes segments."""

    record_count: int
    version: int
    """Grows with every compaction; 0 before the first."""
    position: int
    """How many records were ever written, changed or deleted."""
    log_row_count: int
    """Writes that are in no segment yet."""
    log_record_count: int
    """Their records."""
    log_byte_count: int
    """Their bytes."""
    segment_count: int
    segment_byte_count: int
    dead_row_count: int
    """Records of segments that were deleted or replaced since, and whose room is not free yet."""
    compacted_byte_count: int
    """Bytes that compactions wrote, ever."""


@contextmanager
def reporting(
    progress: Progress, sentence: str, unit: str | None = None
) -> Iterator[Callable[[int, int], object] | None]:
    """What the engine is to call as a long call goes on. `unit` names what it counts, if not bytes.

    Raises TypeError where `progress` is none of what it may be.
    """
    if progress is True:
        with _Bar(sentence, logger, unit) as bar:
            yield bar.set
    elif progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    else:
        raise TypeError(
            f"progress should be a callable, a bool or None, got {type(progress).__name__}"
        )
