"""Embedding functions: the protocols, and the function that collections have by default."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

from chromadb.api._embeddings import normalize_embeddings, validate_embeddings
from chromadb.base_types import Documents, Space, SparseVector, SparseVectors, Vector

D = TypeVar("D", contravariant=True)
L = TypeVar("L", covariant=True)


@runtime_checkable
class EmbeddingFunction(Protocol[D]):
    """Turns documents or images into vectors.

    A subclass defines `__call__`, whose parameter is called `input`; its result may have any form
    that collections accept as embeddings and reaches the caller as a list of arrays. To be
    remembered by the collections that use it, a subclass also defines `name`, `get_config` and
    `build_from_config`, and is registered with
    `chromadb.utils.embedding_functions.register_embedding_function`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"The class {type(self).__name__} does not implement __init__. This will be required "
            "in a future version.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, input: D) -> list[Vector]:
        """One vector for each item of the input."""
        ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        embed = cls.__dict__.get("__call__")
        if embed is None:
            return

        def __call__(self: EmbeddingFunction[D], input: D) -> list[Vector]:
            return validate_embeddings(normalize_embeddings(embed(self, input)))

        # Not functools.wraps: the parameter is `input` here, whatever it was called there.
        __call__.__doc__ = embed.__doc__
        __call__.__qualname__ = embed.__qualname__
        cls.__call__ = __call__  # type: ignore[method-assign]

    def embed_query(self, input: D) -> list[Vector]:
        """One vector for each query of the input; as for documents, unless a subclass says else."""
        return self(input)

    def embed_with_retries(self, input: D, **retry_kwargs: Any) -> list[Vector]:
        """Embeds, and again where that fails, as the arguments of `tenacity.retry` say."""
        result: list[Vector] = _retrying(self.__call__, retry_kwargs)(input)
        return result

    @staticmethod
    def name() -> str:
        """The name under which collections remember the function."""
        name: str = _not_implemented("The EmbeddingFunction class", "name")
        return name

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> EmbeddingFunction[Any]:
        """The function that had this configuration."""
        function: EmbeddingFunction[Any] = _not_implemented(
            "The EmbeddingFunction class", "build_from_config"
        )
        return function

    def get_config(self) -> dict[str, Any]:
        """What `build_from_config` needs, as values that JSON can hold. Never a secret."""
        config: dict[str, Any] = _not_implemented(f"The class {type(self).__name__}", "get_config")
        return config

    def default_space(self) -> Space:
        """The distance of new collections where the caller names none."""
        return "l2"

    def supported_spaces(self) -> list[Space]:
        """The distances that make sense for the vectors."""
        return ["cosine", "l2", "ip"]

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises where a collection must not change from one configuration to the other."""
        return None

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        """Raises where a configuration is wrong."""
        return None

    def is_legacy(self) -> bool:
        """Whether collections cannot remember the function."""
        cls = type(self)
        return (
            cls.name is EmbeddingFunction.name
            or cls.get_config is EmbeddingFunction.get_config
            or cls.build_from_config is EmbeddingFunction.build_from_config
            or self.name() is NotImplemented
            or self.get_config() is NotImplemented
        )


@runtime_checkable
class SparseEmbeddingFunction(Protocol[D]):
    """Turns documents into sparse vectors.

    A subclass defines `__call__`, `__init__`, `name`, `get_config` and `build_from_config`, and is
    registered with `chromadb.utils.embedding_functions.register_sparse_embedding_function`.
    """

    @abstractmethod
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    @abstractmethod
    def __call__(self, input: D) -> SparseVectors:
        """One vector for each item of the input."""
        ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        embed = cls.__dict__.get("__call__")
        if embed is None:
            return

        def __call__(self: SparseEmbeddingFunction[D], input: D) -> SparseVectors:
            return validate_sparse_vectors(embed(self, input))

        __call__.__doc__ = embed.__doc__
        __call__.__qualname__ = embed.__qualname__
        cls.__call__ = __call__  # type: ignore[method-assign]

    def embed_query(self, input: D) -> SparseVectors:
        """One vector for each query of the input; as for documents, unless a subclass says else."""
        return self(input)

    def embed_with_retries(self, input: D, **retry_kwargs: Any) -> SparseVectors:
        """Embeds, and again where that fails, as the arguments of `tenacity.retry` say."""
        result: SparseVectors = _retrying(self.__call__, retry_kwargs)(input)
        return result

    @staticmethod
    @abstractmethod
    def name() -> str:
        """The name under which collections remember the function."""
        ...

    @staticmethod
    @abstractmethod
    def build_from_config(config: dict[str, Any]) -> SparseEmbeddingFunction[Any]:
        """The function that had this configuration."""
        ...

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """What `build_from_config` needs, as values that JSON can hold. Never a secret."""
        ...

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises where a collection must not change from one configuration to the other."""
        return None

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        """Raises where a configuration is wrong."""
        return None


def _retrying(embed: Callable[..., Any], retry_kwargs: dict[str, Any]) -> Callable[..., Any]:
    try:
        from tenacity import retry
    except ImportError:
        raise ValueError(
            "The tenacity python package is not installed. Please install it with "
            "`pip install tenacity`"
        ) from None
    retrying: Callable[..., Any] = retry(**retry_kwargs)(embed)
    return retrying


def _not_implemented(owner: str, method: str) -> Any:
    """Upstream's mark of a method that a function does not have, and its warning."""
    warnings.warn(
        f"{owner} does not implement {method}(). This will be required in a future version.",
        DeprecationWarning,
        stacklevel=3,
    )
    return NotImplemented


class DefaultEmbeddingFunction(EmbeddingFunction[Documents]):
    """all-MiniLM-L6-v2, 384 dimensions, run by onnxruntime on this machine.

    Loads the model at the first use, once for all instances of a process.
    """

    def __init__(self) -> None:
        pass

    def __call__(self, input: Documents) -> list[Vector]:
        from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

        return ONNXMiniLM_L6_V2()(input)

    @staticmethod
    def name() -> str:
        return "default"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> DefaultEmbeddingFunction:
        return DefaultEmbeddingFunction()

    def get_config(self) -> dict[str, Any]:
        return {}

    def max_tokens(self) -> int:
        """How much of a text is embedded. What is longer is cut off."""
        return 256


class DataLoader(Protocol[L]):
    """Fetches what URIs name: one item for each URI, None for None."""

    def __call__(self, uris: Any) -> L: ...


def validate_embedding_function(embedding_function: Any) -> None:
    """Refuses what cannot be called with one argument `input`."""
    _check_signature(
        embedding_function,
        "EmbeddingFunction",
        "\nPlease note the recent change to the EmbeddingFunction interface: "
        "https://docs.trychroma.com/deployment/migration#migration-to-0.4.16---november-7,-2023 \n",
    )


def validate_sparse_embedding_function(sparse_vector_function: Any) -> None:
    """Refuses what cannot be called with one argument `input`."""
    _check_signature(sparse_vector_function, "SparseEmbeddingFunction", "\n")


def _check_signature(function: Any, protocol: str, end: str) -> None:
    import inspect

    embed = getattr(type(function), "__call__", None)
    parameters = None if embed is None else list(inspect.signature(embed).parameters)
    if parameters != ["self", "input"]:
        raise ValueError(
            f"Expected {protocol}.__call__ to have the following signature: "
            f"odict_keys(['self', 'input']), got odict_keys({parameters or []})\n"
            "Please see https://docs.trychroma.com/guides/embeddings for details of the "
            f"{protocol} interface.{end}"
        )


def validate_sparse_vectors(vectors: SparseVectors) -> SparseVectors:
    """Refuses what is no list of sparse vectors, with one at least. Returns what it was given."""
    if not isinstance(vectors, list):
        raise ValueError(f"Expected sparse vectors to be a list, got {type(vectors).__name__}")
    if len(vectors) == 0:
        raise ValueError("Expected sparse vectors to be a non-empty list, got 0 sparse vectors")
    for position, vector in enumerate(vectors):
        if not isinstance(vector, SparseVector):
            raise ValueError(
                f"Expected SparseVector instance at position {position}, "
                f"got {type(vector).__name__}"
            )
    return vectors


def known_name(embedding_function: Any) -> str | None:
    """The name under which collections remember a function; None where they cannot."""
    is_legacy = getattr(embedding_function, "is_legacy", None)
    try:
        if is_legacy is None or is_legacy():
            return None
        name: str = embedding_function.name()
    except Exception:
        return None  # Such as a get_config() that raises NotImplementedError.
    return name


def shown_name(embedding_function: Any) -> str:
    """What messages call a function."""
    return known_name(embedding_function) or type(embedding_function).__name__
