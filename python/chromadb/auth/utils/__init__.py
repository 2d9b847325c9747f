"""Which tenant and database a client is of, by what it was told and by who it is."""

from __future__ import annotations

from chromadb.auth import UserIdentity
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings
from chromadb.errors import ChromaAuthError


def settled_tenant_and_database(
    identity: UserIdentity, settings: Settings, tenant: str | None, database: str | None
) -> tuple[str, str]:
    """The tenant and the database that a client is of.

    Raises ChromaAuthError where they are neither given nor known, or contradict the identity.
    """
    tenant, database = maybe_set_tenant_and_database(
        identity,
        settings.chroma_overwrite_singleton_tenant_database_access_from_auth,
        tenant,
        database,
    )
    if tenant is None:
        raise ChromaAuthError(
            "Could not determine a tenant from the current authentication method. Please provide "
            "a tenant."
        )
    if database is None:
        raise ChromaAuthError(
            "Could not determine a database name from the current authentication method. Please "
            "provide a database name."
        )
    return tenant, database


def maybe_set_tenant_and_database(
    user_identity: UserIdentity,
    overwrite_singleton_tenant_database_access_from_auth: bool,
    user_provided_tenant: str | None = None,
    user_provided_database: str | None = None,
) -> tuple[str | None, str | None]:
    """The tenant and the database of the identity, if asked for and there is but one; else those
    that were given.

    Raises ChromaAuthError where one is given that is neither the default nor the identity's.
    """
    tenant, database = user_provided_tenant, user_provided_database
    if not overwrite_singleton_tenant_database_access_from_auth:
        return tenant, database
    known_tenant = user_identity.tenant if user_identity.tenant != "*" else None
    known_databases = set(user_identity.databases or [])
    known_database = None
    if len(known_databases) == 1 and "*" not in known_databases:
        known_database = known_databases.pop()
    return (
        _settled("Tenant", tenant, known_tenant, DEFAULT_TENANT),
        _settled("Database", database, known_database, DEFAULT_DATABASE),
    )


def _settled(kind: str, given: str | None, known: str | None, default: str) -> str | None:
    if not known:
        return given
    if given and given not in (default, known):
        raise ChromaAuthError(
            f"{kind} {given} does not match {known} from the server. Are you sure the "
            f"{kind.lower()} is correct?"
        )
    return known
