"""Embedding functions: the protocol, and the one that collections have by default."""

from __future__ import annotations

import warnings
from typing import Any, Protocol, TypeVar, runtime_checkable

from chromadb.api._embeddings import normalize_embeddings, validate_embeddings
from chromadb.base_types import Documents, Space, Vector

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
        from tenacity import retry

        result: list[Vector] = retry(**retry_kwargs)(self.__call__)(input)
        return result

    @staticmethod
    def name() -> str:
        """The name under which collections remember the function."""
        warnings.warn(
            "An embedding function without name() cannot be rebuilt when its collection is opened "
            "again; name() will be required in a future version.",
            DeprecationWarning,
            stacklevel=2,
        )
        return NotImplemented  # type: ignore[no-any-return]  # Upstream's mark of having none.

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> EmbeddingFunction[Any]:
        """The function that had this configuration."""
        raise NotImplementedError("This embedding function does not define build_from_config().")

    def get_config(self) -> dict[str, Any]:
        """What `build_from_config` needs, as values that JSON can hold. Never a secret."""
        raise NotImplementedError("This embedding function does not define get_config().")

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
        return cls.name is EmbeddingFunction.name or cls.get_config is EmbeddingFunction.get_config


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


class DataLoader(Protocol[L]):
    """Fetches what URIs name: one item for each URI, None for None."""

    def __call__(self, uris: Any) -> L: ...


def validate_embedding_function(embedding_function: Any) -> None:
    """Refuses what cannot be called with one argument `input`."""
    import inspect

    embed = getattr(type(embedding_function), "__call__", None)
    parameters = None if embed is None else list(inspect.signature(embed).parameters)
    if parameters != ["self", "input"]:
        raise ValueError(
            "Expected EmbeddingFunction.__call__ to have the following signature: "
            f"odict_keys(['self', 'input']), got odict_keys({parameters or []})\n"
            "Please see https://docs.trychroma.com/guides/embeddings for details of the "
            "EmbeddingFunction interface."
        )


def known_name(embedding_function: Any) -> str | None:
    """The name under which collections remember a function; None where they cannot."""
    is_legacy = getattr(embedding_function, "is_legacy", None)
    if is_legacy is None or is_legacy():
        return None
    name: str = embedding_function.name()
    return name


def shown_name(embedding_function: Any) -> str:
    """What messages call a function."""
    return known_name(embedding_function) or type(embedding_function).__name__
