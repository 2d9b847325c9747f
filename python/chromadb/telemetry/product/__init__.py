"""Events about the use of the product. They can be made and captured, and go nowhere."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum
from typing import Any, ClassVar

from chromadb.config import Component


class ServerContext(Enum):
    """Where an event happens."""

    NONE = "None"
    FASTAPI = "FastAPI"


class ProductTelemetryEvent:
    """An event: its attributes, under the name of its class."""

    max_batch_size: ClassVar[int] = 1
    batch_size: int

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size

    @property
    def properties(self) -> dict[str, Any]:
        """The attributes of the event."""
        return self.__dict__

    @property
    def name(self) -> str:
        """The name of the event."""
        return type(self).__name__

    @property
    def batch_key(self) -> str:
        """What events have in common that can be counted together."""
        return self.name

    def batch(self, other: ProductTelemetryEvent) -> ProductTelemetryEvent:
        """This and another event as one."""
        raise NotImplementedError(f"{self.name} events are not counted together.")


class ProductTelemetryClient(Component):
    """What events are given to."""

    @abstractmethod
    def capture(self, event: ProductTelemetryEvent) -> None:
        """Takes an event."""
