"""Perplexity's embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    find_api_key,
    import_vendor,
)
from chromadb.utils.embedding_functions.utils import decode_embedding

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class PerplexityEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Perplexity's service. Needs the package `perplexityai`."""

    _optional_keys = ("dimensions",)

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "pplx-embed-v1-0.6b",
        api_key_env_var: str = "PERPLEXITY_API_KEY",
        dimensions: int | None = None,
    ) -> None:
        """`PERPLEXITY_API_KEY`, where it is set, counts before `api_key_env_var`. `dimensions`
        shortens the vectors.
        """
        perplexity = import_vendor("perplexity", "perplexityai")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "PERPLEXITY_API_KEY"
        )
        self.model_name = model_name
        self.dimensions = dimensions
        self._client = perplexity.Perplexity(api_key=self.api_key)

    def __call__(self, input: Documents) -> Embeddings:
        response = self._client.embeddings.create(
            input=input, model=self.model_name, dimensions=self.dimensions
        )
        return [decode_embedding(item.embedding) for item in response.data]

    @staticmethod
    def name() -> str:
        return "perplexity"
