"""Nomic's embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
    refuse_non_texts,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class NomicQueryConfig(TypedDict):
    """What requests for queries say instead of what those for documents say."""

    task_type: str


class NomicEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Nomic's service. Needs the package `nomic`, logged in."""

    _required_keys = ("model", "api_key_env_var", "task_type")
    _optional_keys = ("query_config",)
    _unconfigured = {"query_config": None}
    _fixed_keys = {"model": "model"}

    def __init__(
        self,
        model: str,
        task_type: str,
        query_config: NomicQueryConfig | None,
        api_key_env_var: str = "NOMIC_API_KEY",
    ) -> None:
        """`task_type` is `search_document`, `search_query`, `classification` or `clustering`, and
        that of `query_config` the one for queries.
        """
        self.embed = import_vendor("nomic.embed", "nomic")
        self.model = model
        self.task_type = task_type
        self.api_key_env_var, self.api_key = find_api_key(None, api_key_env_var)
        self.query_config = query_config

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Nomic")
        return self._embed(input, self.task_type)

    def embed_query(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Nomic", what="queries")
        config = self.query_config
        return self._embed(input, config["task_type"] if config else self.task_type)

    def _embed(self, texts: Documents, task_type: str) -> Embeddings:
        output = self.embed.text(model=self.model, texts=texts, task_type=task_type)
        return as_vectors(output["embeddings"])

    @staticmethod
    def name() -> str:
        return "nomic"
