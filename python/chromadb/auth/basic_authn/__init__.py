"""Clients and servers that know users by name and password."""

from __future__ import annotations

import base64

from chromadb.auth import (
    AuthError,
    ClientAuthHeaders,
    ClientAuthProvider,
    Secret,
    ServerAuthenticationProvider,
    UserIdentity,
)
from chromadb.config import System
from chromadb.errors import ChromaAuthError

__all__ = ["BasicAuthClientProvider", "BasicAuthenticationServerProvider"]

AUTHORIZATION_HEADER = "Authorization"


class BasicAuthClientProvider(ClientAuthProvider):
    """Sends `chroma_client_auth_credentials`, which are `user:password`, with every request."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._creds = Secret(str(system.settings.require("chroma_client_auth_credentials")))

    def authenticate(self) -> ClientAuthHeaders:
        encoded = base64.b64encode(self._creds.get_secret_value().encode()).decode()
        return {AUTHORIZATION_HEADER: Secret(f"Basic {encoded}")}


class BasicAuthenticationServerProvider(ServerAuthenticationProvider):
    """Knows users by lines of `user:hash`, whose hashes are bcrypt's; that takes bcrypt."""

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._creds: dict[str, Secret] = {}
        for line in self.read_creds_or_creds_file():
            if not line.strip():
                continue
            name, _, password = line.strip().partition(":")
            if not name or not password or ":" in password:
                raise ValueError(
                    f"Invalid htpasswd credentials found for user {name!r}. Lines must be exactly "
                    "<username>:<bcrypt passwd>."
                )
            if name in self._creds:
                raise ValueError(
                    "Duplicate username found in [chroma_server_authn_credentials]. Usernames must "
                    "be unique."
                )
            self._creds[name] = Secret(password)

    def authenticate_or_raise(self, headers: dict[str, str]) -> UserIdentity:
        try:
            return self._authenticated(headers)
        except (AuthError, ValueError) as error:
            raise ChromaAuthError() from error

    def _authenticated(self, headers: dict[str, str]) -> UserIdentity:
        import bcrypt

        header = headers.get(AUTHORIZATION_HEADER.lower())
        if header is None:
            raise AuthError(f"There is no header {AUTHORIZATION_HEADER}.")
        decoded = base64.b64decode(header.removeprefix("Basic ").strip()).decode()
        name, colon, password = decoded.partition(":")
        if not colon or name not in self._creds:
            raise AuthError("The user is not known.")
        if not bcrypt.checkpw(password.encode(), self._creds[name].get_secret_value().encode()):
            raise AuthError("The password is wrong.")
        return UserIdentity(user_id=name)
