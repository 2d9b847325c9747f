"""The native engine, as the Python layer calls it.

`_chroma` is a C extension over libchroma. This stub is its contract: the layer above validates and
normalises, the extension converts and calls, the engine decides.

Rules for all methods:

* Arguments are positional. Collection ids are hyphenated UUID text.
* A callable `progress` gets `(done, total)`, on the thread of the call, about twenty times a second
  and at the end. What it raises, or a signal handler, ends the call; what was done stays.
* The GIL is released while the engine works; any number of threads may call one `Engine`.
* Errors of the engine become classes of `chromadb.errors`, imported at the first error and built
  from one string: invalid argument -> InvalidArgumentError, unauthenticated -> ChromaAuthError,
  permission denied -> AuthorizationError, not found -> NotFoundError, all others -> InternalError.
* An argument of the wrong Python type is a TypeError that names the argument, in the form
  "argument 'name': 'int' object cannot be converted to 'PyString'"; for limit, offset and
  n_results "argument 'limit': 'str' object cannot be interpreted as an integer". One of these that
  is negative or above 2**32 - 1 is
  OverflowError("out of range integral type conversion attempted").
* Columns of a write that differ in length are an InvalidArgumentError: "Inconsistent number of IDs,
  embeddings, documents, URIs and metadatas".
* Text that is not valid Unicode (a lone surrogate) is a UnicodeEncodeError.
* After `close()` every other method raises InvalidArgumentError with a sentence that says so.

Metadata going in: a dict whose keys are str. A bool, an int, a float, a str, or a non-empty list of
one of these is a value; bool is tested before int. An object that is none of these but has
`__index__` or `__float__` (a numpy scalar) counts as int or float. None is a value only where a
method says so. Anything else is a TypeError, "argument 'metadatas': Cannot convert Python object to
MetadataValue" ('metadata' for collections). Three values are refused with an InvalidArgumentError
that names the key: an int outside 64 bits, a float that is not finite, and, in the metadata of a
collection, a list.

Embeddings going in: one C-contiguous, aligned, two-dimensional float32 array of native byte order,
read without copying it and only during the call. Embeddings coming out: arrays of the same kind,
owned by the caller.

Everything coming out (dicts, lists, arrays) is fresh: the caller may change it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar, final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from chromadb.api.types import DistinctResult
from chromadb.maintenance import (
    CollectionStatistics,
    Copy,
    Explanation,
    Finding,
    RepairReport,
)

Result = TypeVar("Result")

__version__: Final[str]
"""The version of libchroma, for bug reports."""

@final
class Tenant(tuple[str]):
    @property
    def name(self) -> str: ...

@final
class Database(tuple[UUID, str, str]):
    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def tenant(self) -> str: ...

@final
class Collection(tuple[Any, ...]):
    """A named tuple (PyStructSequence) of these eight fields in this order."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def configuration(self) -> dict[str, Any]:
        """`{"hnsw": {...} | None, "spann": {...} | None, "embedding_function": {...} | None}`."""

    @property
    def schema(self) -> dict[str, Any]: ...
    @property
    def metadata(self) -> dict[str, Any] | None: ...
    @property
    def dimension(self) -> int | None: ...
    @property
    def tenant(self) -> str: ...
    @property
    def database(self) -> str: ...

@final
class GetResponse(tuple[Any, ...]):
    """A named tuple of columns. A column that was not asked for is None."""

    @property
    def ids(self) -> list[str]: ...
    @property
    def embeddings(self) -> npt.NDArray[np.float32] | None:
        """One row per id; shape (0, 0) where there is no record."""

    @property
    def documents(self) -> list[str | None] | None: ...
    @property
    def uris(self) -> list[str | None] | None: ...
    @property
    def metadatas(self) -> list[dict[str, Any] | None] | None: ...

@final
class QueryResponse(tuple[Any, ...]):
    """A named tuple of columns, one item per query each. A column not asked for is None."""

    @property
    def ids(self) -> list[list[str]]: ...
    @property
    def embeddings(self) -> list[npt.NDArray[np.float32]] | None: ...
    @property
    def documents(self) -> list[list[str | None]] | None: ...
    @property
    def uris(self) -> list[list[str | None]] | None: ...
    @property
    def metadatas(self) -> list[list[dict[str, Any] | None]] | None: ...
    @property
    def distances(self) -> list[list[float]] | None: ...

@final
class Engine:
    """A handle on a database directory, or on a fresh database in memory.

    Handles of one process on one directory share one engine; the last one closes it. Dropping the
    last reference to a handle closes it as `close()` does.
    """

    def __new__(
        cls,
        path: str | None,
        allow_reset: bool,
        /,
        *,
        read_only: bool = False,
        background: bool = True,
        memory_limit_bytes: int | None = None,
        indexing_threads: int | None = None,
    ) -> Engine:
        """Opens the directory, creating it with its parents. None for a database in memory.

        Args:
            read_only: Nothing in the directory is made or changed; it must exist. Calls that would
                change something are an AuthorizationError.
            background: Whether a thread compacts and indexes. Without one writers still bound what
                they leave.
            memory_limit_bytes: Beyond it, collections that are not in use are forgotten until they
                are; None and 0 for no limit. Below 2**64, else an OverflowError.
            indexing_threads: How many threads index; None and 0 for half of the cores.

        The first handle of a directory decides on the last three.
        """

    def close(self) -> None:
        """Gives the handle back. Idempotent, any thread; calls under way end first."""

    # ---- The database as a whole ------------------------------------------------------------

    def heartbeat(self) -> int:
        """Nanoseconds since the epoch."""

    def get_max_batch_size(self) -> int:
        """The largest number of records that one write takes."""

    def reset(self) -> bool:
        """Drops everything and returns True. AuthorizationError unless `allow_reset`."""

    # ---- Space and speed --------------------------------------------------------------------

    def flush(
        self,
        collection_id: str | None = None,
        progress: Callable[[int, int], object] | None = None,
        /,
    ) -> None:
        """Brings all collections, or one, to rest.

        What was written stands in segments and is indexed, and what was deleted is in no file.
        Progress counts thousandths of a collection.
        """

    def compact(
        self,
        collection_id: str | None = None,
        progress: Callable[[int, int], object] | None = None,
        /,
    ) -> None:
        """As `flush`; also merges segments into as few as possible."""

    def backup(self, path: str, progress: Callable[[int, int], object] | None = None, /) -> Copy:
        """Copies the database into a directory, and says what that took as a dict."""

    def statistics(self, collection_id: str, /) -> CollectionStatistics:
        """What the collection takes, as a dict."""

    def indexing_status(self, collection_id: str, /) -> tuple[int, int, int, float]:
        """Of the operations on the collection: those that its index knows, those that it does not,
        all of them; and the share of the first."""

    # ---- Tenants and databases --------------------------------------------------------------

    def create_tenant(self, name: str, /) -> None: ...
    def get_tenant(self, name: str, /) -> Tenant: ...
    def create_database(self, name: str, tenant: str, /) -> None: ...
    def get_database(self, name: str, tenant: str, /) -> Database: ...
    def delete_database(self, name: str, tenant: str, /) -> None: ...
    def list_databases(
        self, limit: int | None, offset: int | None, tenant: str, /
    ) -> list[Database]: ...

    # ---- Collections ------------------------------------------------------------------------

    def count_collections(self, tenant: str, database: str, /) -> int: ...
    def list_collections(
        self, limit: int | None, offset: int | None, tenant: str, database: str, /
    ) -> list[Collection]: ...
    def create_collection(
        self,
        name: str,
        configuration_json_str: str | None,
        schema_str: str | None,
        metadata: dict[str, Any] | None,
        get_or_create: bool,
        tenant: str,
        database: str,
        /,
    ) -> Collection: ...
    def get_collection(self, name: str, tenant: str, database: str, /) -> Collection: ...
    def get_collection_by_id(
        self, collection_id: str, tenant: str, database: str, /
    ) -> Collection: ...
    def update_collection(
        self,
        collection_id: str,
        new_name: str | None,
        new_metadata: dict[str, Any] | None,
        new_configuration_json_str: str | None,
        /,
    ) -> None:
        """Changes what is not None.

        Entries of `new_metadata` that are None are left out; of such alone, the collection has no
        metadata afterwards.
        """

    def delete_collection(self, name: str, tenant: str, database: str, /) -> None: ...

    # ---- Records ----------------------------------------------------------------------------

    def add(
        self,
        ids: list[str],
        collection_id: str,
        embeddings: npt.NDArray[np.float32],
        metadatas: Sequence[dict[str, Any] | None] | None,
        documents: Sequence[str | None] | None,
        uris: Sequence[str | None] | None,
        tenant: str,
        database: str,
        /,
    ) -> bool:
        """Inserts. The ids come first here. None is no metadata value."""

    def insert(
        self,
        collection_id: str,
        ids: list[str],
        embeddings: npt.NDArray[np.float32],
        metadatas: Sequence[dict[str, Any] | None] | None,
        documents: Sequence[str | None] | None,
        uris: Sequence[str | None] | None,
        on_conflict: Literal["ignore", "error", "replace"],
        /,
    ) -> tuple[int, int]:
        """Inserts, and says how many were new, and how many ids existed or came again.

        What exists is left as it is, or makes the whole call an `IDAlreadyExistsError`, or becomes
        exactly what is given, at its place. None is no metadata value.
        """

    def update(
        self,
        collection_id: str,
        ids: list[str],
        embeddings: npt.NDArray[np.float32] | None,
        metadatas: Sequence[dict[str, Any] | None] | None,
        documents: Sequence[str | None] | None,
        uris: Sequence[str | None] | None,
        tenant: str,
        database: str,
        embedding_present: npt.NDArray[np.bool_] | None = None,
        /,
    ) -> bool:
        """Changes. A metadata value of None deletes the key.

        Where `embedding_present` (one C-contiguous item per id) is False, the row of `embeddings`
        is not looked at and the record keeps its embedding. None stands for all True.
        """

    def upsert(
        self,
        collection_id: str,
        ids: list[str],
        embeddings: npt.NDArray[np.float32],
        metadatas: Sequence[dict[str, Any] | None] | None,
        documents: Sequence[str | None] | None,
        uris: Sequence[str | None] | None,
        tenant: str,
        database: str,
        /,
    ) -> bool:
        """Inserts or changes. A metadata value of None deletes the key."""

    def update_selected(
        self,
        collection_id: str,
        ids: list[str] | None,
        where: str | None,
        where_document: str | None,
        metadata: dict[str, Any],
        /,
    ) -> int:
        """Merges metadata into that of the selected records and returns how many they are."""

    def delete(
        self,
        collection_id: str,
        ids: list[str] | None,
        where: str | None,
        where_document: str | None,
        limit: int | None,
        tenant: str,
        database: str,
        /,
    ) -> int:
        """Deletes and returns how many. Filters are JSON text."""

    def count(
        self,
        collection_id: str,
        tenant: str,
        database: str,
        where: str | None = None,
        where_document: str | None = None,
        /,
    ) -> int: ...
    def get(
        self,
        collection_id: str,
        ids: list[str] | None,
        where: str | None,
        limit: int | None,
        offset: int,
        where_document: str | None,
        include: Sequence[str],
        tenant: str,
        database: str,
        after: str | None = None,
        order_by: str | None = None,
        descending: bool = False,
        /,
    ) -> GetResponse:
        """`include` names columns; "data" stands for "metadatas"."""

    def distinct(
        self,
        collection_id: str,
        key: str,
        ids: list[str] | None,
        where: str | None,
        where_document: str | None,
        limit: int | None,
        /,
    ) -> DistinctResult:
        """The values under the key and how many of the selected records have each, as a dict."""

    def query(
        self,
        collection_id: str,
        ids: list[str] | None,
        query_embeddings: npt.NDArray[np.float32],
        n_results: int,
        where: str | None,
        where_document: str | None,
        include: Sequence[str],
        tenant: str,
        database: str,
        exact: bool = False,
        max_distance: float | None = None,
        /,
    ) -> QueryResponse:
        """The `n_results` nearest records for each row, nearest first.

        If `exact`, every record that the ids and filters let through is measured. What is farther
        than `max_distance` is left out; NaN is an InvalidArgumentError.
        """

    def explain(
        self,
        collection_id: str,
        ids: list[str] | None,
        query_embeddings: npt.NDArray[np.float32] | None,
        n_results: int,
        where: str | None,
        where_document: str | None,
        exact: bool,
        /,
    ) -> Explanation:
        """Runs the query and says how it was answered, as a dict.

        Without `query_embeddings`, evaluates ids and filters alone.
        """

@final
class Cancel:
    """A wish that the calls of another thread end early."""

    def __new__(cls) -> Cancel: ...
    def run(self, function: Callable[[], Result], /) -> Result:
        """Calls the function on this thread, so that a request ends its reads and long calls.

        They end with an InternalError. One run within another takes the place of that one.
        """

    def request(self) -> None:
        """Ends them, now and later. Any thread. A write that has begun is not undone."""

# ---- Directories --------------------------------------------------------------------------------

def restore(
    source: str, target: str, progress: Callable[[int, int], object] | None = None, /
) -> Copy:
    """Copies a backup into a new or empty directory, and says what that took as a dict."""

def verify(path: str, progress: Callable[[int, int], object] | None = None, /) -> list[Finding]:
    """Everything that is damaged in a directory, as dicts."""

def repair(path: str, progress: Callable[[int, int], object] | None = None, /) -> RepairReport:
    """Rebuilds what can be rebuilt of a directory, and says what it did as a dict."""
