"""Clients and servers that know users by tokens."""

from __future__ import annotations

import hmac
import string
from enum import Enum
from typing import Any

from chromadb.auth import (
    AuthError,
    ClientAuthHeaders,
    ClientAuthProvider,
    Secret,
    ServerAuthenticationProvider,
    UserIdentity,
)
from chromadb.config import Settings, System
from chromadb.errors import ChromaAuthError

__all__ = [
    "TokenAuthClientProvider",
    "TokenAuthenticationServerProvider",
    "TokenTransportHeader",
]


class TokenTransportHeader(str, Enum):
    """The headers that may carry a token."""

    AUTHORIZATION = "Authorization"
    X_CHROMA_TOKEN = "X-Chroma-Token"


_TOKEN_CHARACTERS = frozenset(string.digits + string.ascii_letters + string.punctuation)


def _check_token(token: str) -> None:
    if not _TOKEN_CHARACTERS.issuperset(str(token)):
        raise ValueError("Invalid token. Must contain only ASCII letters, digits, and punctuation.")


def _transport_header(settings: Settings) -> TokenTransportHeader:
    name = settings.chroma_auth_token_transport_header
    if not name:
        return TokenTransportHeader.AUTHORIZATION
    try:
        return TokenTransportHeader(name)
    except ValueError:
        allowed = [header.value for header in TokenTransportHeader]
        raise ValueError(
            f"Invalid token transport header: {name}. Must be one of {allowed}"
        ) from None


class TokenAuthClientProvider(ClientAuthProvider):
    """Sends the token of `chroma_client_auth_credentials` with every request.

    As a bearer token, or as it is under `chroma_auth_token_transport_header`.
    """

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._token = Secret(str(system.settings.require("chroma_client_auth_credentials")))
        _check_token(self._token.get_secret_value())
        self._token_transport_header = _transport_header(system.settings)

    def authenticate(self) -> ClientAuthHeaders:
        token = self._token.get_secret_value()
        if self._token_transport_header == TokenTransportHeader.AUTHORIZATION:
            token = f"Bearer {token}"
        return {self._token_transport_header.value: Secret(token)}


class TokenAuthenticationServerProvider(ServerAuthenticationProvider):
    """Knows users by the tokens of `chroma_server_authn_credentials`, or of the file named there.

    One line is one token, of a user who may reach everything. More lines are YAML, and have a list
    of `users` with `id`, `tokens`, and possibly `tenant` and `databases`; that takes PyYAML.
    """

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._token_transport_header = _transport_header(system.settings)
        self._user_of_token: dict[str, UserIdentity] = {}
        lines = self.read_creds_or_creds_file()
        users: list[dict[str, Any]]
        if len(lines) == 1:
            users = [{"id": "anonymous", "tokens": lines}]
        else:
            import yaml

            users = yaml.safe_load("\n".join(lines))["users"]
        for user in users:
            if "tokens" not in user:
                raise ValueError("User missing tokens")
            identity = UserIdentity(
                user_id=user["id"],
                tenant=user.get("tenant", "*"),
                databases=user.get("databases", ["*"]),
            )
            for token in user["tokens"]:
                _check_token(token)
                if self._user_of_token.setdefault(token, identity) != identity:
                    raise ValueError(f"Two users have one token, among them {identity.user_id}.")

    def authenticate_or_raise(self, headers: dict[str, str]) -> UserIdentity:
        try:
            return self._authenticated(headers)
        except AuthError as error:
            raise ChromaAuthError() from error

    def _authenticated(self, headers: dict[str, str]) -> UserIdentity:
        token = headers.get(self._token_transport_header.value.lower())
        if token is None:
            raise AuthError(f"There is no header {self._token_transport_header.value}.")
        if self._token_transport_header == TokenTransportHeader.AUTHORIZATION:
            if not token.startswith("Bearer "):
                raise AuthError("The header holds no bearer token.")
            token = token.removeprefix("Bearer ")
        sent = token.strip().encode()
        # Every token is compared, each in a time that tells nothing.
        found = [
            identity
            for known, identity in self._user_of_token.items()
            if hmac.compare_digest(known.encode(), sent)
        ]
        if not found:
            raise AuthError("The token is nobody's.")
        return found[0]
