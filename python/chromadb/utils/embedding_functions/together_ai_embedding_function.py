"""Embedding models that Together AI runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._vendors import (
    TIMEOUT_SECONDS,
    VendorFunction,
    as_vectors,
    find_api_key,
    http_session,
    import_vendor,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings

ENDPOINT = "https://api.together.xyz/v1/embeddings"


class TogetherAIEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Together AI's service. Needs the package `httpx`."""

    _incomplete_config = "api_key_env_var and model_name must be provided"

    def __init__(
        self,
        model_name: str,
        api_key: str | None = None,
        api_key_env_var: str = "CHROMA_TOGETHER_AI_API_KEY",
    ) -> None:
        """`TOGETHER_API_KEY`, where it is set, counts before `api_key_env_var`."""
        import_vendor("httpx", "httpx")
        self.model_name = model_name
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "TOGETHER_API_KEY"
        )
        self._session = http_session(
            {
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json",
                "accept": "application/json",
            }
        )

    def __call__(self, input: Documents) -> Embeddings:
        if not input:
            raise ValueError("Input is required")
        if not isinstance(input, list):
            raise ValueError("Input must be a list")
        if not all(isinstance(item, str) for item in input):
            raise ValueError("All items in input must be strings")
        payload = {"model": self.model_name, "input": input}
        response = self._session.post(ENDPOINT, json=payload, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return as_vectors(item["embedding"] for item in response.json()["data"])

    @staticmethod
    def name() -> str:
        return "together_ai"
