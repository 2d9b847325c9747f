"""CLIP as Roboflow runs it, for texts and for images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chromadb.api.types import is_document, is_image
from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    encode_image,
    find_api_key,
    http_session,
    import_pillow,
    no_embeddings,
    post_json,
)

if TYPE_CHECKING:
    from chromadb.api.types import Embeddable, Embeddings


class RoboflowEmbeddingFunction(VendorFunction["Embeddable"]):
    """Embeds texts and images with Roboflow's service, or another server of its inference API.

    Needs the packages `httpx` and `pillow`.
    """

    _required_keys = ("api_key_env_var", "api_url")
    _fixed_keys = {}

    def __init__(
        self,
        api_key: str | None = None,
        api_url: str = "https://infer.roboflow.com",
        api_key_env_var: str = "CHROMA_ROBOFLOW_API_KEY",
    ) -> None:
        """`ROBOFLOW_API_KEY`, where it is set, counts before `api_key_env_var`."""
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, "ROBOFLOW_API_KEY"
        )
        self.api_url = api_url
        self._PILImage = import_pillow()
        self._session = http_session({})

    def __call__(self, input: Embeddable) -> Embeddings:
        rows = []
        for item in input:
            if is_image(item):
                image = encode_image(self._PILImage, item, "JPEG")
                rows.append(self._embed("image", {"image": {"type": "base64", "value": image}}))
            elif is_document(item):
                rows.append(self._embed("text", {"text": item}))
        return as_vectors(rows)

    def _embed(self, kind: str, payload: dict[str, Any]) -> Any:
        url = f"{self.api_url}/clip/embed_{kind}?api_key={self.api_key}"
        answer = post_json(self._session, url, payload)
        if "embeddings" not in answer:
            raise no_embeddings(answer)
        return answer["embeddings"][0]

    @staticmethod
    def name() -> str:
        return "roboflow"
