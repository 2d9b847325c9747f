"""What the embedding functions that run a model in this process share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

from chromadb.api.types import Documents, SparseEmbeddingFunction, SparseVectors
from chromadb.utils.embedding_functions._vendors import VendorFunction
from chromadb.utils.embedding_functions.schemas import validate_config_schema
from chromadb.utils.sparse_embedding_utils import normalize_sparse_vector

if TYPE_CHECKING:
    from chromadb.api.types import SparseVector

TaskType = Literal["document", "query"]


class TaskConfig(TypedDict):
    """What queries are embedded as."""

    task: TaskType


def check_storable(kwargs: Mapping[str, Any]) -> None:
    """Refuses keyword arguments of a model that no configuration can hold."""
    for key, value in kwargs.items():
        if not isinstance(value, (str, int, float, bool, list, dict, tuple)):
            raise ValueError(f"Keyword argument {key} is not a primitive type")


def loaded_model(models: dict[Any, Any], make: Any, function: Any) -> Any:
    """The model of a function, from `models` where one of the same arguments is there."""
    key = (function.model_name, function.device, repr(sorted(function.kwargs.items())))
    if key not in models:
        models[key] = make(
            model_name_or_path=function.model_name, device=function.device, **function.kwargs
        )
    return models[key]


class LocalFunction(VendorFunction[Any]):
    """A function of a model whose name may also be a path, which its user may move."""

    _fixed_keys = {}


class ModelFunction(LocalFunction):
    """A function that also stores keyword arguments for its model's constructor."""

    kwargs: dict[str, Any]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kwargs": self.kwargs}

    @classmethod
    def _arguments(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        return {**super()._arguments(config), **config.get("kwargs", {})}


class SparseModelFunction(SparseEmbeddingFunction[Documents]):
    """A sparse function of a model that embeds documents one way and queries another.

    `task` says which way texts are embedded, and `query_config`, where it is given, which way
    queries are. Each argument that is configuration is kept in an attribute of the same name.
    """

    _required_keys: ClassVar[tuple[str, ...]] = ()
    _optional_keys: ClassVar[tuple[str, ...]]

    task: TaskType | None
    query_config: TaskConfig | None
    kwargs: dict[str, Any]

    def __call__(self, input: Documents) -> SparseVectors:
        return self._embed(input, self.task)

    def embed_query(self, input: Documents) -> SparseVectors:
        if self.query_config is None:
            return self(input)
        return self._embed(input, self.query_config.get("task"))

    def _embed(self, texts: Documents, task: str | None) -> SparseVectors:
        if task == "document":
            return [self._vector(row) for row in self._embed_documents(list(texts))]
        if task == "query":
            return [self._vector(row) for row in self._embed_queries(list(texts))]
        raise ValueError(f"Invalid task: {task}")

    @abstractmethod
    def _embed_documents(self, texts: list[str]) -> Iterable[Any]: ...

    @abstractmethod
    def _embed_queries(self, texts: list[str]) -> Iterable[Any]: ...

    def _vector(self, row: Any) -> SparseVector:
        """The sparse vector of what the model returned for a text."""
        return normalize_sparse_vector(row.indices.tolist(), row.values.tolist())

    def get_config(self) -> dict[str, Any]:
        keys = (*self._required_keys, *self._optional_keys, "kwargs")
        return {key: getattr(self, key) for key in keys}

    @classmethod
    def build_from_config(cls, config: dict[str, Any]) -> SparseModelFunction:
        for key in cls._required_keys:
            if config.get(key) is None:
                raise ValueError(
                    f"The configuration of the embedding function {cls.name()!r} lacks {key!r}."
                )
        keys = (*cls._required_keys, *cls._optional_keys)
        return cls(**{key: config.get(key) for key in keys}, **config.get("kwargs", {}))

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises where `config` does not fit the schema of the function's name."""
        validate_config_schema(config, cls.name())
