"""Sparse models of Sentence Transformers, such as SPLADE, run in this process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from chromadb.utils.embedding_functions._local_models import (
    SparseModelFunction,
    TaskConfig,
    TaskType,
    check_storable,
    loaded_model,
)
from chromadb.utils.embedding_functions._vendors import import_vendor
from chromadb.utils.sparse_embedding_utils import normalize_sparse_vector

if TYPE_CHECKING:
    from chromadb.api.types import SparseVector

HuggingFaceSparseEmbeddingFunctionQueryConfig = TaskConfig


class HuggingFaceSparseEmbeddingFunction(SparseModelFunction):
    """Embeds texts with a sparse encoder of `sentence_transformers`, which it needs."""

    # The models that are loaded, for all functions.
    models: dict[Any, Any] = {}

    _required_keys = ("model_name", "device")
    _optional_keys = ("task", "query_config")

    def __init__(
        self,
        model_name: str,
        device: str,
        task: TaskType | None = "document",
        query_config: HuggingFaceSparseEmbeddingFunctionQueryConfig | None = None,
        **kwargs: Any,
    ) -> None:
        """`kwargs` go to the model's constructor, and are stored: numbers, texts, lists, dicts."""
        library = import_vendor("sentence_transformers", "sentence_transformers")
        check_storable(kwargs)
        self.model_name = model_name
        self.device = device
        self.task = task
        self.query_config = query_config
        self.kwargs = kwargs
        self._model = loaded_model(self.models, library.SparseEncoder, self)

    def _embed_documents(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.encode_document(texts)
        return vectors

    def _embed_queries(self, texts: list[str]) -> Iterable[Any]:
        vectors: Iterable[Any] = self._model.encode_query(texts)
        return vectors

    def _vector(self, row: Any) -> SparseVector:
        if hasattr(row, "to_dense"):
            row = row.to_dense()
        if hasattr(row, "cpu"):
            row = row.cpu()
        dense = row.numpy() if hasattr(row, "numpy") else np.array(row)
        indices = np.flatnonzero(dense)
        return normalize_sparse_vector(indices.tolist(), dense[indices].tolist())

    @staticmethod
    def name() -> str:
        return "huggingface_sparse"
