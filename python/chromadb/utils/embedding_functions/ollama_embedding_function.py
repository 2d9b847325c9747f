"""Models that an Ollama server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chromadb.utils.embedding_functions._vendors import VendorFunction, as_vectors, import_vendor

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings

DEFAULT_MODEL_NAME = "chroma/all-minilm-l6-v2-f32"


class OllamaEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with a model that an Ollama server runs. Needs the package `ollama`."""

    _required_keys = ("url", "model_name", "timeout")

    def __init__(
        self,
        url: str = "http://localhost:11434",
        model_name: str = DEFAULT_MODEL_NAME,
        timeout: int = 60,
    ) -> None:
        """`timeout` is in seconds. Of a `url` that names the API's former path, only the server
        is used.
        """
        ollama = import_vendor("ollama", "ollama")
        self.url = url
        self.model_name = model_name
        self.timeout = timeout
        self._base_url = url
        if url.endswith("/api/embeddings"):
            parts = urlsplit(url)
            self._base_url = f"{parts.scheme}://{parts.netloc}"
        self._client = ollama.Client(host=self._base_url, timeout=timeout)

    def __call__(self, input: Documents) -> Embeddings:
        return as_vectors(self._client.embed(model=self.model_name, input=input)["embeddings"])

    @staticmethod
    def name() -> str:
        return "ollama"
