"""Instructor models, run in this process."""

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


class InstructorEmbeddingFunction(LocalFunction):
    """Embeds texts with a model of the package `InstructorEmbedding`, which it needs."""

    _required_keys = ("model_name", "device")
    _optional_keys = ("instruction",)

    def __init__(
        self,
        model_name: str = "hkunlp/instructor-base",
        device: str = "cpu",
        instruction: str | None = None,
    ) -> None:
        """`instruction` is what the model is told of each text."""
        library = import_vendor("InstructorEmbedding", "InstructorEmbedding")
        self.model_name = model_name
        self.device = device
        self.instruction = instruction
        self._model = library.INSTRUCTOR(model_name_or_path=model_name, device=device)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Instructor")
        texts = input if self.instruction is None else [[self.instruction, text] for text in input]
        return as_vectors(self._model.encode(texts, convert_to_numpy=True))

    @staticmethod
    def name() -> str:
        return "instructor"
