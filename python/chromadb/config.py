"""Settings, and the engine that clients with equal settings share."""

from __future__ import annotations

import copy
import os
import weakref
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chromadb_swift_bindings._chroma import Engine

DEFAULT_TENANT = "default_tenant"
DEFAULT_DATABASE = "default_database"

LEGACY_ERROR = (
    "chroma_db_impl belongs to Chroma before 0.4 and chooses nothing any more. Leave it out, and "
    "open the database with chromadb.PersistentClient(path), chromadb.EphemeralClient() or "
    "chromadb.Client(settings). You are using a deprecated configuration of Chroma; see "
    "https://docs.trychroma.com/deployment/migration"
)


class APIVersion(str, Enum):
    """The paths under which servers offer their API."""

    V1 = "/api/v1"
    V2 = "/api/v2"

    def __str__(self) -> str:
        return self.value


class Settings:
    """How clients open and reach databases.

    A field is taken from the constructor, else from the environment variable of its name in either
    case, else from a file `.env` in the working directory, else it has its default. Names that are
    no field are ignored by the constructor, and refused when assigned. Values given to the
    constructor are checked against the field's type.

    Most fields are accepted for compatibility and have no effect on a local database;
    `is_persistent`, `persist_directory`, `allow_reset`, `chroma_memory_limit_bytes`,
    `chroma_indexing_threads` and `chroma_read_only` are those that have.
    """

    is_persistent: bool = False
    persist_directory: str = "./chroma"
    allow_reset: bool = False
    anonymized_telemetry: bool = True
    environment: str = ""
    tenant_id: str = "default"
    topic_namespace: str = "default"
    migrations: str = "apply"
    migrations_hash_algorithm: str = "md5"

    chroma_api_impl: str = "chromadb.api.rust.RustBindingsAPI"
    chroma_db_impl: str | None = None
    chroma_indexing_threads: int = 0
    """How many threads index vectors; 0: half of the cores. Not a field of upstream's."""
    chroma_memory_limit_bytes: int = 0
    """Beyond it, collections that are not in use are forgotten until they are; 0: no limit."""
    chroma_read_only: bool = False
    """Nothing in the directory, which must exist, is made or changed. Not a field of upstream's."""
    chroma_segment_cache_policy: str | None = None

    chroma_server_host: str | None = None
    chroma_server_http_port: int | None = None
    chroma_server_headers: dict[str, str] | None = None
    chroma_server_ssl_enabled: bool | None = False
    chroma_server_ssl_verify: bool | str | None = None
    chroma_server_api_default_path: APIVersion | None = APIVersion.V2
    chroma_server_cors_allow_origins: list[str] = []
    chroma_server_grpc_port: int | None = None
    chroma_server_nofile: int | None = None
    chroma_server_thread_pool_size: int = 40
    chroma_http_keepalive_secs: float | None = 40.0
    chroma_http_max_connections: int | None = None
    chroma_http_max_keepalive_connections: int | None = None

    chroma_client_auth_provider: str | None = None
    chroma_client_auth_credentials: str | None = None
    chroma_auth_token_transport_header: str | None = None
    chroma_overwrite_singleton_tenant_database_access_from_auth: bool = False
    chroma_server_auth_ignore_paths: dict[str, list[str]] = {}
    chroma_server_authn_provider: str | None = None
    chroma_server_authn_credentials: str | None = None
    chroma_server_authn_credentials_file: str | None = None
    chroma_server_authz_provider: str | None = None
    chroma_server_authz_config: str | None = None
    chroma_server_authz_config_file: str | None = None

    chroma_otel_collection_endpoint: str | None = ""
    chroma_otel_service_name: str | None = "chromadb"
    chroma_otel_collection_headers: dict[str, str] = {}
    chroma_otel_granularity: str | None = None
    chroma_telemetry_impl: str | None = None
    chroma_product_telemetry_impl: str | None = None

    chroma_collection_assignment_policy_impl: str | None = None
    chroma_consumer_impl: str | None = None
    chroma_coordinator_host: str = "localhost"
    chroma_executor_impl: str | None = None
    chroma_logservice_host: str = "localhost"
    chroma_logservice_port: int = 50052
    chroma_logservice_request_timeout_seconds: int = 3
    chroma_memberlist_provider_impl: str | None = None
    chroma_producer_impl: str | None = None
    chroma_query_replication_factor: int = 2
    chroma_query_request_timeout_seconds: int = 60
    chroma_quota_enforcer_impl: str | None = None
    chroma_quota_provider_impl: str | None = None
    chroma_rate_limit_enforcer_impl: str | None = None
    chroma_async_rate_limit_enforcer_impl: str | None = None
    chroma_rate_limiting_provider_impl: str | None = None
    chroma_segment_directory_impl: str | None = None
    chroma_segment_directory_routing_mode: str = "id"
    chroma_segment_manager_impl: str | None = None
    chroma_sysdb_impl: str | None = None
    chroma_sysdb_request_timeout_seconds: int = 3
    worker_memberlist_name: str = "query-service-memberlist"

    def __init__(self, **values: Any) -> None:
        given = {name.lower(): value for name, value in values.items()}
        texts = _read_dotenv(".env") | {name.lower(): text for name, text in os.environ.items()}
        for name, type_name in _FIELDS.items():
            if name in given:
                value = _checked(name, type_name, given[name])
            elif name in texts:
                value = _checked(name, type_name, _from_text(name, type_name, texts[name]))
            else:
                value = copy.copy(getattr(Settings, name))
            self.__dict__[name] = value

    def require(self, key: str) -> Any:
        """The value of a field, which must not be None."""
        value = self[key]
        if value is None:
            raise ValueError(f"Missing required config value '{key}'")
        return value

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _FIELDS:
            raise ValueError(f'"Settings" object has no field "{name}"')
        self.__dict__[name] = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    def __repr__(self) -> str:
        # Secrets stay out of logs; defaults stay out of the way.
        shown = ", ".join(
            f"{name}={'***' if 'credentials' in name or 'headers' in name else repr(value)}"
            for name, value in self.__dict__.items()
            if value != getattr(Settings, name)
        )
        return f"Settings({shown})"


# Field name to the text of its type, as written in the class.
_FIELDS: dict[str, str] = dict(Settings.__annotations__)

_BOOL_WORDS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "off"), False
)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _BOOL_WORDS:
        return _BOOL_WORDS[value.lower()]
    raise ValueError


def _int(value: Any) -> int:
    if (isinstance(value, float) and not value.is_integer()) or not isinstance(
        value, (int, float, str)
    ):
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    if not isinstance(value, (int, float, str)):
        raise ValueError
    return float(value)


def _str(value: Any) -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise ValueError
    return value


def _bool_or_str(value: Any) -> bool | str:
    try:
        return _bool(value)
    except ValueError:
        return _str(value)


def _list_of_str(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [_str(item) for item in value]


def _dict_of_str(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError
    return {_str(key): _str(item) for key, item in value.items()}


def _dict_of_lists(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise ValueError
    return {_str(key): _list_of_str(item) for key, item in value.items()}


# What each type is called in a message, and what turns a value into it.
_TYPES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "bool": ("a bool", _bool),
    "int": ("an int", _int),
    "float": ("a float", _float),
    "str": ("a str", _str),
    "bool | str": ("a bool or a str", _bool_or_str),
    "APIVersion": ("'/api/v1' or '/api/v2'", APIVersion),
    "list[str]": ("a list of str", _list_of_str),
    "dict[str, str]": ("a dict of str", _dict_of_str),
    "dict[str, list[str]]": ("a dict of lists of str", _dict_of_lists),
}


def _checked(name: str, type_name: str, value: Any) -> Any:
    base, optional, _ = type_name.partition(" | None")
    if value is None and optional:
        return None
    described, convert = _TYPES[base]
    try:
        return convert(value)
    except (ValueError, OverflowError):
        shown = "a value of another kind" if "credentials" in name else repr(value)
        raise ValueError(f"The setting {name} should be {described}, got {shown}.") from None


def _from_text(name: str, type_name: str, text: str) -> Any:
    """The value that a variable's text stands for: JSON where the field holds a list or a dict."""
    if not type_name.startswith(("list", "dict")):
        return text
    import json

    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"The variable {name} should hold JSON, and does not parse.") from None


def _read_dotenv(path: str) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, names in lower case; none without the file."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    variables = {}
    for line in lines:
        name, equals, text = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#"):
            continue
        text = text.strip()
        if text[:1] in ("'", '"') and text.find(text[0], 1) > 0:
            text = text[1 : text.index(text[0], 1)]
        else:
            text = text.partition(" #")[0].rstrip()
        variables[name.strip().lower()] = text
    return variables


class System:
    """One engine and the settings it was opened with, shared by its clients and their collections.

    The engine opens with `start` and closes with `stop`, or when nothing refers to the system any
    more.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.chroma_db_impl is not None:
            raise ValueError(LEGACY_ERROR)
        self.settings = copy.copy(settings)
        self._engine: Engine | None = None
        self._lock_file: str | None = None
        self._directory_identity: tuple[int, int] | None = None
        # The clients that have not been closed. Those that were dropped leave by themselves.
        self.clients: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def engine(self) -> Engine:
        """The open engine."""
        engine = self._engine
        if engine is None:
            from chromadb.errors import InvalidArgumentError

            raise InvalidArgumentError(
                "The client is closed. Open the database again with a new client."
            )
        return engine

    def start(self) -> None:
        """Opens the engine. Does nothing if it is open."""
        from chromadb_swift_bindings._chroma import Engine

        settings = self.settings
        memory_limit = settings.chroma_memory_limit_bytes
        if memory_limit < 0:
            raise ValueError(
                f"The setting chroma_memory_limit_bytes is {memory_limit}. It should be a number "
                "of bytes, or 0 for no limit."
            )
        indexing_threads = settings.chroma_indexing_threads
        if indexing_threads < 0:
            raise ValueError(
                f"The setting chroma_indexing_threads is {indexing_threads}. It should be a number "
                "of threads, or 0 for half of the cores."
            )
        if self._engine is None:
            path = settings.persist_directory if settings.is_persistent else None
            self._engine = Engine(
                path,
                settings.allow_reset,
                read_only=settings.chroma_read_only,
                memory_limit_bytes=memory_limit,
                indexing_threads=min(indexing_threads, 2**32 - 1),
            )
            if path is not None:
                self._lock_file = os.path.abspath(os.path.join(path, "LOCK"))
                self._directory_identity = self._found_identity()

    def is_left_behind(self) -> bool:
        """Whether the directory was removed, renamed or replaced since it was opened."""
        return self._directory_identity != self._found_identity()

    def _found_identity(self) -> tuple[int, int] | None:
        if self._lock_file is None:
            return None
        try:
            found = os.stat(self._lock_file)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def stop(self) -> None:
        """Closes the engine. Does nothing if it is closed."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
