"""What official Chroma has no names for: saving room, keeping copies, mending what is damaged, and
seeing how a query is answered.

    client.compact()                                # The directory as small as it gets.
    client.backup("./backup")                       # While anybody writes; again, for what is new.
    maintenance.restore("./backup", "./notes")      # Into a new or empty directory.
    maintenance.verify("./notes")                   # Everything that is damaged: [] is good news.
    maintenance.repair("./notes")                   # What can be rebuilt, and a report on the rest.

A collection has `flush()`, `compact()`, `statistics()` and `explain()` of its own. Nothing of this
changes what any other call answers, except a repair, which says what is lost, and that an index
which knows more records may find others of the nearest.

What may take long has an argument `progress`: a callable that gets `(done, total)`, about twenty
times a second, on the thread of the call, or True for a bar on standard error where that is a
terminal. Counted are bytes, or thousandths of each collection that is flushed or compacted. What
the callable raises ends the call, as Ctrl-C does; what was done until then is whole, and stays.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

from chromadb._progress import Progress as _Bar

__all__ = [
    "CollectionStatistics",
    "Copy",
    "Explanation",
    "Finding",
    "Loss",
    "Progress",
    "RepairReport",
    "Search",
    "repair",
    "restore",
    "verify",
]

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


class Search(TypedDict):
    """What one query took."""

    strategy: Literal["exact scan", "code scan", "graph", "filtered graph"]
    """How the candidates that the index has were searched: all of them measured; all by their
    codes, of eight bits a number, and measured where that left it open; or by way of the graph, if
    filtered through records that are no candidates. Scans miss nothing."""
    has_switched: bool
    """Whether the graph took too long, and a scan was made instead."""
    scanned_count: int
    """Candidates that the index does not have, which were measured."""
    measured_count: int
    """Codes that were compared."""
    reranked_count: int
    """Candidates of the index that were then measured."""


class Explanation(TypedDict):
    """How a query was answered. The same state answers it in the same way, in every process."""

    version: int
    """Of the segments; see `CollectionStatistics`."""
    generation: int
    """Of the index; 0: there was none."""
    position: int
    """How many records were ever written, changed or deleted."""
    indexed_position: int
    """Vectors that were set later are not in the index."""
    record_count: int
    candidate_count: int
    """Records that the ids and filters let through."""
    unindexed_count: int
    """Records that the index does not have."""
    ef_search: int
    """As the collection's configuration has it."""
    searches: list[Search]
    """One for each query."""
    filter: dict[str, Any] | None
    """How ids and filters were evaluated, and what that took; None without any. To be read by
    people: what is in it may change with any release."""


class Copy(TypedDict):
    """What a backup or a restoration took."""

    blob_count: int
    """Files of data, beside the catalog, that the copy has."""
    byte_count: int
    """Bytes that the copy has."""
    copied_blob_count: int
    """Files of data that were not there from an earlier backup."""
    copied_byte_count: int
    """Bytes that were copied this time."""
    removed_blob_count: int
    """Files of the earlier backup that the new one needs no more."""


class Finding(TypedDict):
    """One thing in a directory that is not as it should be."""

    severity: Literal["damage", "waste"]
    """Damage: stored bytes are wrong or missing. Waste is needed by nothing, and goes by itself."""
    what: str
    """A sentence."""
    file: str
    """In the directory, as "chroma.db"."""
    place: str | None
    """Where in the file, as "page 17"; None for all of it."""
    collection_id: UUID | None
    """Whose data it is, if that is known."""
    collection_name: str | None
    is_repairable: bool
    """Whether `repair` does away with it; what the bytes held may be lost."""


class Loss(TypedDict):
    """What a repair could not read."""

    what: str
    """A sentence."""
    collection_id: UUID | None
    collection_name: str | None
    record_count: int | None
    """How many records are lost, if that is known."""
    ids: list[str]
    """Their ids, as far as they could be read; at most 1,000."""


class RepairReport(TypedDict):
    """What a repair did. Without actions there was nothing to do."""

    actions: list[str]
    losses: list[Loss]
    saved_directory: str | None
    """Where it keeps what it replaced, in the directory; None where it replaced nothing."""


def verify(path: str | os.PathLike[str], progress: Progress = None) -> list[Finding]:
    """Reads all of a directory, and says everything that is damaged. Changes nothing.

    Any process may have the directory open, this one included.

    Raises:
        NotFoundError: There is no database.
        InternalError: A newer release wrote it, or the operating system refuses to read. Damage is
            in the answer, and no error.
    """
    from chromadb_swift_bindings import _chroma

    with reporting(progress, f"Verifying {os.fspath(path)}") as told:
        return _chroma.verify(os.fspath(path), told)


def repair(path: str | os.PathLike[str], progress: Progress = None) -> RepairReport:
    """Rebuilds what can be rebuilt of a damaged directory, the catalog included.

    What cannot be read is taken out, so that the rest works. What is replaced is kept, in a
    directory of its own inside. A second repair finds nothing to do.

    Raises:
        NotFoundError: There is nothing that could be repaired.
        InternalError: A process has the directory open, this one included; or the disk is full.
    """
    from chromadb_swift_bindings import _chroma

    with reporting(progress, f"Repairing {os.fspath(path)}") as told:
        return _chroma.repair(os.fspath(path), told)


def restore(
    source: str | os.PathLike[str], target: str | os.PathLike[str], progress: Progress = None
) -> Copy:
    """Copies a backup into a new or empty directory, checking every byte.

    Raises:
        InvalidArgumentError: The source is no finished backup.
        InternalError: The target is not empty; the backup is damaged; or the disk is full.
    """
    from chromadb_swift_bindings import _chroma

    with reporting(progress, f"Restoring {os.fspath(target)}") as told:
        return _chroma.restore(os.fspath(source), os.fspath(target), told)


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
