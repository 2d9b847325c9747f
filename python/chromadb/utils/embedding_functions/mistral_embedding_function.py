"""Mistral's embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
    refuse_non_texts,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class MistralEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Mistral's service. Needs the package `mistralai`."""

    _required_keys = ("model", "api_key_env_var")
    _fixed_keys = {"model": "model"}

    def __init__(self, model: str, api_key_env_var: str = "MISTRAL_API_KEY") -> None:
        mistralai = import_vendor("mistralai", "mistralai")
        if not hasattr(mistralai, "Mistral"):
            # Where the package has had its client since version 2.
            mistralai = import_vendor("mistralai.client", "mistralai")
        self.model = model
        self.api_key_env_var, self.api_key = find_api_key(None, api_key_env_var)
        self.client = mistralai.Mistral(api_key=self.api_key)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Mistral")
        response = self.client.embeddings.create(model=self.model, inputs=input)
        return as_vectors(item.embedding for item in response.data)

    @staticmethod
    def name() -> str:
        return "mistral"
