"""Embedding models deployed on Baseten, which speak OpenAI's API."""

from __future__ import annotations

from chromadb.utils.embedding_functions._vendors import find_api_key, import_vendor
from chromadb.utils.embedding_functions.openai_embedding_function import OpenAIEmbeddingFunction


class BasetenEmbeddingFunction(OpenAIEmbeddingFunction):
    """Embeds texts with the model behind `api_base`. Needs the package `openai`."""

    _required_keys = ("api_base", "api_key_env_var")
    _optional_keys = ()
    _unconfigured = {"api_key": None}
    _incomplete_config = (
        "Missing 'api_key_env_var' or 'api_base' in configuration for BasetenEmbeddingFunction."
    )

    def __init__(
        self,
        api_key: str | None,
        api_base: str,
        api_key_env_var: str = "CHROMA_BASETEN_API_KEY",
    ) -> None:
        """`BASETEN_API_KEY`, where it is set, counts before `api_key_env_var`."""
        openai = import_vendor("openai", "openai")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key,
            api_key_env_var,
            "BASETEN_API_KEY",
            missing="API key not provided and {} environment variable is not set.",
        )
        if not api_base:
            raise ValueError("The api_base argument must be provided.")
        self.api_base = api_base
        # The deployment knows its model; the API wants a name all the same.
        self.model_name = "baseten-embedding-model"
        self.dimensions = None
        self.client = openai.OpenAI(api_key=self.api_key, base_url=self.api_base)

    @staticmethod
    def name() -> str:
        return "baseten"
