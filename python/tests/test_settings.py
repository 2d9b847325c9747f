"""Settings come from the constructor, the environment and a file, in that order."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from chromadb.config import LEGACY_ERROR, APIVersion, RoutingMode, Settings

FIELDS = {
    "is_persistent": False,
    "persist_directory": "./chroma",
    "allow_reset": False,
    "anonymized_telemetry": True,
    "environment": "",
    "tenant_id": "default",
    "topic_namespace": "default",
    "migrations": "apply",
    "migrations_hash_algorithm": "md5",
    "chroma_api_impl": "chromadb.api.rust.RustBindingsAPI",
    "chroma_db_impl": None,
    "chroma_memory_limit_bytes": 0,
    "chroma_segment_cache_policy": None,
    "chroma_server_host": None,
    "chroma_server_http_port": None,
    "chroma_server_headers": None,
    "chroma_server_ssl_enabled": False,
    "chroma_server_ssl_verify": None,
    "chroma_server_api_default_path": APIVersion.V2,
    "chroma_server_cors_allow_origins": [],
    "chroma_server_nofile": None,
    "chroma_server_thread_pool_size": 40,
    "chroma_http_keepalive_secs": 40.0,
    "chroma_http_max_connections": None,
    "chroma_http_max_keepalive_connections": None,
    "chroma_client_auth_provider": None,
    "chroma_client_auth_credentials": None,
    "chroma_auth_token_transport_header": None,
    "chroma_overwrite_singleton_tenant_database_access_from_auth": False,
    "chroma_otel_collection_endpoint": "",
    "chroma_otel_service_name": "chromadb",
    "chroma_otel_collection_headers": {},
    "chroma_otel_granularity": None,
    "chroma_telemetry_impl": "chromadb.telemetry.product.posthog.Posthog",
    "chroma_product_telemetry_impl": "chromadb.telemetry.product.posthog.Posthog",
    "chroma_sysdb_impl": "chromadb.db.impl.sqlite.SqliteDB",
    "chroma_segment_directory_routing_mode": RoutingMode.ID,
    "chroma_quota_provider_impl": None,
    "chroma_logservice_port": 50052,
    "chroma_query_replication_factor": 2,
    "chroma_logservice_request_timeout_seconds": 3,
    "chroma_sysdb_request_timeout_seconds": 3,
    "chroma_query_request_timeout_seconds": 60,
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without Chroma's variables."""
    for name in FIELDS:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "default"), FIELDS.items())
def test_a_field_has_upstreams_default(name: str, default: Any) -> None:
    value = getattr(Settings(), name)
    assert value == default
    assert type(value) is type(default)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("allow_reset", "TRUE", True),
        ("allow_reset", "1", True),
        ("allow_reset", "no", False),
        ("persist_directory", "/data", "/data"),
        ("chroma_server_http_port", "8123", 8123),
        ("chroma_http_keepalive_secs", "1.5", 1.5),
        ("chroma_server_cors_allow_origins", '["a", "b"]', ["a", "b"]),
        ("chroma_otel_collection_headers", '{"k": "v"}', {"k": "v"}),
        ("chroma_server_api_default_path", "/api/v1", APIVersion.V1),
        ("chroma_segment_directory_routing_mode", "node", RoutingMode.NODE),
        ("chroma_server_nofile", " ", None),
        ("migrations", "validate", "validate"),
    ],
)
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_environment_names_a_field_in_either_case(
    monkeypatch: pytest.MonkeyPatch, case: Any, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(case(name), text)
    assert getattr(Settings(), name) == value


def test_a_file_in_the_working_directory_names_fields(nowhere: Path) -> None:
    (nowhere / ".env").write_text(
        "# A comment = no field\n"
        "\n"
        "PERSIST_DIRECTORY=/data # where the data are\n"
        "export is_persistent=yes\n"
        "CHROMA_SERVER_HOST='a # b'\n"
        'tenant_id = "x"\n'
        "UNKNOWN=1\n"
        "no equals sign\n"
    )
    settings = Settings()
    assert settings.persist_directory == "/data"
    assert settings.is_persistent is True
    assert settings.chroma_server_host == "a # b"
    assert settings.tenant_id == "x"


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ("PERSIST_DIRECTORY=${PLACE}/data", "/there/data"),
        ("PERSIST_DIRECTORY='${PLACE}/data'", "/there/data"),
        ("PLACE=/here\nPERSIST_DIRECTORY=${PLACE}", "/here"),
        ("PERSIST_DIRECTORY=${NOWHERE:-/else}", "/else"),
        ("PERSIST_DIRECTORY=${NOWHERE}/x", "/x"),
        ("PERSIST_DIRECTORY=$PLACE", "$PLACE"),
        (r'PERSIST_DIRECTORY="a\tb\"c"', 'a\tb"c'),
        (r"PERSIST_DIRECTORY='a\tb\'c'", r"a\tb'c"),
        ("PERSIST_DIRECTORY='a\nb'", "a\nb"),
        ("PERSIST_DIRECTORY=\nPLACE=x", ""),
    ],
)
def test_values_of_the_file_are_read_as_upstream_reads_them(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, lines: str, path: str
) -> None:
    monkeypatch.setenv("PLACE", "/there")
    monkeypatch.delenv("NOWHERE", raising=False)
    (nowhere / ".env").write_text(lines + "\n")
    assert Settings().persist_directory == path


def test_json_nested_without_end_is_refused(nowhere: Path) -> None:
    (nowhere / ".env").write_text("chroma_server_headers=" + "[" * 100_000)
    with pytest.raises(ValueError, match="chroma_server_headers should hold JSON"):
        Settings()


def test_the_constructor_goes_before_the_environment_and_that_before_the_file(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / ".env").write_text("tenant_id=file\ntopic_namespace=file\nenvironment=file\n")
    monkeypatch.setenv("TENANT_ID", "environment")
    monkeypatch.setenv("TOPIC_NAMESPACE", "environment")
    settings = Settings(tenant_id="constructor")
    assert settings.tenant_id == "constructor"
    assert settings.topic_namespace == "environment"
    assert settings.environment == "file"


def test_the_constructor_ignores_what_is_no_field() -> None:
    settings = Settings(zzz=1, allow_reset=True)
    assert not hasattr(settings, "zzz")
    assert settings.allow_reset is True


def test_assignment_refuses_what_is_no_field() -> None:
    settings = Settings()
    settings.allow_reset = True
    assert settings.allow_reset is True
    with pytest.raises(ValueError, match='^"Settings" object has no field "zzz"$'):
        settings.zzz = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allow_reset", "maybe"),
        ("allow_reset", None),
        ("allow_reset", 2),
        ("chroma_server_http_port", "port"),
        ("chroma_server_http_port", 1.5),
        ("chroma_server_http_port", float("inf")),
        ("persist_directory", None),
        ("persist_directory", 5),
        ("chroma_server_headers", {"a": 1}),
        ("chroma_server_cors_allow_origins", "*"),
        ("chroma_server_api_default_path", "/api/v9"),
        ("chroma_segment_directory_routing_mode", "x"),
        ("migrations", "sometimes"),
        ("migrations_hash_algorithm", "crc"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_its_field(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("allow_reset", "maybe"),
        ("allow_reset", ""),
        ("chroma_server_http_port", "x"),
        ("chroma_server_cors_allow_origins", "a"),
    ],
)
def test_a_variable_of_the_wrong_type_is_refused_by_its_field(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name.upper(), text)
    with pytest.raises(ValueError, match=name):
        Settings()


def test_a_secret_is_in_no_message() -> None:
    assert "hunter2" not in repr(Settings(chroma_client_auth_credentials="hunter2"))
    assert "hunter2" not in repr(Settings(chroma_server_headers={"Authorization": "hunter2"}))
    with pytest.raises(ValueError) as caught:
        Settings(chroma_client_auth_credentials=["hunter2"])
    assert "hunter2" not in str(caught.value)


def test_numbers_and_paths_are_converted(tmp_path: Path) -> None:
    settings = Settings(chroma_server_http_port="80", allow_reset=1, persist_directory=tmp_path)
    assert settings.chroma_server_http_port == 80
    assert settings.allow_reset is True
    assert settings.persist_directory == str(tmp_path)
    assert Settings(chroma_server_ssl_verify="/ca.pem").chroma_server_ssl_verify == "/ca.pem"
    assert Settings(chroma_server_ssl_verify=False).chroma_server_ssl_verify is False


def test_a_field_is_read_as_an_item() -> None:
    assert Settings()["persist_directory"] == "./chroma"
    with pytest.raises(AttributeError):
        Settings()["zzz"]


def test_a_required_field_has_a_value() -> None:
    assert Settings().require("persist_directory") == "./chroma"
    with pytest.raises(ValueError, match="^Missing required config value 'chroma_server_host'$"):
        Settings().require("chroma_server_host")


def test_settings_are_equal_by_value_and_have_no_hash() -> None:
    assert Settings() == Settings()
    assert Settings(allow_reset=True) != Settings()
    assert Settings() != "settings"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Settings())


def test_defaults_are_not_shared() -> None:
    Settings().chroma_server_cors_allow_origins.append("*")
    assert Settings().chroma_server_cors_allow_origins == []


def test_a_value_of_chroma_before_its_fourth_release_is_refused_where_it_is_read() -> None:
    settings = Settings(chroma_api_impl="local")
    assert settings.chroma_api_impl == "local"
    with pytest.raises(ValueError) as caught:
        settings["chroma_api_impl"]
    assert str(caught.value) == LEGACY_ERROR
    assert "deprecated configuration of Chroma" in LEGACY_ERROR


def test_settings_are_dumped_and_copied_as_a_pydantic_model_is() -> None:
    settings = Settings(allow_reset=True, chroma_server_headers={"a": "b"})
    dumped = settings.model_dump()
    assert dumped["allow_reset"] is True
    assert Settings(**dumped) == settings
    copied = settings.model_copy(update={"allow_reset": False})
    assert (settings.allow_reset, copied.allow_reset) == (True, False)
    deep = settings.model_copy(deep=True)
    deep.chroma_server_headers["c"] = "d"
    assert settings.chroma_server_headers == {"a": "b"}
    assert copy.copy(settings) == pickle.loads(pickle.dumps(settings)) == settings


def test_settings_are_a_field_of_a_pydantic_model() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        settings: Settings = pydantic.Field(default_factory=Settings)

    settings = Settings(allow_reset=True)
    assert Model(settings=settings).settings is settings
    assert Model(settings={"allow_reset": True}).settings == settings
    assert Model(settings=settings).model_dump()["settings"]["allow_reset"] is True
    assert (
        Model.model_validate_json(Model(settings=settings).model_dump_json()).settings == settings
    )
    with pytest.raises(pydantic.ValidationError):
        Model(settings=5)


def test_every_field_takes_its_default_from_the_constructor() -> None:
    assert Settings(**Settings().model_dump()) == Settings()
