"""LangChain's embedding functions as Chroma's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chromadb.api.types import Embeddable, EmbeddingFunction
from chromadb.utils.embedding_functions._vendors import as_vectors, import_vendor
from chromadb.utils.embedding_functions.schemas import validate_config_schema

if TYPE_CHECKING:
    from chromadb.api.types import Embeddings

_MAKE_IT_AGAIN = (
    "Please recreate the langchain embedding function and pass it to create_langchain_embedding."
)


def create_langchain_embedding(langchain_embedding_fn: Any) -> ChromaLangchainEmbeddingFunction:
    """Chroma's embedding function that calls one of LangChain's."""
    return ChromaLangchainEmbeddingFunction(embedding_function=langchain_embedding_fn)


class ChromaLangchainEmbeddingFunction(EmbeddingFunction[Embeddable]):
    """An embedding function for both: collections call it, and so does LangChain.

    Needs the package `langchain-core`. Collections do not remember it, for nothing says how to
    make LangChain's function again: pass it whenever a collection is opened.
    """

    def __init__(self, embedding_function: Any) -> None:
        library = import_vendor("langchain_core.embeddings", "langchain-core", "langchain_core")
        if not isinstance(embedding_function, library.Embeddings):
            raise ValueError(
                "The embedding_function must implement the Embeddings interface from "
                "langchain_core."
            )
        self.embedding_function = embedding_function
        self._embedding_function_class = type(embedding_function).__name__

    # ---- As LangChain calls it -------------------------------------------------------------------

    def embed_documents(self, documents: Sequence[str]) -> list[list[float]]:
        """One vector for each text."""
        vectors: list[list[float]] = self.embedding_function.embed_documents(list(documents))
        return vectors

    def embed_query(self, query: Any) -> Any:
        """The vector of one text; of a list of texts, as collections ask, one vector for each."""
        if isinstance(query, str):
            return self.embedding_function.embed_query(query)
        return as_vectors(self.embedding_function.embed_query(text) for text in query)

    def embed_image(self, uris: list[str]) -> list[list[float]]:
        """One vector for each image, where LangChain's function can."""
        if not hasattr(self.embedding_function, "embed_image"):
            raise ValueError("The provided embedding function does not support image embeddings.")
        vectors: list[list[float]] = self.embedding_function.embed_image(uris)
        return vectors

    # ---- As collections call it ------------------------------------------------------------------

    def __call__(self, input: Embeddable) -> Embeddings:
        # A data loader of LangChain's returns the URIs of images in a pair with this word.
        if isinstance(input, tuple) and len(input) == 2 and input[0] == "images":
            return as_vectors(self.embed_image(list(input[1])))
        return as_vectors(self.embed_documents(input))  # type: ignore[arg-type]

    @staticmethod
    def name() -> str:
        return "langchain"

    def is_legacy(self) -> bool:
        return True

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> ChromaLangchainEmbeddingFunction:
        raise NotImplementedError(
            f"Building a ChromaLangchainEmbeddingFunction from config is not supported. "
            f"{_MAKE_IT_AGAIN}"
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "embedding_function_class": self._embedding_function_class,
            "note": "This is a placeholder config. You will need to recreate the langchain "
            "embedding function.",
        }

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        raise NotImplementedError(
            f"Updating a ChromaLangchainEmbeddingFunction config is not supported. {_MAKE_IT_AGAIN}"
        )

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        validate_config_schema(config, "chroma_langchain")
