"""Jina's embedding models, for texts and for images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from chromadb.api.types import is_document, is_image
from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    encode_image,
    find_api_key,
    http_session,
    import_pillow,
    import_vendor,
    no_embeddings,
    post_json,
)

if TYPE_CHECKING:
    from chromadb.api.types import Embeddable, Embeddings

_API_URL = "https://api.jina.ai/v1/embeddings"


class JinaQueryConfig(TypedDict):
    """What requests for queries say instead of what those for documents say."""

    task: str


class JinaEmbeddingFunction(VendorFunction["Embeddable"]):
    """Embeds texts and images with Jina's service. Needs the packages `httpx` and `pillow`."""

    # Sent as they are, where they are given.
    _request_options = (
        "task",
        "late_chunking",
        "truncate",
        "dimensions",
        "embedding_type",
        "normalized",
    )
    _optional_keys = (*_request_options, "query_config")

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "jina-embeddings-v2-base-en",
        api_key_env_var: str = "CHROMA_JINA_API_KEY",
        task: str | None = None,
        late_chunking: bool | None = None,
        truncate: bool | None = None,
        dimensions: int | None = None,
        embedding_type: str | None = None,
        normalized: bool | None = None,
        query_config: JinaQueryConfig | None = None,
    ) -> None:
        """`JINA_API_KEY`, where it is set, counts before `api_key_env_var`.

        `task` to `normalized` are options of the service; `query_config` holds those that are
        others for queries.
        """
        import_vendor("httpx", "httpx")
        self._PILImage = import_pillow()
        self.api_key_env_var, self.api_key = find_api_key(api_key, api_key_env_var, "JINA_API_KEY")
        self.model_name = model_name
        self.task = task
        self.late_chunking = late_chunking
        self.truncate = truncate
        self.dimensions = dimensions
        self.embedding_type = embedding_type
        self.normalized = normalized
        self.query_config = query_config
        self._api_url = _API_URL
        self._session = http_session(
            {"Authorization": f"Bearer {self.api_key}", "Accept-Encoding": "identity"}
        )

    def __call__(self, input: Embeddable) -> Embeddings:
        return self._embed(self._payload(input))

    def embed_query(self, input: Embeddable) -> Embeddings:
        return self._embed({**self._payload(input), **(self.query_config or {})})

    def _payload(self, input: Embeddable) -> dict[str, Any]:
        options = {name: getattr(self, name) for name in self._request_options}
        return {
            "input": input if all(is_document(item) for item in input) else self._entries(input),
            "model": self.model_name,
            **{name: value for name, value in options.items() if value is not None},
        }

    def _entries(self, input: Embeddable) -> list[dict[str, str]]:
        entries = []
        for item in input:
            if is_document(item):
                entries.append({"text": str(item)})
            elif is_image(item):
                entries.append({"image": self._encoded(item)})
        return entries

    def _encoded(self, image: Any) -> str:
        try:
            return encode_image(self._PILImage, image, "PNG")
        except Exception as error:
            raise ValueError(
                f"Failed to convert image numpy array to base64 data URI: {error}"
            ) from error

    def _embed(self, payload: dict[str, Any]) -> Embeddings:
        answer = post_json(self._session, self._api_url, payload)
        if "data" not in answer:
            raise no_embeddings(answer)
        entries = sorted(answer["data"], key=lambda entry: entry["index"])
        return as_vectors(entry["embedding"] for entry in entries)

    @staticmethod
    def name() -> str:
        return "jina"
