"""Qwen's embedding models as Chroma Cloud runs them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    http_session,
    import_vendor,
    no_embeddings,
    post_json,
)
from chromadb.utils.embedding_functions.utils import find_chroma_api_key, get_chroma_embed_url

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings


class ChromaCloudQwenEmbeddingModel(Enum):
    """The models there are."""

    QWEN3_EMBEDDING_0p6B = "Qwen/Qwen3-Embedding-0.6B"


class ChromaCloudQwenEmbeddingTarget(Enum):
    """What is embedded: each has an instruction of its own."""

    DOCUMENTS = "documents"
    QUERY = "query"


#: For each task, what the model is told of documents and of queries.
ChromaCloudQwenEmbeddingInstructions: TypeAlias = dict[
    str, dict[ChromaCloudQwenEmbeddingTarget, str]
]

CHROMA_CLOUD_QWEN_DEFAULT_INSTRUCTIONS: ChromaCloudQwenEmbeddingInstructions = {
    "nl_to_code": {
        ChromaCloudQwenEmbeddingTarget.DOCUMENTS: "",
        # The prompt that the model was evaluated with, so it stands as its authors wrote it.
        ChromaCloudQwenEmbeddingTarget.QUERY: (
            "Given a question about coding, retrieval code or passage that can solve user's "
            "question"
        ),
    }
}


class ChromaCloudQwenEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Chroma Cloud. Needs the package `httpx`."""

    _required_keys = ("model",)
    _optional_keys = ("task", "instructions", "api_key_env_var")
    _unconfigured = {"task": None}
    _fixed_keys = {"model": "model", "task": "task", "instructions": "instructions"}

    def __init__(
        self,
        model: ChromaCloudQwenEmbeddingModel,
        task: str | None,
        instructions: ChromaCloudQwenEmbeddingInstructions = CHROMA_CLOUD_QWEN_DEFAULT_INSTRUCTIONS,
        api_key_env_var: str = "CHROMA_API_KEY",
    ) -> None:
        """`task` is one of those that have `instructions`; without one, or with another, the model
        is told nothing. Where `api_key_env_var` is not set, the key is that of a Chroma Cloud
        client in use.
        """
        import_vendor("httpx", "httpx")
        self.api_key_env_var = api_key_env_var
        self.api_key = find_chroma_api_key(api_key_env_var)
        self.model = model
        self.task = task
        self.instructions = instructions
        self._api_url = get_chroma_embed_url()
        self._session = http_session(
            {"x-chroma-token": self.api_key, "x-chroma-embedding-model": model.value}
        )

    def __call__(self, input: Documents) -> Embeddings:
        return self._embed(input, ChromaCloudQwenEmbeddingTarget.DOCUMENTS)

    def embed_query(self, input: Documents) -> Embeddings:
        return self._embed(input, ChromaCloudQwenEmbeddingTarget.QUERY)

    def _embed(self, texts: Documents, target: ChromaCloudQwenEmbeddingTarget) -> Embeddings:
        if not texts:
            return []
        has_instruction = self.task and self.task in self.instructions
        instruction = self.instructions[self.task or ""][target] if has_instruction else ""
        answer = post_json(
            self._session, self._api_url, {"instructions": instruction, "texts": texts}
        )
        if "embeddings" not in answer:
            raise no_embeddings(answer)
        return as_vectors(answer["embeddings"])

    @staticmethod
    def name() -> str:
        return "chroma-cloud-qwen"

    @classmethod
    def _arguments(cls, config: Any) -> dict[str, Any]:
        arguments = super()._arguments(config)
        arguments["model"] = ChromaCloudQwenEmbeddingModel(arguments["model"])
        if "instructions" in arguments:
            arguments["instructions"] = {
                task: {
                    ChromaCloudQwenEmbeddingTarget(target): instruction
                    for target, instruction in targets.items()
                }
                for task, targets in arguments["instructions"].items()
            }
        return arguments

    def get_config(self) -> dict[str, Any]:
        return {
            "api_key_env_var": self.api_key_env_var,
            "model": self.model.value,
            "task": self.task,
            "instructions": {
                task: {target.value: instruction for target, instruction in targets.items()}
                for task, targets in self.instructions.items()
            },
        }
