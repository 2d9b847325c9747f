"""Models of Sentence Transformers, run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chromadb.utils.embedding_functions._local_models import (
    ModelFunction,
    check_storable,
    loaded_model,
)
from chromadb.utils.embedding_functions._vendors import as_vectors, import_vendor

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class SentenceTransformerEmbeddingFunction(ModelFunction):
    """Embeds texts with a model of the package `sentence_transformers`, which it needs."""

    # The models that are loaded, for all functions.
    models: dict[Any, Any] = {}

    _required_keys = ("model_name", "device", "normalize_embeddings")

    def __init__(
        self,
        model_name: str = "all-MiniLM-L6-v2",
        device: str = "cpu",
        normalize_embeddings: bool = False,
        **kwargs: Any,
    ) -> None:
        """`kwargs` go to the model's constructor, and are stored: numbers, texts, lists, dicts."""
        library = import_vendor("sentence_transformers", "sentence_transformers")
        check_storable(kwargs)
        self.model_name = model_name
        self.device = device
        self.normalize_embeddings = normalize_embeddings
        self.kwargs = kwargs
        self._model = loaded_model(self.models, library.SentenceTransformer, self)

    def __call__(self, input: Documents) -> Embeddings:
        return as_vectors(
            self._model.encode(
                list(input),
                convert_to_numpy=True,
                normalize_embeddings=self.normalize_embeddings,
            )
        )

    @staticmethod
    def name() -> str:
        return "sentence_transformer"
