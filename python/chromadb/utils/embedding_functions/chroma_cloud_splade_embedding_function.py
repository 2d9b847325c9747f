"""SPLADE as Chroma Cloud runs it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chromadb.api.types import Documents, SparseEmbeddingFunction, SparseVectors
from chromadb.utils.embedding_functions._vendors import (
    TIMEOUT_SECONDS,
    http_session,
    import_vendor,
)
from chromadb.utils.embedding_functions.schemas import validate_config_schema
from chromadb.utils.embedding_functions.utils import find_chroma_api_key, get_chroma_embed_url
from chromadb.utils.sparse_embedding_utils import normalize_sparse_vector


class ChromaCloudSpladeEmbeddingModel(Enum):
    """The models there are."""

    SPLADE_PP_EN_V1 = "prithivida/Splade_PP_en_v1"


class ChromaCloudSpladeEmbeddingFunction(SparseEmbeddingFunction[Documents]):
    """Embeds texts as sparse vectors with Chroma Cloud. Needs the package `httpx`."""

    def __init__(
        self,
        api_key_env_var: str = "CHROMA_API_KEY",
        model: ChromaCloudSpladeEmbeddingModel = ChromaCloudSpladeEmbeddingModel.SPLADE_PP_EN_V1,
        include_tokens: bool = False,
    ) -> None:
        """With `include_tokens` the vectors are labelled with their tokens. Where
        `api_key_env_var` is not set, the key is that of a Chroma Cloud client in use.
        """
        import_vendor("httpx", "httpx")
        self.api_key_env_var = api_key_env_var
        self.api_key = find_chroma_api_key(api_key_env_var)
        self.model = model
        self.include_tokens = bool(include_tokens)
        self._api_url = f"{get_chroma_embed_url()}/embed_sparse"
        self._session = http_session(
            {"x-chroma-token": self.api_key, "x-chroma-embedding-model": model.value}
        )

    def close(self) -> None:
        """Closes the connections to the service."""
        if hasattr(self, "_session"):
            self._session.close()

    def __del__(self) -> None:
        self.close()

    def __call__(self, input: Documents) -> SparseVectors:
        if not input:
            return []
        import httpx

        body = {
            "texts": list(input),
            "task": "",
            "target": "",
            "fetch_tokens": "true" if self.include_tokens else "false",
        }
        try:
            response = self._session.post(self._api_url, json=body, timeout=TIMEOUT_SECONDS)
            response.raise_for_status()
            return [self._vector(found) for found in response.json()["embeddings"]]
        except httpx.HTTPStatusError as error:
            raise RuntimeError(
                "Failed to get embeddings from Chroma Cloud API: HTTP "
                f"{error.response.status_code} - {error.response.text}"
            ) from error
        except httpx.TimeoutException as error:
            raise RuntimeError(
                f"Request to Chroma Cloud API timed out after {TIMEOUT_SECONDS} seconds"
            ) from error
        except httpx.HTTPError as error:
            raise RuntimeError(
                f"Failed to get embeddings from Chroma Cloud API: {error}"
            ) from error
        except Exception as error:
            raise RuntimeError(f"Unexpected error calling Chroma Cloud API: {error}") from error

    def _vector(self, found: dict[str, Any]) -> Any:
        labels = found.get("labels") if self.include_tokens else None
        return normalize_sparse_vector(
            found.get("indices", []), found.get("values", []), labels or None
        )

    @staticmethod
    def name() -> str:
        return "chroma-cloud-splade"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> ChromaCloudSpladeEmbeddingFunction:
        for key in ("model", "api_key_env_var"):
            if not config.get(key):
                raise ValueError(f"{key} must be provided in config")
        return ChromaCloudSpladeEmbeddingFunction(
            api_key_env_var=config["api_key_env_var"],
            model=ChromaCloudSpladeEmbeddingModel(config["model"]),
            include_tokens=config.get("include_tokens", False),
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "api_key_env_var": self.api_key_env_var,
            "model": self.model.value,
            "include_tokens": self.include_tokens,
        }

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises ValueError where the model or its labels would change."""
        for key in ("include_tokens", "model"):
            if key in new_config and new_config[key] != old_config.get(key):
                raise ValueError(f"Updating '{key}' is not supported for chroma-cloud-splade")

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        validate_config_schema(config, "chroma-cloud-splade")
