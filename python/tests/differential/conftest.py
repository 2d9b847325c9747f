"""Where official Chroma is to be found, for the tests that compare with it live.

CHROMA_OFFICIAL_PYTHON names the interpreter of an environment that has it. Without the variable
the tests marked `official` are skipped, unless CHROMA_TEST_LONG is set: then an environment is made
in `build/official-venv` of the checkout, by pip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

VERSION = "1.5.9"
ENVIRONMENT = Path(__file__).resolve().parents[3] / "build" / "official-venv"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "official: needs official Chroma, live")


def installed_version(python: str) -> str | None:
    process = subprocess.run(
        [python, "-c", "import importlib.metadata as m; print(m.version('chromadb'))"],
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
