"""What the tests of the Python package share.

Some compare with official Chroma live. CHROMA_OFFICIAL_PYTHON names the interpreter of an
environment that has it. Without the variable the tests marked `official` are skipped, unless
CHROMA_TEST_LONG is set: then an environment is made in `build/official-venv` of the checkout, by
pip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chromadb
from chromadb.api.client import SharedSystemClient

VERSION = "1.5.9"
ENVIRONMENT = Path(__file__).resolve().parents[2] / "build" / "official-venv"


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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "official: needs official Chroma, live")


def installed_version(python: str) -> str | None:
    process = subprocess.run(
        [python, "-I", "-c", "import importlib.metadata as m; print(m.version('chromadb'))"],
        capture_output=True,
        text=True,
    )
    return process.stdout.strip() if process.returncode == 0 else None


@pytest.fixture(scope="session")
def official_python() -> str:
    """The interpreter of an environment that has official Chroma at the tracked version."""
    python = os.environ.get("CHROMA_OFFICIAL_PYTHON")
    if python is None:
        if not os.environ.get("CHROMA_TEST_LONG"):
            pytest.skip("needs official Chroma: set CHROMA_OFFICIAL_PYTHON or CHROMA_TEST_LONG=1")
        python = str(ENVIRONMENT / "bin" / "python")
        if not Path(python).exists():
            venv.create(ENVIRONMENT, with_pip=True)
        if installed_version(python) != VERSION:
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, f"chromadb=={VERSION}"], check=True)
    assert installed_version(python) == VERSION, f"{python} has no Chroma {VERSION}"
    assert python != sys.executable, "official Chroma would be compared with itself"
    return python
