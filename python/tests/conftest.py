"""What the tests of the Python package share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import chromadb
from chromadb.api.client import SharedSystemClient


class LengthFunction(chromadb.EmbeddingFunction[chromadb.Documents]):
    """Embeds a text as its length, a given number of times."""

    def __init__(self, dimension: int = 3) -> None:
        self.dimension = dimension

    def __call__(self, input: chromadb.Documents) -> Any:
        return [[float(len(text))] * self.dimension for text in input]

    @staticmethod
    def name() -> str:
        return "length"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> LengthFunction:
        return LengthFunction(config["dimension"])

    def get_config(self) -> dict[str, Any]:
        return {"dimension": self.dimension}


@pytest.fixture(autouse=True)
def fresh_systems() -> Iterator[None]:
    """No test sees the engine of another."""
    SharedSystemClient.clear_system_cache()
    yield
    SharedSystemClient.clear_system_cache()


@pytest.fixture
def client() -> Iterator[Any]:
    """An empty database in memory."""
    with chromadb.EphemeralClient() as client:
        yield client


@pytest.fixture
def collection(client: Any) -> Any:
    """An empty collection that embeds a text as its length, three times."""
    return client.create_collection("records", embedding_function=LengthFunction())
