"""Users are known by tokens and passwords, and by nothing else."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from chromadb.auth import (
    AuthzAction,
    ServerAuthenticationProvider,
    UserIdentity,
)
from chromadb.auth.basic_authn import BasicAuthenticationServerProvider
from chromadb.auth.token_authn import TokenAuthenticationServerProvider, TokenTransportHeader
from chromadb.auth.utils import maybe_set_tenant_and_database
from chromadb.config import Settings, System
from chromadb.errors import ChromaAuthError

USERS = """
users:
  - id: ann
    tokens: [a1, a2]
    tenant: acme
    databases: [sales]
  - id: bob
    tokens: [b1]
"""


def token_provider(**settings: Any) -> TokenAuthenticationServerProvider:
    return TokenAuthenticationServerProvider(System(Settings(**settings)))


def test_one_line_is_a_token_of_somebody_who_may_reach_everything() -> None:
    provider = token_provider(chroma_server_authn_credentials="secret")
    identity = provider.authenticate_or_raise({"authorization": "Bearer secret"})
    assert identity == UserIdentity(user_id="anonymous", tenant="*", databases=["*"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "secret"},
        {"authorization": "Bearer secre"},
        {"authorization": "Bearer secret2"},
        {"authorization": "Bearer sécret"},
        {"x-chroma-token": "secret"},
    ],
    ids=repr,
)
def test_who_has_no_token_is_nobody(headers: dict[str, str]) -> None:
    provider = token_provider(chroma_server_authn_credentials="secret")
    with pytest.raises(ChromaAuthError):
        provider.authenticate_or_raise(headers)


def test_a_token_may_stand_in_a_header_of_its_own() -> None:
    provider = token_provider(
        chroma_server_authn_credentials="secret",
        chroma_auth_token_transport_header=TokenTransportHeader.X_CHROMA_TOKEN,
    )
    assert provider.authenticate_or_raise({"x-chroma-token": "secret"}).user_id == "anonymous"


def test_users_have_tokens_and_places(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    file = tmp_path / "users.yaml"
    file.write_text(USERS)
    provider = token_provider(chroma_server_authn_credentials_file=str(file))
    ann = UserIdentity(user_id="ann", tenant="acme", databases=["sales"])
    for token in ("a1", "a2"):
        assert provider.authenticate_or_raise({"authorization": f"Bearer {token}"}) == ann
    bob = provider.authenticate_or_raise({"authorization": "Bearer b1"})
    assert bob == UserIdentity(user_id="bob", tenant="*", databases=["*"])


def test_a_password_is_compared_with_its_hash() -> None:
    bcrypt = pytest.importorskip("bcrypt")
    hashed = bcrypt.hashpw(b"pass", bcrypt.gensalt(4)).decode()
    provider = BasicAuthenticationServerProvider(
        System(Settings(chroma_server_authn_credentials=f"ann:{hashed}"))
    )

    def header(text: str) -> dict[str, str]:
        return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}

    assert provider.authenticate_or_raise(header("ann:pass")) == UserIdentity(user_id="ann")
    for headers in (
        {},
        header("ann:past"),
        header("bob:pass"),
        header("ann"),
        {"authorization": "Basic !"},
    ):
        with pytest.raises(ChromaAuthError):
            provider.authenticate_or_raise(headers)


@pytest.mark.parametrize("line", ["ann", "ann:", ":hash", "ann:a:b", "ann:a\nann:b"])
def test_bad_lines_of_passwords_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^(Invalid htpasswd|Duplicate username)"):
        BasicAuthenticationServerProvider(System(Settings(chroma_server_authn_credentials=line)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "^No credentials found"),
        (
            {
                "chroma_server_authn_credentials": "a",
                "chroma_server_authn_credentials_file": "b",
            },
            "^Both chroma_server_authn_credentials and ",
        ),
    ],
    ids=["neither", "both"],
)
def test_credentials_come_from_one_place(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        token_provider(**settings)


def test_what_anybody_may_do_is_in_the_settings() -> None:
    provider = token_provider(chroma_server_authn_credentials="secret")
    assert isinstance(provider, ServerAuthenticationProvider)
    assert provider.ignore_operation("get", "/api/v2/heartbeat")
    assert not provider.ignore_operation("post", "/api/v2/heartbeat")
    assert not provider.ignore_operation("get", "/api/v2/reset")
    assert AuthzAction.RESET == "system:reset"


@pytest.mark.parametrize(
    ("tenant", "databases", "overwrites", "expected"),
    [
        ("acme", ["sales"], True, ("acme", "sales")),
        ("acme", ["sales"], False, ("default_tenant", "default_database")),
        ("*", ["*"], True, ("default_tenant", "default_database")),
        ("acme", ["sales", "stock"], True, ("acme", "default_database")),
        ("acme", ["sales", "sales"], True, ("acme", "sales")),
        (None, None, True, ("default_tenant", "default_database")),
    ],
)
def test_the_one_place_of_a_user_stands_in_for_the_default(
    tenant: str | None, databases: list[str] | None, overwrites: bool, expected: tuple
) -> None:
    identity = UserIdentity("u", tenant, databases)
    assert (
        maybe_set_tenant_and_database(identity, overwrites, "default_tenant", "default_database")
        == expected
    )
    provider = token_provider(
        chroma_server_authn_credentials="secret",
        chroma_overwrite_singleton_tenant_database_access_from_auth=overwrites,
    )
    found_tenant, found_database = provider.singleton_tenant_database_if_applicable(identity)
    assert found_tenant in (None, expected[0])
    assert found_database in (None, expected[1])
