"""Models that Hugging Face runs, and servers of `text-embeddings-inference`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    http_session,
    import_vendor,
    no_embeddings,
    post_json,
    warn_of_direct_key,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings

_VENDORS_ENV_VAR = "HUGGINGFACE_API_KEY"


class HuggingFaceEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with a model that Hugging Face runs. Needs the package `httpx`."""

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "sentence-transformers/all-MiniLM-L6-v2",
        api_key_env_var: str = "CHROMA_HUGGINGFACE_API_KEY",
    ) -> None:
        """`HUGGINGFACE_API_KEY`, where it is set, counts before `api_key_env_var`."""
        import_vendor("httpx", "httpx")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, _VENDORS_ENV_VAR
        )
        self.model_name = model_name
        self._api_url = (
            f"https://api-inference.huggingface.co/pipeline/feature-extraction/{model_name}"
        )
        self._session = http_session({"Authorization": f"Bearer {self.api_key}"})

    def __call__(self, input: Documents) -> Embeddings:
        payload = {"inputs": input, "options": {"wait_for_model": True}}
        return _vectors_of(post_json(self._session, self._api_url, payload))

    @staticmethod
    def name() -> str:
        return "huggingface"


class HuggingFaceEmbeddingServer(VendorFunction["Documents"]):
    """Embeds texts with a server of `text-embeddings-inference`, which knows its model.

    Needs the package `httpx`.
    """

    _required_keys = ("url",)
    _optional_keys = ("api_key_env_var",)
    _incomplete_config = "URL must be provided for HuggingFaceEmbeddingServer"

    def __init__(
        self,
        url: str,
        api_key_env_var: str | None = None,
        api_key: str | None = None,
    ) -> None:
        """`url` is the whole address, with its path, such as `http://localhost:8080/embed`.

        A key is sent where one is given, or where `HUGGINGFACE_API_KEY` or `api_key_env_var` is
        set.
        """
        import_vendor("httpx", "httpx")
        warn_of_direct_key(api_key)
        self.url = url
        is_vendors_set = os.getenv(_VENDORS_ENV_VAR) is not None
        self.api_key_env_var = _VENDORS_ENV_VAR if is_vendors_set else api_key_env_var
        self.api_key = api_key
        if self.api_key_env_var is not None:
            self.api_key = api_key or os.getenv(self.api_key_env_var)
        self._api_url = url
        has_key = self.api_key is not None
        self._session = http_session({"Authorization": f"Bearer {self.api_key}"} if has_key else {})

    def __call__(self, input: Documents) -> Embeddings:
        return _vectors_of(post_json(self._session, self._api_url, {"inputs": input}))

    @staticmethod
    def name() -> str:
        return "huggingface_server"

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises `ValueError` where the address is another."""
        if "url" in new_config and new_config["url"] != self.url:
            raise ValueError(
                "The URL cannot be changed after the embedding function has been initialized."
            )


def _vectors_of(answer: Any) -> Embeddings:
    if not isinstance(answer, list):
        raise no_embeddings(answer)
    return as_vectors(answer)
