"""Embedding models of Amazon Bedrock that take Titan's form of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chromadb.utils.embedding_functions._vendors import VendorFunction, as_vectors, import_vendor

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings, Space

_PRIMITIVES = (str, int, float, bool, list, dict, tuple)
_SECRETS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class AmazonBedrockEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Amazon Bedrock, as a session of `boto3` is allowed to.

        session = boto3.Session(profile_name="profile", region_name="us-east-1")
        AmazonBedrockEmbeddingFunction(session)

    Collections remember the session's profile and region. Credentials they do not, not even those
    given as arguments: when the collection is opened again, they are those of the profile.
    """

    _required_keys = ("model_name",)

    def __init__(
        self, session: Any, model_name: str = "amazon.titan-embed-text-v1", **kwargs: Any
    ) -> None:
        """`kwargs` go to `session.client`, and are remembered: values that JSON can hold."""
        for key, value in kwargs.items():
            if not isinstance(value, _PRIMITIVES):
                raise ValueError(f"Keyword argument {key} is not a primitive type")
        self.model_name = model_name
        self.kwargs = kwargs
        names = ("region_name", "profile_name")
        self._session_args = {
            name: getattr(session, name) for name in names if getattr(session, name, None)
        }
        self._client = session.client(service_name="bedrock-runtime", **kwargs)

    def __call__(self, input: Documents) -> Embeddings:
        return as_vectors(self._embed(text) for text in input)

    def _embed(self, text: str) -> Any:
        response = self._client.invoke_model(
            body=json.dumps({"inputText": text}),
            modelId=self.model_name,
            accept="application/json",
            contentType="application/json",
        )
        return json.loads(response["body"].read())["embedding"]

    @staticmethod
    def name() -> str:
        return "amazon_bedrock"

    def default_space(self) -> Space:
        return "l2"

    @classmethod
    def _arguments(cls, config: Any) -> dict[str, Any]:
        arguments = {**super()._arguments(config), **(config.get("kwargs") or {})}
        boto3 = import_vendor("boto3", "boto3")
        return {"session": boto3.Session(**(config.get("session_args") or {})), **arguments}

    def get_config(self) -> dict[str, Any]:
        return {
            "model_name": self.model_name,
            "session_args": self._session_args,
            "kwargs": {key: self.kwargs[key] for key in self.kwargs if key not in _SECRETS},
        }
