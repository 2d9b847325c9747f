"""Who a client is, and how servers are told."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from chromadb.config import Component, System


class AuthError(Exception):
    """Credentials that are missing or wrong."""


@dataclass
class UserIdentity:
    """The user behind a client, and the tenant and databases that the user may reach."""

    user_id: str
    tenant: str | None = None
    databases: list[str] | None = None
    attributes: dict[str, Any] | None = None


class Secret:
    """A text that no message or log shows, under the names that pydantic's has."""

    def __init__(self, secret_value: str) -> None:
        self._secret_value = secret_value

    def get_secret_value(self) -> str:
        """The text."""
        return self._secret_value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._secret_value == other._secret_value

    def __hash__(self) -> int:
        return hash(self._secret_value)

    def __len__(self) -> int:
        return len(self._secret_value)

    def __str__(self) -> str:
        return "**********" if self._secret_value else ""

    def __repr__(self) -> str:
        return f"Secret('{self}')"


ClientAuthHeaders: TypeAlias = dict[str, Secret]


class ClientAuthProvider(Component):
    """Makes the headers by which a server knows a client. Subclasses may be anybody's."""

    _chosen_by: ClassVar[str | None] = "chroma_client_auth_provider"

    def __init__(self, system: System) -> None:
        super().__init__(system)

    @abstractmethod
    def authenticate(self) -> ClientAuthHeaders:
        """The headers and their values."""


class ServerAuthenticationProvider(Component):
    """Knows users by the headers of their requests."""

    _chosen_by: ClassVar[str | None] = "chroma_server_authn_provider"

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._ignore_auth_paths = system.settings.chroma_server_auth_ignore_paths
        self.overwrite_singleton_tenant_database_access_from_auth = (
            system.settings.chroma_overwrite_singleton_tenant_database_access_from_auth
        )

    @abstractmethod
    def authenticate_or_raise(self, headers: dict[str, str]) -> UserIdentity:
        """Who sent these headers, whose names are in lower case. ChromaAuthError if nobody."""

    def ignore_operation(self, verb: str, path: str) -> bool:
        """Whether anybody may do this."""
        return verb.upper() in self._ignore_auth_paths.get(path, ())

    def read_creds_or_creds_file(self) -> list[str]:
        """The lines of the credentials, from the setting or from the file that a setting names."""
        settings = self._system.settings
        return _lines(
            "credentials",
            "chroma_server_authn_credentials",
            settings.chroma_server_authn_credentials,
            settings.chroma_server_authn_credentials_file,
        )

    def singleton_tenant_database_if_applicable(
        self, user: UserIdentity | None
    ) -> tuple[str | None, str | None]:
        """The one tenant and the one database that the user may reach; None for many, or if the
        settings do not ask for them."""
        if not self.overwrite_singleton_tenant_database_access_from_auth or not user:
            return None, None
        tenant = user.tenant if user.tenant and user.tenant != "*" else None
        databases = user.databases or []
        database = databases[0] if len(databases) == 1 and databases[0] != "*" else None
        return tenant, database


class AuthzAction(str, Enum):
    """What a user may be allowed to do."""

    RESET = "system:reset"
    CREATE_TENANT = "tenant:create_tenant"
    GET_TENANT = "tenant:get_tenant"
    CREATE_DATABASE = "db:create_database"
    GET_DATABASE = "db:get_database"
    DELETE_DATABASE = "db:delete_database"
    LIST_DATABASES = "db:list_databases"
    LIST_COLLECTIONS = "db:list_collections"
    COUNT_COLLECTIONS = "db:count_collections"
    CREATE_COLLECTION = "db:create_collection"
    GET_OR_CREATE_COLLECTION = "db:get_or_create_collection"
    GET_COLLECTION = "collection:get_collection"
    DELETE_COLLECTION = "collection:delete_collection"
    UPDATE_COLLECTION = "collection:update_collection"
    ADD = "collection:add"
    DELETE = "collection:delete"
    GET = "collection:get"
    QUERY = "collection:query"
    COUNT = "collection:count"
    UPDATE = "collection:update"
    UPSERT = "collection:upsert"


@dataclass
class AuthzResource:
    """What a user may be allowed to do it to."""

    tenant: str | None
    database: str | None
    collection: str | None


class ServerAuthorizationProvider(Component):
    """Knows what users may do."""

    _chosen_by: ClassVar[str | None] = "chroma_server_authz_provider"

    def __init__(self, system: System) -> None:
        super().__init__(system)

    @abstractmethod
    def authorize_or_raise(
        self, user: UserIdentity, action: AuthzAction, resource: AuthzResource
    ) -> None:
        """Raises an error unless the user may do this."""

    def read_config_or_config_file(self) -> list[str]:
        """The lines of the configuration, from the setting or the file that a setting names."""
        settings = self._system.settings
        return _lines(
            "configuration",
            "chroma_server_authz_config",
            settings.chroma_server_authz_config,
            settings.chroma_server_authz_config_file,
        )


def _lines(what: str, setting: str, text: str | None, file: str | None) -> list[str]:
    if text and file:
        raise ValueError(f"Both {setting} and {setting}_file are set. Please provide only one.")
    if text:
        return [line for line in text.split("\n") if line]
    if file:
        with open(file, encoding="utf-8") as lines:
            return lines.readlines()
    raise ValueError(f"No {what} found: neither {setting} nor {setting}_file is set.")
