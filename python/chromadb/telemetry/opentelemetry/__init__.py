"""Tracing by OpenTelemetry: the names that traced code uses. No spans are made."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from chromadb.config import Component

T = TypeVar("T", bound=Callable[..., Any])

tracer: Any = None


class OpenTelemetryGranularity(Enum):
    """Which calls are traced. The more, the smaller: ALL is less than NONE."""

    NONE = "none"
    OPERATION = "operation"
    OPERATION_AND_SEGMENT = "operation_and_segment"
    ALL = "all"

    def __lt__(self, other: Any) -> bool:
        order = list(OpenTelemetryGranularity)
        return order.index(self) > order.index(other)


granularity = OpenTelemetryGranularity.NONE


class OpenTelemetryClient(Component):
    """What sets tracing up: with nothing to set up."""


def otel_init(
    otel_service_name: str | None,
    otel_collection_endpoint: str | None,
    otel_collection_headers: dict[str, str] | None,
    otel_granularity: OpenTelemetryGranularity,
) -> None:
    """Accepts where spans would be sent."""


def trace_method(
    trace_name: str,
    trace_granularity: OpenTelemetryGranularity,
    attributes: dict[str, Any] | None = None,
) -> Callable[[T], T]:
    """A decorator that leaves functions as they are."""
    return lambda function: function


def add_attributes_to_current_span(attributes: dict[str, Any]) -> None:
    """Accepts what would be told about a span."""
