"""What the embedding functions of Chroma's own service, and those that follow its form, share."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from chromadb.api.types import Vector

DEFAULT_CHROMA_EMBED_URL = "https://embed.trychroma.com"


def get_chroma_embed_url() -> str:
    """The service's address, without a slash at its end; `CHROMA_EMBED_URL` names another."""
    return (os.environ.get("CHROMA_EMBED_URL") or DEFAULT_CHROMA_EMBED_URL).rstrip("/")


def find_chroma_api_key(api_key_env_var: str) -> str:
    """The key of Chroma Cloud: that of the environment, or else that of a client in use.

    Raises `ValueError` where there is none.
    """
    from chromadb.api.shared_system_client import SharedSystemClient

    key = os.getenv(api_key_env_var) or SharedSystemClient.get_chroma_cloud_api_key_from_clients()
    if not key:
        raise ValueError(
            f"API key not found in environment variable {api_key_env_var} "
            "or in any existing client instances"
        )
    return key


def decode_embedding(b64_string: str) -> Vector:
    """The vector that was sent as the base64 text of signed bytes."""
    return np.frombuffer(base64.b64decode(b64_string), dtype=np.int8).astype(np.float32)
