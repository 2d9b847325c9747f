"""BM25 as FastEmbed has it. `chroma_bm25` needs less, and takes its place."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from chromadb.utils.embedding_functions._local_models import (
    SparseModelFunction,
    TaskConfig,
    TaskType,
    check_storable,
)
from chromadb.utils.embedding_functions._vendors import import_vendor

Bm25EmbeddingFunctionQueryConfig = TaskConfig


class Bm25EmbeddingFunction(SparseModelFunction):
    """Embeds texts by the BM25 of the package `fastembed`, which it needs. Deprecated."""

    _optional_keys = (
        "task",
        "query_config",
        "cache_dir",
        "k",
        "b",
        "avg_len",
        "language",
        "token_max_length",
        "disable_stemmer",
        "specific_model_path",
    )

    def __init__(
        self,
        avg_len: float | None = None,
        task: TaskType | None = "document",
        cache_dir: str | None = None,
        k: float | None = None,
        b: float | None = None,
        language: str | None = None,
        token_max_length: int | None = None,
        disable_stemmer: bool | None = None,
        specific_model_path: str | None = None,
        query_config: Bm25EmbeddingFunctionQueryConfig | None = None,
        **kwargs: Any,
    ) -> None:
        """All but `task` and `query_config` go to the model's constructor, where they are given."""
        warnings.warn(
            "Bm25EmbeddingFunction is deprecated. Please use ChromaBm25EmbeddingFunction instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        library = import_vendor("fastembed.sparse.bm25", "fastembed")
        self.task = task
        self.query_config = query_config
        self.cache_dir = cache_dir
        self.k = k
        self.b = b
        self.avg_len = avg_len
        self.language = language
        self.token_max_length = token_max_length
        self.disable_stemmer = disable_stemmer
        self.specific_model_path = specific_model_path
        check_storable(kwargs)
        self.kwargs = kwargs
        arguments: dict[str, Any] = {
            "cache_dir": cache_dir,
            "k": k,
            "b": b,
            "avg_len": avg_len,
            "language": language,
            "token_max_length": token_max_length,
            "disable_stemmer": disable_stemmer,
            "specific_model_path": specific_model_path,
            **kwargs,
        }
        given = {key: value for key, value in arguments.items() if value is not None}
        self._model = library.Bm25(**{"model_name": "Qdrant/bm25", **given})

    def _embed_documents(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.embed(texts)
        return vectors

    def _embed_queries(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.query_embed(texts)
        return vectors

    @staticmethod
    def name() -> str:
        return "bm25"
