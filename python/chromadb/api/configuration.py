"""Configurations as they were before 1.0: parameters that are checked one by one.

Collections are configured by the dictionaries of `chromadb.api.collection_configuration`. These
classes are for programs that still make or read the former ones.
"""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeAlias, cast

from chromadb.serde import JSONSerializable


class StaticParameterError(Exception):
    """A parameter that never changes was set."""


class InvalidConfigurationError(ValueError):
    """Parameters do not go together."""


ParameterValue: TypeAlias = "str | int | float | bool | ConfigurationInternal"


class ParameterValidator(Protocol):
    """Says whether a value is one of a parameter's."""

    @abstractmethod
    def __call__(self, value: ParameterValue) -> bool: ...


class ConfigurationDefinition:
    """What a parameter may be, and is by default. A static one never changes."""

    name: str
    validator: ParameterValidator
    is_static: bool
    default_value: ParameterValue

    def __init__(
        self,
        name: str,
        validator: ParameterValidator,
        is_static: bool,
        default_value: ParameterValue,
    ) -> None:
        self.name = name
        self.validator = validator
        self.is_static = is_static
        self.default_value = default_value


class ConfigurationParameter:
    """A parameter and its value."""

    name: str
    value: ParameterValue

    def __init__(self, name: str, value: ParameterValue) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"ConfigurationParameter({self.name}, {self.value})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfigurationParameter):
            return NotImplemented
        return self.name == other.name and self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.


class ConfigurationInternal(JSONSerializable["ConfigurationInternal"]):
    """Parameters by their names; those that are not given have their defaults."""

    parameter_map: dict[str, ConfigurationParameter]
    definitions: ClassVar[dict[str, ConfigurationDefinition]]

    def __init__(self, parameters: list[ConfigurationParameter] | None = None) -> None:
        self.parameter_map = {
            name: ConfigurationParameter(name, definition.default_value)
            for name, definition in self.definitions.items()
        }
        for parameter in parameters or ():
            if parameter.name not in self.definitions:
                raise ValueError(f"Invalid parameter name: {parameter.name}")
            definition = self.definitions[parameter.name]
            if isinstance(parameter.value, dict):
                parameter.value = _configuration_from_json(parameter.value)
            if not isinstance(
                parameter.value, type(definition.default_value)
            ) or not definition.validator(parameter.value):
                raise ValueError(f"Invalid parameter value: {parameter.value}")
            self.parameter_map[parameter.name] = parameter
        self.configuration_validator()

    def __repr__(self) -> str:
        return f"Configuration({self.parameter_map.values()})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfigurationInternal):
            return NotImplemented
        return self.parameter_map == other.parameter_map

    __hash__ = None  # type: ignore[assignment]  # Mutable, and equal by value.

    @abstractmethod
    def configuration_validator(self) -> None:
        """Raises InvalidConfigurationError where parameters do not go together."""

    def get_parameters(self) -> list[ConfigurationParameter]:
        """All parameters."""
        return list(self.parameter_map.values())

    def get_parameter(self, name: str) -> ConfigurationParameter:
        """The parameter of that name; ValueError if there is none."""
        if name not in self.parameter_map:
            raise ValueError(
                f"Invalid parameter name: {name} for configuration {type(self).__name__}"
            )
        return self.parameter_map[name]

    def set_parameter(self, name: str, value: str | int | float | bool) -> None:
        """Changes a parameter; StaticParameterError for one that never changes."""
        if name not in self.definitions:
            raise ValueError(f"Invalid parameter name: {name}")
        definition = self.definitions[name]
        if definition.is_static:
            raise StaticParameterError(f"Cannot set static parameter: {name}")
        if not definition.validator(value):
            raise ValueError(f"Invalid value for parameter {name}: {value}")
        self.parameter_map[name].value = value

    def to_json(self) -> dict[str, Any]:
        """The values by their names, and under `_type` what they configure."""
        values = {
            name: parameter.value.to_json()
            if isinstance(parameter.value, ConfigurationInternal)
            else parameter.value
            for name, parameter in self.parameter_map.items()
        }
        return values | {"_type": type(self).__name__}

    def to_json_str(self) -> str:
        """The same as text."""
        return json.dumps(self.to_json())

    @classmethod
    def from_json(cls, json_map: dict[str, Any]) -> Self:
        """The configuration that JSON stands for; ValueError if it is one of another kind."""
        if json_map.get("_type") != cls.__name__:
            raise ValueError(
                f"Trying to instantiate configuration of type {cls.__name__} from JSON with type "
                f"{json_map.get('_type')}"
            )
        # Not by the class itself: its constructor takes the parameters by their names.
        configuration = cls.__new__(cls)
        ConfigurationInternal.__init__(
            configuration,
            [
                ConfigurationParameter(name, value)
                for name, value in json_map.items()
                if name != "_type"
            ],
        )
        return configuration

    @classmethod
    def from_json_str(cls, json_str: str) -> Self:
        """The same from text."""
        try:
            json_map = json.loads(json_str)
        except json.JSONDecodeError:
            raise ValueError(
                f"Unable to decode configuration from JSON string: {json_str}"
            ) from None
        return cls.from_json(json_map) if json_map else cls()


def _defined(
    name: str, is_valid: Callable[[Any], bool], is_static: bool, default: ParameterValue
) -> ConfigurationDefinition:
    return ConfigurationDefinition(name, cast(ParameterValidator, is_valid), is_static, default)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value >= 1


class HNSWConfigurationInternal(ConfigurationInternal):
    """The parameters of an HNSW index."""

    definitions = {
        definition.name: definition
        for definition in (
            _defined("space", lambda value: value in ("l2", "ip", "cosine"), True, "l2"),
            _defined("ef_construction", _is_count, True, 100),
            _defined("ef_search", _is_count, False, 100),
            _defined("num_threads", _is_count, False, os.cpu_count() or 1),
            _defined("M", _is_count, True, 16),
            _defined("resize_factor", lambda value: value >= 1, True, 1.2),
            _defined("batch_size", _is_count, True, 100),
            _defined("sync_threshold", _is_count, True, 1000),
        )
    }

    def configuration_validator(self) -> None:
        batch_size = cast(int, self.parameter_map["batch_size"].value)
        sync_threshold = cast(int, self.parameter_map["sync_threshold"].value)
        if batch_size > sync_threshold:
            raise InvalidConfigurationError(
                "batch_size must be less than or equal to sync_threshold"
            )

    @classmethod
    def from_legacy_params(cls, params: dict[str, Any]) -> Self:
        """The configuration that the `hnsw:` keys of a collection's metadata stand for."""
        names = {
            "hnsw:space": "space",
            "hnsw:construction_ef": "ef_construction",
            "hnsw:search_ef": "ef_search",
            "hnsw:M": "M",
            "hnsw:num_threads": "num_threads",
            "hnsw:resize_factor": "resize_factor",
            "hnsw:batch_size": "batch_size",
            "hnsw:sync_threshold": "sync_threshold",
        }
        for name in params:
            if name not in names:
                raise ValueError(f"Invalid legacy HNSW parameter name: {name}")
        renamed = {names[name]: value for name, value in params.items()}
        return cls.from_json(renamed | {"_type": cls.__name__})


class HNSWConfigurationInterface(HNSWConfigurationInternal):
    """The parameters of an HNSW index, by their names."""

    def __init__(
        self,
        space: str = "l2",
        ef_construction: int = 100,
        ef_search: int = 100,
        num_threads: int = os.cpu_count() or 1,
        M: int = 16,
        resize_factor: float = 1.2,
        batch_size: int = 100,
        sync_threshold: int = 1000,
    ) -> None:
        values: Sequence[tuple[str, ParameterValue]] = (
            ("space", space),
            ("ef_construction", ef_construction),
            ("ef_search", ef_search),
            ("num_threads", num_threads),
            ("M", M),
            ("resize_factor", resize_factor),
            ("batch_size", batch_size),
            ("sync_threshold", sync_threshold),
        )
        super().__init__([ConfigurationParameter(name, value) for name, value in values])


HNSWConfiguration = HNSWConfigurationInterface


class CollectionConfigurationInternal(ConfigurationInternal):
    """The parameters of a collection: those of its index."""

    definitions = {
        "hnsw_configuration": _defined(
            "hnsw_configuration",
            lambda value: isinstance(value, HNSWConfigurationInternal),
            True,
            HNSWConfigurationInternal(),
        )
    }

    def configuration_validator(self) -> None:
        """Any index will do."""


class CollectionConfigurationInterface(CollectionConfigurationInternal):
    """The parameters of a collection, by their names."""

    def __init__(self, hnsw_configuration: HNSWConfigurationInternal | None) -> None:
        index = HNSWConfigurationInternal() if hnsw_configuration is None else hnsw_configuration
        super().__init__([ConfigurationParameter("hnsw_configuration", index)])


CollectionConfiguration = CollectionConfigurationInterface


class EmbeddingsQueueConfigurationInternal(ConfigurationInternal):
    """The parameters of the log."""

    definitions = {
        "automatically_purge": _defined(
            "automatically_purge", lambda value: isinstance(value, bool), False, True
        )
    }

    def configuration_validator(self) -> None:
        """There is one parameter."""


# By the names that stand under `_type`.
_CONFIGURATIONS: dict[str, type[ConfigurationInternal]] = {
    kind.__name__: kind
    for kind in (
        HNSWConfigurationInternal,
        HNSWConfigurationInterface,
        CollectionConfigurationInternal,
        CollectionConfigurationInterface,
        EmbeddingsQueueConfigurationInternal,
    )
}


def _configuration_from_json(json_map: dict[str, Any]) -> ConfigurationInternal:
    kind = _CONFIGURATIONS.get(json_map.get("_type", ""))
    if kind is None:
        raise ValueError(f"Invalid configuration type: {json_map}")
    return kind.from_json(json_map)
