"""Morph's embedding models, which speak OpenAI's API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class MorphEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts, code above all, with Morph's service. Needs the package `openai`."""

    _optional_keys = ("api_base", "encoding_format")

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "morph-embedding-v2",
        api_base: str = "https://api.morphllm.com/v1",
        encoding_format: str = "float",
        api_key_env_var: str = "MORPH_API_KEY",
    ) -> None:
        """`encoding_format` is how the vectors travel: `float` or `base64`."""
        openai = import_vendor(
            "openai",
            "openai",
            note=". Note: Morph uses the OpenAI client library for API communication.",
        )
        self.api_key_env_var, self.api_key = find_api_key(api_key, api_key_env_var)
        self.model_name = model_name
        self.api_base = api_base
        self.encoding_format = encoding_format
        self.client = openai.OpenAI(api_key=self.api_key, base_url=self.api_base)

    def __call__(self, input: Documents) -> Embeddings:
        if not input:
            return []
        response = self.client.embeddings.create(
            model=self.model_name, input=input, encoding_format=self.encoding_format
        )
        return as_vectors(_numbers(item.embedding) for item in response.data)

    @staticmethod
    def name() -> str:
        return "morph"


def _numbers(embedding: Any) -> Any:
    # The package decodes base64 only where it chose that format itself.
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), dtype="<f4")
    return embedding
