"""Models of Text2Vec, run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._local_models import LocalFunction
from chromadb.utils.embedding_functions._vendors import (
    as_vectors,
    import_vendor,
    refuse_non_texts,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class Text2VecEmbeddingFunction(LocalFunction):
    """Embeds texts with a model of the package `text2vec`, which it needs."""

    _required_keys = ("model_name",)

    def __init__(self, model_name: str = "shibing624/text2vec-base-chinese") -> None:
        library = import_vendor("text2vec", "text2vec")
        self.model_name = model_name
        self._model = library.SentenceModel(model_name_or_path=model_name)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Text2Vec")
        return as_vectors(self._model.encode(list(input), convert_to_numpy=True))

    @staticmethod
    def name() -> str:
        return "text2vec"
