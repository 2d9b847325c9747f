"""The embedding functions that ship with Chroma, and the registry of all that are known by name.

A collection remembers its embedding function by name and configuration; when it is opened again,
the registry says which class builds the function from them. Each function is a submodule of its
own, imported when its class is first looked up, here or in a registry; what it runs on (a model's
library, a service's client) is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

from chromadb.api.types import (
    DefaultEmbeddingFunction,
    EmbeddingFunction,
    SparseEmbeddingFunction,
)
from chromadb.utils.embedding_functions._known_functions import (
    CLASSES,
    DENSE_FUNCTIONS,
    SPARSE_FUNCTIONS,
    SUBMODULES,
    KnownFunctions,
)
from chromadb.utils.embedding_functions.config_validation import (
    validate_embedding_function_config_is_safe,
)

# What type checkers see of the names that are looked up when they are used.
if TYPE_CHECKING:
    from .amazon_bedrock_embedding_function import (
        AmazonBedrockEmbeddingFunction as AmazonBedrockEmbeddingFunction,
    )
    from .baseten_embedding_function import BasetenEmbeddingFunction as BasetenEmbeddingFunction
    from .bm25_embedding_function import Bm25EmbeddingFunction as Bm25EmbeddingFunction
    from .chroma_bm25_embedding_function import (
        ChromaBm25EmbeddingFunction as ChromaBm25EmbeddingFunction,
    )
    from .chroma_cloud_qwen_embedding_function import (
        ChromaCloudQwenEmbeddingFunction as ChromaCloudQwenEmbeddingFunction,
    )
    from .chroma_cloud_splade_embedding_function import (
        ChromaCloudSpladeEmbeddingFunction as ChromaCloudSpladeEmbeddingFunction,
    )
    from .chroma_langchain_embedding_function import (
        ChromaLangchainEmbeddingFunction as ChromaLangchainEmbeddingFunction,
    )
    from .cloudflare_workers_ai_embedding_function import (
        CloudflareWorkersAIEmbeddingFunction as CloudflareWorkersAIEmbeddingFunction,
    )
    from .cohere_embedding_function import CohereEmbeddingFunction as CohereEmbeddingFunction
    from .fastembed_sparse_embedding_function import (
        FastembedSparseEmbeddingFunction as FastembedSparseEmbeddingFunction,
    )
    from .google_embedding_function import (
        GoogleGeminiEmbeddingFunction as GoogleGeminiEmbeddingFunction,
    )
    from .google_embedding_function import (
        GoogleGenaiEmbeddingFunction as GoogleGenaiEmbeddingFunction,
    )
    from .google_embedding_function import (
        GoogleGenerativeAiEmbeddingFunction as GoogleGenerativeAiEmbeddingFunction,
    )
    from .google_embedding_function import (
        GooglePalmEmbeddingFunction as GooglePalmEmbeddingFunction,
    )
    from .google_embedding_function import (
        GoogleVertexEmbeddingFunction as GoogleVertexEmbeddingFunction,
    )
    from .huggingface_embedding_function import (
        HuggingFaceEmbeddingFunction as HuggingFaceEmbeddingFunction,
    )
    from .huggingface_embedding_function import (
        HuggingFaceEmbeddingServer as HuggingFaceEmbeddingServer,
    )
    from .huggingface_sparse_embedding_function import (
        HuggingFaceSparseEmbeddingFunction as HuggingFaceSparseEmbeddingFunction,
    )
    from .instructor_embedding_function import (
        InstructorEmbeddingFunction as InstructorEmbeddingFunction,
    )
    from .jina_embedding_function import (
        JinaEmbeddingFunction as JinaEmbeddingFunction,
    )
    from .jina_embedding_function import (
        JinaQueryConfig as JinaQueryConfig,
    )
    from .mistral_embedding_function import MistralEmbeddingFunction as MistralEmbeddingFunction
    from .morph_embedding_function import MorphEmbeddingFunction as MorphEmbeddingFunction
    from .nomic_embedding_function import (
        NomicEmbeddingFunction as NomicEmbeddingFunction,
    )
    from .nomic_embedding_function import (
        NomicQueryConfig as NomicQueryConfig,
    )
    from .ollama_embedding_function import OllamaEmbeddingFunction as OllamaEmbeddingFunction
    from .onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2 as ONNXMiniLM_L6_V2
    from .open_clip_embedding_function import OpenCLIPEmbeddingFunction as OpenCLIPEmbeddingFunction
    from .openai_embedding_function import OpenAIEmbeddingFunction as OpenAIEmbeddingFunction
    from .perplexity_embedding_function import (
        PerplexityEmbeddingFunction as PerplexityEmbeddingFunction,
    )
    from .roboflow_embedding_function import RoboflowEmbeddingFunction as RoboflowEmbeddingFunction
    from .sentence_transformer_embedding_function import (
        SentenceTransformerEmbeddingFunction as SentenceTransformerEmbeddingFunction,
    )
    from .text2vec_embedding_function import Text2VecEmbeddingFunction as Text2VecEmbeddingFunction
    from .together_ai_embedding_function import (
        TogetherAIEmbeddingFunction as TogetherAIEmbeddingFunction,
    )
    from .voyageai_embedding_function import VoyageAIEmbeddingFunction as VoyageAIEmbeddingFunction

__all__ = [
    "DefaultEmbeddingFunction",
    "EmbeddingFunction",
    *sorted(CLASSES),
    "config_to_embedding_function",
    "known_embedding_functions",
    "register_embedding_function",
]

F = TypeVar("F", bound=type[Any])

# Dicts, but for the classes of the package, which they import when these are looked up.
known_embedding_functions: dict[str, type[EmbeddingFunction[Any]]] = KnownFunctions(DENSE_FUNCTIONS)
sparse_known_embedding_functions: dict[str, type[SparseEmbeddingFunction[Any]]] = KnownFunctions(
    SPARSE_FUNCTIONS
)


def get_builtins() -> set[str]:
    """The class names of the embedding functions that ship with Chroma."""
    return {"DefaultEmbeddingFunction"} | {name for name in CLASSES if "QueryConfig" not in name}


@overload
def register_embedding_function(ef_class: F) -> F: ...
@overload
def register_embedding_function(ef_class: None = None) -> Callable[[F], F]: ...
def register_embedding_function(ef_class: F | None = None) -> F | Callable[[F], F]:
    """Makes a class known by its `name()`. A decorator, with or without parentheses."""
    if ef_class is None:
        return register_embedding_function
    known_embedding_functions[_name_of(ef_class, "embedding function")] = ef_class
    return ef_class


@overload
def register_sparse_embedding_function(ef_class: F) -> F: ...
@overload
def register_sparse_embedding_function(ef_class: None = None) -> Callable[[F], F]: ...
def register_sparse_embedding_function(ef_class: F | None = None) -> F | Callable[[F], F]:
    """Makes a class of sparse embeddings known by its `name()`, as the function above does."""
    if ef_class is None:
        return register_sparse_embedding_function
    sparse_known_embedding_functions[_name_of(ef_class, "sparse embedding function")] = ef_class
    return ef_class


def _name_of(ef_class: type[Any], what: str) -> str:
    try:
        name = ef_class.name()
    except Exception as error:
        raise ValueError(f"Failed to register {what}: {error}") from error
    if not isinstance(name, str):
        raise ValueError(
            f"Failed to register {what}: the name() of {ef_class.__name__} returns no str"
        )
    return name


def config_to_embedding_function(config: dict[str, Any]) -> EmbeddingFunction[Any]:
    """The function that a `{"name": …, "config": {…}}` describes."""
    if "name" not in config:
        raise ValueError("Config must contain a 'name' field.")
    name = config["name"]
    if known_embedding_functions.get(name) is None:
        raise ValueError(f"Unsupported embedding function: {name}")
    function_config = config.get("config", {})
    validate_embedding_function_config_is_safe(name, function_config)
    return known_embedding_functions[name].build_from_config(function_config)


def __getattr__(name: str) -> Any:
    if name in CLASSES:
        value = getattr(import_module(f"{__name__}.{CLASSES[name]}"), name)
        globals()[name] = value
        return value
    if name in SUBMODULES or name in ("schemas", "utils"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *CLASSES, *SUBMODULES})
