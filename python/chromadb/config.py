"""Settings, and the system of components that clients share."""

from __future__ import annotations

import builtins
import copy
import importlib
import inspect
import logging
import os
import weakref
from abc import ABC
from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from chromadb._settings_values import (
    APIVersion,
    RoutingMode,
    checked_value,
    read_dotenv,
    value_from_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEFAULT_DATABASE",
    "DEFAULT_TENANT",
    "LEGACY_ERROR",
    "APIVersion",
    "Component",
    "RoutingMode",
    "Settings",
    "System",
    "get_class",
    "get_fqn",
    "is_thin_client",
]

logger = logging.getLogger(__name__)

# The package of HTTP clients alone is this one with a module of that name in it.
try:
    from chromadb.is_thin_client import is_thin_client
except ImportError:
    is_thin_client = False

DEFAULT_TENANT = "default_tenant"
DEFAULT_DATABASE = "default_database"

LEGACY_ERROR = (
    "chroma_db_impl belongs to Chroma before 0.4 and chooses nothing any more. Leave it out, and "
    "open the database with chromadb.PersistentClient(path), chromadb.EphemeralClient() or "
    "chromadb.Client(settings). You are using a deprecated configuration of Chroma; see "
    "https://docs.trychroma.com/deployment/migration"
)


# Values of fields by which Chroma before 0.4 chose its parts.
_LEGACY_VALUES = frozenset(
    (
        "duckdb",
        "duckdb+parquet",
        "clickhouse",
        "local",
        "rest",
        "chromadb.db.duckdb.DuckDB",
        "chromadb.db.duckdb.PersistentDuckDB",
        "chromadb.db.clickhouse.Clickhouse",
        "chromadb.api.local.LocalAPI",
    )
)


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
    migrations: Literal["none", "validate", "apply"] = "apply"
    migrations_hash_algorithm: Literal["md5", "sha256"] = "md5"

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
    chroma_server_auth_ignore_paths: dict[str, list[str]] = {
        path: ["GET"]
        for version in APIVersion
        for path in (
            version.value,
            f"{version.value}/heartbeat",
            f"{version.value}/version",
        )
    }
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
    chroma_telemetry_impl: str = "chromadb.telemetry.product.posthog.Posthog"
    chroma_product_telemetry_impl: str = "chromadb.telemetry.product.posthog.Posthog"

    chroma_collection_assignment_policy_impl: str = (
        "chromadb.ingest.impl.simple_policy.SimpleAssignmentPolicy"
    )
    chroma_consumer_impl: str = "chromadb.db.impl.sqlite.SqliteDB"
    chroma_coordinator_host: str = "localhost"
    chroma_executor_impl: str = "chromadb.execution.executor.local.LocalExecutor"
    chroma_logservice_host: str = "localhost"
    chroma_logservice_port: int = 50052
    chroma_logservice_request_timeout_seconds: int = 3
    chroma_memberlist_provider_impl: str = (
        "chromadb.segment.impl.distributed.segment_directory.CustomResourceMemberlistProvider"
    )
    chroma_producer_impl: str = "chromadb.db.impl.sqlite.SqliteDB"
    chroma_query_replication_factor: int = 2
    chroma_query_request_timeout_seconds: int = 60
    chroma_quota_enforcer_impl: str = "chromadb.quota.simple_quota_enforcer.SimpleQuotaEnforcer"
    chroma_quota_provider_impl: str | None = None
    chroma_rate_limit_enforcer_impl: str = (
        "chromadb.rate_limit.simple_rate_limit.SimpleRateLimitEnforcer"
    )
    chroma_async_rate_limit_enforcer_impl: str = (
        "chromadb.rate_limit.simple_rate_limit.SimpleAsyncRateLimitEnforcer"
    )
    chroma_rate_limiting_provider_impl: str | None = None
    chroma_segment_directory_impl: str = (
        "chromadb.segment.impl.distributed.segment_directory.RendezvousHashSegmentDirectory"
    )
    chroma_segment_directory_routing_mode: RoutingMode = RoutingMode.ID
    chroma_segment_manager_impl: str = "chromadb.segment.impl.manager.local.LocalSegmentManager"
    chroma_sysdb_impl: str = "chromadb.db.impl.sqlite.SqliteDB"
    chroma_sysdb_request_timeout_seconds: int = 3
    worker_memberlist_name: str = "query-service-memberlist"

    def __init__(self, **values: Any) -> None:
        given = {name.lower(): value for name, value in values.items()}
        texts = read_dotenv(".env") | {name.lower(): text for name, text in os.environ.items()}
        for name, type_name in _FIELDS.items():
            if name in given:
                value = checked_value(name, type_name, given[name])
            elif name in texts:
                value = checked_value(
                    name, type_name, value_from_text(name, type_name, texts[name])
                )
            else:
                value = copy.deepcopy(getattr(Settings, name))
            self.__dict__[name] = value

    def require(self, key: str) -> Any:
        """The value of a field, which must not be None."""
        value = self[key]
        if value is None:
            raise ValueError(f"Missing required config value '{key}'")
        return value

    def __getitem__(self, key: str) -> Any:
        value = getattr(self, key)
        if isinstance(value, str) and value in _LEGACY_VALUES:
            raise ValueError(LEGACY_ERROR)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _FIELDS:
            raise ValueError(f'"Settings" object has no field "{name}"')
        self.__dict__[name] = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    def model_dump(self) -> dict[str, Any]:
        """The fields and their values, as a pydantic model's method of this name gives them."""
        return copy.deepcopy(self.__dict__)

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Settings:
        """Settings with the same values, but for those in `update`, which are not checked."""
        made = copy.deepcopy(self) if deep else copy.copy(self)
        made.__dict__.update(update or {})
        return made

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """What lets a pydantic model have settings for a field: an instance, or a dict of them."""
        from pydantic_core import core_schema

        def settings(value: Any) -> Settings:
            if isinstance(value, Settings):
                return value
            if isinstance(value, dict):
                return cls(**value)
            raise ValueError("These are no Settings, nor a dict of them.")

        return core_schema.no_info_plain_validator_function(
            settings,
            serialization=core_schema.plain_serializer_function_ser_schema(Settings.model_dump),
        )

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


Instance = TypeVar("Instance", bound="Component")
Class = TypeVar("Class")

_HTTP_IMPLEMENTATIONS = ("chromadb.api.fastapi.FastAPI", "chromadb.api.async_fastapi.AsyncFastAPI")


class Component(ABC):
    """A part of a system, started and stopped with it."""

    # Whether the system keeps the component alive. Otherwise the component does that for the
    # system, and is made anew where nobody uses it any more: both ways would be a cycle, and what
    # the last client let go of would stay open until the garbage collector comes by.
    _kept_by_system: ClassVar[bool] = True

    # Of an abstract class: the setting that names the class to stand in for it.
    _chosen_by: ClassVar[str | None] = None

    _system: System

    def __init__(self, system: System) -> None:
        self._dependencies: set[Component] = set()
        self._system = system
        self._running = False

    def require(self, type: type[Instance]) -> Instance:
        """The system's instance of the class, which this component depends on from now on."""
        instance = self._system.instance(type)
        self._dependencies.add(instance)
        return instance

    def dependencies(self) -> set[Component]:
        """The components that this one depends on."""
        return self._dependencies

    def start(self) -> None:
        """Begins to run. Idempotent."""
        self._running = True

    def stop(self) -> None:
        """Ends running and lets go of what that took. Idempotent."""
        self._running = False

    def reset_state(self) -> None:
        """Forgets everything, for tests."""


class System(Component):
    """Components by their class, and the settings that they were made with.

    Clients with the same identifier share a system. It stops with the last of them, or when nothing
    refers to it any more.
    """

    def __init__(self, settings: Settings) -> None:
        if is_thin_client and settings["chroma_api_impl"] not in _HTTP_IMPLEMENTATIONS:
            raise RuntimeError(
                "This package has the HTTP clients alone: the setting chroma_api_impl can be "
                f"{' or '.join(repr(name) for name in _HTTP_IMPLEMENTATIONS)}, as "
                "chromadb.HttpClient and chromadb.AsyncHttpClient set it."
            )
        if settings.chroma_db_impl is not None:
            raise ValueError(LEGACY_ERROR)
        if settings.chroma_segment_cache_policy not in (None, "LRU"):
            logger.error("Failed to set chroma_segment_cache_policy: Only LRU is available.")
        _raise_file_limit(settings.chroma_server_nofile)
        # A copy: what becomes of the caller's settings afterwards does not matter.
        self.settings = copy.copy(settings)
        self._instances: dict[type[Component], Component] = {}
        self._loose_instances: weakref.WeakValueDictionary[type[Component], Component] = (
            weakref.WeakValueDictionary()
        )
        # The clients that have not been closed. Those that were dropped leave by themselves.
        self.clients: weakref.WeakSet[Any] = weakref.WeakSet()
        self._dependencies = set()
        self._running = False

    def instance(self, type: type[Instance]) -> Instance:
        """The one instance of the class, made if need be, and started if the system runs.

        Of an abstract class, the settings choose the one to stand in for it.
        """
        if inspect.isabstract(type):
            setting = type.__dict__.get("_chosen_by")
            if setting is None:
                raise ValueError(f"Cannot instantiate abstract type: {type}")
            type = get_class(self.settings.require(setting), type)
        found = self._instances.get(type)
        if found is None:
            found = self._loose_instances.get(type)
        if found is None:
            found = type(self)
            if type._kept_by_system:
                self._instances[type] = found
            else:
                self._loose_instances[type] = found
            if self._running:
                found.start()
        return cast(Instance, found)

    def components(self) -> Iterable[Component]:
        """All components, each after those that it depends on."""
        sorter: TopologicalSorter[Component] = TopologicalSorter()
        for component in (*self._instances.values(), *self._loose_instances.values()):
            sorter.add(component, *component.dependencies())
        return sorter.static_order()

    def start(self) -> None:
        """Starts the components, and from now on those that are made."""
        super().start()
        try:
            for component in self.components():
                component.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the components, each before those that it depends on."""
        super().stop()
        for component in reversed(list(self.components())):
            component.stop()

    def reset_state(self) -> None:
        """Resets the components, for tests. ValueError where the settings do not allow a reset."""
        if not self.settings.allow_reset:
            raise ValueError(
                "Resetting is not allowed by this configuration (to enable it, set `allow_reset` "
                "to `True` in your Settings() or include `ALLOW_RESET=TRUE` in your environment "
                "variables)"
            )
        for component in reversed(list(self.components())):
            component.reset_state()


def _raise_file_limit(wanted: int | None) -> None:
    """Raises how many files the process may have open, as far as it may; never lowers it."""
    if wanted is None:
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        logger.warning(
            f"chroma_server_nofile is {wanted}, more than the hard limit of {hard}. The limit "
            f"stays at {soft} open files."
        )
    elif soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def get_class(fqn: str, type: builtins.type[Class]) -> builtins.type[Class]:
    """The class of that dotted name, whose module is imported."""
    module, _, name = fqn.rpartition(".")
    return cast("builtins.type[Class]", getattr(importlib.import_module(module), name))


def get_fqn(cls: type[object]) -> str:
    """The dotted name of a class."""
    return f"{cls.__module__}.{cls.__name__}"
