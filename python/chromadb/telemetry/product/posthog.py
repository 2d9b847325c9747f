"""The client that events were once sent with."""

from __future__ import annotations

from chromadb.telemetry.product import ProductTelemetryClient, ProductTelemetryEvent


class Posthog(ProductTelemetryClient):
    """Takes events and drops them."""

    def capture(self, event: ProductTelemetryEvent) -> None:
        """Drops the event."""
