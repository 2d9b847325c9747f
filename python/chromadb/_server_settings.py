"""The settings that factories of clients of servers make of their arguments."""

from __future__ import annotations

import os

from chromadb.auth.token_authn import TokenTransportHeader
from chromadb.config import Settings


def http_settings(
    implementation: str,
    host: str,
    port: int,
    ssl: bool,
    headers: dict[str, str] | None,
    settings: Settings | None,
) -> Settings:
    """The settings for a server at an address; ValueError where they name another one already."""
    settings = Settings() if settings is None else settings
    # Users pass anything.
    host, port = str(host), int(port)
    settings.chroma_api_impl = implementation
    if settings.chroma_server_host not in (None, "", host):
        raise ValueError(
            f"Chroma server host provided in settings[{settings.chroma_server_host}] is different "
            f"to the one provided in HttpClient: [{host}]"
        )
    settings.chroma_server_host = host
    if settings.chroma_server_http_port not in (None, 0, port):
        raise ValueError(
            f"Chroma server http port provided in settings[{settings.chroma_server_http_port}] is "
            f"different to the one provided in HttpClient: [{port}]"
        )
    settings.chroma_server_http_port = port
    settings.chroma_server_ssl_enabled = bool(ssl)
    if headers is not None:
        settings.chroma_server_headers = headers
    return settings


def cloud_settings(
    api_key: str | None,
    settings: Settings | None,
    host: str,
    port: int,
    ssl: bool,
) -> Settings:
    """The settings for Chroma Cloud; ValueError without a key."""
    api_key = api_key or os.environ.get("CHROMA_API_KEY")
    if api_key is None:
        raise ValueError(
            "Missing required arguments: api_key. Please provide them or set the environment "
            "variables: CHROMA_API_KEY"
        )
    settings = Settings() if settings is None else settings
    settings.chroma_api_impl = "chromadb.api.fastapi.FastAPI"
    settings.chroma_server_host = str(host)
    settings.chroma_server_http_port = int(port)
    settings.chroma_server_ssl_enabled = bool(ssl)
    settings.chroma_client_auth_provider = "chromadb.auth.token_authn.TokenAuthClientProvider"
    settings.chroma_client_auth_credentials = str(api_key)
    settings.chroma_auth_token_transport_header = TokenTransportHeader.X_CHROMA_TOKEN
    settings.chroma_overwrite_singleton_tenant_database_access_from_auth = True
    return settings
