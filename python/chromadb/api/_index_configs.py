"""The settings of the indexes that a schema speaks of.

Fields are given by name and checked as they are given. None stands for what the engine chooses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

from chromadb.api._embedding_function import (
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    validate_embedding_function,
)
from chromadb.base_types import Space

DOCUMENT_KEY = "#document"

_SPACES = ("cosine", "l2", "ip")
# One for all, so that two schemas that name none are equal.
_DEFAULT_FUNCTION = DefaultEmbeddingFunction()


class _Config:
    """What the settings have in common: which names they know, and their JSON."""

    # Whether an unknown name is reported as one of no field of this class, as upstream does for
    # some of the classes; tests of users match on the words.
    _names_itself: ClassVar[bool] = False
    # Names that may be given, and are no fields.
    _accepted_too: ClassVar[frozenset[str]] = frozenset()

    def __new__(cls, *args: Any, **given: Any) -> Any:
        known = {known.name for known in fields(cls)}  # type: ignore[arg-type]
        unknown = [name for name in given if name not in known | cls._accepted_too]
        if unknown:
            raise ValueError(cls._refusal(unknown))
        return super().__new__(cls)

    @classmethod
    def _refusal(cls, unknown: list[str]) -> str:
        if not cls._names_itself:
            return f"{unknown[0]}: Extra inputs are not permitted in {cls.__name__}."
        if len(unknown) == 1:
            return f"'{unknown[0]}' is not a valid field for {cls.__name__}. "
        names = ", ".join(f"'{name}'" for name in unknown)
        return f"Invalid fields for {cls.__name__}: {names}. "

    def model_dump(self, *, exclude_none: bool = False) -> dict[str, Any]:
        """The fields and their values, as upstream's pydantic models tell them."""
        found = {}
        for known in fields(self):  # type: ignore[arg-type]
            value = getattr(self, known.name)
            if isinstance(value, _Config):
                value = value.model_dump(exclude_none=exclude_none)
            if value is not None or not exclude_none:
                found[known.name] = value
        return found

    def _given(self, leaving_out: Iterable[str] = ()) -> dict[str, Any]:
        """The fields that are given, as JSON values."""
        found = {}
        for known in fields(self):  # type: ignore[arg-type]
            value = getattr(self, known.name)
            if value is not None and known.name not in leaving_out:
                found[known.name] = value._given() if isinstance(value, _Config) else value
        return found

    def _check_numbers(self, *, floats: Iterable[str] = (), others: Iterable[str] = ()) -> None:
        """Makes integers of all fields but those named, and floats of some of these."""
        for known in fields(self):  # type: ignore[arg-type]
            value = getattr(self, known.name)
            if value is None or known.name in others:
                continue
            is_float = known.name in floats
            if not isinstance(value, (int, float)):
                kind = "number" if is_float else "integer"
                raise ValueError(f"{known.name}: Input should be a valid {kind}, got {value!r}.")
            if not is_float and value != int(value):
                raise ValueError(
                    f"{known.name}: Input should be a valid integer, got a number with a "
                    f"fractional part: {value!r}."
                )
            setattr(self, known.name, float(value) if is_float else int(value))


@dataclass(kw_only=True)
class FtsIndexConfig(_Config):
    """The index of documents that answers `$contains` and `$regex`. Has no settings."""


@dataclass(kw_only=True)
class StringInvertedIndexConfig(_Config):
    """The index of strings in metadata. Has no settings."""


@dataclass(kw_only=True)
class IntInvertedIndexConfig(_Config):
    """The index of integers in metadata. Has no settings."""


@dataclass(kw_only=True)
class FloatInvertedIndexConfig(_Config):
    """The index of floats in metadata. Has no settings."""


@dataclass(kw_only=True)
class BoolInvertedIndexConfig(_Config):
    """The index of bools in metadata. Has no settings."""


@dataclass(kw_only=True)
class HnswIndexConfig(_Config):
    """The graph over the vectors; the fields are those of the configuration's `hnsw`."""

    _names_itself = True

    ef_construction: int | None = None
    max_neighbors: int | None = None
    ef_search: int | None = None
    num_threads: int | None = None
    batch_size: int | None = None
    sync_threshold: int | None = None
    resize_factor: float | None = None

    def __post_init__(self) -> None:
        self._check_numbers(floats=["resize_factor"])


@dataclass(kw_only=True, init=False)
class SpannIndexConfig(_Config):
    """The index of distributed Chroma. A local database makes a graph instead.

    Settings that servers keep for themselves are accepted, and not kept.
    """

    _names_itself = True
    _accepted_too = frozenset(
        (
            "search_rng_factor",
            "search_rng_epsilon",
            "nreplica_count",
            "write_rng_factor",
            "write_rng_epsilon",
            "num_samples_kmeans",
            "initial_lambda",
            "num_centers_to_merge_to",
            "center_drift_threshold",
            "quantize",
        )
    )

    search_nprobe: int | None = None
    write_nprobe: int | None = None
    ef_construction: int | None = None
    ef_search: int | None = None
    max_neighbors: int | None = None
    reassign_neighbor_count: int | None = None
    split_threshold: int | None = None
    merge_threshold: int | None = None

    def __init__(
        self,
        *,
        search_nprobe: int | None = None,
        write_nprobe: int | None = None,
        ef_construction: int | None = None,
        ef_search: int | None = None,
        max_neighbors: int | None = None,
        reassign_neighbor_count: int | None = None,
        split_threshold: int | None = None,
        merge_threshold: int | None = None,
        **kept_by_servers: Any,
    ) -> None:
        self.search_nprobe = search_nprobe
        self.write_nprobe = write_nprobe
        self.ef_construction = ef_construction
        self.ef_search = ef_search
        self.max_neighbors = max_neighbors
        self.reassign_neighbor_count = reassign_neighbor_count
        self.split_threshold = split_threshold
        self.merge_threshold = merge_threshold
        self._check_numbers()


@dataclass(kw_only=True)
class VectorIndexConfig(_Config):
    """The index of a collection's vectors, and the function that makes them.

    `hnsw` and `spann` may also be dicts of their fields.
    """

    space: Space | None = None
    embedding_function: EmbeddingFunction[Any] | None = _DEFAULT_FUNCTION
    source_key: str | None = None
    hnsw: HnswIndexConfig | None = None
    spann: SpannIndexConfig | None = None

    def __post_init__(self) -> None:
        if self.space is not None and self.space not in _SPACES:
            raise ValueError(f"space: Input should be 'cosine', 'l2' or 'ip', got {self.space!r}.")
        if self.embedding_function is not None:
            if not callable(self.embedding_function):
                raise ValueError("embedding_function must be callable or None")
            validate_embedding_function(self.embedding_function)
        self.source_key = _source_key(self.source_key)
        self.hnsw = _nested(HnswIndexConfig, "hnsw", self.hnsw)
        self.spann = _nested(SpannIndexConfig, "spann", self.spann)


@dataclass(kw_only=True)
class SparseVectorIndexConfig(_Config):
    """The index of sparse vectors, which a local database has none of yet."""

    _names_itself = True

    embedding_function: Any = None
    source_key: str | None = None
    bm25: bool | None = None
    algorithm: str | None = None

    def __post_init__(self) -> None:
        if self.embedding_function is not None and not callable(self.embedding_function):
            raise ValueError(
                "embedding_function must be a callable SparseEmbeddingFunction or None"
            )
        self.source_key = _source_key(self.source_key)
        if self.bm25 is not None and not isinstance(self.bm25, bool):
            raise ValueError(f"bm25: Input should be a valid boolean, got {self.bm25!r}.")


IndexConfig: TypeAlias = (
    FtsIndexConfig
    | VectorIndexConfig
    | SparseVectorIndexConfig
    | StringInvertedIndexConfig
    | IntInvertedIndexConfig
    | FloatInvertedIndexConfig
    | BoolInvertedIndexConfig
)


def key_name(key: Any, what: str = "key") -> str:
    """The name of a metadata key, which may be given as an object that has one."""
    name = key if isinstance(key, str) else getattr(key, "name", None)
    if not isinstance(name, str):
        raise ValueError(f"{what} must be str or Key, got {type(key).__name__}")
    return name


def _source_key(key: Any) -> str | None:
    if key is None:
        return None
    name = key_name(key, "source_key")
    if name.startswith("#") and name != DOCUMENT_KEY:
        raise ValueError(
            "source_key cannot begin with '#'. The only valid key starting with '#' is "
            "Key.DOCUMENT or '#document'."
        )
    return name


def _nested(config: Any, name: str, value: Any) -> Any:
    if value is None or isinstance(value, config):
        return value
    if isinstance(value, dict):
        return config(**value)
    raise ValueError(
        f"{name}: Input should be a valid dictionary or instance of {config.__name__}, "
        f"got {value!r}."
    )
