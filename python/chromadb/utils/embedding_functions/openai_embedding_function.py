"""OpenAI's embedding models, also as Azure deploys them, and servers that speak OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class OpenAIEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with OpenAI's service. Needs the package `openai`."""

    _optional_keys: ClassVar[Sequence[str]] = (
        "organization_id",
        "api_base",
        "api_type",
        "api_version",
        "deployment_id",
        "default_headers",
        "dimensions",
    )

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "text-embedding-ada-002",
        organization_id: str | None = None,
        api_base: str | None = None,
        api_type: str | None = None,
        api_version: str | None = None,
        deployment_id: str | None = None,
        default_headers: dict[str, str] | None = None,
        dimensions: int | None = None,
        api_key_env_var: str = "CHROMA_OPENAI_API_KEY",
    ) -> None:
        """`OPENAI_API_KEY`, where it is set, counts before `api_key_env_var`.

        `api_base` is the address of another server. With `api_type="azure"` it is that of the
        Azure resource, and `api_version` and `deployment_id` are needed too. `dimensions` shortens
        the vectors of `text-embedding-3` models, and is not sent to others. All but the key is
        stored with a collection, `default_headers` too: they are no place for secrets.
        """
        openai = import_vendor("openai", "openai")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "OPENAI_API_KEY"
        )
        self.model_name = model_name
        self.organization_id = organization_id
        self.api_base = api_base
        self.api_type = api_type
        self.api_version = api_version
        self.deployment_id = deployment_id
        self.default_headers = default_headers
        self.dimensions = dimensions
        self.client = self._azure_client(openai) if api_type == "azure" else self._client(openai)

    def _client(self, openai: Any) -> Any:
        arguments = {
            "organization": self.organization_id,
            "base_url": self.api_base,
            "default_headers": self.default_headers,
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        return openai.OpenAI(api_key=self.api_key, **given)

    def _azure_client(self, openai: Any) -> Any:
        for name in ("api_version", "deployment_id", "api_base"):
            if getattr(self, name) is None:
                raise ValueError(f"{name} must be specified for Azure OpenAI")
        return openai.AzureOpenAI(
            api_key=self.api_key,
            api_version=self.api_version,
            azure_endpoint=self.api_base,
            azure_deployment=self.deployment_id,
            default_headers=self.default_headers,
        )

    def __call__(self, input: Documents) -> Embeddings:
        if not input:
            return []
        arguments: dict[str, Any] = {"model": self.model_name, "input": input}
        if self.dimensions is not None and "text-embedding-3" in self.model_name:
            arguments["dimensions"] = self.dimensions
        response = self.client.embeddings.create(**arguments)
        return as_vectors(item.embedding for item in response.data)

    @staticmethod
    def name() -> str:
        return "openai"
