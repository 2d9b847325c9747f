"""Embedding models of Cloudflare Workers AI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    http_session,
    import_vendor,
    no_embeddings,
    post_json,
    refuse_non_texts,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings

BASE_URL = "https://api.cloudflare.com/client/v4/accounts"
GATEWAY_BASE_URL = "https://gateway.ai.cloudflare.com/v1"


class CloudflareWorkersAIEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Cloudflare Workers AI. Needs the package `httpx`."""

    _required_keys = ("api_key_env_var", "model_name", "account_id")
    _optional_keys = ("gateway_id",)

    def __init__(
        self,
        model_name: str,
        account_id: str,
        api_key: str | None = None,
        api_key_env_var: str = "CHROMA_CLOUDFLARE_API_KEY",
        gateway_id: str | None = None,
    ) -> None:
        """`CLOUDFLARE_API_KEY`, where it is set, counts before `api_key_env_var`. With a
        `gateway_id`, requests go through that AI gateway of the account.
        """
        import_vendor("httpx", "httpx")
        self.model_name = model_name
        self.account_id = account_id
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "CLOUDFLARE_API_KEY"
        )
        self.gateway_id = gateway_id
        self._api_url = f"{BASE_URL}/{account_id}/ai/run/{model_name}"
        if gateway_id:
            self._api_url = f"{GATEWAY_BASE_URL}/{account_id}/{gateway_id}/workers-ai/{model_name}"
        self._session = http_session(
            {"Authorization": f"Bearer {self.api_key}", "Accept-Encoding": "identity"}
        )

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Cloudflare Workers AI")
        answer = post_json(self._session, self._api_url, {"text": input})
        result = answer.get("result")
        if not result or "data" not in result:
            raise no_embeddings(answer)
        return as_vectors(result["data"])

    @staticmethod
    def name() -> str:
        return "cloudflare_workers_ai"
