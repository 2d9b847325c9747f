"""Cohere's embedding models, for texts and for images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chromadb.api.types import is_document, is_image
from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    encode_image,
    find_api_key,
    import_pillow,
    import_vendor,
)

if TYPE_CHECKING:
    from chromadb.api.types import Embeddable, Embeddings, Space


class CohereEmbeddingFunction(VendorFunction["Embeddable"]):
    """Embeds texts, or images, with Cohere's service. Needs the packages `cohere` and `pillow`."""

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "large",
        api_key_env_var: str = "CHROMA_COHERE_API_KEY",
    ) -> None:
        """`COHERE_API_KEY`, where it is set, counts before `api_key_env_var`."""
        cohere = import_vendor("cohere", "cohere")
        self._PILImage = import_pillow()
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "COHERE_API_KEY"
        )
        self.model_name = model_name
        self.client = cohere.Client(self.api_key)

    def __call__(self, input: Embeddable) -> Embeddings:
        if all(is_document(item) for item in input):
            texts = [str(item) for item in input]
            return self._embed(texts=texts, input_type="search_document")
        if all(is_image(item) for item in input):
            images = [self._data_uri(item) for item in input]
            return self._embed(images=images, input_type="image")
        if any(is_document(item) for item in input) and any(is_image(item) for item in input):
            raise ValueError(
                "Input contains a mix of text documents and images, which is not supported. "
                "Provide either all texts or all images."
            )
        raise ValueError(
            "Input must be a list of text documents (str) or a list of images (numpy arrays)."
        )

    def _embed(self, **arguments: Any) -> Embeddings:
        return as_vectors(self.client.embed(model=self.model_name, **arguments).embeddings)

    def _data_uri(self, image: Any) -> str:
        if not isinstance(image, np.ndarray):
            raise ValueError(f"Expected image input to be a numpy array, got {type(image)}")
        try:
            return f"data:image/png;base64,{encode_image(self._PILImage, image, 'PNG')}"
        except Exception as error:
            raise ValueError(
                f"Failed to convert image numpy array to base64 data URI: {error}"
            ) from error

    @staticmethod
    def name() -> str:
        return "cohere"

    def default_space(self) -> Space:
        return "ip" if self.model_name == "embed-multilingual-v2.0" else "cosine"

    def supported_spaces(self) -> list[Space]:
        if self.model_name in ("embed-english-v2.0", "embed-english-light-v2.0"):
            return ["cosine"]
        if self.model_name == "embed-multilingual-v2.0":
            return ["ip"]
        return ["cosine", "l2", "ip"]
