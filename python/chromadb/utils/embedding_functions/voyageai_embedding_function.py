"""Voyage AI's embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class VoyageAIEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Voyage AI's service. Needs the package `voyageai`."""

    _optional_keys = ("input_type", "truncation")

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "voyage-large-2",
        api_key_env_var: str = "CHROMA_VOYAGE_API_KEY",
        input_type: str | None = None,
        truncation: bool = True,
    ) -> None:
        """`VOYAGE_API_KEY`, where it is set, counts before `api_key_env_var`.

        `input_type` is `document`, `query` or None. Without `truncation`, a text that is too long
        is an error of the service.
        """
        voyageai = import_vendor("voyageai", "voyageai")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "VOYAGE_API_KEY"
        )
        self.model_name = model_name
        self.input_type = input_type
        self.truncation = truncation
        self._client = voyageai.Client(api_key=self.api_key)

    def __call__(self, input: Documents) -> Embeddings:
        response = self._client.embed(
            texts=input,
            model=self.model_name,
            input_type=self.input_type,
            truncation=self.truncation,
        )
        return as_vectors(response.embeddings)

    @staticmethod
    def name() -> str:
        return "voyageai"
