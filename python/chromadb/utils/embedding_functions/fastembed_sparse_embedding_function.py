"""Sparse models of FastEmbed, run in this process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chromadb.utils.embedding_functions._local_models import (
    SparseModelFunction,
    TaskConfig,
    TaskType,
    check_storable,
)
from chromadb.utils.embedding_functions._vendors import import_vendor

FastembedSparseEmbeddingFunctionQueryConfig = TaskConfig


class FastembedSparseEmbeddingFunction(SparseModelFunction):
    """Embeds texts with a sparse model of the package `fastembed`, which it needs."""

    _required_keys = ("model_name",)
    _optional_keys = (
        "task",
        "query_config",
        "cache_dir",
        "threads",
        "cuda",
        "device_ids",
        "lazy_load",
    )

    def __init__(
        self,
        model_name: str,
        task: TaskType | None = "document",
        cache_dir: str | None = None,
        threads: int | None = None,
        cuda: bool | None = None,
        device_ids: list[int] | None = None,
        lazy_load: bool | None = None,
        query_config: FastembedSparseEmbeddingFunctionQueryConfig | None = None,
        **kwargs: Any,
    ) -> None:
        """All but `task` and `query_config` go to the model's constructor, where they are given."""
        library = import_vendor("fastembed", "fastembed")
        self.model_name = model_name
        self.task = task
        self.query_config = query_config
        self.cache_dir = cache_dir
        self.threads = threads
        self.cuda = cuda
        self.device_ids = device_ids
        self.lazy_load = lazy_load
        check_storable(kwargs)
        self.kwargs = kwargs
        given = {
            key: value
            for key in ("cache_dir", "threads", "cuda", "device_ids", "lazy_load")
            if (value := getattr(self, key)) is not None
        }
        self._model = library.SparseTextEmbedding(model_name, **given, **kwargs)

    def _embed_documents(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.embed(texts)
        return vectors

    def _embed_queries(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.query_embed(texts)
        return vectors

    @staticmethod
    def name() -> str:
        return "fastembed_sparse"
